/* test_primitives.c: SM3, HMAC-SM3, SM4, hex, wipe and compare against the standards' answers and against themselves in
 * other pieces; buffers end at a guard page. */
#include "check.h"
#include "guarded.h"

static const uint8_t KEY[16] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF,
                                0xFE, 0xDC, 0xBA, 0x98, 0x76, 0x54, 0x32, 0x10};

static int hex_is(const uint8_t *data, size_t n, const char *expected)
{
    char text[129] = {0};
    ehc_hex(data, n, (uint8_t *)text);
    return strcmp(text, expected) == 0;
}

static void sm3_answers(void)
{
    uint8_t digest[32], million[1000];
    ehc_sm3_ctx ctx;
    ehc_sm3((const uint8_t *)"abc", 3, digest); /* GB/T 32905-2016 A.1 */
    CHECK(hex_is(digest, 32, "66C7F0F462EEEDD9D1F2D46BDC10E4E24167C4875CF2F7A2297DA02B8F4BA8E0"));
    ehc_sm3((const uint8_t *)"abcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcd", 64, digest); /* A.2 */
    CHECK(hex_is(digest, 32, "DEBE9FF92275B8A138604889C18E5A4D6FDB70E5387E5765293DCBA39C0C5732"));
    ehc_sm3(NULL, 0, digest);
    CHECK(hex_is(digest, 32, "1AB21D8355CFA17F8E61194831E81A8F22BEC8C728FEFB747ED035EB5082AA2B"));
    memset(million, 'a', sizeof million);
    ehc_sm3_init(&ctx);
    for (int i = 0; i < 1000; i++)
        ehc_sm3_update(&ctx, million, sizeof million);
    ehc_sm3_final(&ctx, digest);
    CHECK(hex_is(digest, 32, "C8AAF89429554029E231941A2ACC0AD61FF2A5ACD8FADD25847A3A732B3B02C3"));
}

/* Any cut of a message into three pieces, one possibly empty, gives the digest of the whole. */
static void sm3_pieces(void)
{
    guarded room = guarded_room(200);
    uint32_t seed = 1;
    for (uint8_t *p = room.last - 200; p < room.last; p++)
        *p = next_byte(&seed);
    for (size_t length = 0; length <= 200; length++) {
        const uint8_t *message = room.last - length;
        uint8_t whole[32], pieces[32];
        ehc_sm3(message, length, whole);
        for (size_t cut = 0; cut <= length; cut += 1 + length / 9) {
            ehc_sm3_ctx ctx;
            ehc_sm3_init(&ctx);
            ehc_sm3_update(&ctx, message, cut);
            ehc_sm3_update(&ctx, NULL, 0);
            ehc_sm3_update(&ctx, message + cut, length - cut);
            ehc_sm3_final(&ctx, pieces);
            CHECK(memcmp(whole, pieces, 32) == 0);
        }
    }
    guarded_release(&room);
}

static void sm3_wipes_its_state(void)
{
    static const ehc_sm3_ctx ZERO;
    ehc_sm3_ctx ctx;
    uint8_t digest[32];
    ehc_sm3_init(&ctx);
    ehc_sm3_update(&ctx, KEY, sizeof KEY);
    ehc_sm3_final(&ctx, digest);
    CHECK(memcmp(ctx.state, ZERO.state, sizeof ctx.state) == 0);
    CHECK(memcmp(ctx.block, ZERO.block, sizeof ctx.block) == 0);
}

static void hmac_answers(void)
{
    uint8_t key[37], data[50], mac[32]; /* GM/T 0042-2015 D.3 */
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)(i + 1);
    memset(data, 0xCD, sizeof data);
    ehc_hmac_sm3(key, sizeof key, data, sizeof data, mac);
    CHECK(hex_is(mac, 32, "220BF579DED555393F0159F66C99877822A3ECF610D1552154B41D44B94DB3AE"));
    ehc_hmac_sm3((const uint8_t *)"Jefe", 4, (const uint8_t *)"what do ya want for nothing?", 28, mac);
    CHECK(hex_is(mac, 32, "2E87F1D16862E6D964B50A5200BF2B10B764FAA9680A296A2405F24BEC39F882"));
    uint8_t long_key[100], hashed[32], same[32]; /* over one block: the key is its digest */
    memset(long_key, 0xAA, sizeof long_key);
    ehc_sm3(long_key, sizeof long_key, hashed);
    ehc_hmac_sm3(long_key, sizeof long_key, data, sizeof data, mac);
    ehc_hmac_sm3(hashed, sizeof hashed, data, sizeof data, same);
    CHECK(memcmp(mac, same, 32) == 0);
    ehc_hmac_sm3(NULL, 0, NULL, 0, mac);
    CHECK(hex_is(mac, 32, "0D23F72BA15E9C189A879AEFC70996B06091DE6E64D31B7A84004356DD915261"));
}

