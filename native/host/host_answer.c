/* host_answer.c: the machine's end of the host protocol: frames in, answers out, in order, many at a time.
 *
 * Each frame is parsed once; its answer's place is known then, so card ids are gathered and made in lanes afterwards
 * while the frames behind them are parsed. Whatever a frame holds, it gets one answer. */
#include "bcd_time.h"
#include "dispatch.h"
#include "host.h"

enum { GROUP = 64, SHORT_BLOCKS = 2 }; /* requests gathered; a card id has two blocks */

/* Requests under one root key and in one direction, of at most SHORT_BLOCKS blocks each. */
typedef struct {
    const ehc_sm4_key *root;
    int decrypt;
    size_t count, blocks;
    uint8_t factors[GROUP][16], user_keys[GROUP][16];
    uint8_t keys[SHORT_BLOCKS * GROUP][16], data[SHORT_BLOCKS * GROUP][16];
    uint8_t *to[GROUP];
    size_t first[GROUP + 1];
} gathered;

typedef struct {
    const ehc_host *host;
    uint32_t (*counts)[EHC_HOST_VERSIONS];
    uint8_t *out;
    size_t at;
    gathered cards;
} session;

/* What is left of a body. */
typedef struct {
    const uint8_t *at;
    size_t left;
} fields;

static const uint8_t *take(fields *f, size_t n)
{
    if (f->left < n)
        return NULL;
    f->at += n, f->left -= n;
    return f->at - n;
}

static int is_text(const uint8_t *at, const char *text, size_t n)
{
    return memcmp(at, text, n) == 0;
}

/* The head of an answer: length, command, code. Returns where its body goes on. */
static uint8_t *put_head(session *s, const char command[2], unsigned code, size_t rest)
{
    uint8_t *to = put16(s->out + s->at, 4 + rest);
    to = put_bytes(to, command, 2);
    to = put_decimal(to, code, 2);
    s->at += LENGTH_FIELD + 4 + rest;
    return to;
}

static void refuse(session *s, const char command[2], unsigned code)
{
    put_head(s, command, code, 0);
    s->counts[EHC_HOST_REFUSED][code]++;
}

/* ---- SM4 under keys of persons ---- */

static void flush(gathered *g)
{
    if (g->count == 0)
        return;
    ehc_sm4_encrypt(g->root, g->factors[0], g->user_keys[0], g->count);
    for (size_t i = 0; i < g->count; i++)
        for (size_t k = g->first[i]; k < g->first[i + 1]; k++)
            memcpy(g->keys[k], g->user_keys[i], 16);
    ehc_tier_current()->token.sm4_many_keys(g->keys[0], g->data[0], g->data[0], g->blocks, g->decrypt);
    for (size_t i = 0; i < g->count; i++)
        memcpy(g->to[i], g->data[g->first[i]], 16 * (g->first[i + 1] - g->first[i]));
    g->count = g->blocks = 0;
}

/* n bytes, filled up with zeros to whole blocks. */
static void gather(gathered *g, const ehc_sm4_key *root, int decrypt, const uint8_t factor[16], const uint8_t *data,
                   size_t n, uint8_t *to)
{
    size_t blocks = (n + 15) / 16;
    if (root != g->root || decrypt != g->decrypt || g->count == GROUP)
        flush(g);
    g->root = root, g->decrypt = decrypt;
    memcpy(g->factors[g->count], factor, 16);
    memset(g->data[g->blocks], 0, 16 * blocks);
    memcpy(g->data[g->blocks], data, n);
    g->to[g->count] = to;
    g->first[g->count++] = g->blocks;
    g->first[g->count] = g->blocks += blocks;
}

/* The same at once, for data that is no card id. */
static void cipher_long(const ehc_sm4_key *root, int decrypt, const uint8_t factor[16], const uint8_t *data, size_t n,
                        uint8_t *to)
{
    uint8_t user_key[16];
    ehc_sm4_key key;
    ehc_sm4_encrypt(root, factor, user_key, 1);
    ehc_sm4_set_key(&key, user_key);
    memset(to + n / 16 * 16, 0, n % 16 == 0 ? 0 : 16);
    memcpy(to, data, n);
    if (decrypt)
        ehc_sm4_decrypt(&key, to, to, n / 16);
    else
        ehc_sm4_encrypt(&key, to, to, (n + 15) / 16);
    ehc_wipe(user_key, sizeof user_key);
    ehc_wipe(&key, sizeof key);
}

/* ---- the commands ---- */

