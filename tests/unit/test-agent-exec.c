/* SPDX-License-Identifier: Apache-2.0 */
#include "run/agent-exec.h"

#include <signal.h>
#include <string.h>

#include "agent-fixture.h"
#include "base/error.h"

typedef struct {
    AgentFixture agent;
    MfAgentExec *exec;
    MfAgentOutcome outcome;
} Fixture;

static void
set_up(Fixture *self, gconstpointer data)
{
    agent_fixture_set_up(&self->agent, data);
}

static void
tear_down(Fixture *self, gconstpointer data)
{
    mf_agent_outcome_clear(&self->outcome);
    g_assert_finalize_object(self->exec);
    agent_fixture_tear_down(&self->agent, data);
}

static void
on_ended(GObject *source, GAsyncResult *result, gpointer data)
{
    Fixture *self = data;

    self->agent.returns++;
    mf_agent_exec_run_finish(MF_AGENT_EXEC(source), result, &self->outcome, &self->agent.error);
}

static void
start(Fixture *self, const char *input)
{
    static const char *const argv[] = {"/bin/cat", "-n", NULL};
    g_autoptr(GBytes) bytes = input ? g_bytes_new_static(input, strlen(input)) : NULL;

    self->exec = mf_agent_exec_new(self->agent.qga, argv, bytes);
    mf_agent_exec_run_async(self->exec, on_ended, self);
}

/* What guest-exec is to be given, with 'input' among it. Owned by the caller. */
static char *
arguments_with(const char *input)
{
    return g_strdup_printf(
        "{\"path\": \"/bin/cat\", \"arg\": [\"-n\"]%s, \"capture-output\": true}", input);
}

static void
expect_start(Fixture *self, const char *input)
{
    g_autofree char *arguments = arguments_with(input);

    peer_expect_exec(self->agent.peer, arguments);
}

static void
expect_end(Fixture *self, const char *status)
{
    g_autofree char *arguments = arguments_with("");

    agent_fixture_expect_end(&self->agent, arguments, status);
}

static void
test_the_command_has_its_input_and_both_outputs_come_back(Fixture *self, gconstpointer data)
{
    expect_start(self, ", \"input-data\": \"aW4=\"");
    peer_expect_exec_status(self->agent.peer);
    peer_return(self->agent.peer, "{\"exited\": false}");
    peer_expect_exec_status(self->agent.peer);
    peer_return(self->agent.peer, "{\"exited\": true, \"exitcode\": 3, \"out-data\": \"b3V0\", "
                                  "\"err-data\": \"ZXJy\", \"err-truncated\": true}");
    start(self, "in");
    agent_fixture_play(&self->agent);
    g_assert_no_error(self->agent.error);
    g_assert_cmpint(self->outcome.ended.status, ==, 3);
    g_assert_cmpint(self->outcome.ended.signal_number, ==, 0);
    g_assert_cmpmem(g_bytes_get_data(self->outcome.output[1], NULL),
                    g_bytes_get_size(self->outcome.output[1]), "out", 3);
    g_assert_cmpmem(g_bytes_get_data(self->outcome.output[2], NULL),
                    g_bytes_get_size(self->outcome.output[2]), "err", 3);
    g_assert_false(self->outcome.truncated[1]);
    g_assert_true(self->outcome.truncated[2]);
}

static void
test_a_signal_is_told_and_no_output_is_none(Fixture *self, gconstpointer data)
{
    expect_end(self, "\"signal\": 11");
    start(self, NULL);
    agent_fixture_play(&self->agent);
    g_assert_no_error(self->agent.error);
    g_assert_cmpint(self->outcome.ended.signal_number, ==, SIGSEGV);
    g_assert_cmpuint(g_bytes_get_size(self->outcome.output[1]), ==, 0);
}

static void
test_an_end_that_no_process_can_have_is_no_pass(Fixture *self, gconstpointer data)
{
    expect_end(self, "\"exitcode\": -1");
    start(self, NULL);
    agent_fixture_play(&self->agent);
    g_assert_error(self->agent.error, MF_ERROR, MF_ERROR_PROTOCOL);
}

static void
test_a_program_that_is_not_there_is_told_from_one_that_is_refused(Fixture *self, gconstpointer data)
{
    g_autoptr(GError) refused = g_error_new(MF_ERROR, MF_ERROR_REMOTE, "Permission denied");
    g_autofree char *arguments = arguments_with("");

    peer_sync(self->agent.peer);
    peer_expect(self->agent.peer, "guest-exec", arguments);
    peer_say(self->agent.peer,
             "{\"error\": {\"class\": \"GenericError\", \"desc\": \"Failed to execute "
             "(No such file or directory)\"}}\n");
    start(self, NULL);
    agent_fixture_play(&self->agent);
    g_assert_error(self->agent.error, MF_ERROR, MF_ERROR_REMOTE);
    g_assert_true(mf_agent_exec_is_not_found(self->agent.error));
    g_assert_false(mf_agent_exec_is_not_found(refused));
}

static void
kill_it(gpointer data)
{
    mf_agent_exec_kill(((Fixture *)data)->exec, SIGTERM);
}

static void
test_a_command_that_is_to_end_is_killed_through_the_agent(Fixture *self, gconstpointer data)
{
    expect_start(self, "");
    peer_expect_exec_status(self->agent.peer);
    peer_return(self->agent.peer, "{\"exited\": false}");
    peer_then(self->agent.peer, kill_it, self);
    peer_expect(self->agent.peer, "guest-exec",
                "{\"path\": \"/bin/sh\", \"arg\": [\"-c\", \"kill -15 7\"]}");
    peer_say(self->agent.peer, "{\"return\": {\"pid\": 8}}\n");
    start(self, NULL);
    agent_fixture_play(&self->agent);
    g_assert_error(self->agent.error, MF_ERROR, MF_ERROR_CANCELLED);
}

#define ADD(path, function) g_test_add(path, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/agent-exec/the-command-has-its-input-and-both-outputs-come-back",
        test_the_command_has_its_input_and_both_outputs_come_back);
    ADD("/agent-exec/a-signal-is-told-and-no-output-is-none",
        test_a_signal_is_told_and_no_output_is_none);
    ADD("/agent-exec/an-end-that-no-process-can-have-is-no-pass",
        test_an_end_that_no_process_can_have_is_no_pass);
    ADD("/agent-exec/a-program-that-is-not-there-is-told-from-one-that-is-refused",
        test_a_program_that_is_not_there_is_told_from_one_that_is_refused);
    ADD("/agent-exec/a-command-that-is-to-end-is-killed-through-the-agent",
        test_a_command_that_is_to_end_is_killed_through_the_agent);
    return g_test_run();
}
