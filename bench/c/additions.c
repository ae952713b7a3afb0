/* additions.c: work that needs nothing but a core's own adders, four chains beside each other; for two_threads.py. */
#include <stdint.h>

__attribute__((visibility("default"))) uint64_t additions(uint64_t count)
{
    uint64_t a = 1, b = 2, c = 3, d = 4;
    for (uint64_t i = 0; i < count; i += 16) {
#if defined(__x86_64__)
#define FOUR "add %4, %0\n add %4, %1\n add %4, %2\n add %4, %3\n"
#elif defined(__aarch64__)
#define FOUR "add %0, %0, %4\n add %1, %1, %4\n add %2, %2, %4\n add %3, %3, %4\n"
#endif
        __asm__ volatile(FOUR FOUR FOUR FOUR : "+r"(a), "+r"(b), "+r"(c), "+r"(d) : "r"(i));
    }
    return a + b + c + d;
}
