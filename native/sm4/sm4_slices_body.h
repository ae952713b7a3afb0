/* sm4_slices_body.h: SM4 with the four bytes of a word in four vectors, for AVX2. Include lanes_avx2.h first; define
 * STREAMS, a multiple of four.
 *
 * A slice is one byte of 32 blocks. x[w][4q + b] is byte b (the highest first) of word w of the blocks in streams 4q to
 * 4q + 3, inside the AES field. So the rotations of L and L' by whole bytes cost nothing, only the names of vectors
 * change: 17 operations a round and vector where words in lanes take 22 (sm4_lanes_body.h). */
#if STREAMS % 4 != 0
#error "four streams make the slices of a word"
#endif
#define EHC_SM4_STATE

/* A round key, or constant of the schedule, that all rows share: each byte four times, so that a load broadcasts it.
 * As vectors the keys and constants would take 8 KiB of L1, which is full without them. */
typedef struct {
    uint32_t byte[4];
} sm4_uniform_key;

/* 4×4 transpose of the 32-bit words of each half; its own inverse. */
static inline void turn(vec r[4])
{
    vec a = _mm256_unpacklo_epi32(r[0], r[1]), b = _mm256_unpackhi_epi32(r[0], r[1]);
    vec c = _mm256_unpacklo_epi32(r[2], r[3]), d = _mm256_unpackhi_epi32(r[2], r[3]);
    r[0] = _mm256_unpacklo_epi64(a, c), r[1] = _mm256_unpackhi_epi64(a, c);
    r[2] = _mm256_unpacklo_epi64(b, d), r[3] = _mm256_unpackhi_epi64(b, d);
}

/* Byte b of four words side by side; its own inverse. */
#define GATHER_BYTES REPEAT16(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15)

/* Four vectors of one word each into its four slices: first the bytes of a half side by side, highest first. */
static inline void slice(vec r[4])
{
    for (int i = 0; i < 4; i++)
        r[i] = _mm256_shuffle_epi8(r[i], REPEAT16(3, 7, 11, 15, 2, 6, 10, 14, 1, 5, 9, 13, 0, 4, 8, 12));
    turn(r);
}

static inline void unslice(vec r[4])
{
    turn(r);
    for (int i = 0; i < 4; i++)
        r[i] = _mm256_shuffle_epi8(r[i], REPEAT16(12, 8, 4, 0, 13, 9, 5, 1, 14, 10, 6, 2, 15, 11, 7, 3));
}

/* Word w of the blocks in `streams` streams. */
static inline void enter_word(vec *word, int streams)
{
#pragma GCC unroll 1
    for (int q = 0; q < streams; q += 4) {
        slice(word + q);
        for (int s = q; s < q + 4; s++)
            word[s] = sm4_enter(word[s]);
    }
}

static inline void leave_word(vec *word, int streams)
{
#pragma GCC unroll 1
    for (int q = 0; q < streams; q += 4) {
        for (int s = q; s < q + 4; s++)
            word[s] = sm4_leave(word[s]);
        unslice(word + q);
    }
}

static inline void sm4_enter_state(vec x[4][STREAMS])
{
    enter_word(x[0], 4 * STREAMS);
}

/* The blocks of four streams, 512 bytes in a row: a vector of two at a time, so which block has which lane is nobody's
 * business but that of sm4_store_state. */
static inline void sm4_load_state(const uint8_t *blocks, vec x[4][STREAMS])
{
    for (int q = 0; q < STREAMS; q += 4) {
        vec r[4][4];
        for (int g = 0; g < 4; g++) {
            for (int i = 0; i < 4; i++)
                r[g][i] = _mm256_loadu_si256((const __m256i *)(const void *)(blocks + 128 * (q + g) + 32 * i));
            turn(r[g]);
        }
        for (int w = 0; w < 4; w++) {
            vec word[4];
            for (int g = 0; g < 4; g++) /* its bytes side by side, in the order of memory: the highest first */
                word[g] = _mm256_shuffle_epi8(r[g][w], GATHER_BYTES);
            turn(word);
            for (int b = 0; b < 4; b++)
                x[w][q + b] = sm4_enter(word[b]);
        }
    }
}

