/* ehc.h: the whole C API of the compiled core. No Python, no allocation, no global state but the chosen tier.
 *
 * Terms and bytes: native/README.md, "The rules, byte for byte". All integers of the ciphers are
 * big-endian in memory; times are seconds since 1970-01-01T00:00:00Z; China Standard Time is UTC+8 without
 * daylight saving. Buffers need no alignment. */
#ifndef EHC_H
#define EHC_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Status codes. One table in ehc/errors.py maps each to its exception, problem type and exit code. */
enum {
    EHC_OK = 0,

    /* the library as a whole */
    EHC_E_TIER_UNKNOWN = 1,     /* EHC_ISA names no compiled tier */
    EHC_E_TIER_UNSUPPORTED = 2, /* EHC_ISA names a tier this processor cannot run */
    EHC_E_SELFTEST = 3,         /* a known answer did not come out */

    /* a row of a batch */
    EHC_ROW_ID_SHORT = 16,     /* id_type and id_number together under 3 bytes */
    EHC_ROW_ID_LONG = 17,      /* id_type and id_number together over 32 bytes */
    EHC_ROW_ID_CHARACTER = 18, /* a byte of id_type or id_number outside 0x20..0x7E */
    EHC_ROW_OFFSETS = 19,      /* the row ends before it begins, or before its id does */
    EHC_ROW_IRREGULAR = 20,    /* not already canonical: normalise it first (ehc_pack_columns only) */

    /* a payload: steps 1 and 2 of verification */
    EHC_PAYLOAD_LENGTH = 32,
    EHC_PAYLOAD_CHARACTER = 33,
    EHC_PAYLOAD_FOREIGN = 34, /* a known code of somebody else: see ehc_payload.kind */
    EHC_PAYLOAD_GRAMMAR = 35,

    /* a token: steps 4 and 5 */
    EHC_TOKEN_NONE = 48,       /* a static or temporary code: there is no token to check */
    EHC_TOKEN_FORGED = 49,     /* padding or BCD wrong: not made under this key */
    EHC_TOKEN_EXPIRED = 50,    /* authentic, but too old */
    EHC_TOKEN_EARLY = 51,      /* authentic, but further ahead than the policy's validity */
    EHC_TOKEN_KEY_VERSION = 52 /* step 3: names another key version than the key's */
};

/* ---- tiers (the dispatch table stands in base/dispatch.c) ---- */

/* Picks the tier named by EHC_ISA, else the best this processor runs, and checks it with the standards' known
 * answers. Call once before anything else. */
int ehc_init(const char *forced_name);
/* Row `i` of the table, best first: its name, whether this processor can run it. NULL past the end. */
const char *ehc_tier_name(size_t i);
int ehc_tier_supported(size_t i);
const char *ehc_tier_chosen(void);

/* ---- SM3 (GB/T 32905) and HMAC-SM3 (RFC 2104 over SM3) ---- */

typedef struct {
    uint32_t state[8];
    uint64_t length;
    uint8_t block[64];
} ehc_sm3_ctx;

void ehc_sm3_init(ehc_sm3_ctx *ctx);
void ehc_sm3_update(ehc_sm3_ctx *ctx, const uint8_t *data, size_t length);
void ehc_sm3_final(ehc_sm3_ctx *ctx, uint8_t digest[32]);
void ehc_sm3(const uint8_t *data, size_t length, uint8_t digest[32]);
void ehc_hmac_sm3(const uint8_t *key, size_t key_length, const uint8_t *data, size_t length, uint8_t mac[32]);

/* ---- SM4 (GB/T 32907), ECB ---- */

typedef struct {
    uint32_t encrypt[32], decrypt[32];
} ehc_sm4_key;

void ehc_sm4_set_key(ehc_sm4_key *key, const uint8_t raw[16]);
void ehc_sm4_encrypt(const ehc_sm4_key *key, const uint8_t *in, uint8_t *out, size_t blocks);
void ehc_sm4_decrypt(const ehc_sm4_key *key, const uint8_t *in, uint8_t *out, size_t blocks);

/* ---- derivation (native/README.md, "Identifiers") ---- */

/* Rows i = 0..n-1 are the bytes data[offsets[i] .. offsets[i+1]) = id_type ‖ id_number ‖ name, of which the first
 * id_lengths[i] are id_type ‖ id_number. Writes mindex and card_id, 32 bytes a row (the card id of 32-byte padding;
 * with `minimal` padding and an id of at most 16 bytes its first 16 are the whole), and status[i]. A bad row gets its
 * status and 64 zero bytes; the others are done. Returns the number of bad rows. */
