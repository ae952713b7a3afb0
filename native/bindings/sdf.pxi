# sdf.pxi: a folder of the GM/T 0018 machine as its administrator sees it. Part of _native.pyx.

def sdf_create(bytes home not None, bytes serial not None):
    """An SDR_* code, as every function here; serial: 16 digits."""
    if PyBytes_GET_SIZE(serial) != SDF_SERIAL:
        raise ValueError(f"a serial has 16 bytes, not {len(serial)}")
    return ehc_sdf_store_create(PyBytes_AS_STRING(home), <const uint8_t *>PyBytes_AS_STRING(serial))


def sdf_add_pair(bytes home not None, unsigned index, const uint8_t[::1] password not None):
    cdef sdf_store store
    cdef int status = ehc_sdf_store_open(&store, PyBytes_AS_STRING(home))
    cdef size_t n = password.shape[0]
    if status != 0:
        return status
    with nogil:
        status = ehc_sdf_store_add_pair(&store, index, &password[0] if n else NULL, n)
        ehc_sdf_store_close(&store)
    return status


def sdf_unlock_pair(bytes home not None, unsigned index):
    cdef sdf_store store
    cdef int status = ehc_sdf_store_open(&store, PyBytes_AS_STRING(home))
    if status == 0:
        status = ehc_sdf_store_unlock_pair(&store, index)
        ehc_sdf_store_close(&store)
    return status


def sdf_add_kek(bytes home not None, unsigned index, const uint8_t[::1] raw):
    """raw: 16 bytes; None for a new random key."""
    cdef sdf_store store
    if raw is not None and raw.shape[0] != 16:
        raise ValueError(f"a key-encryption key has 16 bytes, not {raw.shape[0]}")
    cdef int status = ehc_sdf_store_open(&store, PyBytes_AS_STRING(home))
    if status == 0:
        status = ehc_sdf_store_add_kek(&store, index, NULL if raw is None else &raw[0])
        ehc_sdf_store_close(&store)
    return status
