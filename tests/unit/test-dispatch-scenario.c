/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "dispatch-fixture.h"
#include "wire/guest-protocol.h"

#define NS_PER_S G_GUINT64_CONSTANT(1000000000)

static void
assert_deadline(const Played *played, guint64 deadline_ns)
{
    g_assert_cmpuint(mf_dispatch_get_deadline(&played->dispatch), ==, deadline_ns);
}

static void
test_moves_are_told_and_torn_ones_are_not(Played *played, gconstpointer unused)
{
    static const guint32 types[] = {MF_FRAME_SCST, MF_FRAME_SCPP, MF_FRAME_SCRR, MF_FRAME_SCEN};

    played->dispatch.budget_ns = 1000;
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++)
        play(played, types[i], "", TORN);
    g_assert_cmpstr(played->told->str, ==, "");
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++)
        play_time(played, types[i], 10);
    g_assert_cmpstr(played->told->str, ==, "moved moved moved moved ");
}

static void
test_the_watchdog_stands_still_until_a_start_and_in_a_pause(Played *played, gconstpointer unused)
{
    played->dispatch.budget_ns = 1000;
    assert_deadline(played, 0);
    play_time(played, MF_FRAME_SCST, 10);
    assert_deadline(played, 1010);
    play_time(played, MF_FRAME_SCPP, 500);
    assert_deadline(played, 0);
    play_time(played, MF_FRAME_SCST, 600);
    assert_deadline(played, 0);
    play_time(played, MF_FRAME_SCRR, 700);
    assert_deadline(played, 1800);
}

static void
test_the_watchdog_of_no_budget_never_runs(Played *played, gconstpointer unused)
{
    play_time(played, MF_FRAME_SCST, 10);
    play_time(played, MF_FRAME_SCPP, 20);
    play_time(played, MF_FRAME_SCRR, 30);
    play_time(played, MF_FRAME_SCEN, 40);
    assert_deadline(played, 0);
}

/* The deadline of the original was the length of the pause: long past. */
static void
test_a_resume_before_a_start_is_no_deadline_of_the_past(Played *played, gconstpointer unused)
{
    played->dispatch.budget_ns = 1000;
    play_time(played, MF_FRAME_SCPP, 100);
    play_time(played, MF_FRAME_SCRR, 150);
    assert_deadline(played, 0);
    play_time(played, MF_FRAME_SCST, 200);
    assert_deadline(played, 1200);
}

/* The original forgot what the first pause had taken. */
static void
test_a_pause_in_a_pause_loses_no_time(Played *played, gconstpointer unused)
{
    played->dispatch.budget_ns = 1000;
    play_time(played, MF_FRAME_SCST, 100);
    play_time(played, MF_FRAME_SCPP, 200);
    play_time(played, MF_FRAME_SCPP, 5000);
    play_time(played, MF_FRAME_SCRR, 6000);
    assert_deadline(played, 1100 + 5800);
}

static void
test_a_guest_that_stood_still_gets_its_time_back(Played *played, gconstpointer unused)
{
    played->dispatch.budget_ns = 1000;
    mf_dispatch_give_time(&played->dispatch, 50);
    assert_deadline(played, 0);
    play_time(played, MF_FRAME_SCST, 100);
    mf_dispatch_give_time(&played->dispatch, 50);
    assert_deadline(played, 1150);
    /* In a pause its resume gives all of it. */
    play_time(played, MF_FRAME_SCPP, 200);
    mf_dispatch_give_time(&played->dispatch, 70);
    play_time(played, MF_FRAME_SCRR, 300);
    assert_deadline(played, 1250);
    mf_dispatch_give_time(&played->dispatch, G_MAXUINT64);
    assert_deadline(played, G_MAXUINT64);
}

static void
assert_overdue(const Played *played, guint64 now_ns, const char *expected)
{
    g_autofree char *sentence = mf_dispatch_explain_overdue(&played->dispatch, now_ns);

    g_assert_cmpstr(sentence, ==, expected);
}

