// rows_body.h: what the functions of rows.h do, in plain loops that the compiler vectorises for the instruction set that
// the including file asks for. No include guard: rows.cpp and rows_avx2.cpp include it, each into its own namespace.
// Nothing here calls into the standard library: an inline function of it, compiled for one set, might serve for another.

using byte = std::uint8_t;

/// The sum of two bytes that lie side by side, of either order: read together, as a vector of pairs is.
inline unsigned pair(const byte *at) noexcept
{
    std::uint16_t both;
    __builtin_memcpy(&both, at, sizeof both);
    return (both & 255U) + (both >> 8);
}

void squares(const byte *above, const byte *below, int count, std::uint16_t *__restrict sum)
{
    for (int i = 0; i < count; ++i)
        sum[i] = static_cast<std::uint16_t>(pair(above + 2 * i) + pair(below + 2 * i));
}

void add_squares(const byte *above, const byte *below, int count, std::uint16_t *__restrict sum)
{
    for (int i = 0; i < count; ++i)
        sum[i] = static_cast<std::uint16_t>(sum[i] + pair(above + 2 * i) + pair(below + 2 * i));
}

void means_of_fours(const byte *above, const byte *below, int count, byte *__restrict out)
{
    for (int i = 0; i < count; ++i) {
        const unsigned first = pair(above + 4 * i) + pair(below + 4 * i);
        out[i] = static_cast<byte>((first + pair(above + 4 * i + 2) + pair(below + 4 * i + 2) + 4) >> 3);
    }
}

void sum_pairs(const std::uint16_t *in, int count, std::uint16_t *__restrict out)
{
    for (int i = 0; i < count; ++i)
        out[i] = static_cast<std::uint16_t>(in[2 * i] + in[2 * i + 1]);
}

void means(const std::uint16_t *sum, int count, int shift, byte *__restrict out)
{
    const int round = 1 << (shift - 1);
    for (int i = 0; i < count; ++i)
        out[i] = static_cast<byte>((sum[i] + round) >> shift);
}

void means_of_sixes(const byte *above, const byte *below, int count, byte *__restrict out)
{
    for (int i = 0; i < count; ++i) {
        unsigned sum = 6;
        for (int k = 0; k < 6; ++k)
            sum += above[6 * i + k] + below[6 * i + k];
        out[i] = static_cast<byte>(sum / 12);
    }
}

void sum_triples(const std::uint16_t *in, int count, std::uint16_t *__restrict out)
{
    for (int i = 0; i < count; ++i)
        out[i] = static_cast<std::uint16_t>(in[3 * i] + in[3 * i + 1] + in[3 * i + 2]);
}

void means_of_threes(const std::uint16_t *sum, int count, int shift, byte *__restrict out)
{
    const unsigned round = 3U << (shift - 1),
                   third = 43691; // times it, by 2^17: a third of anything below 2^16, downwards
    for (int i = 0; i < count; ++i)
        out[i] = static_cast<byte>((sum[i] + round) * third >> 17 >> shift);
}

void add_differences(const byte *one, const byte *other, int count, std::int16_t *__restrict sum)
{
    for (int i = 0; i < count; ++i)
        sum[i] = static_cast<std::int16_t>(sum[i] + one[i] - other[i]);
}

void add_extremes(const byte *row, int count, byte *__restrict least, byte *__restrict most)
{
    for (int i = 0; i < count; ++i) {
        least[i] = row[i] < least[i] ? row[i] : least[i];
        most[i] = row[i] > most[i] ? row[i] : most[i];
    }
}

/// Bytes that lie side by side are read together here, too.
void fold_least(const byte *in, int count, byte *__restrict out)
{
    for (int i = 0; i < count; ++i) {
        std::uint16_t both;
        __builtin_memcpy(&both, in + 2 * i, sizeof both);
        const std::uint16_t one = both & 255, other = both >> 8;
        out[i] = static_cast<byte>(one < other ? one : other);
    }
}

void fold_most(const byte *in, int count, byte *__restrict out)
{
    for (int i = 0; i < count; ++i) {
        std::uint16_t both;
        __builtin_memcpy(&both, in + 2 * i, sizeof both);
        const std::uint16_t one = both & 255, other = both >> 8;
        out[i] = static_cast<byte>(one > other ? one : other);
    }
}

void lighter(const byte *in, const byte *level, int count, byte *__restrict out)
{
    for (int i = 0; i < count; ++i)
        out[i] = in[i] > level[i] ? 255 : 0;
}

struct Three {
    const byte *above, *here, *below;
};

inline void add_change(const Three &rows, int x, std::int32_t *across, std::int32_t *down, std::int32_t *both) noexcept
{
    const int dx = rows.here[x + 1] - rows.here[x - 1], dy = rows.below[x] - rows.above[x];
    across[x / 2] += dx * dx, down[x / 2] += dy * dy, both[x / 2] += dx * dy;
}

/// Of the pairs from i on, and of the pixel behind the last one if it has one behind it.
void add_changes_from(int i, const Three &rows, int width, std::int32_t *__restrict across,
                      std::int32_t *__restrict down, std::int32_t *__restrict both)
{
    const byte *const above = rows.above, *const here = rows.here, *const below = rows.below;
    for (; 2 * i + 2 < width; ++i) {
        const int dx = here[2 * i + 1] - here[2 * i - 1], next_dx = here[2 * i + 2] - here[2 * i];
        const int dy = below[2 * i] - above[2 * i], next_dy = below[2 * i + 1] - above[2 * i + 1];
        across[i] += dx * dx + next_dx * next_dx;
        down[i] += dy * dy + next_dy * next_dy;
        both[i] += dx * dy + next_dx * next_dy;
    }
    if (2 * i + 1 < width)
        add_change(rows, 2 * i, across, down, both);
}