/* The way back, last word first, as the cipher ends (GB/T 32907 6.1). */
static inline void sm4_store_state(vec x[4][STREAMS], uint8_t *blocks)
{
    for (int q = 0; q < STREAMS; q += 4) {
        vec r[4][4];
        for (int w = 0; w < 4; w++) {
            vec word[4];
            for (int b = 0; b < 4; b++)
                word[b] = sm4_leave(x[3 - w][q + b]);
            turn(word);
            for (int g = 0; g < 4; g++)
                r[g][w] = _mm256_shuffle_epi8(word[g], GATHER_BYTES);
        }
        for (int g = 0; g < 4; g++) {
            turn(r[g]);
            for (int i = 0; i < 4; i++)
                _mm256_storeu_si256((__m256i *)(void *)(blocks + 128 * (q + g) + 32 * i), r[g][i]);
        }
    }
}

/* A round key of four vectors, and how to load one of them: each row's own, or one that all rows share. */
typedef struct {
    const void *at;
    vec (*load)(const void *at, int k);
} four_keys;

static inline vec own_key(const void *at, int k)
{
    return ((const vec *)at)[k];
}

static inline vec shared_key(const void *at, int k)
{
    return v_set(((const sm4_uniform_key *)at)->byte[k]);
}

/* Tables that stay in registers: gcc would load a constant where it is used. Out of the S-box a byte comes with its low
 * nibble inverted, since the mask of nibbles is AESENCLAST's key, so tables of low nibbles run backwards. */
#define REVERSED(table) _mm256_shuffle_epi8(table, REPEAT16(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0))

#define IN_REGISTER(v, table) \
    vec v = table;            \
    IN_ORDER(v)

/* The two steps below are single operations, each held to its place. Which order is fast was found by search, some 2,000
 * and 800 of them measured, since an operation gets its pipe when it is dispatched. Slice k of the next four vectors, x1 +
 * x2 + x3 + key, goes through the S-box meanwhile and takes the place of b[k] in the end. */
#define PUT(v, x) \
    v = x;        \
    IN_ORDER(v)
#define NEXT(k) PUT(next[k], v_xor(x2[k], x3[k]))
#define KEYED(k) PUT(keyed[k], v_xor(keys.load(keys.at, k), x1[k]))
#define JOIN(k) PUT(next[k], v_xor(next[k], keyed[k]))
#define AES(k) PUT(next[k], aes_last_round_key(next[k], t->mask))
#define BACK(k) PUT(boxed[k], _mm256_shuffle_epi8(next[k], ROTATE_0))
#define LOW(k) PUT(low[k], _mm256_and_si256(b[k], t->mask))
#define SHIFT(k) PUT(high[k], _mm256_srli_epi32(b[k], 4))
#define HIGH(k) PUT(high[k], _mm256_and_si256(high[k], t->mask))

static inline vec first_s_box(const vec *x1, const vec *x2, const vec *x3, four_keys keys, int k, vec mask)
{
    vec sum = v_xor(v_xor(x1[k], keys.load(keys.at, k)), v_xor(x2[k], x3[k]));
    return _mm256_shuffle_epi8(aes_last_round_key(sum, mask), ROTATE_0);
}

/* x0 + T, GB/T 32907 6.2, of what came out of the S-box. With B those bytes, byte k of L(B) is R(B_k) + P(B_k+3) + Q(B_0 +
 * B_1 + B_2 + B_3), where Q rotates a byte by two, P = 1 + <<2, R = 1 + >>6 and Q = P + R; so the last term is the sum
 * over k of the first two. */
#define R_LOW(k) PUT(r[k], _mm256_shuffle_epi8(t->r_low, low[k]))
#define R_HIGH(k) PUT(r_high[k], _mm256_shuffle_epi8(t->r_high, high[k]))
#define R(k) PUT(r[k], v_xor(r[k], r_high[k]))
#define P_LOW(k) PUT(p[k], _mm256_shuffle_epi8(t->p_low, low[k]))
#define P_HIGH(k) PUT(p_high[k], _mm256_shuffle_epi8(t->p_high, high[k]))
#define P(k) PUT(p[k], v_xor(p[k], p_high[k]))
#define BOTH(k) PUT(r[k], v_xor(r[k], p[((k) + 3) % 4]))
#define SUM_01 PUT(sum, v_xor(r[0], r[1]))
#define SUM_23 PUT(sum_23, v_xor(r[2], r[3]))
#define SUM PUT(sum, v_xor(sum, sum_23))
#define INTO(k) PUT(p[((k) + 3) % 4], v_xor(r[k], x0[k]))
#define OUT(k)                                           \
    PUT(p[((k) + 3) % 4], v_xor(p[((k) + 3) % 4], sum)); \
    x0[k] = p[((k) + 3) % 4]

typedef struct {
    vec mask, r_low, r_high, p_low, p_high;
} l_tables;

