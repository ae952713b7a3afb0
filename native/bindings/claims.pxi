# claims.pxi: sets of taken codes, and token buckets, in shared memory. Part of _native.pyx.

def fingerprint(bytes secret_and_key):
    """A 64-bit name of a key, which only who knows the secret in front of it can tell; never 0."""
    cdef uint8_t digest[32]
    cdef uint64_t code
    ehc_sm3(<const uint8_t *>PyBytes_AS_STRING(secret_and_key), PyBytes_GET_SIZE(secret_and_key), digest)
    memcpy(&code, digest, 8)
    return code if code else 1


def fingerprints(bytes secret not None, keys):
    """fingerprint(secret + key) of each."""
    return [fingerprint(secret + key) for key in keys]


cdef class Slots:
    """2^n slots of 16 bytes in a writable buffer, such as a shared mapping, which this object keeps."""
    cdef Py_buffer _view
    cdef bint _held
    cdef unsigned _bits

    def __cinit__(self, memory):
        PyObject_GetBuffer(memory, &self._view, PyBUF_CONTIG)
        self._held = True
        self._bits = 6
        while (<Py_ssize_t>16 << self._bits) < self._view.len:
            self._bits += 1
        if (<Py_ssize_t>16 << self._bits) != self._view.len or <size_t>self._view.buf % 8:
            raise ValueError("slots: the memory has 16 bytes times a power of two, at least 64, aligned to 8 bytes")

    def __dealloc__(self):
        if self._held:
            PyBuffer_Release(&self._view)


@cython.final
cdef class Claims(Slots):
    """Which codes are taken."""

    def claim(self, uint64_t code, uint64_t holder, unsigned uses):
        return ehc_claim(<uint64_t *>self._view.buf, self._bits, code, holder, uses)

    def claim_many(self, codes, uint64_t holder, uses):
        """The statuses of one claim after the other. Where uses is 0 nothing is claimed: REVOKED, or NONE."""
        cdef uint64_t *slots = <uint64_t *>self._view.buf
        cdef uint64_t has
        cdef unsigned most
        cdef int status
        cdef list found = []
        for code, most in zip(codes, uses, strict=True):
            has = 0
            if most:
                status = ehc_claim(slots, self._bits, code, holder, most)
            else:
                status = ehc_claim_holder(slots, self._bits, code, &has)
                if status == EHC_CLAIM_LOST:
                    status = EHC_CLAIM_REVOKED if has == EHC_HOLDER_REVOKED else EHC_CLAIM_NONE
            found.append(status)
        return found

    def set(self, uint64_t code, uint64_t holder):
        return ehc_claim_set(<uint64_t *>self._view.buf, self._bits, code, holder)

    def holder(self, uint64_t code):
        """(status, holder)."""
        cdef uint64_t holder = 0
        status = ehc_claim_holder(<const uint64_t *>self._view.buf, self._bits, code, &holder)
        return status, holder


@cython.final
cdef class Buckets(Slots):
    """Token buckets, by code."""

    def bucket(self, uint64_t code, double rate, double burst):
        """rate: a second; burst: so many at once after a rest. None when there is no slot left."""
        cdef Bucket bucket = Bucket.__new__(Bucket)
        bucket._slots = self
        bucket._full_at = ehc_slot(<uint64_t *>self._view.buf, self._bits, code)
        bucket._cost, bucket._tolerance = <uint64_t>(1e9 / rate), <uint64_t>(1e9 * (burst - 1) / rate)
        return bucket if bucket._full_at != NULL else None


@cython.final
cdef class Bucket:
    """One of them; made by Buckets. now: seconds of a clock that never steps and that all processes share."""
    cdef Buckets _slots
    cdef uint64_t *_full_at
    cdef uint64_t _cost, _tolerance

    def __init__(self):
        raise TypeError("a bucket is one of Buckets")

    def take(self, double now):
        """Seconds to wait; 0 when one was taken."""
        return ehc_rate_take(self._full_at, <uint64_t>(now * 1e9), self._cost, self._tolerance) / 1e9

    def pay(self, double now, uint64_t count):
        """Takes that many, though it may be empty."""
        ehc_rate_take(self._full_at, <uint64_t>(now * 1e9), count * self._cost, UINT64_MAX)

    def give_back(self):
        """What was taken last."""
        ehc_rate_give_back(self._full_at, self._cost)


def add_one(memory, Py_ssize_t i):
    """Adds one to counter i of the 4-byte counters in a shared buffer, atomically."""
    cdef uint32_t[::1] counters = memory
    if not 0 <= i < counters.shape[0]:
        raise IndexError(i)
    ehc_add_one(&counters[i])