typedef struct {
    int decrypt, with_factor;
    unsigned version;
    uint8_t factor[16];
    const uint8_t *data;
    size_t length;
} request;

static int read_factor(const uint8_t *digits, uint8_t factor[16])
{
    if (!ehc_unhex(digits, 16, factor))
        return EHC_HOST_FIELD;
    for (size_t i = 0; i < 8; i++)
        if ((factor[i] ^ factor[i + 8]) != 0xFF)
            return EHC_HOST_FACTOR;
    return EHC_HOST_DONE;
}

/* K and four digits: 102 + 2·version. */
static int read_version(const uint8_t *name, unsigned *version)
{
    int number = read_decimal(name + 1, 4);
    if (name[0] != 'K' || number < 0)
        return EHC_HOST_FIELD;
    int twice = number - KEY_NUMBER_ZERO;
    if (twice < 2 || twice % 2 != 0 || twice / 2 >= EHC_HOST_VERSIONS)
        return EHC_HOST_KEY_MISSING;
    *version = (unsigned)twice / 2;
    return EHC_HOST_DONE;
}

/* 00, padding, length and data. */
static int read_data(fields *f, request *r)
{
    uint8_t length[2];
    const uint8_t *head = take(f, 8);
    if (head == NULL)
        return EHC_HOST_ENDS_EARLY;
    if (!is_text(head, "00", 2) || !ehc_unhex(head + 4, 2, length))
        return EHC_HOST_FIELD;
    if (!is_text(head + 2, r->decrypt ? "05" : "02", 2))
        return EHC_HOST_PADDING;
    r->length = load16(length);
    r->data = take(f, r->length);
    if (r->data == NULL)
        return EHC_HOST_ENDS_EARLY;
    if (f->left > 0)
        return EHC_HOST_GOES_ON;
    return r->length == 0 || (r->decrypt && r->length % 16 != 0) ? EHC_HOST_LENGTH : EHC_HOST_DONE;
}

/* 00 00A Knnnn, count of factors, factor, data. */
static int read_request(fields *f, request *r)
{
    const uint8_t *head = take(f, 12);
    if (head == NULL)
        return EHC_HOST_ENDS_EARLY;
    if (!is_text(head, "0000A", 5))
        return EHC_HOST_ALGORITHM;
    int code = read_version(head + 5, &r->version);
    if (code != EHC_HOST_DONE)
        return code;
    r->with_factor = is_text(head + 10, "01", 2);
    if (r->with_factor) {
        const uint8_t *factor = take(f, FACTOR_DIGITS);
        code = factor == NULL ? EHC_HOST_ENDS_EARLY : read_factor(factor, r->factor);
        if (code != EHC_HOST_DONE)
            return code;
    } else if (!is_text(head + 10, "00", 2))
        return EHC_HOST_FACTOR;
    return read_data(f, r);
}

/* Not zero unless the sixteen bytes are a time in BCD and nine zeros. */
static uint32_t is_no_validity(const uint8_t plain[16])
{
    int32_t days, second;
    return read_bcd_time(load32(plain), load32(plain + 4), &days, &second) | plain[7] | load32(plain + 8) |
           load32(plain + 12);
}

/* A validity token made or opened: under the protection key itself, so a time and nothing else. */
static int answer_validity(session *s, const request *r, const ehc_sm4_key *key, const char command[2])
{
    uint8_t block[16] = {0};
    if (r->length != (r->decrypt ? 16 : 7))
        return EHC_HOST_LENGTH;
    memcpy(block, r->data, r->length);
    if (r->decrypt)
        ehc_sm4_decrypt(key, block, block, 1);
    if (is_no_validity(block))
        return EHC_HOST_NOT_OURS;
    if (!r->decrypt)
        ehc_sm4_encrypt(key, block, block, 1);
    put_bytes(put_hex16(put_head(s, command, EHC_HOST_DONE, 20), 16), block, 16);
    s->counts[r->decrypt ? EHC_HOST_VALIDITY_OPENED : EHC_HOST_VALIDITY_MADE][r->version]++;
    return EHC_HOST_DONE;
}

static int answer_card(session *s, const request *r, const ehc_sm4_key *key, const char command[2])
{
    size_t padded = (r->length + 15) / 16 * 16;
    uint8_t *to = put_hex16(put_head(s, command, EHC_HOST_DONE, 4 + padded), padded);
    if (padded <= 16 * SHORT_BLOCKS)
        gather(&s->cards, key, r->decrypt, r->factor, r->data, r->length, to);
    else
        cipher_long(key, r->decrypt, r->factor, r->data, r->length, to);
    s->counts[r->decrypt ? EHC_HOST_CARD_OPENED : EHC_HOST_CARD_MADE][r->version]++;
    return EHC_HOST_DONE;
}

