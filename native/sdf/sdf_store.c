/* sdf_store.c: the folder of sealed records. A record: "EHCSDF1\0" ‖ nonce (12) ‖ SM4-GCM ciphertext ‖ tag (16), the eight
 * bytes and the record's name being the additional data. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sdf.h"
#include "sdf_modes.h"
#include "sdf_store.h"

enum { MAGIC = 8, NONCE = 12, TAG = 16, OVERHEAD = MAGIC + NONCE + TAG };
static const uint8_t magic[MAGIC] = "EHCSDF1";

int ehc_sdf_random(uint8_t *out, size_t length)
{
    while (length > 0) {
        ssize_t got = getrandom(out, length < 256 ? length : 256, 0);
        if (got <= 0)
            return 0;
        out += got;
        length -= (size_t)got;
    }
    return 1;
}

static size_t whole_pages(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (size + page - 1) / page * page;
}

void *ehc_sdf_secret(size_t size)
{
    size_t length = whole_pages(size);
    void *pages = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED)
        return NULL;
    (void)mlock(pages, length); /* refused beyond RLIMIT_MEMLOCK: then it can be swapped, but still not dumped */
    (void)madvise(pages, length, MADV_DONTDUMP);
    return pages;
}

void ehc_sdf_forget(void *secret, size_t size)
{
    if (secret == NULL)
        return;
    ehc_wipe(secret, size);
    munmap(secret, whole_pages(size));
}

static int path_of(char path[SDF_PATH], const char *home, const char *name)
{
    int length = snprintf(path, SDF_PATH, "%s/%s", home, name);
    return length > 0 && length < SDF_PATH;
}

/* Reads a whole small file; its owner must be the only one who may when it is `secret`. */
static int read_file(const char *path, uint8_t **data, size_t *length, int secret)
{
    struct stat about;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    *data = NULL;
    if (file < 0)
        return errno == ENOENT ? SDR_FILENOEXIST : SDR_COMMFAIL;
    int status = SDR_HARDFAIL;
    if (fstat(file, &about) == 0 && S_ISREG(about.st_mode) && about.st_size <= SDF_RECORD_MAX + OVERHEAD &&
        !(secret && (about.st_mode & 077) != 0)) {
        size_t size = (size_t)about.st_size, at = 0;
        uint8_t *bytes = malloc(size + 1);
        while (bytes != NULL && at < size) {
            ssize_t got = read(file, bytes + at, size - at);
            if (got <= 0)
                break;
            at += (size_t)got;
        }
        if (bytes != NULL && at == size) {
            *data = bytes;
            *length = size;
            status = SDR_OK;
        } else {
            free(bytes);
        }
    }
    close(file);
    return status;
}

static int write_all(int file, const uint8_t *data, size_t length)
{
    while (length > 0) {
        ssize_t put = write(file, data, length);
        if (put <= 0)
            return 0;
        data += put;
        length -= (size_t)put;
    }
    return fsync(file) == 0;
}

static int sync_folder(const char *home)
{
    int folder = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return 0;
    int done = fsync(folder) == 0;
    close(folder);
    return done;
}

/* Whole or not at all: a new file beside it, then moved into its place. */
static int replace_file(const char *home, const char *name, const uint8_t *data, size_t length, int fresh)
{
    char path[SDF_PATH], beside[SDF_PATH];
    if (!path_of(path, home, name) ||
        snprintf(beside, SDF_PATH, "%s/.new-%s-%d", home, name, (int)getpid()) >= SDF_PATH)
        return SDR_INARGERR;
    if (fresh && access(path, F_OK) == 0)
        return SDR_FILEEXISTS;
    int file = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0)
        return SDR_FILEWERR;
    int done = write_all(file, data, length);
    done = close(file) == 0 && done;
    if (done && rename(beside, path) == 0 && sync_folder(home))
        return SDR_OK;
    unlink(beside);
    return SDR_FILEWERR;
}

/* In place, over `length` bytes between nonce and tag. */
static void seal(const uint8_t key[16], const char *name, uint8_t *record, size_t length, int decrypt, uint8_t tag[16])
{
    uint8_t about[MAGIC + SDF_PATH];
    size_t named = strlen(name);
    sdf_aead aead;
    memcpy(about, magic, MAGIC);
    memcpy(about + MAGIC, name, named);
    (void)sdf_aead_start(&aead, key, 0, decrypt, record + MAGIC, NONCE, about, MAGIC + named, length, TAG);
    (void)sdf_aead_update(&aead, record + MAGIC + NONCE, length, record + MAGIC + NONCE);
    (void)sdf_aead_finish(&aead, tag);
    ehc_wipe(&aead, sizeof aead);
}

