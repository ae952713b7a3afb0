// rows.cpp: the rows of every processor, and the choice. See rows.h.
#include "rows.h"

#include "../base/cpu.h"

#include <atomic>
#include <cstdlib>
#include <cstring>

namespace ehc::frame {

namespace {

#include "rows_body.h"

void add_changes(const byte *above, const byte *here, const byte *below, int width, std::int32_t *across,
                 std::int32_t *down, std::int32_t *both)
{
    if (width < 3)
        return;
    const Three rows{above, here, below};
    add_change(rows, 1, across, down, both); // the first pixel has none before it
    add_changes_from(1, rows, width, across, down, both);
}

} // namespace

const Rows rows_portable = {"portable",     squares,     add_squares, means_of_fours,  sum_pairs,
                            means_of_sixes, sum_triples, means,       means_of_threes, add_differences,
                            add_extremes,   fold_least,  fold_most,   lighter,         add_changes};

const Rows &rows_for(unsigned features, const char *forced) noexcept
{
#if defined(__x86_64__)
    const bool portable = forced != nullptr && std::strncmp(forced, "portable", 8) == 0;
    if (!portable && (features & CPU_AVX2))
        return rows_avx2;
#else
    (void)features, (void)forced;
#endif
    return rows_portable;
}

const Rows &rows() noexcept
{
    static std::atomic<const Rows *> known{nullptr};
    const Rows *found = known.load(std::memory_order_relaxed);
    if (found == nullptr) { // by two threads at once, where it happens: they find the same
        found = &rows_for(ehc_cpu_features(), std::getenv("EHC_ISA"));
        known.store(found, std::memory_order_relaxed);
    }
    return *found;
}

} // namespace ehc::frame
