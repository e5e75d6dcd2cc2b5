/* SPDX-License-Identifier: Apache-2.0 */
#include "run/hooks.h"

#include <signal.h>
#include <string.h>

#include "base/error.h"
#include "exec-fixture.h"

/* Texts of setup and teardown, run by a scripted guest. */
typedef struct {
    ExecFixture exec;
    GString *made; /* "setup-0 " for each that was started */
    guint returns;
    GError *error;
} HooksFixture;

/* How one of them ends. */
typedef struct {
    HooksFixture *fixture;
    int number;
} Ending;

static void
set_up(HooksFixture *self, gconstpointer unused)
{
    exec_fixture_set_up(&self->exec, NULL);
    self->made = g_string_new(NULL);
}

static void
tear_down(HooksFixture *self, gconstpointer unused)
{
    exec_fixture_tear_down(&self->exec, NULL);
    g_string_free(self->made, TRUE);
    g_clear_error(&self->error);
}

static MfExec *
make(MfHookKind kind, guint index, gpointer data)
{
    HooksFixture *self = data;
    g_autoptr(GBytes) record = g_bytes_new_static("record", strlen("record"));

    g_string_append_printf(self->made, "%s-%u ", mf_hook_kind_name(kind), index);
    return mf_exec_stream_new(self->exec.qga, self->exec.stream, self->exec.stdio, record);
}

static void
on_returned(GObject *source, GAsyncResult *result, gpointer data)
{
    HooksFixture *self = data;

    g_assert_cmpuint(++self->returns, ==, 1);
    g_assert_cmpint(mf_hooks_run_finish(MF_HOOKS(source), result, &self->error), ==,
                    self->error == NULL);
}

static void
run(HooksFixture *self, MfHookKind kind, char **texts, gint64 limit_ms)
{
    MfHooks *hooks = mf_hooks_new(kind, texts, limit_ms, make, self);

    mf_hooks_run_async(hooks, self->exec.cancellable, on_returned, self);
    while (self->returns == 0)
        g_main_context_iteration(NULL, TRUE);
    stream_peer_settle();
    g_assert_finalize_object(hooks);
}

static void
say_ending(gpointer data)
{
    Ending *ending = data;

    exec_fixture_say_ends(&ending->fixture->exec);
    exec_fixture_say_exit(&ending->fixture->exec, ending->number);
}

/* In the agent's script: the next text is started, and ends like that. */
static void
expect_text(Ending *ending)
{
    g_autofree char *status =
        g_strdup_printf(ending->number < 0 ? "{\"exited\": true, \"signal\": %d}"
                                           : "{\"exited\": true, \"exitcode\": %d}",
                        ABS(ending->number));

    peer_expect(ending->fixture->exec.agent, "guest-exec", EXEC_START_ARGUMENTS);
    peer_say(ending->fixture->exec.agent, "{\"return\": {\"pid\": 7}}\n");
    peer_then(ending->fixture->exec.agent, say_ending, ending);
    exec_fixture_expect_status(&ending->fixture->exec, status);
}

static void
test_no_texts_are_done_at_once(HooksFixture *self, gconstpointer unused)
{
    run(self, MF_HOOK_SETUP, NULL, 0);
    g_assert_no_error(self->error);
    g_assert_cmpstr(self->made->str, ==, "");
}

static void
test_texts_run_one_after_the_other(HooksFixture *self, gconstpointer unused)
{
    char *texts[] = {(char *)"one", (char *)"two", (char *)"three", NULL};
    Ending good = {self, 0};

    peer_sync(self->exec.agent);
    for (int i = 0; i < 3; i++)
        expect_text(&good);
    run(self, MF_HOOK_SETUP, texts, 0);
    g_assert_no_error(self->error);
    g_assert_cmpstr(self->made->str, ==, "setup-0 setup-1 setup-2 ");
}

