/* sdf_files.c: user files, each a sealed record of the folder, named by the hex of its name. A write is whole or not at all. */
#include <stdlib.h>

#include "sdf_inside.h"

enum { NAME_MAX_BYTES = 64 };

static int record_name(char record[8 + 2 * NAME_MAX_BYTES], const uint8_t *name, unsigned length)
{
    if (name == NULL || length == 0 || length > NAME_MAX_BYTES)
        return 0;
    memcpy(record, "file-", 5);
    ehc_hex(name, length, (uint8_t *)record + 5);
    record[5 + 2 * length] = '\0';
    return 1;
}

int SDF_CreateFile(void *hSessionHandle, unsigned char *pucFileName, unsigned int uiNameLen, unsigned int uiFileSize)
{
    char record[8 + 2 * NAME_MAX_BYTES];
    sdf_session *session = ehc_sdf_begin(hSessionHandle);
    if (session == NULL)
        return SDR_OPENSESSION;
    if (!record_name(record, pucFileName, uiNameLen))
        return ehc_sdf_end(session, SDR_INARGERR);
    if (uiFileSize == 0 || uiFileSize > SDF_RECORD_MAX)
        return ehc_sdf_end(session, SDR_FILESIZEERR);
    uint8_t *zeros = calloc(1, uiFileSize);
    int lock = ehc_sdf_store_lock(store_of(session));
    int status = zeros == NULL ? SDR_NOBUFFER
                 : lock < 0    ? SDR_FILEWERR
                               : ehc_sdf_store_write(store_of(session), record, zeros, uiFileSize, 1);
    ehc_sdf_store_unlock(lock);
    free(zeros);
    return ehc_sdf_end(session, status);
}

int SDF_ReadFile(void *hSessionHandle, unsigned char *pucFileName, unsigned int uiNameLen, unsigned int uiOffset,
                 unsigned int *puiReadLength, unsigned char *pucBuffer)
{
    char record[8 + 2 * NAME_MAX_BYTES];
    uint8_t *data;
    size_t length;
    sdf_session *session = ehc_sdf_begin(hSessionHandle);
    if (session == NULL)
        return SDR_OPENSESSION;
    if (!record_name(record, pucFileName, uiNameLen))
        return ehc_sdf_end(session, SDR_INARGERR);
    if (puiReadLength == NULL || pucBuffer == NULL)
        return ehc_sdf_end(session, SDR_OUTARGERR);
    int status = ehc_sdf_store_read(store_of(session), record, &data, &length);
    if (status != SDR_OK)
        return ehc_sdf_end(session, status);
    if (uiOffset >= length) {
        status = SDR_FILEOFSERR;
    } else {
        size_t part = length - uiOffset < *puiReadLength ? length - uiOffset : *puiReadLength;
        memcpy(pucBuffer, data + uiOffset, part);
        *puiReadLength = (unsigned)part;
    }
    ehc_wipe(data, length);
    free(data);
    return ehc_sdf_end(session, status);
}

/* With the folder locked. */
static int change(const sdf_store *store, const char *record, unsigned offset, const uint8_t *from, unsigned count)
{
    uint8_t *data;
    size_t length;
    int status = ehc_sdf_store_read(store, record, &data, &length);
    if (status != SDR_OK)
        return status;
    if (offset >= length || count > length - offset) {
        status = SDR_FILEOFSERR;
    } else {
        memcpy(data + offset, from, count);
        status = ehc_sdf_store_write(store, record, data, length, 0);
    }
    ehc_wipe(data, length);
    free(data);
    return status;
}

int SDF_WriteFile(void *hSessionHandle, unsigned char *pucFileName, unsigned int uiNameLen, unsigned int uiOffset,
                  unsigned int uiWriteLength, unsigned char *pucBuffer)
{
    char record[8 + 2 * NAME_MAX_BYTES];
    sdf_session *session = ehc_sdf_begin(hSessionHandle);
    if (session == NULL)
        return SDR_OPENSESSION;
    if (!record_name(record, pucFileName, uiNameLen) || pucBuffer == NULL || uiWriteLength == 0)
        return ehc_sdf_end(session, SDR_INARGERR);
    int lock = ehc_sdf_store_lock(store_of(session));
    int status = lock < 0 ? SDR_FILEWERR : change(store_of(session), record, uiOffset, pucBuffer, uiWriteLength);
    ehc_sdf_store_unlock(lock);
    return ehc_sdf_end(session, status);
}

int SDF_DeleteFile(void *hSessionHandle, unsigned char *pucFileName, unsigned int uiNameLen)
{
    char record[8 + 2 * NAME_MAX_BYTES];
    sdf_session *session = ehc_sdf_begin(hSessionHandle);
    if (session == NULL)
        return SDR_OPENSESSION;
    if (!record_name(record, pucFileName, uiNameLen))
        return ehc_sdf_end(session, SDR_INARGERR);
    return ehc_sdf_end(session, ehc_sdf_store_delete(store_of(session), record));
}
