/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "dispatch-fixture.h"

/* The frames of mayfly's own guest: what they bring about, and when they bring about nothing. */

static void
test_conf_answer_only_while_awaited(Played *played, gconstpointer unused)
{
    play_at(played, MF_FRAME_CONR, "\0", 1, GOOD, 0);
    played_assert_no_effect(played);

    played->dispatch.conf_awaited = TRUE;
    play_at(played, MF_FRAME_CONR, "\0", 1, TORN, 0);
    play(played, MF_FRAME_CONR, "", GOOD);
    g_assert_cmpstr(played->configured->str, ==, "");
    play_at(played, MF_FRAME_CONR, "\0", 1, GOOD, 0);
    play_at(played, MF_FRAME_CONR, "\1no", 3, GOOD, 0);
    g_assert_cmpstr(played->configured->str, ==, "<all set>");
    g_assert_cmpstr(played->entries->str, ==, "");
}

static void
test_conf_reason_is_fit_for_a_message(Played *played, gconstpointer unused)
{
    g_autofree char *long_reason = g_strnfill(MF_DISPATCH_REASON_MAX + 100, 'a');

    long_reason[0] = 1;
    played->dispatch.conf_awaited = TRUE;
    play_at(played, MF_FRAME_CONR, "\1no \x1b[2J\n\xff \0.", 13, GOOD, 0);
    played->dispatch.conf_awaited = TRUE;
    play(played, MF_FRAME_CONR, "\1", GOOD);
    g_assert_cmpstr(played->configured->str, ==,
                    "<no  [2J \xef\xbf\xbd \xef\xbf\xbd.><it gave no reason.>");

    g_string_truncate(played->configured, 0);
    played->dispatch.conf_awaited = TRUE;
    play(played, MF_FRAME_CONR, long_reason, GOOD);
    g_assert_cmpuint(played->configured->len, ==, MF_DISPATCH_REASON_MAX + strlen("<>"));
    /* Replacement characters are longer than what they replace. */
    g_string_truncate(played->configured, 0);
    memset(long_reason + 1, 0xff, MF_DISPATCH_REASON_MAX);
    played->dispatch.conf_awaited = TRUE;
    play(played, MF_FRAME_CONR, long_reason, GOOD);
    g_assert_cmpuint(played->configured->len, <=, MF_DISPATCH_REASON_MAX + strlen("<>"));
    g_assert_true(g_utf8_validate(played->configured->str, -1, NULL));
}

static void
test_conf_answer_has_a_boot_id_or_none(Played *played, gconstpointer unused)
{
    static const char *const texts[] = {
        "0123ABCD-4567-89ab-cdef-0123456789ab",
        "0123abcd-4567-89ab-cdef-0123456789ab\n",
        "0123abcd-4567-89ab-cdef-0123456789a",
        "x",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        char answer[64] = "";

        memcpy(answer + 1, texts[i], strlen(texts[i]));
        played->dispatch.conf_awaited = TRUE;
        play_at(played, MF_FRAME_CONR, answer, 1 + strlen(texts[i]), GOOD, 0);
    }
    g_assert_cmpstr(played->configured->str, ==,
                    "<all set 0123abcd-4567-89ab-cdef-0123456789ab><all set><all set><all set>");
}

static void
test_output_only_of_a_command(Played *played, gconstpointer unused)
{
    play(played, MF_FRAME_SOUT, "early", GOOD);
    g_assert_cmpstr(played->outputs->str, ==, "");
    played->dispatch.command_expected = TRUE;
    play(played, MF_FRAME_SOUT, "torn", TORN);
    play(played, MF_FRAME_SOUT, "a", GOOD);
    play(played, MF_FRAME_SERR, "b", GOOD);
    g_assert_cmpstr(played->outputs->str, ==, "1:a 2:b ");
}

static void
test_output_ends_once(Played *played, gconstpointer unused)
{
    played->dispatch.command_expected = TRUE;
    play(played, MF_FRAME_SOUT, "", GOOD);
    play(played, MF_FRAME_SOUT, "more", GOOD);
    play(played, MF_FRAME_SOUT, "", GOOD);
    play(played, MF_FRAME_SERR, "b", GOOD);
    play(played, MF_FRAME_SERR, "", TORN);
    play(played, MF_FRAME_SERR, "c", GOOD);
    g_assert_cmpstr(played->outputs->str, ==, "1: 2:b 2:c ");
}

