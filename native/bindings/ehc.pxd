# ehc.pxd: mirrors native/include/ehc.h, nothing else.
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t


cdef extern from "ehc.h" nogil:
    enum:
        EHC_OK
        EHC_E_TIER_UNKNOWN
        EHC_E_TIER_UNSUPPORTED
        EHC_PAYLOAD_MAX
        EHC_TOKEN_KEY_VERSION
        EHC_TOKEN_EXPIRED
        EHC_TOKEN_EARLY
        EHC_FLAG_ABSENT
        EHC_PROFILE_NATIONAL
        EHC_PROFILE_BOUND
        EHC_COMPACT_LENGTH

    int ehc_init(const char *forced_name)
    const char *ehc_tier_name(size_t i)
    int ehc_tier_supported(size_t i)
    const char *ehc_tier_chosen()

    ctypedef struct ehc_sm3_ctx:
        pass

    void ehc_sm3_init(ehc_sm3_ctx *ctx)
    void ehc_sm3_update(ehc_sm3_ctx *ctx, const uint8_t *data, size_t length)
    void ehc_sm3_final(ehc_sm3_ctx *ctx, uint8_t *digest)
    void ehc_sm3(const uint8_t *data, size_t length, uint8_t *digest)
    void ehc_hmac_sm3(const uint8_t *key, size_t key_length, const uint8_t *data, size_t length, uint8_t *mac)

    ctypedef struct ehc_sm4_key:
        pass

    void ehc_sm4_set_key(ehc_sm4_key *key, const uint8_t *raw)
    void ehc_sm4_encrypt(const ehc_sm4_key *key, const uint8_t *data, uint8_t *out, size_t blocks)
    void ehc_sm4_decrypt(const ehc_sm4_key *key, const uint8_t *data, uint8_t *out, size_t blocks)

    size_t ehc_derive_batch(const ehc_sm4_key *security_key, const uint8_t *data, const uint32_t *offsets,
                            const uint8_t *id_lengths, size_t n, uint8_t *mindex, uint8_t *card_id, uint8_t *status)

    size_t ehc_rekey_batch(const ehc_sm4_key *old_key, const ehc_sm4_key *new_key, const uint8_t *data,
                           const uint32_t *offsets, const uint8_t *id_lengths, size_t n, uint8_t *old_card_id,
                           uint8_t *new_card_id, uint8_t *status)

    ctypedef struct ehc_column:
        const uint8_t *data
        const int32_t *offsets

    int ehc_is_plain_resident_id(const uint8_t *number, size_t length)
    size_t ehc_pack_columns(const ehc_column *id_type, const ehc_column *id_number, const ehc_column *name, size_t n,
                            uint8_t *out, uint32_t *offsets, uint8_t *id_lengths, uint8_t *status)
    enum:
        EHC_JOIN_SLACK

    size_t ehc_join_columns(const ehc_column *id_type, const ehc_column *id_number, const ehc_column *name, size_t n,
                            uint8_t *out, uint32_t *offsets, uint8_t *id_lengths)
    enum:
        EHC_CARD_LINE

    size_t ehc_card_lines(const int64_t *lines, const uint8_t *mindex, const uint8_t *card_id,
                          const uint8_t *card_id_lengths, size_t n, uint8_t *out)
    void ehc_hex(const uint8_t *data, size_t n, uint8_t *out)
    int ehc_unhex(const uint8_t *text, size_t n, uint8_t *out)

    ctypedef struct ehc_span:
        uint16_t offset
        uint16_t length

    ctypedef struct ehc_payload:
        uint8_t kind
        uint8_t flag
        uint8_t card_id_length
        uint16_t error_offset
        ehc_span prefix
        ehc_span card
        ehc_span token
        ehc_span organisation
        uint8_t card_id[32]
        uint8_t token_bytes[16]

    int ehc_parse_payload(const uint8_t *text, size_t length, ehc_payload *out)

    ctypedef struct ehc_window:
        int64_t now
        int64_t tolerance
        int64_t validity
        int issue
        unsigned profiles
        uint8_t key_version

    ctypedef struct ehc_bound:
        int64_t expiry
        uint8_t key_version
        uint8_t channel
        uint8_t scene
        uint32_t sequence

    ctypedef struct ehc_checked:
        ehc_payload payload
        int64_t expiry
        uint8_t profile
        ehc_bound bound

    int ehc_check_token(const ehc_sm4_key *protection_key, const uint8_t *text, size_t length,
                        const ehc_window *window, ehc_checked *out)
    size_t ehc_check_batch(const ehc_sm4_key *protection_key, const uint8_t *data, const uint32_t *offsets, size_t n,
                           const ehc_window *window, int64_t *expiry, uint8_t *status)
    int ehc_make_token(const ehc_sm4_key *protection_key, int64_t time, uint8_t *text)
    size_t ehc_make_batch(const ehc_sm4_key *protection_key, const int64_t *times, size_t n, uint8_t *texts,
                          uint8_t *status)
    int ehc_make_bound(const ehc_sm4_key *protection_key, const uint8_t *card_id, const ehc_bound *fields,
                       uint8_t *text)

    size_t ehc_base45_encode(const uint8_t *data, size_t n, uint8_t *text)
    int ehc_base45_decode(const uint8_t *text, size_t length, uint8_t *data, size_t *n, size_t *error_offset)

    ctypedef struct ehc_compact_key:
        uint8_t version

    ctypedef struct ehc_compact:
        uint32_t issuer
        uint8_t node
        uint8_t key_version
        uint8_t ttl
        uint8_t channel
        int64_t issued_at
        uint64_t serial
        uint64_t account

    void ehc_compact_set_key(ehc_compact_key *key, const uint8_t *protection_key, uint8_t version)
    int ehc_parse_compact(const uint8_t *text, size_t length, ehc_compact *out, size_t *error_offset)
    int ehc_check_compact(const ehc_compact_key *key, const uint8_t *text, size_t length, int64_t now,
                          int64_t tolerance, ehc_compact *out, int64_t *expiry, size_t *error_offset)
    size_t ehc_check_compact_batch(const ehc_compact_key *key, const uint8_t *data, const uint32_t *offsets, size_t n,
                                   int64_t now, int64_t tolerance, uint64_t *account, int64_t *expiry, uint8_t *status)
    int ehc_open_alias(const ehc_compact_key *key, const uint8_t *alias, uint32_t day, uint64_t *account)
    int ehc_make_compact(const ehc_compact_key *key, const ehc_compact *code, uint8_t *text)

    int EHC_CLAIM_NONE, EHC_CLAIM_WON, EHC_CLAIM_AGAIN, EHC_CLAIM_LOST, EHC_CLAIM_REVOKED, EHC_CLAIM_FULL
    uint64_t EHC_HOLDER_REVOKED
    int ehc_claim(uint64_t *slots, unsigned bits, uint64_t code, uint64_t holder, unsigned uses)
    int ehc_claim_set(uint64_t *slots, unsigned bits, uint64_t code, uint64_t holder)
    int ehc_claim_holder(const uint64_t *slots, unsigned bits, uint64_t code, uint64_t *holder)
    void ehc_add_one(uint32_t *counter)
    uint64_t *ehc_slot(uint64_t *slots, unsigned bits, uint64_t code)
    uint64_t ehc_rate_take(uint64_t *full_at, uint64_t now, uint64_t cost, uint64_t tolerance)
    void ehc_rate_give_back(uint64_t *full_at, uint64_t cost)

    enum:
        EHC_HOST_VERSIONS, EHC_HOST_TEXT, EHC_HOST_ASK_MORE, EHC_HOST_OPERATIONS
    ctypedef struct ehc_host_key:
        const ehc_sm4_key *key
        unsigned may
    ctypedef struct ehc_host:
        ehc_host_key security[256]
        ehc_host_key protection[256]
        int refuses
        uint8_t text_length
        uint8_t text[255]
    size_t ehc_host_answer(const ehc_host *host, const uint8_t *data, size_t length, uint8_t *out, size_t room,
                           size_t *written, uint32_t (*counts)[256])
    size_t ehc_host_ask_digests(const uint8_t *data, const uint32_t *offsets, const uint8_t *id_lengths, size_t n,
                                uint8_t *codes, uint8_t *out)
    size_t ehc_host_ask_cards(const uint8_t *mindex, const uint8_t *data, const uint32_t *offsets,
                              const uint8_t *id_lengths, const uint8_t *card_id_lengths, size_t n, unsigned version,
                              const uint8_t *codes, uint8_t *out)
    int ehc_host_take(const uint8_t *data, size_t length, const uint8_t *card_id_lengths, size_t n, uint8_t *codes,
                      uint8_t *rows, size_t *row, size_t *taken)

    void ehc_wipe(void *secret, size_t length)
    int ehc_equal(const void *a, const void *b, size_t length)
