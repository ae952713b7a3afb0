// botan.cpp: one object for each key and one hash; Botan's C++ interface, which its C one wraps.
#include <botan/block_cipher.h>
#include <botan/hash.h>
#include <botan/mac.h>
#include <botan/version.h>

#include <memory>
#include <string>

#include "job.h"
#include "slots.h"

static std::unique_ptr<Botan::HashFunction> hash_function;
static std::unique_ptr<Botan::MessageAuthenticationCode> keyed;
static std::unique_ptr<Botan::BlockCipher> cipher[SLOTS];
static int encrypts[SLOTS];

static void sm3(const uint8_t *message, size_t length, uint8_t digest[32])
{
    hash_function->update(message, length);
    hash_function->final(digest);
}

static void mac(const uint8_t message[32], uint8_t digest[32])
{
    keyed->update(message, 32);
    keyed->final(digest); // and ready for the next message under the same key
}

static int set_key(int slot, const uint8_t raw[16], int encrypt)
{
    if (!cipher[slot])
        cipher[slot] = Botan::BlockCipher::create_or_throw("SM4");
    cipher[slot]->set_key(raw, 16);
    encrypts[slot] = encrypt;
    return 0;
}

static void crypt(int slot, const uint8_t *in, uint8_t *out, size_t bytes)
{
    if (encrypts[slot])
        cipher[slot]->encrypt_n(in, out, bytes / 16);
    else
        cipher[slot]->decrypt_n(in, out, bytes / 16);
}

#include "compose.h"

static const char *open_library()
{
    static std::string name;
    hash_function = Botan::HashFunction::create_or_throw("SM3");
    keyed = Botan::MessageAuthenticationCode::create_or_throw("HMAC(SM3)");
    keyed->set_key(MAC_KEY, sizeof MAC_KEY);
    fill_tables();
    name = "Botan " + Botan::short_version_string();
    return open_keys() == 0 ? name.c_str() : nullptr;
}

EXPORT const contender CONTENDER = COMPOSED(open_library);