static void
test_chunks_beyond_the_cap(Played *played, gconstpointer unused)
{
    g_autofree char *chunk = g_strnfill(MF_FRAME_CHUNK_MAX + 1, 'x');

    played->dispatch.command_expected = TRUE;
    play(played, MF_FRAME_SOUT, chunk, GOOD);
    play(played, MF_FRAME_DMSG, chunk, GOOD);
    g_assert_cmpuint(played->outputs->len, ==, 0);
    g_assert_cmpuint(played->log->len, ==, 0);
    chunk[MF_FRAME_CHUNK_MAX] = '\0';
    play(played, MF_FRAME_SOUT, chunk, GOOD);
    play(played, MF_FRAME_DMSG, chunk, GOOD);
    g_assert_cmpuint(played->outputs->len, ==, strlen("1: ") + MF_FRAME_CHUNK_MAX);
    g_assert_cmpuint(played->log->len, ==, MF_FRAME_CHUNK_MAX);
}

static void
test_first_valid_exit_counts(Played *played, gconstpointer unused)
{
    play_u32(played, MF_FRAME_EXCX, 0, GOOD);
    g_assert_cmpuint(played->exits, ==, 0);
    played->dispatch.command_expected = TRUE;
    play_u32(played, MF_FRAME_EXCX, 1, TORN);
    play_at(played, MF_FRAME_EXCX, "\1\0\0", 3, GOOD, 0);
    play_at(played, MF_FRAME_EXCX, "\1\0\0\0\0", 5, GOOD, 0);
    play_u32(played, MF_FRAME_EXCX, 256, GOOD);
    play_u32(played, MF_FRAME_EXCX, (guint32)-65, GOOD);
    play_u32(played, MF_FRAME_EXIT, 0, GOOD);
    g_assert_cmpuint(played->exits, ==, 0);
    g_assert_false(played->dispatch.exited);
    play_u32(played, MF_FRAME_EXCX, (guint32)-9, GOOD);
    play_u32(played, MF_FRAME_EXCX, 0, GOOD);
    g_assert_cmpuint(played->exits, ==, 1);
    g_assert_cmpint(played->number, ==, -9);
}

static void
test_each_command_has_its_own_output_and_exit(Played *played, gconstpointer unused)
{
    mf_dispatch_expect_command(&played->dispatch);
    play(played, MF_FRAME_SOUT, "a", GOOD);
    play(played, MF_FRAME_SOUT, "", GOOD);
    play(played, MF_FRAME_SERR, "", GOOD);
    play_u32(played, MF_FRAME_EXCX, 1, GOOD);
    mf_dispatch_expect_command(&played->dispatch);
    play(played, MF_FRAME_SOUT, "b", GOOD);
    play(played, MF_FRAME_SERR, "c", GOOD);
    play(played, MF_FRAME_SOUT, "", GOOD);
    play_u32(played, MF_FRAME_EXCX, 2, GOOD);
    g_assert_cmpstr(played->outputs->str, ==, "1:a 1: 2: 1:b 2:c 1: ");
    g_assert_cmpuint(played->exits, ==, 2);
    g_assert_cmpint(played->number, ==, 2);
}

static void
test_what_a_command_left_open_is_none_of_the_next_ones(Played *played, gconstpointer unused)
{
    mf_dispatch_expect_command(&played->dispatch);
    play(played, MF_FRAME_SERR, "", GOOD);
    play_u32(played, MF_FRAME_EXCX, 0, GOOD);
    mf_dispatch_expect_command(&played->dispatch);
    play(played, MF_FRAME_SOUT, "late", GOOD);
    play(played, MF_FRAME_SERR, "a", GOOD);
    g_assert_cmpstr(played->outputs->str, ==, "2: 2:a ");
    /* The end of the one before; then the output of this one, and its end. */
    play(played, MF_FRAME_SOUT, "", GOOD);
    play(played, MF_FRAME_SOUT, "b", GOOD);
    play(played, MF_FRAME_SOUT, "", GOOD);
    g_assert_cmpstr(played->outputs->str, ==, "2: 2:a 1:b 1: ");
}

static void
test_a_command_that_never_came_leaves_the_end_owed(Played *played, gconstpointer unused)
{
    mf_dispatch_expect_command(&played->dispatch);
    play_u32(played, MF_FRAME_EXCX, 0, GOOD);
    mf_dispatch_expect_command(&played->dispatch);
    mf_dispatch_expect_command(&played->dispatch);
    play(played, MF_FRAME_SOUT, "", GOOD);
    play(played, MF_FRAME_SOUT, "a", GOOD);
    g_assert_cmpstr(played->outputs->str, ==, "1:a ");
}

