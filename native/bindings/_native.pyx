# cython: language_level=3, boundscheck=False, wraparound=False, embedsignature=True
"""The compiled core for Python: one thin function a C call. Import ehc.crypto instead; it is this module's only user.

Single values go in as bytes, batches as contiguous arrays; the GIL is released for batches.
"""
import os
from types import MemberDescriptorType

import numpy as np

from ehc.errors import InputError, Unavailable

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.buffer cimport PyBUF_CONTIG, PyBUF_SIMPLE, PyBuffer_FillInfo, PyBuffer_Release, PyObject_GetBuffer
from cpython.pycapsule cimport PyCapsule_GetPointer
from cpython.ref cimport Py_INCREF, PyObject
from cpython.unicode cimport PyUnicode_DecodeASCII
from libc.stdint cimport INT64_MAX, UINT64_MAX
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcpy, memmove

include "ehc.pxd"
include "sm2.pxd"
include "sdf.pxd"

cdef extern from "structmember.h":
    ctypedef struct PyMemberDef:
        Py_ssize_t offset

cdef extern from "Python.h":
    ctypedef struct PyMemberDescrObject:
        PyMemberDef *d_member
    object PyType_GenericAlloc(type kind, Py_ssize_t n)
    void PyObject_GC_UnTrack(void *one)
    object PyUnicode_New(Py_ssize_t length, Py_UCS4 highest)
    void *PyUnicode_DATA(object text)
    bint PyUnicode_IS_ASCII(object text)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)
    int PyUnicode_KIND(object text)


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
    cdef str text = PyUnicode_New(2 * n, 127)
    ehc_hex(data, n, <uint8_t *>PyUnicode_DATA(text))
    return text


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


cdef inline KeyHandle _handle(key):
    return key if type(key) is KeyHandle else KeyHandle(key)


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


cdef extern from "dispatch.h" nogil:
    """
    static void sm4_each(const uint8_t *keys, uint8_t *blocks, size_t n)
    {
        ehc_tier_current()->token.sm4_many_keys(keys, blocks, blocks, n, 0);
    }
    """
    void sm4_each(const uint8_t *keys, uint8_t *blocks, size_t n)


def sm4_blocks(const uint8_t[:, ::1] keys not None, uint8_t[:, ::1] blocks not None):
    """Each block in place, under a key of its own."""
    cdef size_t n = blocks.shape[0]
    if keys.shape[0] != blocks.shape[0] or keys.shape[1] != 16 or blocks.shape[1] != 16:
        raise ValueError("a key of 16 bytes for each block of 16 bytes")
    if n:
        with nogil:
            sm4_each(&keys[0, 0], &blocks[0, 0], n)


include "rows.pxi"
include "records.pxi"
include "claims.pxi"
include "compact.pxi"
include "kept.pxi"
include "shortcut.pxi"
include "redis.pxi"
include "hot.pxi"
include "sm2.pxi"
include "mac.pxi"
include "host.pxi"
include "sdf.pxi"


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


def parse_payload(payload):
    """(status, kind, error offset, fields or None)"""
    cdef ehc_payload p
    cdef bytes text = text_bytes(payload)
    cdef int status = ehc_parse_payload(<const uint8_t *>PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text), &p)
    fields = _payload_fields(&p, PyBytes_AS_STRING(text)) if status == EHC_OK else None
    return status, p.kind, p.error_offset, fields


cpdef bytes text_bytes(payload):
    """A payload as bytes; a character that UTF-8 has not is left to the parser to refuse, like any text."""
    if type(payload) is bytes:
        return payload
    if isinstance(payload, str):
        return str.encode(payload, "utf-8", "surrogatepass")
    if isinstance(payload, (bytes, bytearray, memoryview)):
        return bytes(memoryview(payload))
    raise TypeError(f"a payload is text or bytes, not {type(payload).__name__}")


cdef Py_ssize_t _place(type owner, str slot) except -1:
    """Where a slot lies in an object of the class."""
    descriptor = getattr(owner, slot)
    if type(descriptor) is not MemberDescriptorType:
        raise TypeError(f"{owner.__name__}.{slot} is no slot")
    return (<PyMemberDescrObject *>descriptor).d_member.offset


cdef inline void _put(object new, Py_ssize_t place, object value):
    """Fills an empty slot."""
    Py_INCREF(value)
    (<PyObject **>((<char *><void *>new) + place))[0] = <PyObject *>value


