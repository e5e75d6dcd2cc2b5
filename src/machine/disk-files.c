/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/disk-files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cache.h"
#include "base/error.h"
#include "base/fd.h"
#include "machine/qcow2.h"

/* How many images can be below each other; a ring of them ends here. */
#define DEPTH_MAX 64

void
mf_disk_files_clear(MfDiskFiles *self)
{
    g_clear_pointer(&self->identity, g_free);
}

/* Whether QEMU takes the name for something else than a path, such as "nbd:..." or "json:{...}". */
static gboolean
has_protocol(const char *name)
{
    return name[strcspn(name, ":/")] == ':';
}

/* The path of the image below the one at 'path', whose head says 'head'; *ret_path (owned by the
 * caller) is NULL when there is none. */
static gboolean
find_below(const char *path, const MfQcow2Head *head, char **ret_path, GError **error)
{
    g_autofree char *directory = g_path_get_dirname(path);

    if (head->external || (head->backing && (!*head->backing || has_protocol(head->backing)))) {
        g_set_error(error, MF_ERROR, MF_ERROR_HOST,
                    "The image '%s' has content in '%s', and a change of that cannot be seen.",
                    path, head->external ? "an external data file" : head->backing);
        return FALSE;
    }
    *ret_path = head->backing ? g_canonicalize_filename(head->backing, directory) : NULL;
    return TRUE;
}

/* Takes the one file at 'path' in. What it is as a qcow2 goes to 'ret_head'; nothing of one is said
 * where 'raw' says that it is none. */
static gboolean
take_file(const char *path, gboolean raw, GString *identity, struct stat *ret_status,
          MfQcow2Head *ret_head, gboolean *ret_is_qcow2, GError **error)
{
    mf_autofd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0 || fstat(fd, ret_status) < 0) {
        mf_error_set_errno(error, MF_ERROR_HOST, errno, "The image '%s' cannot be read", path);
        return FALSE;
    }
    if (!S_ISREG(ret_status->st_mode)) {
        g_set_error(error, MF_ERROR, MF_ERROR_HOST,
                    "The image '%s' is no regular file, and a change of it cannot be seen.", path);
        return FALSE;
    }

    g_autofree char *id = mf_cache_file_id(ret_status);
    g_string_append_printf(identity, "%s%s", identity->len > 0 ? " " : "", id);
    *ret_is_qcow2 = FALSE;
    if (raw || mf_qcow2_read_head(fd, ret_is_qcow2, ret_head))
        return TRUE;
    mf_error_set_errno(error, MF_ERROR_HOST, errno, "The image '%s' cannot be read", path);
    return FALSE;
}

gboolean
mf_disk_files_find(const MfDisk *disk, MfDiskFiles *ret_files, GError **error)
{
    g_autoptr(GString) identity = g_string_new(NULL);
    g_autofree char *path = g_strdup(disk->path);
    gboolean raw = g_str_equal(disk->format, "raw");
    guint64 size = 0;

    for (guint depth = 0; path; depth++) {
        g_auto(MfQcow2Head) head = {0};
        g_autofree char *below = NULL;
        gboolean is_qcow2;
        struct stat status;

        if (depth == DEPTH_MAX) {
            g_set_error(error, MF_ERROR, MF_ERROR_HOST,
                        "The image '%s' has more than %d images below it.", disk->path, DEPTH_MAX);
            return FALSE;
        }
        if (!take_file(path, raw, identity, &status, &head, &is_qcow2, error) ||
            !find_below(path, &head, &below, error))
            return FALSE;
        if (depth == 0)
            size = is_qcow2 ? head.size : (guint64)status.st_size;
        /* What is below may have been given no format, and QEMU looks at its head as we do. */
        raw = FALSE;
        g_free(path);
        path = g_steal_pointer(&below);
    }
    *ret_files = (MfDiskFiles){size, g_string_free(g_steal_pointer(&identity), FALSE)};
    return TRUE;
}
