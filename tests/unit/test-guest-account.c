/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/account.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

typedef struct {
    char *directory, *passwd, *group;
} Files;

static void
set_up(Files *files, gconstpointer data)
{
    files->directory = g_dir_make_tmp("mayfly-XXXXXX", NULL);
    files->passwd = g_build_filename(files->directory, "passwd", NULL);
    files->group = g_build_filename(files->directory, "group", NULL);
    g_assert_true(g_file_set_contents(files->passwd,
                                      "root:x:0:0:root:/root:/bin/sh\n"
                                      "broken line\n"
                                      "alice:x:1000:100:Alice:/srv/alice:/bin/sh\n"
                                      "77:x:1001:101::/:/bin/sh\n",
                                      -1, NULL));
    g_assert_true(g_file_set_contents(files->group,
                                      "root:x:0:\n"
                                      "users:x:100:alice\n"
                                      "audio:x:29:bob,alice\n"
                                      "video:x:44:alice,bob\n"
                                      "malice:x:45:malice\n"
                                      "staff:x:50:\n",
                                      -1, NULL));
}

static void
tear_down(Files *files, gconstpointer data)
{
    g_unlink(files->passwd);
    g_unlink(files->group);
    g_rmdir(files->directory);
    g_free(files->passwd);
    g_free(files->group);
    g_free(files->directory);
}

static void
test_users_and_groups_are_found_by_name_and_number(Files *files, gconstpointer data)
{
    static const struct {
        const char *spec;
        uid_t uid;
        gid_t gid;
        gsize n_groups;
    } good[] = {
        {"root", 0, 0, 0},
        {"alice", 1000, 100, 2},
        {"1000", 1000, 100, 2},
        {"alice:staff", 1000, 50, 0},
        {"alice:7", 1000, 7, 0},
        {"4242", 4242, 0, 0},
        {"4242:4243", 4242, 4243, 0},
        {"77", 77, 0, 0}, /* the number, not the name */
    };

    for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
        struct mfg_account account;
        char reason[256] = "";

        g_test_message("%s", good[i].spec);
        g_assert_true(mfg_account_find(good[i].spec, files->passwd, files->group, &account, reason,
                                       sizeof(reason)));
        g_assert_cmpuint(account.uid, ==, good[i].uid);
        g_assert_cmpuint(account.gid, ==, good[i].gid);
        g_assert_cmpuint(account.n_groups, ==, good[i].n_groups);
    }
}

static void
test_supplementary_groups_are_those_that_list_the_user(Files *files, gconstpointer data)
{
    struct mfg_account account;
    char reason[256];

    g_assert_true(
        mfg_account_find("alice", files->passwd, files->group, &account, reason, sizeof(reason)));
    g_assert_cmpuint(account.groups[0], ==, 29);
    g_assert_cmpuint(account.groups[1], ==, 44);
}

static void
test_what_is_not_there_is_named_in_the_reason(Files *files, gconstpointer data)
{
    static const char *const bad[][2] = {
        {"bob", "'bob'"},
        {"alice:nogroup", "'nogroup'"},
        {"", "''"},
        {":users", "':users'"},
        {"alice:", "'alice:'"},
        {"-1", "'-1'"},
        {"4294967295", "'4294967295'"},
        {"99999999999999999999", "'99999999999999999999'"},
        {"alice:4294967295", "'4294967295'"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        struct mfg_account account;
        char reason[256] = "";

        g_assert_false(mfg_account_find(bad[i][0], files->passwd, files->group, &account, reason,
                                        sizeof(reason)));
        g_assert_nonnull(strstr(reason, bad[i][1]));
    }
}

static void
test_without_files_only_numbers_are_known(Files *files, gconstpointer data)
{
    struct mfg_account account;
    char reason[256];

    g_assert_true(
        mfg_account_find("5:6", "/no/such", "/no/such", &account, reason, sizeof(reason)));
    g_assert_cmpuint(account.uid, ==, 5);
    g_assert_cmpuint(account.gid, ==, 6);
    g_assert_false(
        mfg_account_find("root", "/no/such", "/no/such", &account, reason, sizeof(reason)));
}

static void
test_names_and_groups_have_caps(Files *files, gconstpointer data)
{
    g_autofree char *name = g_strnfill(MFG_ACCOUNT_NAME_MAX + 1, 'x');
    g_autoptr(GString) groups = g_string_new(NULL);
    struct mfg_account account;
    char reason[512];

    g_assert_false(
        mfg_account_find(name, files->passwd, files->group, &account, reason, sizeof(reason)));
    for (guint i = 0; i < MFG_ACCOUNT_GROUPS_MAX + 1; i++)
        g_string_append_printf(groups, "g%u:x:%u:alice\n", i, 1000 + i);
    g_assert_true(g_file_set_contents(files->group, groups->str, -1, NULL));
    g_assert_true(
        mfg_account_find("alice", files->passwd, files->group, &account, reason, sizeof(reason)));
    g_assert_cmpuint(account.n_groups, ==, MFG_ACCOUNT_GROUPS_MAX);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, name)                                                                            \
    g_test_add("/guest-account/" path, Files, NULL, set_up, test_##name, tear_down)
    ADD("found", users_and_groups_are_found_by_name_and_number);
    ADD("supplementary", supplementary_groups_are_those_that_list_the_user);
    ADD("refused", what_is_not_there_is_named_in_the_reason);
    ADD("no-files", without_files_only_numbers_are_known);
    ADD("caps", names_and_groups_have_caps);
#undef ADD
    return g_test_run();
}
