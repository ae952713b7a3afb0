/* compact.c: the compact code of profile E2 (native/README.md, "Codes of ours"): "EHC2:" and, in base45,
 *
 *     header (16)  0x21 | issuer << 4 | node (3) | key version | ttl << 5 | channel | issued at (4) | serial (6)
 *     alias (16)   SM4 under the alias key of account (8) ‖ day (4) ‖ 0 (4)
 *     mac (16)     first half of HMAC-SM3 under the mac key of header ‖ alias
 *
 * All integers big-endian. Steps carry the numbers of verification. E3 shares the header and the alias. */
#include "dispatch.h"
#include "kernels.h"
#include "window.h"

static const uint8_t PROFILE = 0x21;
static const int64_t FOREVER = INT64_MAX;
static const int64_t LIFETIME[7] = {30, 60, 120, 300, 3600, 86400, 30 * 86400}; /* of ttl classes 0..6, seconds */

enum { PREFIX = 5, RAW = 48, MESSAGE = 32, MAC = RAW - MESSAGE, DAY = 86400 };

/* The state behind one block of key and pad: half of an HMAC, done once. */
static void absorb(const uint8_t key[32], uint8_t pad, uint32_t state[8])
{
    ehc_sm3_ctx ctx;
    uint8_t block[64];
    memset(block, pad, sizeof block);
    for (size_t i = 0; i < 32; i++)
        block[i] ^= key[i];
    ehc_sm3_init(&ctx);
    memcpy(state, ctx.state, sizeof ctx.state);
    ehc_sm3_compress(state, block, 1);
    ehc_wipe(block, sizeof block);
}

void ehc_compact_set_key(ehc_compact_key *key, const uint8_t protection_key[16], uint8_t version)
{
    static const uint8_t ALIAS_LABEL[12] = "ehc alias v1", MAC_LABEL[10] = "ehc mac v1";
    uint8_t derived[32];
    ehc_hmac_sm3(protection_key, 16, ALIAS_LABEL, sizeof ALIAS_LABEL, derived);
    ehc_sm4_set_key(&key->alias, derived);
    ehc_hmac_sm3(protection_key, 16, MAC_LABEL, sizeof MAC_LABEL, derived);
    absorb(derived, 0x36, key->inner);
    absorb(derived, 0x5C, key->outer);
    key->version = version;
    ehc_wipe(derived, sizeof derived);
}

static uint64_t load48(const uint8_t *p)
{
    return (uint64_t)load32(p) << 16 | (uint64_t)p[4] << 8 | p[5];
}

static uint64_t load64(const uint8_t *p)
{
    return (uint64_t)load32(p) << 32 | load32(p + 4);
}

static void read_header(const uint8_t h[16], ehc_compact *out)
{
    uint32_t issuer = load32(h) & 0xFFFFFF;
    out->issuer = issuer >> 4;
    out->node = issuer & 15;
    out->key_version = h[4];
    out->ttl = h[5] >> 5;
    out->channel = h[5] & 31;
    out->issued_at = (int64_t)EHC_COMPACT_EPOCH + load32(h + 6);
    out->serial = load48(h + 10);
}

/* A code's header and what its alias hides; 0 when a field is out of its range. */
static int write_fields(const ehc_compact *code, uint8_t version, uint8_t header[16], uint8_t alias[16])
{
    uint64_t issued_at = (uint64_t)code->issued_at - EHC_COMPACT_EPOCH;
    uint32_t place = (uint32_t)PROFILE << 24 | code->issuer << 4 | code->node;
    uint32_t kind = (uint32_t)version << 24 | (uint32_t)code->ttl << 21 | (uint32_t)code->channel << 16;
    store64(header, (uint64_t)place << 32 | kind | issued_at >> 16);
    store64(header + 8, issued_at << 48 | code->serial);
    store64(alias, code->account);
    store64(alias + 8, (uint64_t)((uint32_t)issued_at / DAY) << 32);
    return (code->issuer <= 999999) & ((code->node >> 4 | code->ttl >> 3 | code->channel >> 5) == 0) &
           ((code->serial >> 48 | issued_at >> 32) == 0);
}

static int64_t expiry_of(int64_t issued_at, unsigned ttl)
{
    return ttl == 7 ? FOREVER : issued_at + LIFETIME[ttl];
}

