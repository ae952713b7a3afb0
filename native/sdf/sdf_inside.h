/* sdf_inside.h: what the machine keeps behind a handle. A handle is a place in one table and a generation, no address: a stale
 * or invented one is refused, never followed. An object lives until its handle is closed and the last call in it has ended. */
#ifndef EHC_SDF_INSIDE_H
#define EHC_SDF_INSIDE_H

#include <pthread.h>

#include "sdf.h"
#include "sdf_modes.h"
#include "sdf_store.h"
#include "sm2.h"

typedef enum { SDF_DEVICE = 1, SDF_SESSION, SDF_KEY, SDF_AGREEMENT } sdf_kind;

typedef struct sdf_object {
    sdf_kind kind;
    unsigned references;
    struct sdf_object *owner; /* of a session its device, of a key or agreement its session */
    void (*destroy)(struct sdf_object *);
} sdf_object;

typedef struct {
    sdf_object head;
    sdf_store store;
} sdf_device;

/* A private key pair whose password this session has shown. */
typedef struct sdf_right {
    struct sdf_right *next;
    unsigned index;
    ehc_sm2_key *signing, *encryption;
} sdf_right;

/* What a session is in the middle of. */
typedef enum { SDF_NOTHING = 0, SDF_ENCRYPTING, SDF_DECRYPTING, SDF_MACING, SDF_AUTH_ENC, SDF_AUTH_DEC } sdf_doing;

/* Of memory of ehc_sdf_secret. One call at a time goes through a session. */
typedef struct {
    sdf_object head;
    pthread_mutex_t turn;
    sdf_right *rights;
    sdf_doing doing;
    sdf_cipher cipher;
    sdf_aead aead;
    uint8_t expected_tag[16];
    size_t tag_length;
    int hashing, macing;
    ehc_sm3_ctx sm3;
    sdf_hmac hmac;
} sdf_session;

enum { SDF_KEY_MAX = 64 };

/* Of memory of ehc_sdf_secret. */
typedef struct {
    sdf_object head;
    size_t length; /* bytes, 1 to SDF_KEY_MAX */
    uint8_t bytes[SDF_KEY_MAX];
} sdf_key;

typedef struct {
    sdf_object head;
    ehc_sm2_key *own, *once;
    size_t key_length;
    uint8_t z[32]; /* of the sponsor, who holds it */
} sdf_agreement;

/* Gives the object a handle and takes the caller's reference over; NULL, and the object gone, when there is no room. */
void *ehc_sdf_register(sdf_object *object);
/* The object, held until ehc_sdf_leave; NULL for a handle that is not of this kind. */
sdf_object *ehc_sdf_enter(void *handle, sdf_kind kind);
void ehc_sdf_leave(sdf_object *object);
/* Ends a handle of this kind and owner (NULL: any), and all that belong to its object. 0: there is none. */
int ehc_sdf_close(void *handle, sdf_kind kind, const sdf_object *owner);

/* A session with its turn taken; NULL for no session. ehc_sdf_end gives `status` back. */
sdf_session *ehc_sdf_begin(void *handle);
int ehc_sdf_end(sdf_session *session, int status);

static inline const sdf_store *store_of(const sdf_session *session)
{
    return &((const sdf_device *)session->head.owner)->store;
}

const sdf_right *ehc_sdf_right(const sdf_session *session, unsigned index);
/* A session key under a new handle. */
int ehc_sdf_new_key(sdf_session *session, const uint8_t *bytes, size_t length, void **handle);
/* The key of a handle of this session, held until ehc_sdf_leave_key; NULL for none. */
const sdf_key *ehc_sdf_enter_key(const sdf_session *session, void *handle);
void ehc_sdf_leave_key(const sdf_key *key);
/* A key that the caller brings in clear, for validation. */
int ehc_sdf_clear_key(sdf_key *key, const uint8_t *bytes, unsigned length);
/* Bytes of a key of so many bits: 1 to SDF_KEY_MAX, 0 for none such. */
size_t ehc_sdf_key_bytes(unsigned bits);

/* Between the standard's structures and ours; 0 where leading bytes are not zero or the bits are not 256. */
int ehc_sdf_read_point(const ECCrefPublicKey *from, uint8_t point[64]);
void ehc_sdf_write_point(const uint8_t point[64], ECCrefPublicKey *to);
int ehc_sdf_public_key(const ECCrefPublicKey *from, ehc_sm2_key **key);
/* SM2 encryption of at most SDF_PLAIN_MAX bytes. */
enum { SDF_PLAIN_MAX = 1 << 16 };
int ehc_sdf_encrypt(const ehc_sm2_key *key, const uint8_t *data, size_t length, ECCCipher *out);
int ehc_sdf_decrypt(const ehc_sm2_key *key, const ECCCipher *from, uint8_t *data, size_t *length);
int ehc_sdf_sm2_status(int status, int otherwise);

#endif
