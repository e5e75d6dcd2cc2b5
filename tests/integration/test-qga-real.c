/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/child.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/tempdir.h"
#include "outcome.h"
#include "wire/fd-transport.h"
#include "wire/qga.h"

/*
 * The client against QEMU's own agent on a unix socket. The listening socket is ours and handed
 * over as systemd would do it: so the client can connect, and speak, before the agent exists.
 */
#define LISTEN_FD 3

/* An agent that is not stuck answers within this, on the slowest machine. */
#define PATIENCE_MS 30000

typedef struct {
    char *directory;
    char *socket_path;
    int listener;
    MfChild *agent;
    MfQga *qga;
    GPtrArray *closed; /* of GError */
} Fixture;

static void
on_closed(MfQga *qga, GError *reason, gpointer user_data)
{
    g_ptr_array_add(((Fixture *)user_data)->closed, g_error_copy(reason));
}

static int
make_socket(struct sockaddr_un *ret_address, const char *path)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_assert_cmpint(fd, >=, 0);
    *ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
    g_assert_cmpuint(g_strlcpy(ret_address->sun_path, path, sizeof(ret_address->sun_path)), <,
                     sizeof(ret_address->sun_path));
    return fd;
}

static void
set_up(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    struct sockaddr_un address;

    fixture->directory = mf_tempdir_make(&error);
    g_assert_no_error(error);
    fixture->socket_path = g_build_filename(fixture->directory, "agent", NULL);
    fixture->listener = make_socket(&address, fixture->socket_path);
    g_assert_cmpint(bind(fixture->listener, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    g_assert_cmpint(listen(fixture->listener, 1), ==, 0);

    int client = make_socket(&address, fixture->socket_path);
    g_assert_cmpint(connect(client, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    g_autoptr(MfTransport) transport = mf_fd_transport_new(client, "qemu-ga");
    fixture->qga = mf_qga_new(transport);
    fixture->closed = g_ptr_array_new_with_free_func((GDestroyNotify)g_error_free);
    g_signal_connect(fixture->qga, "closed", G_CALLBACK(on_closed), fixture);
}

static void
tear_down(Fixture *fixture, gconstpointer unused)
{
    g_assert_finalize_object(fixture->qga);
    g_clear_object(&fixture->agent);
    mf_fd_clear(&fixture->listener);
    mf_tempdir_remove(fixture->directory);
    g_free(fixture->directory);
    g_free(fixture->socket_path);
    g_ptr_array_unref(fixture->closed);
}

/* FALSE, and the test is skipped, when there is no qemu-ga. */
static gboolean
start_agent(Fixture *fixture)
{
    const MfChildFd fds[] = {{fixture->listener, LISTEN_FD}};
    g_autofree char *program = g_find_program_in_path("qemu-ga");
    g_autoptr(MfArgv) argv = mf_argv_new("sh");
    g_autoptr(GError) error = NULL;

    if (!program) {
        g_test_skip("qemu-ga is not installed (package qemu-guest-agent)");
        return FALSE;
    }
    mf_argv_add_many(argv, "-c",
                     "LISTEN_FDS=1 LISTEN_PID=$$ exec \"$0\" --method=unix-listen --path=\"$1\" "
                     "--statedir=\"$2\"",
                     program, fixture->socket_path, fixture->directory, NULL);
    fixture->agent = mf_child_spawn(argv, fds, G_N_ELEMENTS(fds), &error);
    g_assert_no_error(error);
    return TRUE;
}

static void
execute(Fixture *fixture, const char *command, json_object *arguments, guint timeout_ms,
        Outcome *outcome)
{
    mf_qga_execute_async(fixture->qga, command, arguments, timeout_ms, NULL, outcome_executed,
                         outcome);
    outcome_await(outcome);
}

static void
assert_ping(Fixture *fixture)
{
    g_auto(Outcome) ping = {0};

    execute(fixture, "guest-ping", NULL, PATIENCE_MS, &ping);
    outcome_assert_value(&ping, "{}");
}

static void
test_a_request_waits_for_the_agent_to_start(Fixture *fixture, gconstpointer unused)
{
    g_auto(Outcome) synced = {0};

    mf_qga_sync_async(fixture->qga, PATIENCE_MS, NULL, outcome_ready, &synced);
    while (g_main_context_iteration(NULL, FALSE))
        ;
    g_assert_cmpuint(synced.returns, ==, 0);
    if (start_agent(fixture)) {
        outcome_await(&synced);
        outcome_assert_value(&synced, "null");
        assert_ping(fixture);
        return;
    }
    g_autoptr(GError) reason = g_error_new(MF_ERROR, MF_ERROR_CANCELLED, "Skipped.");
    mf_qga_close(fixture->qga, reason);
    outcome_await(&synced);
}

static void
test_the_agent_tells_its_version_and_commands(Fixture *fixture, gconstpointer unused)
{
    g_auto(Outcome) outcome = {0};
    gboolean has_exec = FALSE;
    const char *version, *name;
    MfJson commands;
    gsize length;

    if (!start_agent(fixture))
        return;
    execute(fixture, "guest-info", NULL, PATIENCE_MS, &outcome);
    g_assert_no_error(outcome.error);
    MfJson info = mf_json_top(outcome.value, "guest-info");
    g_assert_true(mf_json_get_string(&info, "version", &version, NULL));
    g_assert_true(g_ascii_isdigit(version[0]));
    g_assert_true(mf_json_get_array(&info, "supported_commands", &commands, &length, NULL));
    for (gsize i = 0; i < length; i++) {
        MfJson command = mf_json_element(&commands, i);

        g_assert_true(mf_json_get_string(&command, "name", &name, NULL));
        has_exec = has_exec || strcmp(name, "guest-exec") == 0;
    }
    g_assert_true(has_exec);
}

static json_object *
exec_arguments(const char *script)
{
    json_object *arguments = json_object_new_object();
    json_object *arg = json_object_new_array();

    json_object_array_add(arg, json_object_new_string("-c"));
    json_object_array_add(arg, json_object_new_string(script));
    json_object_object_add(arguments, "path", json_object_new_string("/bin/sh"));
    json_object_object_add(arguments, "arg", arg);
    json_object_object_add(arguments, "capture-output", json_object_new_boolean(TRUE));
    return arguments;
}

static gboolean
set_flag(gpointer data)
{
    *(gboolean *)data = TRUE;
    return G_SOURCE_REMOVE;
}

static void
pause_ms(guint ms)
{
    gboolean over = FALSE;

    g_timeout_add(ms, set_flag, &over);
    while (!over)
        g_main_context_iteration(NULL, TRUE);
}

/* Runs 'script' in the agent and asks for its status, ever less often, until it has exited. */
static void
run_script(Fixture *fixture, const char *script, Outcome *ret_status)
{
    g_auto(Outcome) started = {0};
    gboolean exited = FALSE;
    gint64 pid;

    execute(fixture, "guest-exec", exec_arguments(script), PATIENCE_MS, &started);
    g_assert_no_error(started.error);
    MfJson reply = mf_json_top(started.value, "guest-exec");
    g_assert_true(mf_json_get_int64(&reply, "pid", 1, G_MAXINT, &pid, NULL));

    for (guint wait_ms = 1; !exited; wait_ms = MIN(wait_ms * 2, 250)) {
        json_object *arguments = json_object_new_object();

        outcome_clear(ret_status);
        *ret_status = (Outcome){0};
        json_object_object_add(arguments, "pid", json_object_new_int64(pid));
        execute(fixture, "guest-exec-status", arguments, PATIENCE_MS, ret_status);
        g_assert_no_error(ret_status->error);
        MfJson status = mf_json_top(ret_status->value, "guest-exec-status");
        g_assert_true(mf_json_get_bool(&status, "exited", &exited, NULL));
        if (!exited)
            pause_ms(wait_ms);
    }
}

static void
test_a_command_runs_and_its_output_and_status_come_back(Fixture *fixture, gconstpointer unused)
{
    g_auto(Outcome) outcome = {0};
    const char *output;
    gint64 exitcode;

    if (!start_agent(fixture))
        return;
    run_script(fixture, "printf hi; exit 7", &outcome);
    MfJson status = mf_json_top(outcome.value, "guest-exec-status");
    g_assert_true(mf_json_get_int64(&status, "exitcode", 0, 255, &exitcode, NULL));
    g_assert_cmpint(exitcode, ==, 7);
    g_assert_true(mf_json_get_string(&status, "out-data", &output, NULL));
    g_assert_cmpstr(output, ==, "aGk=");
}

static void
test_the_longest_reply_the_agent_can_give_is_read(Fixture *fixture, gconstpointer unused)
{
    g_auto(Outcome) outcome = {0};
    const char *const names[] = {"out-data", "err-data"};
    const char *const flags[] = {"out-truncated", "err-truncated"};

    if (!start_agent(fixture))
        return;
    run_script(fixture, "head -c 17000000 /dev/zero; head -c 17000000 /dev/zero >&2", &outcome);
    MfJson status = mf_json_top(outcome.value, "guest-exec-status");
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        gboolean truncated;
        const char *data;

        g_assert_true(mf_json_get_bool(&status, flags[i], &truncated, NULL));
        g_assert_true(truncated);
        g_assert_true(mf_json_get_string(&status, names[i], &data, NULL));
        g_assert_cmpuint(strlen(data), ==, ((16u << 20) + 2) / 3 * 4);
    }
    assert_ping(fixture);
}

static void
test_an_unknown_command_is_the_agents_own_error(Fixture *fixture, gconstpointer unused)
{
    g_auto(Outcome) outcome = {0};

    if (!start_agent(fixture))
        return;
    execute(fixture, "guest-magic", NULL, PATIENCE_MS, &outcome);
    g_assert_error(outcome.error, MF_ERROR, MF_ERROR_REMOTE);
    g_assert_true(g_str_has_prefix(outcome.error->message, "CommandNotFound: "));
    assert_ping(fixture);
}

static void
test_after_a_time_out_the_next_command_gets_its_own_reply(Fixture *fixture, gconstpointer unused)
{
    g_auto(Outcome) late = {0};

    if (!start_agent(fixture))
        return;
    assert_ping(fixture);
    mf_child_signal(fixture->agent, SIGSTOP);
    execute(fixture, "guest-info", NULL, 20, &late);
    g_assert_error(late.error, MF_ERROR, MF_ERROR_TIMEOUT);
    mf_child_signal(fixture->agent, SIGCONT);
    /* The reply to guest-info is on its way first, and is no {}. */
    assert_ping(fixture);
    g_assert_cmpuint(fixture->closed->len, ==, 0);
}

static void
test_an_agent_that_dies_is_lost_at_once(Fixture *fixture, gconstpointer unused)
{
    g_auto(Outcome) pending = {0};

    if (!start_agent(fixture))
        return;
    assert_ping(fixture);
    mf_child_signal(fixture->agent, SIGSTOP);
    mf_qga_execute_async(fixture->qga, "guest-info", NULL, 0, NULL, outcome_executed, &pending);
    mf_child_signal(fixture->agent, SIGKILL);
    outcome_await(&pending);
    g_assert_error(pending.error, MF_ERROR, MF_ERROR_LOST);
    g_assert_cmpuint(fixture->closed->len, ==, 1);
}

#define ADD(name, function)                                                                        \
    g_test_add("/qga-real/" name, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("a-request-waits-for-the-agent-to-start", test_a_request_waits_for_the_agent_to_start);
    ADD("the-agent-tells-its-version-and-commands", test_the_agent_tells_its_version_and_commands);
    ADD("a-command-runs-and-its-output-and-status-come-back",
        test_a_command_runs_and_its_output_and_status_come_back);
    ADD("the-longest-reply-the-agent-can-give-is-read",
        test_the_longest_reply_the_agent_can_give_is_read);
    ADD("an-unknown-command-is-the-agents-own-error",
        test_an_unknown_command_is_the_agents_own_error);
    ADD("after-a-time-out-the-next-command-gets-its-own-reply",
        test_after_a_time_out_the_next_command_gets_its_own_reply);
    ADD("an-agent-that-dies-is-lost-at-once", test_an_agent_that_dies_is_lost_at_once);
    return g_test_run();
}
