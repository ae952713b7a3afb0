# cython: language_level=3, boundscheck=False, wraparound=False, embedsignature=True
"""The compiled core for Python: one thin function a C call. Import ehc.crypto instead; it is this module's only user.

Single values go in as bytes, batches as contiguous arrays; the GIL is released for batches.
"""
import os

import numpy as np

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.buffer cimport PyBUF_CONTIG, PyBUF_SIMPLE, PyBuffer_FillInfo, PyBuffer_Release, PyObject_GetBuffer
from cpython.pycapsule cimport PyCapsule_GetPointer
from cpython.unicode cimport PyUnicode_DecodeASCII
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcpy

include "ehc.pxd"


def _init():
    name = os.environ.get("EHC_ISA")
    cdef bytes encoded = os.fsencode(name or "")
    status = ehc_init(NULL if name is None else PyBytes_AS_STRING(encoded))
    if status == EHC_OK:
        return
    compiled = ", ".join(row[0] for row in tiers())
    if status == EHC_E_TIER_UNKNOWN:
        raise ImportError(f"EHC_ISA={name!r} names no tier of this build; it has: {compiled}")
    if status == EHC_E_TIER_UNSUPPORTED:
        raise ImportError(f"EHC_ISA={name!r}: this processor cannot run that tier; compiled are: {compiled}")
    raise ImportError(f"self-test failed on tier {tier()}: a known answer of SM3, SM4 or the derivation is wrong; "
                      "do not use this build")


def tiers():
    """(name, supported here) of every compiled tier, best first."""
    rows = []
    while ehc_tier_name(len(rows)) != NULL:
        rows.append((ehc_tier_name(len(rows)).decode(), bool(ehc_tier_supported(len(rows)))))
    return rows


def tier():
    """Name of the tier in use."""
    return ehc_tier_chosen().decode()


cdef inline bytes _hex(const uint8_t *data, size_t n):
    cdef bytes out = PyBytes_FromStringAndSize(NULL, 2 * n)
    ehc_hex(data, n, <uint8_t *>PyBytes_AS_STRING(out))
    return out


cdef inline str _hex_text(const uint8_t *data, size_t n):
    cdef uint8_t text[128]
    ehc_hex(data, n, text)
    return PyUnicode_DecodeASCII(<char *>text, 2 * n, NULL)


@cython.final
cdef class KeyHandle:
    """A 16-byte key that can be used and not read: no attribute, repr or pickle gives its bytes.

    purpose: what it may be used for ("security_key" or "protection_key"); version: 1..255.
    The raw key is copied into memory that is wiped when the handle is dropped; wipe your own copy.
    """
    cdef ehc_sm4_key _key
    cdef readonly str purpose
    cdef readonly int version

    def __cinit__(self, const uint8_t[::1] raw not None, str purpose not None="security_key", int version=1):
        if raw.shape[0] != 16:
            raise ValueError(f"a key has 16 bytes, not {raw.shape[0]}")
        if not 1 <= version <= 255:
            raise ValueError(f"a key version is 1 to 255, not {version}")
        self.purpose, self.version = purpose, version
        ehc_sm4_set_key(&self._key, &raw[0])

    def __dealloc__(self):
        ehc_wipe(&self._key, sizeof(self._key))

    @property
    def check_value(self):
        """Key check value: the first 3 bytes of SM4 of the zero block, as 6 upper-case hex digits."""
        cdef uint8_t block[16]
        for i in range(16):
            block[i] = 0
        ehc_sm4_encrypt(&self._key, block, block, 1)
        return _hex_text(block, 3)

    def __repr__(self):
        return f"<KeyHandle {self.purpose} v{self.version} check value {self.check_value}>"

    def __reduce__(self):
        raise TypeError("a key handle cannot be pickled or copied")


cdef KeyHandle _handle(key):
    if isinstance(key, KeyHandle):
        return key
    return KeyHandle(key)


def sm3(const uint8_t[::1] data not None):
    cdef uint8_t digest[32]
    cdef size_t n = data.shape[0]
    cdef const uint8_t *p = &data[0] if n else NULL
    if n < 4096:
        ehc_sm3(p, n, digest)
    else:
        with nogil:
            ehc_sm3(p, n, digest)
    return PyBytes_FromStringAndSize(<char *>digest, 32)


def hmac_sm3(const uint8_t[::1] key not None, const uint8_t[::1] data not None):
    cdef uint8_t mac[32]
    cdef size_t nk = key.shape[0], n = data.shape[0]
    ehc_hmac_sm3(&key[0] if nk else NULL, nk, &data[0] if n else NULL, n, mac)
    return PyBytes_FromStringAndSize(<char *>mac, 32)


