# sdf.pxd: mirrors what native/sdf/sdf_store.h offers to an administrator.

cdef extern from "sdf_store.h" nogil:
    enum:
        SDF_SERIAL

    ctypedef struct sdf_store:
        pass

    int ehc_sdf_store_open(sdf_store *store, const char *home)
    void ehc_sdf_store_close(sdf_store *store)
    int ehc_sdf_store_create(const char *home, const uint8_t *serial)
    int ehc_sdf_store_add_pair(const sdf_store *store, unsigned index, const uint8_t *password, size_t length)
    int ehc_sdf_store_unlock_pair(const sdf_store *store, unsigned index)
    int ehc_sdf_store_add_kek(const sdf_store *store, unsigned index, const uint8_t *raw)