size_t ehc_derive_batch(const ehc_sm4_key *security_key, const uint8_t *data, const uint32_t *offsets,
                        const uint8_t *id_lengths, size_t n, uint8_t *mindex, uint8_t *card_id, uint8_t *status);

/* Card ids of the same rows under two security keys in one pass, as a change of keys needs them: what ehc_derive_batch
 * gives as card_id under either, without the mindex. A bad row gets its status and 64 zero bytes. Returns the number of
 * bad rows. */
size_t ehc_rekey_batch(const ehc_sm4_key *old_key, const ehc_sm4_key *new_key, const uint8_t *data,
                       const uint32_t *offsets, const uint8_t *id_lengths, size_t n, uint8_t *old_card_id,
                       uint8_t *new_card_id, uint8_t *status);

/* One UTF-8 column: row i is data[offsets[i] .. offsets[i+1]). Arrow's layout. */
typedef struct {
    const uint8_t *data;
    const int32_t *offsets;
} ehc_column;

/* A resident id (GB 11643) in its one form that needs no calendar: other centuries than 19 and 20, and the 29th of
 * February, are left to the slow path. */
int ehc_is_plain_resident_id(const uint8_t *number, size_t length);

/* Packs rows that need no normalisation (derive/columns.c says which) into the layout of ehc_derive_batch. Any other row
 * becomes an empty one with status EHC_ROW_IRREGULAR. `out` needs the three columns' total bytes. Returns the number of
 * irregular rows. */
size_t ehc_pack_columns(const ehc_column *id_type, const ehc_column *id_number, const ehc_column *name, size_t n,
                        uint8_t *out, uint32_t *offsets, uint8_t *id_lengths, uint8_t *status);

/* Joins the rows of three columns as they are, whatever is in them. `out` needs the columns' total bytes and
 * EHC_JOIN_SLACK more; their offsets must not decrease. id_lengths[i] is 255 where id_type and id_number have more bytes
 * than that. Returns the bytes written: offsets[n]. */
enum { EHC_JOIN_SLACK = 32 };
size_t ehc_join_columns(const ehc_column *id_type, const ehc_column *id_number, const ehc_column *name, size_t n,
                        uint8_t *out, uint32_t *offsets, uint8_t *id_lengths);

/* Cards as CSV lines: number, mindex (none where it is NULL), the first card_id_lengths[i] bytes of the card id, in
 * upper-case hex. A row of length 0 has no line. `out` needs EHC_CARD_LINE bytes a row. Returns the bytes written. */
enum { EHC_CARD_LINE = 20 + 1 + 64 + 1 + 64 + 1 };
size_t ehc_card_lines(const int64_t *lines, const uint8_t *mindex, const uint8_t *card_id,
                      const uint8_t *card_id_lengths, size_t n, uint8_t *out);

/* Upper-case hex: 2·n characters, no terminator. */
void ehc_hex(const uint8_t *data, size_t n, uint8_t *out);
/* 2·n digits of either case to n bytes. 0 when a character is no digit; `out` then means nothing. */
int ehc_unhex(const uint8_t *text, size_t n, uint8_t *out);

/* ---- payload and token, profile N (native/README.md, "Payloads") ---- */

enum { EHC_FLAG_DYNAMIC = 0, EHC_FLAG_STATIC = 1, EHC_FLAG_TEMPORARY = 9, EHC_FLAG_ABSENT = 255 };

/* What a foreign text is, as far as its form tells. */
enum {
    EHC_KIND_CARD = 0,
    EHC_KIND_EMPTY,
    EHC_KIND_URL,
    EHC_KIND_WECHAT_PAY,
    EHC_KIND_ALIPAY,
    EHC_KIND_UNIONPAY,
    EHC_KIND_INSURANCE,
    EHC_KIND_RESIDENT_ID,
    EHC_KIND_OTHER
};

typedef struct {
    uint16_t offset, length; /* in the text as given */
} ehc_span;

typedef struct {
    uint8_t kind;           /* EHC_KIND_* */
    uint8_t flag;           /* EHC_FLAG_* */
    uint8_t card_id_length; /* bytes: 16, 24 or 32 */
    uint16_t error_offset;  /* where a refused text stops being a payload */
    ehc_span prefix, card, token, organisation;
    uint8_t card_id[32];
    uint8_t token_bytes[16];
} ehc_payload;

enum { EHC_PAYLOAD_MAX = 256 };

int ehc_parse_payload(const uint8_t *text, size_t length, ehc_payload *out);

