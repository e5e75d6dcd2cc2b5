/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "dispatch-fixture.h"

/* The names begin with the ID of the rule in the protocol's description. */

static void
test_torn_scheduler_death(Played *played, gconstpointer unused)
{
    play_u32(played, MF_FRAME_SCDX, 1, TORN);
    played_assert_no_effect(played);
}

static void
test_valid_scheduler_death(Played *played, gconstpointer unused)
{
    play_u32(played, MF_FRAME_SCDX, 1, GOOD);
    g_assert_true(played->dispatch.scheduler_dead);
    g_assert_cmpuint(played->deaths, ==, 1);
    g_assert_cmpstr(played->entries->str, ==, "SCDX ");
}

static void
test_torn_scheduler_deaths_around_evidence(Played *played, gconstpointer unused)
{
    play_u32(played, MF_FRAME_SCDX, 1, TORN);
    play(played, MF_FRAME_STIM, "step", GOOD);
    play_u32(played, MF_FRAME_SCDX, 1, TORN);
    g_assert_false(played->dispatch.scheduler_dead);
    g_assert_cmpuint(played->deaths, ==, 0);
    g_assert_cmpstr(played->entries->str, ==, "STIM ");
}

static void
test_each_scheduler_death_counts(Played *played, gconstpointer unused)
{
    for (int i = 0; i < 3; i++)
        play_u32(played, MF_FRAME_SCDX, 1, GOOD);
    g_assert_true(played->dispatch.scheduler_dead);
    g_assert_cmpuint(played->deaths, ==, 3);
    g_assert_cmpstr(played->entries->str, ==, "SCDX SCDX SCDX ");
}

static void
test_a_torn_death_between_two(Played *played, gconstpointer unused)
{
    play_u32(played, MF_FRAME_SCDX, 1, GOOD);
    play_u32(played, MF_FRAME_SCDX, 1, TORN);
    play_u32(played, MF_FRAME_SCDX, 1, GOOD);
    g_assert_true(played->dispatch.scheduler_dead);
    g_assert_cmpuint(played->deaths, ==, 2);
    g_assert_cmpstr(played->entries->str, ==, "SCDX SCDX ");
}

static void
test_ready_fires_once(Played *played, gconstpointer unused)
{
    play(played, MF_FRAME_SRDY, "", GOOD);
    play(played, MF_FRAME_SRDY, "", GOOD);
    g_assert_true(played->dispatch.ready);
    g_assert_cmpuint(played->ready, ==, 1);
    g_assert_cmpstr(played->entries->str, ==, "");
}

static void
test_torn_ready(Played *played, gconstpointer unused)
{
    play(played, MF_FRAME_SRDY, "", TORN);
    played_assert_no_effect(played);
    play(played, MF_FRAME_SRDY, "", GOOD);
    g_assert_cmpuint(played->ready, ==, 1);
}

static void
test_ready_with_a_payload(Played *played, gconstpointer unused)
{
    play(played, MF_FRAME_SRDY, "x", GOOD);
    played_assert_no_effect(played);
    play(played, MF_FRAME_SRDY, "", GOOD);
    g_assert_cmpuint(played->ready, ==, 1);
}

static void
test_kernel_address(Played *played, gconstpointer unused)
{
    play_u64(played, MF_FRAME_KADR, 5, 8, TORN);
    play_u64(played, MF_FRAME_KADR, 5, 7, GOOD);
    play_u64(played, MF_FRAME_KADR, 0, 24, GOOD);
    play_u64(played, MF_FRAME_KADR, 0, 0, GOOD);
    played_assert_no_effect(played);
    play_u64(played, MF_FRAME_KADR, 0x1000001, 8, GOOD);
    g_assert_cmphex(played->dispatch.kernel_base_plus_1, ==, 0x1000001);
    play_u64(played, MF_FRAME_KADR, 0xfedcba9876543210, 24, GOOD);
    g_assert_cmphex(played->dispatch.kernel_base_plus_1, ==, 0xfedcba9876543210);
    play_u64(played, MF_FRAME_KADR, 0, 8, GOOD);
    g_assert_cmphex(played->dispatch.kernel_base_plus_1, ==, 0xfedcba9876543210);
    g_assert_cmpuint(played->addresses, ==, 2);
    g_assert_cmpstr(played->entries->str, ==, "");
}

