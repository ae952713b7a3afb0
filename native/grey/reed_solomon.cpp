// reed_solomon.cpp: see reed_solomon.h. Berlekamp and Massey's algorithm started from the erasure locator, Chien's search,
// Forney's formula (Blahut, Algebraic Codes for Data Transmission, 7.4).
#include "reed_solomon.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numeric>

namespace ehc::grey {

namespace {

using byte = std::uint8_t;

/// Coefficients from the constant upwards.
struct Polynomial {
    std::array<byte, most_parity + 1> c{};
    int degree = 0;

    byte at(byte x, const Code &code) const noexcept
    {
        byte sum = 0;
        for (int i = degree; i >= 0; --i)
            sum = static_cast<byte>(code.times(sum, x) ^ c[static_cast<std::size_t>(i)]);
        return sum;
    }
};

/// S[i] = word(2^(first + i)), the first codeword being the highest coefficient; whether any is not 0.
bool syndromes(const Code &code, const byte *word, int length, int parity, byte *s) noexcept
{
    byte any = 0;
    for (int i = 0; i < parity; ++i) {
        const byte root = code.power(code.first() + i);
        byte sum = 0;
        for (int k = 0; k < length; ++k)
            sum = static_cast<byte>(code.times(sum, root) ^ word[k]);
        s[i] = sum;
        any |= sum;
    }
    return any != 0;
}

/// 2^(place from the end): what a position is called in the field.
byte locator(const Code &code, int position, int length) noexcept
{
    return code.power(length - 1 - position);
}

Polynomial erasure_locator(const Code &code, const int *erased, int erasures, int length) noexcept
{
    Polynomial out;
    out.c[0] = 1;
    for (int k = 0; k < erasures; ++k) {
        const byte x = locator(code, erased[k], length);
        for (int i = ++out.degree; i > 0; --i)
            out.c[static_cast<std::size_t>(i)] ^= code.times(out.c[static_cast<std::size_t>(i - 1)], x);
    }
    return out;
}

/// The locator of errors and erasures; false when its degree does not fit its length.
bool berlekamp_massey(const Code &code, const byte *s, int parity, int erasures, Polynomial &locators) noexcept
{
    Polynomial previous = locators;
    const auto most = static_cast<std::size_t>(parity); // no degree above it is a locator's that fits
    int length = erasures;
    for (int r = erasures; r < parity; ++r) {
        byte discrepancy = 0;
        for (int i = 0; i <= length && i <= r; ++i)
            discrepancy ^= code.times(locators.c[static_cast<std::size_t>(i)], s[r - i]);
        std::memmove(&previous.c[1], &previous.c[0], most);
        previous.c[0] = 0;
        if (discrepancy == 0)
            continue;
        const Polynomial before = locators;
        for (std::size_t i = 0; i <= most; ++i)
            locators.c[i] ^= code.times(discrepancy, previous.c[i]);
        if (2 * length <= r + erasures) {
            length = r + erasures + 1 - length;
            const byte scale = code.inverse(discrepancy);
            for (std::size_t i = 0; i <= most; ++i)
                previous.c[i] = code.times(before.c[i], scale);
        }
    }
    locators.degree = parity;
    while (locators.degree > 0 && locators.c[static_cast<std::size_t>(locators.degree)] == 0)
        --locators.degree;
    return locators.degree == length;
}

/// Ω = S Λ mod x^parity
Polynomial evaluator(const Code &code, const byte *s, int parity, const Polynomial &locators) noexcept
{
    Polynomial out;
    out.degree = parity - 1;
    for (int i = 0; i < parity; ++i)
        for (int k = 0; k <= std::min(i, locators.degree); ++k)
            out.c[static_cast<std::size_t>(i)] ^= code.times(locators.c[static_cast<std::size_t>(k)], s[i - k]);
    return out;
}

/// Λ'(x): in characteristic 2 the odd coefficients, one place down.
Polynomial derivative(const Polynomial &p) noexcept
{
    Polynomial out;
    out.degree = std::max(p.degree - 1, 0);
    for (int i = 1; i <= p.degree; i += 2)
        out.c[static_cast<std::size_t>(i - 1)] = p.c[static_cast<std::size_t>(i)];
    return out;
}

/// Writes the corrections; false where the places found are not as many as the locator says, or a value cannot be.
bool repair(const Code &code, byte *word, int length, const byte *s, int parity, const Polynomial &locators) noexcept
{
    int places[most_parity], found = 0;
    for (int k = 0; k < length; ++k)
        if (locators.at(code.inverse(locator(code, k, length)), code) == 0)
            places[found++] = k;
    if (found != locators.degree)
        return false;
    const Polynomial value = evaluator(code, s, parity, locators), slope = derivative(locators);
    for (int i = 0; i < found; ++i) {
        const byte x = locator(code, places[i], length), back = code.inverse(x), below = slope.at(back, code);
        if (below == 0)
            return false;
        const byte wrong = code.times(value.at(back, code), code.inverse(below));
        word[places[i]] ^= code.first() == 0 ? code.times(x, wrong) : wrong; // times x^(1 - first)
    }
    return true;
}

/// log2 of the words that lie within `errors` of one another in `length` places, by the outermost shell.
double shell(int length, int errors) noexcept
{
    const double n = length, k = errors;
    return (std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1)) / std::log(2.0) + 8 * k;
}

bool correct_from(const Code &code, byte *word, const byte *s, int length, int parity, const int *erased, int erasures,
                  int spare, Correction &how)
{
    Polynomial locators = erasure_locator(code, erased, erasures, length);
    if (!berlekamp_massey(code, s, parity, erasures, locators))
        return false;
    const int errors = locators.degree - erasures;
    const int unused = parity - 2 * errors - erasures;
    if (unused < spare)
        return false;
    byte fixed[longest_block], left[most_parity];
    std::memcpy(fixed, word, static_cast<std::size_t>(length));
    if (!repair(code, fixed, length, s, parity, locators) || syndromes(code, fixed, length, parity, left))
        return false;
    std::memcpy(word, fixed, static_cast<std::size_t>(length));
    how = {errors, erasures, unused, 8.0 * (parity - erasures) - shell(length - erasures, errors)};
    return true;
}

} // namespace