enum { EHC_PROFILE_NATIONAL = 1, EHC_PROFILE_BOUND = 2 };

/* The time window of step 5, and what else a policy says of codes of this syntax. `time` is what a national token
 * carries: expiry, or (issue != 0) the time of issue. */
typedef struct {
    int64_t now;
    int64_t tolerance; /* seconds the clocks may differ */
    int64_t validity;  /* seconds a code lives; 0 with issue = 0: no bound ahead */
    int issue;
    unsigned profiles;   /* EHC_PROFILE_* that are accepted, tried in this order; 0: the national one alone */
    uint8_t key_version; /* what a card-bound token must name; 0: any */
} ehc_window;

/* What a card-bound token (profile A) says besides its card. */
typedef struct {
    int64_t expiry;
    uint8_t key_version;
    uint8_t channel, scene; /* 0..15 */
    uint32_t sequence;      /* 0..2^24 - 1 */
} ehc_bound;

typedef struct {
    ehc_payload payload;
    int64_t expiry;  /* 0 unless the token is authentic */
    uint8_t profile; /* EHC_PROFILE_* that made it; 0 unless the token is authentic */
    ehc_bound bound; /* of EHC_PROFILE_BOUND */
} ehc_checked;

/* Steps 1 to 5 for one payload. */
int ehc_check_token(const ehc_sm4_key *protection_key, const uint8_t *text, size_t length, const ehc_window *window,
                    ehc_checked *out);
/* The same for rows data[offsets[i] .. offsets[i+1]): only what is decided of each (expiry 0 unless authentic; the rest
 * ehc_check_token tells of a row that is looked at). Returns how many are not EHC_OK. */
size_t ehc_check_batch(const ehc_sm4_key *protection_key, const uint8_t *data, const uint32_t *offsets, size_t n,
                       const ehc_window *window, int64_t *expiry, uint8_t *status);

/* The token for a time: 32 upper-case hex characters. EHC_TOKEN_FORGED if its year in CST is not 0..9999. */
int ehc_make_token(const ehc_sm4_key *protection_key, int64_t time, uint8_t text[32]);
/* Tokens for n times, 32 characters each; a bad row gets its status and 32 times '0'. Returns the number of bad rows. */
size_t ehc_make_batch(const ehc_sm4_key *protection_key, const int64_t *times, size_t n, uint8_t *texts,
                      uint8_t *status);

/* The card-bound token of profile A; EHC_TOKEN_FORGED if a field is out of its range. */
int ehc_make_bound(const ehc_sm4_key *protection_key, const uint8_t card_id[32], const ehc_bound *fields,
                   uint8_t text[32]);
size_t ehc_make_bound_batch(const ehc_sm4_key *protection_key, const uint8_t *card_ids, const ehc_bound *fields,
                            size_t n, uint8_t *texts, uint8_t *status);

/* ---- base45 (RFC 9285) ---- */

/* Characters for n bytes: 3 for every 2, 2 for a last one. */
#define EHC_BASE45_LENGTH(n) ((n) / 2 * 3 + (n) % 2 * 2)
size_t ehc_base45_encode(const uint8_t *data, size_t n, uint8_t *text);
/* Strict: EHC_PAYLOAD_LENGTH (a length no encoding has), EHC_PAYLOAD_CHARACTER, EHC_PAYLOAD_GRAMMAR (a group over 65535
 * or 255) with the place in *error_offset, of a character or of the group. `data` needs length / 3 · 2 + 1 bytes; gives
 * the bytes in *n. */
int ehc_base45_decode(const uint8_t *text, size_t length, uint8_t *data, size_t *n, size_t *error_offset);

/* ---- compact codes, profile E2 (native/README.md, "Codes of ours"): "EHC2:" and base45 of header ‖ alias ‖ mac ---- */

enum { EHC_COMPACT_LENGTH = 5 + EHC_BASE45_LENGTH(48), EHC_COMPACT_EPOCH = 1577836800 /* 2020-01-01T00:00:00Z */ };

/* The keys that a protection key gives, the mac key as the states behind its two pads. */
typedef struct {
    ehc_sm4_key alias;
    uint32_t inner[8], outer[8];
    uint8_t version;
} ehc_compact_key;

typedef struct {
    uint32_t issuer; /* GB/T 2260 code, 0..999999 */
    uint8_t node;    /* 0..15 */
    uint8_t key_version;
    uint8_t ttl;       /* class 0..7: 30 s, 60 s, 120 s, 300 s, 1 h, 1 d, 30 d, until revoked */
    uint8_t channel;   /* 0..31 */
    int64_t issued_at; /* EHC_COMPACT_EPOCH .. + 2^32 - 1 */
    uint64_t serial;   /* 0..2^48 - 1 */
    uint64_t account;
} ehc_compact;