/* Steps 1 and 2. */
static int take_text(const uint8_t *text, size_t length, uint8_t raw[RAW], ehc_compact *out, size_t *error_offset)
{
    size_t n;
    memset(out, 0, sizeof *out);
    *error_offset = 0;

    /* 1 length and alphabet; a scanner may end its line */
    while (length > 0 && (text[length - 1] == '\r' || text[length - 1] == '\n' || text[length - 1] == '\t'))
        length--;
    if (length != EHC_COMPACT_LENGTH)
        return EHC_PAYLOAD_LENGTH;
    int status = ehc_base45_decode(text + PREFIX, EHC_COMPACT_LENGTH - PREFIX, raw, &n, error_offset);
    *error_offset += status == EHC_OK ? 0 : PREFIX;

    /* 2 grammar and profile */
    if (memcmp(text, "EHC2:", PREFIX) != 0) {
        *error_offset = 0;
        return EHC_PAYLOAD_GRAMMAR;
    }
    if (status == EHC_OK && raw[0] != PROFILE) {
        *error_offset = PREFIX;
        return EHC_PAYLOAD_GRAMMAR;
    }
    if (status == EHC_OK)
        read_header(raw, out);
    return status;
}

int ehc_parse_compact(const uint8_t *text, size_t length, ehc_compact *out, size_t *error_offset)
{
    uint8_t raw[RAW];
    return take_text(text, length, raw, out, error_offset);
}

/* What steps 3 to 5 need of a row. */
enum { GROUP = 64 };

typedef struct {
    uint8_t message[GROUP][MESSAGE], alias[GROUP][16], mac[GROUP][MAC], right[GROUP][32];
} group;

static void put_row(group *g, size_t i, const uint8_t raw[RAW])
{
    memcpy(g->message[i], raw, MESSAGE);
    memcpy(g->alias[i], raw + 16, 16);
    memcpy(g->mac[i], raw + MESSAGE, MAC);
}

/* 4 authenticity: the mac, and the alias made for the day of issue; all of both, before anything is decided. */
static int is_authentic(const group *g, size_t i)
{
    uint32_t day = load32(g->message[i] + 6) / DAY;
    uint64_t odd = (load64(g->right[i]) ^ load64(g->mac[i])) | (load64(g->right[i] + 8) ^ load64(g->mac[i] + 8));
    odd |= load64(g->alias[i] + 8) ^ (uint64_t)day << 32;
    return ehc_equal(&odd, &(uint64_t){0}, sizeof odd);
}

/* Gives account and expiry of an authentic row only. */
static int judge_row(const group *g, size_t i, const ehc_compact_key *key, int64_t now, int64_t tolerance,
                     uint64_t *account, int64_t *expiry)
{
    const uint8_t *header = g->message[i];

    /* 3 key version */
    if (header[4] != key->version)
        return EHC_TOKEN_KEY_VERSION;
    if (!is_authentic(g, i))
        return EHC_TOKEN_FORGED;
    *account = load64(g->alias[i]);
    int64_t issued_at = (int64_t)EHC_COMPACT_EPOCH + load32(header + 6);
    *expiry = expiry_of(issued_at, header[5] >> 5);

    /* 5 time window, both ends included */
    if (add_saturated(now, tolerance) < issued_at)
        return EHC_TOKEN_EARLY;
    return *expiry < add_saturated(now, -tolerance) ? EHC_TOKEN_EXPIRED : EHC_OK;
}

static void open_group(group *g, const ehc_compact_key *key, size_t n)
{
    ehc_tier_current()->token.hmac_many(key->inner, key->outer, g->message[0], n, g->right[0]);
    ehc_sm4_decrypt(&key->alias, g->alias[0], g->alias[0], n);
}

int ehc_check_compact(const ehc_compact_key *key, const uint8_t *text, size_t length, int64_t now, int64_t tolerance,
                      ehc_compact *out, int64_t *expiry, size_t *error_offset)
{
    group g;
    uint8_t raw[RAW];
    int status = take_text(text, length, raw, out, error_offset);
    *expiry = 0;
    if (status != EHC_OK)
        return status;
    put_row(&g, 0, raw);
    open_group(&g, key, 1);
    return judge_row(&g, 0, key, now, tolerance, &out->account, expiry);
}