static void
test_torn_request_is_left_out(Played *played, gconstpointer unused)
{
    play_request(played, 1, MF_SNAPSHOT_MEMORY, "a", 72, GOOD);
    play_request(played, 2, MF_SNAPSHOT_MEMORY, "b", 72, TORN);
    play_request(played, 3, MF_SNAPSHOT_WATCH, "c", 72, GOOD);
    g_assert_cmpstr(played->requests->str, ==, "1:1:a 3:2:c ");
    g_assert_cmpstr(played->entries->str, ==, "");
}

static void
test_request_has_exactly_72_bytes(Played *played, gconstpointer unused)
{
    play_request(played, 1, MF_SNAPSHOT_MEMORY, "a", 71, GOOD);
    play_request(played, 1, MF_SNAPSHOT_MEMORY, "a", 73, GOOD);
    played_assert_no_effect(played);
}

static void
test_request_needs_an_id_and_a_kind(Played *played, gconstpointer unused)
{
    play_request(played, 0, MF_SNAPSHOT_MEMORY, "a", 72, GOOD);
    play_request(played, 1, 0, "a", 72, GOOD);
    played_assert_no_effect(played);
    play_request(played, 1, 99, "a", 72, GOOD);
    g_assert_cmpstr(played->requests->str, ==, "1:99:a ");
}

static void
test_request_tag(Played *played, gconstpointer unused)
{
    g_autofree char *x80 = g_strnfill(80, 'x');
    g_autofree char *x64 = g_strnfill(64, 'x');
    g_autofree char *expected = g_strdup_printf("1:1:%s 2:1:\xef\xbf\xbdz 3:1: ", x64);

    play_request(played, 1, 1, x80, 72, GOOD);
    play_request(played, 2, 1, "\xffz", 72, GOOD);
    play_request(played, 3, 1, "", 72, GOOD);
    g_assert_cmpstr(played->requests->str, ==, expected);
}

static void
test_start_stamps_once_and_rearms(Played *played, gconstpointer unused)
{
    played->dispatch.budget_ns = 1000;
    play_at(played, MF_FRAME_SCST, "", 0, TORN, 10);
    g_assert_cmpuint(played->dispatch.started_ns, ==, 0);
    g_assert_cmpuint(played->dispatch.deadline_ns, ==, 0);
    play_time(played, MF_FRAME_SCST, 0);
    g_assert_cmpuint(played->dispatch.started_ns, ==, 1);
    g_assert_cmpuint(played->dispatch.deadline_ns, ==, 1000);
    play_time(played, MF_FRAME_SCST, 500);
    g_assert_cmpuint(played->dispatch.started_ns, ==, 1);
    g_assert_cmpuint(played->dispatch.deadline_ns, ==, 1500);
    g_assert_cmpstr(played->entries->str, ==, "!SCST SCST SCST ");
}

static void
test_start_without_a_budget(Played *played, gconstpointer unused)
{
    play_time(played, MF_FRAME_SCST, 70);
    g_assert_cmpuint(played->dispatch.started_ns, ==, 70);
    g_assert_cmpuint(played->dispatch.deadline_ns, ==, 0);
}

static void
test_second_pause_keeps_the_first_stamp(Played *played, gconstpointer unused)
{
    played->dispatch.budget_ns = 1000;
    play_at(played, MF_FRAME_SCPP, "", 0, TORN, 50);
    g_assert_cmpuint(played->dispatch.paused_ns, ==, 0);
    play_time(played, MF_FRAME_SCST, 0);
    play_time(played, MF_FRAME_SCPP, 100);
    play_time(played, MF_FRAME_SCPP, 300);
    g_assert_cmpuint(played->dispatch.paused_ns, ==, 100);
    play_time(played, MF_FRAME_SCRR, 400);
    g_assert_cmpuint(played->dispatch.paused_ns, ==, 0);
    g_assert_cmpuint(played->dispatch.paused_total_ns, ==, 300);
    g_assert_cmpuint(played->dispatch.deadline_ns, ==, 1300);
    g_assert_cmpstr(played->entries->str, ==, "!SCPP SCST SCPP SCPP SCRR ");
}

static void
test_pause_at_no_time(Played *played, gconstpointer unused)
{
    played->dispatch.budget_ns = 1000;
    play_time(played, MF_FRAME_SCPP, 0);
    g_assert_cmpuint(played->dispatch.paused_ns, ==, 1);
}

