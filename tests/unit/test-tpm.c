/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/tpm.h"

#include <string.h>
#include <sys/socket.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/tempdir.h"

static void
assert_lines(const MfArgv *argv, const char *expected)
{
    g_autofree char *line = g_strjoinv(" ", (char **)mf_argv_get(argv));

    g_assert_cmpstr(line, ==, expected);
}

static void
test_swtpm_is_told_descriptors_and_no_paths(void)
{
    g_autoptr(MfArgv) newer = mf_tpm_to_argv(MF_TPM_2_0, "/opt/swtpm");
    g_autoptr(MfArgv) older = mf_tpm_to_argv(MF_TPM_1_2, "/opt/swtpm");

    assert_lines(newer, "/opt/swtpm socket --tpm2 --tpmstate dir=/proc/self/fd/4 --ctrl "
                        "type=unixio,clientfd=3 --terminate");
    assert_lines(older, "/opt/swtpm socket --tpmstate dir=/proc/self/fd/4 --ctrl "
                        "type=unixio,clientfd=3 --terminate");
}

static void
test_each_machine_has_the_device_that_it_can(void)
{
    static const struct {
        MfTpm tpm;
        MfArch arch;
        const char *line;
    } cases[] = {
        {MF_TPM_NONE, MF_ARCH_X86_64, "q"},
        {MF_TPM_2_0, MF_ARCH_X86_64,
         "q -chardev socket,id=tpm,fd=9 -tpmdev emulator,id=tpm0,chardev=tpm -device "
         "tpm-crb,tpmdev=tpm0"},
        {MF_TPM_1_2, MF_ARCH_X86_64,
         "q -chardev socket,id=tpm,fd=9 -tpmdev emulator,id=tpm0,chardev=tpm -device "
         "tpm-tis,tpmdev=tpm0"},
        {MF_TPM_2_0, MF_ARCH_AARCH64,
         "q -chardev socket,id=tpm,fd=9 -tpmdev emulator,id=tpm0,chardev=tpm -device "
         "tpm-tis-device,tpmdev=tpm0"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(MfArgv) argv = mf_argv_new("q");

        mf_tpm_add_to_argv(cases[i].tpm, cases[i].arch, 9, argv);
        assert_lines(argv, cases[i].line);
    }
}

static void
test_a_machine_without_one_refuses_it(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(mf_tpm_check_machine(MF_TPM_NONE, MF_ARCH_S390X, NULL));
    g_assert_true(mf_tpm_check_machine(MF_TPM_2_0, MF_ARCH_AARCH64, NULL));
    g_assert_false(mf_tpm_check_machine(MF_TPM_1_2, MF_ARCH_RISCV64, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
}

static void
test_versions_are_read_by_name(void)
{
    g_autoptr(GError) error = NULL;
    MfTpm tpm = MF_TPM_NONE;

    g_assert_true(mf_tpm_parse("1.2", &tpm, NULL));
    g_assert_cmpint(tpm, ==, MF_TPM_1_2);
    g_assert_true(mf_tpm_parse("2.0", &tpm, NULL));
    g_assert_cmpint(tpm, ==, MF_TPM_2_0);
    g_assert_false(mf_tpm_parse("2", &tpm, &error));
    g_assert_cmpstr(error->message, ==, "'2' is not a TPM: expected none, 1.2 or 2.0.");
    g_assert_cmpint(tpm, ==, MF_TPM_2_0);
}

static void
test_a_missing_swtpm_names_its_package_or_the_variable(void)
{
    g_autofree char *path = g_strdup(g_getenv("PATH"));
    g_autoptr(GError) error = NULL;

    g_setenv("PATH", "/nowhere", TRUE);
    g_assert_null(mf_tpm_find(&error));
    g_setenv("PATH", path, TRUE);
    g_assert_error(error, MF_ERROR, MF_ERROR_HOST);
    g_assert_nonnull(strstr(error->message, "(package swtpm)"));

    g_clear_error(&error);
    g_setenv(MF_TPM_ENV, "/no/such/swtpm", TRUE);
    g_assert_null(mf_tpm_find(&error));
    g_unsetenv(MF_TPM_ENV);
    g_assert_nonnull(strstr(error->message, "'/no/such/swtpm' (from " MF_TPM_ENV ")"));
}

/* A program in place of swtpm. */
typedef struct {
    char *directory, *program; /* owned */
} Stage;

static void
stage_init(Stage *self, const char *script)
{
    g_autofree char *text = g_strconcat("#!/bin/sh\n", script, NULL);
    g_autoptr(GError) error = NULL;

    self->directory = mf_tempdir_make(&error);
    g_assert_no_error(error);
    self->program = g_build_filename(self->directory, "swtpm", NULL);
    mf_file_replace(self->program, text, strlen(text), 0755, &error);
    g_assert_no_error(error);
}

static void
stage_clear(Stage *self)
{
    mf_tempdir_remove(self->directory);
    g_free(self->directory);
    g_free(self->program);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Stage, stage_clear)

/* Temporary directories beside the stage's own. */
static int
count_directories(void)
{
    g_autoptr(GDir) entries = g_dir_open(g_get_tmp_dir(), 0, NULL);
    int count = -1;

    while (g_dir_read_name(entries))
        count++;
    return count;
}

static void
await_end(MfDaemon *daemon)
{
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);

    g_signal_connect_swapped(mf_daemon_get_child(daemon), "exited", G_CALLBACK(g_main_loop_quit),
                             loop);
    g_main_loop_run(loop);
}

static void
test_an_early_end_is_told_with_its_last_words(void)
{
    g_auto(Stage) stage = {0};
    g_autoptr(GError) error = NULL;
    mf_autofd connection = -1;

    stage_init(&stage, "echo 'no luck' >&2; exit 3\n");
    g_autoptr(MfDaemon) daemon = mf_tpm_start(MF_TPM_2_0, stage.program, &connection, &error);
    g_assert_no_error(error);
    await_end(daemon);
    g_assert_true(mf_daemon_has_failed(daemon));

    g_autofree char *text = mf_daemon_describe_end(daemon);
    g_assert_cmpstr(text, ==, "swtpm, which is the guest's TPM, exited with status 3: no luck");
}

static void
test_its_state_is_private_and_gone_with_it(void)
{
    g_auto(Stage) stage = {0};
    g_autoptr(GError) error = NULL;
    mf_autofd connection = -1;
    char byte;

    stage_init(&stage, "echo state >/proc/self/fd/4/file; echo >&3; exec sleep 600\n");
    g_autoptr(MfDaemon) daemon = mf_tpm_start(MF_TPM_2_0, stage.program, &connection, &error);
    g_assert_no_error(error);
    g_assert_cmpint(recv(connection, &byte, 1, 0), ==, 1);
    g_assert_cmpint(count_directories(), ==, 1);

    GPid pid = mf_child_get_pid(mf_daemon_get_child(daemon));
    g_clear_pointer(&daemon, mf_daemon_free);
    g_assert_cmpint(count_directories(), ==, 0);
    g_assert_cmpint(kill(pid, 0), ==, -1);
}

static void
test_what_cannot_be_started_leaves_nothing_behind(void)
{
    g_auto(Stage) stage = {0};
    g_autoptr(GError) error = NULL;
    int connection = -1;

    stage_init(&stage, "");
    g_assert_null(mf_tpm_start(MF_TPM_2_0, "/no/such/swtpm", &connection, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_HOST);
    g_assert_cmpint(connection, ==, -1);
    g_assert_cmpint(count_directories(), ==, 0);
}

/* CMD_GET_CAPABILITY of swtpm's control channel. */
static void
test_the_real_swtpm_answers_on_its_connection(void)
{
    static const guint8 request[] = {0, 0, 0, 1};
    g_autofree char *path = mf_tpm_find(NULL);
    g_autoptr(GError) error = NULL;
    mf_autofd connection = -1;
    guint8 answer[8];

    if (!path) {
        g_test_skip("swtpm is not installed");
        return;
    }
    g_autoptr(MfDaemon) daemon = mf_tpm_start(MF_TPM_2_0, path, &connection, &error);
    g_assert_no_error(error);
    g_assert_cmpint(send(connection, request, sizeof request, MSG_NOSIGNAL), ==, sizeof request);
    g_assert_cmpint(recv(connection, answer, sizeof answer, MSG_WAITALL), ==, sizeof answer);
    g_assert_cmpint(answer[0] | answer[1] | answer[2] | answer[3], ==, 0);
}

int
main(int argc, char **argv)
{
    g_autofree char *temporary = g_strdup("/tmp/mayfly-test,XXXXXX");
    int status;

    g_test_init(&argc, &argv, NULL);
    /* Before anybody asks GLib, which asks once. */
    g_assert_nonnull(g_mkdtemp(temporary));
    g_setenv("TMPDIR", temporary, TRUE);
    g_test_add_func("/tpm/T-6-swtpm-is-told-descriptors-and-no-paths",
                    test_swtpm_is_told_descriptors_and_no_paths);
    g_test_add_func("/tpm/each-machine-has-the-device-that-it-can",
                    test_each_machine_has_the_device_that_it_can);
    g_test_add_func("/tpm/a-machine-without-one-refuses-it", test_a_machine_without_one_refuses_it);
    g_test_add_func("/tpm/versions-are-read-by-name", test_versions_are_read_by_name);
    g_test_add_func("/tpm/a-missing-swtpm-names-its-package-or-the-variable",
                    test_a_missing_swtpm_names_its_package_or_the_variable);
    g_test_add_func("/tpm/an-early-end-is-told-with-its-last-words",
                    test_an_early_end_is_told_with_its_last_words);
    g_test_add_func("/tpm/T-6-its-state-is-private-and-gone-with-it",
                    test_its_state_is_private_and_gone_with_it);
    g_test_add_func("/tpm/what-cannot-be-started-leaves-nothing-behind",
                    test_what_cannot_be_started_leaves_nothing_behind);
    g_test_add_func("/tpm/T-6-the-real-swtpm-answers-on-its-connection",
                    test_the_real_swtpm_answers_on_its_connection);
    status = g_test_run();
    mf_tempdir_remove(temporary);
    return status;
}
