/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/mountpoint.h"

#include <glib/gstdio.h>
#include <sys/stat.h>

typedef struct {
    char *dir; /* owned; with the empty directory "empty" and "full/entry" in it */
    struct mfg_mountpoints mountpoints;
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer user_data)
{
    g_autoptr(GError) error = NULL;
    struct stat status;

    fixture->dir = g_dir_make_tmp("mayfly-test-XXXXXX", &error);
    g_assert_no_error(error);
    g_autofree char *empty = g_build_filename(fixture->dir, "empty", NULL);
    g_autofree char *entry = g_build_filename(fixture->dir, "full", "entry", NULL);
    g_assert_cmpint(g_mkdir_with_parents(empty, 0755), ==, 0);
    g_assert_cmpint(g_mkdir_with_parents(entry, 0755), ==, 0);

    g_assert_cmpint(stat(fixture->dir, &status), ==, 0);
    fixture->mountpoints =
        (struct mfg_mountpoints){.root = status.st_dev, .root_mode = MFG_ROOT_RW};
}

static void
tear_down(Fixture *fixture, gconstpointer user_data)
{
    static const char *const paths[] = {"full/entry", "full", "empty", "."};

    for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_autofree char *path = g_build_filename(fixture->dir, paths[i], NULL);

        g_assert_cmpint(g_rmdir(i + 1 < G_N_ELEMENTS(paths) ? path : fixture->dir), ==, 0);
    }
    g_free(fixture->dir);
}

/* Asks for 'path' below the fixture's directory and expects its place at 'parent' below it. */
static void
assert_place(Fixture *fixture, const char *path, enum mfg_place expected, const char *parent)
{
    g_autofree char *full = g_strconcat(fixture->dir, path, NULL);
    g_autofree char *full_parent = g_strconcat(fixture->dir, parent, NULL);
    char ret_parent[PATH_MAX];

    g_assert_cmpint(mfg_mountpoint_place(&fixture->mountpoints, full, ret_parent), ==, expected);
    g_assert_cmpstr(ret_parent, ==, full_parent);
}

static void
test_an_empty_parent_on_the_host_is_covered(Fixture *fixture, gconstpointer user_data)
{
    assert_place(fixture, "/empty/x", MFG_PLACE_COVER, "/empty");
    assert_place(fixture, "/empty/x/y//z/", MFG_PLACE_COVER, "/empty");
    fixture->mountpoints.root_mode = MFG_ROOT_RO;
    assert_place(fixture, "/empty/x", MFG_PLACE_COVER, "/empty");
}

static void
test_a_parent_in_use_is_left_alone_in_a_writable_root(Fixture *fixture, gconstpointer user_data)
{
    assert_place(fixture, "/full/x", MFG_PLACE_NONE, "/full");
    assert_place(fixture, "/x/y", MFG_PLACE_NONE, "");
}

static void
test_a_parent_in_use_is_mirrored_in_a_read_only_root(Fixture *fixture, gconstpointer user_data)
{
    fixture->mountpoints.root_mode = MFG_ROOT_RO;
    assert_place(fixture, "/full/x", MFG_PLACE_MIRROR, "/full");
}

static void
test_directories_are_made_in_the_overlay(Fixture *fixture, gconstpointer user_data)
{
    fixture->mountpoints.root_mode = MFG_ROOT_OVERLAY;
    assert_place(fixture, "/full/x", MFG_PLACE_MAKE, "/full");
    assert_place(fixture, "/empty/x", MFG_PLACE_MAKE, "/empty");
}

static void
test_directories_are_made_in_the_guests_own_tmpfs(Fixture *fixture, gconstpointer user_data)
{
    fixture->mountpoints.own[fixture->mountpoints.n_own++] = fixture->mountpoints.root;
    fixture->mountpoints.root++;
    assert_place(fixture, "/full/x", MFG_PLACE_MAKE, "/full");
}

static void
test_another_share_is_neither_written_nor_covered(Fixture *fixture, gconstpointer user_data)
{
    static const enum mfg_root_mode modes[] = {MFG_ROOT_OVERLAY, MFG_ROOT_RO, MFG_ROOT_RW};

    fixture->mountpoints.root++;
    for (gsize i = 0; i < G_N_ELEMENTS(modes); i++) {
        fixture->mountpoints.root_mode = modes[i];
        assert_place(fixture, "/empty/x", MFG_PLACE_NONE, "/empty");
        assert_place(fixture, "/full/x", MFG_PLACE_NONE, "/full");
    }
}

static void
test_the_root_itself_is_never_covered(void)
{
    struct mfg_mountpoints mountpoints = {.root_mode = MFG_ROOT_RO};
    struct stat status;
    char parent[PATH_MAX];

    g_assert_cmpint(stat("/", &status), ==, 0);
    mountpoints.root = status.st_dev;
    g_assert_cmpint(mfg_mountpoint_place(&mountpoints, "/no-such-directory/x", parent), ==,
                    MFG_PLACE_NONE);
    g_assert_cmpstr(parent, ==, "/");
}

#define ADD(path, function) g_test_add(path, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/guest-mountpoint/an-empty-parent-on-the-host-is-covered",
        test_an_empty_parent_on_the_host_is_covered);
    ADD("/guest-mountpoint/a-parent-in-use-is-left-alone-in-a-writable-root",
        test_a_parent_in_use_is_left_alone_in_a_writable_root);
    ADD("/guest-mountpoint/a-parent-in-use-is-mirrored-in-a-read-only-root",
        test_a_parent_in_use_is_mirrored_in_a_read_only_root);
    ADD("/guest-mountpoint/directories-are-made-in-the-overlay",
        test_directories_are_made_in_the_overlay);
    ADD("/guest-mountpoint/directories-are-made-in-the-guests-own-tmpfs",
        test_directories_are_made_in_the_guests_own_tmpfs);
    ADD("/guest-mountpoint/another-share-is-neither-written-nor-covered",
        test_another_share_is_neither_written_nor_covered);
    g_test_add_func("/guest-mountpoint/the-root-itself-is-never-covered",
                    test_the_root_itself_is_never_covered);
    return g_test_run();
}