const Code qr_code(0x11D, 0);
const Code hanxin_code(0x163, 1);

Code::Code(unsigned polynomial, int first) noexcept : first_(first)
{
    unsigned value = 1;
    for (unsigned i = 0; i < 255; ++i) {
        power_[i] = power_[i + 255] = static_cast<byte>(value);
        exponent_[value] = static_cast<byte>(i);
        value = value << 1 ^ (value & 0x80 ? polynomial : 0);
    }
}

bool correct(byte *word, int length, int parity, const int *erased, int erasures, int spare, Correction &how,
             const Code &code)
{
    byte s[most_parity];
    if (!syndromes(code, word, length, parity, s)) {
        how = {0, 0, parity, 8.0 * parity};
        return parity >= spare;
    }
    return erasures <= parity - spare && correct_from(code, word, s, length, parity, erased, erasures, spare, how);
}

bool correct_softly(byte *word, const float *doubt, int length, int parity, int spare, double evidence, Correction &how,
                    const Code &code)
{
    byte s[most_parity], kept[longest_block];
    if (parity < spare)
        return false;
    if (!syndromes(code, word, length, parity, s)) {
        how = {0, 0, parity, 8.0 * parity};
        return true;
    }
    int order[longest_block];
    std::iota(order, order + length, 0);
    const int most = std::min(parity - spare, length);
    std::partial_sort(order, order + most, order + length, [&](int a, int b) { return doubt[a] > doubt[b]; });
    std::memcpy(kept, word, static_cast<std::size_t>(length));
    for (int erasures = 0; erasures <= most; erasures += 2) {
        if (!correct_from(code, word, s, length, parity, order, erasures, spare, how))
            continue;
        if (how.evidence >= evidence)
            return true;
        std::memcpy(word, kept, static_cast<std::size_t>(length));
    }
    return false;
}

} // namespace ehc::grey
