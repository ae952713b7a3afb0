// rows.cpp: the rows of every processor, and the choice. See rows.h.
#include "rows.h"

#include "../base/cpu.h"

#include <cstdlib>
#include <string_view>

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

const Rows &chosen() noexcept
{
#if defined(__x86_64__)
    const char *const forced = std::getenv("EHC_ISA");
    const bool portable = forced != nullptr && std::string_view(forced).substr(0, 8) == "portable";
    if (!portable && (ehc_cpu_features() & CPU_AVX2))
        return rows_avx2;
#endif
    return rows_portable;
}

} // namespace

const Rows rows_portable = {"portable",      add_squares,  sum_pairs,     means,
                            add_differences, add_extremes, fold_extremes, add_changes};

const Rows &rows() noexcept
{
    static const Rows &of_this_processor = chosen();
    return of_this_processor;
}

} // namespace ehc::frame
