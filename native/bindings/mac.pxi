# mac.pxi: HMAC-SM3 under a key that can be used and not read. Part of _native.pyx.

@cython.final
cdef class MacKey:
    """An HMAC-SM3 key of at most 64 bytes, as the states behind its two pads; wiped when it is dropped.

    version: 1..255. No attribute, repr or pickle gives its bytes; wipe your own copy.
    """
    cdef ehc_sm3_ctx _inner, _outer
    cdef readonly int version

    def __cinit__(self, const uint8_t[::1] raw not None, int version=1):
        cdef uint8_t pad[64]
        if not 1 <= raw.shape[0] <= 64:
            raise ValueError(f"a MAC key has 1 to 64 bytes, not {raw.shape[0]}")
        if not 1 <= version <= 255:
            raise ValueError(f"a key version is 1 to 255, not {version}")
        self.version = version
        for i in range(64):
            pad[i] = 0x36 ^ (raw[i] if i < raw.shape[0] else 0)
        ehc_sm3_init(&self._inner)
        ehc_sm3_update(&self._inner, pad, 64)
        for i in range(64):
            pad[i] ^= 0x36 ^ 0x5C
        ehc_sm3_init(&self._outer)
        ehc_sm3_update(&self._outer, pad, 64)
        ehc_wipe(pad, 64)

    def __dealloc__(self):
        ehc_wipe(&self._inner, sizeof(self._inner))
        ehc_wipe(&self._outer, sizeof(self._outer))

    def mac(self, const uint8_t[::1] data not None):
        """32 bytes."""
        cdef ehc_sm3_ctx inner = self._inner, outer = self._outer
        cdef uint8_t digest[32]
        if data.shape[0]:
            ehc_sm3_update(&inner, &data[0], data.shape[0])
        ehc_sm3_final(&inner, digest)
        ehc_sm3_update(&outer, digest, 32)
        ehc_sm3_final(&outer, digest)
        ehc_wipe(&inner, sizeof(inner))
        ehc_wipe(&outer, sizeof(outer))
        return PyBytes_FromStringAndSize(<char *>digest, 32)

    def __repr__(self):
        return f"<MacKey v{self.version}>"

    def __reduce__(self):
        raise TypeError("a key cannot be pickled or copied")
