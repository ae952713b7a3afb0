# claims.pxi: sets of taken codes in shared memory. Part of _native.pyx.

def fingerprint(bytes secret_and_key):
    """A 64-bit name of a key, which only who knows the secret in front of it can tell; never 0."""
    cdef uint8_t digest[32]
    cdef uint64_t code
    ehc_sm3(<const uint8_t *>PyBytes_AS_STRING(secret_and_key), PyBytes_GET_SIZE(secret_and_key), digest)
    memcpy(&code, digest, 8)
    return code if code else 1


@cython.final
cdef class Claims:
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
            raise ValueError("claims: the memory has 16 bytes times a power of two, at least 64, aligned to 8 bytes")

    def __dealloc__(self):
        if self._held:
            PyBuffer_Release(&self._view)

    def claim(self, uint64_t code, uint64_t holder, unsigned uses):
        return ehc_claim(<uint64_t *>self._view.buf, self._bits, code, holder, uses)

    def set(self, uint64_t code, uint64_t holder):
        return ehc_claim_set(<uint64_t *>self._view.buf, self._bits, code, holder)

    def holder(self, uint64_t code):
        """(status, holder)."""
        cdef uint64_t holder = 0
        status = ehc_claim_holder(<const uint64_t *>self._view.buf, self._bits, code, &holder)
        return status, holder


def add_one(memory, Py_ssize_t i):
    """Adds one to counter i of the 4-byte counters in a shared buffer, atomically."""
    cdef uint32_t[::1] counters = memory
    if not 0 <= i < counters.shape[0]:
        raise IndexError(i)
    ehc_add_one(&counters[i])