static void
test_the_sentence_names_the_state(Played *played, gconstpointer unused)
{
    played->dispatch.budget_ns = 60 * NS_PER_S;
    play_time(played, MF_FRAME_SCST, 5 * NS_PER_S);
    play_time(played, MF_FRAME_SCPP, 15 * NS_PER_S);
    play_time(played, MF_FRAME_SCRR, 25 * NS_PER_S);
    assert_overdue(played, 75 * NS_PER_S,
                   "The scenario did not end within 1m, its watchdog's time: it was running, 1m10s "
                   "after its first start, of which 10s were pauses.");
    play_time(played, MF_FRAME_SCEN, 30 * NS_PER_S);
    assert_overdue(played, 90 * NS_PER_S,
                   "The command did not end within 1m after its scenario, the time that the "
                   "watchdog leaves it for cleaning up.");
    play_time(played, MF_FRAME_SCST, 65 * NS_PER_S);
    assert_overdue(played, 125 * NS_PER_S,
                   "The scenario did not end within 1m, its watchdog's time: it was running, 2m "
                   "after its first start, of which 10s were pauses.");
}

static void
play_metric(Played *played, guint32 index, gsize size, gboolean good)
{
    g_autofree guint8 *payload = g_malloc(4 + size);

    mf_frame_put_u32(payload, index);
    memset(payload + 4, 'j', size);
    play_at(played, MF_FRAME_PMET, payload, 4 + size, good, 0);
}

static void
test_a_metric_has_the_index_of_scenarios_and_fits(Played *played, gconstpointer unused)
{
    play_metric(played, MF_SCENARIO_INDEX, 2, TORN);
    play_metric(played, MF_SCENARIO_INDEX, 0, GOOD);
    play_metric(played, 0, 2, GOOD);
    play_metric(played, MF_SCENARIO_INDEX, MF_SCENARIO_PAYLOAD_MAX - 3, GOOD);
    play(played, MF_FRAME_PMET, "\xff\xff\xff", GOOD);
    g_assert_cmpstr(played->told->str, ==, "");
    play_metric(played, MF_SCENARIO_INDEX, 3, GOOD);
    g_assert_cmpstr(played->told->str, ==, "jjj");
    play_metric(played, MF_SCENARIO_INDEX, MF_SCENARIO_PAYLOAD_MAX - 4, GOOD);
    g_assert_cmpuint(played->told->len, ==, 3 + MF_SCENARIO_PAYLOAD_MAX - 4);
}

static void
test_a_log_is_not_empty_and_fits(Played *played, gconstpointer unused)
{
    g_autofree char *most = g_strnfill(MF_SCENARIO_PAYLOAD_MAX, 'l');
    g_autofree char *more = g_strnfill(MF_SCENARIO_PAYLOAD_MAX + 1, 'l');

    play(played, MF_FRAME_SCLG, "torn", TORN);
    play(played, MF_FRAME_SCLG, "", GOOD);
    play(played, MF_FRAME_SCLG, more, GOOD);
    g_assert_cmpstr(played->told->str, ==, "");
    play(played, MF_FRAME_SCLG, "a line\n", GOOD);
    g_assert_cmpstr(played->told->str, ==, "<a line\n>");
    play(played, MF_FRAME_SCLG, most, GOOD);
    g_assert_cmpuint(played->told->len, ==, strlen("<a line\n><>") + MF_SCENARIO_PAYLOAD_MAX);
}

#define ADD(name, function)                                                                        \
    g_test_add("/dispatch-scenario/" name, Played, NULL, played_set_up, function, played_tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("D-7/moves-are-told-and-torn-ones-are-not", test_moves_are_told_and_torn_ones_are_not);
    ADD("D-8/the-watchdog-stands-still-until-a-start-and-in-a-pause",
        test_the_watchdog_stands_still_until_a_start_and_in_a_pause);
    ADD("D-10/the-watchdog-of-no-budget-never-runs", test_the_watchdog_of_no_budget_never_runs);
    ADD("T-5/a-resume-before-a-start-is-no-deadline-of-the-past",
        test_a_resume_before_a_start_is_no_deadline_of_the_past);
    ADD("T-5/a-pause-in-a-pause-loses-no-time", test_a_pause_in_a_pause_loses_no_time);
    ADD("D-9/a-guest-that-stood-still-gets-its-time-back",
        test_a_guest_that_stood_still_gets_its_time_back);
    ADD("D-10/the-sentence-names-the-state", test_the_sentence_names_the_state);
    ADD("D-12/a-metric-has-the-index-of-scenarios-and-fits",
        test_a_metric_has_the_index_of_scenarios_and_fits);
    ADD("D-12/a-log-is-not-empty-and-fits", test_a_log_is_not_empty_and_fits);
    return g_test_run();
}