static int answer_cipher(session *s, fields *f, int decrypt)
{
    request r = {.decrypt = decrypt};
    const char *command = decrypt ? "S5" : "S4";
    int code = read_request(f, &r);
    if (code != EHC_HOST_DONE)
        return code;
    const ehc_host_key *key = &(r.with_factor ? s->host->security : s->host->protection)[r.version];
    if (key->key == NULL)
        return EHC_HOST_KEY_MISSING;
    if ((key->may & (decrypt ? EHC_HOST_OPEN : EHC_HOST_MAKE)) == 0)
        return EHC_HOST_KEY_STATE;
    return (r.with_factor ? answer_card : answer_validity)(s, &r, key->key, command);
}

static int answer_digest(session *s, fields *f)
{
    const uint8_t *head = take(f, 6);
    if (head == NULL)
        return EHC_HOST_ENDS_EARLY;
    if (!is_text(head, "20", 2))
        return EHC_HOST_ALGORITHM;
    int length = read_decimal(head + 2, 4);
    if (length < 0)
        return EHC_HOST_FIELD;
    const uint8_t *data = take(f, (size_t)length), *end = data == NULL ? NULL : take(f, 9);
    if (end == NULL)
        return EHC_HOST_ENDS_EARLY;
    if (!is_text(end, ";00000000", 9))
        return EHC_HOST_FIELD;
    if (f->left > 0)
        return EHC_HOST_GOES_ON;
    ehc_sm3(data, (size_t)length, put_bytes(put_head(s, "3D", EHC_HOST_DONE, 34), "32", 2));
    s->counts[EHC_HOST_DIGEST][0]++;
    return EHC_HOST_DONE;
}

static int answer_device(session *s, const fields *f)
{
    if (f->left > 0)
        return EHC_HOST_GOES_ON;
    put_bytes(put_head(s, "ND", EHC_HOST_DONE, s->host->text_length), s->host->text, s->host->text_length);
    s->counts[EHC_HOST_DEVICE][0]++;
    return EHC_HOST_DONE;
}

/* Four characters come back, with twelve zeros. */
static int answer_heartbeat(session *s, fields *f)
{
    const uint8_t *said = take(f, 4);
    if (said == NULL)
        return EHC_HOST_ENDS_EARLY;
    if (f->left > 0)
        return EHC_HOST_GOES_ON;
    put_bytes(put_bytes(put_head(s, "CS", EHC_HOST_DONE, 16), said, 4), "000000000000", 12);
    s->counts[EHC_HOST_DEVICE][0]++;
    return EHC_HOST_DONE;
}

static void answer_one(session *s, fields f)
{
    const char *command = "ER";
    int code = EHC_HOST_COMMAND, refuses = s->host->refuses;
    const uint8_t *name = take(&f, 2);
    if (name == NULL)
        code = EHC_HOST_ENDS_EARLY;
    else if (is_text(name, "NC", 2))
        command = "ND", code = answer_device(s, &f);
    else if (is_text(name, "CR", 2))
        command = "CS", code = answer_heartbeat(s, &f);
    else if (is_text(name, "3C", 2))
        command = "3D", code = refuses ? refuses : answer_digest(s, &f);
    else if (is_text(name, "S3", 2))
        command = "S4", code = refuses ? refuses : answer_cipher(s, &f, 0);
    else if (is_text(name, "S4", 2))
        command = "S5", code = refuses ? refuses : answer_cipher(s, &f, 1);
    if (code != EHC_HOST_DONE)
        refuse(s, command, (unsigned)code);
}

size_t ehc_host_answer(const ehc_host *host, const uint8_t *in, size_t length, uint8_t *out, size_t room,
                       size_t *written, uint32_t counts[EHC_HOST_OPERATIONS][EHC_HOST_VERSIONS])
{
    session s;
    memset(&s, 0, sizeof s);
    s.host = host, s.counts = counts, s.out = out;
    size_t at = 0;
    while (length - at >= LENGTH_FIELD) {
        size_t body = load16(in + at);
        if (length - at - LENGTH_FIELD < body || room - s.at < body + EHC_HOST_ANSWER_MORE)
            break;
        answer_one(&s, (fields){in + at + LENGTH_FIELD, body});
        at += LENGTH_FIELD + body;
    }
    flush(&s.cards);
    ehc_wipe(&s.cards, sizeof s.cards);
    *written = s.at;
    return at;
}