def sm4_ecb(key, const uint8_t[::1] data not None, bint decrypt):
    cdef KeyHandle handle = _handle(key)
    cdef size_t n = data.shape[0]
    if n % 16:
        raise ValueError(f"SM4-ECB works on whole 16-byte blocks, not on {n} bytes")
    cdef bytes out = PyBytes_FromStringAndSize(NULL, n)
    cdef uint8_t *to = <uint8_t *>PyBytes_AS_STRING(out)
    cdef const uint8_t *at = &data[0] if n else NULL
    with nogil:
        if decrypt:
            ehc_sm4_decrypt(&handle._key, at, to, n // 16)
        else:
            ehc_sm4_encrypt(&handle._key, at, to, n // 16)
    return out


include "rows.pxi"
include "claims.pxi"


def hex_upper(const uint8_t[:, ::1] rows not None):
    """bytes of 2·n·width upper-case hex digits, row after row."""
    cdef size_t n = rows.shape[0] * rows.shape[1]
    return _hex(&rows[0, 0], n) if n else b""


cdef tuple _payload_fields(const ehc_payload *p, const char *text):
    """(card_id, flag or None, token or None, organisation or None, prefix or None)"""
    return (
        _hex_text(p.card_id, p.card_id_length),
        None if p.flag == EHC_FLAG_ABSENT else p.flag,
        _hex_text(p.token_bytes, 16) if p.token.length else None,
        _span(&p.organisation, text),
        _span(&p.prefix, text),
    )


cdef inline _span(const ehc_span *span, const char *text):
    return PyUnicode_DecodeASCII(text + span.offset, span.length, NULL) if span.length else None


def parse_payload(bytes text not None):
    """(status, kind, error offset, fields or None)"""
    cdef ehc_payload p
    cdef int status = ehc_parse_payload(<const uint8_t *>PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text), &p)
    fields = _payload_fields(&p, PyBytes_AS_STRING(text)) if status == EHC_OK else None
    return status, p.kind, p.error_offset, fields


cdef ehc_window _window(int64_t now, int64_t tolerance, int64_t validity, bint issue):
    cdef ehc_window w
    w.now, w.tolerance, w.validity, w.issue = now, tolerance, validity, issue
    return w


cdef tuple _checked(int status, const ehc_checked *c, const char *text):
    cdef bint parsed = status == EHC_OK or status >= 48
    return (status, c.payload.kind, c.payload.error_offset, _payload_fields(&c.payload, text) if parsed else None,
            c.expiry)


def check_token(key, bytes text not None, int64_t now, int64_t tolerance, int64_t validity, bint issue):
    """(status, kind, error offset, fields or None, expiry)"""
    cdef KeyHandle handle = _handle(key)
    cdef ehc_window window = _window(now, tolerance, validity, issue)
    cdef ehc_checked c
    cdef int status = ehc_check_token(&handle._key, <const uint8_t *>PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text),
                                      &window, &c)
    return _checked(status, &c, PyBytes_AS_STRING(text))


@cython.final
cdef class CheckedBatch:
    """What ehc_check_batch found; rows are made into Python objects only when asked for."""
    cdef ehc_checked *_rows
    cdef _Rows _texts
    cdef readonly object status  # uint8[n], EHC_* codes

    def __cinit__(self, key, payloads, int64_t now, int64_t tolerance, int64_t validity, bint issue):
        cdef KeyHandle handle = _handle(key)
        cdef ehc_window window = _window(now, tolerance, validity, issue)
        cdef _Rows texts = _Rows()
        cdef uint8_t[::1] s
        for payload in payloads:
            try:
                texts.append(payload)
            except UnicodeEncodeError:
                texts.append(payload.encode("utf-8", "surrogatepass"))  # to be refused by the parser, like any text
            texts.end_row()
        self._texts = texts
        self.status = np.empty(texts.count, np.uint8)
        self._rows = <ehc_checked *>malloc((texts.count + 1) * sizeof(ehc_checked))
        if self._rows == NULL:
            raise MemoryError()
        if texts.count:
            s = self.status
            with nogil:
                ehc_check_batch(&handle._key, texts.data, texts.ends, texts.count, &window, self._rows, &s[0])

    def __dealloc__(self):
        free(self._rows)

    def row(self, size_t i):
        """As check_token's answer; i in range(n)."""
        cdef uint8_t[::1] s = self.status
        return _checked(s[i], &self._rows[i], <const char *>self._texts.data + self._texts.ends[i])

    def expiries(self):
        """int64[n], seconds since 1970; 0 where the token is not authentic."""
        out = np.empty(len(self.status), np.int64)
        cdef int64_t[::1] view = out
        cdef Py_ssize_t i
        for i in range(view.shape[0]):
            view[i] = self._rows[i].expiry
        return out


def make_token(key, int64_t time):
    """32 upper-case hex digits; None when the year has not four digits."""
    cdef KeyHandle handle = _handle(key)
    cdef uint8_t text[32]
    if ehc_make_token(&handle._key, time, text) != EHC_OK:
        return None
    return PyUnicode_DecodeASCII(<char *>text, 32, NULL)


def equal(const uint8_t[::1] a not None, const uint8_t[::1] b not None):
    """Constant time in the content, not in the length."""
    cdef size_t n = a.shape[0]
    if a.shape[0] != b.shape[0]:
        return False
    return not n or bool(ehc_equal(&a[0], &b[0], n))


def wipe(uint8_t[::1] secret not None):
    """Zero a writable buffer, surely."""
    if secret.shape[0]:
        ehc_wipe(&secret[0], secret.shape[0])


_init()
