/* driver.c: times contenders beside each other, in laps, in core cycles.
 *
 *   driver tiers CONTENDER.so
 *   driver measure LAPS JOB.job... -- CONTENDER.so[@TIER]...     the clock in Hz, then a line a job and contender:
 *                                                              cycles an item, lap by lap
 *   driver once JOB.job CONTENDER.so@TIER                        one run, for a tool that counts instructions
 *
 * A lap runs every contender once untimed, then once timed between two chains of dependent additions. A chain takes one
 * core cycle an addition whatever the clock is doing, so it gives core cycles for a tick of the counter at that moment.
 * Every contender's answer is compared with the one in the job file; a wrong one ends the driver with status 3.
 *
 * A job file: items, answer bytes, divisor (u32 each; the peers and the portable tiers take items / divisor), the name of
 * the job's kind (16 bytes), offsets[items + 1], id_lengths[items], answer, data, more. A job whose answer is not so many
 * bytes an item in the order of the items ("keys", "rekey") has divisor 1. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "job.h"

#if defined(__x86_64__)
#include <x86intrin.h>
static uint64_t ticks(void)
{
    unsigned core;
    return __rdtscp(&core);
}
static uint64_t chain(uint64_t additions)
{
    uint64_t sum = 1; /* register to register: some cores do an addition of a constant in no time at all */
    for (uint64_t i = 0; i < additions; i += 8)
        __asm__ volatile("add %1, %0\n add %1, %0\n add %1, %0\n add %1, %0\n"
                         "add %1, %0\n add %1, %0\n add %1, %0\n add %1, %0\n"
                         : "+r"(sum)
                         : "r"(i));
    return sum;
}
#elif defined(__aarch64__)
static uint64_t ticks(void)
{
    uint64_t now;
    __asm__ volatile("isb\n mrs %0, cntvct_el0" : "=r"(now));
    return now;
}
static uint64_t chain(uint64_t additions)
{
    uint64_t sum = 1;
    for (uint64_t i = 0; i < additions; i += 8)
        __asm__ volatile("add %0, %0, %1\n add %0, %0, %1\n add %0, %0, %1\n add %0, %0, %1\n"
                         "add %0, %0, %1\n add %0, %0, %1\n add %0, %0, %1\n add %0, %0, %1\n"
                         : "+r"(sum)
                         : "r"(i));
    return sum;
}
#endif

enum { MOST = 64, ADDITIONS = 16000 };

typedef struct {
    char kind[17];
    uint32_t answer_bytes, divisor;
    job all;
    const uint8_t *answer;
} work;

typedef struct {
    const char *name, *tier;
    const contender *can;
} entrant;

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "driver: %s: %s\n", what, why);
    exit(2);
}

static uint8_t *whole_file(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0)
        fail(path, "cannot be read");
    long size = ftell(file);
    uint8_t *bytes = malloc((size_t)size);
    rewind(file);
    if (bytes == NULL || fread(bytes, 1, (size_t)size, file) != (size_t)size)
        fail(path, "cannot be read");
    fclose(file);
    *length = (size_t)size;
    return bytes;
}

static work load(const char *path)
{
    size_t length;
    const uint8_t *bytes = whole_file(path, &length);
    work w = {0};
    uint32_t head[3];
    memcpy(head, bytes, sizeof head);
    memcpy(w.kind, bytes + 12, 16);
    w.all.items = head[0], w.answer_bytes = head[1], w.divisor = head[2];
    w.all.offsets = (const uint32_t *)(const void *)(bytes + 28);
    w.all.id_lengths = bytes + 28 + 4 * (w.all.items + 1);
    w.answer = w.all.id_lengths + w.all.items;
    const uint8_t *data = w.answer + w.answer_bytes;
    size_t left = length - (size_t)(data - bytes);
    uint8_t *aligned = aligned_alloc(64, left / 64 * 64 + 64);
    if (aligned == NULL)
        fail(path, "no memory");
    w.all.data = memcpy(aligned, data, left);
    w.all.more = w.all.data + w.all.offsets[w.all.items];
    return w;
}

static entrant opened(const contender *can, const char *path, char *tier)
{
    entrant e = {.tier = tier, .can = can};
    e.name = can == NULL ? NULL : can->open();
    if (e.name == NULL)
        fail(path, "does not open");
    if (tier != NULL && can->choose(tier) != 0)
        fail(tier, "this processor does not run the tier, or its self-test failed");
    return e;
}

/* "path.so@tier"; each in a name space of its own, so that two versions of a library, and two tiers of ours, do not
 * meet. Gives one entrant, or two where the adapter has a second way. */
static size_t enter(char *argument, entrant found[2])
{
    char *at = strchr(argument, '@');
    if (at != NULL)
        *at = '\0';
    void *loaded = dlmopen(LM_ID_NEWLM, argument, RTLD_NOW | RTLD_LOCAL);
    if (loaded == NULL)
        fail(argument, dlerror());
    found[0] = opened(dlsym(loaded, "CONTENDER"), argument, at == NULL ? NULL : at + 1);
    const contender *batched = dlsym(loaded, "BATCHED");
    if (batched == NULL)
        return 1;
    found[1] = opened(batched, argument, NULL);
    return 2;
}