static void
test_pause_without_a_budget(Played *played, gconstpointer unused)
{
    play_time(played, MF_FRAME_SCPP, 500);
    g_assert_cmpuint(played->dispatch.paused_ns, ==, 1);
    play_time(played, MF_FRAME_SCRR, 900);
    g_assert_cmpuint(played->dispatch.paused_ns, ==, 0);
    g_assert_cmpuint(played->dispatch.paused_total_ns, ==, 0);
    g_assert_cmpuint(played->dispatch.deadline_ns, ==, 0);
    g_assert_cmpstr(played->entries->str, ==, "SCPP SCRR ");
}

static void
test_resume_without_a_pause(Played *played, gconstpointer unused)
{
    played->dispatch.budget_ns = 1000;
    play_time(played, MF_FRAME_SCST, 10);
    play_time(played, MF_FRAME_SCRR, 500);
    g_assert_cmpuint(played->dispatch.deadline_ns, ==, 1010);
    g_assert_cmpuint(played->dispatch.paused_total_ns, ==, 0);
    g_assert_cmpstr(played->entries->str, ==, "SCST SCRR ");
}

static void
test_torn_resume_ends_no_pause(Played *played, gconstpointer unused)
{
    played->dispatch.budget_ns = 1000;
    play_time(played, MF_FRAME_SCST, 10);
    play_time(played, MF_FRAME_SCPP, 20);
    play_at(played, MF_FRAME_SCRR, "", 0, TORN, 500);
    g_assert_cmpuint(played->dispatch.paused_ns, ==, 20);
    g_assert_cmpuint(played->dispatch.deadline_ns, ==, 1010);
    g_assert_cmpstr(played->entries->str, ==, "SCST SCPP !SCRR ");
}

static void
test_resume_before_the_first_start(Played *played, gconstpointer unused)
{
    played->dispatch.budget_ns = 1000;
    play_time(played, MF_FRAME_SCPP, 100);
    play_time(played, MF_FRAME_SCRR, 150);
    g_assert_cmpuint(played->dispatch.deadline_ns, ==, 0);
    g_assert_cmpuint(played->dispatch.paused_total_ns, ==, 50);
}

static void
test_resume_adds_up_pauses(Played *played, gconstpointer unused)
{
    played->dispatch.budget_ns = 1000;
    play_time(played, MF_FRAME_SCST, 0);
    play_time(played, MF_FRAME_SCPP, 100);
    play_time(played, MF_FRAME_SCRR, 110);
    play_time(played, MF_FRAME_SCPP, 200);
    play_time(played, MF_FRAME_SCRR, 205);
    /* A clock that goes back gives nothing. */
    play_time(played, MF_FRAME_SCPP, 400);
    play_time(played, MF_FRAME_SCRR, 300);
    g_assert_cmpuint(played->dispatch.paused_total_ns, ==, 15);
    g_assert_cmpuint(played->dispatch.deadline_ns, ==, 1015);
}

static void
test_end_leaves_a_budget_for_teardown(Played *played, gconstpointer unused)
{
    play_time(played, MF_FRAME_SCEN, 5);
    g_assert_cmpuint(played->dispatch.deadline_ns, ==, 0);
    played->dispatch.budget_ns = 1000;
    play_at(played, MF_FRAME_SCEN, "", 0, TORN, 600);
    g_assert_cmpuint(played->dispatch.deadline_ns, ==, 0);
    play_time(played, MF_FRAME_SCEN, 700);
    g_assert_cmpuint(played->dispatch.deadline_ns, ==, 1700);
    g_assert_cmpstr(played->entries->str, ==, "SCEN !SCEN SCEN ");
}

static void
test_sums_saturate(Played *played, gconstpointer unused)
{
    played->dispatch.budget_ns = G_MAXUINT64 - 5;
    play_time(played, MF_FRAME_SCST, 6);
    g_assert_cmpuint(played->dispatch.deadline_ns, ==, G_MAXUINT64);
    play_time(played, MF_FRAME_SCPP, 10);
    play_time(played, MF_FRAME_SCRR, G_MAXUINT64);
    g_assert_cmpuint(played->dispatch.deadline_ns, ==, G_MAXUINT64);
    g_assert_cmpuint(played->dispatch.paused_total_ns, ==, G_MAXUINT64 - 10);
    play_time(played, MF_FRAME_SCPP, 10);
    play_time(played, MF_FRAME_SCRR, G_MAXUINT64);
    g_assert_cmpuint(played->dispatch.paused_total_ns, ==, G_MAXUINT64);
    play_time(played, MF_FRAME_SCEN, G_MAXUINT64);
    g_assert_cmpuint(played->dispatch.deadline_ns, ==, G_MAXUINT64);
}