static void sm4_answers(void)
{
    uint8_t block[16];
    ehc_sm4_key key;
    memcpy(block, KEY, 16);
    ehc_sm4_set_key(&key, KEY);
    ehc_sm4_encrypt(&key, block, block, 1); /* GB/T 32907-2016 A.1 */
    CHECK(hex_is(block, 16, "681EDF34D206965E86B3E94F536E4246"));
    ehc_sm4_decrypt(&key, block, block, 1);
    CHECK(memcmp(block, KEY, 16) == 0);
    CHECK(key.encrypt[0] == 0xF12186F9 && key.encrypt[31] == 0x9124A012); /* A.1, rk_0 and rk_31 */
    CHECK(key.decrypt[0] == 0x9124A012 && key.decrypt[31] == 0xF12186F9);
}

/* Every number of blocks, one guard page behind and one before, in place and not: as block by block. */
static void sm4_blocks(void)
{
    enum { MOST = 140 };
    guarded from = guarded_room(16 * MOST), to = guarded_room(16 * MOST);
    ehc_sm4_key key;
    ehc_sm4_set_key(&key, KEY);
    for (size_t blocks = 0; blocks <= MOST; blocks++) {
        uint8_t alone[MOST][16];
        uint8_t *in = blocks % 2 ? from.last - 16 * blocks : from.first;
        uint8_t *out = blocks % 2 ? to.first : to.last - 16 * blocks;
        uint32_t seed = (uint32_t)blocks + 1;
        for (size_t i = 0; i < 16 * blocks; i++)
            in[i] = next_byte(&seed);
        for (size_t i = 0; i < blocks; i++)
            ehc_sm4_encrypt(&key, in + 16 * i, alone[i], 1);
        ehc_sm4_encrypt(&key, in, out, blocks);
        CHECK(memcmp(out, alone, 16 * blocks) == 0);
        ehc_sm4_decrypt(&key, out, out, blocks);
        CHECK(memcmp(out, in, 16 * blocks) == 0);
    }
    guarded_release(&from);
    guarded_release(&to);
}

static void hex_of_every_byte(void)
{
    guarded in = guarded_room(256), out = guarded_room(512);
    uint8_t *bytes = in.last - 256, *text = out.last - 512;
    for (unsigned i = 0; i < 256; i++)
        bytes[i] = (uint8_t)i;
    ehc_hex(bytes, 256, text);
    for (unsigned i = 0; i < 256; i++) {
        char expected[3];
        snprintf(expected, sizeof expected, "%02X", i);
        CHECK(memcmp(text + 2 * (size_t)i, expected, 2) == 0);
    }
    ehc_hex(in.last, 0, out.last);
    guarded_release(&in);
    guarded_release(&out);
}

static void wipe_and_equal(void)
{
    uint8_t a[70], b[70];
    uint32_t seed = 7;
    for (size_t length = 0; length <= 64; length++) {
        for (size_t i = 0; i < sizeof a; i++)
            a[i] = b[i] = (uint8_t)(next_byte(&seed) | 1);
        CHECK(ehc_equal(a, b, length) == 1);
        for (size_t i = 0; i < length; i++)
            for (unsigned bit = 0; bit < 8; bit++) {
                b[i] ^= (uint8_t)(1u << bit);
                CHECK(ehc_equal(a, b, length) == 0);
                b[i] = a[i];
            }
        b[length] ^= 1; /* behind the end: of no matter */
        CHECK(ehc_equal(a, b, length) == 1);
        ehc_wipe(a + 1, length);
        size_t zeros = 0;
        for (size_t i = 0; i < sizeof a; i++)
            zeros += a[i] == 0;
        CHECK(zeros == length && a[0] != 0 && a[length + 1] != 0);
    }
}

void test_primitives(void)
{
    sm3_answers();
    sm3_pieces();
    sm3_wipes_its_state();
    hmac_answers();
    sm4_answers();
    sm4_blocks();
    hex_of_every_byte();
    wipe_and_equal();
}
