/* test_claims.c: sets of taken codes: who has what, full runs, and processes that want the same codes at once. */
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>
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

/* A clock interrupts claims of a code with claims of the same code, between any two instructions. */
static uint64_t *interrupted_slots;
static volatile uint64_t interrupted_code;
static volatile sig_atomic_t interruptions;
static uint32_t wins, payments;
static uint64_t bucket;

static int use_once(void)
{
    CHECK(ehc_rate_take(&bucket, 0, 3, UINT64_MAX) == 0);
    ehc_add_one(&payments);
    int taken = ehc_claim(interrupted_slots, BITS, interrupted_code, 0, USES);
    if (taken == EHC_CLAIM_WON)
        ehc_add_one(&wins);
    return taken;
}

static void interrupt(int signal)
{
    (void)signal;
    interruptions++;
    use_once();
}

/* No use is lost or counted twice: USES of each code, no more, no fewer. */
static void check_interrupted_uses(void)
{
    const struct itimerval often = {{0, 50}, {0, 50}}, never = {{0, 0}, {0, 0}};
    struct sigaction action, before;
    uint32_t codes = 0;
    memset(&action, 0, sizeof action);
    action.sa_handler = interrupt;
    interrupted_slots = room();
    interrupted_code = 0x9E3779B97F4A7C15; /* before the clock starts: it would use the code of the tier before */
    interruptions = 0;
    wins = payments = 0;
    bucket = 0;
    CHECK(sigaction(SIGALRM, &action, &before) == 0 && setitimer(ITIMER_REAL, &often, NULL) == 0);
    for (; interruptions < 200; codes++) {
        interrupted_code = 0x9E3779B97F4A7C15 * (codes + 1);
        while (use_once() == EHC_CLAIM_WON)
            continue;
    }
    CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0 && sigaction(SIGALRM, &before, NULL) == 0);
    CHECK(wins == codes * USES);
    CHECK(bucket == 3 * (uint64_t)payments);
    leave(interrupted_slots);
}

static void check_rate(void)
{
    uint64_t *slots = room(), *word = ehc_slot(slots, BITS, 5);
    CHECK(word == slots + 2 * 5 + 1 && ehc_slot(slots, BITS, 5) == word && ehc_slot(slots, BITS, 6) != word);
    CHECK(ehc_rate_take(word, 1000, 10, 20) == 0); /* 10 a request, three at once */
    CHECK(ehc_rate_take(word, 1000, 10, 20) == 0 && ehc_rate_take(word, 1000, 10, 20) == 0);
    CHECK(ehc_rate_take(word, 1000, 10, 20) == 10 && *word == 1030);
    CHECK(ehc_rate_take(word, 1003, 10, 20) == 7);
    CHECK(ehc_rate_take(word, 1010, 10, 20) == 0);
    ehc_rate_give_back(word, 10);
    CHECK(ehc_rate_take(word, 1010, 10, 20) == 0);
    CHECK(ehc_rate_take(word, 1010, 1000, UINT64_MAX) == 0 && ehc_rate_take(word, 1010, 10, 20) == 1010);
    CHECK(ehc_rate_take(word, 9000, 10, 20) == 0 && *word == 9010); /* a rest fills it, and no further */
    leave(slots);
}

void test_claims(void)
{
    check_one_code();
    check_runs();
    check_rate();
    check_race();
    check_interrupted_uses();
}
