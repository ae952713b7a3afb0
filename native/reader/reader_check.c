/* reader_check.c: codes signed by their issuer (profile E3), checked without network. Steps carry the numbers of
 * verification (native/README.md). */
#include <stdlib.h>
#include <string.h>

#include "reader_inside.h"
#include "sm2.h"

enum { MAJOR_SHIFT = 16, MOST_TOLERANCE = 86400, SERIAL = 10, ALIAS = 16, FIRST_ROOM = 64 };

static const uint8_t USER_ID[16] = "1234567812345678"; /* GB/T 35276: of whoever names no other */

typedef struct {
    uint32_t issuer;
    uint8_t key_version, point[64];
    ehc_sm2_key *key;
} trusted;

typedef struct {
    uint8_t alias[ALIAS];
    int64_t before;
} revoked_alias;

/* Rows of one size, as many as there is memory for up to EHC_READER_MOST_REVOKED, in ascending order of their names. */
typedef struct {
    uint8_t *rows;
    size_t n, room, row, name;
} table;

struct ehc_reader {
    trusted keys[EHC_READER_MOST_KEYS];
    size_t n;
    table codes, aliases;
};

int ehc_reader_open(uint32_t api, ehc_reader **out)
{
    if (out == NULL)
        return EHC_READER_E_ARGUMENT;
    *out = NULL;
    if (api >> MAJOR_SHIFT != EHC_READER_API >> MAJOR_SHIFT || api > EHC_READER_API)
        return EHC_READER_E_VERSION;
    int status = reader_ready();
    if (status != EHC_READER_OK)
        return status;
    ehc_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        return EHC_READER_E_MEMORY;
    reader->codes.row = reader->codes.name = SERIAL;
    reader->aliases.row = sizeof(revoked_alias);
    reader->aliases.name = ALIAS;
    *out = reader;
    return EHC_READER_OK;
}

void ehc_reader_close(ehc_reader *reader)
{
    if (reader == NULL)
        return;
    for (size_t i = 0; i < reader->n; i++)
        ehc_sm2_free(reader->keys[i].key);
    free(reader->codes.rows);
    free(reader->aliases.rows);
    free(reader);
}

static const trusted *find_key(const ehc_reader *reader, uint32_t issuer, uint8_t key_version)
{
    for (size_t i = 0; i < reader->n; i++)
        if (reader->keys[i].issuer == issuer && reader->keys[i].key_version == key_version)
            return &reader->keys[i];
    return NULL;
}

int ehc_reader_trust(ehc_reader *reader, uint32_t issuer, uint8_t key_version, const uint8_t key[64])
{
    if (reader == NULL || key == NULL || issuer > 999999 || find_key(reader, issuer, key_version) != NULL)
        return EHC_READER_E_ARGUMENT;
    if (reader->n == EHC_READER_MOST_KEYS)
        return EHC_READER_E_FULL;
    trusted *row = &reader->keys[reader->n];
    int status = ehc_sm2_public(&row->key, key);
    if (status != EHC_SM2_OK)
        return status == EHC_SM2_NO_LIBRARY ? EHC_READER_E_LIBCRYPTO : EHC_READER_E_KEY;
    memcpy(row->point, key, sizeof row->point);
    row->issuer = issuer;
    row->key_version = key_version;
    reader->n++;
    return EHC_READER_OK;
}

