// hanxin_content.h: the data codewords of a Han Xin symbol as the bytes that were written into it (ISO/IEC 20830, 5.3 to
// 5.5). What characters the bytes are is for whoever asks: GB 18030, unless the message says something else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ehc::grey {

struct HanxinMessage {
    struct Designator {
        std::size_t from;      // byte from which on it counts
        std::uint32_t charset; // number of an extended channel interpretation
    };

    std::vector<std::uint8_t> bytes;
    std::vector<Designator> designators;
    bool chinese = false; // some of it is in a mode for Chinese characters
    int unknown = 0;      // the first mode indicator that is none of ours: Unicode, GS1, URI and whatever else there is
};

/// False for what is no message: a value that cannot be, an end inside a segment, nothing in it, bits behind its end that
/// are not 0; and for modes that are not understood.
bool read_hanxin_message(const std::uint8_t *data, int length, HanxinMessage &out);

bool is_whole_hanxin_message(const std::uint8_t *data, int length, int version);

} // namespace ehc::grey
