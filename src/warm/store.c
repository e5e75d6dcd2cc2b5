/* SPDX-License-Identifier: Apache-2.0 */
#include "warm/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cache.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/parse.h"
#include "base/tempdir.h"
#include "warm/manifest.h"

#define SECTION          "warm"
#define ID_LENGTH        64
#define REFUSAL_MAX      4096
#define LOCK_RETRIES_MAX 16
#define BLOCK_SIZE       512 /* of stat's st_blocks */

char *
mf_warm_store_path(const char *id, const char *suffix, GError **error)
{
    g_autofree char *directory = mf_cache_dir(SECTION, error);

    return directory ? g_strconcat(directory, "/", id, suffix, NULL) : NULL;
}

char *
mf_warm_store_find_path(const char *id, const char *suffix)
{
    g_autofree char *directory = NULL;

    if (!mf_cache_find_dir(SECTION, &directory, NULL) || !directory)
        return NULL;
    return g_strconcat(directory, "/", id, suffix, NULL);
}

int
mf_warm_store_lock(const char *id, gboolean *ret_busy, GError **error)
{
    g_autofree char *path = mf_warm_store_path(id, MF_WARM_LOCK, error);

    *ret_busy = FALSE;
    if (!path)
        return -1;
    for (int i = 0; i < LOCK_RETRIES_MAX; i++) {
        mf_autofd fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

        if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0) {
            if (mf_fd_is_named(fd, path))
                return mf_fd_steal(&fd);
            continue;
        }
        if (fd >= 0 && errno == EWOULDBLOCK) {
            *ret_busy = TRUE;
            return -1;
        }
        break;
    }
    mf_error_set_errno(error, MF_ERROR_HOST, errno, "The saved machine cannot be locked by '%s'",
                       path);
    return -1;
}