static inline l_tables l_tables_held(void)
{
    IN_REGISTER(mask, _mm256_set1_epi8(15));
    IN_REGISTER(r_low, REVERSED(POST_R_LOW));
    IN_REGISTER(r_high, POST_R_HIGH);
    IN_REGISTER(p_low, REVERSED(POST_P_LOW));
    IN_REGISTER(p_high, POST_P_HIGH);
    return (l_tables){mask, r_low, r_high, p_low, p_high};
}

static inline __attribute__((always_inline)) void sm4_step(const l_tables *t, vec b[4], vec x0[4], const vec *x1,
                                                           const vec *x2, const vec *x3, four_keys keys)
{
    vec next[4], keyed[4], low[4], high[4], r[4], r_high[4], p[4], p_high[4], boxed[4], sum, sum_23;
    /* the order was searched; where lines break says nothing */
    /* clang-format off */
    SHIFT(0); LOW(0); KEYED(0); P_LOW(0); HIGH(0); R_LOW(0); NEXT(0); P_HIGH(0); R_HIGH(0); JOIN(0); R(0);
    SHIFT(1); P(0); SHIFT(2); LOW(1); R_LOW(1); AES(0); HIGH(1); KEYED(1); P_LOW(1); LOW(2); P_HIGH(1);
    R_HIGH(1); R_LOW(2); HIGH(2); R(1); P_LOW(2); NEXT(1); P(1); JOIN(1); R_HIGH(2); SHIFT(3); P_HIGH(2);
    BACK(0); AES(1); BOTH(1); R(2); INTO(1); HIGH(3); LOW(3); BOTH(2); KEYED(2); NEXT(2); JOIN(2); P(2);
    P_LOW(3); R_LOW(3); R_HIGH(3); P_HIGH(3); P(3); INTO(2); R(3); AES(2); BOTH(0); BACK(1); KEYED(3); BOTH(3);
    INTO(0); SUM_01; INTO(3); SUM_23; NEXT(3); SUM; JOIN(3); AES(3); OUT(1); OUT(0); OUT(2); BACK(2); OUT(3);
    BACK(3);
    /* clang-format on */
    for (int k = 0; k < 4; k++)
        b[k] = boxed[k];
}

#undef SUM_01
#undef SUM_23
#undef SUM
#undef INTO
#undef OUT

/* All rounds of n vectors, KEY(i, q) being the keys of vectors q to q + 3 in round i. Four vectors go through the S-box
 * while the four before them go through L, in this round or the next, so that nothing waits for AESENCLAST. Loops stay
 * loops: unrolled, the steps of a derivation push each other out of the operation cache. */
#define SM4_ROUNDS(x, KEY, n)                                                                              \
    const l_tables t = l_tables_held();                                                                    \
    vec *x0 = (x)[0], *x1 = (x)[1], *x2 = (x)[2], *x3 = (x)[3], b[4];                                      \
    for (int k = 0; k < 4; k++)                                                                            \
        b[k] = first_s_box(x1, x2, x3, KEY(0, 0), k, t.mask);                                              \
    for (int i = 0; i < 32; i++) {                                                                         \
        _Pragma("GCC unroll 1") for (int q = 4; q < (n); q += 4)                                           \
            sm4_step(&t, b, x0 + q - 4, x1 + q, x2 + q, x3 + q, KEY(i, q));                                \
        sm4_step(&t, b, x0 + (n) - 4, x2, x3, x0, KEY((i + 1) % 32, 0)); /* the last S-box is of no use */ \
        vec *first = x0;                                                                                   \
        x0 = x1, x1 = x2, x2 = x3, x3 = first;                                                             \
    }

static inline void sm4_rounds_one_key(const sm4_uniform_key round_keys[32], vec x[4][STREAMS])
{
#define KEY(i, q) ((four_keys){&round_keys[i], shared_key})
    SM4_ROUNDS(x, KEY, STREAMS)
#undef KEY
}

/* Two blocks of every row, words 0 to 3 and 4 to 7, encrypted under the row's key in place: twice the vectors in flight,
 * the second blocks of four streams behind their first. */
static inline void sm4_encrypt_pairs(const vec (*round_keys)[STREAMS], vec rows[STREAMS][8])
{
    enum { N = 2 * STREAMS };
    vec x[4][N];
#pragma GCC unroll 1
    for (int s = 0; s < STREAMS; s++)
        for (int w = 0; w < 4; w++)
            x[w][s + s / 4 * 4] = rows[s][w], x[w][s + s / 4 * 4 + 4] = rows[s][4 + w];
    enter_word(x[0], 4 * N);
#define KEY(i, q) ((four_keys){&round_keys[i][(q) / 8 * 4], own_key})
    SM4_ROUNDS(x, KEY, N)
#undef KEY
    leave_word(x[0], 4 * N);
#pragma GCC unroll 1
    for (int s = 0; s < STREAMS; s++)
        for (int w = 0; w < 4; w++)
            rows[s][w] = x[3 - w][s + s / 4 * 4], rows[s][4 + w] = x[3 - w][s + s / 4 * 4 + 4];
}

