/* test_dispatch.c: the table and its errors. Leaves the tier as it was. */
#include "check.h"

void test_dispatch(void)
{
    const char *chosen = ehc_tier_chosen();
    size_t count = 0, best = 0;
    while (ehc_tier_name(count) != NULL)
        count++;
    while (!ehc_tier_supported(best))
        best++;

    CHECK(count >= 1);
    CHECK(strcmp(ehc_tier_name(count - 1), "portable") == 0);
    CHECK(ehc_tier_supported(count - 1));
    CHECK(!ehc_tier_supported(count));
    CHECK(ehc_tier_name(count + 1) == NULL);

    CHECK(ehc_init("nonsense") == EHC_E_TIER_UNKNOWN);
    CHECK(ehc_init("") == EHC_E_TIER_UNKNOWN);
    CHECK(ehc_init("porta") == EHC_E_TIER_UNKNOWN);
    CHECK(strcmp(ehc_tier_chosen(), chosen) == 0);
    for (size_t i = 0; i < count; i++)
        CHECK(ehc_init(ehc_tier_name(i)) == (ehc_tier_supported(i) ? EHC_OK : EHC_E_TIER_UNSUPPORTED));

    CHECK(ehc_init(NULL) == EHC_OK);
    CHECK(strcmp(ehc_tier_chosen(), ehc_tier_name(best)) == 0);
    CHECK(ehc_init(chosen) == EHC_OK);
}
