/* ehc_reader.h: what a terminal vendor embeds beside a decoder of their own. libehcreader.so, installed beside the Python
 * package (ehc/libehcreader.so); it needs no Python, and OpenSSL 3's libcrypto only to check signed codes.
 *
 *     payloads   the text of a code taken apart, or whose code it is, with a sentence for the clerk
 *     tokens     codes signed by their issuer (EHC3) checked without network: steps 1 to 6 of verification
 *     frames     camera frames made grey, halved, smoothed, thresholded, for the decoder
 *
 * Texts are UTF-8 with their length, as the decoder gives them; a scanner's CR, LF and Tab at the end are ignored. Times are
 * seconds since 1970-01-01T00:00:00Z. Functions that can fail return an EHC_READER_* status, 0 for success; a NULL where
 * something is needed is EHC_READER_E_ARGUMENT, never a crash. Nothing is logged, and nothing kept but in a handle. */
#ifndef EHC_READER_H
#define EHC_READER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/* Major and minor. A library of the same major and of this minor or a later one serves a program; structures never change
 * within a major. */
#define EHC_READER_API 0x00010000u

enum {
    EHC_READER_OK = 0,

    EHC_READER_E_ARGUMENT = 1,  /* a NULL, or a number outside its range */
    EHC_READER_E_VERSION = 2,   /* this library is of another major, or older */
    EHC_READER_E_MEMORY = 3,    /* no memory */
    EHC_READER_E_SELFTEST = 4,  /* the ciphers failed their known answers: do not use this processor, or this file */
    EHC_READER_E_LIBCRYPTO = 5, /* no OpenSSL 3 with SM2 */
    EHC_READER_E_KEY = 6,       /* no point of the curve */
    EHC_READER_E_FULL = 7,      /* a table of the handle has no place left */
    EHC_READER_E_FRAME = 8,     /* width, height, stride and size do not fit together */

    /* why a code is not accepted, with the numbers of ehc.h */
    EHC_READER_LENGTH = 32,      /* 1: empty or too long */
    EHC_READER_CHARACTER = 33,   /* 1: a character that no payload has */
    EHC_READER_FOREIGN = 34,     /* 2: somebody else's code: see `what` */
    EHC_READER_GRAMMAR = 35,     /* 2 */
    EHC_READER_NO_TOKEN = 48,    /* 4: a static or temporary code proves nothing */
    EHC_READER_FORGED = 49,      /* 4: not signed by its issuer */
    EHC_READER_EXPIRED = 50,     /* 5 */
    EHC_READER_EARLY = 51,       /* 5: issued in the future: is the terminal's clock slow? */
    EHC_READER_KEY_VERSION = 52, /* 3: no key of that issuer and version is trusted here */
    EHC_READER_REVOKED = 53,     /* 6 */
    EHC_READER_SERVICE = 64      /* nobody but the service can check this code */
};

/* The constant's name, such as "EHC_READER_EXPIRED"; "EHC_READER_?" for any other number. */
const char *ehc_reader_status_name(int status);
uint32_t ehc_reader_version(void);

/* ---- payloads ---- */

enum {
    EHC_READER_WHAT_HEALTH_CARD = 0,
    EHC_READER_WHAT_EMPTY,
    EHC_READER_WHAT_URL,
    EHC_READER_WHAT_WECHAT_PAY,
    EHC_READER_WHAT_ALIPAY,
    EHC_READER_WHAT_UNIONPAY,
    EHC_READER_WHAT_INSURANCE,
    EHC_READER_WHAT_RESIDENT_ID,
    EHC_READER_WHAT_OTHER
};

enum {
    EHC_READER_STATIC = 1, /* 静态码; a bare card id too */
    EHC_READER_DYNAMIC,    /* 动态码, profiles N and A */
    EHC_READER_TEMPORARY,  /* 临时卡 */
    EHC_READER_COMPACT,    /* profile E2 */
    EHC_READER_SIGNED      /* profile E3 */
};

/* Texts end with a NUL and are empty where the code has none. Of E2 and E3: issuer to expires_at, nothing else. */
typedef struct {
    int32_t what;     /* EHC_READER_WHAT_* */
    int32_t form;     /* EHC_READER_STATIC …; 0 unless it is a health card */
    char card_id[65]; /* upper-case hex */
    char token[33];   /* upper-case hex */
    char organisation[65];
    char prefix[9];
    uint32_t error_offset; /* where a refused text stops being a payload */
    uint32_t issuer;       /* GB/T 2260 code */
    uint8_t key_version;
    int64_t issued_at, expires_at; /* expires_at: INT64_MAX until revoked */
} ehc_reader_payload;

