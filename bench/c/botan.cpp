// botan.cpp: one object for each key and one hash; Botan's C++ interface, which its C one wraps.
#include <botan/block_cipher.h>
#include <botan/hash.h>
#include <botan/version.h>

#include <memory>
#include <string>

#include "job.h"

static std::unique_ptr<Botan::HashFunction> hash_function;
static std::unique_ptr<Botan::BlockCipher> root, protection, user;

static void sm3(const uint8_t *message, size_t length, uint8_t digest[32])
{
    hash_function->update(message, length);
    hash_function->final(digest);
}

static void root_encrypt(const uint8_t *in, uint8_t *out, size_t bytes)
{
    root->encrypt_n(in, out, bytes / 16);
}

static void protection_decrypt(const uint8_t *in, uint8_t *out, size_t bytes)
{
    protection->decrypt_n(in, out, bytes / 16);
}

static void user_key(const uint8_t raw[16])
{
    user->set_key(raw, 16);
}

static void user_encrypt(const uint8_t *in, uint8_t *out, size_t bytes)
{
    user->encrypt_n(in, out, bytes / 16);
}

#include "compose.h"

static std::unique_ptr<Botan::BlockCipher> cipher(const uint8_t key[16])
{
    auto made = Botan::BlockCipher::create_or_throw("SM4");
    made->set_key(key, 16);
    return made;
}

static const char *open_library()
{
    static std::string name;
    hash_function = Botan::HashFunction::create_or_throw("SM3");
    root = cipher(SECURITY_KEY), protection = cipher(PROTECTION_KEY), user = cipher(SECURITY_KEY);
    fill_digits();
    name = "Botan " + Botan::short_version_string();
    return name.c_str();
}

EXPORT const contender CONTENDER = COMPOSED(open_library);
