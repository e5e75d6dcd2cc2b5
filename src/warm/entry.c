/* SPDX-License-Identifier: Apache-2.0 */
#include "warm/entry.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cache.h"
#include "base/error.h"
#include "base/fd.h"
#include "warm/manifest.h"
#include "warm/store.h"

void
mf_warm_entry_free(MfWarmEntry *self)
{
    if (!self)
        return;
    mf_fd_clear(&self->ram_fd);
    mf_fd_clear(&self->state_fd);
    mf_fd_clear(&self->overlay_fd);
    g_clear_pointer(&self->console, g_bytes_unref);
    g_clear_pointer(&self->stream, g_bytes_unref);
    g_free(self->qemu_version);
    g_free(self);
}

static gboolean
distrust(GError **error, const char *name, const char *what)
{
    g_set_error(error, MF_ERROR, MF_ERROR_HOST, "its file '%s' %s", name, what);
    return FALSE;
}

static int
open_part(const char *directory, const char *name, int flags, GError **error)
{
    g_autofree char *path = g_build_filename(directory, name, NULL);
    int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0)
        mf_error_set_errno(error, MF_ERROR_HOST, errno, "its file '%s' cannot be opened", name);
    return fd;
}

/* Opens a file that is known by its identity. */
static gboolean
open_identified(const char *directory, const char *name, int flags, const char *identity,
                int *ret_fd, struct stat *ret_status, GError **error)
{
    mf_autofd fd = open_part(directory, name, flags, error);

    if (fd < 0)
        return FALSE;
    if (fstat(fd, ret_status) < 0)
        return distrust(error, name, "cannot be looked at");

    g_autofree char *id = mf_cache_file_id(ret_status);
    if (!g_str_equal(id, identity))
        return distrust(error, name, "is not as it was when the machine was saved");
    *ret_fd = mf_fd_steal(&fd);
    return TRUE;
}

static gboolean
open_ram(MfWarmEntry *self, const char *directory, const MfWarmManifest *manifest, guint64 memory,
         GError **error)
{
    struct stat status;

    if (!open_identified(directory, MF_WARM_RAM, O_RDWR, manifest->ram, &self->ram_fd, &status,
                         error))
        return FALSE;
    return (guint64)status.st_size == memory ||
           distrust(error, MF_WARM_RAM, "does not have the size of the machine's memory");
}

static gboolean
open_overlay(MfWarmEntry *self, const char *directory, const MfWarmManifest *manifest,
             GError **error)
{
    struct stat status;

    return !*manifest->overlay ||
           open_identified(directory, MF_WARM_OVERLAY, O_RDONLY, manifest->overlay,
                           &self->overlay_fd, &status, error);
}

static GBytes *
read_part(const char *directory, const char *name, const MfWarmSum *sum, GError **error)
{
    g_autofree char *path = g_build_filename(directory, name, NULL);
    g_autoptr(GBytes) bytes = mf_file_read(path, MF_WARM_FILE_MAX, error);

    if (!bytes)
        return NULL;
    if (!mf_warm_sum_matches(sum, bytes)) {
        distrust(error, name, "is not as it was when the machine was saved");
        return NULL;
    }
    return g_steal_pointer(&bytes);
}

/* The state is read for its checksum, and then by QEMU, from the very same file. */
static gboolean
open_parts(MfWarmEntry *self, const char *directory, const MfWarmManifest *manifest, guint64 memory,
           GError **error)
{
    if (!open_ram(self, directory, manifest, memory, error) ||
        !open_overlay(self, directory, manifest, error))
        return FALSE;
    self->state_fd = open_part(directory, MF_WARM_STATE, O_RDONLY, error);
    if (self->state_fd < 0)
        return FALSE;

    g_autofree char *state_name = g_strdup_printf("%d", self->state_fd);
    g_autoptr(GBytes) state = read_part("/proc/self/fd", state_name, &manifest->state, NULL);
    if (!state)
        return distrust(error, MF_WARM_STATE, "is not as it was when the machine was saved");

    self->console = read_part(directory, MF_WARM_CONSOLE, &manifest->console, error);
    if (self->console)
        self->stream = read_part(directory, MF_WARM_STREAM, &manifest->stream, error);
    self->qemu_version = g_strdup(manifest->qemu_version);
    return self->stream != NULL;
}

static MfWarmEntry *
open_entry(const char *directory, const MfWarmKey *key, guint64 memory, GError **error)
{
    g_autoptr(MfWarmManifest) manifest = mf_warm_manifest_read(directory, error);
    g_autofree char *host_boot = mf_warm_host_boot();

    if (!manifest)
        return NULL;
    if (!g_str_equal(manifest->key, key->id) || !g_str_equal(manifest->host_boot, host_boot)) {
        g_set_error(error, MF_ERROR, MF_ERROR_HOST, "it was saved %s",
                    g_str_equal(manifest->key, key->id) ? "before this host was started"
                                                        : "under another key");
        return NULL;
    }

    g_autoptr(MfWarmEntry) self = g_new0(MfWarmEntry, 1);
    self->ram_fd = self->state_fd = self->overlay_fd = -1;
    return open_parts(self, directory, manifest, memory, error) ? g_steal_pointer(&self) : NULL;
}

gboolean
mf_warm_entry_open(const MfWarmKey *key, guint64 memory, MfWarmEntry **ret_entry, GError **error)
{
    g_autofree char *directory = mf_warm_store_find_path(key->id, "");

    *ret_entry = NULL;
    if (!directory || access(directory, F_OK) < 0)
        return TRUE;
    *ret_entry = open_entry(directory, key, memory, error);
    if (!*ret_entry) {
        mf_warm_store_remove(key->id, NULL);
        return FALSE;
    }
    mf_warm_store_touch(key->id);
    return TRUE;
}