gboolean
mf_warm_store_is_locked(const char *id)
{
    g_autofree char *path = mf_warm_store_find_path(id, MF_WARM_LOCK);
    /* For reading: closing it does not look like the end of a lock to those who wait for that. */
    mf_autofd fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;

    return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

void
mf_warm_store_refuse(const char *id, const char *reason)
{
    g_autofree char *path = mf_warm_store_path(id, MF_WARM_REFUSED, NULL);

    if (path)
        mf_file_replace(path, reason, MIN(strlen(reason), REFUSAL_MAX), 0600, NULL);
}

/* Whether the refusal at 'path' has had its time, and is removed: another attempt costs a second,
 * and what made QEMU refuse (a full disk, a kernel's update) may be gone. */
static gboolean
forget_old_refusal(const char *path)
{
    struct stat status;

    if (lstat(path, &status) < 0 || time(NULL) - status.st_mtime < MF_WARM_REFUSAL_SECONDS)
        return FALSE;
    return unlink(path) == 0;
}

char *
mf_warm_store_get_refusal(const char *id)
{
    g_autofree char *path = mf_warm_store_find_path(id, MF_WARM_REFUSED);
    g_autoptr(GBytes) text =
        path && !forget_old_refusal(path) ? mf_file_read(path, REFUSAL_MAX, NULL) : NULL;

    return text ? g_utf8_make_valid(g_bytes_get_data(text, NULL), (gssize)g_bytes_get_size(text))
                : NULL;
}

/* Under the lock, whose file goes last: who opened it before looks whether it is still there. */
static gboolean
remove_locked(const char *id, GError **error)
{
    g_autofree char *path = mf_warm_store_path(id, "", error);
    g_autofree char *building = path ? mf_warm_store_path(id, MF_WARM_BUILDING, error) : NULL;
    g_autofree char *lock = building ? mf_warm_store_path(id, MF_WARM_LOCK, error) : NULL;

    if (!lock)
        return FALSE;
    /* By a rename first: nobody is to meet half of it. */
    mf_tempdir_remove(building);
    gboolean moved = rename(path, building) == 0 || errno == ENOENT;
    if (moved)
        mf_tempdir_remove(building);
    /* That says why, where something could not be removed. */
    if (!moved || (rmdir(building) < 0 && errno != ENOENT)) {
        mf_error_set_errno(error, MF_ERROR_HOST, errno, "The saved machine '%s' cannot be removed",
                           path);
        return FALSE;
    }
    unlink(lock);
    return TRUE;
}

void
mf_warm_store_discard(const char *id)
{
    g_autofree char *path = mf_warm_store_path(id, "", NULL);
    g_autofree char *building = mf_warm_store_path(id, MF_WARM_BUILDING, NULL);
    g_autofree char *lock = mf_warm_store_path(id, MF_WARM_LOCK, NULL);

    if (!path || !building || !lock)
        return;
    mf_tempdir_remove(building);
    if (access(path, F_OK) < 0)
        unlink(lock);
}

gboolean
mf_warm_store_remove(const char *id, GError **error)
{
    gboolean busy;
    mf_autofd lock = mf_warm_store_lock(id, &busy, error);

    /* Whoever holds it replaces the machine. */
    return busy || (lock >= 0 && remove_locked(id, error));
}

void
mf_warm_store_touch(const char *id)
{
    g_autofree char *path = mf_warm_store_path(id, "", NULL);

    /* The directory's own time: the files' are part of what they are known by. */
    if (path)
        utimensat(AT_FDCWD, path, NULL, 0);
}

static void
item_free(MfWarmItem *self)
{
    g_free(self->id);
    g_free(self->label);
    g_free(self);
}

/* The bytes that the files in a directory have on the disk. */
static guint64
measure(const char *directory)
{
    g_autoptr(GDir) entries = g_dir_open(directory, 0, NULL);
    guint64 size = 0;
    const char *name;

    while (entries && (name = g_dir_read_name(entries))) {
        g_autofree char *path = g_build_filename(directory, name, NULL);
        struct stat status;

        if (lstat(path, &status) == 0)
            size += (guint64)status.st_blocks * BLOCK_SIZE;
    }
    return size;
}

static MfWarmItem *
make_item(const char *id)
{
    MfWarmItem *self = g_new0(MfWarmItem, 1);
    g_autofree char *path = mf_warm_store_path(id, "", NULL);
    g_autofree char *building = mf_warm_store_path(id, MF_WARM_BUILDING, NULL);
    g_autoptr(MfWarmManifest) manifest = path ? mf_warm_manifest_read(path, NULL) : NULL;
    struct stat status;

    self->id = g_strdup(id);
    self->busy = mf_warm_store_is_locked(id);
    self->broken = !manifest && !self->busy;
    if (manifest)
        self->label = g_strdup(manifest->label);
    if (path && ((!manifest && stat(building, &status) == 0) || stat(path, &status) == 0))
        self->used = (gint64)status.st_mtim.tv_sec * G_USEC_PER_SEC + status.st_mtim.tv_nsec / 1000;
    if (path)
        self->size = measure(path) + measure(building);
    return self;
}

static gint
compare_items(gconstpointer a, gconstpointer b)
{
    const MfWarmItem *first = *(MfWarmItem *const *)a, *second = *(MfWarmItem *const *)b;

    if (first->used != second->used)
        return first->used > second->used ? -1 : 1;
    return strcmp(first->id, second->id);
}

/* The id at the head of a name in the section, if the name is of a machine's directory. */
static char *
directory_id(const char *name)
{
    if (strspn(name, "0123456789abcdef") != ID_LENGTH)
        return NULL;
    if (name[ID_LENGTH] != '\0' && !g_str_equal(name + ID_LENGTH, MF_WARM_BUILDING))
        return NULL;
    return g_strndup(name, ID_LENGTH);
}

GPtrArray *
mf_warm_store_list(GError **error)
{
    g_autofree char *directory = NULL;
    g_autoptr(GHashTable) ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GError) unreadable = NULL;
    GPtrArray *items;
    GHashTableIter iter;
    const char *name;
    gpointer id;

    if (!mf_cache_find_dir(SECTION, &directory, error))
        return NULL;

    g_autoptr(GDir) entries = directory ? g_dir_open(directory, 0, &unreadable) : NULL;
    if (unreadable) {
        mf_error_take_foreign(error, MF_ERROR_HOST, g_steal_pointer(&unreadable),
                              "The saved machines cannot be listed");
        return NULL;
    }
    while (entries && (name = g_dir_read_name(entries))) {
        char *found = directory_id(name);

        if (found)
            g_hash_table_add(ids, found);
    }
    items = g_ptr_array_new_with_free_func((GDestroyNotify)item_free);
    g_hash_table_iter_init(&iter, ids);
    while (g_hash_table_iter_next(&iter, &id, NULL))
        g_ptr_array_add(items, make_item(id));
    g_ptr_array_sort(items, compare_items);
    return items;
}

