// fuzz_input.h: what the libFuzzer targets in C++ share, as fuzz.h is for those in C.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

/// A crash, which libFuzzer keeps the input of.
inline void expect(bool condition, const char *what)
{
    if (!condition) {
        std::fprintf(stderr, "not true: %s\n", what);
        std::abort();
    }
}

/// Eaten from its front; zeros when it is used up.
struct Input {
    const std::uint8_t *at;
    std::size_t left;

    unsigned byte()
    {
        if (left == 0)
            return 0;
        --left;
        return *at++;
    }
};
