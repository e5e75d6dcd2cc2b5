/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/config-file.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/tempdir.h"
#include "suite/origin.h"
#include "suite/toml.h"

/* A directory, resolved, that everything is made in and that is the home directory. */
static char *top;

/* Makes 'path' below the top with the directories that it is in; text of NULL makes a directory.
 * Owned by the caller. */
static char *
make(const char *path, const char *text)
{
    char *whole = g_build_filename(top, path, NULL);
    g_autofree char *directory = text ? g_path_get_dirname(whole) : g_strdup(whole);
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(g_mkdir_with_parents(directory, 0700), ==, 0);
    if (text)
        g_file_set_contents(whole, text, -1, &error);
    g_assert_no_error(error);
    return whole;
}

static void
assert_found(const char *directory, const char *expected)
{
    g_autofree char *whole = make(directory, NULL);
    g_autofree char *wanted = g_build_filename(top, expected, NULL);
    g_autoptr(GError) error = NULL;
    g_autofree char *found = mf_config_file_find(whole, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(found, ==, wanted);
}

static void
assert_not_found(const char *directory, const char *format)
{
    g_autofree char *whole = make(directory, NULL);
    g_autofree char *message = g_strdup(format);
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) parts = g_strsplit(format, "TOP", -1);
    g_autofree char *expected = g_strjoinv(top, parts);

    g_assert_null(mf_config_file_find(whole, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_cmpstr(error->message, ==, expected);
}

static void
test_file_is_looked_for_up_to_the_repository(void)
{
    g_autofree char *git = make("a/repo/.git", NULL);
    g_autofree char *above = make("a/mayfly.toml", "");

    assert_not_found("a/repo/x/y",
                     "There is no mayfly.toml and no vmtest.toml in 'TOP/a/repo/x/y', nor above it "
                     "up to 'TOP/a/repo': write one, or name another with --config.");

    g_autofree char *vmtest = make("a/repo/vmtest.toml", "");
    assert_found("a/repo/x/y", "a/repo/vmtest.toml");
    assert_found("a/repo", "a/repo/vmtest.toml");
    g_autofree char *own = make("a/repo/mayfly.toml", "");
    assert_found("a/repo/x/y", "a/repo/mayfly.toml");
    g_autofree char *nearer = make("a/repo/x/vmtest.toml", "");
    assert_found("a/repo/x/y", "a/repo/x/vmtest.toml");
}

static void
test_git_may_be_the_file_of_a_worktree(void)
{
    g_autofree char *git = make("b/tree/.git", "gitdir: elsewhere\n");
    g_autofree char *above = make("b/mayfly.toml", "");

    assert_not_found("b/tree", "There is no mayfly.toml and no vmtest.toml in 'TOP/b/tree': write "
                               "one, or name another with --config.");
}

static void
test_file_is_looked_for_up_to_the_home_outside_of_a_repository(void)
{
    g_autofree char *at_home = make("home/mayfly.toml", "");
    g_autofree char *above = make("mayfly.toml", "");

    assert_found("home/x/y", "home/mayfly.toml");
    g_assert_cmpint(g_remove(at_home), ==, 0);
    assert_not_found("home/x",
                     "There is no mayfly.toml and no vmtest.toml in 'TOP/home/x', nor above it up "
                     "to 'TOP/home': write one, or name another with --config.");
    assert_not_found("homeless", "There is no mayfly.toml and no vmtest.toml in 'TOP/homeless': "
                                 "write one, or name another with --config.");
    g_assert_cmpint(g_remove(above), ==, 0);
}

static MfConfigFile *
load(const char *path, const char *text)
{
    g_autofree char *whole = make(path, text);
    g_autoptr(GError) error = NULL;
    MfConfigFile *file = mf_config_file_load(whole, &error);

    g_assert_no_error(error);
    return file;
}

static json_object *
get_memory(const MfConfigFile *file, gsize index)
{
    json_object *targets = json_object_object_get(file->tree, "target");
    json_object *vm = json_object_object_get(json_object_array_get_idx(targets, index), "vm");

    return json_object_object_get(vm, "memory");
}

static void
test_loaded_file_knows_its_directory_and_its_short_name(void)
{
    g_autoptr(MfConfigFile) file = load("c/mayfly.toml", "[[target]]\nname = 'a'\n");
    g_autofree char *directory = make("c", NULL), *path = make("c/mayfly.toml", "x = 1");
    json_object *targets = json_object_object_get(file->tree, "target");
    g_autoptr(GError) error = NULL;

    g_assert_cmpstr(file->path, ==, path);
    g_assert_cmpstr(file->directory, ==, directory);
    g_assert_cmpstr(mf_origin_get(targets)->name, ==, "c/mayfly.toml");

    /* Through a relative name, the directory is as absolute. */
    g_assert_null(mf_config_file_load("c/./mayfly.toml", &error));
    g_assert_cmpstr(error->message, ==, "c/mayfly.toml:1:1: There is no key 'x'.");
}

static void
test_an_image_of_vmtest_may_have_a_root_that_it_has_no_use_for(void)
{
    const char *text = "[[target]]\nname = 'a'\nimage = 'i'\nrootfs = '/'\n"
                       "[[target]]\nname = 'b'\nkernel = 'k'\nrootfs = '/'\n";
    g_autofree char *path = make("roots/vmtest.toml", text);
    g_autoptr(GError) error = NULL;
    g_autoptr(MfConfigFile) vmtest = mf_config_file_load(path, &error);
    json_object *targets;

    g_assert_no_error(error);
    targets = json_object_object_get(vmtest->tree, "target");
    for (gsize i = 0; i < 2; i++)
        g_assert_cmpint(
            json_object_object_get_ex(json_object_array_get_idx(targets, i), "rootfs", NULL), ==,
            (int)i);
}

static void
test_targets_of_vmtest_have_its_memory(void)
{
    const char *text = "[[target]]\nname = 'a'\n"
                       "[[target]]\nname = 'b'\nvm = { memory = '2G' }\n"
                       "[[target]]\nname = 'c'\nvm = { num_cpus = 1 }\n"
                       "[[target]]\nname = 'd'\nvm = 5\n";
    g_autoptr(MfConfigFile) vmtest = load("d/vmtest.toml", text);
    g_autoptr(MfConfigFile) own = load("d/mayfly.toml", text);

    g_assert_cmpstr(json_object_get_string(get_memory(vmtest, 0)), ==, "4G");
    g_assert_cmpint(mf_origin_get(get_memory(vmtest, 0))->kind, ==, MF_ORIGIN_DEFAULT);
    g_assert_cmpstr(json_object_get_string(get_memory(vmtest, 1)), ==, "2G");
    g_assert_cmpstr(json_object_get_string(get_memory(vmtest, 2)), ==, "4G");
    g_assert_null(get_memory(own, 0));
}

static void
assert_refused(const char *path, const char *format)
{
    g_autofree char *whole = g_build_filename(top, path, NULL);
    g_auto(GStrv) parts = g_strsplit(format, "PATH", -1);
    g_autofree char *expected = g_strjoinv(whole, parts);
    g_autoptr(GError) error = NULL;

    g_assert_null(mf_config_file_load(whole, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_cmpstr(error->message, ==, expected);
}

static void
test_what_is_no_readable_file_is_refused(void)
{
    g_autofree char *directory = make("e/mayfly.toml", NULL);
    g_autofree char *fifo = g_build_filename(top, "e/fifo", NULL);
    g_autofree char *text = g_strnfill(MF_TOML_SIZE_MAX + 1, '\n');
    g_autofree char *large = make("e/large.toml", text);

    g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
    assert_refused("e/mayfly.toml", "'PATH' is a directory: expected a config file, such as the "
                                    "mayfly.toml in it.");
    assert_refused("e/fifo", "'PATH' is not a file that a config could be read from.");
    assert_refused("e/missing.toml",
                   "The config file 'PATH' cannot be read: No such file or directory");
    assert_refused("e/large.toml",
                   "The config file cannot be used: 'PATH' is larger than 1048576 bytes.");
    text[MF_TOML_SIZE_MAX] = '\0';
    g_autoptr(MfConfigFile) file = load("e/large.toml", text);
}

static void
test_a_link_that_leads_nowhere_is_found_and_told_of(void)
{
    g_autofree char *repository = make("f/.git", NULL);
    g_autofree char *link = g_build_filename(top, "f/mayfly.toml", NULL);
    g_autofree char *other = make("f/vmtest.toml", "");

    g_assert_cmpint(symlink("gone.toml", link), ==, 0);
    assert_found("f/deep", "f/mayfly.toml");
    assert_refused("f/mayfly.toml",
                   "The config file 'PATH' is a symbolic link that leads nowhere.");
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *made = mf_tempdir_make(&error);

    g_assert_no_error(error);
    top = realpath(made, NULL);
    g_autofree char *home = g_build_filename(top, "home", NULL);
    g_setenv("HOME", home, TRUE);
    g_assert_cmpint(chdir(top), ==, 0);

    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/config-file/file-is-looked-for-up-to-the-repository",
                    test_file_is_looked_for_up_to_the_repository);
    g_test_add_func("/config-file/git-may-be-the-file-of-a-worktree",
                    test_git_may_be_the_file_of_a_worktree);
    g_test_add_func("/config-file/file-is-looked-for-up-to-the-home-outside-of-a-repository",
                    test_file_is_looked_for_up_to_the_home_outside_of_a_repository);
    g_test_add_func("/config-file/loaded-file-knows-its-directory-and-its-short-name",
                    test_loaded_file_knows_its_directory_and_its_short_name);
    g_test_add_func("/config-file/an-image-of-vmtest-may-have-a-root-that-it-has-no-use-for",
                    test_an_image_of_vmtest_may_have_a_root_that_it_has_no_use_for);
    g_test_add_func("/config-file/targets-of-vmtest-have-its-memory",
                    test_targets_of_vmtest_have_its_memory);
    g_test_add_func("/config-file/a-link-that-leads-nowhere-is-found-and-told-of",
                    test_a_link_that_leads_nowhere_is_found_and_told_of);
    g_test_add_func("/config-file/what-is-no-readable-file-is-refused",
                    test_what_is_no_readable_file_is_refused);

    int status = g_test_run();
    mf_tempdir_remove(top);
    free(top);
    return status;
}