/* The id at the head of the name of a lock whose machine is not there, or not any more. */
static char *
lone_lock_id(const char *directory, const char *name)
{
    if (strspn(name, "0123456789abcdef") != ID_LENGTH ||
        !g_str_equal(name + ID_LENGTH, MF_WARM_LOCK))
        return NULL;

    g_autofree char *id = g_strndup(name, ID_LENGTH);
    g_autofree char *machine = g_build_filename(directory, id, NULL);
    return access(machine, F_OK) < 0 ? g_steal_pointer(&id) : NULL;
}

/* Removes refusals that have had their time, and locks of who was killed before there was more. */
static void
sweep(void)
{
    g_autofree char *directory = NULL;
    const char *name;

    if (!mf_cache_find_dir(SECTION, &directory, NULL) || !directory)
        return;

    g_autoptr(GDir) entries = g_dir_open(directory, 0, NULL);
    while (entries && (name = g_dir_read_name(entries))) {
        g_autofree char *path = g_build_filename(directory, name, NULL);
        g_autofree char *lone = lone_lock_id(directory, name);

        if (lone)
            mf_warm_store_remove(lone, NULL);
        else if (g_str_has_suffix(name, MF_WARM_REFUSED))
            forget_old_refusal(path);
    }
}

/* What all of them take that are not to be removed anyway. */
static guint64
add_up(const GPtrArray *items)
{
    guint64 total = 0;

    for (guint i = 0; i < items->len; i++) {
        const MfWarmItem *item = g_ptr_array_index(items, i);

        total += item->broken ? 0 : item->size;
    }
    return total;
}

gboolean
mf_warm_store_prune(guint64 max, const char *keep, GError **error)
{
    g_autoptr(GPtrArray) items = mf_warm_store_list(error);
    gboolean good = TRUE;

    if (!items)
        return FALSE;

    guint64 total = add_up(items);
    for (guint i = items->len; i-- > 0;) {
        const MfWarmItem *item = g_ptr_array_index(items, i);
        gboolean kept = item->busy || g_strcmp0(item->id, keep) == 0;

        if (kept || (!item->broken && total <= max))
            continue;
        if (!mf_warm_store_remove(item->id, good ? error : NULL))
            good = FALSE;
        else if (!item->broken)
            total -= item->size;
    }
    sweep();
    return good;
}

gboolean
mf_warm_store_get_max(guint64 *ret_max, GError **error)
{
    const char *text = g_getenv("MAYFLY_WARM_MAX");

    if (!text || !*text) {
        *ret_max = MF_WARM_DEFAULT_MAX;
        return TRUE;
    }
    if (mf_parse_size(text, MF_MIB, ret_max, error))
        return TRUE;
    g_prefix_error_literal(error, "The variable MAYFLY_WARM_MAX is wrong: ");
    return FALSE;
}
