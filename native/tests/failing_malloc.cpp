/* failing_malloc.cpp: loaded before libc (LD_PRELOAD), it counts the allocations that our extension modules make
 * themselves (the caller's address lies in one of them), keeps account of those not freed, and fails the one it is told
 * to. Everybody else's go through. Python drives it with ctypes: tests/native/test_allocation_failure.py. */
#include <dlfcn.h>

#include <atomic>
#include <cstddef>
#include <cstring>
#include <new>

extern "C" {
void *__libc_malloc(size_t size);
void *__libc_realloc(void *old, size_t size);
void __libc_free(void *p);

void ehc_fail_at(long k);   /* the k-th from now, counted from 1; 0: none */
long ehc_allocations(void); /* since ehc_fail_at */
long ehc_live(void);        /* allocated by us and not freed, by whomever */
}

namespace {

std::atomic<long> fail_at{0}, allocations{0}, live{0};
enum { MOST = 4096 };
std::atomic<void *> ours[MOST]; /* addresses of what is live */
thread_local bool inside = false;

bool from_our_module(void *caller)
{
    Dl_info info;
    if (inside)
        return false;
    inside = true;
    bool found =
        dladdr(caller, &info) != 0 && info.dli_fname != nullptr &&
        (std::strstr(info.dli_fname, "/_native.") != nullptr || std::strstr(info.dli_fname, "/_frame.") != nullptr ||
         std::strstr(info.dli_fname, "/_grey.") != nullptr);
    inside = false;
    return found;
}

bool must_fail()
{
    return ++allocations == fail_at;
}

void *keep(void *p)
{
    for (auto &slot : ours) {
        void *empty = nullptr;
        if (p != nullptr && slot.compare_exchange_strong(empty, p)) {
            live++;
            break;
        }
    }
    return p;
}

void forget(void *p)
{
    for (auto &slot : ours) {
        void *same = p;
        if (p != nullptr && live > 0 && slot.compare_exchange_strong(same, nullptr)) {
            live--;
            break;
        }
    }
}

} // namespace

extern "C" void ehc_fail_at(long k)
{
    allocations = 0;
    fail_at = k;
}

extern "C" long ehc_allocations(void)
{
    return allocations;
}

extern "C" long ehc_live(void)
{
    return live;
}

extern "C" void *malloc(size_t size)
{
    if (!from_our_module(__builtin_return_address(0)))
        return __libc_malloc(size);
    return must_fail() ? nullptr : keep(__libc_malloc(size));
}

extern "C" void *realloc(void *old, size_t size)
{
    if (!from_our_module(__builtin_return_address(0)))
        return __libc_realloc(old, size);
    if (must_fail())
        return nullptr;
    forget(old);
    return keep(__libc_realloc(old, size));
}

extern "C" void free(void *p)
{
    forget(p);
    __libc_free(p);
}

void *operator new(size_t size)
{
    bool is_ours = from_our_module(__builtin_return_address(0));
    if (is_ours && must_fail())
        throw std::bad_alloc();
    void *p = __libc_malloc(size != 0 ? size : 1);
    if (p == nullptr)
        throw std::bad_alloc();
    return is_ours ? keep(p) : p;
}

void *operator new[](size_t size)
{
    bool is_ours = from_our_module(__builtin_return_address(0));
    if (is_ours && must_fail())
        throw std::bad_alloc();
    void *p = __libc_malloc(size != 0 ? size : 1);
    if (p == nullptr)
        throw std::bad_alloc();
    return is_ours ? keep(p) : p;
}

void operator delete(void *p) noexcept
{
    free(p);
}

void operator delete(void *p, size_t) noexcept
{
    free(p);
}

void operator delete[](void *p) noexcept
{
    free(p);
}

void operator delete[](void *p, size_t) noexcept
{
    free(p);
}