static run_job *function_for(const contender *can, const char *kind)
{
    for (const ability *one = can->can; one->kind != NULL; one++)
        if (strcmp(one->kind, kind) == 0)
            return one->run;
    return NULL;
}

/* The portable tier and the peers take a part of the items: enough for as much time. */
static job share_of(const work *w, const entrant *e)
{
    job mine = w->all;
    if (e->tier == NULL || strncmp(e->tier, "portable", 8) == 0)
        mine.items /= w->divisor;
    return mine;
}

static void run(const entrant *e, const work *w, uint8_t *answer)
{
    const job mine = share_of(w, e);
    function_for(e->can, w->kind)(&mine, answer);
}

static void prove(const entrant *e, const work *w, uint8_t *answer)
{
    size_t bytes = w->answer_bytes / w->all.items * share_of(w, e).items;
    bytes = w->answer_bytes < w->all.items ? w->answer_bytes : bytes;
    memset(answer, 0xEE, w->answer_bytes);
    run(e, w, answer);
    if (memcmp(answer, w->answer, bytes) != 0) {
        fprintf(stderr, "driver: %s %s: wrong answer in %s\n", e->name, e->tier ? e->tier : "", w->kind);
        exit(3);
    }
}

/* Core cycles of one run. */
static double timed(const entrant *e, const work *w, uint8_t *answer)
{
    run(e, w, answer);
    uint64_t t0 = ticks();
    chain(ADDITIONS);
    uint64_t t1 = ticks();
    run(e, w, answer);
    uint64_t t2 = ticks();
    chain(ADDITIONS);
    uint64_t t3 = ticks();
    double cycles_per_tick = 2.0 * ADDITIONS / (double)((t1 - t0) + (t3 - t2));
    return (double)(t2 - t1) * cycles_per_tick;
}

static void measure(const char *path, entrant *entrants, size_t count, size_t laps)
{
    const work w = load(path);
    uint8_t *answer = malloc(w.answer_bytes);
    double *cycles = calloc(laps * count, sizeof *cycles);
    if (answer == NULL || cycles == NULL)
        fail(path, "no memory");
    for (size_t i = 0; i < count; i++)
        if (function_for(entrants[i].can, w.kind) != NULL)
            prove(&entrants[i], &w, answer);
    for (size_t lap = 0; lap < laps; lap++)
        for (size_t i = 0; i < count; i++)
            if (function_for(entrants[i].can, w.kind) != NULL)
                cycles[i * laps + lap] = timed(&entrants[i], &w, answer);
    for (size_t i = 0; i < count; i++) {
        if (function_for(entrants[i].can, w.kind) == NULL)
            continue;
        size_t items = share_of(&w, &entrants[i]).items;
        printf("%s\t%s%s%s\t%zu\t", path, entrants[i].name, entrants[i].tier ? "@" : "",
               entrants[i].tier ? entrants[i].tier : "", items);
        for (size_t lap = 0; lap < laps; lap++)
            printf("%.3f ", cycles[i * laps + lap] / (double)items);
        printf("\n");
    }
    free(answer), free(cycles);
}

static int once(char **arguments)
{
    const work w = load(arguments[0]);
    entrant found[2];
    enter(arguments[1], found);
    const entrant e = found[0];
    uint8_t *answer = malloc(w.answer_bytes);
    if (answer == NULL)
        fail(arguments[0], "no memory");
    prove(&e, &w, answer);
    printf("%zu\n", share_of(&w, &e).items);
    return 0;
}

static int tiers(char *path)
{
    entrant found[2];
    enter(path, found);
    const entrant e = found[0];
    for (size_t i = 0; e.can->tier(i) != NULL; i++)
        printf("%s\n", e.can->tier(i));
    return 0;
}

/* Core cycles a second, now. */
static double clock_hz(void)
{
    struct timespec start, end;
    double fastest = 0;
    for (int i = 0; i < 50; i++) {
        clock_gettime(CLOCK_MONOTONIC, &start);
        chain(100 * ADDITIONS);
        clock_gettime(CLOCK_MONOTONIC, &end);
        double seconds = (double)(end.tv_sec - start.tv_sec) + 1e-9 * (double)(end.tv_nsec - start.tv_nsec);
        double hertz = 100.0 * ADDITIONS / seconds;
        fastest = hertz > fastest ? hertz : fastest;
    }
    return fastest;
}

int main(int count, char **arguments)
{
    if (count == 3 && strcmp(arguments[1], "tiers") == 0)
        return tiers(arguments[2]);
    if (count == 4 && strcmp(arguments[1], "once") == 0)
        return once(arguments + 2);
    if (count < 6 || strcmp(arguments[1], "measure") != 0)
        fail("usage", "driver tiers | measure | once: see the head of driver.c");
    entrant entrants[MOST];
    size_t entered = 0;
    int jobs = 3;
    while (jobs < count && strcmp(arguments[jobs], "--") != 0)
        jobs++;
    for (int i = jobs + 1; i < count && entered + 2 <= MOST; i++)
        entered += enter(arguments[i], entrants + entered);
    printf("%.0f\n", clock_hz());
    for (int i = 3; i < jobs; i++)
        measure(arguments[i], entrants, entered, strtoul(arguments[2], NULL, 10));
    return 0;
}
