// rows.h: the loops over a row of pixels in which a frame's time goes, once for every processor and once for those with
// AVX2. Both are compiled from rows_body.h, so they give the same bytes; which is taken is asked once (base/cpu.c).
#pragma once

#include <cstdint>

namespace ehc::frame {

struct Rows {
    const char *name;

    /// sum[i] = the square of 2x2 pixels at 2 * i of two rows; +=. A sum is of 64 squares at most.
    void (*squares)(const std::uint8_t *above, const std::uint8_t *below, int count, std::uint16_t *sum);
    void (*add_squares)(const std::uint8_t *above, const std::uint8_t *below, int count, std::uint16_t *sum);

    /// out[i] = the rounded mean of 4 pixels at 4 * i of each of two rows.
    void (*means_of_fours)(const std::uint8_t *above, const std::uint8_t *below, int count, std::uint8_t *out);

    /// out[i] = in[2 * i] + in[2 * i + 1].
    void (*sum_pairs)(const std::uint16_t *in, int count, std::uint16_t *out);

    /// The rounded means of 6 pixels at 6 * i of each of two rows.
    void (*means_of_sixes)(const std::uint8_t *above, const std::uint8_t *below, int count, std::uint8_t *out);

    /// The same of three.
    void (*sum_triples)(const std::uint16_t *in, int count, std::uint16_t *out);

    /// Sums of 2^shift pixels, 1 or more, to their rounded means.
    void (*means)(const std::uint16_t *sum, int count, int shift, std::uint8_t *out);

    /// The same of three times so many, 192 at most.
    void (*means_of_threes)(const std::uint16_t *sum, int count, int shift, std::uint8_t *out);

    /// sum[i] += one[i] - other[i].
    void (*add_differences)(const std::uint8_t *one, const std::uint8_t *other, int count, std::int16_t *sum);

    /// least[i] and most[i] with row[i] among them.
    void (*add_extremes)(const std::uint8_t *row, int count, std::uint8_t *least, std::uint8_t *most);

    /// out[i] = the lesser of in[2 * i] and in[2 * i + 1]; the greater.
    void (*fold_least)(const std::uint8_t *in, int count, std::uint8_t *out);
    void (*fold_most)(const std::uint8_t *in, int count, std::uint8_t *out);

    /// out[i] = 255 where in[i] > level[i], else 0.
    void (*lighter)(const std::uint8_t *in, const std::uint8_t *level, int count, std::uint8_t *out);

    /// How the levels change across and down, over each two pixels of a row from the first on, but for its two ends: the
    /// squares of both differences and their product, added to those of the pair. There are width / 2 pairs.
    void (*add_changes)(const std::uint8_t *above, const std::uint8_t *here, const std::uint8_t *below, int width,
                        std::int32_t *across, std::int32_t *down, std::int32_t *both);
};

extern const Rows rows_portable;
#if defined(__x86_64__)
extern const Rows rows_avx2;
#endif

/// Those for a processor with these features (base/cpu.h). forced: EHC_ISA, or nothing; `portable` and `portable_ct` keep to the
/// portable ones, as for the kernels.
const Rows &rows_for(unsigned features, const char *forced) noexcept;

/// Those for this processor and its environment.
const Rows &rows() noexcept;

} // namespace ehc::frame
