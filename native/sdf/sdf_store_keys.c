/* sdf_store_keys.c: the machine's own keys as sealed records.
 * pair-<index>: point of signing (64) ‖ of encryption (64) ‖ salt (16) ‖ rounds (4) ‖ nonce (12) ‖ both private numbers sealed
 * (64) ‖ tag (16); kek-<index>: 16 bytes; tries-<index>: a byte. */
#include <stdio.h>
#include <stdlib.h>

#include "sdf.h"
#include "sdf_modes.h"
#include "sdf_store.h"
#include "sm2.h"

enum { SALT = 128, ROUNDS = 144, NONCE = 148, NUMBERS = 160, TAG = 224, PAIR = 240 };
enum { PASSWORD_ROUNDS = 20000 };

static int record_name(char name[32], const char *kind, unsigned index)
{
    return index >= 1 && index <= SDF_KEY_INDEX_MAX && snprintf(name, 32, "%s-%u", kind, index) < 32;
}

/* PBKDF2 (GB/T 42572) with HMAC-SM3, one block, then HMAC-SM3 under the storage key. */
static void password_key(const sdf_store *store, const uint8_t *password, size_t length, const uint8_t pair[PAIR],
                         uint8_t key[32])
{
    uint8_t salted[20] = {0}, u[32];
    memcpy(salted, pair + SALT, 16);
    salted[19] = 1;
    ehc_hmac_sm3(password, length, salted, sizeof salted, u);
    memcpy(key, u, 32);
    for (uint32_t rounds = load32(pair + ROUNDS); rounds > 1; rounds--) {
        ehc_hmac_sm3(password, length, u, 32, u);
        for (size_t i = 0; i < 32; i++)
            key[i] ^= u[i];
    }
    ehc_hmac_sm3(store->key, 16, key, 32, key);
    ehc_wipe(u, sizeof u);
}

/* Seals or opens the numbers in place. 0: wrong password, or changed. */
static int turn_numbers(const sdf_store *store, const uint8_t *password, size_t length, uint8_t pair[PAIR], int decrypt)
{
    uint8_t key[32], tag[16];
    sdf_aead aead;
    password_key(store, password, length, pair, key);
    (void)sdf_aead_start(&aead, key, 0, decrypt, pair + NONCE, 12, pair, SALT, 64, 16);
    (void)sdf_aead_update(&aead, pair + NUMBERS, 64, pair + NUMBERS);
    (void)sdf_aead_finish(&aead, tag);
    ehc_wipe(&aead, sizeof aead);
    ehc_wipe(key, sizeof key);
    if (decrypt)
        return ehc_equal(tag, pair + TAG, 16);
    memcpy(pair + TAG, tag, 16);
    return 1;
}

static int new_number(uint8_t point[64], uint8_t number[32])
{
    ehc_sm2_key *key;
    int status = ehc_sm2_generate(&key);
    if (status == EHC_SM2_OK)
        status = ehc_sm2_write(key, number);
    if (status == EHC_SM2_OK)
        memcpy(point, ehc_sm2_point(key), 64);
    ehc_sm2_free(key);
    return status == EHC_SM2_OK;
}

int ehc_sdf_store_add_pair(const sdf_store *store, unsigned index, const uint8_t *password, size_t length)
{
    char name[32];
    uint8_t pair[PAIR];
    if (!record_name(name, "pair", index) || length < SDF_PASSWORD_MIN || length > SDF_PASSWORD_MAX)
        return SDR_INARGERR;
    int status = SDR_HARDFAIL;
    store32(pair + ROUNDS, PASSWORD_ROUNDS);
    if (new_number(pair, pair + NUMBERS) && new_number(pair + 64, pair + NUMBERS + 32) &&
        ehc_sdf_random(pair + SALT, 16) && ehc_sdf_random(pair + NONCE, 12)) {
        turn_numbers(store, password, length, pair, 0);
        status = ehc_sdf_store_write(store, name, pair, PAIR, 1);
    }
    ehc_wipe(pair, sizeof pair);
    return status;
}

static int read_record(const sdf_store *store, const char *kind, unsigned index, uint8_t *out, size_t size)
{
    char name[32];
    uint8_t *data;
    size_t length;
    if (!record_name(name, kind, index))
        return SDR_KEYNOTEXIST;
    int status = ehc_sdf_store_read(store, name, &data, &length);
    if (status != SDR_OK)
        return status == SDR_FILENOEXIST ? SDR_KEYNOTEXIST : status;
    if (length == size)
        memcpy(out, data, size);
    ehc_wipe(data, length);
    free(data);
    return length == size ? SDR_OK : SDR_HARDFAIL;
}

int ehc_sdf_store_points(const sdf_store *store, unsigned index, uint8_t signing[64], uint8_t encryption[64])
{
    uint8_t pair[PAIR];
    int status = read_record(store, "pair", index, pair, PAIR);
    if (status == SDR_OK) {
        memcpy(signing, pair, 64);
        memcpy(encryption, pair + 64, 64);
    }
    return status;
}

/* With the folder locked: counts this try, then makes it. */
static int try_password(const sdf_store *store, unsigned index, const uint8_t *password, size_t length,
                        uint8_t pair[PAIR])
{
    char name[32];
    uint8_t tries = 0;
    (void)record_name(name, "tries", index);
    int status = read_record(store, "tries", index, &tries, 1);
    if (status != SDR_OK && status != SDR_KEYNOTEXIST)
        return status;
    if (tries >= SDF_TRIES)
        return SDR_PARDENY;
    tries++;
    status = ehc_sdf_store_write(store, name, &tries, 1, 0);
    if (status != SDR_OK)
        return status;
    if (!turn_numbers(store, password, length, pair, 1))
        return SDR_PRKRERR;
    return ehc_sdf_store_delete(store, name);
}

int ehc_sdf_store_private(const sdf_store *store, unsigned index, const uint8_t *password, size_t length,
                          uint8_t numbers[64])
{
    uint8_t pair[PAIR];
    int status = read_record(store, "pair", index, pair, PAIR);
    if (status != SDR_OK)
        return status;
    int lock = ehc_sdf_store_lock(store);
    status = lock < 0 ? SDR_FILEWERR : try_password(store, index, password, length, pair);
    ehc_sdf_store_unlock(lock);
    if (status == SDR_OK)
        memcpy(numbers, pair + NUMBERS, 64);
    ehc_wipe(pair, sizeof pair);
    return status;
}

int ehc_sdf_store_unlock_pair(const sdf_store *store, unsigned index)
{
    char name[32];
    if (!record_name(name, "tries", index))
        return SDR_KEYNOTEXIST;
    int status = ehc_sdf_store_delete(store, name);
    return status == SDR_FILENOEXIST ? SDR_OK : status;
}

int ehc_sdf_store_add_kek(const sdf_store *store, unsigned index, const uint8_t raw[16])
{
    char name[32];
    uint8_t kek[16];
    if (!record_name(name, "kek", index))
        return SDR_INARGERR;
    if (raw != NULL)
        memcpy(kek, raw, 16);
    else if (!ehc_sdf_random(kek, 16))
        return SDR_RANDERR;
    int status = ehc_sdf_store_write(store, name, kek, 16, 1);
    ehc_wipe(kek, sizeof kek);
    return status;
}

int ehc_sdf_store_kek(const sdf_store *store, unsigned index, uint8_t raw[16])
{
    return read_record(store, "kek", index, raw, 16);
}
