// reed_solomon.h: errors-and-erasures decoding over GF(256), with codewords given up in order of doubt (generalised minimum
// distance).
#pragma once

#include <array>
#include <cstdint>

namespace ehc::grey {

constexpr int longest_block = 255;
constexpr int most_parity = 68; // QR has at most 30, Han Xin 32

/// The field by its polynomial, and the exponent of the generator's first root; the others follow it.
class Code {
public:
    Code(unsigned polynomial, int first) noexcept;

    std::uint8_t power(int i) const noexcept { return power_[static_cast<std::size_t>(i)]; } // 2^i, i below 510
    int exponent(std::uint8_t of) const noexcept { return exponent_[of]; }                   // of every element but 0
    int first() const noexcept { return first_; }

    std::uint8_t times(std::uint8_t a, std::uint8_t b) const noexcept
    {
        return a == 0 || b == 0 ? std::uint8_t{0} : power(exponent(a) + exponent(b));
    }
    std::uint8_t inverse(std::uint8_t a) const noexcept { return power(255 - exponent(a)); } // a != 0

private:
    std::array<std::uint8_t, 510> power_{};
    std::array<std::uint8_t, 256> exponent_{};
    int first_;
};

extern const Code qr_code;     // x^8 + x^4 + x^3 + x^2 + 1, roots 2^0 and so on (GB/T 18284, ISO/IEC 18004, Annex A)
extern const Code hanxin_code; // x^8 + x^6 + x^5 + x + 1, roots 2^1 and so on (GB/T 21049, ISO/IEC 20830)

/// What a block was accepted on.
struct Correction {
    int errors;      // corrected where nothing was given up
    int erasures;    // codewords given up beforehand
    int unused;      // parity - 2 errors - erasures: what could still have been corrected, and a check of the rest
    double evidence; // bits: a random word is accepted in this way once in 2^evidence words
};

/// Corrects `word` (length codewords, the last `parity` of them parity) in place, with `erasures` positions given up.
/// False, and the word unchanged, unless the result is a codeword and at least `spare` parity codewords are unused.
/// length <= longest_block, 0 < parity <= most_parity, parity < length, positions distinct and inside the word.
bool correct(std::uint8_t *word, int length, int parity, const int *erased, int erasures, int spare, Correction &how,
             const Code &code = qr_code);

/// The same, giving up 0, 2, 4 .. of the most doubtful codewords until one attempt is accepted with `evidence` bits.
/// doubt: of each codeword, larger is worse.
bool correct_softly(std::uint8_t *word, const float *doubt, int length, int parity, int spare, double evidence,
                    Correction &how, const Code &code = qr_code);

} // namespace ehc::grey
