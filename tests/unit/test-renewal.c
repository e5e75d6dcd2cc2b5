/* SPDX-License-Identifier: Apache-2.0 */
#include "run/renewal.h"

#include <string.h>

#include "agent-fixture.h"
#include "base/error.h"

static void
on_renewed(GObject *source, GAsyncResult *result, gpointer data)
{
    AgentFixture *self = data;

    self->returns++;
    mf_renewal_run_finish(MF_QGA(source), result, &self->error);
}

static void
play(AgentFixture *self)
{
    mf_renewal_run_async(self->qga, self->cancellable, on_renewed, self);
    agent_fixture_play(self);
}

/* The system runs mayfly-guest, which ends so. */
static void
end_with(AgentFixture *self, const char *status)
{
    agent_fixture_expect_end(self, NULL, status);
}

static void
test_a_copy_is_renewed_when_mayfly_guest_says_so(AgentFixture *self, gconstpointer data)
{
    end_with(self, "\"exitcode\": 0");
    play(self);
    g_assert_no_error(self->error);
}

static void
test_a_copy_that_cannot_be_renewed_says_why(AgentFixture *self, gconstpointer data)
{
    /* "no\nioctl\n", on a screen that is cleared for it. */
    end_with(self, "\"exitcode\": 1, \"err-data\": \"G1sySm5vCmlvY3RsCg==\"");
    play(self);
    g_assert_error(self->error, MF_ERROR, MF_ERROR_GUEST);
    g_assert_cmpstr(self->error->message, ==, "mayfly-guest does not run in it: no ioctl");
}

static void
test_a_mayfly_guest_that_is_killed_has_renewed_nothing(AgentFixture *self, gconstpointer data)
{
    end_with(self, "\"signal\": 9");
    play(self);
    g_assert_error(self->error, MF_ERROR, MF_ERROR_GUEST);
}

static void
test_an_agent_that_refuses_has_renewed_nothing(AgentFixture *self, gconstpointer data)
{
    peer_sync(self->peer);
    peer_expect_any(self->peer, "guest-exec");
    peer_say(self->peer, "{\"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}}\n");
    play(self);
    g_assert_error(self->error, MF_ERROR, MF_ERROR_REMOTE);
}

static void
test_a_renewal_can_be_cancelled(AgentFixture *self, gconstpointer data)
{
    peer_expect_exec(self->peer, NULL);
    peer_expect_exec_status(self->peer);
    peer_then(self->peer, agent_fixture_cancel, self);
    peer_return(self->peer, "{\"exited\": false}");
    peer_expect_sync(self->peer);
    peer_hang_up(self->peer);
    play(self);
    g_assert_error(self->error, MF_ERROR, MF_ERROR_CANCELLED);
}

#define ADD(name, test)                                                                            \
    g_test_add("/renewal/" name, AgentFixture, NULL, agent_fixture_set_up, test,                   \
               agent_fixture_tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("a-copy-is-renewed-when-mayfly-guest-says-so",
        test_a_copy_is_renewed_when_mayfly_guest_says_so);
    ADD("a-copy-that-cannot-be-renewed-says-why", test_a_copy_that_cannot_be_renewed_says_why);
    ADD("a-mayfly-guest-that-is-killed-has-renewed-nothing",
        test_a_mayfly_guest_that_is_killed_has_renewed_nothing);
    ADD("an-agent-that-refuses-has-renewed-nothing",
        test_an_agent_that_refuses_has_renewed_nothing);
    ADD("a-renewal-can-be-cancelled", test_a_renewal_can_be_cancelled);
    return g_test_run();
}
