/* base45_avx2_body.h: base45 in and out, eight groups (16 bytes, 24 characters) a vector. Needs AVX2, which every x86 tier
 * has; define ISA(name), include hex_avx2_body.h before.
 *
 * Four groups stand in each half of a vector. The second half is loaded and stored four characters early, over the end of
 * the first, so that nothing behind the text is touched. */
#define AS_HALVES(p) _mm256_inserti128_si256(_mm256_castsi128_si256(half_at(p)), half_at((p) + 8), 1)

static inline __m128i half_at(const uint8_t *text)
{
    return _mm_loadu_si128((const __m128i *)(const void *)text);
}

/* Characters by their high half: 2 " $%*+-./", 3 "0" to ":", 4 "A" to "O", 5 "P" to "Z". */
enum { SIGN = 1, NUMERAL = 2, FIRST = 4, SECOND = 2 /* has the low halves of NUMERAL */ };

static inline __m256i is_base45(__m256i text)
{
    const __m256i low = TWICE(SIGN | NUMERAL, 6, 6, 6, 7, 7, 6, 6, 6, 6, 7, 5, 4, 5, 5, 5);
    const __m256i high = TWICE(0, 0, SIGN, NUMERAL, FIRST, SECOND, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    return _mm256_and_si256(_mm256_shuffle_epi8(low, text), _mm256_shuffle_epi8(high, high_halves(text)));
}

/* 0 to 44 of characters of the alphabet. */
static inline __m256i base45_values(__m256i text)
{
    const __m256i less = TWICE(0, 0, 0, -0x30, 10 - 'A', 10 - 'A', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    const __m256i signs = TWICE(36, 0, 0, 0, 37, 38, 0, 0, 0, 0, 39, 40, 0, 41, 42, 43);
    __m256i value = _mm256_add_epi8(text, _mm256_shuffle_epi8(less, high_halves(text)));
    __m256i colon = _mm256_cmpeq_epi8(text, _mm256_set1_epi8(':'));
    value = _mm256_add_epi8(value, _mm256_and_si256(colon, _mm256_set1_epi8(44 - 10)));
    __m256i is_sign = _mm256_cmpgt_epi8(_mm256_set1_epi8(0x30), text);
    return _mm256_blendv_epi8(value, _mm256_shuffle_epi8(signs, text), is_sign);
}

/* What was met: 0 in a byte of `flags` for a character that is none, a bit over 15 in `groups` for a group that is none. */
typedef struct {
    __m256i flags, groups;
} base45_seen;

static inline __m128i decode_eight(const uint8_t *text, base45_seen *seen)
{
    const __m256i spread = _mm256_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1, /* */
                                            4, 5, 6, -1, 7, 8, 9, -1, 10, 11, 12, -1, 13, 14, 15, -1);
    const __m256i bytes = TWICE(1, 0, 5, 4, 9, 8, 13, 12, -1, -1, -1, -1, -1, -1, -1, -1);
    __m256i characters = AS_HALVES(text);
    seen->flags = _mm256_min_epu8(seen->flags, is_base45(characters));
    __m256i value = _mm256_shuffle_epi8(base45_values(characters), spread);
    value = _mm256_maddubs_epi16(value, _mm256_set1_epi32(0x002D2D01)); /* a + 45·b, 45·c */
    value = _mm256_madd_epi16(value, _mm256_set1_epi32(0x002D0001));    /* a + 45·b + 2025·c */
    seen->groups = _mm256_or_si256(seen->groups, value);
    return _mm256_castsi256_si128(_mm256_permute4x64_epi64(_mm256_shuffle_epi8(value, bytes), 0x08));
}

static inline int all_base45(const base45_seen *seen)
{
    return all_set(seen->flags) & _mm256_testz_si256(seen->groups, _mm256_set1_epi32(-0x10000));
}

static inline void store_half(__m128i half, uint8_t *to)
{
    _mm_storeu_si128((__m128i *)(void *)to, half);
}

int ISA(ehc_base45_decode)(const uint8_t *text, size_t n, uint8_t *data)
{
    base45_seen seen = {_mm256_set1_epi8(-1), _mm256_setzero_si256()};
    for (; n >= 8; n -= 8, text += 24, data += 16)
        store_half(decode_eight(text, &seen), data);
    return all_base45(&seen) & ehc_base45_decode_portable(text, n, data);
}

void ISA(ehc_compact_scan)(const uint8_t *data, const uint32_t *offsets, size_t n, uint8_t *messages, uint8_t *aliases,
                           uint8_t *macs, uint8_t *compact)
{
    for (size_t i = 0; i < n; i++) {
        const uint8_t *text = data + offsets[i];
        base45_seen seen = {_mm256_set1_epi8(-1), _mm256_setzero_si256()};
        compact[i] = (uint64_t)offsets[i + 1] - offsets[i] == EHC_COMPACT_LENGTH && memcmp(text, "EHC2:", 5) == 0;
        if (!compact[i])
            continue;
        store_half(decode_eight(text + 5, &seen), messages + 32 * i);
        __m128i alias = decode_eight(text + 29, &seen);
        store_half(alias, messages + 32 * i + 16);
        store_half(alias, aliases + 16 * i);
        store_half(decode_eight(text + 53, &seen), macs + 16 * i);
        compact[i] = (uint8_t)all_base45(&seen);
    }
}

static inline __m256i base45_characters(__m256i value)
{
    const __m256i signs = TWICE(' ', '$', '%', '*', '+', '-', '.', '/', ':', 0, 0, 0, 0, 0, 0, 0);
    __m256i letter = _mm256_cmpgt_epi8(value, _mm256_set1_epi8(9)),
            sign = _mm256_cmpgt_epi8(value, _mm256_set1_epi8(35));
    __m256i text = _mm256_add_epi8(value, _mm256_set1_epi8('0'));
    text = _mm256_add_epi8(text, _mm256_and_si256(letter, _mm256_set1_epi8('A' - 10 - '0')));
    return _mm256_blendv_epi8(text, _mm256_shuffle_epi8(signs, _mm256_sub_epi8(value, _mm256_set1_epi8(36))), sign);
}

/* Eight groups; 46604 / 2^21 and 1457 / 2^16 stand for 1 / 45: exact up to 65535 and up to 1456. */
static inline void encode_eight(const uint8_t *data, uint8_t *text)
{
    const __m256i pairs = _mm256_setr_epi8(0, 1, -1, 2, 3, -1, 4, 5, -1, 6, 7, -1, 8, 9, -1, 10, /* */
                                           -1, 6, 7, -1, 8, 9, -1, 10, 11, -1, 12, 13, -1, 14, 15, -1);
    const __m256i thirds = _mm256_setr_epi8(-1, -1, 0, -1, -1, 2, -1, -1, 4, -1, -1, 6, -1, -1, 8, -1, /* */
                                            4, -1, -1, 6, -1, -1, 8, -1, -1, 10, -1, -1, 12, -1, -1, 14);
    const __m128i turned = _mm_setr_epi8(1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14), by = _mm_set1_epi16(45);
    __m128i group = _mm_shuffle_epi8(half_at(data), turned);
    __m128i high = _mm_srli_epi16(_mm_mulhi_epu16(group, _mm_set1_epi16((short)46604)), 5);
    __m128i c = _mm_mulhi_epu16(high, _mm_set1_epi16(1457));
    __m128i a = _mm_sub_epi16(group, _mm_mullo_epi16(high, by)), b = _mm_sub_epi16(high, _mm_mullo_epi16(c, by));
    __m256i ab = _mm256_broadcastsi128_si256(_mm_or_si128(a, _mm_slli_epi16(b, 8)));
    __m256i value =
        _mm256_or_si256(_mm256_shuffle_epi8(ab, pairs), _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(c), thirds));
    __m256i characters = base45_characters(value);
    store_half(_mm256_castsi256_si128(characters), text);
    store_half(_mm256_extracti128_si256(characters, 1), text + 8);
}

void ISA(ehc_base45_encode)(const uint8_t *data, size_t n, uint8_t *text)
{
    for (; n >= 8; n -= 8, data += 16, text += 24)
        encode_eight(data, text);
    ehc_base45_encode_portable(data, n, text);
}

void ISA(ehc_compact_write)(const uint8_t *messages, const uint8_t *macs, size_t n, uint8_t *texts)
{
    for (size_t i = 0; i < n; i++, messages += 32, macs += 32, texts += EHC_COMPACT_LENGTH) {
        memcpy(texts, "EHC2:", 5);
        encode_eight(messages, texts + 5);
        encode_eight(messages + 16, texts + 29);
        encode_eight(macs, texts + 53);
    }
}
