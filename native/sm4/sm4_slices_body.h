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

static inline vec s_box(vec x)
{
    return _mm256_shuffle_epi8(aes_last_round(x), ROTATE_0);
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

/* The S-box of slice k of x1 + x2 + x3 + key. */
static inline __attribute__((always_inline)) vec into_s_box(const vec *x1, const vec *x2, const vec *x3, four_keys keys,
                                                            int k)
{
    return s_box(v_xor(v_xor(x1[k], keys.load(keys.at, k)), v_xor(x2[k], x3[k])));
}

/* x0 + T, GB/T 32907 6.2, of what came out of the S-box. With B those bytes, byte k of L(B) is R(B_k) + P(B_k+3) + Q(B_0 +
 * B_1 + B_2 + B_3), where Q rotates a byte by two, P = 1 + <<2, R = 1 + >>6 and Q = P + R; so the last term is the sum
 * over k of the first two. The next four vectors, x1 to x3, go through the S-box meanwhile, and take the place of b. */
static inline __attribute__((always_inline)) void sm4_step(vec b[4], vec x0[4], const vec *x1, const vec *x2,
                                                           const vec *x3, four_keys keys)
{
    const vec r_low = POST_R_LOW, r_high = POST_R_HIGH, p_low = POST_P_LOW, p_high = POST_P_HIGH;
    vec next[4], r[4], p[4];
#pragma GCC unroll 4
    for (int k = 0; k < 4; k++) {
        next[k] = into_s_box(x1, x2, x3, keys, k);
        IN_ORDER(next[k]);
        nibbles z = split(b[k]);
        r[k] = look_up(z, r_low, r_high);
        p[k] = look_up(z, p_low, p_high);
        IN_ORDER(r[k]);
        IN_ORDER(p[k]);
    }
    for (int k = 0; k < 4; k++)
        r[k] = v_xor(r[k], p[(k + 3) % 4]);
    vec sum = v_xor(v_xor(r[0], r[1]), v_xor(r[2], r[3]));
    for (int k = 0; k < 4; k++)
        x0[k] = v_xor(v_xor(x0[k], r[k]), sum), b[k] = next[k];
}

/* All rounds of n vectors, KEY(i, q) being the keys of vectors q to q + 3 in round i. Four vectors go through the S-box
 * while the four before them go through L, in this round or the next, so that nothing waits for AESENCLAST. Loops stay
 * loops: unrolled, the steps of a derivation push each other out of the operation cache. */
#define SM4_ROUNDS(x, KEY, n)                                                                                  \
    vec *x0 = (x)[0], *x1 = (x)[1], *x2 = (x)[2], *x3 = (x)[3], b[4];                                          \
    for (int k = 0; k < 4; k++)                                                                                \
        b[k] = into_s_box(x1, x2, x3, KEY(0, 0), k);                                                           \
    for (int i = 0; i < 32; i++) {                                                                             \
        _Pragma("GCC unroll 1") for (int q = 4; q < (n); q += 4)                                               \
            sm4_step(b, x0 + q - 4, x1 + q, x2 + q, x3 + q, KEY(i, q));                                        \
        sm4_step(b, x0 + (n) - 4, x2, x3, x0, KEY((i + 1) % 32, 0)); /* the last round's S-box is of no use */ \
        vec *first = x0;                                                                                       \
        x0 = x1, x1 = x2, x2 = x3, x3 = first;                                                                 \
    }

static inline void sm4_rounds_one_key(const sm4_uniform_key round_keys[32], vec x[4][STREAMS])
{
#define KEY(i, q) ((four_keys){&round_keys[i], shared_key})
    SM4_ROUNDS(x, KEY, STREAMS)
#undef KEY
}

/* Two blocks of every row, words 0 to 3 and 4 to 7, encrypted under the row's key in place: twice the vectors in flight. */
static inline void sm4_encrypt_pairs(const vec (*round_keys)[STREAMS], vec rows[STREAMS][8])
{
    enum { N = 2 * STREAMS };
    vec x[4][N];
#pragma GCC unroll 1
    for (int s = 0; s < STREAMS; s++)
        for (int w = 0; w < 4; w++)
            x[w][s] = rows[s][w], x[w][STREAMS + s] = rows[s][4 + w];
    enter_word(x[0], 4 * N);
#define KEY(i, q) ((four_keys){&round_keys[i][(q) % STREAMS], own_key})
    SM4_ROUNDS(x, KEY, N)
#undef KEY
    leave_word(x[0], 4 * N);
#pragma GCC unroll 1
    for (int s = 0; s < STREAMS; s++)
        for (int w = 0; w < 4; w++)
            rows[s][w] = x[3 - w][s], rows[s][4 + w] = x[3 - w][STREAMS + s];
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

/* The same of the key schedule: k0 + T' of what came out of the S-box, 7.3, is the round key. L'(B) = B + B<<<13 + B<<<23; byte
 * k of it is M_0(B_k) + M_1(B_k+1) + M_2(B_k+2) + M_3(B_k+3) with M_0 = 1, M_1 = <<5, M_2 = >>3 + <<7, M_3 = >>1; taking
 * M_1 of the sum of all four bytes leaves three maps of each byte. */
static inline __attribute__((always_inline)) void key_step(vec b[4], const vec k0[4], vec round_key[4], const vec *k1,
                                                           const vec *k2, const vec *k3,
                                                           const sm4_uniform_key *constant)
{
    vec out[4], sum = v_xor(v_xor(b[0], b[1]), v_xor(b[2], b[3]));
    sum = look_up(split(sum), KEY_SUM_LOW, KEY_SUM_HIGH);
    for (int k = 0; k < 4; k++)
        out[k] = v_xor(k0[k], sum);
#pragma GCC unroll 4
    for (int k = 0; k < 4; k++) {
        nibbles z = split(b[k]);
        vec *m0 = &out[k], *m3 = &out[(k + 1) % 4], *m2 = &out[(k + 2) % 4];
        *m0 = v_xor(*m0, look_up(z, KEY_0_LOW, KEY_0_HIGH));
        *m2 = v_xor(*m2, look_up(z, KEY_2_LOW, KEY_2_HIGH));
        *m3 = v_xor(*m3, look_up(z, KEY_3_LOW, KEY_3_HIGH));
        IN_ORDER(*m0);
        IN_ORDER(*m2);
        IN_ORDER(*m3);
    }
    for (int k = 0; k < 4; k++)
        round_key[k] = out[k];
    for (int k = 0; k < 4; k++) {
        b[k] = into_s_box(k1, k2, k3, (four_keys){constant, shared_key}, k);
        IN_ORDER(b[k]);
    }
}

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
    vec b[4];
    for (int j = 0; j < 4; j++)
        b[j] = into_s_box(k1, k2, k3, (four_keys){&constants[0], shared_key}, j);
    for (int i = 0; i < 32; i++) {
        vec *out = round_keys[i];
#pragma GCC unroll 1
        for (int q = 4; q < STREAMS; q += 4)
            key_step(b, k0 + q - 4, out + q - 4, k1 + q, k2 + q, k3 + q, &constants[i]);
        key_step(b, k0 + STREAMS - 4, out + STREAMS - 4, k2, k3, out, &constants[(i + 1) % 32]);
        k0 = k1, k1 = k2, k2 = k3, k3 = out;
    }
}
