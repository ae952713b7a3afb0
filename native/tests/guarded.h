/* guarded.h: memory that ends (or begins) exactly at a page which may be neither read nor written. */
#ifndef EHC_GUARDED_H
#define EHC_GUARDED_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct {
    uint8_t *map, *end;    /* of the whole mapping */
    uint8_t *first, *last; /* the usable bytes: [first, last) */
} guarded;

static inline guarded guarded_room(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), inside = (size / page + 1) * page;
    uint8_t *map = mmap(NULL, inside + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED || mprotect(map + page, inside, PROT_READ | PROT_WRITE) != 0) {
        perror("guarded memory");
        exit(2);
    }
    return (guarded){map, map + inside + 2 * page, map + page, map + page + inside};
}

static inline void guarded_release(guarded *room)
{
    munmap(room->map, (size_t)(room->end - room->map));
}

#endif
