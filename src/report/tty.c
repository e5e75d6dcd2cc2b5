/* SPDX-License-Identifier: Apache-2.0 */
#include "report/tty.h"

#include <sys/ioctl.h>
#include <termios.h>

#include "report/live.h"
#include "report/prose.h"
#include "report/tally.h"
#include "report/text.h"
#include "report/width.h"
#include "report/window.h"

/* Between two drawings, so that a flood of output costs little. */
#define DRAW_INTERVAL_MS 50

#define DEFAULT_ROWS    24
#define DEFAULT_COLUMNS 80

#define INDENT     "      "
#define LINE_START "RUN   "

/* What a narrow terminal shows of a name at least. */
#define NAME_COLUMNS_MIN 12

#define COLOUR_RUN   "\033[1;36m"
#define COLOUR_DIM   "\033[2m"
#define COLOUR_RESET "\033[0m"

/* The line first, and the rest from its second column on: to erase all of the screen from its first
 * one is understood by some (tmux) as a wish to keep what was on it. */
#define ERASE_BELOW "\r\033[K\033[C\033[J\r"

#define NO_WRAP "\033[?7l"
#define WRAP    "\033[?7h"

/* A case that is running. */
typedef struct {
    guint index, attempt;
    MfPhase phase;
    gint64 phase_started_us;
    gint64 phase_us[MF_N_PHASES]; /* of the phases before */
    MfWindow *window;             /* owned */
} Running;

struct _MfReportTty {
    MfReportTtyOptions options;
    const GPtrArray *cases; /* borrowed, during the suite */
    GPtrArray *running;     /* owned; of Running, in the order of their start */
    gboolean drawn;         /* there is a block, with the cursor at its beginning */
    MfLive *live;           /* owned */
    MfTally tally;          /* of those that have finished */
    gint64 event_us;        /* the suite's time at the last event */
    gint64 event_monotonic; /* and this computer's */
    guint draw_source, second_source;
};

static void
running_free(gpointer data)
{
    Running *running = data;

    mf_window_free(running->window);
    g_free(running);
}

static void
update_size(MfReportTty *self)
{
    struct winsize size;

    if (self->options.fd < 0 || ioctl(self->options.fd, TIOCGWINSZ, &size) < 0)
        return;
    self->options.rows = size.ws_row;
    self->options.columns = size.ws_col;
}

static guint
rows_of(const MfReportTty *self)
{
    return self->options.rows ? self->options.rows : DEFAULT_ROWS;
}

static guint
columns_of(const MfReportTty *self)
{
    return self->options.columns ? self->options.columns : DEFAULT_COLUMNS;
}

/* One line of the block. It does not reach the last column, where terminals differ. */
static void
append_line(const MfReportTty *self, GString *to, const char *colour, const char *line)
{
    g_autofree char *cut = mf_width_cut(line, columns_of(self) - 1);

    if (self->options.colours && colour)
        g_string_append_printf(to, "%s%s%s\n", colour, cut, COLOUR_RESET);
    else
        g_string_append_printf(to, "%s\n", cut);
}

/* The seconds that have passed, as they are counted on a clock. */
static char *
elapsed(gint64 duration_us)
{
    return mf_prose_duration(MAX(duration_us, 0) / G_USEC_PER_SEC * G_USEC_PER_SEC);
}

/* The name as far as it leaves room for 'told' behind it, which changes while it runs. */
static char *
fit_name(const MfReportTty *self, const MfCase *kase, const char *told)
{
    g_autofree char *name = mf_text_clean_line(kase->name);
    guint taken = mf_width_of(LINE_START) + mf_width_of(told) + 1;
    guint room = columns_of(self) > taken ? columns_of(self) - taken : 0;

    return mf_width_shorten(name, MAX(room, NAME_COLUMNS_MIN));
}

static char *
describe_running(const MfReportTty *self, const Running *running, gint64 time_us)
{
    const MfCase *kase = g_ptr_array_index(self->cases, running->index);
    g_autofree char *now = elapsed(time_us - running->phase_started_us);
    g_autofree char *told = g_strdup_printf(": %s %s", mf_phase_name(running->phase), now);
    g_autofree char *name = fit_name(self, kase, told);
    GString *line = g_string_new(LINE_START);

    g_string_append_printf(line, "%s%s", name, told);
    for (MfPhase phase = running->phase; phase-- > 0;) {
        g_autofree char *took = mf_prose_duration(running->phase_us[phase]);

        if (running->phase_us[phase] >= G_USEC_PER_SEC / 1000)
            g_string_append_printf(line, ", %s %s", mf_phase_name(phase), took);
    }
    if (running->attempt > 1)
        g_string_append_printf(line, " (attempt %u)", running->attempt);
    return g_string_free(line, FALSE);
}