cdef inline object _untracked(type kind):
    """An object whose slots will hold no more than it was given, none of which can lead back to it: the collector need
    not look at it."""
    new = PyType_GenericAlloc(kind, 0)
    PyObject_GC_UnTrack(<void *>new)
    return new


@cython.final
cdef class TokenChecker:
    """check_token, which makes one object only: the verdict. Its class, its reasons and the clock's form are given once.

    verdict: a subclass of model.Verdict with slots reason, expiry, _text and _fields_of_bound; reasons: {status: reason};
    seconds: what makes seconds since 1970 of any other `now` than an int; default: the window of a call that names none.
    """
    cdef object _seconds, _window, _default
    cdef type _verdict
    cdef list _reasons
    cdef ehc_window _bounds
    cdef Py_ssize_t _reason, _expiry, _text, _fields_of_bound

    def __init__(self, type verdict not None, dict reasons not None, seconds, default):
        self._verdict, self._seconds, self._default = verdict, seconds, default
        self._reason, self._expiry = _place(verdict, "reason"), _place(verdict, "expiry")
        self._text, self._fields_of_bound = _place(verdict, "_text"), _place(verdict, "_fields_of_bound")
        self._reasons = [reasons.get(status) for status in range(max(reasons) + 1)]

    cdef ehc_window policy(self, KeyHandle key, now, window, unsigned profiles):
        """A Window does not change: the one of the last call is read once."""
        if window is not self._window:
            self._bounds.tolerance, self._bounds.validity = window.tolerance, window.validity or 0
            self._bounds.issue = window.time == "issue"
            self._window = window
        cdef ehc_window bounds = self._bounds
        bounds.now = now if type(now) is int else self._seconds(now)
        bounds.profiles, bounds.key_version = profiles, key.version
        return bounds

    cdef verdict_of(self, KeyHandle key, text, const void *characters, size_t length, const ehc_window *policy):
        cdef ehc_checked c
        cdef int status = ehc_check_token(&key._key, <const uint8_t *>characters, length, policy, &c)
        verdict = _untracked(self._verdict)
        _put(verdict, self._reason, self._reasons[status])
        _put(verdict, self._expiry, c.expiry if c.profile else None)
        _put(verdict, self._text, text)
        _put(verdict, self._fields_of_bound, _bound_fields(&c))
        return verdict

    def check(self, payload, protection_key, now, *, window=None, unsigned profiles=EHC_PROFILE_NATIONAL):
        """Steps 1 to 5 in one native call: parse, decrypt, padding and BCD, time window.

        protection_key (保护密钥): 16 bytes or a handle. now: aware datetime, naive one in China Standard Time, or seconds
        since 1970. window: None for a Window as it is by default. profiles: the kinds of token that are accepted; a
        card-bound one must name the version of the key (1 of 16 raw bytes; else KEY_VERSION) and is judged by its expiry
        whatever `window.time` says; `verdict.bound` has its fields. A refusal is a value (`verdict.reason`, `.step`);
        `verdict.require()` raises it. A static code has reason NO_TOKEN: whether it may be used is the scene's policy
        (ehc.codes), not the token's.
        """
        cdef KeyHandle handle = _handle(protection_key)
        cdef ehc_window policy = self.policy(handle, now, self._default if window is None else window, profiles)
        if type(payload) is str and PyUnicode_IS_ASCII(payload):
            return self.verdict_of(handle, payload, PyUnicode_DATA(payload), PyUnicode_GET_LENGTH(payload), &policy)
        cdef bytes text = text_bytes(payload)
        return self.verdict_of(handle, text, PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text), &policy)


cdef inline _bound_fields(const ehc_checked *c):
    """(expiry, key version, channel, scene, sequence); None of a token that is not card-bound."""
    if c.profile != EHC_PROFILE_BOUND:
        return None
    return c.bound.expiry, c.bound.key_version, c.bound.channel, c.bound.scene, c.bound.sequence


cdef _Rows _texts_of(payloads):
    cdef _Rows texts = _Rows()
    for payload in payloads:
        try:
            if len(payload) > 0xFFFFFFFF - texts.size:  # before it is copied
                raise ValueError("a batch holds at most 4 GiB; split it")
            texts.append(payload)
        except (UnicodeEncodeError, TypeError):
            texts.append(text_bytes(payload))
        texts.end_row()
    return texts