static void
test_a_lost_sender_owes_no_end(Played *played, gconstpointer unused)
{
    mf_dispatch_expect_command(&played->dispatch);
    play(played, MF_FRAME_SOUT, "a", GOOD);
    mf_dispatch_expect_command(&played->dispatch);
    play(played, MF_FRAME_SOUT, "b", GOOD);
    g_assert_cmpstr(played->outputs->str, ==, "1:a 1:b ");
}

static void
test_exit_range(void)
{
    static const int numbers[] = {0, 1, 255, -1, -64};

    for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++) {
        Played played = {0};

        played_set_up(&played, NULL);
        played.dispatch.command_expected = TRUE;
        play_u32(&played, MF_FRAME_EXCX, (guint32)numbers[i], GOOD);
        g_assert_cmpuint(played.exits, ==, 1);
        g_assert_cmpint(played.number, ==, numbers[i]);
        played_tear_down(&played, NULL);
    }
}

static void
test_acknowledgements_only_of_a_command(Played *played, gconstpointer unused)
{
    play_u32(played, MF_FRAME_SINA, 100, GOOD);
    played_assert_no_effect(played);
    played->dispatch.command_expected = TRUE;
    play_u32(played, MF_FRAME_SINA, 100, TORN);
    play(played, MF_FRAME_SINA, "abc", GOOD);
    play(played, MF_FRAME_SINA, "", GOOD);
    g_assert_cmpuint(played->acked_calls, ==, 0);
    play_u32(played, MF_FRAME_SINA, 100, GOOD);
    g_assert_cmpuint(played->acked, ==, 100);
    g_assert_cmpstr(played->entries->str, ==, "");
}

static void
test_held_outputs_only_of_a_command_and_before_their_end(Played *played, gconstpointer unused)
{
    play(played, MF_FRAME_SOHE, "\1", GOOD);
    played_assert_no_effect(played);
    played->dispatch.command_expected = TRUE;
    play(played, MF_FRAME_SOHE, "\1", TORN);
    play(played, MF_FRAME_SOHE, "", GOOD);
    play(played, MF_FRAME_SOHE, "\3", GOOD);
    play(played, MF_FRAME_SOHE, "\1\2", GOOD);
    g_assert_cmpuint(played->held, ==, 0);
    play(played, MF_FRAME_SOHE, "\2", GOOD);
    g_assert_cmpuint(played->held, ==, 1);
    play(played, MF_FRAME_SOUT, "", GOOD);
    play(played, MF_FRAME_SOHE, "\1", GOOD);
    g_assert_cmpuint(played->held, ==, 1);
    g_assert_cmpstr(played->entries->str, ==, "SOUT ");
}

static void
test_kernel_log_at_any_time(Played *played, gconstpointer unused)
{
    play(played, MF_FRAME_DMSG, "one\n", GOOD);
    play(played, MF_FRAME_DMSG, "two\n", TORN);
    play(played, MF_FRAME_DMSG, "three\n", GOOD);
    g_assert_cmpstr(played->log->str, ==, "one\nthree\n");
}

#define ADD(name, function)                                                                        \
    g_test_add("/dispatch/" name, Played, NULL, played_set_up, function, played_tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("CONR/only-while-it-is-awaited-and-once", test_conf_answer_only_while_awaited);
    ADD("CONR/its-reason-is-fit-for-a-message", test_conf_reason_is_fit_for_a_message);
    ADD("CONR/has-a-boot-id-or-none", test_conf_answer_has_a_boot_id_or_none);
    ADD("SOUT/only-of-a-command", test_output_only_of_a_command);
    ADD("SOUT/ends-once", test_output_ends_once);
    ADD("SOUT/chunks-beyond-64-kib-are-dropped", test_chunks_beyond_the_cap);
    ADD("EXCX/the-first-valid-one-of-a-command-counts", test_first_valid_exit_counts);
    ADD("commands/each-has-its-own-output-and-exit", test_each_command_has_its_own_output_and_exit);
    ADD("commands/what-one-left-open-is-none-of-the-next-ones",
        test_what_a_command_left_open_is_none_of_the_next_ones);
    ADD("commands/one-that-never-came-leaves-the-end-owed",
        test_a_command_that_never_came_leaves_the_end_owed);
    ADD("commands/a-lost-sender-owes-no-end", test_a_lost_sender_owes_no_end);
    g_test_add_func("/dispatch/EXCX/statuses-and-signals-to-the-ends-of-their-range",
                    test_exit_range);
    ADD("SINA/only-of-a-command", test_acknowledgements_only_of_a_command);
    ADD("SOHE/only-of-a-command-and-before-the-end",
        test_held_outputs_only_of_a_command_and_before_their_end);
    ADD("DMSG/at-any-time", test_kernel_log_at_any_time);
    return g_test_run();
}