static void
test_verdict_types_are_evidence_torn_or_not(Played *played, gconstpointer unused)
{
    static const guint32 types[] = {MF_FRAME_STIM, MF_FRAME_EXIT, MF_FRAME_TEST, MF_FRAME_CRSH,
                                    MF_FRAME_PMET, MF_FRAME_RAWO, MF_FRAME_PRAW, MF_FRAME_SOUT,
                                    MF_FRAME_SERR, MF_FRAME_SCLG, MF_FRAME_LIFE, MF_FRAME_EXCX,
                                    MF_FRAME_DMSG, MF_FRAME_PROB};

    for (gsize i = 0; i < G_N_ELEMENTS(types); i++)
        play(played, types[i], "what", i % 2 ? GOOD : TORN);
    g_assert_cmpstr(played->entries->str, ==,
                    "!STIM EXIT !TEST CRSH !PMET RAWO !PRAW SOUT !SERR SCLG !LIFE EXCX "
                    "!DMSG PROB ");
    g_assert_cmpstr(played->outputs->str, ==, "");
    g_assert_cmpuint(played->exits, ==, 0);
}

static void
test_what_the_host_sends_is_dropped(Played *played, gconstpointer unused)
{
    static const guint32 types[] = {MF_FRAME_CONF, MF_FRAME_SINP, MF_FRAME_SINE,
                                    MF_FRAME_SOCL, MF_FRAME_WINS, MF_FRAME_SIGN,
                                    MF_FRAME_CKIL, MF_FRAME_SNRP, MF_FRAME_KORP};

    for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
        play(played, types[i], "forged-reply", GOOD);
        play_u32(played, types[i], 1, GOOD);
        play(played, types[i], "", GOOD);
        play(played, types[i], "", TORN);
        play_request_as(played, types[i], 1, MF_SNAPSHOT_MEMORY, "t", 72, GOOD);
    }
    played_assert_no_effect(played);
}

static void
test_what_the_host_sends_is_dropped_while_all_is_awaited(Played *played, gconstpointer unused)
{
    played->dispatch.conf_awaited = played->dispatch.command_expected = TRUE;
    play_u32(played, MF_FRAME_SIGN, 9, GOOD);
    play_u32(played, MF_FRAME_CKIL, 0, GOOD);
    play(played, MF_FRAME_SINE, "", GOOD);
    play(played, MF_FRAME_CONF, "x", GOOD);
    played->dispatch.conf_awaited = played->dispatch.command_expected = FALSE;
    played_assert_no_effect(played);
}

static void
test_unknown_types_are_dropped(Played *played, gconstpointer unused)
{
    play(played, 0xDEADBEEF, "payload", GOOD);
    play(played, 0xDEADBEEF, "payload", TORN);
    play(played, 0, "", GOOD);
    play(played, G_MAXUINT32, "", GOOD);
    played_assert_no_effect(played);
}

static void
test_only_resume_ends_a_pause(Played *played, gconstpointer unused)
{
    played->dispatch.budget_ns = 1000;
    play_time(played, MF_FRAME_SCPP, 100);
    play_time(played, MF_FRAME_SCST, 200);
    g_assert_cmpuint(played->dispatch.paused_ns, ==, 100);
    play_time(played, MF_FRAME_SCEN, 250);
    g_assert_cmpuint(played->dispatch.paused_ns, ==, 100);
    play_time(played, MF_FRAME_SCRR, 300);
    g_assert_cmpuint(played->dispatch.paused_ns, ==, 0);
}

static void
test_one_of_each(Played *played, gconstpointer unused)
{
    play(played, MF_FRAME_SRDY, "", GOOD);
    play_u32(played, MF_FRAME_SCDX, 1, GOOD);
    play_request(played, 7, MF_SNAPSHOT_MEMORY, "t", 72, GOOD);
    play(played, MF_FRAME_STIM, "step", GOOD);
    g_assert_cmpuint(played->ready, ==, 1);
    g_assert_cmpuint(played->deaths, ==, 1);
    g_assert_cmpstr(played->requests->str, ==, "7:1:t ");
    g_assert_cmpstr(played->entries->str, ==, "SCDX STIM ");
}

