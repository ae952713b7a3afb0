/* test_run.c: every suite on every tier of this processor, or on those named. Exit status 0 when all checks hold. */
#include <stdbool.h>

#include "check.h"

unsigned long checks, failures;

static void (*const SUITES[])(void) = {test_dispatch, test_primitives,    test_derive, test_columns, test_payload,
                                       test_token,    test_token_kernels, test_codes,  test_claims,  test_host};

static bool asked_for(const char *tier, int count, char **names)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(names[i], tier) == 0)
            return true;
    }
    return count == 0;
}

int main(int argc, char **argv)
{
    for (size_t i = 0; ehc_tier_name(i) != NULL; i++) {
        if (!asked_for(ehc_tier_name(i), argc - 1, argv + 1))
            continue;
        if (!ehc_tier_supported(i)) {
            printf("tier %s: not on this processor\n", ehc_tier_name(i));
            continue;
        }
        unsigned long before = checks;
        CHECK(ehc_init(ehc_tier_name(i)) == EHC_OK);
        CHECK(strcmp(ehc_tier_chosen(), ehc_tier_name(i)) == 0);
        for (size_t k = 0; k < sizeof SUITES / sizeof SUITES[0]; k++)
            SUITES[k]();
        printf("tier %s: %lu checks\n", ehc_tier_name(i), checks - before);
    }
    printf("%lu checks, %lu failures\n", checks, failures);
    return failures != 0;
}
