/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/http.h"

/* So many tries of which each is answered with 'status'; the waits between them in 'ret_waited'. */
static guint
count_tries(guint status, gint64 retry_after, guint *ret_waited)
{
    guint tries = 1, waited = 0;

    for (int delay; (delay = mf_http_choose_delay(status, tries, retry_after, waited)) >= 0;
         tries++) {
        g_assert_cmpuint(tries, <, 100);
        waited += (guint)delay;
    }
    *ret_waited = waited;
    return tries;
}

static void
test_who_has_no_time_is_asked_again_a_few_times_and_ever_later(void)
{
    static const guint busy[] = {429, 500, 502, 503, 504};
    static const guint final[] = {0, 200, 206, 301, 401, 403, 404, 416, 418, 501, 505, 511};
    guint waited;

    for (gsize i = 0; i < G_N_ELEMENTS(busy); i++) {
        g_assert_cmpuint(count_tries(busy[i], 0, &waited), ==, 5);
        g_assert_cmpuint(waited, ==, 500 + 1000 + 2000 + 4000);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(final); i++)
        g_assert_cmpuint(count_tries(final[i], 1, &waited), ==, 1);
}

static void
test_a_server_says_when_and_nobody_waits_longer_than_a_minute(void)
{
    static const struct {
        gint64 retry_after;
        guint tries, waited;
    } cases[] = {
        {1, 5, 4000},   {14, 5, 56000}, {20, 4, 60000},     {30, 3, 60000},
        {60, 2, 60000}, {61, 1, 0},     {G_MAXINT64, 1, 0}, {-5, 5, 7500},
    };
    guint waited;

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_assert_cmpuint(count_tries(503, cases[i].retry_after, &waited), ==, cases[i].tries);
        g_assert_cmpuint(waited, ==, cases[i].waited);
        g_assert_cmpuint(waited, <=, MF_HTTP_PATIENCE_MS);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/http/who has no time is asked again, a few times and ever later",
                    test_who_has_no_time_is_asked_again_a_few_times_and_ever_later);
    g_test_add_func("/http/a server says when, and nobody waits longer than a minute",
                    test_a_server_says_when_and_nobody_waits_longer_than_a_minute);
    return g_test_run();
}
