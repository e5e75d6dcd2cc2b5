/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/backlog.h"

#include <glib.h>
#include <string.h>

static void
put(struct mfg_backlog *backlog, const char *text, gsize reserved)
{
    guint8 *room = mfg_backlog_reserve(backlog, reserved);

    g_assert_nonnull(room);
    memcpy(room, text, strlen(text));
    mfg_backlog_commit(backlog, strlen(text));
}

static char *
take(struct mfg_backlog *backlog, gsize size)
{
    g_autofree char *text = g_malloc0(size + 1);

    mfg_backlog_take(backlog, (guint8 *)text, size);
    return g_steal_pointer(&text);
}

static void
test_bytes_come_out_as_they_went_in(void)
{
    struct mfg_backlog backlog = {0};

    put(&backlog, "abc", 1000);
    put(&backlog, "defg", 1000);
    g_assert_cmpuint(mfg_backlog_size(&backlog), ==, 7);

    g_autofree char *first = take(&backlog, 5);
    g_assert_cmpstr(first, ==, "abcde");
    put(&backlog, "h", 1);

    g_autofree char *rest = take(&backlog, 100);
    g_assert_cmpstr(rest, ==, "fgh");
    g_assert_cmpuint(mfg_backlog_size(&backlog), ==, 0);
    mfg_backlog_clear(&backlog);
}

static void
test_nothing_is_taken_from_an_empty_one(void)
{
    struct mfg_backlog backlog = {0};
    guint8 byte = 'x';

    g_assert_cmpuint(mfg_backlog_take(&backlog, &byte, 1), ==, 0);
    g_assert_cmpuint(byte, ==, 'x');
    mfg_backlog_clear(&backlog);
}

/* A long stream through it, with more going in than out at first: every byte is looked at. */
static void
test_order_survives_growth_and_moves(void)
{
    struct mfg_backlog backlog = {0};
    guint32 in = 0, out = 0;

    for (gsize turn = 0; turn < 4000; turn++) {
        gsize n = turn < 2000 ? 97 : 13;
        guint32 *room = (guint32 *)(gpointer)mfg_backlog_reserve(&backlog, n * sizeof(in));
        guint32 words[53];

        for (gsize i = 0; i < n; i++)
            memcpy(room + i, &(guint32){in++}, sizeof(in));
        mfg_backlog_commit(&backlog, n * sizeof(in));
        n = mfg_backlog_take(&backlog, (guint8 *)words, sizeof(words)) / sizeof(out);
        for (gsize i = 0; i < n; i++)
            g_assert_cmpuint(words[i], ==, out++);
    }
    g_assert_cmpuint(mfg_backlog_size(&backlog), ==, (in - out) * sizeof(in));
    mfg_backlog_clear(&backlog);
}

static void
test_memory_is_bounded_by_what_waits_and_given_back(void)
{
    struct mfg_backlog backlog = {0};
    static guint8 chunk[64 << 10];

    for (gsize i = 0; i < 1000; i++) {
        memset(mfg_backlog_reserve(&backlog, sizeof(chunk)), 0, sizeof(chunk));
        mfg_backlog_commit(&backlog, sizeof(chunk));
        if (i >= 10)
            g_assert_cmpuint(mfg_backlog_take(&backlog, chunk, sizeof(chunk)), ==, sizeof(chunk));
    }
    g_assert_cmpuint(mfg_backlog_size(&backlog), ==, 10 * sizeof(chunk));
    g_assert_cmpuint(backlog.capacity, <=, 4 * 10 * sizeof(chunk));
    while (mfg_backlog_take(&backlog, chunk, sizeof(chunk)) > 0)
        ;
    g_assert_cmpuint(backlog.capacity, <=, sizeof(chunk));
    mfg_backlog_clear(&backlog);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/guest-backlog/fifo", test_bytes_come_out_as_they_went_in);
    g_test_add_func("/guest-backlog/empty", test_nothing_is_taken_from_an_empty_one);
    g_test_add_func("/guest-backlog/order", test_order_survives_growth_and_moves);
    g_test_add_func("/guest-backlog/memory", test_memory_is_bounded_by_what_waits_and_given_back);
    return g_test_run();
}