/* Where a name stands, or belongs; *there says which. */
static size_t place_of(const table *in, const uint8_t *name, int *there)
{
    size_t low = 0, high = in->n;
    *there = 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = memcmp(in->rows + middle * in->row, name, in->name);
        if (order == 0)
            return *there = 1, middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int grow(table *in)
{
    if (in->n < in->room)
        return EHC_READER_OK;
    if (in->n >= EHC_READER_MOST_REVOKED)
        return EHC_READER_E_FULL;
    size_t room = in->room == 0 ? FIRST_ROOM : 2 * in->room;
    uint8_t *rows = realloc(in->rows, room * in->row);
    if (rows == NULL)
        return EHC_READER_E_MEMORY;
    in->rows = rows;
    in->room = room;
    return EHC_READER_OK;
}

/* row begins with its name; one of a name that is there replaces it. */
static int put(table *in, const void *row)
{
    int there, status;
    size_t place = place_of(in, row, &there);
    if (!there) {
        if ((status = grow(in)) != EHC_READER_OK)
            return status;
        memmove(in->rows + (place + 1) * in->row, in->rows + place * in->row, (in->n - place) * in->row);
        in->n++;
    }
    memcpy(in->rows + place * in->row, row, in->row);
    return EHC_READER_OK;
}

int ehc_reader_revoke(ehc_reader *reader, const uint8_t serial[10])
{
    return reader == NULL || serial == NULL ? EHC_READER_E_ARGUMENT : put(&reader->codes, serial);
}

int ehc_reader_revoke_alias(ehc_reader *reader, const uint8_t alias[16], int64_t issued_before)
{
    revoked_alias row;
    if (reader == NULL || alias == NULL)
        return EHC_READER_E_ARGUMENT;
    memset(&row, 0, sizeof row);
    memcpy(row.alias, alias, ALIAS);
    row.before = issued_before;
    return put(&reader->aliases, &row);
}

static int is_revoked(const ehc_reader *reader, const ehc_reader_verdict *code)
{
    int there;
    (void)place_of(&reader->codes, code->serial, &there);
    if (there)
        return 1;
    size_t place = place_of(&reader->aliases, code->alias, &there);
    if (!there)
        return 0;
    revoked_alias row;
    memcpy(&row, reader->aliases.rows + place * reader->aliases.row, sizeof row);
    return code->issued_at < row.before;
}

static int refuse(ehc_reader_verdict *out, int32_t step, int status)
{
    out->step = step;
    return status;
}

static int signature_holds(const trusted *by, const uint8_t raw[READER_RAW])
{
    uint8_t e[32];
    return ehc_sm2_e(by->point, USER_ID, sizeof USER_ID, raw, READER_MESSAGE, e) == EHC_SM2_OK &&
           ehc_sm2_verify(by->key, e, raw + READER_MESSAGE) == EHC_SM2_OK;
}

static int check_signed(const ehc_reader *reader, const char *text, size_t length, int64_t now, int64_t tolerance,
                        ehc_reader_verdict *out)
{
    uint8_t raw[READER_RAW];
    uint32_t offset;
    ehc_reader_payload code;

    /* 1 length and alphabet · 2 grammar and profile */
    int status = reader_signed(text, length, raw, &offset);
    if (status != EHC_READER_OK)
        return refuse(out, status == EHC_READER_GRAMMAR ? 2 : 1, status);
    reader_header(raw, &code);
    /* 3 key version */
    const trusted *by = find_key(reader, code.issuer, code.key_version);
    if (by == NULL)
        return refuse(out, 3, EHC_READER_KEY_VERSION);
    /* 4 authenticity */
    if (!signature_holds(by, raw))
        return refuse(out, 4, EHC_READER_FORGED);
    memcpy(out->serial, raw + 1, 4);
    memcpy(out->serial + 4, raw + 10, 6);
    memcpy(out->alias, raw + 16, ALIAS);
    out->issued_at = code.issued_at;
    out->expires_at = code.expires_at;
    /* 5 time window */
    if (now < code.issued_at - tolerance)
        return refuse(out, 5, EHC_READER_EARLY);
    if (code.expires_at != INT64_MAX && now > code.expires_at + tolerance)
        return refuse(out, 5, EHC_READER_EXPIRED);
    /* 6 revocation */
    return is_revoked(reader, out) ? refuse(out, 6, EHC_READER_REVOKED) : EHC_READER_OK;
}

int ehc_reader_check(const ehc_reader *reader, const char *text, size_t length, int64_t now, int64_t tolerance,
                     ehc_reader_verdict *out)
{
    if (reader == NULL || text == NULL || out == NULL || tolerance < 0 || tolerance > MOST_TOLERANCE)
        return EHC_READER_E_ARGUMENT;
    memset(out, 0, sizeof *out);
    length = reader_trimmed(text, length);
    if (length >= 5 && memcmp(text, "EHC3:", 5) == 0)
        return check_signed(reader, text, length, now, tolerance, out);
    ehc_reader_payload parsed;
    int status = ehc_reader_parse(text, length, &parsed);
    if (status != EHC_READER_OK)
        return refuse(out, status == EHC_READER_LENGTH || status == EHC_READER_CHARACTER ? 1 : 2, status);
    if (parsed.form == EHC_READER_STATIC || parsed.form == EHC_READER_TEMPORARY)
        return refuse(out, 4, EHC_READER_NO_TOKEN);
    return EHC_READER_SERVICE;
}
