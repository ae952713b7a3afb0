/* lanes_portable_ct.h: thirty-two 32-bit lanes in plain C, bit by bit. Included by the x32_portable_ct kernels only.
 *
 * A vector holds one 32-bit word of thirty-two independent rows, as eight slices: element e of slice k holds bit k of
 * byte e of all the words, a row a bit. A slice is a gcc/clang vector of four integers, which every processor has in
 * some form. There are only logic, shifts by constants and moves of whole elements: no branch and no address depends
 * on a datum, so this tier is constant time by construction on any machine. */
#ifndef EHC_LANES_PORTABLE_CT_H
#define EHC_LANES_PORTABLE_CT_H

#include "base.h"

enum { LANES = 32 };
typedef uint32_t slice __attribute__((vector_size(16)));
typedef struct {
    slice bit[8];
} vec;

/* Elements a, b, c, d of x ‖ y. */
#if defined(__clang__) || __GNUC__ >= 12
#define ELEMENTS(x, y, a, b, c, d) __builtin_shufflevector(x, y, a, b, c, d)
#else
#define ELEMENTS(x, y, a, b, c, d) __builtin_shuffle(x, y, (slice){a, b, c, d})
#endif

/* `body` for k = 0..7, written out by the compiler, so that bits are registers and not an array. */
#define EACH_BIT(body) _Pragma("GCC unroll 8") for (int k = 0; k < 8; k++) body

static inline vec v_xor(vec a, vec b)
{
    EACH_BIT(a.bit[k] ^= b.bit[k];)
    return a;
}

static inline vec v_not(vec a)
{
    EACH_BIT(a.bit[k] = ~a.bit[k];)
    return a;
}

static inline vec v_majority(vec x, vec y, vec z)
{
    EACH_BIT(x.bit[k] = (x.bit[k] & y.bit[k]) | (z.bit[k] & (x.bit[k] | y.bit[k]));)
    return x;
}

static inline vec v_choose(vec x, vec y, vec z)
{
    EACH_BIT(x.bit[k] = ((y.bit[k] ^ z.bit[k]) & x.bit[k]) ^ z.bit[k];)
    return x;
}

/* The same word in every lane. */
static inline vec v_set(uint32_t x)
{
    const slice bytes = {x, x >> 8, x >> 16, x >> 24};
    vec r;
    EACH_BIT(r.bit[k] = -(bytes >> k & 1);)
    return r;
}

static inline uint32_t v_first(vec a)
{
    uint32_t x = 0;
    for (int i = 0; i < 32; i++)
        x |= (a.bit[i % 8][i / 8] & 1) << i;
    return x;
}

/* Every byte of the words to the place `bytes` higher, the top ones to the bottom. */
static inline slice turn(slice x, int bytes)
{
    switch (bytes % 4) {
    case 1:
        return ELEMENTS(x, x, 3, 0, 1, 2);
    case 2:
        return ELEMENTS(x, x, 2, 3, 0, 1);
    case 3:
        return ELEMENTS(x, x, 1, 2, 3, 0);
    default:
        return x;
    }
}

/* Every byte one place higher, nothing below. */
static inline slice raise(slice x)
{
    const slice zero = {0};
    return ELEMENTS(x, zero, 4, 0, 1, 2);
}

/* A rotation moves no bits: it renames them, and turns bytes. */
static inline __attribute__((always_inline)) vec v_rotl(vec x, int n)
{
    vec r;
    EACH_BIT(r.bit[k] = turn(x.bit[(k - n) & 7], (n - k + 7) / 8);)
    return r;
}

#define v_rotl8(x) v_rotl(x, 8)

/* Addition: each byte alone, then the carries between bytes (a byte of ones passes one on), then they are added. */
static inline vec v_add(vec a, vec b)
{
    vec sum;
    slice carry = {0}, ones = ~carry;
    EACH_BIT({
        slice half = a.bit[k] ^ b.bit[k];
        sum.bit[k] = half ^ carry;
        carry = (a.bit[k] & b.bit[k]) | (half & carry);
        ones &= sum.bit[k];
    })
    carry = raise(carry);
    carry |= raise(ones & carry);
    carry |= raise(ones & carry);
    EACH_BIT({
        slice next = sum.bit[k] & carry;
        sum.bit[k] ^= carry;
        carry = next;
    })
    return sum;
}