static void
test_setup_stops_at_the_first_failure_and_names_it(HooksFixture *self, gconstpointer unused)
{
    char *texts[] = {(char *)"one\n", (char *)"modprobe nothing\nand more", (char *)"three", NULL};
    Ending good = {self, 0}, bad = {self, 3};

    peer_sync(self->exec.agent);
    expect_text(&good);
    expect_text(&bad);
    run(self, MF_HOOK_SETUP, texts, 0);
    g_assert_error(self->error, MF_ERROR, MF_ERROR_GUEST);
    g_assert_cmpstr(self->error->message, ==,
                    "The setup command 'modprobe nothing...' exited with status 3.");
    g_assert_cmpstr(self->made->str, ==, "setup-0 setup-1 ");
}

static void
test_teardown_goes_on_and_names_every_failure(HooksFixture *self, gconstpointer unused)
{
    g_autofree char *long_text = g_strnfill(61, 'x');
    g_autofree char *shown = g_strnfill(60, 'x');
    char *texts[] = {long_text, (char *)"two", (char *)"\nthree\n", NULL};
    Ending good = {self, 0}, bad = {self, 1}, killed = {self, -SIGKILL};

    peer_sync(self->exec.agent);
    expect_text(&bad);
    expect_text(&good);
    expect_text(&killed);
    run(self, MF_HOOK_TEARDOWN, texts, 0);
    g_assert_error(self->error, MF_ERROR, MF_ERROR_GUEST);
    g_autofree char *sentences =
        g_strdup_printf("The teardown command '%s...' exited with status 1. The teardown command "
                        "'three' was killed by signal 9 (Killed).",
                        shown);
    g_assert_cmpstr(self->error->message, ==, sentences);
    g_assert_cmpstr(self->made->str, ==, "teardown-0 teardown-1 teardown-2 ");
}

static void
answer_the_kill(gpointer data)
{
    Ending *ending = data;
    GString *heard = ending->fixture->exec.guest->heard;

    while (!strstr(heard->str, "CKIL:"))
        g_main_context_iteration(NULL, TRUE);
    say_ending(ending);
}

static void
test_a_text_past_its_limit_is_killed_and_is_a_timeout(HooksFixture *self, gconstpointer unused)
{
    char *texts[] = {(char *)"sleep infinity", NULL};
    Ending killed = {self, -SIGTERM};

    peer_sync(self->exec.agent);
    peer_expect(self->exec.agent, "guest-exec", EXEC_START_ARGUMENTS);
    peer_say(self->exec.agent, "{\"return\": {\"pid\": 7}}\n");
    peer_then(self->exec.agent, answer_the_kill, &killed);
    exec_fixture_expect_status(&self->exec, EXEC_SIGNALLED(15));
    run(self, MF_HOOK_SETUP, texts, 10);
    g_assert_error(self->error, MF_ERROR, MF_ERROR_TIMEOUT);
    g_assert_cmpstr(self->error->message, ==,
                    "The setup command 'sleep infinity' did not end within 10ms.");
}

static void
test_a_lost_guest_ends_it_whatever_is_left(HooksFixture *self, gconstpointer unused)
{
    char *texts[] = {(char *)"one", (char *)"two", NULL};
    Ending bad = {self, 1};

    peer_sync(self->exec.agent);
    expect_text(&bad);
    peer_expect(self->exec.agent, "guest-exec", EXEC_START_ARGUMENTS);
    peer_hang_up(self->exec.agent);
    run(self, MF_HOOK_TEARDOWN, texts, 0);
    g_assert_error(self->error, MF_ERROR, MF_ERROR_LOST);
}

#define ADD(name, function)                                                                        \
    g_test_add("/hooks/" name, HooksFixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("no-texts-are-done-at-once", test_no_texts_are_done_at_once);
    ADD("texts-run-one-after-the-other", test_texts_run_one_after_the_other);
    ADD("setup-stops-at-the-first-failure-and-names-it",
        test_setup_stops_at_the_first_failure_and_names_it);
    ADD("teardown-goes-on-and-names-every-failure", test_teardown_goes_on_and_names_every_failure);
    ADD("a-text-past-its-limit-is-killed-and-is-a-timeout",
        test_a_text_past_its_limit_is_killed_and_is_a_timeout);
    ADD("a-lost-guest-ends-it-whatever-is-left", test_a_lost_guest_ends_it_whatever_is_left);
    return g_test_run();
}
