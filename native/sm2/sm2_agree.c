/* sm2_agree.c: SM2 key agreement (GB/T 32918.3, clause 6). The names are the standard's; h = 1. */
#include "base.h"
#include "sm2_inside.h"

/* Part 3, 5.4.3: KDF over xU ‖ yU ‖ ZA ‖ ZB. */
static void derive(const uint8_t u[64], const uint8_t za[32], const uint8_t zb[32], uint8_t *out, size_t length)
{
    uint8_t block[32], counter[4];
    ehc_sm3_ctx sm3;
    for (uint32_t i = 1; length > 0; i++) {
        size_t part = length < 32 ? length : 32;
        store32(counter, i);
        ehc_sm3_init(&sm3);
        ehc_sm3_update(&sm3, u, 64);
        ehc_sm3_update(&sm3, za, 32);
        ehc_sm3_update(&sm3, zb, 32);
        ehc_sm3_update(&sm3, counter, 4);
        ehc_sm3_final(&sm3, block);
        memcpy(out, block, part);
        out += part;
        length -= part;
    }
    ehc_wipe(block, sizeof block);
    ehc_wipe(&sm3, sizeof sm3);
}

/* SM3(tag ‖ yU ‖ SM3(xU ‖ ZA ‖ ZB ‖ RA ‖ RB)), steps A9 and B8. */
static void confirm(uint8_t tag, const uint8_t u[64], const ehc_sm2_agreement *with, uint8_t out[32])
{
    const uint8_t *own = with->own_once->point, *other = with->other_once;
    ehc_sm3_ctx sm3;
    ehc_sm3_init(&sm3);
    ehc_sm3_update(&sm3, u, 32);
    ehc_sm3_update(&sm3, with->z_initiator, 32);
    ehc_sm3_update(&sm3, with->z_responder, 32);
    ehc_sm3_update(&sm3, with->initiator ? own : other, 64);
    ehc_sm3_update(&sm3, with->initiator ? other : own, 64);
    ehc_sm3_final(&sm3, out);
    ehc_sm3_init(&sm3);
    ehc_sm3_update(&sm3, &tag, 1);
    ehc_sm3_update(&sm3, u + 32, 32);
    ehc_sm3_update(&sm3, out, 32);
    ehc_sm3_final(&sm3, out);
    ehc_wipe(&sm3, sizeof sm3);
}

/* 2^w + (x AND 2^w - 1), w = 127. */
static BIGNUM *half(const libcrypto_table *c, const uint8_t x[32])
{
    uint8_t bits[16];
    memcpy(bits, x + 16, 16);
    bits[0] |= 0x80;
    return c->BN_bin2bn(bits, sizeof bits, NULL);
}

/* t = (d + x̄ · r) mod n, steps A5 and B4. */
static int own_part(const libcrypto_table *c, const ehc_sm2_agreement *with, BN_CTX *scratch, BIGNUM *t)
{
    BIGNUM *x = half(c, with->own_once->point);
    int done = x != NULL && c->BN_mod_mul(t, x, with->own_once->number, c->order, scratch) == 1 &&
               c->BN_mod_add_quick(t, t, with->own->number, c->order) == 1;
    c->BN_clear_free(x);
    c->BN_set_flags(t, BN_CONSTANT_TIME);
    return done;
}

/* U = t (P + x̄ R), steps A7 and B6, as 64 bytes. */
static int common_point(const libcrypto_table *c, const ehc_sm2_agreement *with, BN_CTX *scratch, const BIGNUM *t,
                        uint8_t u[64])
{
    EC_POINT *p = ehc_sm2_read_point(c, with->other, scratch), *r = ehc_sm2_read_point(c, with->other_once, scratch);
    int status = p == NULL || r == NULL ? EHC_SM2_KEY : EHC_SM2_FAULT;
    BIGNUM *x = half(c, with->other_once);
    if (status == EHC_SM2_FAULT && x != NULL && c->EC_POINT_mul(c->group, r, NULL, r, x, scratch) == 1 &&
        c->EC_POINT_add(c->group, p, p, r, scratch) == 1 && c->EC_POINT_mul(c->group, p, NULL, p, t, scratch) == 1)
        status = c->EC_POINT_is_at_infinity(c->group, p) ? EHC_SM2_KEY
                 : ehc_sm2_write_point(c, p, u, scratch) ? EHC_SM2_OK
                                                         : EHC_SM2_FAULT;
    c->BN_clear_free(x);
    c->EC_POINT_clear_free(p);
    c->EC_POINT_clear_free(r);
    return status;
}

int ehc_sm2_agree(const ehc_sm2_agreement *with, uint8_t *shared, size_t length, uint8_t sb[32], uint8_t sa[32])
{
    const libcrypto_table *c = ehc_libcrypto();
    uint8_t u[64];
    if (with->own->number == NULL || with->own_once->number == NULL)
        return EHC_SM2_KEY;
    BN_CTX *scratch = c->BN_CTX_new();
    BIGNUM *t = c->BN_new();
    int status = scratch == NULL || t == NULL || !own_part(c, with, scratch, t) ? EHC_SM2_FAULT
                                                                                : common_point(c, with, scratch, t, u);
    if (status == EHC_SM2_OK) {
        derive(u, with->z_initiator, with->z_responder, shared, length);
        if (sb != NULL)
            confirm(2, u, with, sb);
        if (sa != NULL)
            confirm(3, u, with, sa);
    }
    c->BN_clear_free(t);
    c->BN_CTX_free(scratch);
    c->ERR_clear_error();
    ehc_wipe(u, sizeof u);
    return status;
}
