/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/virtiofsd.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/tempdir.h"

/* What is found in the newer program's file. */
#define NEWER "shared-dir"

static void
assert_line(const MfVirtiofsdFacts *facts, const char *directory, gboolean writable, gboolean root,
            const char *expected)
{
    g_autoptr(MfShare) share = mf_share_new("root", "mayfly.root", directory, NULL, writable);
    g_autoptr(MfArgv) argv = mf_virtiofsd_to_argv("/d", facts, share, root);
    g_autofree char *line = g_strjoinv(" ", (char **)mf_argv_get(argv));

    g_assert_cmpstr(line, ==, expected);
}

static void
test_the_old_program_contains_itself_in_a_namespace(void)
{
    const MfVirtiofsdFacts facts = {.legacy = TRUE};

    assert_line(&facts, "/srv", FALSE, TRUE,
                "/d --fd=3 -o source=/srv -o cache=auto,xattr,log_level=warn -o sandbox=namespace "
                "--rlimit-nofile=0");
}

static void
test_the_old_program_gets_a_chroot_for_everything(void)
{
    const MfVirtiofsdFacts facts = {.legacy = TRUE};

    assert_line(&facts, "/", FALSE, TRUE,
                "/d --fd=3 -o source=/ -o cache=auto,xattr,log_level=warn -o sandbox=chroot "
                "--rlimit-nofile=0");
}

static void
test_the_old_program_gets_commas_and_backslashes_escaped(void)
{
    const MfVirtiofsdFacts facts = {.legacy = TRUE};
    g_autoptr(MfShare) share = mf_share_new("root", "mayfly.root", "/a,b\\c", NULL, TRUE);
    g_autoptr(MfArgv) argv = mf_virtiofsd_to_argv("/d", &facts, share, TRUE);

    g_assert_true(g_strv_contains(mf_argv_get(argv), "source=/a\\,b\\\\c"));
}

static void
test_the_new_program_is_contained_for_root_only(void)
{
    const MfVirtiofsdFacts facts = {.no_submounts = TRUE};

    assert_line(&facts, "/srv", TRUE, TRUE,
                "/d --fd=3 --shared-dir /srv --cache auto --xattr --log-level warn --sandbox "
                "namespace --no-announce-submounts");
    assert_line(&facts, "/", TRUE, TRUE,
                "/d --fd=3 --shared-dir / --cache auto --xattr --log-level warn --sandbox chroot "
                "--no-announce-submounts");
    assert_line(&facts, "/srv", TRUE, FALSE,
                "/d --fd=3 --shared-dir /srv --cache auto --xattr --log-level warn --sandbox none "
                "--no-announce-submounts");
}

static void
test_the_new_program_refuses_writes_where_it_can(void)
{
    const MfVirtiofsdFacts can = {.read_only = TRUE};
    const MfVirtiofsdFacts cannot = {0};
    const char *plain = "/d --fd=3 --shared-dir /srv --cache auto --xattr --log-level warn "
                        "--sandbox none";
    g_autofree char *protected = g_strconcat(plain, " --readonly", NULL);

    assert_line(&can, "/srv", FALSE, FALSE, protected);
    assert_line(&can, "/srv", TRUE, FALSE, plain);
    assert_line(&cannot, "/srv", FALSE, FALSE, plain);
}

static char *
write_program(const char *directory, const char *text)
{
    g_autoptr(GError) error = NULL;
    char *path = g_build_filename(directory, "virtiofsd", NULL);

    mf_file_replace(path, text, strlen(text), 0755, &error);
    g_assert_no_error(error);
    return path;
}

static void
test_programs_are_told_apart_by_their_content(void)
{
    static const struct {
        const char *text;
        MfVirtiofsdFacts facts;
    } programs[] = {
        {"-o source=PATH", {.legacy = TRUE}},
        {"x" NEWER "x", {0}},
        {NEWER " no-announce-submounts", {.no_submounts = TRUE}},
        {NEWER "readonlyPrevent the guest from making modifications to", {.read_only = TRUE}},
    };
    g_autofree char *directory = mf_tempdir_make(NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(programs); i++) {
        g_autofree char *path = write_program(directory, programs[i].text);
        MfVirtiofsdFacts facts;

        g_assert_true(mf_virtiofsd_probe(path, &facts));
        g_assert_cmpint(facts.legacy, ==, programs[i].facts.legacy);
        g_assert_cmpint(facts.read_only, ==, programs[i].facts.read_only);
        g_assert_cmpint(facts.no_submounts, ==, programs[i].facts.no_submounts);
    }
    mf_tempdir_remove(directory);
}

