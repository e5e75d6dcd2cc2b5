/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/upper.h"

#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

typedef struct {
    char *dir, *lower, *upper; /* owned */
} Layers;

static void
set_up(Layers *layers, gconstpointer user_data)
{
    layers->dir = g_dir_make_tmp("mayfly-test-XXXXXX", NULL);
    layers->lower = g_build_filename(layers->dir, "lower", NULL);
    layers->upper = g_build_filename(layers->dir, "upper", NULL);
    g_assert_cmpint(g_mkdir(layers->lower, 0755), ==, 0);
    g_assert_cmpint(g_mkdir(layers->upper, 0755), ==, 0);
}

static void
remove_tree(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *entry = g_build_filename(path, name, NULL);

        remove_tree(entry);
    }
    g_remove(path);
}

static void
tear_down(Layers *layers, gconstpointer user_data)
{
    remove_tree(layers->dir);
    g_free(layers->upper);
    g_free(layers->lower);
    g_free(layers->dir);
}

static void
make_lower(Layers *layers, const char *path, guint mode)
{
    g_autofree char *full = g_strconcat(layers->lower, path, NULL);

    g_assert_cmpint(g_mkdir(full, 0700), ==, 0);
    g_assert_cmpint(g_chmod(full, (int)mode), ==, 0);
}

/* 'mode' 0: it is not there. */
static void
assert_upper(Layers *layers, const char *path, guint mode)
{
    g_autofree char *full = g_strconcat(layers->upper, path, NULL);
    struct stat status;

    if (mode == 0) {
        g_assert_cmpint(lstat(full, &status), <, 0);
        g_assert_cmpint(errno, ==, ENOENT);
        return;
    }
    g_assert_cmpint(lstat(full, &status), ==, 0);
    g_assert_cmphex(status.st_mode, ==, S_IFDIR | mode);
}

static void
test_directories_are_made_as_they_are_below(Layers *layers, gconstpointer user_data)
{
    make_lower(layers, "/mnt", 01777);
    make_lower(layers, "/mnt/inner", 02711);
    umask(077);
    mfg_upper_make_dirs(layers->lower, layers->upper, "/mnt/inner");
    assert_upper(layers, "/mnt", 01777);
    assert_upper(layers, "/mnt/inner", 02711);
}

static void
test_directories_that_are_not_below_are_made_too(Layers *layers, gconstpointer user_data)
{
    make_lower(layers, "/mnt", 0750);
    umask(022);
    mfg_upper_make_dirs(layers->lower, layers->upper, "/mnt/a//b/");
    mfg_upper_make_dirs(layers->lower, layers->upper, "/mnt/a/c");
    assert_upper(layers, "/mnt", 0750);
    assert_upper(layers, "/mnt/a", 0755);
    assert_upper(layers, "/mnt/a/b", 0755);
    assert_upper(layers, "/mnt/a/c", 0755);
}

static void
test_owners_are_kept(Layers *layers, gconstpointer user_data)
{
    g_autofree char *below = g_strconcat(layers->lower, "/d", NULL);
    g_autofree char *above = g_strconcat(layers->upper, "/d", NULL);
    struct stat status;

    make_lower(layers, "/d", 0755);
    if (chown(below, 1234, 567) != 0) {
        g_test_skip("only root can give a directory away");
        return;
    }
    g_assert_cmpint(g_chmod(below, 06755), ==, 0);
    mfg_upper_make_dirs(layers->lower, layers->upper, "/d");
    g_assert_cmpint(stat(above, &status), ==, 0);
    g_assert_cmpuint(status.st_uid, ==, 1234);
    g_assert_cmpuint(status.st_gid, ==, 567);
    g_assert_cmphex(status.st_mode, ==, S_IFDIR | 06755);
}

static void
test_what_is_not_a_directory_is_left_to_the_overlay(Layers *layers, gconstpointer user_data)
{
    g_autofree char *link = g_strconcat(layers->lower, "/link", NULL);
    g_autofree char *file = g_strconcat(layers->lower, "/file", NULL);

    make_lower(layers, "/d", 0755);
    g_assert_cmpint(symlink("d", link), ==, 0);
    g_assert_true(g_file_set_contents(file, "", 0, NULL));
    mfg_upper_make_dirs(layers->lower, layers->upper, "/link/x");
    mfg_upper_make_dirs(layers->lower, layers->upper, "/file/x");
    assert_upper(layers, "/link", 0);
    assert_upper(layers, "/file", 0);
}

static void
test_what_has_attributes_is_left_to_the_overlay(Layers *layers, gconstpointer user_data)
{
    g_autofree char *below = g_strconcat(layers->lower, "/d", NULL);

    make_lower(layers, "/d", 0755);
    if (setxattr(below, "user.mayfly", "x", 1, 0) != 0) {
        g_test_skip("the temporary directory's file system has no extended attributes");
        return;
    }
    mfg_upper_make_dirs(layers->lower, layers->upper, "/d/x");
    assert_upper(layers, "/d", 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name_, func_) g_test_add(name_, Layers, NULL, set_up, func_, tear_down)
    ADD("/guest-upper/like", test_directories_are_made_as_they_are_below);
    ADD("/guest-upper/new", test_directories_that_are_not_below_are_made_too);
    ADD("/guest-upper/owner", test_owners_are_kept);
    ADD("/guest-upper/other", test_what_is_not_a_directory_is_left_to_the_overlay);
    ADD("/guest-upper/attributes", test_what_has_attributes_is_left_to_the_overlay);
    return g_test_run();
}
