// soft_decode.cpp: see soft_decode.h.
#include "soft_decode.h"

#include "qr_content.h"
#include "reed_solomon.h"

#include <algorithm>
#include <cmath>

namespace ehc::grey {

namespace {

/// Calls use(block, place in the block, codeword of the symbol), in the order in which the codewords stand in it.
template <class Use> void for_codewords(const Blocks &blocks, Use use)
{
    int at = 0;
    const int first_long = blocks.count - blocks.long_count;
    for (int place = 0; place <= blocks.short_data; ++place)
        for (int block = place < blocks.short_data ? 0 : first_long; block < blocks.count; ++block)
            use(block, place, at++);
    for (int place = 0; place < blocks.parity; ++place)
        for (int block = 0; block < blocks.count; ++block)
            use(block, blocks.short_data + (block >= first_long) + place, at++);
}

class Decoding {
public:
    Decoding(const Layout &layout, const float *soft, unsigned format)
        : layout_(layout), soft_(soft), level_(static_cast<Level>(format >> 3)), mask_(static_cast<int>(format & 7)),
          blocks_(blocks_of(layout.version, level_)), codewords_(static_cast<std::size_t>(blocks_.count)),
          doubt_(codewords_.size())
    {
    }

    bool decode(Symbol &out)
    {
        gather();
        double evidence = 0;
        int unused = blocks_.parity;
        for (std::size_t b = 0; b < codewords_.size(); ++b) {
            Correction how;
            const double least = blocks_.count == 1 ? symbol_evidence : block_evidence;
            if (!correct_softly(codewords_[b].data(), doubt_[b].data(), static_cast<int>(codewords_[b].size()),
                                blocks_.parity, spare_parity, least, how))
                return false;
            evidence += how.evidence;
            unused = std::min(unused, how.unused);
        }
        if (evidence < symbol_evidence || !whole())
            return false;
        out = {layout_.version, level_, mask_, unused, blocks_.parity, evidence, drawn()};
        return true;
    }

private:
    bool inverted(std::uint16_t module) const noexcept
    {
        return masked(mask_, module % layout_.size, module / layout_.size);
    }

    void gather()
    {
        for (std::size_t b = 0; b < codewords_.size(); ++b) {
            const bool is_long = static_cast<int>(b) >= blocks_.count - blocks_.long_count;
            codewords_[b].resize(static_cast<std::size_t>(blocks_.short_data + is_long + blocks_.parity));
            doubt_[b].resize(codewords_[b].size());
        }
        for_codewords(blocks_, [&](int block, int place, int at) {
            unsigned value = 0;
            float doubt = 0;
            for (int bit = 0; bit < 8; ++bit) {
                const std::uint16_t module = layout_.order[static_cast<std::size_t>(8 * at + bit)];
                const float seen = soft_[module];
                value = value << 1 | ((seen > 0) != inverted(module));
                doubt += std::log1p(std::exp(-4 * std::abs(seen)));
            }
            codewords_[static_cast<std::size_t>(block)][static_cast<std::size_t>(place)] =
                static_cast<std::uint8_t>(value);
            doubt_[static_cast<std::size_t>(block)][static_cast<std::size_t>(place)] = doubt;
        });
    }

    bool whole() const
    {
        std::vector<std::uint8_t> data;
        for (const auto &block : codewords_)
            data.insert(data.end(), block.begin(), block.end() - blocks_.parity);
        return is_whole_message(data.data(), static_cast<int>(data.size()), layout_.version);
    }

    /// The symbol as it was meant: patterns, format, version and the corrected codewords.
    std::vector<std::uint8_t> drawn() const
    {
        std::vector<std::uint8_t> out(layout_.modules.size());
        for (std::size_t i = 0; i < out.size(); ++i)
            out[i] = layout_.modules[i] == Module::dark;
        for (std::size_t i = 0; i < layout_.order.size(); ++i) // the bits that are left over are 0
            out[layout_.order[i]] = inverted(layout_.order[i]);
        for_codewords(blocks_, [&](int block, int place, int at) {
            const unsigned value = codewords_[static_cast<std::size_t>(block)][static_cast<std::size_t>(place)];
            for (int bit = 0; bit < 8; ++bit)
                out[layout_.order[static_cast<std::size_t>(8 * at + bit)]] ^= value >> (7 - bit) & 1;
        });
        const unsigned format = format_bits(static_cast<unsigned>(level_) << 3 | static_cast<unsigned>(mask_));
        for (const auto &copy : layout_.format)
            for (std::size_t i = 0; i < copy.size(); ++i)
                out[copy[i]] = format >> (14 - i) & 1;
        if (layout_.version >= 7)
            for (const auto &copy : layout_.info)
                for (std::size_t i = 0; i < copy.size(); ++i)
                    out[copy[i]] = version_bits(static_cast<unsigned>(layout_.version)) >> (17 - i) & 1;
        return out;
    }

    const Layout &layout_;
    const float *const soft_;
    const Level level_;
    const int mask_;
    const Blocks blocks_;
    std::vector<std::vector<std::uint8_t>> codewords_; // of each block, data and then parity
    std::vector<std::vector<float>> doubt_;
};

} // namespace

Format format_of(const Layout &layout, const float *soft) noexcept
{
    float best = -1e9F, next = -1e9F, all = 1e-6F;
    Format out{};
    for (const auto &copy : layout.format)
        for (const auto module : copy)
            all += std::abs(soft[module]);
    for (unsigned value = 0; value < 32; ++value) {
        const unsigned bits = format_bits(value);
        float sum = 0;
        for (const auto &copy : layout.format)
            for (std::size_t i = 0; i < copy.size(); ++i)
                sum += bits >> (14 - i) & 1 ? soft[copy[i]] : -soft[copy[i]];
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

float version_agreement(const Layout &layout, const float *soft) noexcept
{
    if (layout.version < 7)
        return 0;
    const unsigned bits = version_bits(static_cast<unsigned>(layout.version));
    float sum = 0, all = 1e-6F;
    for (const auto &copy : layout.info)
        for (std::size_t i = 0; i < copy.size(); ++i) {
            sum += bits >> (17 - i) & 1 ? soft[copy[i]] : -soft[copy[i]];
            all += std::abs(soft[copy[i]]);
        }
    return sum / all;
}

bool decode(const Layout &layout, const float *soft, Symbol &out)
{
    const Format format = format_of(layout, soft);
    if (Decoding(layout, soft, format.first).decode(out))
        return true;
    return format.clear < 0.25F && Decoding(layout, soft, format.second).decode(out);
}

} // namespace ehc::grey
