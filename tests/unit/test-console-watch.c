/* SPDX-License-Identifier: Apache-2.0 */
#include "run/console-watch.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire/fd-transport.h"

/* A target of one rule, whose sub-tests are "[PASS] name" and the like. */
typedef struct {
    MfTarget *target;
    MfConsoleRule *rule; /* of the target */
    MfSubtests *subtests;
    MfConsoleWatch *self;
    guint decisions;
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer data)
{
    fixture->target = mf_target_new();
    fixture->rule = mf_console_rule_new();
    fixture->rule->subtests = MF_SUBTEST_FORMAT_LINES;
    g_ptr_array_add(fixture->target->console, fixture->rule);
    fixture->subtests = mf_subtests_new();
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
    g_object_unref(fixture->self);
    mf_subtests_free(fixture->subtests);
    mf_target_free(fixture->target);
}

static void
on_decided(Fixture *fixture)
{
    fixture->decisions++;
}

static void
begin(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;

    fixture->self = mf_console_watch_new(fixture->target, fixture->subtests, &error);
    g_assert_no_error(error);
    g_signal_connect_swapped(fixture->self, "decided", G_CALLBACK(on_decided), fixture);
}

static void
say(Fixture *fixture, const char *line)
{
    mf_console_watch_feed(fixture->self, MF_CONSOLE_SERIAL, line);
}

static void
log_line(Fixture *fixture, const char *line)
{
    mf_console_watch_feed(fixture->self, MF_CONSOLE_KERNEL_LOG, line);
}

static MfConsoleState
get_state(Fixture *fixture)
{
    return mf_console_rules_get_state(mf_console_watch_get_rules(fixture->self));
}

static void
test_what_both_voices_say_is_told_once(Fixture *fixture, gconstpointer data)
{
    begin(fixture);
    /* With the time, and without it; the port first, and last. */
    say(fixture, "[    1.000000] [PASS] one");
    log_line(fixture, "[    1.000000] [PASS] one");
    log_line(fixture, "[    2.000000] [PASS] two");
    say(fixture, "[    2.000000] [PASS] two");
    say(fixture, "[PASS] three");
    log_line(fixture, "[    3.000000] [PASS] three");
    log_line(fixture, "[    4.000000] [PASS] four");
    say(fixture, "[PASS] four");
    g_assert_cmpuint(fixture->subtests->counts[MF_SUBTEST_PASS], ==, 4);
}

static void
test_what_one_voice_says_twice_is_told_twice(Fixture *fixture, gconstpointer data)
{
    begin(fixture);
    say(fixture, "[PASS] one");
    say(fixture, "[PASS] one");
    log_line(fixture, "[    1.000000] [PASS] one");
    log_line(fixture, "[    1.000001] [PASS] two");
    log_line(fixture, "[    1.000002] [PASS] two");
    g_assert_cmpuint(fixture->subtests->counts[MF_SUBTEST_PASS], ==, 4);
}

static void
test_the_port_alone_says_everything(Fixture *fixture, gconstpointer data)
{
    fixture->target->bare = TRUE;
    begin(fixture);
    say(fixture, "[    1.000000] [PASS] one");
    say(fixture, "[    1.000000] [PASS] one");
    g_assert_cmpuint(fixture->subtests->counts[MF_SUBTEST_PASS], ==, 2);
}

static void
test_an_urgent_line_does_not_overtake_a_landmark(Fixture *fixture, gconstpointer data)
{
    fixture->rule->expect = g_strsplit("early,urgent", ",", -1);
    begin(fixture);
    say(fixture, "[    2.000000] urgent");
    log_line(fixture, "[    1.000000] early");
    g_assert_cmpint(get_state(fixture), ==, MF_CONSOLE_OPEN);
    log_line(fixture, "[    2.000000] urgent");
    g_assert_cmpint(get_state(fixture), ==, MF_CONSOLE_MET);
    g_assert_cmpuint(fixture->decisions, ==, 1);
}

static void
test_the_last_words_on_the_port_can_fail(Fixture *fixture, gconstpointer data)
{
    fixture->rule->fail_on = g_strsplit("panic", ",", -1);
    begin(fixture);
    say(fixture, "[    9.000000] Kernel panic");
    g_assert_cmpint(get_state(fixture), ==, MF_CONSOLE_FAILED);
    g_assert_cmpuint(fixture->decisions, ==, 1);
}

static void
test_being_late_is_noticed_without_a_word(Fixture *fixture, gconstpointer data)
{
    fixture->rule->expect = g_strsplit("never", ",", -1);
    fixture->rule->timeout_ms = 1;
    begin(fixture);
    while (fixture->decisions == 0)
        g_main_context_iteration(NULL, TRUE);
    g_assert_cmpint(get_state(fixture), ==, MF_CONSOLE_LATE);
}

static void
test_answers_go_to_the_port_that_asked(Fixture *fixture, gconstpointer data)
{
    char typed[16] = "";
    int ends[2];

    mf_console_rule_add_answer(fixture->rule, "login: $", "root\n", 0);
    begin(fixture);
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), ==, 0);
    g_autoptr(MfTransport) serial = mf_fd_transport_new(ends[0], "the port");
    mf_console_watch_attach(fixture->self, serial);
    g_assert_cmpint(write(ends[1], "host login: ", 12), ==, 12);
    while (read(ends[1], typed, sizeof(typed) - 1) <= 0)
        g_main_context_iteration(NULL, TRUE);
    g_assert_cmpstr(typed, ==, "root\n");
    close(ends[1]);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add("/console-watch/" #name, Fixture, NULL, set_up, test_##name, tear_down)
    ADD(what_both_voices_say_is_told_once);
    ADD(what_one_voice_says_twice_is_told_twice);
    ADD(the_port_alone_says_everything);
    ADD(an_urgent_line_does_not_overtake_a_landmark);
    ADD(the_last_words_on_the_port_can_fail);
    ADD(being_late_is_noticed_without_a_word);
    ADD(answers_go_to_the_port_that_asked);
    return g_test_run();
}