/* Byte b (the highest first) of every word in all lanes. */
static inline void broadcast_bytes(const vec words[4], sm4_uniform_key out[32])
{
    uint8_t bytes[4 * 32];
    memcpy(bytes, words, sizeof bytes);
    for (int i = 0; i < 32; i++)
        for (int b = 0; b < 4; b++)
            out[i].byte[b] = bytes[4 * i + 3 - b] * 0x01010101u;
    ehc_wipe(bytes, sizeof bytes);
}

static inline void sm4_broadcast_keys(const uint32_t round_keys[32], sm4_uniform_key out[32])
{
    vec words[4];
    memcpy(words, round_keys, sizeof words);
    for (int i = 0; i < 4; i++)
        words[i] = sm4_enter_key(words[i]);
    broadcast_bytes(words, out);
}

static inline void sm4_broadcast_constants(sm4_uniform_key out[32])
{
    vec words[4];
    memcpy(words, SM4_CK, sizeof words);
    for (int i = 0; i < 4; i++)
        words[i] = sm4_enter(words[i]);
    broadcast_bytes(words, out);
}

/* The same of the key schedule: x0 + T' of what came out of the S-box, 7.3, is the round key. L'(B) = B + B<<<13 + B<<<23;
 * byte k of it is M_0(B_k) + M_1(B_k+1) + M_2(B_k+2) + M_3(B_k+3) with M_0 = 1, M_1 = <<5, M_2 = >>3 + <<7, M_3 = >>1; taking
 * M_1 of the sum of all four bytes, whose nibbles are as they are, leaves three maps of each byte. */
#define M0_LOW(k) PUT(m0[k], _mm256_shuffle_epi8(t->low0, low[k]))
#define M0_HIGH(k) PUT(m0_high[k], _mm256_shuffle_epi8(t->high0, high[k]))
#define M0(k) PUT(m0[k], v_xor(m0[k], m0_high[k]))
#define M2_LOW(k) PUT(m2[k], _mm256_shuffle_epi8(t->low2, low[k]))
#define M2_HIGH(k) PUT(m2_high[k], _mm256_shuffle_epi8(t->high2, high[k]))
#define M2(k) PUT(m2[k], v_xor(m2[k], m2_high[k]))
#define M3_LOW(k) PUT(m3[k], _mm256_shuffle_epi8(t->low3, low[k]))
#define M3_HIGH(k) PUT(m3_high[k], _mm256_shuffle_epi8(t->high3, high[k]))
#define M3(k) PUT(m3[k], v_xor(m3[k], m3_high[k]))
#define SUM_01 PUT(sum, v_xor(b[0], b[1]))
#define SUM_23 PUT(m1, v_xor(b[2], b[3]))
#define SUM PUT(sum, v_xor(sum, m1))
#define SUM_LOW PUT(m1, _mm256_and_si256(sum, t->mask))
#define SUM_SHIFT PUT(sum, _mm256_srli_epi32(sum, 4))
#define SUM_HIGH PUT(sum, _mm256_and_si256(sum, t->mask))
#define M1_LOW PUT(m1, _mm256_shuffle_epi8(KEY_SUM_LOW, m1))
#define M1_HIGH PUT(sum, _mm256_shuffle_epi8(KEY_SUM_HIGH, sum))
#define M1 PUT(sum, v_xor(sum, m1))
#define INTO(k) PUT(out[k], v_xor(sum, x0[k]))
#define ADD_M0(k) PUT(out[k], v_xor(out[k], m0[k]))
#define ADD_M3(k) PUT(out[k], v_xor(out[k], m3[((k) + 3) % 4]))
#define OUT(k)                                     \
    PUT(out[k], v_xor(out[k], m2[((k) + 2) % 4])); \
    round_key[k] = out[k]

typedef struct {
    vec mask, low0, high0, low2, high2, low3, high3;
} key_tables;

static inline key_tables key_tables_held(void)
{
    IN_REGISTER(mask, _mm256_set1_epi8(15));
    IN_REGISTER(low0, REVERSED(KEY_0_LOW));
    IN_REGISTER(high0, KEY_0_HIGH);
    IN_REGISTER(low2, REVERSED(KEY_2_LOW));
    IN_REGISTER(high2, KEY_2_HIGH);
    IN_REGISTER(low3, REVERSED(KEY_3_LOW));
    IN_REGISTER(high3, KEY_3_HIGH);
    return (key_tables){mask, low0, high0, low2, high2, low3, high3};
}

