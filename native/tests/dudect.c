/* dudect.c: does the time depend on the secret? After Reparaz, Balasch and Verbauwhede, "dude, is my code constant
 * time?" (DATE 2017): a call is timed on inputs of two classes, mixed at random; Welch's t compares the classes' times.
 *
 *     dudect SUBJECT TIER SAMPLES        prints "subject tier samples t"
 *
 * t is the largest in size of 102 tests, as in the authors' program: all times; the times under each of 100 thresholds
 * (percentiles 1 - 2^(-k/10), k = 1..100, which crops the noise of interrupts step by step); and the squared distances
 * from the median. |t| under 4.5 is no evidence of a difference. Thresholds and median come from a first batch of
 * times, which is not counted. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <x86intrin.h>

#include "ehc.h"

enum { BATCH = 50000, INPUT = 128, CROPS = 100 };

static uint64_t random_state = 0x9E3779B97F4A7C15;

static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static void fill_random(uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i += 8) {
        uint64_t word = next_random();
        memcpy(bytes + i, &word, n - i < 8 ? n - i : 8);
    }
}

/* ---- subjects: what is fixed in class 0 is random in class 1 ---- */

static ehc_sm4_key key;
static uint8_t secret[32], plain[16], out[32];
static volatile int verdict;

static void random_bytes(uint8_t *input, int class)
{
    if (class == 0)
        memset(input, 0x5A, 32);
    else
        fill_random(input, 32);
}

static void sm4_key(const uint8_t *input)
{
    ehc_sm4_set_key(&key, input);
    ehc_sm4_encrypt(&key, plain, out, 1);
}

static void sm4_block(const uint8_t *input)
{
    ehc_sm4_encrypt(&key, input, out, 1);
}

static void hmac(const uint8_t *input)
{
    ehc_hmac_sm3(input, 32, plain, sizeof plain, out);
}

/* Class 0 equals the secret, class 1 differs from it, mostly in the first byte. */
static void same_or_random(uint8_t *input, int class)
{
    if (class == 0)
        memcpy(input, secret, 32);
    else
        fill_random(input, 32);
}

static void equal(const uint8_t *input)
{
    verdict = ehc_equal(input, secret, 32);
}

static void leak(const uint8_t *input)
{
    size_t i = 0;
    while (i < 32 && input[i] == secret[i])
        i++;
    verdict = i == 32;
}

enum { TEXT = 99 };

static uint8_t bcd_under(unsigned bound)
{
    unsigned value = (unsigned)(next_random() >> 32) % bound;
    return (uint8_t)(value / 10 << 4 | value % 10);
}

/* Both classes are forged and look alike in the text, which is public and which the parser may branch on. Class 0 decrypts
 * to a right time and one wrong byte at the very end of the padding, class 1 to noise: a check that stops at the first
 * wrong byte, or reads a time before it has judged all, tells them apart. */
static void forged_code(uint8_t *input, int class)
{
    uint8_t block[16];
    fill_random(block, sizeof block);
    if (class == 0) {
        const uint8_t right[15] = {0x20, bcd_under(100), 0x10, 0x17, bcd_under(24), bcd_under(60), bcd_under(60)};
        memcpy(block, right, sizeof right);
        block[15] |= 1;
    }
    ehc_sm4_encrypt(&key, block, block, 1);
    memset(input, '7', 64);
    memcpy(input + 64, ":0:", 3);
    ehc_hex(block, sizeof block, input + 67);
}

static void token(const uint8_t *input)
{
    static const ehc_window WINDOW = {.now = 1516161003, .tolerance = 60, .validity = 300};
    ehc_checked checked;
    verdict = ehc_check_token(&key, input, TEXT, &WINDOW, &checked);
}

typedef struct {
    const char *name;
    void (*prepare)(uint8_t *input, int class);
    void (*run)(const uint8_t *input);
} subject;

static const subject SUBJECTS[] = {
    {"sm4_key", random_bytes, sm4_key}, {"sm4_block", random_bytes, sm4_block}, {"hmac", random_bytes, hmac},
    {"equal", same_or_random, equal},   {"token", forged_code, token},          {"leak", same_or_random, leak},
};

/* ---- measurement ---- */