static void
test_padding_changes_nothing(Played *played, gconstpointer unused)
{
    const struct mf_frame frame = {
        .type = MF_FRAME_SRDY, .crc_ok = true, .pad_ok = false, .payload = (const guint8 *)""};

    mf_dispatch_frame(&played->dispatch, &frame, 0);
    g_assert_cmpuint(played->ready, ==, 1);
}

static void
test_reply_reason_is_cut_to_its_field(void)
{
    g_autofree char *x80 = g_strnfill(80, 'x');
    g_autofree char *x64 = g_strnfill(64, 'x');
    const guint8 zeros[MF_SNAPSHOT_TEXT_SIZE] = {0};
    guint8 payload[MF_SNAPSHOT_MESSAGE_SIZE];

    mf_snapshot_reply_encode(payload, 0x01020304, MF_SNAPSHOT_FAILED, x80);
    g_assert_cmpmem(payload, 8, "\4\3\2\1\2\0\0\0", 8);
    g_assert_cmpmem(payload + 8, sizeof(payload) - 8, x64, 64);
    mf_snapshot_reply_encode(payload, 1, MF_SNAPSHOT_OK, "");
    g_assert_cmpmem(payload, 8, "\1\0\0\0\1\0\0\0", 8);
    g_assert_cmpmem(payload + 8, sizeof(payload) - 8, zeros, sizeof(zeros));
    mf_snapshot_reply_encode(payload, 1, MF_SNAPSHOT_FAILED, "why");
    g_assert_cmpmem(payload + 8, 5, "why\0\0", 5);
}

/* A caller takes only what it has a use for. */
static void
test_sinks_may_be_missing(void)
{
    const MfDispatchSinks none = {0};
    Played played = {.dispatch = {.sinks = &none, .budget_ns = 5}};
    guint64 address;

    played.dispatch.conf_awaited = played.dispatch.command_expected = TRUE;
    play(&played, MF_FRAME_SRDY, "", GOOD);
    play_at(&played, MF_FRAME_CONR, "\1x", 2, GOOD, 0);
    play(&played, MF_FRAME_SOUT, "", GOOD);
    play_u32(&played, MF_FRAME_SINA, 1, GOOD);
    play(&played, MF_FRAME_SOHE, "\2", GOOD);
    play_u32(&played, MF_FRAME_EXCX, 1, GOOD);
    play(&played, MF_FRAME_DMSG, "x", GOOD);
    play_u32(&played, MF_FRAME_SCDX, 1, GOOD);
    play_u64(&played, MF_FRAME_KADR, 9, 8, GOOD);
    play_request(&played, 1, 1, "", 72, GOOD);
    address = played.dispatch.kernel_base_plus_1;
    g_assert_cmpuint(address, ==, 9);
    g_assert_true(played.dispatch.ready && played.dispatch.exited && played.dispatch.ended[1]);
    g_assert_true(played.dispatch.scheduler_dead && !played.dispatch.conf_awaited);
}

/* Byte for byte what another implementation of the format writes. */
static void
test_ready_made_frames(Played *played, gconstpointer unused)
{
    static const char stream[] =
        "TIXE\4\0\0\0\x46\x90\xcb\xee\0\0\0\0\x2a\0\0\0"       /* EXIT 42 */
        "XCXE\4\0\0\0\x1c\xdf\x44\x21\0\0\0\0\0\0\0\0"         /* EXCX 0 */
        "YDRS\0\0\0\0\0\0\0\0\0\0\0\0"                         /* SRDY */
        "XDCS\4\0\0\0\xff\xff\xff\xff\0\0\0\0\xff\xff\xff\xff" /* SCDX -1 */
        "EFIL\1\0\0\0\x1b\xdf\x05\xa5\0\0\0\0\1";              /* LIFE 1 */
    const gsize size = sizeof(stream) - 1;
    struct mf_frame frame;
    gsize at = 0;

    played->dispatch.command_expected = TRUE;
    while (mf_frame_parse((const guint8 *)stream, size, MF_FRAME_PAYLOAD_MAX, &at, &frame))
        mf_dispatch_frame(&played->dispatch, &frame, 0);
    g_assert_cmpuint(at, ==, size);
    g_assert_cmpstr(played->entries->str, ==, "EXIT EXCX SCDX LIFE ");
    g_assert_cmpuint(played->ready, ==, 1);
    g_assert_cmpuint(played->exits, ==, 1);
    g_assert_cmpuint(played->deaths, ==, 1);
}

