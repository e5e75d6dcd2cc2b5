/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/kernel-unpack.h"

#include "base/cache.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/parse.h"
#include "machine/kernel-format.h"
#include "machine/kernel-scan.h"
#include "machine/kernel-store.h"
#include "machine/packed.h"

#define CONFIG_TEXT_MAX (4 * MF_MIB)

/* A temporary file of the cache, removed at the end of its scope unless it was published. */
typedef struct {
    int fd;
    char *temporary; /* owned */
    char *path;      /* owned: where it is to appear */
} CacheFile;

static void
cache_file_clear(CacheFile *self)
{
    mf_fd_clear(&self->fd);
    if (self->temporary)
        mf_cache_discard(self->temporary);
    g_free(self->temporary);
    g_free(self->path);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CacheFile, cache_file_clear)

static gboolean
cache_file_open(CacheFile *self, const char *id, const char *suffix, GError **error)
{
    self->path = mf_kernel_store_path(MF_KERNEL_STORE_IMAGES, id, suffix, error);
    if (!self->path)
        return FALSE;
    self->fd = mf_cache_begin(self->path, &self->temporary, error);
    return self->fd >= 0;
}

static gboolean
cache_file_publish(CacheFile *self, GError **error)
{
    g_autofree char *temporary = g_steal_pointer(&self->temporary);

    return mf_cache_commit(temporary, self->path, error);
}

/* Says of which file the stream was, or in which directory there was no room for it. */
static void
take_unpack_error(const char *path, const CacheFile *file, GError *cause, GError **error)
{
    if (g_error_matches(cause, MF_ERROR, MF_ERROR_CONFIG)) {
        mf_error_take_foreign(error, MF_ERROR_CONFIG, cause, "Kernel '%s' is damaged", path);
        return;
    }

    g_autofree char *directory = g_path_get_dirname(file->path);
    mf_error_take_foreign(error, MF_ERROR_HOST, cause,
                          "Kernel '%s' cannot be unpacked into the cache directory '%s' (make room "
                          "there, or name another directory with MAYFLY_CACHE_DIR)",
                          path, directory);
}

static gboolean
unpack_payload(int fd, const char *path, const MfKernelFacts *facts, CacheFile *file,
               guint64 *ret_size, GError **error)
{
    MfPacked payload = {fd, facts->payload_offset, facts->payload_length, facts->compression};
    guint64 max = facts->announced_size ? facts->announced_size : MF_KERNEL_UNPACKED_MAX;
    g_autoptr(GError) cause = NULL;

    if (!mf_packed_unpack(&payload, file->fd, max, ret_size, &cause)) {
        take_unpack_error(path, file, g_steal_pointer(&cause), error);
        return FALSE;
    }
    if (facts->announced_size && *ret_size != facts->announced_size) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "Kernel '%s' is damaged: its payload unpacks to %" G_GUINT64_FORMAT
                    " bytes instead of %" G_GUINT64_FORMAT ".",
                    path, *ret_size, facts->announced_size);
        return FALSE;
    }
    return TRUE;
}

/* The configuration in the cache is a convenience: what cannot be read or stored is looked for in
 * the usual places beside the image instead. */
static gboolean
store_config(int fd, const MfKernelScan *scan, const char *id)
{
    MfPacked payload = {fd, scan->config_offset, scan->config_length, "gzip"};
    g_autofree char *path =
        mf_kernel_store_path(MF_KERNEL_STORE_IMAGES, id, MF_KERNEL_SUFFIX_CONFIG, NULL);

    if (scan->config_length == 0 || !path)
        return FALSE;

    g_autoptr(GBytes) text = mf_packed_read(&payload, CONFIG_TEXT_MAX, NULL);
    if (!text)
        return FALSE;
    return mf_file_replace(path, g_bytes_get_data(text, NULL), g_bytes_get_size(text), 0600, NULL);
}

static void
complete(MfKernelFacts *facts, MfKernelScan *scan, int fd, const char *id)
{
    if (!facts->release)
        facts->release = g_steal_pointer(&scan->release);
    facts->pvh = scan->pvh;
    facts->has_config = store_config(fd, scan, id);
    facts->scanned = TRUE;
}

/* The image is the kernel itself. */
static gboolean
scan_image(int fd, guint64 size, const char *id, MfKernelFacts *facts, GError **error)
{
    g_auto(MfKernelScan) found = {0};

    if (!mf_kernel_scan(fd, size, &found, error))
        return FALSE;
    complete(facts, &found, fd, id);
    return TRUE;
}

gboolean
mf_kernel_unpack(int fd, guint64 size, const char *path, const char *id, MfKernelFacts *facts,
                 GError **error)
{
    g_auto(CacheFile) file = {.fd = -1};
    g_auto(MfKernelScan) found = {0};
    guint64 unpacked_size;

    if (facts->payload_length == 0)
        return scan_image(fd, size, id, facts, error);
    if (!mf_packed_is_supported(facts->compression)) {
        facts->scanned = TRUE;
        return TRUE;
    }

    if (!cache_file_open(&file, id, MF_KERNEL_SUFFIX_IMAGE, error) ||
        !unpack_payload(fd, path, facts, &file, &unpacked_size, error) ||
        !mf_kernel_scan(file.fd, unpacked_size, &found, error))
        return FALSE;

    /* A bzImage whose kernel has no PVH entry has to be booted as it is. */
    gboolean bootable = facts->format != MF_KERNEL_BZIMAGE || found.pvh;
    if (bootable && !cache_file_publish(&file, error))
        return FALSE;
    facts->unpacked_size = bootable ? unpacked_size : 0;
    complete(facts, &found, file.fd, id);
    return TRUE;
}
