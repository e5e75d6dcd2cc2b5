/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/tool.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>

#include "base/error.h"

typedef struct {
    GMainLoop *loop;
    char *output;
    GError *error;
    GString *statuses;
    GCancellable *cancellable;
    gboolean cancel_at_status;
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer data)
{
    fixture->loop = g_main_loop_new(NULL, FALSE);
    fixture->statuses = g_string_new(NULL);
    fixture->cancellable = g_cancellable_new();
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
    g_main_loop_unref(fixture->loop);
    g_string_free(fixture->statuses, TRUE);
    g_object_unref(fixture->cancellable);
    g_clear_error(&fixture->error);
    g_free(fixture->output);
}

static void
on_finished(GObject *source, GAsyncResult *result, gpointer data)
{
    Fixture *fixture = data;

    fixture->output = mf_tool_run_finish(result, &fixture->error);
    g_main_loop_quit(fixture->loop);
}

static void
on_status(const char *line, gpointer data)
{
    Fixture *fixture = data;

    g_string_append_printf(fixture->statuses, "[%s]", line);
    if (fixture->cancel_at_status)
        g_cancellable_cancel(fixture->cancellable);
}

static void
run_shell(Fixture *fixture, const char *script)
{
    g_autoptr(MfArgv) argv = mf_argv_new("sh");

    mf_argv_add_many(argv, "-c", script, NULL);
    mf_tool_run_async("tool", argv, on_status, fixture, fixture->cancellable, on_finished, fixture);
    g_main_loop_run(fixture->loop);
}

static void
test_output_and_status_lines_arrive_whole(Fixture *fixture, gconstpointer data)
{
    run_shell(fixture, "echo one; printf 'half ' >&3; echo line >&3; echo two; printf 'last\\n"
                       "unfinished' >&3");
    g_assert_no_error(fixture->error);
    g_assert_cmpstr(fixture->output, ==, "one\ntwo\n");
    g_assert_cmpstr(fixture->statuses->str, ==, "[half line][last]");
}

static void
test_a_failure_carries_status_and_stderr(Fixture *fixture, gconstpointer data)
{
    run_shell(fixture, "echo 'E: no such package' >&2; exit 100");
    g_assert_null(fixture->output);
    g_assert_error(fixture->error, MF_ERROR, MF_ERROR_REMOTE);
    g_assert_cmpstr(fixture->error->message, ==,
                    "'tool' exited with status 100: E: no such package");
}

static void
test_a_signal_is_a_failure(Fixture *fixture, gconstpointer data)
{
    run_shell(fixture, "kill -KILL $$");
    g_assert_error(fixture->error, MF_ERROR, MF_ERROR_REMOTE);
    g_assert_cmpstr(fixture->error->message, ==, "'tool' was killed by signal 9 (Killed).");
}

static void
test_output_at_the_limit_is_kept_and_one_byte_more_is_an_error(Fixture *fixture, gconstpointer data)
{
    g_autofree char *at = g_strdup_printf("head -c %u /dev/zero | tr '\\0' x", MF_TOOL_OUTPUT_MAX);
    g_autofree char *past =
        g_strdup_printf("head -c %u /dev/zero | tr '\\0' x", MF_TOOL_OUTPUT_MAX + 1);

    run_shell(fixture, at);
    g_assert_no_error(fixture->error);
    g_assert_cmpuint(strlen(fixture->output), ==, MF_TOOL_OUTPUT_MAX);

    g_clear_pointer(&fixture->output, g_free);
    run_shell(fixture, past);
    g_assert_null(fixture->output);
    g_assert_error(fixture->error, MF_ERROR, MF_ERROR_PROTOCOL);
}

static void
test_cancelling_ends_the_tool(Fixture *fixture, gconstpointer data)
{
    fixture->cancel_at_status = TRUE;
    run_shell(fixture, "echo $$ >&3; exec sleep 60");
    g_assert_error(fixture->error, MF_ERROR, MF_ERROR_CANCELLED);

    int pid = atoi(fixture->statuses->str + 1);
    g_assert_cmpint(pid, >, 1);
    g_assert_cmpint(kill(pid, 0), ==, -1);
}

static void
test_a_tool_is_not_started_when_cancelled_before(Fixture *fixture, gconstpointer data)
{
    g_cancellable_cancel(fixture->cancellable);
    run_shell(fixture, "echo started >&3");
    g_assert_error(fixture->error, MF_ERROR, MF_ERROR_CANCELLED);
    g_assert_cmpstr(fixture->statuses->str, ==, "");
}

static void
test_a_missing_tool_is_named(Fixture *fixture, gconstpointer data)
{
    g_autoptr(MfArgv) argv = mf_argv_new("mayfly-no-such-program");

    mf_tool_run_async("tool", argv, NULL, NULL, NULL, on_finished, fixture);
    g_main_loop_run(fixture->loop);
    g_assert_error(fixture->error, MF_ERROR, MF_ERROR_HOST);
    g_assert_nonnull(strstr(fixture->error->message, "mayfly-no-such-program"));
}

static void
test_find_looks_in_path_first(Fixture *fixture, gconstpointer data)
{
    g_autofree char *directory = g_dir_make_tmp("mayfly-XXXXXX", NULL);
    g_autofree char *own = g_build_filename(directory, "depmod", NULL);

    g_assert_true(g_file_set_contents_full(own, "#!/bin/sh\n", -1, 0, 0755, NULL));
    g_setenv("PATH", directory, TRUE);
    g_autofree char *found = mf_tool_find("depmod");
    g_autofree char *missing = mf_tool_find("mayfly-no-such-program");
    g_assert_cmpstr(found, ==, own);
    g_assert_null(missing);
    g_unlink(own);
    g_rmdir(directory);
}

#define ADD(path, test) g_test_add("/tool/" path, Fixture, NULL, set_up, test, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("output-and-status-lines-arrive-whole", test_output_and_status_lines_arrive_whole);
    ADD("a-failure-carries-status-and-stderr", test_a_failure_carries_status_and_stderr);
    ADD("a-signal-is-a-failure", test_a_signal_is_a_failure);
    ADD("output-at-the-limit-is-kept-and-one-byte-more-is-an-error",
        test_output_at_the_limit_is_kept_and_one_byte_more_is_an_error);
    ADD("cancelling-ends-the-tool", test_cancelling_ends_the_tool);
    ADD("a-tool-is-not-started-when-cancelled-before",
        test_a_tool_is_not_started_when_cancelled_before);
    ADD("a-missing-tool-is-named", test_a_missing_tool_is_named);
    ADD("find-looks-in-path-first", test_find_looks_in_path_first);
    return g_test_run();
}
