/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/catalog-draft.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cache.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/tempdir.h"
#include "machine/kernel.h"

/* Directories whose names start so are nobody's once they are unlocked. */
#define DRAFT_PREFIX     ".new-"
#define DISCARDED_PREFIX ".old-"

/* Between making a directory and locking it another process may sweep it away. */
#define MAKE_ATTEMPTS 8

/* More images than this are not named one by one. */
#define NAMED_MAX 10

struct MfCatalogDraft {
    char *path; /* owned; NULL once published */
    int lock_fd;
    char *release;          /* owned; NULL when not known */
    gboolean choosable;     /* of several kernels one can be named */
    char *wanted;           /* owned; the release of that one; or NULL */
    gboolean arch_required; /* it has to be for this one */
    MfArch arch;
};

/* Locks the directory 'path' for as long as the result is open; -1 when somebody else has. */
static int
lock_directory(const char *path)
{
    mf_autofd fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || !mf_fd_is_named(fd, path))
        return -1;
    return mf_fd_steal(&fd);
}

static void
sweep(const char *section)
{
    g_autoptr(GDir) directory = g_dir_open(section, 0, NULL);
    const char *name;

    while (directory && (name = g_dir_read_name(directory))) {
        g_autofree char *path = g_build_filename(section, name, NULL);
        mf_autofd lock = -1;

        if (!g_str_has_prefix(name, DRAFT_PREFIX) && !g_str_has_prefix(name, DISCARDED_PREFIX))
            continue;
        lock = lock_directory(path);
        if (lock >= 0)
            mf_tempdir_remove(path);
    }
}

static gboolean
make_locked(MfCatalogDraft *self, const char *section, GError **error)
{
    for (int attempt = 0; attempt < MAKE_ATTEMPTS; attempt++) {
        g_autofree char *path = g_build_filename(section, DRAFT_PREFIX "XXXXXX", NULL);

        if (!g_mkdtemp_full(path, 0700)) {
            mf_error_set_errno(error, MF_ERROR_HOST, errno,
                               "A directory cannot be made in '%s' (MAYFLY_CACHE_DIR names another "
                               "cache)",
                               section);
            return FALSE;
        }
        self->lock_fd = lock_directory(path);
        if (self->lock_fd >= 0) {
            self->path = g_steal_pointer(&path);
            return TRUE;
        }
        mf_tempdir_remove(path);
    }
    g_set_error(error, MF_ERROR, MF_ERROR_HOST,
                "A directory in '%s' cannot be locked: check that its file system has locks, or "
                "name another cache with MAYFLY_CACHE_DIR.",
                section);
    return FALSE;
}

MfCatalogDraft *
mf_catalog_draft_new(GError **error)
{
    g_autoptr(MfCatalogDraft) self = g_new0(MfCatalogDraft, 1);
    g_autofree char *section = mf_cache_dir("kernels", error);

    self->lock_fd = -1;
    if (!section)
        return NULL;
    sweep(section);
    if (!make_locked(self, section, error))
        return NULL;
    return g_steal_pointer(&self);
}

void
mf_catalog_draft_free(MfCatalogDraft *self)
{
    if (!self)
        return;
    mf_tempdir_remove(self->path);
    mf_fd_clear(&self->lock_fd);
    g_free(self->release);
    g_free(self->wanted);
    g_free(self->path);
    g_free(self);
}

const char *
mf_catalog_draft_get_path(MfCatalogDraft *self)
{
    return self->path;
}

/* The names in a directory that start with 'prefix'; empty when there is no directory. */
static GPtrArray *
names_in(const char *path, const char *prefix)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
    const char *name;

    while (directory && (name = g_dir_read_name(directory)))
        if (g_str_has_prefix(name, prefix))
            g_ptr_array_add(names, g_strdup(name));
    return names;
}