int ehc_sdf_store_read(const sdf_store *store, const char *name, uint8_t **data, size_t *length)
{
    char path[SDF_PATH];
    uint8_t *record, tag[TAG];
    size_t size;
    *data = NULL;
    if (!path_of(path, store->home, name))
        return SDR_INARGERR;
    int status = read_file(path, &record, &size, 0);
    if (status != SDR_OK)
        return status;
    if (size < OVERHEAD || memcmp(record, magic, MAGIC) != 0) {
        free(record);
        return SDR_HARDFAIL;
    }
    *length = size - OVERHEAD;
    seal(store->key, name, record, *length, 1, tag);
    if (!ehc_equal(tag, record + size - TAG, TAG)) {
        ehc_wipe(record, size);
        free(record);
        return SDR_HARDFAIL;
    }
    memmove(record, record + MAGIC + NONCE, *length);
    *data = record;
    return SDR_OK;
}

int ehc_sdf_store_write(const sdf_store *store, const char *name, const uint8_t *data, size_t length, int fresh)
{
    if (length > SDF_RECORD_MAX)
        return SDR_FILESIZEERR;
    uint8_t *record = malloc(length + OVERHEAD);
    if (record == NULL)
        return SDR_NOBUFFER;
    memcpy(record, magic, MAGIC);
    memcpy(record + MAGIC + NONCE, data, length);
    int status = SDR_RANDERR;
    if (ehc_sdf_random(record + MAGIC, NONCE)) {
        seal(store->key, name, record, length, 0, record + length + OVERHEAD - TAG);
        status = replace_file(store->home, name, record, length + OVERHEAD, fresh);
    }
    ehc_wipe(record, length + OVERHEAD);
    free(record);
    return status;
}

int ehc_sdf_store_delete(const sdf_store *store, const char *name)
{
    char path[SDF_PATH];
    if (!path_of(path, store->home, name))
        return SDR_INARGERR;
    if (unlink(path) != 0)
        return errno == ENOENT ? SDR_FILENOEXIST : SDR_FILEWERR;
    return sync_folder(store->home) ? SDR_OK : SDR_FILEWERR;
}

int ehc_sdf_store_lock(const sdf_store *store)
{
    char path[SDF_PATH];
    if (!path_of(path, store->home, ".lock"))
        return -1;
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file >= 0 && flock(file, LOCK_EX) == 0)
        return file;
    if (file >= 0)
        close(file);
    return -1;
}

void ehc_sdf_store_unlock(int lock)
{
    if (lock >= 0)
        close(lock);
}

static const char *home_or_default(const char *home)
{
    if (home == NULL)
        home = secure_getenv("EHC_SDF_HOME");
    return home == NULL || *home == '\0' ? "/var/lib/ehc/sdf" : home;
}

static int key_path(char path[SDF_PATH], const char *home)
{
    const char *given = secure_getenv("EHC_SDF_KEY");
    if (given == NULL || *given == '\0')
        return path_of(path, home, "device.key");
    return snprintf(path, SDF_PATH, "%s", given) < SDF_PATH;
}

static int read_storage_key(sdf_store *store)
{
    char path[SDF_PATH];
    uint8_t *raw;
    size_t length;
    if (!key_path(path, store->home) || read_file(path, &raw, &length, 1) != SDR_OK)
        return SDR_OPENDEVICE;
    store->key = length == 16 ? ehc_sdf_secret(16) : NULL;
    if (store->key != NULL)
        memcpy(store->key, raw, 16);
    ehc_wipe(raw, length);
    free(raw);
    return store->key == NULL ? SDR_OPENDEVICE : SDR_OK;
}

int ehc_sdf_store_open(sdf_store *store, const char *home)
{
    uint8_t *serial;
    size_t length;
    memset(store, 0, sizeof *store);
    home = home_or_default(home);
    if (snprintf(store->home, SDF_PATH, "%s", home) >= SDF_PATH)
        return SDR_OPENDEVICE;
    int status = read_storage_key(store);
    if (status != SDR_OK)
        return status;
    status = ehc_sdf_store_read(store, "device", &serial, &length);
    if (status == SDR_OK && length == SDF_SERIAL)
        memcpy(store->serial, serial, SDF_SERIAL);
    else
        status = SDR_OPENDEVICE;
    free(serial);
    if (status != SDR_OK)
        ehc_sdf_store_close(store);
    return status;
}

void ehc_sdf_store_close(sdf_store *store)
{
    ehc_sdf_forget(store->key, 16);
    store->key = NULL;
}

int ehc_sdf_store_create(const char *home, const uint8_t serial[SDF_SERIAL])
{
    sdf_store store = {0};
    char path[SDF_PATH];
    uint8_t raw[16];
    home = home_or_default(home);
    if (snprintf(store.home, SDF_PATH, "%s", home) >= SDF_PATH || !key_path(path, home) || !ehc_sdf_random(raw, 16))
        return SDR_INARGERR;
    if (mkdir(home, 0700) != 0 && errno != EEXIST)
        return SDR_FILEWERR;
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0)
        return errno == EEXIST ? SDR_FILEEXISTS : SDR_FILEWERR;
    int done = write_all(file, raw, 16);
    done = close(file) == 0 && done;
    store.key = raw;
    int status = done ? ehc_sdf_store_write(&store, "device", serial, SDF_SERIAL, 1) : SDR_FILEWERR;
    ehc_wipe(raw, sizeof raw);
    return status;
}
