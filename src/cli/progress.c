/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/progress.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/fd.h"

#define COLUMNS_DEFAULT 80

/* The bar with its brackets; a narrower terminal gets the percentage alone. */
#define BAR_WIDTH 26

/* " 100%" */
#define PERCENT_WIDTH 5

struct MfProgress {
    int fd;
    gboolean on_terminal, verbose;
    gboolean shown; /* there is a line to be cleared */
    char *activity; /* owned; the last one */
};

MfProgress *
mf_progress_new(int fd, gboolean verbose)
{
    MfProgress *self = g_new0(MfProgress, 1);
    const char *terminal = g_getenv("TERM");

    self->fd = fd;
    self->on_terminal = isatty(fd) && g_strcmp0(terminal, "dumb") != 0;
    self->verbose = verbose;
    return self;
}

static void
put(MfProgress *self, const char *text)
{
    /* Progress that cannot be shown is no reason to stop. */
    mf_fd_write_all(self->fd, text, strlen(text), NULL);
}

void
mf_progress_free(MfProgress *self)
{
    if (!self)
        return;
    if (self->shown)
        put(self, "\r\033[K");
    g_free(self->activity);
    g_free(self);
}

char *
mf_progress_line(const char *activity, double fraction, guint columns)
{
    guint width = MAX(columns, PERCENT_WIDTH + 2) - 1;
    guint tail = 0;
    GString *line;

    if (fraction >= 0)
        tail = width >= 2 * BAR_WIDTH ? BAR_WIDTH + PERCENT_WIDTH + 1 : PERCENT_WIDTH;

    guint space = width - tail;
    guint length = (guint)g_utf8_strlen(activity, -1);
    g_autofree char *label = g_utf8_substring(activity, 0, MIN(length, space));
    line = g_string_new(label);
    if (fraction < 0)
        return g_string_free(line, FALSE);

    for (guint i = MIN(length, space); i < space; i++)
        g_string_append_c(line, ' ');
    fraction = MIN(fraction, 1);
    if (tail > PERCENT_WIDTH) {
        guint filled = (guint)(fraction * (BAR_WIDTH - 2));

        g_string_append(line, " [");
        for (guint i = 0; i < BAR_WIDTH - 2; i++)
            g_string_append_c(line, i < filled ? '#' : '.');
        g_string_append_c(line, ']');
    }
    g_string_append_printf(line, " %3d%%", (int)(fraction * 100));
    return g_string_free(line, FALSE);
}

static guint
columns_of(int fd)
{
    struct winsize size;

    return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : COLUMNS_DEFAULT;
}

void
mf_progress_update(MfProgress *self, const char *activity, double fraction)
{
    gboolean is_new = g_strcmp0(self->activity, activity) != 0;

    if (is_new) {
        g_free(self->activity);
        self->activity = g_strdup(activity);
    }
    if (self->on_terminal) {
        g_autofree char *line = mf_progress_line(activity, fraction, columns_of(self->fd));
        g_autofree char *text = g_strconcat("\r\033[K", line, NULL);

        put(self, text);
        self->shown = TRUE;
    } else if (self->verbose && is_new) {
        g_autofree char *text = g_strconcat("mayfly: ", activity, "\n", NULL);

        put(self, text);
    }
}
