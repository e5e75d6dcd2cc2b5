/* SPDX-License-Identifier: Apache-2.0 */
#include "run/exec.h"

#include <glib-unix.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "exec-fixture.h"

/* What is common to the kinds, seen through one that can do as little as the script's: it has raw
 * ports, and no way to end a command. */
#define TEST_TYPE_EXEC (test_exec_get_type())
G_DECLARE_FINAL_TYPE(TestExec, test_exec, TEST, EXEC, MfExec)

struct _TestExec {
    MfExec parent;
    gboolean started;
};

G_DEFINE_FINAL_TYPE(TestExec, test_exec, MF_TYPE_EXEC)

static void
test_exec_init(TestExec *self)
{
}

/* Those that EXEC_START_ARGUMENTS has. */
static void
get_arguments(MfExec *exec, MfQgaGuestExecArguments *ret_arguments)
{
    static const char *const words[] = {"exec", NULL};

    ret_arguments->path = "/run/mayfly/mayfly-guest";
    ret_arguments->arg = words;
    ret_arguments->input_data = "cmVjb3Jk";
}

static void
started(MfExec *exec, gint64 pid)
{
    TEST_EXEC(exec)->started = TRUE;
}

static void
set_reading(MfExec *exec, gboolean reading)
{
}

static void
output_moved(MfExec *exec)
{
}

static void
test_exec_class_init(TestExecClass *class)
{
    MfExecClass *exec_class = MF_EXEC_CLASS(class);

    exec_class->get_arguments = get_arguments;
    exec_class->started = started;
    exec_class->set_reading = set_reading;
    exec_class->output_moved = output_moved;
}

/* Its port has something to say. */
static gboolean
on_port(int fd, GIOCondition condition, gpointer data)
{
    guint8 chunk[64];
    ssize_t n = read(fd, chunk, sizeof(chunk));

    g_assert_cmpint(n, >, 0);
    g_autoptr(GBytes) bytes = g_bytes_new(chunk, (gsize)n);
    mf_exec_write_output(data, 1, bytes);
    return G_SOURCE_CONTINUE;
}

/* Of every command here; long enough for the start of one on a busy machine. */
#define LIMIT_MS 1000

static void
start(ExecFixture *fixture)
{
    fixture->limit_ms = LIMIT_MS;
    fixture->exec = g_object_new(TEST_TYPE_EXEC, NULL);
    mf_exec_set_up(fixture->exec, fixture->qga, fixture->stdio);
    exec_fixture_expect_start(fixture);
    exec_fixture_run(fixture);
    while (!TEST_EXEC(fixture->exec)->started && fixture->returns == 0)
        g_main_context_iteration(NULL, TRUE);
    g_assert_cmpuint(fixture->returns, ==, 0);
}

/* On a busy host the limit has passed by the time that the loop gets to what came before it. */
static void
test_what_came_before_the_limit_is_read(ExecFixture *fixture, gconstpointer unused)
{
    mf_autofd reader = -1;
    mf_autofd writer = -1;
    int ends[2];
    guint port;

    start(fixture);
    gint64 overdue = g_get_monotonic_time() + (LIMIT_MS + 10) * G_TIME_SPAN_MILLISECOND;
    g_assert_cmpint(pipe(ends), ==, 0);
    reader = ends[0];
    writer = ends[1];
    port = g_unix_fd_add(reader, G_IO_IN, on_port, fixture->exec);
    g_assert_cmpint(write(writer, "so far", 6), ==, 6);
    while (g_get_monotonic_time() < overdue)
        ;
    exec_fixture_await(fixture);
    exec_fixture_assert_exit(fixture, 0, 0, "so far", "");
    g_assert_true(fixture->exit.timed_out);
    g_source_remove(port);
}

static gboolean
read_all(gpointer data)
{
    exec_fixture_set_reading(data, 1, TRUE);
    return G_SOURCE_REMOVE;
}

/* More than fits into the pipe to the caller, who takes it a little after the limit. */
static void
test_what_the_reader_has_not_taken_at_the_limit_is_kept_for_it(ExecFixture *fixture,
                                                               gconstpointer unused)
{
    g_autofree char *text = g_strnfill(256 << 10, 'x');
    g_autoptr(GBytes) bytes = g_bytes_new_static(text, 256 << 10);

    exec_fixture_set_reading(fixture, 1, FALSE);
    start(fixture);
    mf_exec_write_output(fixture->exec, 1, bytes);
    g_assert_cmpuint(mf_exec_get_queued(fixture->exec), >, 0);
    g_timeout_add(LIMIT_MS + 300, read_all, fixture);
    exec_fixture_await(fixture);
    exec_fixture_assert_exit(fixture, 0, 0, text, "");
    g_assert_true(fixture->exit.timed_out);
}

/* How long one question is waited for is not how long the command took. */
static void
test_an_agent_that_does_not_answer_is_lost_and_the_command_not_overdue(ExecFixture *fixture,
                                                                       gconstpointer unused)
{
    g_autoptr(GError) silence =
        g_error_new_literal(MF_ERROR, MF_ERROR_TIMEOUT, "'x' was not answered within 30s.");
    g_autoptr(GError) hang_up = g_error_new_literal(MF_ERROR, MF_ERROR_LOST, "It hung up.");
    g_autoptr(GError) explained = mf_exec_explain_silence(silence);
    g_autoptr(GError) unchanged = mf_exec_explain_silence(hang_up);

    g_assert_error(explained, MF_ERROR, MF_ERROR_LOST);
    g_assert_cmpstr(explained->message, ==,
                    "The guest does not answer any more, as if it were stopped: 'x' was not "
                    "answered within 30s.");
    g_assert_error(unchanged, MF_ERROR, MF_ERROR_LOST);
    g_assert_cmpstr(unchanged->message, ==, "It hung up.");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function)                                                                        \
    g_test_add("/exec/" name, ExecFixture, NULL, exec_fixture_set_up, function,                    \
               exec_fixture_tear_down)
    ADD("what-came-before-the-limit-is-read", test_what_came_before_the_limit_is_read);
    ADD("what-the-reader-has-not-taken-at-the-limit-is-kept-for-it",
        test_what_the_reader_has_not_taken_at_the_limit_is_kept_for_it);
    ADD("an-agent-that-does-not-answer-is-lost-and-the-command-not-overdue",
        test_an_agent_that_does_not_answer_is_lost_and_the_command_not_overdue);
    return g_test_run();
}