/* ---- the S-box: GB/T 32907 6.2 a) is A·inv(A·x + C) + C over GF(2)[x]/0x1F5. The inverse is taken in the isomorphic
 * field GF(16)[Y]/(Y² + Y + 9), GF(16) = GF(2)[z]/(z⁴ + z + 1) (derived in tests/native/test_tower.py). ---- */

typedef struct {
    slice bit[4];
} nibble; /* an element of GF(16) in every byte of every lane */

static inline nibble add16(nibble a, nibble b)
{
    for (int k = 0; k < 4; k++)
        a.bit[k] ^= b.bit[k];
    return a;
}

static inline nibble multiply16(nibble x, nibble y)
{
    const slice *a = x.bit, *b = y.bit;
    slice z4 = (a[1] & b[3]) ^ (a[2] & b[2]) ^ (a[3] & b[1]);
    slice z5 = (a[2] & b[3]) ^ (a[3] & b[2]);
    slice z6 = a[3] & b[3];
    return (nibble){{(a[0] & b[0]) ^ z4, (a[0] & b[1]) ^ (a[1] & b[0]) ^ z4 ^ z5,
                     (a[0] & b[2]) ^ (a[1] & b[1]) ^ (a[2] & b[0]) ^ z5 ^ z6,
                     (a[0] & b[3]) ^ (a[1] & b[2]) ^ (a[2] & b[1]) ^ (a[3] & b[0]) ^ z6}};
}

/* 9·a². */
static inline nibble square_times_9(nibble a)
{
    return (nibble){{a.bit[0], a.bit[1] ^ a.bit[3], a.bit[3], a.bit[0] ^ a.bit[2]}};
}

/* The algebraic normal form of the inverse; 0 goes to 0. */
static inline nibble invert16(nibble x)
{
    const slice a = x.bit[0], b = x.bit[1], c = x.bit[2], d = x.bit[3];
    const slice ab = a & b, ac = a & c, bc = b & c, ad = a & d, bd = b & d, bcd = bc & d;
    return (nibble){{a ^ b ^ c ^ d ^ ac ^ bc ^ (ab & c) ^ bcd, d ^ ab ^ ac ^ bc ^ bd ^ (ab & d),
                     c ^ d ^ ab ^ ac ^ ad ^ (ac & d), b ^ c ^ d ^ ad ^ bd ^ (c & d) ^ bcd}};
}

/* Bit k of the image is the parity of the byte and row k of the matrix, plus bit k of the constant. */
static inline __attribute__((always_inline)) vec affine(vec x, const uint8_t rows[8], uint8_t constant)
{
    vec r;
    EACH_BIT({
        r.bit[k] = (slice){0} - ((uint32_t)constant >> k & 1u);
        _Pragma("GCC unroll 8") for (int i = 0; i < 8; i++)
        {
            if (rows[k] >> i & 1)
                r.bit[k] ^= x.bit[i];
        }
    })
    return r;
}

static const uint8_t INTO_TOWER[8] = {0xF0, 0x72, 0xD6, 0x18, 0x93, 0x40, 0xC4, 0x7F};
static const uint8_t OUT_OF_TOWER[8] = {0x33, 0x65, 0x14, 0xB5, 0x8A, 0x2A, 0x07, 0x29};
enum { INTO_TOWER_CONSTANT = 0xAF, OUT_OF_TOWER_CONSTANT = 0xD3 };

/* (a·Y + b)⁻¹ = (a·Y + a + b) / (9·a² + b·(a + b)). */
static vec sbox(vec x)
{
    vec t = affine(x, INTO_TOWER, INTO_TOWER_CONSTANT);
    nibble a = {{t.bit[4], t.bit[5], t.bit[6], t.bit[7]}}, b = {{t.bit[0], t.bit[1], t.bit[2], t.bit[3]}};
    nibble sum = add16(a, b);
    nibble divisor = invert16(add16(square_times_9(a), multiply16(b, sum)));
    nibble high = multiply16(a, divisor), low = multiply16(sum, divisor);
    for (int k = 0; k < 4; k++)
        t.bit[k] = low.bit[k], t.bit[k + 4] = high.bit[k];
    return affine(t, OUT_OF_TOWER, OUT_OF_TOWER_CONSTANT);
}

