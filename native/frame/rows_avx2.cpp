// rows_avx2.cpp: rows_body.h, 32 bytes at a time, and by hand what a compiler does not see in it. See rows.h.
#include "rows.h"

#if defined(__x86_64__)

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#else
#pragma GCC target("avx2")
#endif

#include <immintrin.h>

namespace ehc::frame {

namespace {

#include "rows_body.h"

__m256i sixteen(const byte *at) noexcept
{
    return _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i *>(at)));
}

void add_products(std::int32_t *sums, __m256i one, __m256i other) noexcept
{
    auto *const at = reinterpret_cast<__m256i *>(sums);
    _mm256_storeu_si256(at, _mm256_add_epi32(_mm256_loadu_si256(at), _mm256_madd_epi16(one, other)));
}

/// By hand: no compiler sees that products of pairs are one instruction, a third of the time.
void add_changes_by_pairs(const byte *above, const byte *here, const byte *below, int width, std::int32_t *across,
                          std::int32_t *down, std::int32_t *both)
{
    constexpr int lanes = 8; // pairs
    if (width < 3)
        return;
    const Three rows{above, here, below};
    add_change(rows, 1, across, down, both);
    int i = 1;
    for (; 2 * (i + lanes) < width; i += lanes) {
        const __m256i dx = _mm256_sub_epi16(sixteen(here + 2 * i + 1), sixteen(here + 2 * i - 1));
        const __m256i dy = _mm256_sub_epi16(sixteen(below + 2 * i), sixteen(above + 2 * i));
        add_products(across + i, dx, dx), add_products(down + i, dy, dy), add_products(both + i, dx, dy);
    }
    add_changes_from(i, rows, width, across, down, both);
}

__m256i load(const void *at) noexcept
{
    return _mm256_loadu_si256(static_cast<const __m256i *>(at));
}

void store(void *at, __m256i value) noexcept
{
    _mm256_storeu_si256(static_cast<__m256i *>(at), value);
}

/// The sums of each two bytes of 32, of either row.
__m256i pairs(const byte *above, const byte *below) noexcept
{
    const __m256i one = _mm256_set1_epi8(1);
    return _mm256_add_epi16(_mm256_maddubs_epi16(load(above), one), _mm256_maddubs_epi16(load(below), one));
}

void squares_by_pairs(const byte *above, const byte *below, int count, std::uint16_t *sum)
{
    int i = 0;
    for (; i + 16 <= count; i += 16)
        store(sum + i, pairs(above + 2 * i, below + 2 * i));
    squares(above + 2 * i, below + 2 * i, count - i, sum + i);
}

void add_squares_by_pairs(const byte *above, const byte *below, int count, std::uint16_t *sum)
{
    int i = 0;
    for (; i + 16 <= count; i += 16)
        store(sum + i, _mm256_add_epi16(load(sum + i), pairs(above + 2 * i, below + 2 * i)));
    add_squares(above + 2 * i, below + 2 * i, count - i, sum + i);
}

/// Rounded means of 4 pixels of each of two rows, eight of them.
__m256i eight_means(const byte *above, const byte *below) noexcept
{
    const __m256i sum = _mm256_madd_epi16(pairs(above, below), _mm256_set1_epi16(1));
    return _mm256_srli_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(4)), 3);
}

void means_of_fours_by_pairs(const byte *above, const byte *below, int count, byte *out)
{
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7); // packing goes by halves
    int i = 0;
    for (; i + 32 <= count; i += 32) {
        const byte *const one = above + 4 * i, *const other = below + 4 * i;
        const __m256i low = _mm256_packs_epi32(eight_means(one, other), eight_means(one + 32, other + 32));
        const __m256i high = _mm256_packs_epi32(eight_means(one + 64, other + 64), eight_means(one + 96, other + 96));
        store(out + i, _mm256_permutevar8x32_epi32(_mm256_packus_epi16(low, high), order));
    }
    means_of_fours(above + 4 * i, below + 4 * i, count - i, out + i);
}

/// Of each place of a half there is one in a, one in b and one in c: at 0, 3, 6; at 1, 4, 7; at 2, 5.
__m256i picked(__m256i a, __m256i b, __m256i c) noexcept
{
    return _mm256_blend_epi16(_mm256_blend_epi16(a, b, 0b10010010), c, 0b00100100);
}

/// The sums of each three of 48 values: in each half of 24, the first, the second and the third of three are brought one
/// above the other, and then in order.
__m256i triples(__m256i low, __m256i middle, __m256i high) noexcept
{
    const __m256i a = _mm256_permute2x128_si256(low, middle, 0x30), b = _mm256_permute2x128_si256(low, high, 0x21),
                  c = _mm256_permute2x128_si256(middle, high, 0x30);
    const __m256i second = picked(c, a, b), third = picked(b, c, a);
    const __m256i sum = _mm256_add_epi16(
        picked(a, b, c), _mm256_add_epi16(_mm256_alignr_epi8(second, second, 2), _mm256_alignr_epi8(third, third, 4)));
    return _mm256_shuffle_epi8(
        sum, _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 6, 7, 12, 13, 2, 3, 8, 9, 14, 15, 4, 5, 10, 11)));
}

void means_of_sixes_by_pairs(const byte *above, const byte *below, int count, byte *out)
{
    const __m256i round = _mm256_set1_epi16(6), third = _mm256_set1_epi16(static_cast<short>(43691));
    int i = 0;
    for (; i + 16 <= count; i += 16) {
        const byte *const one = above + 6 * i, *const other = below + 6 * i;
        const __m256i sum = triples(pairs(one, other), pairs(one + 32, other + 32), pairs(one + 64, other + 64));
        const __m256i mean = _mm256_srli_epi16(_mm256_mulhi_epu16(_mm256_add_epi16(sum, round), third), 3);
        const __m256i bytes = _mm256_permute4x64_epi64(_mm256_packus_epi16(mean, mean), 0b1000);
        _mm_storeu_si128(reinterpret_cast<__m128i *>(out + i), _mm256_castsi256_si128(bytes));
    }
    means_of_sixes(above + 6 * i, below + 6 * i, count - i, out + i);
}

} // namespace

const Rows rows_avx2 = {"avx2",
                        squares_by_pairs,
                        add_squares_by_pairs,
                        means_of_fours_by_pairs,
                        sum_pairs,
                        means_of_sixes_by_pairs,
                        sum_triples,
                        means,
                        means_of_threes,
                        add_differences,
                        add_extremes,
                        fold_least,
                        fold_most,
                        lighter,
                        add_changes_by_pairs};

} // namespace ehc::frame

#if defined(__clang__)
#pragma clang attribute pop
#endif

#endif
