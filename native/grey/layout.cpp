// layout.cpp: see layout.h.
#include "layout.h"

#include "hanxin_layout.h"
#include "qr_layout.h"

#include <mutex>

namespace ehc::grey {

namespace {

/// One table of layouts a symbology, each made once.
template <int last> const Layout &made_once(int version, void (*draw)(int version, Layout &out))
{
    static std::array<std::unique_ptr<const Layout>, last + 1> made;
    static std::array<std::once_flag, last + 1> once;
    const auto at = static_cast<std::size_t>(version);
    std::call_once(once[at], [&] {
        auto layout = std::make_unique<Layout>();
        draw(version, *layout);
        layout->know();
        made[at] = std::move(layout);
    });
    return *made[at];
}

} // namespace

void Layout::know()
{
    known.clear();
    for (const Module module : modules)
        known.push_back(module == Module::dark ? 1.0F : module == Module::light ? -1.0F : 0.0F);
    for (std::size_t i = 0; i < blurs.size(); ++i)
        patterns[i] = std::make_unique<const Pattern>(size, known.data(), blurs[i], false);
}

int last_version_of(Symbology symbology) noexcept
{
    return symbology == Symbology::qr ? last_version : last_hanxin_version;
}

int size_of(Symbology symbology, int version) noexcept
{
    return symbology == Symbology::qr ? size_of(version) : hanxin_size_of(version);
}

const Layout &layout_of(Symbology symbology, int version)
{
    return symbology == Symbology::qr ? made_once<last_version>(version, draw_qr)
                                      : made_once<last_hanxin_version>(version, draw_hanxin);
}

} // namespace ehc::grey
