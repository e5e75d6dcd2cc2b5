/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/error.h"
#include "base/fd.h"
#include "outcome.h"
#include "wire/fd-transport.h"
#include "wire/qmp.h"

/* The client against a QEMU that has no machine, over an inherited socket pair. */
#define QEMU   "qemu-system-x86_64"
#define QMP_FD 3

/* A QEMU that is not stuck answers within this, on the slowest machine. */
#define PATIENCE_MS 30000

typedef struct {
    MfChild *qemu;
    MfQmp *qmp;
    GString *log;      /* what happened, in order: names of events and commands */
    GPtrArray *closed; /* of GError */
} Fixture;

static void
on_event(MfQmp *qmp, const char *name, json_object *data, gpointer user_data)
{
    MfJson event = mf_json_top(data, "an event");
    const char *reason = "-";

    mf_json_get_string(&event, "reason", &reason, NULL);
    g_string_append_printf(((Fixture *)user_data)->log, "%s %s;", name, reason);
}

static void
on_closed(MfQmp *qmp, GError *reason, gpointer user_data)
{
    Fixture *fixture = user_data;

    g_string_append(fixture->log, "closed;");
    g_ptr_array_add(fixture->closed, g_error_copy(reason));
}

static MfChild *
start_qemu(int qmp_fd)
{
    const MfChildFd fds[] = {{qmp_fd, QMP_FD}};
    g_autoptr(MfArgv) argv = mf_argv_new(QEMU);
    g_autoptr(GError) error = NULL;

    mf_argv_add_many(argv, "-M", "none", "-accel", "tcg", "-nodefaults", "-display", "none", "-S",
                     "-mon", "chardev=qmp,mode=control", "-chardev", NULL);
    mf_argv_addf(argv, "socket,id=qmp,fd=%d", QMP_FD);
    MfChild *child = mf_child_spawn(argv, fds, G_N_ELEMENTS(fds), &error);
    g_assert_no_error(error);
    return child;
}

/* FALSE, and the test is skipped, when there is no QEMU. */
static gboolean
open_client(Fixture *fixture)
{
    g_autofree char *program = g_find_program_in_path(QEMU);
    g_auto(Outcome) opened = {0};
    int ours, theirs;

    if (!program) {
        g_test_skip(QEMU " is not installed");
        return FALSE;
    }
    g_assert_true(mf_fd_socketpair(&ours, &theirs, NULL));
    mf_autofd qmp_fd = theirs;
    fixture->qemu = start_qemu(qmp_fd);
    g_autoptr(MfTransport) transport = mf_fd_transport_new(ours, "QEMU's monitor");
    fixture->qmp = mf_qmp_new(transport);
    fixture->log = g_string_new(NULL);
    fixture->closed = g_ptr_array_new_with_free_func((GDestroyNotify)g_error_free);
    g_signal_connect(fixture->qmp, "event", G_CALLBACK(on_event), fixture);
    g_signal_connect(fixture->qmp, "closed", G_CALLBACK(on_closed), fixture);

    mf_qmp_open_async(fixture->qmp, PATIENCE_MS, NULL, outcome_ready, &opened);
    outcome_await(&opened);
    g_assert_no_error(opened.error);
    return TRUE;
}

static void
tear_down(Fixture *fixture, gconstpointer unused)
{
    if (!fixture->qmp)
        return;
    g_assert_finalize_object(fixture->qmp);
    g_clear_object(&fixture->qemu);
    g_string_free(fixture->log, TRUE);
    g_ptr_array_unref(fixture->closed);
}

static void
execute(Fixture *fixture, const char *command, json_object *arguments, Outcome *outcome)
{
    mf_qmp_execute_async(fixture->qmp, command, arguments, PATIENCE_MS, NULL, outcome_executed,
                         outcome);
    outcome_await(outcome);
    g_string_append_printf(fixture->log, "reply to %s;", command);
}

static void
on_exited(GObject *source, GAsyncResult *result, gpointer done)
{
    g_assert_true(mf_child_wait_finish(MF_CHILD(source), result, NULL));
    *(gboolean *)done = TRUE;
}

static void
await_exit(Fixture *fixture)
{
    gboolean done = FALSE;

    mf_child_wait_async(fixture->qemu, NULL, on_exited, &done);
    while (!done || fixture->closed->len == 0)
        g_main_context_iteration(NULL, TRUE);
}

static void
test_the_greeting_and_query_version_agree(Fixture *fixture, gconstpointer unused)
{
    static const char *const names[] = {"major", "minor", "micro"};
    g_auto(Outcome) outcome = {0};
    guint greeted[3];
    MfJson qemu;

    if (!open_client(fixture))
        return;
    mf_qmp_get_version(fixture->qmp, &greeted[0], &greeted[1], &greeted[2]);
    g_assert_cmpuint(greeted[0], >=, 7);
    execute(fixture, "query-version", NULL, &outcome);
    g_assert_no_error(outcome.error);
    MfJson version = mf_json_top(outcome.value, "query-version");
    g_assert_true(mf_json_get_object(&version, "qemu", &qemu, NULL));
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        guint64 part;

        g_assert_true(mf_json_get_uint64(&qemu, names[i], 0, G_MAXUINT, &part, NULL));
        g_assert_cmpuint(part, ==, greeted[i]);
    }
}

