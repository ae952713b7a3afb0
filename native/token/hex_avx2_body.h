/* hex_avx2_body.h: hex in and out and the scan of canonical payloads, 32 characters a vector. Needs AVX2, which every
 * x86 tier has; define ISA(name).
 *
 * A character is a digit when the flags of its high and of its low half have a bit in common: DECIMAL (0x30..0x39) or
 * LETTER (0x41..0x46, 0x61..0x66). A look-up by the whole character takes its low half, and gives 0 from 0x80 on. */
enum { DECIMAL = 1, LETTER = 2, BOTH = DECIMAL | LETTER };

#define TWICE(...) _mm256_setr_epi8(__VA_ARGS__, __VA_ARGS__)
#define LOW_FLAGS TWICE(DECIMAL, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, DECIMAL, DECIMAL, DECIMAL, 0, 0, 0, 0, 0, 0)
#define HIGH_FLAGS TWICE(0, 0, 0, DECIMAL, LETTER, 0, LETTER, 0, 0, 0, 0, 0, 0, 0, 0, 0)
#define HIGH_VALUE TWICE(0, 0, 0, 0, 9, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0) /* 'A' & 15 is 1 */

static inline __m256i load_text(const uint8_t *text)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)text);
}

static inline __m256i high_halves(__m256i x)
{
    return _mm256_and_si256(_mm256_srli_epi16(x, 4), _mm256_set1_epi8(15));
}

/* Zero where the character is no digit. */
static inline __m256i digit_flags(__m256i text)
{
    return _mm256_and_si256(_mm256_shuffle_epi8(LOW_FLAGS, text), _mm256_shuffle_epi8(HIGH_FLAGS, high_halves(text)));
}

/* 16 bytes of 32 digits. */
static inline __m128i digits_to_bytes(__m256i text)
{
    __m256i value = _mm256_add_epi8(text, _mm256_shuffle_epi8(HIGH_VALUE, high_halves(text)));
    value = _mm256_maddubs_epi16(_mm256_and_si256(value, _mm256_set1_epi8(15)), _mm256_set1_epi16(0x0110));
    return _mm_packus_epi16(_mm256_castsi256_si128(value), _mm256_extracti128_si256(value, 1));
}

static inline int all_set(__m256i flags)
{
    return _mm256_movemask_epi8(_mm256_cmpeq_epi8(flags, _mm256_setzero_si256())) == 0;
}

int ISA(ehc_hex_decode)(const uint8_t *text, size_t n, uint8_t *data)
{
    __m256i flags = _mm256_set1_epi8(-1);
    for (; n >= 16; n -= 16, text += 32, data += 16) {
        __m256i characters = load_text(text);
        flags = _mm256_min_epu8(flags, digit_flags(characters));
        _mm_storeu_si128((__m128i *)(void *)data, digits_to_bytes(characters));
    }
    return all_set(flags) & ehc_hex_decode_portable(text, n, data);
}

void ISA(ehc_hex_encode)(const uint8_t *data, size_t n, uint8_t *text)
{
    const __m256i digits = TWICE('0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F');
    for (; n >= 16; n -= 16, data += 16, text += 32) {
        __m256i wide = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(const void *)data));
        __m256i halves = _mm256_or_si256(_mm256_srli_epi16(wide, 4), _mm256_slli_epi16(wide, 8));
        halves = _mm256_and_si256(halves, _mm256_set1_epi8(15));
        _mm256_storeu_si256((__m256i *)(void *)text, _mm256_shuffle_epi8(digits, halves));
    }
    ehc_hex_encode_portable(data, n, text);
}

static inline int scan_row(const uint8_t *text, uint8_t block[16])
{
    uint32_t colons;
    memcpy(&colons, text + 64, 4);
    __m256i token = load_text(text + 67);
    __m256i flags = _mm256_min_epu8(digit_flags(load_text(text)), digit_flags(load_text(text + 32)));
    flags = _mm256_min_epu8(flags, digit_flags(token));
    _mm_storeu_si128((__m128i *)(void *)block, digits_to_bytes(token));
    return ((colons & 0xFFFFFF) == 0x3A303A) & all_set(flags); /* ":0:" */
}

void ISA(ehc_token_scan)(const uint8_t *data, const uint32_t *offsets, size_t n, uint8_t *blocks, uint8_t *canonical)
{
    for (size_t i = 0; i < n; i++) {
        int fits = (uint64_t)offsets[i + 1] - offsets[i] == EHC_CANONICAL; /* never when they run backwards */
        canonical[i] = (uint8_t)(fits && scan_row(data + offsets[i], blocks + 16 * i));
    }
}
