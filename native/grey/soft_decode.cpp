// soft_decode.cpp: see soft_decode.h.
#include "soft_decode.h"

#include "reed_solomon.h"

#include <algorithm>
#include <cmath>

namespace ehc::grey {

namespace {

class Decoding {
public:
    Decoding(const Layout &layout, const float *soft, std::size_t format)
        : layout_(layout), soft_(soft), format_(format), level_(static_cast<int>(format) / layout.masks),
          mask_(static_cast<int>(format) % layout.masks), division_(layout.divisions[static_cast<std::size_t>(level_)]),
          words_(division_.order.size()), doubt_(words_.size())
    {
    }

    bool decode(Symbol &out)
    {
        gather();
        double evidence = 0;
        std::vector<std::uint8_t> data;
        int unused = longest_block, parity = 0;
        std::size_t at = 0;
        for (const Block &block : division_.blocks) {
            Correction how;
            const double least = division_.blocks.size() == 1 ? symbol_evidence : block_evidence;
            const int length = block.data + block.parity;
            if (!correct_softly(&words_[at], &doubt_[at], length, block.parity, spare_parity, least, how,
                                *layout_.code))
                return false;
            evidence += how.evidence;
            if (how.unused < unused)
                unused = how.unused, parity = block.parity;
            data.insert(data.end(), &words_[at], &words_[at] + block.data);
            at += static_cast<std::size_t>(length);
        }
        if (evidence < symbol_evidence ||
            !layout_.is_whole(data.data(), static_cast<int>(data.size()), layout_.version))
            return false;
        out = {layout_.symbology, layout_.version, level_, mask_, unused, parity, evidence, drawn(), data};
        return true;
    }

private:
    bool inverted(std::uint16_t module) const noexcept
    {
        return layout_.masked(mask_, module % layout_.size, module / layout_.size);
    }

    void gather()
    {
        for (std::size_t at = 0; at < words_.size(); ++at) {
            unsigned value = 0;
            float doubt = 1; // that any bit is wrong: the product of 1 + the odds of each
            for (std::size_t bit = 0; bit < 8; ++bit) {
                const std::uint16_t module = layout_.order[8 * at + bit];
                const float seen = soft_[module];
                value = value << 1 | ((seen > 0) != inverted(module));
                doubt *= 1 + std::exp(-4 * std::abs(seen));
            }
            words_[division_.order[at]] = static_cast<std::uint8_t>(value);
            doubt_[division_.order[at]] = doubt;
        }
    }

    /// The symbol as it was meant: patterns, format, version and the corrected codewords.
    std::vector<std::uint8_t> drawn() const
    {
        std::vector<std::uint8_t> out(layout_.modules.size());
        for (std::size_t i = 0; i < out.size(); ++i)
            out[i] = layout_.modules[i] == Module::dark;
        for (const std::uint16_t module : layout_.order) // the bits that are left over are 0
            out[module] = inverted(module);
        for (std::size_t at = 0; at < words_.size(); ++at) {
            const unsigned value = words_[division_.order[at]];
            for (std::size_t bit = 0; bit < 8; ++bit)
                out[layout_.order[8 * at + bit]] ^= value >> (7 - bit) & 1;
        }
        const auto put = [&](const std::vector<std::uint16_t> &modules, std::uint32_t bits) {
            for (std::size_t i = 0; i < modules.size(); ++i)
                out[modules[i]] = bits >> (modules.size() - 1 - i) & 1;
        };
        for (std::size_t copy = 0; copy < 2; ++copy)
            put(layout_.format[copy], layout_.formats[format_]), put(layout_.info[copy], layout_.info_bits);
        return out;
    }

    const Layout &layout_;
    const float *const soft_;
    const std::size_t format_;
    const int level_, mask_;
    const Division &division_;
    std::vector<std::uint8_t> words_; // of all blocks, one after the other, data and then parity
    std::vector<float> doubt_;
};

/// How far soft modules are on the side of these bits.
float agreement(const std::vector<std::uint16_t> &modules, std::uint32_t bits, const float *soft) noexcept
{
    float sum = 0;
    for (std::size_t i = 0; i < modules.size(); ++i)
        sum += bits >> (modules.size() - 1 - i) & 1 ? soft[modules[i]] : -soft[modules[i]];
    return sum;
}

} // namespace

Format format_of(const Layout &layout, const float *soft) noexcept
{
    float best = -1e9F, next = -1e9F, all = 1e-6F;
    Format out{};
    for (const auto &copy : layout.format)
        for (const auto module : copy)
            all += std::abs(soft[module]);
    for (std::size_t value = 0; value < layout.formats.size(); ++value) {
        float sum = 0;
        for (const auto &copy : layout.format)
            sum += agreement(copy, layout.formats[value], soft);
        if (sum > best) {
            out.second = out.first, next = best;
            out.first = value, best = sum;
        } else if (sum > next) {
            out.second = value, next = sum;
        }
    }
    out.clear = (best - next) / all;
    return out;
}

bool decode(const Layout &layout, const float *soft, Symbol &out)
{
    const Format format = format_of(layout, soft);
    if (Decoding(layout, soft, format.first).decode(out))
        return true;
    return format.clear < 0.25F && Decoding(layout, soft, format.second).decode(out);
}

} // namespace ehc::grey
