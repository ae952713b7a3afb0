/* sdf_store.h: where the software machine keeps keys and files: a folder of sealed records, each SM4-GCM under the storage
 * key, with its own name authenticated, so that no record can be put in the place of another. */
#ifndef EHC_SDF_STORE_H
#define EHC_SDF_STORE_H

#include "base.h"

enum { SDF_PATH = 512, SDF_SERIAL = 16, SDF_RECORD_MAX = 1 << 20, SDF_KEY_INDEX_MAX = 1024 };

typedef struct {
    char home[SDF_PATH];
    uint8_t *key; /* 16 bytes in memory of ehc_sdf_secret */
    uint8_t serial[SDF_SERIAL];
} sdf_store;

/* All give an SDR_* code. home NULL: EHC_SDF_HOME, else /var/lib/ehc/sdf. The storage key is the file that EHC_SDF_KEY names,
 * else device.key in the folder; it must be the owner's alone. */
int ehc_sdf_store_open(sdf_store *store, const char *home);
void ehc_sdf_store_close(sdf_store *store);
/* A new device in an empty or absent folder, with a new storage key. */
int ehc_sdf_store_create(const char *home, const uint8_t serial[SDF_SERIAL]);

/* name: letters, digits, '-', '.'. *data is the caller's to wipe and free. SDR_FILENOEXIST, SDR_HARDFAIL (changed, torn). */
int ehc_sdf_store_read(const sdf_store *store, const char *name, uint8_t **data, size_t *length);
/* Whole or not at all, and durable when it returns. `fresh`: SDR_FILEEXISTS if there is one. */
int ehc_sdf_store_write(const sdf_store *store, const char *name, const uint8_t *data, size_t length, int fresh);
int ehc_sdf_store_delete(const sdf_store *store, const char *name);
/* Processes that change the folder wait for each other here. -1, or what ehc_sdf_store_unlock takes. */
int ehc_sdf_store_lock(const sdf_store *store);
void ehc_sdf_store_unlock(int lock);

/* A pair of SM2 keys, for signing and encryption, and the KEKs. Private numbers are sealed a second time, under what the
 * storage key and the password give together: without the password the machine itself cannot use them. */
enum { SDF_PASSWORD_MIN = 8, SDF_PASSWORD_MAX = 128, SDF_TRIES = 10 };
int ehc_sdf_store_add_pair(const sdf_store *store, unsigned index, const uint8_t *password, size_t length);
/* signing, encryption: 64 bytes each. SDR_KEYNOTEXIST */
int ehc_sdf_store_points(const sdf_store *store, unsigned index, uint8_t signing[64], uint8_t encryption[64]);
/* 64 bytes, two private numbers. Counts wrong passwords durably before they are tried: SDR_PRKRERR, after SDF_TRIES of them
 * SDR_PARDENY whatever the password is. */
int ehc_sdf_store_private(const sdf_store *store, unsigned index, const uint8_t *password, size_t length,
                          uint8_t numbers[64]);
int ehc_sdf_store_unlock_pair(const sdf_store *store, unsigned index);
/* raw NULL: a new random one. */
int ehc_sdf_store_add_kek(const sdf_store *store, unsigned index, const uint8_t raw[16]);
int ehc_sdf_store_kek(const sdf_store *store, unsigned index, uint8_t raw[16]);

int ehc_sdf_random(uint8_t *out, size_t length); /* 1 when all of it came */
/* Pages of their own, locked in memory where the system's limit allows it and left out of core dumps; zero at first. */
void *ehc_sdf_secret(size_t size);
void ehc_sdf_forget(void *secret, size_t size);

#endif
