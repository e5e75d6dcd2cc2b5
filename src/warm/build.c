/* SPDX-License-Identifier: Apache-2.0 */
#include "warm/build.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cache.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/tempdir.h"
#include "machine/disk-files.h"
#include "machine/qcow2.h"
#include "warm/manifest.h"
#include "warm/store.h"

struct MfWarmBuild {
    char *id;        /* owned */
    char *directory; /* owned; private */
    int lock_fd;     /* owned */
    int ram_fd;      /* owned */
    int state_fd;    /* owned */
    int overlay_fd;  /* owned; or -1 */
};

static gboolean
fail(GError **error, const char *what, const char *path)
{
    mf_error_set_errno(error, MF_ERROR_HOST, errno, "%s '%s' cannot be made", what, path);
    return FALSE;
}

static int
make_part(MfWarmBuild *self, const char *name, guint64 size, GError **error)
{
    g_autofree char *path = g_build_filename(self->directory, name, NULL);
    mf_autofd fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0 || ftruncate(fd, (off_t)size) < 0) {
        fail(error, "The saved machine's file", path);
        return -1;
    }
    return mf_fd_steal(&fd);
}

/* A guest that writes to memory for which the disk has no room is killed: so all of it has to fit,
 * though most is never written. */
static gboolean
check_room(const char *directory, guint64 memory, GError **error)
{
    struct statvfs room;

    if (statvfs(directory, &room) < 0 || (guint64)room.f_bavail * room.f_frsize >= memory)
        return TRUE;
    g_set_error(error, MF_ERROR, MF_ERROR_HOST,
                "The cache has no room for the machine's memory of %" G_GUINT64_FORMAT " MiB.",
                memory >> 20);
    return FALSE;
}

static gboolean
make_overlay(MfWarmBuild *self, guint64 size, GError **error)
{
    if (size == 0)
        return TRUE;
    self->overlay_fd = make_part(self, MF_WARM_OVERLAY, 0, error);
    return self->overlay_fd >= 0 && mf_qcow2_write_empty(self->overlay_fd, size, error);
}

static gboolean
make_parts(MfWarmBuild *self, const MfWarmSizes *sizes, GError **error)
{
    self->ram_fd = make_part(self, MF_WARM_RAM, sizes->memory, error);
    if (self->ram_fd >= 0)
        self->state_fd = make_part(self, MF_WARM_STATE, 0, error);
    return self->state_fd >= 0 && make_overlay(self, sizes->disk, error);
}

gboolean
mf_warm_sizes_measure(const MfSpec *spec, MfWarmSizes *ret_sizes, GError **error)
{
    const MfDisk *disk = spec->disks->len > 0 ? spec->disks->pdata[0] : NULL;
    g_auto(MfDiskFiles) files = {0};

    if (disk && !disk->optical && !mf_disk_files_find(disk, &files, error))
        return FALSE;
    *ret_sizes = (MfWarmSizes){.memory = spec->memory, .disk = files.size};
    return TRUE;
}

MfWarmBuild *
mf_warm_build_begin(const MfWarmKey *key, const MfWarmSizes *sizes, gboolean *ret_busy,
                    GError **error)
{
    int lock_fd = mf_warm_store_lock(key->id, ret_busy, error);

    if (lock_fd < 0)
        return NULL;

    g_autoptr(MfWarmBuild) self = g_new0(MfWarmBuild, 1);
    self->id = g_strdup(key->id);
    self->lock_fd = lock_fd;
    self->ram_fd = self->state_fd = self->overlay_fd = -1;
    self->directory = mf_warm_store_path(key->id, MF_WARM_BUILDING, error);
    if (!self->directory)
        return NULL;
    /* Left by somebody who was killed. */
    mf_tempdir_remove(self->directory);
    if (mkdir(self->directory, 0700) < 0) {
        fail(error, "The directory for a saved machine", self->directory);
        return NULL;
    }
    if (!check_room(self->directory, sizes->memory, error) || !make_parts(self, sizes, error))
        return NULL;
    return g_steal_pointer(&self);
}

int
mf_warm_build_get_ram_fd(MfWarmBuild *self)
{
    return self->ram_fd;
}

int
mf_warm_build_get_state_fd(MfWarmBuild *self)
{
    return self->state_fd;
}

int
mf_warm_build_get_overlay_fd(MfWarmBuild *self)
{
    return self->overlay_fd;
}

static gboolean
write_part(MfWarmBuild *self, const char *name, GBytes *bytes, MfWarmSum *ret_sum, GError **error)
{
    g_autofree char *path = g_build_filename(self->directory, name, NULL);
    g_autoptr(GBytes) content = bytes ? g_bytes_ref(bytes) : g_bytes_new_static("", 0);

    mf_warm_sum_make(ret_sum, content);
    return mf_file_replace(path, g_bytes_get_data(content, NULL), g_bytes_get_size(content), 0600,
                           error);
}

/* Owned by the caller; "" for no file. NULL with errno. */
static char *
identify(int fd)
{
    struct stat status;

    if (fd < 0)
        return g_strdup("");
    return fstat(fd, &status) == 0 ? mf_cache_file_id(&status) : NULL;
}

/* What the manifest says of the files that QEMU has written. */
static gboolean
take_parts(MfWarmBuild *self, MfWarmManifest *manifest, GError **error)
{
    g_autofree char *path = g_build_filename(self->directory, MF_WARM_STATE, NULL);
    g_autoptr(GBytes) state = mf_file_read(path, MF_WARM_FILE_MAX, error);

    if (!state)
        return FALSE;
    mf_warm_sum_make(&manifest->state, state);
    manifest->ram = identify(self->ram_fd);
    manifest->overlay = identify(self->overlay_fd);
    return (manifest->ram && manifest->overlay) ||
           fail(error, "The saved machine's file", MF_WARM_RAM);
}

static gboolean
publish(MfWarmBuild *self, GError **error)
{
    g_autofree char *path = mf_warm_store_path(self->id, "", error);

    if (!path)
        return FALSE;
    mf_tempdir_remove(path);
    if (rename(self->directory, path) < 0)
        return fail(error, "The saved machine", path);
    g_clear_pointer(&self->directory, g_free);
    return TRUE;
}

gboolean
mf_warm_build_commit(MfWarmBuild *self, const MfWarmExtras *extras, GError **error)
{
    g_autoptr(MfWarmManifest) manifest = g_new0(MfWarmManifest, 1);
    guint64 max;

    if (!mf_warm_store_get_max(&max, error))
        return FALSE;
    manifest->key = g_strdup(self->id);
    manifest->label = g_utf8_make_valid(extras->label, -1);
    manifest->host_boot = mf_warm_host_boot();
    manifest->qemu_version = g_strdup(extras->qemu_version);
    if (!take_parts(self, manifest, error) ||
        !write_part(self, MF_WARM_CONSOLE, extras->console, &manifest->console, error) ||
        !write_part(self, MF_WARM_STREAM, extras->stream, &manifest->stream, error) ||
        !mf_warm_manifest_write(manifest, self->directory, error) || !publish(self, error))
        return FALSE;
    mf_warm_store_prune(max, self->id, NULL);
    return TRUE;
}

void
mf_warm_build_free(MfWarmBuild *self)
{
    if (!self)
        return;
    mf_fd_clear(&self->ram_fd);
    mf_fd_clear(&self->state_fd);
    mf_fd_clear(&self->overlay_fd);
    if (self->directory)
        mf_warm_store_discard(self->id);
    g_free(self->directory);
    g_free(self->id);
    mf_fd_clear(&self->lock_fd);
    g_free(self);
}
