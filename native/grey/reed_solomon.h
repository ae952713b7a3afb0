// reed_solomon.h: errors-and-erasures decoding over GF(256), polynomial 0x11D, roots 2^0 .. 2^(parity-1) (GB/T 18284,
// ISO/IEC 18004, Annex A), with codewords given up in order of doubt (generalised minimum distance).
#pragma once

#include <cstdint>

namespace ehc::grey {

constexpr int longest_block = 255;
constexpr int most_parity = 68; // QR has at most 30; room for other symbologies

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
bool correct(std::uint8_t *word, int length, int parity, const int *erased, int erasures, int spare, Correction &how);

/// The same, giving up 0, 2, 4 .. of the most doubtful codewords until one attempt is accepted with `evidence` bits.
/// doubt: of each codeword, larger is worse.
bool correct_softly(std::uint8_t *word, const float *doubt, int length, int parity, int spare, double evidence,
                    Correction &how);

} // namespace ehc::grey
