/* libcrypto.c: finds OpenSSL's libcrypto. EHC_LIBCRYPTO names a file; else the names under which systems ship it. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "libcrypto.h"

static libcrypto_table table;
static int found;

static int bind_functions(void *library)
{
    void *pointer; /* by memcpy: C has no cast from an object's pointer to a function's */
#define BIND(result, name, arguments)              \
    if ((pointer = dlsym(library, #name)) == NULL) \
        return 0;                                  \
    memcpy((void *)&table.name, &pointer, sizeof pointer);
    LIBCRYPTO_FUNCTIONS(BIND)
#undef BIND
    table.group = table.EC_GROUP_new_by_curve_name(NID_SM2); /* NULL where SM2 was left out of the build */
    if (table.group == NULL) {
        table.ERR_clear_error();
        return 0;
    }
    table.order = table.EC_GROUP_get0_order(table.group);
    return 1;
}

static int usable(const char *name)
{
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        return 0;
    if (bind_functions(library))
        return 1;
    dlclose(library);
    return 0;
}

static void load(void)
{
    static const char *const names[] = {"libcrypto.so.3", "libcrypto.so.4", "libcrypto.so"};
    const char *given = secure_getenv("EHC_LIBCRYPTO");
    if (given != NULL && *given != '\0') {
        found = usable(given); /* the named one or none: never silently another */
        return;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names && !found; i++)
        found = usable(names[i]);
}

const libcrypto_table *ehc_libcrypto(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return found ? &table : NULL;
}