static void
test_a_query_is_answered(Fixture *fixture, gconstpointer unused)
{
    g_auto(Outcome) outcome = {0};
    gboolean running;

    if (!open_client(fixture))
        return;
    execute(fixture, "query-status", NULL, &outcome);
    g_assert_no_error(outcome.error);
    MfJson status = mf_json_top(outcome.value, "query-status");
    g_assert_true(mf_json_get_bool(&status, "running", &running, NULL));
    g_assert_false(running);
}

static void
test_the_longest_reply_is_read(Fixture *fixture, gconstpointer unused)
{
    g_auto(Outcome) outcome = {0};
    gsize length;

    if (!open_client(fixture))
        return;
    execute(fixture, "query-qmp-schema", NULL, &outcome);
    g_assert_no_error(outcome.error);
    MfJson schema = mf_json_top(outcome.value, "query-qmp-schema");
    g_assert_true(mf_json_as_array(&schema, &length, NULL));
    g_assert_cmpuint(length, >, 500);
}

static void
test_unknown_commands_and_arguments_are_qemus_own_errors(Fixture *fixture, gconstpointer unused)
{
    g_auto(Outcome) command = {0}, argument = {0};
    json_object *arguments = json_object_new_object();

    if (!open_client(fixture)) {
        json_object_put(arguments);
        return;
    }
    execute(fixture, "make-coffee", NULL, &command);
    outcome_assert_error(&command, MF_ERROR_REMOTE,
                         "CommandNotFound: The command make-coffee has not been found");
    json_object_object_add(arguments, "sugar", json_object_new_int(2));
    execute(fixture, "query-status", arguments, &argument);
    outcome_assert_error(&argument, MF_ERROR_REMOTE,
                         "GenericError: Parameter 'sugar' is unexpected");
}

static void
test_a_descriptor_reaches_qemu(Fixture *fixture, gconstpointer unused)
{
    g_auto(Outcome) passed = {0}, known = {0}, unknown = {0};
    json_object *arguments[3];
    mf_autofd fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    if (!open_client(fixture))
        return;
    for (gsize i = 0; i < G_N_ELEMENTS(arguments); i++) {
        arguments[i] = json_object_new_object();
        json_object_object_add(arguments[i], "fdname", json_object_new_string("null"));
    }
    mf_qmp_execute_with_fd_async(fixture->qmp, "getfd", arguments[0], fd, PATIENCE_MS, NULL,
                                 outcome_executed, &passed);
    outcome_await(&passed);
    outcome_assert_value(&passed, "{}");
    execute(fixture, "closefd", arguments[1], &known);
    outcome_assert_value(&known, "{}");
    execute(fixture, "closefd", arguments[2], &unknown);
    g_assert_error(unknown.error, MF_ERROR, MF_ERROR_REMOTE);
}

static void
test_quit_is_event_then_reply_then_hang_up(Fixture *fixture, gconstpointer unused)
{
    g_auto(Outcome) outcome = {0};

    if (!open_client(fixture))
        return;
    execute(fixture, "quit", NULL, &outcome);
    outcome_assert_value(&outcome, "{}");
    await_exit(fixture);
    g_assert_cmpstr(fixture->log->str, ==, "SHUTDOWN host-qmp-quit;reply to quit;closed;");
    g_assert_error((GError *)fixture->closed->pdata[0], MF_ERROR, MF_ERROR_LOST);
    g_assert_true(WIFEXITED(mf_child_get_wait_status(fixture->qemu)));
    g_assert_cmpint(WEXITSTATUS(mf_child_get_wait_status(fixture->qemu)), ==, 0);
}

static void
test_a_killed_qemu_fails_what_is_pending(Fixture *fixture, gconstpointer unused)
{
    g_auto(Outcome) pending = {0};

    if (!open_client(fixture))
        return;
    mf_child_signal(fixture->qemu, SIGSTOP);
    mf_qmp_execute_async(fixture->qmp, "query-status", NULL, 0, NULL, outcome_executed, &pending);
    mf_child_signal(fixture->qemu, SIGKILL);
    outcome_await(&pending);
    g_assert_error(pending.error, MF_ERROR, MF_ERROR_LOST);
    await_exit(fixture);
    g_assert_cmpuint(fixture->closed->len, ==, 1);
}

#define ADD(name, function) g_test_add("/qmp-real/" name, Fixture, NULL, NULL, function, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("the-greeting-and-query-version-agree", test_the_greeting_and_query_version_agree);
    ADD("a-query-is-answered", test_a_query_is_answered);
    ADD("the-longest-reply-is-read", test_the_longest_reply_is_read);
    ADD("unknown-commands-and-arguments-are-qemus-own-errors",
        test_unknown_commands_and_arguments_are_qemus_own_errors);
    ADD("a-descriptor-reaches-qemu", test_a_descriptor_reaches_qemu);
    ADD("quit-is-event-then-reply-then-hang-up", test_quit_is_event_then_reply_then_hang_up);
    ADD("a-killed-qemu-fails-what-is-pending", test_a_killed_qemu_fails_what_is_pending);
    return g_test_run();
}
