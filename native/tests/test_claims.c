/* test_claims.c: sets of taken codes: who has what, full runs, and processes that want the same codes at once. */
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

enum { BITS = 12, CODES = 3000, RACERS = 4, USES = 20000 };

static uint64_t *room(void)
{
    size_t bytes = (size_t)16 << BITS;
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED);
    return memory;
}

static void leave(uint64_t *slots)
{
    munmap(slots, (size_t)16 << BITS);
}

static void check_one_code(void)
{
    uint64_t *slots = room(), holder = 0;
    CHECK(ehc_claim_holder(slots, BITS, 77, &holder) == EHC_CLAIM_NONE);
    CHECK(ehc_claim(slots, BITS, 77, 5, 1) == EHC_CLAIM_WON);
    CHECK(ehc_claim(slots, BITS, 77, 5, 1) == EHC_CLAIM_AGAIN);
    CHECK(ehc_claim(slots, BITS, 77, 6, 1) == EHC_CLAIM_LOST);
    CHECK(ehc_claim(slots, BITS, 77, 0, 1) == EHC_CLAIM_LOST);
    CHECK(ehc_claim_holder(slots, BITS, 77, &holder) == EHC_CLAIM_LOST && holder == 5);
    CHECK(ehc_claim(slots, BITS, 77, 6, 2) == EHC_CLAIM_WON); /* where a code serves twice */
    CHECK(ehc_claim(slots, BITS, 77, 7, 2) == EHC_CLAIM_LOST);
    CHECK(ehc_claim(slots, BITS, 78, 0, 1) == EHC_CLAIM_WON); /* nobody in particular is nobody again */
    CHECK(ehc_claim(slots, BITS, 78, 0, 1) == EHC_CLAIM_LOST);
    CHECK(ehc_claim_set(slots, BITS, 77, EHC_HOLDER_REVOKED) == EHC_CLAIM_WON);
    CHECK(ehc_claim(slots, BITS, 77, 6, 9) == EHC_CLAIM_REVOKED);
    leave(slots);
}

/* Codes of one run: the one too many finds no slot, and a code that was killed between its two words is still to be had. */
static void check_runs(void)
{
    uint64_t *slots = room(), run = (uint64_t)1 << BITS, holder, n = 0;
    while (ehc_claim(slots, BITS, (n + 1) * run, 1, 1) == EHC_CLAIM_WON)
        n++;
    CHECK(n == 64);
    CHECK(ehc_claim(slots, BITS, (n + 1) * run, 1, 1) == EHC_CLAIM_FULL);
    CHECK(ehc_claim_set(slots, BITS, (n + 1) * run, 1) == EHC_CLAIM_FULL);
    CHECK(ehc_claim_holder(slots, BITS, (n + 1) * run, &holder) == EHC_CLAIM_FULL);
    CHECK(ehc_claim(slots, BITS, n * run, 2, 1) == EHC_CLAIM_LOST);
    slots[1] = 0;
    CHECK(ehc_claim_holder(slots, BITS, run, &holder) == EHC_CLAIM_NONE);
    CHECK(ehc_claim(slots, BITS, run, 2, 1) == EHC_CLAIM_WON);
    leave(slots);
}

/* Every process claims all codes, each in its own order: every code is won once. */
static void check_race(void)
{
    uint64_t *slots = room();
    uint32_t *won = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (uint64_t racer = 0; racer < RACERS; racer++)
        if (fork() == 0) {
            for (uint64_t i = 0; i < CODES; i++) {
                uint64_t code = 1 + (i * (2 * racer + 1)) % CODES;
                if (ehc_claim(slots, BITS, code * 0x9E3779B97F4A7C15, racer + 1, 1) == EHC_CLAIM_WON)
                    ehc_add_one(won);
            }
            _exit(0);
        }
    for (int racer = 0; racer < RACERS; racer++) {
        int status = 1;
        CHECK(wait(&status) > 0 && status == 0);
    }
    CHECK(*won == CODES);
    munmap(won, 4096);
    leave(slots);
}

static void *use_often(void *slots)
{
    for (size_t i = 0; i < USES; i++)
        if (ehc_claim(slots, BITS, 77, 0, 2 * USES) != EHC_CLAIM_WON)
            return slots;
    return NULL;
}

/* No use is lost or counted twice when two take the same code over and over. */
static void check_uses_are_counted_in_a_race(void)
{
    uint64_t *slots = room();
    pthread_t other;
    CHECK(pthread_create(&other, NULL, use_often, slots) == 0);
    CHECK(use_often(slots) == NULL);
    void *lost = slots;
    CHECK(pthread_join(other, &lost) == 0 && lost == NULL);
    CHECK(ehc_claim(slots, BITS, 77, 0, 2 * USES) == EHC_CLAIM_LOST);
    CHECK(ehc_claim(slots, BITS, 77, 0, 2 * USES + 1) == EHC_CLAIM_WON);
    leave(slots);
}

void test_claims(void)
{
    check_one_code();
    check_runs();
    check_race();
    check_uses_are_counted_in_a_race();
}
