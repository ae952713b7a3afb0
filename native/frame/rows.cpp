// rows.cpp: the rows of every processor, and the choice. See rows.h.
#include "rows.h"

#include "../base/cpu.h"

#include <cstdlib>
#include <string_view>

namespace ehc::frame {

namespace {

#include "rows_body.h"

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