/* Moves a file of the draft; both names are below it. A missing one is fine. */
static gboolean
move(MfCatalogDraft *self, const char *from, const char *to, GError **error)
{
    g_autofree char *old = g_build_filename(self->path, from, NULL);
    g_autofree char *new = g_build_filename(self->path, to, NULL);
    g_autofree char *directory = g_path_get_dirname(new);

    if (!g_file_test(old, G_FILE_TEST_EXISTS))
        return TRUE;
    if (g_mkdir_with_parents(directory, 0755) == 0 && rename(old, new) == 0)
        return TRUE;
    mf_error_set_errno(error, MF_ERROR_HOST, errno, "'%s' cannot be moved within the cache", old);
    return FALSE;
}

/* The images below the draft, as paths below it. */
static GPtrArray *
find_images(MfCatalogDraft *self)
{
    g_autofree char *boot = g_build_filename(self->path, "boot", NULL);
    g_autofree char *modules = g_build_filename(self->path, "lib/modules", NULL);
    g_autoptr(GPtrArray) boot_names = names_in(boot, "vmlinu");
    g_autoptr(GPtrArray) releases = names_in(modules, "");
    GPtrArray *images = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < boot_names->len; i++)
        g_ptr_array_add(images, g_build_filename("boot", boot_names->pdata[i], NULL));
    for (guint i = 0; images->len == 0 && i < releases->len; i++) {
        g_autofree char *image =
            g_build_filename("lib/modules", releases->pdata[i], "vmlinuz", NULL);
        g_autofree char *path = g_build_filename(self->path, image, NULL);

        if (g_file_test(path, G_FILE_TEST_IS_REGULAR))
            g_ptr_array_add(images, g_steal_pointer(&image));
    }
    return images;
}

/* "6.1.0" of boot/vmlinuz-6.1.0 and of lib/modules/6.1.0/vmlinuz. Of boot/vmlinuz it is that of the
 * modules, which there are of one kernel, and NULL where there are none. */
static char *
release_of(MfCatalogDraft *self, const char *image)
{
    const char *base = strrchr(image, '/') + 1;
    const char *dash = strchr(base, '-');

    if (dash)
        return g_strdup(dash + 1);
    if (!g_str_has_prefix(image, "boot/")) {
        g_autofree char *directory = g_path_get_dirname(image);

        return g_path_get_basename(directory);
    }

    g_autofree char *modules = g_build_filename(self->path, "lib/modules", NULL);
    g_autoptr(GPtrArray) releases = names_in(modules, "");
    return releases->len == 1 ? g_strdup(releases->pdata[0]) : NULL;
}

/* A vmlinux beside a vmlinuz of the same name is what that one is made of, for debuggers, and
 * often of hundreds of megabytes: an entry has one image. */
static void
drop_twins(MfCatalogDraft *self, GPtrArray *images)
{
    for (guint i = images->len; i-- > 0;) {
        g_autofree char *twin = g_strdup(images->pdata[i]);
        gsize last = strlen("boot/vmlinux") - 1;

        if (!g_str_has_prefix(twin, "boot/vmlinux"))
            continue;
        twin[last] = 'z';
        if (g_ptr_array_find_with_equal_func(images, twin, g_str_equal, NULL)) {
            g_autofree char *path = g_build_filename(self->path, images->pdata[i], NULL);

            unlink(path);
            g_ptr_array_remove_index(images, i);
        }
    }
}

void
mf_catalog_draft_let_choose(MfCatalogDraft *self, const char *release)
{
    self->choosable = TRUE;
    g_free(self->wanted);
    self->wanted = g_strdup(release);
}

/* Distributions have one that repairs the system: nobody means it who does not name it. */
static gboolean
is_meant(const MfCatalogDraft *self, const char *release)
{
    if (self->wanted)
        return g_strcmp0(release, self->wanted) == 0;
    return !release || !g_str_has_prefix(release, "0-rescue");
}

/* Removes an image and what is only of use with it. */
static void
drop_kernel(MfCatalogDraft *self, const char *image, const char *release)
{
    g_autofree char *path = g_build_filename(self->path, image, NULL);

    unlink(path);
    if (!release || !mf_catalog_entry_check_name(release, NULL))
        return;

    g_autofree char *name = g_strconcat("config-", release, NULL);
    g_autofree char *config = g_build_filename(self->path, "boot", name, NULL);
    g_autofree char *modules = g_build_filename(self->path, "lib/modules", release, NULL);
    unlink(config);
    mf_tempdir_remove(modules);
}