static void
test_a_missing_program_names_the_package_or_the_variable(void)
{
    g_autoptr(GError) error = NULL;

    g_setenv(MF_VIRTIOFSD_ENV, "/no/such/virtiofsd", TRUE);
    g_assert_null(mf_virtiofsd_find(&error));
    g_unsetenv(MF_VIRTIOFSD_ENV);
    g_assert_error(error, MF_ERROR, MF_ERROR_HOST);
    g_assert_nonnull(strstr(error->message, "'/no/such/virtiofsd' (from " MF_VIRTIOFSD_ENV ")"));
}

static void
on_exited(MfChild *child, gpointer loop)
{
    g_main_loop_quit(loop);
}

/* A program in place of the daemon, which has ended when this returns. */
static MfDaemon *
run_instead(const char *directory, const char *script, int *ret_connection)
{
    g_autofree char *text = g_strconcat("#!/bin/sh\n# " NEWER "\n", script, NULL);
    g_autofree char *path = write_program(directory, text);
    g_autoptr(MfShare) share = mf_share_new("root", "mayfly.root", "/srv", NULL, TRUE);
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    g_autoptr(GError) error = NULL;

    MfDaemon *daemon = mf_virtiofsd_start(path, share, ret_connection, &error);
    g_assert_no_error(error);
    g_signal_connect(mf_daemon_get_child(daemon), "exited", G_CALLBACK(on_exited), loop);
    g_main_loop_run(loop);
    return daemon;
}

static void
test_the_end_of_a_daemon_is_told_with_its_last_words(void)
{
    g_autofree char *directory = mf_tempdir_make(NULL);
    mf_autofd connection = -1;
    g_autoptr(MfDaemon) daemon =
        run_instead(directory, "echo 'no luck' >&2; exit 3\n", &connection);

    g_assert_true(mf_daemon_has_failed(daemon));
    g_autofree char *text = mf_daemon_describe_end(daemon);
    g_assert_cmpstr(text, ==,
                    "virtiofsd, which serves '/srv' to the guest, exited with status 3: no luck");
    mf_tempdir_remove(directory);
}

static void
test_the_connection_is_there_before_the_daemon_and_leaves_no_file(void)
{
    g_autofree char *directory = mf_tempdir_make(NULL);
    g_autofree char *before = g_strdup(g_getenv("TMPDIR"));
    mf_autofd connection = -1;

    g_setenv("TMPDIR", directory, TRUE);
    g_autoptr(MfDaemon) daemon = run_instead(directory, "test -S /proc/self/fd/3\n", &connection);
    if (before)
        g_setenv("TMPDIR", before, TRUE);
    else
        g_unsetenv("TMPDIR");

    g_autofree char *words = mf_daemon_describe_end(daemon);
    g_assert_cmpstr(words, ==,
                    "virtiofsd, which serves '/srv' to the guest, exited with status 0.");
    g_assert_false(mf_daemon_has_failed(daemon));

    /* Connected: with the listening end gone, it reads as closed. */
    char byte;
    g_assert_cmpint(recv(connection, &byte, 1, MSG_DONTWAIT), <=, 0);
    g_assert_cmpint(errno, !=, EAGAIN);
    g_assert_cmpint(errno, !=, ENOTCONN);

    g_autoptr(GDir) entries = g_dir_open(directory, 0, NULL);
    g_assert_cmpstr(g_dir_read_name(entries), ==, "virtiofsd");
    g_assert_null(g_dir_read_name(entries));
    mf_tempdir_remove(directory);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virtiofsd/the-old-program-contains-itself-in-a-namespace",
                    test_the_old_program_contains_itself_in_a_namespace);
    g_test_add_func("/virtiofsd/the-old-program-gets-a-chroot-for-everything",
                    test_the_old_program_gets_a_chroot_for_everything);
    g_test_add_func("/virtiofsd/the-old-program-gets-commas-and-backslashes-escaped",
                    test_the_old_program_gets_commas_and_backslashes_escaped);
    g_test_add_func("/virtiofsd/the-new-program-is-contained-for-root-only",
                    test_the_new_program_is_contained_for_root_only);
    g_test_add_func("/virtiofsd/the-new-program-refuses-writes-where-it-can",
                    test_the_new_program_refuses_writes_where_it_can);
    g_test_add_func("/virtiofsd/programs-are-told-apart-by-their-content",
                    test_programs_are_told_apart_by_their_content);
    g_test_add_func("/virtiofsd/a-missing-program-names-the-package-or-the-variable",
                    test_a_missing_program_names_the_package_or_the_variable);
    g_test_add_func("/virtiofsd/the-end-of-a-daemon-is-told-with-its-last-words",
                    test_the_end_of_a_daemon_is_told_with_its_last_words);
    g_test_add_func("/virtiofsd/the-connection-is-there-before-the-daemon-and-leaves-no-file",
                    test_the_connection_is_there_before_the_daemon_and_leaves_no_file);
    return g_test_run();
}