static inline __attribute__((always_inline)) void key_step(const key_tables *t, vec b[4], const vec x0[4],
                                                           vec round_key[4], const vec *x1, const vec *x2,
                                                           const vec *x3, four_keys keys)
{
    vec next[4], keyed[4], low[4], high[4], boxed[4], out[4], sum, m1;
    vec m0[4], m0_high[4], m2[4], m2_high[4], m3[4], m3_high[4];
    /* the order was searched; where lines break says nothing */
    /* clang-format off */
    SHIFT(0); LOW(0); M0_LOW(0); HIGH(0); M0_HIGH(0); M2_LOW(0); M0(0); M2_HIGH(0); M3_LOW(0); M2(0); SHIFT(1);
    LOW(1); M3_HIGH(0); HIGH(1); M0_LOW(1); SUM_01; SUM_23; M3(0); M0_HIGH(1); M2_LOW(1); SUM; M0(1); SUM_LOW;
    SUM_SHIFT; M2_HIGH(1); KEYED(0); NEXT(0); JOIN(0); SUM_HIGH; M3_LOW(1); M2(1); LOW(2); M2_LOW(2); SHIFT(2);
    M3_HIGH(1); M1_HIGH; HIGH(2); M1_LOW; M0_LOW(2); M1; M3(1); AES(0); M0_HIGH(2); INTO(2); INTO(3); INTO(1);
    M0(2); ADD_M0(1); M2_HIGH(2); ADD_M0(2); INTO(0); SHIFT(3); ADD_M3(1); ADD_M0(0); NEXT(1); KEYED(1); M2(2);
    HIGH(3); LOW(3); M3_LOW(2); ADD_M3(2); BACK(0); M3_HIGH(2); JOIN(1); OUT(2); M0_LOW(3); M3_LOW(3); M3(2);
    M0_HIGH(3); M2_LOW(3); AES(1); M0(3); M2_HIGH(3); ADD_M0(3); M2(3); M3_HIGH(3); ADD_M3(3); KEYED(2); OUT(1);
    NEXT(2); BACK(1); JOIN(2); OUT(3); M3(3); AES(2); ADD_M3(0); NEXT(3); OUT(0); KEYED(3); JOIN(3); AES(3);
    BACK(2); BACK(3);
    /* clang-format on */
    for (int k = 0; k < 4; k++)
        b[k] = boxed[k];
}

#undef NEXT
#undef KEYED
#undef JOIN
#undef AES
#undef BACK
#undef LOW
#undef SHIFT
#undef HIGH
#undef R
#undef P
#undef INTO
#undef OUT

/* The key schedule of LANES·STREAMS keys at once. k[w] is word w of the keys, entered without PRE's constant;
 * destroyed. */
static inline void sm4_expand_lanes(const sm4_uniform_key constants[32], vec k[4][STREAMS], vec (*round_keys)[STREAMS])
{
    /* FK of 7.3, byte by byte: sm4_enter_key of it */
    static const uint8_t FK[4][4] = {
        {0xA4, 0x48, 0x6B, 0x46}, {0x92, 0xB7, 0x70, 0x27}, {0xEC, 0x9F, 0x66, 0xD3}, {0xF4, 0x09, 0x20, 0x35}};
    for (int w = 0; w < 4; w++)
        for (int s = 0; s < STREAMS; s++)
            k[w][s] = v_xor(k[w][s], _mm256_set1_epi8((char)FK[w][s % 4]));
    const vec *k0 = k[0], *k1 = k[1], *k2 = k[2], *k3 = k[3];
    const key_tables t = key_tables_held();
    vec b[4];
#define CONSTANT(i) ((four_keys){&constants[i], shared_key})
    for (int j = 0; j < 4; j++)
        b[j] = first_s_box(k1, k2, k3, CONSTANT(0), j, t.mask);
    for (int i = 0; i < 32; i++) {
        vec *out = round_keys[i];
#pragma GCC unroll 1
        for (int q = 4; q < STREAMS; q += 4)
            key_step(&t, b, k0 + q - 4, out + q - 4, k1 + q, k2 + q, k3 + q, CONSTANT(i));
        key_step(&t, b, k0 + STREAMS - 4, out + STREAMS - 4, k2, k3, out, CONSTANT((i + 1) % 32));
        k0 = k1, k1 = k2, k2 = k3, k3 = out;
    }
#undef CONSTANT
}
