/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/progress.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/fd.h"

static void
test_a_line_has_activity_bar_and_percentage(void)
{
    g_autofree char *half = mf_progress_line("Unpacking", 0.5, 60);
    g_autofree char *all = mf_progress_line("Unpacking", 1.0, 60);

    g_assert_cmpstr(half, ==, "Unpacking                   [############............]  50%");
    g_assert_cmpstr(all, ==, "Unpacking                   [########################] 100%");
}

static void
test_a_line_never_reaches_the_last_column(void)
{
    static const double fractions[] = {-1, 0, 0.3, 1, 7};

    for (guint columns = 1; columns < 200; columns++)
        for (gsize i = 0; i < G_N_ELEMENTS(fractions); i++) {
            g_autofree char *line =
                mf_progress_line("Downloading linux-image-6.12.117+deb12-amd64 and \u00e4nother",
                                 fractions[i], columns);

            g_assert_true(g_utf8_validate(line, -1, NULL));
            if (columns >= 7)
                g_assert_cmpint(g_utf8_strlen(line, -1), <, columns);
        }
}

static void
test_a_narrow_line_has_no_bar(void)
{
    g_autofree char *line = mf_progress_line("Unpacking", 0.42, 20);

    g_assert_cmpstr(line, ==, "Unpacking       42%");
}

static void
test_an_unknown_fraction_shows_the_activity_alone(void)
{
    g_autofree char *line = mf_progress_line("Indexing the modules", -1, 80);

    g_assert_cmpstr(line, ==, "Indexing the modules");
}

/* What arrives at the other end of *write_fd, which is closed, after two activities. A terminal
 * hands over what was written in its own time: the end tells that all of it has come. */
static char *
output_of(int *write_fd, int read_fd, gboolean verbose)
{
    g_autoptr(GString) text = g_string_new(NULL);
    MfProgress *progress = mf_progress_new(*write_fd, verbose);
    char chunk[4096];
    ssize_t n;

    mf_progress_update(progress, "One", 0.25);
    mf_progress_update(progress, "One", 0.75);
    mf_progress_update(progress, "Two", -1);
    mf_progress_free(progress);
    mf_fd_clear(write_fd);
    while ((n = read(read_fd, chunk, sizeof(chunk))) > 0)
        g_string_append_len(text, chunk, n);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static void
test_a_pipe_stays_silent(void)
{
    int ends[2];

    g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
    mf_autofd output = ends[0], input = ends[1];
    g_autofree char *text = output_of(&input, output, FALSE);
    g_assert_cmpstr(text, ==, "");
}

static void
test_a_pipe_gets_one_line_per_activity_when_verbose(void)
{
    int ends[2];

    g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
    mf_autofd output = ends[0], input = ends[1];
    g_autofree char *text = output_of(&input, output, TRUE);
    g_assert_cmpstr(text, ==, "mayfly: One\nmayfly: Two\n");
}

static void
test_a_terminal_gets_a_bar_and_is_left_clean(void)
{
    const struct winsize size = {.ws_col = 40, .ws_row = 25};
    mf_autofd controller = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

    if (controller < 0 || grantpt(controller) < 0 || unlockpt(controller) < 0) {
        g_test_skip("this host has no pseudo terminals");
        return;
    }
    mf_autofd terminal = open(ptsname(controller), O_RDWR | O_NOCTTY | O_CLOEXEC);
    g_assert_cmpint(ioctl(terminal, TIOCSWINSZ, &size), ==, 0);
    g_setenv("TERM", "xterm", TRUE);
    g_autofree char *text = output_of(&terminal, controller, FALSE);
    g_autofree char *line = mf_progress_line("One", 0.25, 40);
    g_assert_nonnull(strstr(text, line));
    g_assert_nonnull(strstr(text, " 75%"));
    g_assert_true(g_str_has_suffix(text, "\r\033[KTwo\r\033[K"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/progress/a-line-has-activity-bar-and-percentage",
                    test_a_line_has_activity_bar_and_percentage);
    g_test_add_func("/progress/a-line-never-reaches-the-last-column",
                    test_a_line_never_reaches_the_last_column);
    g_test_add_func("/progress/a-narrow-line-has-no-bar", test_a_narrow_line_has_no_bar);
    g_test_add_func("/progress/an-unknown-fraction-shows-the-activity-alone",
                    test_an_unknown_fraction_shows_the_activity_alone);
    g_test_add_func("/progress/a-pipe-stays-silent", test_a_pipe_stays_silent);
    g_test_add_func("/progress/a-pipe-gets-one-line-per-activity-when-verbose",
                    test_a_pipe_gets_one_line_per_activity_when_verbose);
    g_test_add_func("/progress/a-terminal-gets-a-bar-and-is-left-clean",
                    test_a_terminal_gets_a_bar_and_is_left_clean);
    return g_test_run();
}