void ehc_compact_set_key(ehc_compact_key *key, const uint8_t protection_key[16], uint8_t version);
/* Steps 1 and 2; everything but the account. *error_offset: where a refused text stops being a code. */
int ehc_parse_compact(const uint8_t *text, size_t length, ehc_compact *out, size_t *error_offset);
/* Steps 1 to 5. The account is 0 and *expiry is 0 unless the code is authentic; INT64_MAX: until revoked. */
int ehc_check_compact(const ehc_compact_key *key, const uint8_t *text, size_t length, int64_t now, int64_t tolerance,
                      ehc_compact *out, int64_t *expiry, size_t *error_offset);
size_t ehc_check_compact_batch(const ehc_compact_key *key, const uint8_t *data, const uint32_t *offsets, size_t n,
                               int64_t now, int64_t tolerance, uint64_t *account, int64_t *expiry, uint8_t *status);
/* The account that an alias stands for, of a code whose signature holds (profile E3); day: of issue, since 2020.
 * EHC_TOKEN_FORGED and account 0 when the alias was not made for that day under this key. */
int ehc_open_alias(const ehc_compact_key *key, const uint8_t alias[16], uint32_t day, uint64_t *account);
/* EHC_COMPACT_LENGTH characters a code, with the key's version; EHC_TOKEN_FORGED if a field is out of its range (a bad
 * row of a batch gets zero bytes). A batch returns the number of bad rows. */
int ehc_make_compact(const ehc_compact_key *key, const ehc_compact *code, uint8_t *text);
size_t ehc_make_compact_batch(const ehc_compact_key *key, const ehc_compact *codes, size_t n, uint8_t *texts,
                              uint8_t *status);

/* ---- claims: which codes are taken, in memory that processes share (token/claims.c) ---- */

/* `slots` are 2^bits pairs of aligned 8-byte words, all zero at first; bits is at least 6. code: a fingerprint, not 0;
 * holder: 48 bits, 0 for nobody in particular. No call waits for another; a process killed in one leaves nothing to mend. */
enum { EHC_CLAIM_NONE = 0, EHC_CLAIM_WON, EHC_CLAIM_AGAIN, EHC_CLAIM_LOST, EHC_CLAIM_REVOKED, EHC_CLAIM_FULL };
#define EHC_HOLDER_REVOKED 0xFFFFFFFFFFFF

/* WON for the first `uses` claimants of a code, AGAIN for the holder who was the last of them, LOST for all others; REVOKED
 * when EHC_HOLDER_REVOKED has it. FULL: ask the next set of slots. */
int ehc_claim(uint64_t *slots, unsigned bits, uint64_t code, uint64_t holder, unsigned uses);

/* Gives a code to a holder, whoever has it: WON or FULL. */
int ehc_claim_set(uint64_t *slots, unsigned bits, uint64_t code, uint64_t holder);

/* LOST and its holder when somebody has the code, else NONE, without entering it; FULL: ask the next set. */
int ehc_claim_holder(const uint64_t *slots, unsigned bits, uint64_t code, uint64_t *holder);

/* Adds one to a counter in shared memory. */
void ehc_add_one(uint32_t *counter);

/* The second word of a code's slot, for whoever keeps something else than claims there: entered where it is not there yet,
 * and from then on where it is. NULL when its run is full. */
uint64_t *ehc_slot(uint64_t *slots, unsigned bits, uint64_t code);

/* ---- rates: token buckets that processes share (token/rate.c) ---- */

/* Takes `cost` out of a bucket, whose word is 0 at first: 0 when it was taken, else how long to wait. All in one unit of
 * time, of a clock that never steps: cost is 1/rate, tolerance (burst - 1)/rate, UINT64_MAX takes whatever is there. */
uint64_t ehc_rate_take(uint64_t *full_at, uint64_t now, uint64_t cost, uint64_t tolerance);
void ehc_rate_give_back(uint64_t *full_at, uint64_t cost);

/* ---- host protocol of crypto machines (native/README.md, "Frames"): a 2-byte big-endian length, then a body ---- */