@cython.final
cdef class CheckedBatch:
    """What ehc_check_batch found; a row is checked again, alone, when somebody looks at it."""
    cdef TokenChecker _checker
    cdef KeyHandle _key
    cdef _Rows _texts
    cdef ehc_window _policy
    cdef readonly object status  # uint8[n], EHC_* codes
    cdef readonly object expiry  # int64[n], seconds since 1970; 0 where the token is not authentic

    def __cinit__(self, TokenChecker checker not None, payloads, key, now, window, unsigned profiles):
        self._checker, self._key, self._texts = checker, _handle(key), _texts_of(payloads)
        self._policy = checker.policy(self._key, now, window, profiles)
        cdef size_t n = self._texts.count
        self.status, self.expiry = np.empty(n, np.uint8), np.empty(n, np.int64)
        cdef uint8_t[::1] s = self.status
        cdef int64_t[::1] e = self.expiry
        if n:
            with nogil:
                ehc_check_batch(&self._key._key, self._texts.data, self._texts.ends, n, &self._policy, &e[0], &s[0])

    def row(self, size_t i):
        """The verdict of check_token; i in range(n)."""
        cdef uint32_t begin = self._texts.ends[i]
        cdef bytes text = PyBytes_FromStringAndSize(<char *>self._texts.data + begin, self._texts.ends[i + 1] - begin)
        return self._checker.verdict_of(self._key, text, PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text),
                                        &self._policy)


def make_token(key, int64_t time):
    """32 upper-case hex digits; None when the year has not four digits."""
    cdef KeyHandle handle = _handle(key)
    text = PyUnicode_New(32, 127)
    return text if ehc_make_token(&handle._key, time, <uint8_t *>PyUnicode_DATA(text)) == EHC_OK else None


def make_tokens(key, const int64_t[::1] times not None):
    """(S32[n], status uint8[n])"""
    cdef KeyHandle handle = _handle(key)
    cdef size_t n = times.shape[0]
    texts, status = np.empty((n, 32), np.uint8), np.empty(n, np.uint8)
    cdef uint8_t[:, ::1] t = texts
    cdef uint8_t[::1] s = status
    if n:
        with nogil:
            ehc_make_batch(&handle._key, &times[0], n, &t[0, 0], &s[0])
    return texts.view("S32").reshape(n), status


def make_bound(key, bytes card_id not None, tuple fields not None):
    """fields as in ehc_bound; 32 upper-case hex digits, None when one is out of its range."""
    cdef KeyHandle handle = _handle(key)
    cdef ehc_bound bound
    cdef uint8_t text[32]
    bound.expiry, bound.key_version, bound.channel, bound.scene, bound.sequence = fields
    if PyBytes_GET_SIZE(card_id) != 32:
        raise ValueError(f"a card id has 32 bytes, not {len(card_id)}")
    if ehc_make_bound(&handle._key, <const uint8_t *>PyBytes_AS_STRING(card_id), &bound, text) != EHC_OK:
        return None
    return PyUnicode_DecodeASCII(<char *>text, 32, NULL)


def unhex(bytes text not None):
    """bytes of an even number of hex digits of either case; None when a character is none."""
    cdef size_t n = PyBytes_GET_SIZE(text) // 2
    cdef bytes out = PyBytes_FromStringAndSize(NULL, n)
    if PyBytes_GET_SIZE(text) % 2:
        return None
    right = ehc_unhex(<const uint8_t *>PyBytes_AS_STRING(text), n, <uint8_t *>PyBytes_AS_STRING(out))
    return out if right else None


def is_plain_resident_id(str text not None):
    """Whether it is a resident id in its one form that needs no calendar."""
    if not PyUnicode_IS_ASCII(text):
        return False
    return ehc_is_plain_resident_id(<const uint8_t *>PyUnicode_DATA(text), PyUnicode_GET_LENGTH(text)) != 0


def base45_encode(bytes data not None):
    cdef size_t n = PyBytes_GET_SIZE(data)
    cdef bytes text = PyBytes_FromStringAndSize(NULL, n // 2 * 3 + n % 2 * 2)
    ehc_base45_encode(<const uint8_t *>PyBytes_AS_STRING(data), n, <uint8_t *>PyBytes_AS_STRING(text))
    return text.decode("ascii")


def base45_decode(bytes text not None):
    """(status, error offset, data or None)"""
    cdef size_t n, offset, length = PyBytes_GET_SIZE(text)
    cdef bytes data = PyBytes_FromStringAndSize(NULL, length // 3 * 2 + 1)
    cdef int status = ehc_base45_decode(<const uint8_t *>PyBytes_AS_STRING(text), length,
                                        <uint8_t *>PyBytes_AS_STRING(data), &n, &offset)
    return status, offset, data[:n] if status == EHC_OK else None


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