static void
append_window(const MfReportTty *self, GString *to, const Running *running, guint lines)
{
    g_autoptr(GPtrArray) shown = mf_window_get_lines(running->window, lines, columns_of(self));

    for (guint i = 0; i < shown->len; i++) {
        g_autofree char *line =
            g_strconcat(INDENT "| ", (const char *)g_ptr_array_index(shown, i), NULL);

        append_line(self, to, COLOUR_DIM, line);
    }
}

static void
append_status(const MfReportTty *self, GString *to, guint hidden, gint64 time_us)
{
    guint bad = self->tally.outcomes[MF_OUTCOME_FAIL] + self->tally.outcomes[MF_OUTCOME_ERROR];
    g_autofree char *time = elapsed(time_us);
    g_autoptr(GString) line = g_string_new(NULL);

    g_string_append_printf(line, "%u of %u finished", self->tally.total, self->cases->len);
    if (bad > 0)
        g_string_append_printf(line, ", %u not passed", bad);
    g_string_append_printf(line, ", %u running", self->running->len);
    if (hidden > 0)
        g_string_append_printf(line, " (%u not shown)", hidden);
    g_string_append_printf(line, ", %s", time);
    append_line(self, to, NULL, line->str);
}

/* The lines of the block. They fit on the screen: what has scrolled away cannot be drawn anew. */
static void
append_lines(const MfReportTty *self, GString *to, gint64 time_us)
{
    guint room = rows_of(self) > 2 ? rows_of(self) - 2 : 0;
    guint shown = MIN(self->running->len, room);
    guint lines = shown > 0 ? MIN((room - shown) / shown, MF_REPORT_TTY_WINDOW) : 0;

    if (self->options.policy != MF_OUTPUT_ON_FAILURE)
        lines = 0;
    for (guint i = 0; i < shown; i++) {
        const Running *running = g_ptr_array_index(self->running, i);
        g_autofree char *line = describe_running(self, running, time_us);

        append_line(self, to, COLOUR_RUN, line);
        append_window(self, to, running, lines);
    }
    append_status(self, to, self->running->len - shown, time_us);
}

/* The cursor goes back to the block's beginning. When the terminal's size changes, it stays there,
 * whatever becomes of the lines below it: so the block can be erased without knowing its height.
 * Before this program hears of another size the terminal may have it: each line of the block takes
 * one row of a narrower one too, for it is not continued on the next. (What a terminal itself moves
 * into its history stays there: tmux does that to a block near the top of an empty window.) */
static void
append_block(const MfReportTty *self, GString *to, gint64 time_us)
{
    g_autoptr(GString) lines = g_string_new(NULL);
    guint rows = 0;

    append_lines(self, lines, time_us);
    for (const char *at = lines->str; *at; at++)
        rows += *at == '\n';
    g_string_truncate(lines, lines->len - 1);
    g_string_append_printf(to, NO_WRAP "%s" WRAP "\r", lines->str);
    if (rows > 1)
        g_string_append_printf(to, "\033[%uA", rows - 1);
}

/* Writes 'text' above the block. All at once, so that a terminal shows no state between. */
static void
write_above(MfReportTty *self, const GString *text, gint64 time_us)
{
    g_autoptr(GString) all = g_string_new(NULL);

    update_size(self);
    if (self->drawn)
        g_string_append(all, ERASE_BELOW);
    g_string_append_len(all, text->str, (gssize)text->len);
    self->drawn = self->cases != NULL;
    if (self->drawn)
        append_block(self, all, time_us);
    if (all->len > 0)
        mf_sink_write(self->options.sink, all->str, all->len);
}

void
mf_report_tty_draw(MfReportTty *self, gint64 time_us)
{
    g_autoptr(GString) nothing = g_string_new(NULL);

    if (self->cases)
        write_above(self, nothing, time_us);
}

static gint64
now(const MfReportTty *self)
{
    return self->event_us + g_get_monotonic_time() - self->event_monotonic;
}

