# compact.pxi: compact codes, profile E2. Part of _native.pyx.

cdef enum:
    SERIAL_NAME = 10  # bytes


@cython.final
cdef class CompactKey:
    """The alias and mac keys that a protection key gives for compact codes (profile E2), derived once; they can be used
    and not read.

    protection_key: 16 bytes, copied nowhere; version: 1..255, which the codes name.
    """
    cdef ehc_compact_key _key

    def __cinit__(self, const uint8_t[::1] protection_key not None, int version=1):
        if protection_key.shape[0] != 16:
            raise ValueError(f"a key has 16 bytes, not {protection_key.shape[0]}")
        if not 1 <= version <= 255:
            raise ValueError(f"a key version is 1 to 255, not {version}")
        ehc_compact_set_key(&self._key, &protection_key[0], version)

    def __dealloc__(self):
        ehc_wipe(&self._key, sizeof(self._key))

    @property
    def version(self):
        return self._key.version

    def open_alias(self, bytes alias not None, uint32_t day):
        """The account; None when the alias (16 bytes) was not made for this day under this key."""
        cdef uint64_t account
        if PyBytes_GET_SIZE(alias) != 16:
            raise ValueError(f"an alias has 16 bytes, not {len(alias)}")
        status = ehc_open_alias(&self._key, <const uint8_t *>PyBytes_AS_STRING(alias), day, &account)
        return account if status == EHC_OK else None

    def __repr__(self):
        return f"<CompactKey v{self.version}>"

    def __reduce__(self):
        raise TypeError("a key cannot be pickled or copied")


cdef tuple _compact_fields(const ehc_compact *c):
    return c.issuer, c.node, c.key_version, c.ttl, c.channel, c.issued_at, c.serial


def parse_compact(bytes text not None):
    """(status, error offset, fields or None)"""
    cdef ehc_compact code
    cdef size_t offset
    cdef int status = ehc_parse_compact(<const uint8_t *>PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text), &code, &offset)
    return status, offset, _compact_fields(&code) if status == EHC_OK else None


@cython.final
cdef class CompactChecker:
    """check_compact, which makes one object only: the verdict (as TokenChecker, whose `reasons` and `seconds` these are).

    verdict: a class with slots reason, expiry, account, issued_at, serial_name and _text.
    """
    cdef object _seconds
    cdef type _verdict
    cdef list _reasons
    cdef Py_ssize_t _reason, _expiry, _account, _issued_at, _serial_name, _text

    def __init__(self, type verdict not None, dict reasons not None, seconds):
        self._verdict, self._seconds = verdict, seconds
        self._reason, self._expiry, self._text = _place(verdict, "reason"), _place(verdict, "expiry"), _place(verdict, "_text")
        self._account, self._issued_at = _place(verdict, "account"), _place(verdict, "issued_at")
        self._serial_name = _place(verdict, "serial_name")
        self._reasons = [reasons.get(status) for status in range(max(reasons) + 1)]

    cdef CompactKey key_for(self, const uint8_t *text, size_t length, keys):
        """Step 3: the key of the version that the code names; any when it names none of them or has no form."""
        cdef ehc_compact code
        cdef size_t offset
        if type(keys) is CompactKey:
            return keys
        key = None
        if ehc_parse_compact(text, length, &code, &offset) == EHC_OK:
            key = keys.get(code.key_version)
        if key is None:
            key = next(iter(keys.values()), None)
        if key is None:
            raise ValueError("no key to check a compact code with: give at least one version")
        return key

    cdef verdict_of(self, const uint8_t *characters, size_t length, text, keys, int64_t now, int64_t tolerance):
        cdef ehc_compact code
        cdef size_t offset
        cdef int64_t expiry
        cdef CompactKey key = self.key_for(characters, length, keys)
        cdef int status = ehc_check_compact(&key._key, characters, length, now, tolerance, &code, &expiry, &offset)
        cdef bint authentic = status in (EHC_OK, EHC_TOKEN_EXPIRED, EHC_TOKEN_EARLY)
        verdict = _untracked(self._verdict)
        _put(verdict, self._reason, self._reasons[status])
        _put(verdict, self._expiry, expiry if authentic and expiry != INT64_MAX else None)
        _put(verdict, self._account, code.account if authentic else None)
        _put(verdict, self._issued_at, code.issued_at if authentic else None)
        _put(verdict, self._serial_name, _serial_name(&code) if authentic else b"")
        _put(verdict, self._text, text)
        return verdict

    def check(self, payload, keys, now, int64_t tolerance):
        cdef int64_t at = now if type(now) is int else self._seconds(now)
        if type(payload) is str and PyUnicode_IS_ASCII(payload):
            return self.verdict_of(<const uint8_t *>PyUnicode_DATA(payload), PyUnicode_GET_LENGTH(payload), payload, keys,
                                   at, tolerance)
        cdef bytes text = text_bytes(payload)
        return self.verdict_of(<const uint8_t *>PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text), text, keys, at, tolerance)