static uint8_t inputs[BATCH][INPUT], classes[BATCH];
static uint64_t times[BATCH];

static uint64_t now(void)
{
    _mm_lfence();
    uint64_t t = __rdtsc();
    _mm_lfence();
    return t;
}

/* Inputs of both classes are written alike before anything is timed. */
static void measure(const subject *s)
{
    for (size_t i = 0; i < BATCH; i++) {
        classes[i] = (uint8_t)(next_random() >> 40 & 1);
        s->prepare(inputs[i], classes[i]);
    }
    for (size_t i = 0; i < BATCH; i++) {
        uint64_t start = now();
        s->run(inputs[i]);
        times[i] = now() - start;
    }
}

/* ---- statistics ---- */

typedef struct {
    double n, sum, squares;
} moments;

/* Times by class and by the number of thresholds at or under them: test k holds the buckets 0..k. */
static moments buckets[CROPS + 1][2], centred[2];
static uint64_t thresholds[CROPS];
static double pivot; /* sums are taken around the pivot, so that squares keep their digits */

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void calibrate(void)
{
    static uint64_t sorted[BATCH];
    memcpy(sorted, times, sizeof times);
    qsort(sorted, BATCH, sizeof sorted[0], compare);
    for (size_t k = 0; k < CROPS; k++)
        thresholds[k] = sorted[(size_t)((1 - pow(0.5, 10.0 * (double)(k + 1) / CROPS)) * (BATCH - 1))];
    pivot = (double)sorted[BATCH / 2];
}

static void count(moments *m, double x)
{
    m->n++;
    m->sum += x;
    m->squares += x * x;
}

static size_t bucket_of(uint64_t time)
{
    size_t low = 0, high = CROPS;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (thresholds[middle] <= time)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void collect(void)
{
    for (size_t i = 0; i < BATCH; i++) {
        double x = (double)times[i], distance = x - pivot;
        count(&buckets[bucket_of(times[i])][classes[i]], x - pivot);
        count(&centred[classes[i]], distance * distance);
    }
}

static double variance(const moments *m)
{
    return (m->squares - m->sum * m->sum / m->n) / (m->n - 1);
}

/* 0 where one class has too few times to say anything, as in the authors' program. */
static double welch(const moments m[2])
{
    if (m[0].n < 10000 || m[1].n < 10000)
        return 0;
    double error = sqrt(variance(&m[0]) / m[0].n + variance(&m[1]) / m[1].n);
    double difference = m[0].sum / m[0].n - m[1].sum / m[1].n;
    return error > 0 ? difference / error : difference != 0 ? INFINITY : 0;
}

static void add(moments *to, const moments *m)
{
    to->n += m->n;
    to->sum += m->sum;
    to->squares += m->squares;
}

static double largest_t(void)
{
    moments cropped[2] = {{0}};
    double largest = welch(centred);
    for (size_t k = 0; k <= CROPS; k++) {
        for (size_t class = 0; class < 2; class ++)
            add(&cropped[class], &buckets[k][class]);
        double t = welch(cropped);
        largest = fabs(t) > fabs(largest) ? t : largest;
    }
    return largest;
}

static const subject *find(const char *name)
{
    for (size_t i = 0; i < sizeof SUBJECTS / sizeof SUBJECTS[0]; i++)
        if (strcmp(SUBJECTS[i].name, name) == 0)
            return &SUBJECTS[i];
    return NULL;
}

int main(int argc, char **argv)
{
    const subject *s = argc == 4 ? find(argv[1]) : NULL;
    size_t samples = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
    if (s == NULL || samples < BATCH || ehc_init(argv[2]) != EHC_OK) {
        fprintf(stderr, "usage: %s sm4_key|sm4_block|hmac|equal|token|leak TIER SAMPLES (at least %d)\n", argv[0],
                BATCH);
        return 2;
    }
    fill_random(secret, sizeof secret);
    ehc_sm4_set_key(&key, secret);
    measure(s);
    calibrate();
    for (size_t taken = 0; taken < samples; taken += BATCH) {
        measure(s);
        collect();
    }
    printf("%s %s %zu %.2f\n", s->name, argv[2], samples, largest_t());
    return 0;
}