#define ADD(name, function)                                                                        \
    g_test_add("/dispatch/" name, Played, NULL, played_set_up, function, played_tear_down)
static void
add_scheduler_and_requests(void)
{
    ADD("D-1/a-torn-scheduler-death-does-nothing", test_torn_scheduler_death);
    ADD("D-1/a-scheduler-death-kills-and-is-evidence", test_valid_scheduler_death);
    ADD("D-1/torn-scheduler-deaths-leave-other-evidence",
        test_torn_scheduler_deaths_around_evidence);
    ADD("D-2/each-scheduler-death-counts", test_each_scheduler_death_counts);
    ADD("D-2/a-torn-death-between-two-is-left-out", test_a_torn_death_between_two);
    ADD("D-3/ready-fires-once", test_ready_fires_once);
    ADD("D-4/a-torn-ready-leaves-the-shot-to-a-good-one", test_torn_ready);
    ADD("D-4/a-ready-with-a-payload-leaves-the-shot-to-a-good-one", test_ready_with_a_payload);
    ADD("D-5/kernel-addresses-overwrite-and-signal-again", test_kernel_address);
    ADD("D-6/a-torn-request-is-left-out", test_torn_request_is_left_out);
    ADD("D-6/a-request-has-exactly-72-bytes", test_request_has_exactly_72_bytes);
    ADD("D-6/a-request-needs-an-id-and-a-kind", test_request_needs_an_id_and_a_kind);
    ADD("D-6/a-request-tag-ends-at-a-nul-or-64-bytes", test_request_tag);
    g_test_add_func("/dispatch/D-6/a-reply-reason-is-cut-to-its-field",
                    test_reply_reason_is_cut_to_its_field);
}

static void
add_watchdog(void)
{
    ADD("D-7/a-start-stamps-once-and-rearms-each-time", test_start_stamps_once_and_rearms);
    ADD("D-7/a-start-without-a-budget-only-stamps", test_start_without_a_budget);
    ADD("D-8/a-second-pause-keeps-the-first-stamp", test_second_pause_keeps_the_first_stamp);
    ADD("D-8/a-pause-without-a-budget-is-cleared-by-resume", test_pause_without_a_budget);
    ADD("D-9/a-resume-without-a-pause-is-only-evidence", test_resume_without_a_pause);
    ADD("D-9/a-torn-resume-ends-no-pause", test_torn_resume_ends_no_pause);
    ADD("D-9/a-resume-before-the-first-start-sets-no-deadline", test_resume_before_the_first_start);
    ADD("D-9/pauses-add-up", test_resume_adds_up_pauses);
    ADD("D-10/an-end-leaves-a-budget-for-teardown", test_end_leaves_a_budget_for_teardown);
    ADD("D-11/a-stamp-is-never-zero", test_pause_at_no_time);
    ADD("D-11/sums-saturate", test_sums_saturate);
    ADD("D-15/only-a-resume-ends-a-pause", test_only_resume_ends_a_pause);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_scheduler_and_requests();
    add_watchdog();
    ADD("D-12/verdict-types-are-evidence-torn-or-not", test_verdict_types_are_evidence_torn_or_not);
    ADD("D-13/what-the-host-sends-is-dropped", test_what_the_host_sends_is_dropped);
    ADD("D-13/what-the-host-sends-is-dropped-while-all-is-awaited",
        test_what_the_host_sends_is_dropped_while_all_is_awaited);
    ADD("D-14/unknown-types-are-dropped", test_unknown_types_are_dropped);
    ADD("D-14/one-of-each-goes-to-its-own-sink", test_one_of_each);
    ADD("padding-changes-nothing", test_padding_changes_nothing);
    ADD("ready-made-frames-have-their-effects", test_ready_made_frames);
    g_test_add_func("/dispatch/sinks-may-be-missing", test_sinks_may_be_missing);
    return g_test_run();
}
