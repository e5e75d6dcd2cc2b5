/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static struct mfg_cgroup
group(const char *path)
{
    struct mfg_cgroup cgroup = {.fd = -1};

    g_strlcpy(cgroup.path, path, sizeof(cgroup.path));
    return cgroup;
}

static void
test_groups_overlap_when_one_is_inside_the_other(void)
{
    static const struct {
        const char *one, *other;
        bool overlap;
    } pairs[] = {
        {"/c/a", "/c/a", true},   {"/c/a", "/c/a/b", true}, {"/c/a", "/c/ab", false},
        {"/c/a", "/c/b", false},  {"", "/c/a", false},      {"", "", false},
        {"/c/a/b", "/c/a", true},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++) {
        struct mfg_cgroup one = group(pairs[i].one), other = group(pairs[i].other);

        g_assert_cmpint(mfg_cgroup_overlaps(&one, &other), ==, pairs[i].overlap);
        g_assert_cmpint(mfg_cgroup_overlaps(&other, &one), ==, pairs[i].overlap);
    }
}

static void
test_an_heir_removes_what_either_has_made(void)
{
    struct mfg_cgroup maker = group("/c/a"), user = group("/c/a");

    maker.kept = 2;
    user.kept = 4;
    mfg_cgroup_bequeath(&maker, &user);
    g_assert_cmpuint(user.kept, ==, 2);
    maker.kept = 4;
    mfg_cgroup_bequeath(&maker, &user);
    g_assert_cmpuint(user.kept, ==, 2);
}

/* A directory stands for a group: only what is written to which file matters here. */
static void
test_a_limit_is_written_to_its_file_and_what_is_none_is_refused(void)
{
    g_autofree char *directory = g_dir_make_tmp("mayfly-XXXXXX", NULL);
    g_autofree char *file = g_build_filename(directory, "cpu.max", NULL);
    g_autofree char *text = NULL;
    struct mfg_cgroup cgroup = group(directory);
    char sentence[512];
    struct mfg_reason reason = {sentence, sizeof(sentence)};

    cgroup.fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_assert_true(g_file_set_contents(file, "", 0, NULL));
    g_assert_true(mfg_cgroup_limit(&cgroup, "cpu.max=20000 100000", &reason));
    g_assert_true(g_file_get_contents(file, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "20000 100000");

    g_assert_false(mfg_cgroup_limit(&cgroup, "io.max=8:0 rbps=1", &reason));
    g_assert_nonnull(strstr(sentence, "'io.max'"));
    g_assert_nonnull(strstr(sentence, directory));
    g_assert_false(mfg_cgroup_limit(&cgroup, "cgroup.procs=1", &reason));
    g_assert_false(mfg_cgroup_limit(&cgroup, "cpu.max", &reason));
    close(cgroup.fd);
    g_unlink(file);
    g_rmdir(directory);
}

static void
test_a_bad_name_is_refused_before_anything_is_made(void)
{
    static const char *const bad[] = {"", "/", "..", "a/../b"};
    char sentence[512];
    struct mfg_reason reason = {sentence, sizeof(sentence)};

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        struct mfg_cgroup cgroup;

        g_assert_false(mfg_cgroup_make_named(&cgroup, bad[i], &reason));
        g_assert_true(g_str_has_prefix(sentence, "the cgroup name '"));
        g_assert_cmpint(cgroup.fd, ==, -1);
        g_assert_cmpstr(cgroup.path, ==, "");
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/guest-cgroup/overlap", test_groups_overlap_when_one_is_inside_the_other);
    g_test_add_func("/guest-cgroup/heir", test_an_heir_removes_what_either_has_made);
    g_test_add_func("/guest-cgroup/limit",
                    test_a_limit_is_written_to_its_file_and_what_is_none_is_refused);
    g_test_add_func("/guest-cgroup/P-9-names", test_a_bad_name_is_refused_before_anything_is_made);
    return g_test_run();
}