/* EHC_READER_OK, or LENGTH, CHARACTER, FOREIGN, GRAMMAR; *out is filled in either way. */
int ehc_reader_parse(const char *text, size_t length, ehc_reader_payload *out);

enum { EHC_READER_CHINESE = 0, EHC_READER_ENGLISH = 1 };
/* What to tell the clerk: a sentence in UTF-8, without anything of the code. "" for another number. */
const char *ehc_reader_sentence(int what, int language);

/* ---- tokens ---- */

/* Whom a terminal trusts, and what was revoked. One thread at a time changes it; then any number may check. */
typedef struct ehc_reader ehc_reader;

/* api: EHC_READER_API, as the program was compiled with. */
int ehc_reader_open(uint32_t api, ehc_reader **out);
void ehc_reader_close(ehc_reader *reader);

enum { EHC_READER_MOST_KEYS = 64, EHC_READER_MOST_REVOKED = 1 << 20 };
/* An issuer's public key, x and y. */
int ehc_reader_trust(ehc_reader *reader, uint32_t issuer, uint8_t key_version, const uint8_t key[64]);
/* A revoked code by its serial name, as the offline list has it. */
int ehc_reader_revoke(ehc_reader *reader, const uint8_t serial[10]);
/* A person by the alias of a day: what was issued before that second is revoked. */
int ehc_reader_revoke_alias(ehc_reader *reader, const uint8_t alias[16], int64_t issued_before);

/* serial tells this code from all others: where codes serve once, keep those that were accepted. alias: the same for all
 * codes of a person within a day. Both zero unless the code is authentic. */
typedef struct {
    int32_t step; /* that refused, 1 to 6; 0 when accepted, and of EHC_READER_SERVICE */
    uint8_t serial[10], alias[16];
    int64_t issued_at, expires_at;
} ehc_reader_verdict;

/* EHC_READER_OK: accepted by 1 to 6. Scene and single use (7, 8) are the terminal's to judge, by the same list.
 * tolerance: seconds by which clocks may differ, 0 to 86,400. Codes of other profiles: EHC_READER_SERVICE, or NO_TOKEN. */
int ehc_reader_check(const ehc_reader *reader, const char *text, size_t length, int64_t now, int64_t tolerance,
                     ehc_reader_verdict *out);

/* ---- frames ---- */

enum { EHC_READER_GREY = 0, EHC_READER_NV12, EHC_READER_YUYV, EHC_READER_RGB, EHC_READER_BGR, EHC_READER_RGBA };

/* Grey pixels, one byte each, rows without a gap. It keeps its memory from frame to frame. One thread at a time. */
typedef struct ehc_reader_plane ehc_reader_plane;

ehc_reader_plane *ehc_reader_plane_new(void); /* NULL: no memory */
void ehc_reader_plane_free(ehc_reader_plane *plane);
/* Valid until the plane is written or freed; NULL while it is empty. */
const uint8_t *ehc_reader_plane_pixels(const ehc_reader_plane *plane, uint32_t *width, uint32_t *height);

/* A frame of a camera: `size` bytes at `data`, rows `stride` bytes apart (0: no gap). */
int ehc_reader_luma(ehc_reader_plane *out, const uint8_t *data, size_t size, int format, uint32_t width,
                    uint32_t height, uint32_t stride);
/* `in` and `out` are two planes. What each does: native/frame/pixels.h. */
int ehc_reader_half(ehc_reader_plane *out, const ehc_reader_plane *in);
int ehc_reader_twice(ehc_reader_plane *out, const ehc_reader_plane *in);
int ehc_reader_smooth(ehc_reader_plane *out, const ehc_reader_plane *in);
int ehc_reader_dilate(ehc_reader_plane *out, const ehc_reader_plane *in);
int ehc_reader_sharpen(ehc_reader_plane *out, const ehc_reader_plane *in, int amount);              /* 1..8 */
int ehc_reader_binarise(ehc_reader_plane *out, const ehc_reader_plane *in, int window, int offset); /* odd, 3..255 */

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif
#endif
