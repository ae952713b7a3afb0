# claims.pxi: sets of taken codes, and token buckets, in shared memory. Part of _native.pyx.

cdef enum:
    SHORTEST_PERIOD = 512  # seconds


def fingerprint(bytes secret_and_key):
    """A 64-bit name of a key, which only who knows the secret in front of it can tell; never 0."""
    cdef ehc_sm3_ctx before
    ehc_sm3_init(&before)
    return _fingerprint(&before, <const uint8_t *>PyBytes_AS_STRING(secret_and_key), PyBytes_GET_SIZE(secret_and_key))


cdef uint64_t _fingerprint(const ehc_sm3_ctx *before, const uint8_t *key, size_t length):
    """before: has seen the secret."""
    cdef ehc_sm3_ctx ctx = before[0]
    cdef uint8_t digest[32]
    cdef uint64_t code
    ehc_sm3_update(&ctx, key, length)
    ehc_sm3_final(&ctx, digest)
    memcpy(&code, digest, 8)
    return code if code else 1


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
    """One set of taken codes."""


cdef class _Chain:
    """Sets of one period and epoch, each next one for what the last had no room for."""
    cdef int64_t period, epoch
    cdef list sets


@cython.final
cdef class CodeSets:
    """Taken codes of one name. A code stands in the chain of the time at which it ends: the longer it lives, the longer
    the period; up to an hour all are alike, so that a change of the setting loses none of the codes that are about.

    secret: goes before a code in its fingerprint. new(period, epoch, n): the n-th Claims of a chain. Times in seconds.
    """
    cdef ehc_sm3_ctx _secret  # seen
    cdef object _new
    cdef dict _chains  # by (period, epoch)
    cdef _Chain _last  # that was asked for

    def __init__(self, bytes secret not None, new):
        ehc_sm3_init(&self._secret)
        ehc_sm3_update(&self._secret, <const uint8_t *>PyBytes_AS_STRING(secret), PyBytes_GET_SIZE(secret))
        self._new, self._chains, self._last = new, {}, None

    cdef uint64_t name(self, const uint8_t *code, size_t length):
        return _fingerprint(&self._secret, code, length)

    cdef uint64_t name_of(self, bytes code):
        return self.name(<const uint8_t *>PyBytes_AS_STRING(code), PyBytes_GET_SIZE(code))

    cdef _Chain chain(self, int64_t issued_at, int64_t until):
        cdef int64_t life = until - issued_at if until > issued_at else issued_at - until
        cdef int64_t period = SHORTEST_PERIOD
        while period <= life >> 3:
            period <<= 1
        cdef int64_t epoch = until // period
        cdef _Chain found = self._last
        if found is not None and found.period == period and found.epoch == epoch:
            return found
        found = <_Chain>self._chains.get((period, epoch))
        if found is None:
            found = _Chain()
            found.period, found.epoch, found.sets = period, epoch, []
            self._chains[period, epoch] = found
        self._last = found
        return found

    cdef Claims at(self, _Chain chain, Py_ssize_t n):
        while (made := len(chain.sets)) <= n:
            another = self._new(chain.period, chain.epoch, made)
            if len(chain.sets) == made:  # another thread may have made it meanwhile
                chain.sets.append(another)
        return chain.sets[n]

    cdef int take(self, _Chain chain, uint64_t name, uint64_t holder, unsigned uses) except -1:
        cdef Py_ssize_t n = 0
        cdef int status = EHC_CLAIM_FULL
        cdef Claims claims
        while status == EHC_CLAIM_FULL:
            claims, n = self.at(chain, n), n + 1
            status = ehc_claim(<uint64_t *>claims._view.buf, claims._bits, name, holder, uses)
        return status

    cdef int set(self, _Chain chain, uint64_t name, uint64_t holder) except -1:
        cdef Py_ssize_t n = 0
        cdef int status = EHC_CLAIM_FULL
        cdef Claims claims
        while status == EHC_CLAIM_FULL:
            claims, n = self.at(chain, n), n + 1
            status = ehc_claim_set(<uint64_t *>claims._view.buf, claims._bits, name, holder)
        return status

    cdef int find(self, _Chain chain, uint64_t name, uint64_t *holder) except -1:
        """LOST: the holder has it."""
        cdef Py_ssize_t n = 0
        cdef int status = EHC_CLAIM_FULL
        cdef Claims claims
        while status == EHC_CLAIM_FULL:
            claims, n = self.at(chain, n), n + 1
            status = ehc_claim_holder(<uint64_t *>claims._view.buf, claims._bits, name, holder)
        return status

    cdef int ask(self, _Chain chain, uint64_t name, uint64_t holder, unsigned uses) except -1:
        """Takes it where it has uses; else REVOKED, or NONE."""
        cdef uint64_t has = 0
        if uses:
            return self.take(chain, name, holder, uses)
        if self.find(chain, name, &has) == EHC_CLAIM_LOST and has == EHC_HOLDER_REVOKED:
            return EHC_CLAIM_REVOKED
        return EHC_CLAIM_NONE

    def claim(self, bytes code not None, int64_t issued_at, int64_t until, uint64_t holder, unsigned uses):
        """As ehc_claim, but FULL. Where uses is 0 nothing is claimed: REVOKED, or NONE."""
        return self.ask(self.chain(issued_at, until), self.name_of(code), holder, uses)

    def claim_many(self, codes, issued_at, until, uses, uint64_t holder):
        """claim() of one after the other."""
        cdef bytes code
        cdef int64_t since, end
        cdef unsigned most
        return [self.ask(self.chain(since, end), self.name_of(code), holder, most)
                for code, since, end, most in zip(codes, issued_at, until, uses, strict=True)]

    def put(self, bytes code not None, int64_t issued_at, int64_t until, uint64_t holder):
        """The code is the holder's, whoever had it."""
        self.set(self.chain(issued_at, until), self.name_of(code), holder)

    def holder(self, bytes code not None, int64_t issued_at, int64_t until):
        """None when nobody has it."""
        cdef uint64_t holder = 0
        found = self.find(self.chain(issued_at, until), self.name_of(code), &holder)
        return holder if found == EHC_CLAIM_LOST else None

    def forget(self, int64_t time):
        """Let the chains go whose codes had all ended by then."""
        for period, epoch in list(self._chains):
            if (epoch + 1) * period < time:
                self._last = None
                del self._chains[period, epoch]


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

    def pay(self, double now, uint64_t count):
        """Takes that many, though it may be empty."""
        ehc_rate_take(self._full_at, <uint64_t>(now * 1e9), count * self._cost, UINT64_MAX)