/* Leaves the images that are meant. Their releases are found out before anything is removed, for
 * they can go by what is beside them. */
static void
drop_others(MfCatalogDraft *self, GPtrArray *images)
{
    g_autoptr(GPtrArray) releases = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < images->len; i++)
        g_ptr_array_add(releases, release_of(self, images->pdata[i]));
    for (guint i = images->len; i-- > 0;) {
        if (is_meant(self, releases->pdata[i]))
            continue;
        drop_kernel(self, images->pdata[i], releases->pdata[i]);
        g_ptr_array_remove_index(images, i);
    }
}

/* "boot/vmlinuz-6.1, boot/vmlinuz-6.6". Owned by the caller. */
static char *
list_images(const GPtrArray *images)
{
    GString *list = g_string_new(NULL);

    for (guint i = 0; i < MIN(images->len, NAMED_MAX); i++) {
        g_autofree char *shown = g_filename_display_name(images->pdata[i]);

        g_string_append_printf(list, "%s%s", i > 0 ? ", " : "", shown);
    }
    if (images->len > NAMED_MAX)
        g_string_append_printf(list, " and %u more", images->len - NAMED_MAX);
    return g_string_free(list, FALSE);
}

/* Leaves the one image that there is to be. 'origin' as below. MF_ERROR_CONFIG. */
static gboolean
choose_image(MfCatalogDraft *self, GPtrArray *images, const char *origin, GError **error)
{
    g_autofree char *list = list_images(images);
    gboolean had_some = images->len > 0;

    drop_others(self, images);
    if (images->len == 1)
        return TRUE;
    if (self->wanted && images->len == 0 && had_some)
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "'%s' holds no kernel of the release '%s': it has %s.", origin, self->wanted,
                    list);
    else if (self->choosable && had_some)
        g_set_error(
            error, MF_ERROR, MF_ERROR_CONFIG,
            "'%s' holds several kernel images, or one for rescue only: %s. Name the release "
            "of one with --release.",
            origin, list);
    else
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "'%s' holds %s: expected exactly one boot/vmlinuz-RELEASE or "
                    "lib/modules/RELEASE/vmlinuz.",
                    origin, had_some ? "several kernel images" : "no kernel image");
    return FALSE;
}

/* Brings the configuration to boot/config-RELEASE, wherever it was. */
static gboolean
move_config(MfCatalogDraft *self, const char *release, GError **error)
{
    g_autofree char *own_config = g_build_filename("lib/modules", release, "config", NULL);
    g_autofree char *config = g_strdup_printf("boot/config-%s", release);

    return move(self, "boot/config", config, error) && move(self, own_config, config, error);
}

gboolean
mf_catalog_draft_arrange(MfCatalogDraft *self, const char *origin, GError **error)
{
    g_autoptr(GPtrArray) images = find_images(self);

    drop_twins(self, images);
    if (!choose_image(self, images, origin, error))
        return FALSE;

    const char *image = images->pdata[0];
    gboolean is_elf = g_str_has_prefix(image, "boot/vmlinux");
    g_autofree char *release = release_of(self, image);
    if (release && !mf_catalog_entry_check_name(release, NULL)) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "'%s' holds a kernel image with the unusable release '%s'.", origin, release);
        return FALSE;
    }

    if (!move(self, image, is_elf ? "boot/vmlinux" : "boot/vmlinuz", error) ||
        (release && !move_config(self, release, error)))
        return FALSE;
    g_free(self->release);
    self->release = g_steal_pointer(&release);
    return TRUE;
}

char *
mf_catalog_draft_unindexed_release(MfCatalogDraft *self)
{
    g_autofree char *modules = g_build_filename(self->path, "lib/modules", NULL);
    g_autoptr(GPtrArray) releases = names_in(modules, "");

    for (guint i = 0; i < releases->len; i++) {
        const char *release = releases->pdata[i];
        g_autofree char *index = g_build_filename(modules, release, "modules.dep", NULL);

        if (!g_file_test(index, G_FILE_TEST_EXISTS))
            return g_strdup(release);
    }
    return NULL;
}

