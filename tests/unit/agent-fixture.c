/* SPDX-License-Identifier: Apache-2.0 */
#include "agent-fixture.h"

void
agent_fixture_set_up(AgentFixture *self, gconstpointer unused)
{
    g_autoptr(MfTransport) transport = NULL;

    self->peer = peer_new(&transport);
    self->qga = mf_qga_new(transport);
    self->cancellable = g_cancellable_new();
}

void
agent_fixture_tear_down(AgentFixture *self, gconstpointer unused)
{
    g_assert_finalize_object(self->qga);
    g_object_unref(self->cancellable);
    peer_free(self->peer);
    g_clear_error(&self->error);
}

void
agent_fixture_expect_end(AgentFixture *self, const char *arguments, const char *status)
{
    g_autofree char *answer = g_strdup_printf("{\"exited\": true, %s}", status);

    peer_expect_exec(self->peer, arguments);
    peer_expect_exec_status(self->peer);
    peer_return(self->peer, answer);
}

void
agent_fixture_cancel(gpointer fixture)
{
    g_cancellable_cancel(((AgentFixture *)fixture)->cancellable);
}

void
agent_fixture_play(AgentFixture *self)
{
    peer_play(self->peer);
    while (self->returns == 0)
        g_main_context_iteration(NULL, TRUE);
    while (g_main_context_iteration(NULL, FALSE))
        ;
    g_assert_cmpuint(self->returns, ==, 1);
}