cpdef double take_each(tuple buckets, double now) except -1:
    """One out of every bucket, or out of none: seconds to wait, 0 when they were taken."""
    cdef Bucket bucket, other
    cdef uint64_t wait, at = <uint64_t>(now * 1e9)
    for bucket in buckets:
        wait = ehc_rate_take(bucket._full_at, at, bucket._cost, bucket._tolerance)
        if wait:
            for other in buckets:
                if other is bucket:
                    break
                ehc_rate_give_back(other._full_at, other._cost)
            return wait / 1e9
    return 0.0


@cython.final
cdef class Counters:
    """Counters of 4 bytes in a buffer aligned to them, which this object keeps; each step is atomic."""
    cdef Py_buffer _view
    cdef bint _held
    cdef Py_ssize_t count

    def __cinit__(self, memory):
        PyObject_GetBuffer(memory, &self._view, PyBUF_CONTIG)
        self._held = True
        self.count = self._view.len // 4
        if <size_t>self._view.buf % 4:
            raise ValueError("counters: the memory is aligned to 4 bytes")

    def __dealloc__(self):
        if self._held:
            PyBuffer_Release(&self._view)

    def add_one(self, Py_ssize_t i):
        if not 0 <= i < self.count:
            raise IndexError(i)
        ehc_add_one(<uint32_t *>self._view.buf + i)

    cdef uint32_t now(self, Py_ssize_t i) except? 0xFFFFFFFF:
        if not 0 <= i < self.count:
            raise IndexError(i)
        return (<const volatile uint32_t *>self._view.buf)[i]