cdef bytes _serial_name(const ehc_compact *code):
    cdef uint8_t name[SERIAL_NAME]
    _write_serial_name(code, name)
    return PyBytes_FromStringAndSize(<char *>name, SERIAL_NAME)


cdef void _write_serial_name(const ehc_compact *code, uint8_t *name):
    """issuer, node, key version and serial, which together are never used twice."""
    _big_endian(code.issuer << 4 | code.node, name, 3)
    name[3] = code.key_version
    _big_endian(code.serial, name + 4, 6)


cdef inline void _big_endian(uint64_t number, uint8_t *at, int n):
    cdef int i
    for i in range(n):
        at[n - 1 - i] = number >> 8 * i & 255


def check_compact_batch(CompactKey key not None, payloads, int64_t now, int64_t tolerance):
    """(status uint8[n], account uint64[n], expiry int64[n])"""
    cdef _Rows texts = _texts_of(payloads)
    cdef size_t n = texts.count
    status, account, expiry = np.empty(n, np.uint8), np.empty(n, np.uint64), np.empty(n, np.int64)
    cdef uint8_t[::1] s = status
    cdef uint64_t[::1] a = account
    cdef int64_t[::1] e = expiry
    if n:
        with nogil:
            ehc_check_compact_batch(&key._key, texts.data, texts.ends, n, now, tolerance, &a[0], &e[0], &s[0])
    return status, account, expiry


@cython.final
cdef class _Opened:
    """Which codes are authentic under a key, whatever the time is, and what they say."""
    cdef _Rows _texts
    cdef uint8_t[::1] _status
    cdef uint64_t[::1] account
    cdef int64_t[::1] expiry  # INT64_MAX: there is none

    def __cinit__(self, CompactKey key not None, payloads):
        cdef size_t n
        self._texts = _texts_of(payloads)
        n = self._texts.count
        self._status, self.account, self.expiry = np.empty(n, np.uint8), np.empty(n, np.uint64), np.empty(n, np.int64)
        if n:
            with nogil:
                ehc_check_compact_batch(&key._key, self._texts.data, self._texts.ends, n, 0, INT64_MAX, &self.account[0],
                                        &self.expiry[0], &self._status[0])

    cdef bint says(self, size_t i, ehc_compact *code):
        """code: without its account."""
        cdef size_t offset, begin = self._texts.ends[i], end = self._texts.ends[i + 1]
        if self._status[i] != EHC_OK:
            return False
        return ehc_parse_compact(self._texts.data + begin, end - begin, code, &offset) == EHC_OK


def open_compacts(CompactKey key not None, payloads):
    """(account, issued_at, expiry or None, serial name) of each code that is authentic under the key, whatever the time
    is; else None."""
    cdef _Opened opened = _Opened(key, payloads)
    cdef ehc_compact code
    cdef size_t i
    cdef list found = [None] * opened._texts.count
    for i in range(opened._texts.count):
        if opened.says(i, &code):
            ends = None if opened.expiry[i] == INT64_MAX else opened.expiry[i]
            found[i] = opened.account[i], code.issued_at, ends, _serial_name(&code)
    return found


def make_compact(CompactKey key not None, uint64_t account, tuple fields not None):
    """fields: issuer, node, ttl, channel, issued_at, serial; None when one is out of its range."""
    cdef ehc_compact code
    cdef uint8_t text[128]
    code.issuer, code.node, code.ttl, code.channel, code.issued_at, code.serial = fields
    code.account = account
    if ehc_make_compact(&key._key, &code, text) != EHC_OK:
        return None
    return PyUnicode_DecodeASCII(<char *>text, EHC_COMPACT_LENGTH, NULL)
