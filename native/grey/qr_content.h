// qr_content.h: whether the data codewords of a QR symbol are a whole message. Nothing is decoded to text here: a decoder
// for clean symbols does that with the corrected modules.
#pragma once

#include <cstdint>

namespace ehc::grey {

/// True when the bits are segments of known modes, each with a possible value and inside the data, at least one of them
/// with content; then a terminator, zero bits to the end of a codeword, and the pad codewords EC 11 EC … to the end.
bool is_whole_message(const std::uint8_t *data, int length, int version) noexcept;

} // namespace ehc::grey
