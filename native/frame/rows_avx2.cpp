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

} // namespace

const Rows rows_avx2 = {"avx2",          add_squares,     sum_pairs,    sum_triples,   means,
                        means_of_threes, add_differences, add_extremes, fold_extremes, add_changes_by_pairs};

} // namespace ehc::frame

#if defined(__clang__)
#pragma clang attribute pop
#endif

#endif