void
mf_report_tty_set_size(MfReportTty *self, guint rows, guint columns)
{
    self->options.rows = rows;
    self->options.columns = columns;
    mf_report_tty_draw(self, now(self));
}

static gboolean
on_draw_due(gpointer data)
{
    MfReportTty *self = data;

    self->draw_source = 0;
    mf_report_tty_draw(self, now(self));
    return G_SOURCE_REMOVE;
}

static gboolean
on_second(gpointer data)
{
    MfReportTty *self = data;

    mf_report_tty_draw(self, now(self));
    return G_SOURCE_CONTINUE;
}

static void
draw_soon(MfReportTty *self)
{
    if (!self->draw_source)
        self->draw_source = g_timeout_add(DRAW_INTERVAL_MS, on_draw_due, self);
}

static Running *
find_running(const MfReportTty *self, guint index)
{
    for (guint i = 0; i < self->running->len; i++) {
        Running *running = g_ptr_array_index(self->running, i);

        if (running->index == index)
            return running;
    }
    return NULL;
}

static void
take_start(MfReportTty *self, const MfEvent *event)
{
    Running *running = find_running(self, event->index);

    if (running)
        g_ptr_array_remove(self->running, running);
    running = g_new0(Running, 1);
    running->index = event->index;
    running->attempt = event->attempt;
    running->phase_started_us = event->time_us;
    running->window = mf_window_new();
    g_ptr_array_add(self->running, running);
    draw_soon(self);
}

static void
take_phase(MfReportTty *self, const MfEvent *event)
{
    Running *running = find_running(self, event->index);

    if (!running)
        return;
    running->phase_us[running->phase] += event->time_us - running->phase_started_us;
    running->phase = event->phase;
    running->phase_started_us = event->time_us;
    draw_soon(self);
}

static void
take_output(MfReportTty *self, const MfEvent *event)
{
    Running *running = find_running(self, event->index);

    if (running)
        mf_window_feed(running->window, event->bytes);
    draw_soon(self);
}

static void
take_finish(MfReportTty *self, const MfEvent *event, GString *to)
{
    Running *running = find_running(self, event->index);

    if (running)
        g_ptr_array_remove(self->running, running);
    mf_tally_add(&self->tally, event->outcome);
    mf_prose_append_headline(to, event, self->tally.total, self->options.colours);
    mf_prose_append_detail(to, g_ptr_array_index(event->cases, event->index), event->outcome,
                           self->options.policy);
}

static void
stop_drawing(MfReportTty *self)
{
    g_clear_handle_id(&self->draw_source, g_source_remove);
    g_clear_handle_id(&self->second_source, g_source_remove);
    self->cases = NULL;
}

void
mf_report_tty_feed(const MfEvent *event, gpointer data)
{
    MfReportTty *self = data;
    g_autoptr(GString) text = g_string_new(NULL);

    self->event_us = event->time_us;
    self->event_monotonic = g_get_monotonic_time();
    if (self->options.policy == MF_OUTPUT_LIVE)
        mf_live_feed(self->live, event, text);
    switch (event->kind) {
    case MF_EVENT_SUITE_STARTED:
        self->cases = event->cases;
        self->second_source = g_timeout_add_seconds(1, on_second, self);
        mf_prose_append_opening(text, event);
        break;
    case MF_EVENT_CASE_STARTED:
        take_start(self, event);
        break;
    case MF_EVENT_CASE_PHASE:
        take_phase(self, event);
        break;
    case MF_EVENT_CASE_OUTPUT:
        take_output(self, event);
        break;
    case MF_EVENT_CASE_FINISHED:
        take_finish(self, event, text);
        break;
    case MF_EVENT_SUITE_FINISHED:
        stop_drawing(self);
        mf_prose_append_closing(text, event, self->options.colours);
        break;
    }
    if (text->len > 0)
        write_above(self, text, event->time_us);
}

MfReportTty *
mf_report_tty_new(const MfReportTtyOptions *options)
{
    MfReportTty *self = g_new0(MfReportTty, 1);

    self->options = *options;
    self->running = g_ptr_array_new_with_free_func(running_free);
    self->live = mf_live_new();
    return self;
}

void
mf_report_tty_free(MfReportTty *self)
{
    g_autoptr(GString) nothing = g_string_new(NULL);

    if (!self)
        return;
    stop_drawing(self);
    write_above(self, nothing, 0);
    g_ptr_array_unref(self->running);
    mf_live_free(self->live);
    g_free(self);
}
