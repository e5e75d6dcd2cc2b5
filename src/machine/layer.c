/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/layer.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/tempdir.h"

static gboolean
is_directory(const char *path)
{
    struct stat status;

    return lstat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* Moves what is in the directory 'from' into the directory 'to'. Where both have a directory, its
 * name is left in 'deeper', which goes on with it: a layer can be as deep as it likes. */
static gboolean
move_content(const char *from, const char *to, GQueue *deeper, GError **error)
{
    g_autoptr(GDir) directory = g_dir_open(from, 0, NULL);
    const char *name;

    while (directory && (name = g_dir_read_name(directory))) {
        g_autofree char *source = g_build_filename(from, name, NULL);
        g_autofree char *target = g_build_filename(to, name, NULL);

        if (is_directory(source) && is_directory(target)) {
            g_queue_push_tail(deeper, g_steal_pointer(&source));
            g_queue_push_tail(deeper, g_steal_pointer(&target));
            continue;
        }
        if (is_directory(source) || is_directory(target))
            mf_tempdir_remove(target);
        if (rename(source, target) < 0) {
            mf_error_set_errno(error, MF_ERROR_HOST, errno, "'%s' cannot be moved within the cache",
                               source);
            return FALSE;
        }
    }
    return TRUE;
}

gboolean
mf_layer_apply(const char *layer, const GPtrArray *whiteouts, const char *root, GError **error)
{
    GQueue deeper = G_QUEUE_INIT;
    gboolean moved;

    for (guint i = 0; i < whiteouts->len; i++) {
        g_autofree char *path = g_build_filename(root, whiteouts->pdata[i], NULL);

        mf_tempdir_remove(path);
    }
    moved = move_content(layer, root, &deeper, error);
    while (moved && !g_queue_is_empty(&deeper)) {
        g_autofree char *from = g_queue_pop_head(&deeper);
        g_autofree char *to = g_queue_pop_head(&deeper);

        moved = move_content(from, to, &deeper, error);
    }
    g_queue_clear_full(&deeper, g_free);
    return moved;
}
