/* ctgrind_public.h: included before the kernels that ctgrind.c is built with. What may decide a branch although it comes from a
 * secret, there where no call could be wrapped: whether the id of a person is printable. */
#include <valgrind/memcheck.h>

#define EHC_PUBLIC(value) (void)VALGRIND_MAKE_MEM_DEFINED(&(value), sizeof(value))
