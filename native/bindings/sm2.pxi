# sm2.pxi: SM2 keys. Part of _native.pyx.

cdef _check_sm2(int status):
    """The error of a status of sm2.h that is no answer."""
    if status == EHC_SM2_NO_LIBRARY:
        raise Unavailable(
            "SM2 needs OpenSSL's libcrypto 3.0 or later, which was not found: install it (Debian, Ubuntu: apt install "
            "libssl3) or name its file in EHC_LIBCRYPTO; a build that leaves SM2 out is not enough")
    if status == EHC_SM2_KEY:
        raise InputError("an SM2 private key is a number from 1 to n - 2 in 32 bytes, a public key a point of the curve "
                         "in 64")
    if status == EHC_SM2_FAULT:
        raise MemoryError("libcrypto gave no answer")
    if status != EHC_SM2_OK:
        raise AssertionError(status)


@cython.final
cdef class Sm2Key:
    """An SM2 key, private (32 bytes) or public (64 bytes x ‖ y); of a private number nothing is shown."""
    cdef ehc_sm2_key *_key
    cdef readonly bint private

    def __cinit__(self, const uint8_t[::1] raw):
        """raw: None makes a new private key."""
        self.private = raw is None or raw.shape[0] == EHC_SM2_PRIVATE
        if raw is None:
            _check_sm2(ehc_sm2_generate(&self._key))
        elif raw.shape[0] == EHC_SM2_PRIVATE:
            _check_sm2(ehc_sm2_private(&self._key, &raw[0]))
        elif raw.shape[0] == EHC_SM2_POINT:
            _check_sm2(ehc_sm2_public(&self._key, &raw[0]))
        else:
            _check_sm2(EHC_SM2_KEY)

    def __dealloc__(self):
        ehc_sm2_free(self._key)

    def __reduce__(self):
        raise TypeError("a key cannot be pickled or copied")

    @property
    def point(self):
        return PyBytes_FromStringAndSize(<const char *>ehc_sm2_point(self._key), EHC_SM2_POINT)

    def write_raw(self, uint8_t[::1] into not None):
        if into.shape[0] != EHC_SM2_PRIVATE:
            raise ValueError(f"a private key has 32 bytes, the buffer {into.shape[0]}")
        _check_sm2(ehc_sm2_write(self._key, &into[0]))

    cpdef bytes e(self, const uint8_t[::1] message, const uint8_t[::1] user_id):
        """SM3(Z ‖ message); Z alone when there is no message."""
        cdef uint8_t out[32]
        cdef size_t n = message.shape[0] if message is not None else 0, n_id = user_id.shape[0]
        cdef const uint8_t *id = &user_id[0] if n_id else NULL
        cdef const uint8_t *point = ehc_sm2_point(self._key)
        cdef int status
        if message is None:
            status = ehc_sm2_z(point, id, n_id, out)
        else:
            status = ehc_sm2_e(point, id, n_id, &message[0] if n else NULL, n, out)
        if status != EHC_SM2_OK:
            raise InputError(f"a user id has at most 8191 bytes, not {n_id}")
        return PyBytes_FromStringAndSize(<char *>out, 32)

    def sign(self, const uint8_t[::1] e not None):
        cdef bytes signature = PyBytes_FromStringAndSize(NULL, EHC_SM2_SIGNATURE)
        cdef uint8_t *to = <uint8_t *>PyBytes_AS_STRING(signature)
        cdef int status
        _check_digest(e)
        with nogil:
            status = ehc_sm2_sign(self._key, &e[0], to)
        _check_sm2(status)
        return signature

    def verify(self, const uint8_t[::1] signature not None, const uint8_t[::1] e not None):
        cdef int status
        _check_digest(e)
        if signature.shape[0] != EHC_SM2_SIGNATURE:
            return False
        with nogil:
            status = ehc_sm2_verify(self._key, &e[0], &signature[0])
        if status == EHC_SM2_FORGED:
            return False
        _check_sm2(status)
        return True

    def encrypt(self, const uint8_t[::1] message not None):
        cdef size_t n = message.shape[0]
        cdef int status
        if not 1 <= n <= EHC_SM2_MESSAGE_MAX:
            raise InputError(f"SM2 encrypts 1 to {EHC_SM2_MESSAGE_MAX} bytes, not {n}")
        cdef bytes out = PyBytes_FromStringAndSize(NULL, n + EHC_SM2_OVERHEAD)
        cdef uint8_t *to = <uint8_t *>PyBytes_AS_STRING(out)
        with nogil:
            status = ehc_sm2_encrypt(self._key, &message[0], n, to)
        _check_sm2(status)
        return out

    def decrypt(self, const uint8_t[::1] ciphertext not None):
        cdef size_t n = ciphertext.shape[0]
        cdef int status
        if not EHC_SM2_OVERHEAD < n <= EHC_SM2_OVERHEAD + EHC_SM2_MESSAGE_MAX:
            raise InputError(f"an SM2 ciphertext has 97 bytes (C1, C3, C2) or more, up to 1 MiB of C2, not {n}")
        clear = bytearray(n - EHC_SM2_OVERHEAD)
        cdef uint8_t[::1] to = clear
        with nogil:
            status = ehc_sm2_decrypt(self._key, &ciphertext[0], n, &to[0])
        if status == EHC_SM2_FORGED:
            raise InputError("the SM2 ciphertext was not made for this key, or has been changed")
        _check_sm2(status)
        return clear

    def agree(self, Sm2Key once not None, Sm2Key other not None, Sm2Key other_once not None,
              const uint8_t[::1] z_initiator not None, const uint8_t[::1] z_responder not None, bint initiator,
              size_t length):
        """(shared key, SB, SA) of part 3."""
        cdef ehc_sm2_agreement agreement
        cdef uint8_t sb[32], sa[32]
        cdef int status
        _check_digest(z_initiator)
        _check_digest(z_responder)
        if not 1 <= length <= EHC_SM2_MESSAGE_MAX:
            raise InputError(f"a shared key has 1 byte or more, not {length}")
        shared = bytearray(length)
        cdef uint8_t[::1] to = shared
        agreement.own, agreement.own_once = self._key, once._key
        agreement.other, agreement.other_once = ehc_sm2_point(other._key), ehc_sm2_point(other_once._key)
        agreement.z_initiator, agreement.z_responder = &z_initiator[0], &z_responder[0]
        agreement.initiator = initiator
        with nogil:
            status = ehc_sm2_agree(&agreement, &to[0], length, sb, sa)
        _check_sm2(status)
        return shared, PyBytes_FromStringAndSize(<char *>sb, 32), PyBytes_FromStringAndSize(<char *>sa, 32)


cdef _check_digest(const uint8_t[::1] e):
    if e.shape[0] != 32:
        raise InputError(f"a digest of SM3 has 32 bytes, not {e.shape[0]}")


def sm2_to_der(const uint8_t[::1] signature not None):
    cdef uint8_t der[EHC_SM2_DER_MAX]
    if signature.shape[0] != EHC_SM2_SIGNATURE:
        raise InputError(f"an SM2 signature has 64 bytes (r, s), not {signature.shape[0]}")
    return PyBytes_FromStringAndSize(<char *>der, ehc_sm2_to_der(&signature[0], der))


def sm2_of_der(const uint8_t[::1] der not None):
    """None when it is no DER of a signature."""
    cdef uint8_t signature[EHC_SM2_SIGNATURE]
    cdef size_t n = der.shape[0]
    if not n or ehc_sm2_of_der(&der[0], n, signature) != EHC_SM2_OK:
        return None
    return PyBytes_FromStringAndSize(<char *>signature, EHC_SM2_SIGNATURE)