/* Words stay in the field of SM4. */
#define sm4_enter(x) (x)
#define sm4_leave(x) (x)
#define sm4_enter_key(x) (x)
#define sm4_leave_key(x) (x)

/* T and T' of GB/T 32907 6.2 and 7.3. */
static inline vec sm4_t(vec x)
{
    vec b = sbox(x);
    return v_xor(v_xor(v_xor(b, v_rotl(b, 2)), v_xor(v_rotl(b, 10), v_rotl(b, 18))), v_rotl(b, 24));
}

static inline vec sm4_t_key(vec x)
{
    vec b = sbox(x);
    return v_xor(b, v_xor(v_rotl(b, 13), v_rotl(b, 23)));
}

/* ---- rows into lanes ----
 * Row r = s + 8·q lies in slice s as byte q of each element; three exchanges of bits between slices make bit k of the
 * rows slice k. The same three lead back. */
static void exchange(vec *x, int distance, uint32_t mask)
{
    for (int i = 0; i < 8; i++) {
        if (i & distance)
            continue;
        slice t = (x->bit[i] >> distance ^ x->bit[i + distance]) & mask;
        x->bit[i + distance] ^= t;
        x->bit[i] ^= t << distance;
    }
}

static inline void transpose(vec *x)
{
    exchange(x, 1, 0x55555555);
    exchange(x, 2, 0x33333333);
    exchange(x, 4, 0x0F0F0F0F);
}

/* The big-endian words at words[0], words[stride], …: byte e of significance goes to element e. */
static inline vec gather(const uint8_t *words, size_t stride)
{
    uint8_t bytes[8][4][4];
    vec x;
    for (size_t row = 0; row < LANES; row++)
        for (size_t i = 0; i < 4; i++)
            bytes[row % 8][3 - i][row / 8] = words[row * stride + i];
    memcpy(&x, bytes, sizeof x);
    transpose(&x);
    return x;
}

static inline void scatter(vec x, uint8_t *const rows[LANES], size_t offset)
{
    uint8_t bytes[8][4][4];
    transpose(&x);
    memcpy(bytes, &x, sizeof x);
    for (size_t row = 0; row < LANES; row++)
        for (size_t i = 0; i < 4; i++)
            rows[row][offset + i] = bytes[row % 8][3 - i][row / 8];
}

/* The words of the lanes, in the machine's order of bytes. */
static inline void v_store_words(vec x, uint32_t to[LANES])
{
    uint8_t words[LANES][4], *rows[LANES];
    for (size_t row = 0; row < LANES; row++)
        rows[row] = words[row];
    scatter(x, rows, 0);
    for (size_t row = 0; row < LANES; row++)
        to[row] = load32(words[row]);
}
#define v_store_words v_store_words

/* Words 0..7 (big-endian, 32 bytes) of LANES rows that lie `stride` bytes apart, into w[word], lane = row. */
static inline void v_load_rows(const uint8_t *rows, size_t stride, vec w[8])
{
    for (size_t i = 0; i < 8; i++)
        w[i] = gather(rows + 4 * i, stride);
}

/* The way back, row by row to its own place. */
static inline void v_store_rows(const vec w[8], uint8_t *const rows[LANES])
{
    for (size_t i = 0; i < 8; i++)
        scatter(w[i], rows, 4 * i);
}

/* 32 bytes of `from` where `keep` is all ones, zero where it is zero. */
static inline void v_stage32(uint8_t *to, const uint8_t *from, const uint8_t *keep)
{
    for (size_t i = 0; i < 32; i++)
        to[i] = from[i] & keep[i];
}

/* Words 0..3 of LANES 16-byte blocks in a row, and back. */
static inline void v_load_blocks(const uint8_t *blocks, vec w[4])
{
    for (size_t i = 0; i < 4; i++)
        w[i] = gather(blocks + 4 * i, 16);
}

static inline void v_store_blocks(const vec w[4], uint8_t *blocks)
{
    uint8_t *rows[LANES];
    for (size_t row = 0; row < LANES; row++)
        rows[row] = blocks + 16 * row;
    for (size_t i = 0; i < 4; i++)
        scatter(w[i], rows, 4 * i);
}

#endif
