/* sm_ni_in_c.h: the five SM3 and SM4 instructions of x86-64 in plain C, after the "Operation" sections of Intel's Software
 * Developer's Manual, volume 2 (VSM3MSG1, VSM3MSG2, VSM3RNDS2, VSM4KEY4, VSM4RNDS4). An operand is its doublewords, the
 * lowest first. For tests: the S-box is a table. */
#ifndef EHC_SM_NI_IN_C_H
#define EHC_SM_NI_IN_C_H

#include <stdint.h>
#include <string.h>

#include "kernels.h" /* ehc_sm4_sbox */

static inline uint32_t rol32_of_intel(uint32_t x, unsigned n)
{
    n %= 32;
    return n == 0 ? x : x << n | x >> (32 - n);
}

/* d: W7..W10, a: W13..W15, b: W0..W3. W16 is not there yet, so the last element lacks it. */
static inline void sm3msg1_in_c(uint32_t d[4], const uint32_t a[4], const uint32_t b[4])
{
    for (int i = 0; i < 4; i++) {
        uint32_t t = d[i] ^ b[i] ^ (i < 3 ? rol32_of_intel(a[i], 15) : 0);
        d[i] = t ^ rol32_of_intel(t, 15) ^ rol32_of_intel(t, 23);
    }
}

/* d: what VSM3MSG1 gave, a: W3..W6, b: W10..W13; W16..W19 come out. */
static inline void sm3msg2_in_c(uint32_t d[4], const uint32_t a[4], const uint32_t b[4])
{
    for (int i = 0; i < 4; i++)
        d[i] ^= rol32_of_intel(a[i], 7) ^ b[i];
    d[3] ^= rol32_of_intel(d[0], 6) ^ rol32_of_intel(d[0], 15) ^ rol32_of_intel(d[0], 30);
}

static inline uint32_t ff_of_intel(uint32_t x, uint32_t y, uint32_t z, unsigned round)
{
    return round < 16 ? x ^ y ^ z : (x & y) | (x & z) | (y & z);
}

static inline uint32_t gg_of_intel(uint32_t x, uint32_t y, uint32_t z, unsigned round)
{
    return round < 16 ? x ^ y ^ z : (x & y) | (~x & z);
}

/* d: C, D, G, H before their rotations (from the highest doubleword down), abef likewise A, B, E, F. */
static inline void sm3rnds2_in_c(uint32_t d[4], const uint32_t abef[4], const uint32_t words[4], unsigned imm8)
{
    uint32_t A[3] = {abef[3]}, B[3] = {abef[2]}, C[3] = {rol32_of_intel(d[3], 9)}, D[3] = {rol32_of_intel(d[2], 9)};
    uint32_t E[3] = {abef[1]}, F[3] = {abef[0]}, G[3] = {rol32_of_intel(d[1], 19)}, H[3] = {rol32_of_intel(d[0], 19)};
    unsigned round = imm8 & 0x3E;
    uint32_t constant = rol32_of_intel(round < 16 ? 0x79CC4519u : 0x7A879D8Au, round);
    for (int i = 0; i < 2; i++) {
        uint32_t s1 = rol32_of_intel(rol32_of_intel(A[i], 12) + E[i] + constant, 7);
        uint32_t s2 = s1 ^ rol32_of_intel(A[i], 12);
        uint32_t t1 = ff_of_intel(A[i], B[i], C[i], round) + D[i] + s2 + (words[i] ^ words[i + 2]);
        uint32_t t2 = gg_of_intel(E[i], F[i], G[i], round) + H[i] + s1 + words[i];
        D[i + 1] = C[i];
        C[i + 1] = rol32_of_intel(B[i], 9);
        B[i + 1] = A[i];
        A[i + 1] = t1;
        H[i + 1] = G[i];
        G[i + 1] = rol32_of_intel(F[i], 19);
        F[i + 1] = E[i];
        E[i + 1] = t2 ^ rol32_of_intel(t2, 9) ^ rol32_of_intel(t2, 17);
        constant = rol32_of_intel(constant, 1);
    }
    d[3] = A[2], d[2] = B[2], d[1] = E[2], d[0] = F[2];
}

static inline uint32_t lower_t_of_intel(uint32_t x)
{
    const uint8_t *s = ehc_sm4_sbox;
    return (uint32_t)s[x >> 24] << 24 | (uint32_t)s[x >> 16 & 255] << 16 | (uint32_t)s[x >> 8 & 255] << 8 | s[x & 255];
}

/* Four rounds of a block p (first source) with the keys or constants of the second source. */
static inline void sm4rnds4_in_c(uint32_t p[4], const uint32_t keys[4])
{
    for (int i = 0; i < 4; i++) {
        uint32_t t = lower_t_of_intel(p[(i + 1) % 4] ^ p[(i + 2) % 4] ^ p[(i + 3) % 4] ^ keys[i]);
        p[i] ^= t ^ rol32_of_intel(t, 2) ^ rol32_of_intel(t, 10) ^ rol32_of_intel(t, 18) ^ rol32_of_intel(t, 24);
    }
}

static inline void sm4key4_in_c(uint32_t p[4], const uint32_t constants[4])
{
    for (int i = 0; i < 4; i++) {
        uint32_t t = lower_t_of_intel(p[(i + 1) % 4] ^ p[(i + 2) % 4] ^ p[(i + 3) % 4] ^ constants[i]);
        p[i] ^= t ^ rol32_of_intel(t, 13) ^ rol32_of_intel(t, 23);
    }
}

#endif
