/* isal.c: isa-l_crypto alone. It has SM3, in lanes, and no SM4; with another library's SM4 it stands in compose.h. */
#include "isal_lanes.h"

static size_t group_at(const job *work, size_t first)
{
    return work->items - first < LANES_CONTEXTS ? work->items - first : LANES_CONTEXTS;
}

static void hash(const job *work, uint8_t *digests)
{
    for (size_t first = 0, n; first < work->items; first += n) {
        const uint8_t *messages[LANES_CONTEXTS];
        size_t lengths[LANES_CONTEXTS];
        n = group_at(work, first);
        for (size_t i = 0; i < n; i++) {
            messages[i] = work->data + work->offsets[first + i];
            lengths[i] = work->offsets[first + i + 1] - work->offsets[first + i];
        }
        lanes_sm3(messages, lengths, n, digests + 32 * first);
    }
}

static void macs(const job *work, uint8_t *out)
{
    for (size_t first = 0, n; first < work->items; first += n) {
        n = group_at(work, first);
        lanes_mac(work->data + 32 * first, n, out + 32 * first);
    }
}

static const char *open_library(void)
{
    static char name[64] = "isa-l_crypto ";
    strncat(name, isal_crypto_get_version_str(), 40);
    return lanes_open() == 0 ? name : NULL;
}

EXPORT const contender CONTENDER = {open_library, NULL, NULL, {{"hash", hash}, {"mac", macs}, {NULL, NULL}}};