/* The bytes of all regular files below 'path'. */
static guint64
measure(char *path)
{
    char *roots[] = {path, NULL};
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    guint64 size = 0;

    if (!walk)
        return 0;
    for (FTSENT *file; (file = fts_read(walk));)
        if (file->fts_info == FTS_F)
            size += (guint64)file->fts_statp->st_size;
    fts_close(walk);
    return size;
}

/* Gives the draft the entry's place. An older entry there is swapped out in the same moment and
 * removed with the draft, or, on a file system that cannot swap, removed before. */
static gboolean
take_place(MfCatalogDraft *self, const char *place, GError **error)
{
    gboolean taken = g_file_test(place, G_FILE_TEST_EXISTS);

    if (taken && renameat2(AT_FDCWD, self->path, AT_FDCWD, place, RENAME_EXCHANGE) == 0)
        return TRUE;
    if (taken && !mf_catalog_draft_discard_entry(place, error))
        return FALSE;
    if (rename(self->path, place) == 0) {
        g_clear_pointer(&self->path, g_free);
        return TRUE;
    }
    mf_error_set_errno(error, MF_ERROR_HOST, errno, "The kernel cannot be put at '%s'", place);
    return FALSE;
}

/* What kernel.json says, but for the name and the source. */
static MfCatalogEntry *
examine(MfCatalogDraft *self, const char *source, GError **error)
{
    g_autofree char *image = mf_catalog_entry_find_image(self->path);
    g_autoptr(GError) unusable = NULL;
    g_autoptr(MfKernel) kernel = image ? mf_kernel_open(image, &unusable) : NULL;
    g_autoptr(MfCatalogEntry) entry = g_new0(MfCatalogEntry, 1);

    if (!kernel) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG, "The kernel of '%s' cannot be used: %s",
                    source, unusable ? unusable->message : "there is no image.");
        return NULL;
    }
    if (self->arch_required && mf_kernel_get_arch(kernel) != self->arch) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "The kernel of '%s' is one for %s, where one for %s was asked for.", source,
                    mf_arch_name(mf_kernel_get_arch(kernel)), mf_arch_name(self->arch));
        return NULL;
    }
    entry->release = g_strdup(self->release ? self->release : mf_kernel_get_release(kernel));
    entry->arch = mf_kernel_get_arch(kernel);
    entry->added = g_get_real_time() / G_USEC_PER_SEC;
    entry->size = measure(self->path);
    return g_steal_pointer(&entry);
}

MfCatalogEntry *
mf_catalog_draft_publish(MfCatalogDraft *self, const char *name, const char *prefix,
                         const char *source, const char *version, GError **error)
{
    g_autoptr(MfCatalogEntry) entry = examine(self, source, error);

    if (!entry)
        return NULL;
    if (!name && !entry->release) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "The kernel of '%s' does not say its release: give it a name with '--name'.",
                    source);
        return NULL;
    }
    entry->name = name ? g_strdup(name) : g_build_path("/", prefix, entry->release, NULL);
    entry->source = g_filename_display_name(source);
    entry->version = g_strdup(version);

    g_autofree char *place = mf_catalog_entry_path(entry->name, error);
    if (!place || !mf_catalog_entry_write(entry, self->path, error) ||
        !take_place(self, place, error))
        return NULL;
    entry->image = mf_catalog_entry_find_image(place);
    return g_steal_pointer(&entry);
}

void
mf_catalog_draft_require_arch(MfCatalogDraft *self, MfArch arch)
{
    self->arch_required = TRUE;
    self->arch = arch;
}

gboolean
mf_catalog_draft_discard_entry(const char *path, GError **error)
{
    g_autofree char *section = g_path_get_dirname(path);
    g_autofree char *away = g_build_filename(section, DISCARDED_PREFIX "XXXXXX", NULL);

    if (!g_mkdtemp_full(away, 0700) || rename(path, away) < 0) {
        mf_error_set_errno(error, MF_ERROR_HOST, errno, "'%s' cannot be removed", path);
        rmdir(away);
        return FALSE;
    }
    mf_tempdir_remove(away);
    return TRUE;
}