/* Codes of an answer, two decimal digits. */
enum {
    EHC_HOST_DONE = 0,
    EHC_HOST_COMMAND = 10,     /* no such command */
    EHC_HOST_ENDS_EARLY = 11,  /* the frame ends before its fields do */
    EHC_HOST_GOES_ON = 12,     /* it goes on behind them */
    EHC_HOST_FIELD = 13,       /* a field holds what it may not */
    EHC_HOST_ALGORITHM = 14,   /* an algorithm or mode that is not offered */
    EHC_HOST_FACTOR = 15,      /* not factor ‖ NOT factor, or a count of factors other than 00 and 01 */
    EHC_HOST_PADDING = 16,     /* a padding that is not offered */
    EHC_HOST_LENGTH = 17,      /* a length of data that the command does not take */
    EHC_HOST_KEY_MISSING = 20, /* no key of that name */
    EHC_HOST_KEY_STATE = 21,   /* its state does not allow this */
    EHC_HOST_NOT_OURS = 22,    /* no time before sealing or after opening: not made under this key */
    EHC_HOST_SELFTEST = 30,    /* a self-test failed: the machine refuses work */
    EHC_HOST_AUDIT = 31,       /* the audit log cannot be written: the machine refuses work */
    EHC_HOST_FULL = 32,        /* too many connections */
    EHC_HOST_STRANGER = 33,    /* who asks may not ask this machine */
    EHC_HOST_FAULT = 39,       /* a fault of the machine's own */
    EHC_HOST_ROW = 100 /* never sent: a row that was not asked, EHC_HOST_ROW + its EHC_ROW_* status (0: too long) */
};

enum { EHC_HOST_VERSIONS = 256, EHC_HOST_TEXT = 255, EHC_HOST_ANSWER_MORE = 512, EHC_HOST_ASK_MORE = 128 };
enum { EHC_HOST_MAKE = 1, EHC_HOST_OPEN = 2 }; /* what a key may be used for */

/* What was done, and counts[operation][key version] of it (0 where no key was used; of refusals [code]). */
enum {
    EHC_HOST_DIGEST = 0,
    EHC_HOST_CARD_MADE,
    EHC_HOST_CARD_OPENED,
    EHC_HOST_VALIDITY_MADE,
    EHC_HOST_VALIDITY_OPENED,
    EHC_HOST_DEVICE,
    EHC_HOST_REFUSED,
    EHC_HOST_OPERATIONS
};

typedef struct {
    const ehc_sm4_key *key; /* NULL: there is none */
    unsigned may;           /* EHC_HOST_MAKE | EHC_HOST_OPEN */
} ehc_host_key;

typedef struct {
    ehc_host_key security[EHC_HOST_VERSIONS], protection[EHC_HOST_VERSIONS]; /* by version */
    int refuses;         /* the code that every command but NC and CR gets; 0: none */
    uint8_t text_length; /* of what NC answers */
    uint8_t text[EHC_HOST_TEXT];
} ehc_host;

/* Answers the whole frames at the head of `in`, each with one answer, in order, as long as EHC_HOST_ANSWER_MORE bytes
 * more than the next frame's body are free in `out`. Returns the bytes of `in` that were answered. */
size_t ehc_host_answer(const ehc_host *host, const uint8_t *in, size_t length, uint8_t *out, size_t room,
                       size_t *written, uint32_t counts[EHC_HOST_OPERATIONS][EHC_HOST_VERSIONS]);

/* The other end, for rows as in ehc_derive_batch: frames that ask for their digests (3C), then, from the digests, for
 * their card ids (S3). codes[i] is EHC_HOST_DONE, or why row i is not asked (about digests: found here) any more.
 * `out` needs EHC_HOST_ASK_MORE bytes a row more than data. Both return the bytes written. */
size_t ehc_host_ask_digests(const uint8_t *data, const uint32_t *offsets, const uint8_t *id_lengths, size_t n,
                            uint8_t *codes, uint8_t *out);
size_t ehc_host_ask_cards(const uint8_t *mindex, const uint8_t *data, const uint32_t *offsets,
                          const uint8_t *id_lengths, const uint8_t *card_id_lengths, size_t n, unsigned version,
                          const uint8_t *codes, uint8_t *out);
/* Whole answers to such frames into rows of 32 bytes, from *row on; card_id_lengths is NULL for digests. codes[i] is the
 * code of an answer that brings nothing. *taken: bytes of `in`. 0 when something is no answer to what was asked. */
int ehc_host_take(const uint8_t *in, size_t length, const uint8_t *card_id_lengths, size_t n, uint8_t *codes,
                  uint8_t *rows, size_t *row, size_t *taken);

/* ---- secrets ---- */

void ehc_wipe(void *secret, size_t length);
int ehc_equal(const void *a, const void *b, size_t length); /* constant time; 1 when equal */

#ifdef __cplusplus
}
#endif
#endif
