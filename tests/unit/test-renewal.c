/* SPDX-License-Identifier: Apache-2.0 */
#include "run/renewal.h"

#include <string.h>

#include "base/error.h"
#include "peer.h"

typedef struct {
    Peer *agent;
    MfQga *qga;
    GCancellable *cancellable;
    guint returns;
    GError *error;
} Fixture;

static void
set_up(Fixture *self, gconstpointer data)
{
    g_autoptr(MfTransport) transport = NULL;

    self->agent = peer_new(&transport);
    self->qga = mf_qga_new(transport);
    self->cancellable = g_cancellable_new();
}

static void
tear_down(Fixture *self, gconstpointer data)
{
    g_assert_finalize_object(self->qga);
    g_object_unref(self->cancellable);
    peer_free(self->agent);
    g_clear_error(&self->error);
}

static void
on_renewed(GObject *source, GAsyncResult *result, gpointer data)
{
    Fixture *self = data;

    g_assert_cmpuint(++self->returns, ==, 1);
    mf_renewal_run_finish(MF_QGA(source), result, &self->error);
}

static void
play(Fixture *self)
{
    mf_renewal_run_async(self->qga, self->cancellable, on_renewed, self);
    peer_play(self->agent);
    while (self->returns == 0)
        g_main_context_iteration(NULL, TRUE);
    while (g_main_context_iteration(NULL, FALSE))
        ;
}

/* The system runs mayfly-guest, which ends with 'status' (the members of guest-exec-status). */
static void
end_with(Fixture *self, const char *status)
{
    g_autofree char *answer = g_strdup_printf("{\"return\": {\"exited\": true, %s}}\n", status);

    peer_sync(self->agent);
    peer_expect_any(self->agent, "guest-exec");
    peer_say(self->agent, "{\"return\": {\"pid\": 7}}\n");
    peer_expect(self->agent, "guest-exec-status", "{\"pid\": 7}");
    peer_say(self->agent, answer);
}

static void
test_a_copy_is_renewed_when_mayfly_guest_says_so(Fixture *self, gconstpointer data)
{
    end_with(self, "\"exitcode\": 0");
    play(self);
    g_assert_no_error(self->error);
}

static void
test_a_copy_that_cannot_be_renewed_says_why(Fixture *self, gconstpointer data)
{
    /* "no\nioctl\n", on a screen that is cleared for it. */
    end_with(self, "\"exitcode\": 1, \"err-data\": \"G1sySm5vCmlvY3RsCg==\"");
    play(self);
    g_assert_error(self->error, MF_ERROR, MF_ERROR_GUEST);
    g_assert_cmpstr(self->error->message, ==, "mayfly-guest does not run in it: no ioctl");
}

static void
test_a_mayfly_guest_that_is_killed_has_renewed_nothing(Fixture *self, gconstpointer data)
{
    end_with(self, "\"signal\": 9");
    play(self);
    g_assert_error(self->error, MF_ERROR, MF_ERROR_GUEST);
}

static void
test_an_agent_that_refuses_has_renewed_nothing(Fixture *self, gconstpointer data)
{
    peer_sync(self->agent);
    peer_expect_any(self->agent, "guest-exec");
    peer_say(self->agent, "{\"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}}\n");
    play(self);
    g_assert_error(self->error, MF_ERROR, MF_ERROR_REMOTE);
}

static void
cancel(gpointer data)
{
    g_cancellable_cancel(data);
}

static void
test_a_renewal_can_be_cancelled(Fixture *self, gconstpointer data)
{
    peer_sync(self->agent);
    peer_expect_any(self->agent, "guest-exec");
    peer_say(self->agent, "{\"return\": {\"pid\": 7}}\n");
    peer_expect(self->agent, "guest-exec-status", "{\"pid\": 7}");
    peer_then(self->agent, cancel, self->cancellable);
    peer_say(self->agent, "{\"return\": {\"exited\": false}}\n");
    peer_expect_sync(self->agent);
    peer_hang_up(self->agent);
    play(self);
    g_assert_error(self->error, MF_ERROR, MF_ERROR_CANCELLED);
}

#define ADD(name, test) g_test_add("/renewal/" name, Fixture, NULL, set_up, test, tear_down)

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