int ehc_open_alias(const ehc_compact_key *key, const uint8_t alias[16], uint32_t day, uint64_t *account)
{
    uint8_t opened[16];
    ehc_sm4_decrypt(&key->alias, alias, opened, 1);
    uint64_t odd = load64(opened + 8) ^ (uint64_t)day << 32;
    int is_right = ehc_equal(&odd, &(uint64_t){0}, sizeof odd);
    *account = is_right ? load64(opened) : 0;
    return is_right ? EHC_OK : EHC_TOKEN_FORGED;
}

/* Steps 1 and 2 of a row that the scan does not know: it may have a line's end, and why else it is none is asked here. */
static int take_other(group *g, size_t i, const uint8_t *data, const uint32_t *offsets)
{
    ehc_compact code;
    uint8_t raw[RAW] = {0};
    size_t error_offset, length = offsets[i + 1] < offsets[i] ? 0 : offsets[i + 1] - offsets[i];
    int status = take_text(data + offsets[i], length, raw, &code, &error_offset);
    put_row(g, i, raw);
    return status;
}

static void check_group(const ehc_compact_key *key, const uint8_t *data, const uint32_t *offsets, size_t n, int64_t now,
                        int64_t tolerance, uint64_t *account, int64_t *expiry, uint8_t *status)
{
    group g;
    uint8_t compact[GROUP];
    ehc_tier_current()->token.compact_scan(data, offsets, n, g.message[0], g.alias[0], g.mac[0], compact);
    for (size_t i = 0; i < n; i++)
        status[i] = (uint8_t)(compact[i] && g.message[i][0] == PROFILE ? EHC_OK : take_other(&g, i, data, offsets));
    open_group(&g, key, n);
    for (size_t i = 0; i < n; i++) {
        account[i] = 0;
        expiry[i] = 0;
        if (status[i] == EHC_OK)
            status[i] = (uint8_t)judge_row(&g, i, key, now, tolerance, &account[i], &expiry[i]);
    }
}

size_t ehc_check_compact_batch(const ehc_compact_key *key, const uint8_t *data, const uint32_t *offsets, size_t n,
                               int64_t now, int64_t tolerance, uint64_t *account, int64_t *expiry, uint8_t *status)
{
    size_t refused = 0;
    for (size_t i = 0; i < n; i += GROUP)
        check_group(key, data, offsets + i, n - i < GROUP ? n - i : GROUP, now, tolerance, account + i, expiry + i,
                    status + i);
    for (size_t i = 0; i < n; i++)
        refused += status[i] != EHC_OK;
    return refused;
}

static size_t make_group(const ehc_compact_key *key, const ehc_compact *codes, size_t n, uint8_t *texts,
                         uint8_t *status)
{
    const ehc_token_kernels *kernels = &ehc_tier_current()->token;
    group g;
    size_t bad = 0;
    for (size_t i = 0; i < n; i++) {
        int right = write_fields(&codes[i], key->version, g.message[i], g.alias[i]);
        status[i] = right ? EHC_OK : EHC_TOKEN_FORGED;
        bad += !right;
    }
    ehc_sm4_encrypt(&key->alias, g.alias[0], g.alias[0], n);
    for (size_t i = 0; i < n; i++)
        memcpy(g.message[i] + 16, g.alias[i], 16);
    kernels->hmac_many(key->inner, key->outer, g.message[0], n, g.right[0]);
    kernels->compact_write(g.message[0], g.right[0], n, texts);
    for (size_t i = 0; bad > 0 && i < n; i++)
        if (status[i] != EHC_OK)
            memset(texts + EHC_COMPACT_LENGTH * i, 0, EHC_COMPACT_LENGTH);
    return bad;
}

size_t ehc_make_compact_batch(const ehc_compact_key *key, const ehc_compact *codes, size_t n, uint8_t *texts,
                              uint8_t *status)
{
    size_t bad = 0;
    for (size_t i = 0; i < n; i += GROUP)
        bad += make_group(key, codes + i, n - i < GROUP ? n - i : GROUP, texts + EHC_COMPACT_LENGTH * i, status + i);
    return bad;
}

int ehc_make_compact(const ehc_compact_key *key, const ehc_compact *code, uint8_t *text)
{
    uint8_t status;
    ehc_make_compact_batch(key, code, 1, text, &status);
    return status;
}
