/* SPDX-License-Identifier: Apache-2.0 */
#include "report/report.h"

#include <string.h>
#include <sys/ioctl.h>

#include "base/error.h"
#include "base/suggest.h"
#include "report/github.h"
#include "report/grid.h"
#include "report/json.h"
#include "report/junit.h"
#include "report/metric-table.h"
#include "report/plain.h"
#include "report/run-dir.h"
#include "report/tap.h"
#include "report/tty.h"

typedef struct {
    MfEventFunc feed;
    gpointer writer;     /* owned */
    GDestroyNotify free; /* of the writer */
} Entry;

struct _MfReport {
    GPtrArray *entries;       /* owned; of Entry */
    GPtrArray *sinks;         /* owned; of MfSink, which the writers borrow */
    GPtrArray *errors;        /* owned; of char *: what went wrong before the end */
    MfReportHost *host;       /* owned */
    MfReportTty *tty;         /* borrowed from its entry, or NULL */
    MfReportGrid *grid;       /* likewise */
    MfReportRunDir *run_dirs; /* likewise */
    gboolean takes_stdout;
};

/* What --report knows, in one order. */
static const char *const kind_names[] = {"json",      "junit",         "tap",       "metrics",
                                         "grid-json", "grid-markdown", "grid-html", NULL};
typedef enum {
    KIND_JSON,
    KIND_JUNIT,
    KIND_TAP,
    KIND_METRICS,
    KIND_GRID_JSON,
    KIND_GRID_MARKDOWN,
    KIND_GRID_HTML,
} Kind;

MfScreen
mf_screen_choose(gboolean is_terminal, char **environment)
{
    const char *term = g_environ_getenv(environment, "TERM");
    const char *no_color = g_environ_getenv(environment, "NO_COLOR");

    if (g_strcmp0(g_environ_getenv(environment, "GITHUB_ACTIONS"), "true") == 0)
        return MF_SCREEN_GITHUB;
    if (!is_terminal || !term || !*term || g_str_equal(term, "dumb"))
        return MF_SCREEN_PLAIN;
    return no_color && *no_color ? MF_SCREEN_TTY : MF_SCREEN_TTY_COLOURED;
}

static void
entry_free(gpointer data)
{
    Entry *entry = data;

    entry->free(entry->writer);
    g_free(entry);
}

MfReport *
mf_report_new(void)
{
    MfReport *self = g_new0(MfReport, 1);

    self->entries = g_ptr_array_new_with_free_func(entry_free);
    self->sinks = g_ptr_array_new_with_free_func((GDestroyNotify)mf_sink_free);
    self->errors = g_ptr_array_new_with_free_func(g_free);
    self->host = mf_report_host_new();
    return self;
}

void
mf_report_free(MfReport *self)
{
    if (!self)
        return;
    g_ptr_array_unref(self->entries);
    g_ptr_array_unref(self->sinks);
    g_ptr_array_unref(self->errors);
    mf_report_host_free(self->host);
    g_free(self);
}

static void
add_entry(MfReport *self, MfEventFunc feed, gpointer writer, GDestroyNotify free_func)
{
    Entry *entry = g_new0(Entry, 1);

    entry->feed = feed;
    entry->writer = writer;
    entry->free = free_func;
    g_ptr_array_add(self->entries, entry);
}

static MfSink *
add_sink(MfReport *self, MfSink *sink)
{
    g_ptr_array_add(self->sinks, sink);
    return sink;
}

static gboolean
find_kind(const char *name, Kind *ret_kind, GError **error)
{
    const char *near = mf_suggest(name, kind_names);

    for (Kind kind = 0; kind_names[kind]; kind++) {
        if (g_str_equal(name, kind_names[kind])) {
            *ret_kind = kind;
            return TRUE;
        }
    }
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                "There is no report of the kind '%s': it is json, junit, tap, "
                "metrics, grid-json, "
                "grid-markdown or grid-html.%s%s%s",
                name, near ? " Did you mean '" : "", near ? near : "", near ? "'?" : "");
    return FALSE;
}

static void
add_grid(MfReport *self, MfSink *sink, MfGridForm form)
{
    add_entry(self, mf_report_grid_feed, mf_report_grid_new(sink, form, self->host),
              (GDestroyNotify)mf_report_grid_free);
}

static void
add_kind(MfReport *self, MfSink *sink, Kind kind)
{
    switch (kind) {
    case KIND_JSON:
        add_entry(self, mf_report_json_feed, mf_report_json_new(sink, self->host),
                  (GDestroyNotify)mf_report_json_free);
        break;
    case KIND_JUNIT:
        add_entry(self, mf_report_junit_feed, mf_report_junit_new(sink, self->host),
                  (GDestroyNotify)mf_report_junit_free);
        break;
    case KIND_TAP:
        add_entry(self, mf_report_tap_feed, mf_report_tap_new(sink),
                  (GDestroyNotify)mf_report_tap_free);
        break;
    case KIND_METRICS:
        add_entry(self, mf_report_metrics_feed, mf_report_metrics_new(sink),
                  (GDestroyNotify)mf_report_metrics_free);
        break;
    case KIND_GRID_JSON:
        add_grid(self, sink, MF_GRID_JSON);
        break;
    case KIND_GRID_MARKDOWN:
        add_grid(self, sink, MF_GRID_MARKDOWN);
        break;
    case KIND_GRID_HTML:
        add_grid(self, sink, MF_GRID_PAGE);
        break;
    }
}

gboolean
mf_report_add(MfReport *self, const char *spec, GError **error)
{
    const char *equals = strchr(spec, '=');
    Kind kind = KIND_JSON;

    if (!equals || !equals[1]) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "'%s' is no report: it is KIND=FILE, such as 'junit=report.xml'.", spec);
        return FALSE;
    }

    g_autofree char *name = g_strndup(spec, (gsize)(equals - spec));
    gboolean to_stdout = g_str_equal(equals + 1, "-");
    if (!find_kind(name, &kind, error))
        return FALSE;
    if (to_stdout && self->takes_stdout) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "Only one report can go to the standard output, and '%s' is another one.",
                    spec);
        return FALSE;
    }

    MfSink *sink = mf_sink_open(equals + 1, kind == KIND_TAP ? MF_SINK_LIVE : MF_SINK_WHOLE, error);
    if (!sink)
        return FALSE;
    add_sink(self, sink);
    self->takes_stdout |= to_stdout;
    add_kind(self, sink, kind);
    return TRUE;
}

gboolean
mf_report_takes_stdout(const MfReport *self)
{
    return self->takes_stdout;
}

static void
add_github(MfReport *self, MfSink *sink, MfOutputPolicy policy, char **environment)
{
    const char *summary = g_environ_getenv(environment, "GITHUB_STEP_SUMMARY");
    g_autofree char *token = g_uuid_string_random();
    MfReportGithubOptions options = {
        .policy = policy,
        .log = sink,
        .workspace = g_environ_getenv(environment, "GITHUB_WORKSPACE"),
        .token = token,
    };

    if (summary && *summary) {
        g_autoptr(GError) error = NULL;

        options.summary = mf_sink_open(summary, MF_SINK_APPEND, &error);
        if (options.summary)
            add_sink(self, options.summary);
        else
            g_ptr_array_add(self->errors, g_strdup(error->message));
    }
    add_entry(self, mf_report_github_feed, mf_report_github_new(&options),
              (GDestroyNotify)mf_report_github_free);
}

void
mf_report_add_screen(MfReport *self, MfScreen screen, int fd, MfOutputPolicy policy,
                     char **environment)
{
    MfSink *sink = add_sink(self, mf_sink_new_fd(fd));
    MfReportTtyOptions options = {
        .sink = sink,
        .fd = fd,
        .colours = screen == MF_SCREEN_TTY_COLOURED,
        .policy = policy,
    };

    switch (screen) {
    case MF_SCREEN_PLAIN:
        add_entry(self, mf_report_plain_feed, mf_report_plain_new(sink, policy),
                  (GDestroyNotify)mf_report_plain_free);
        break;
    case MF_SCREEN_GITHUB:
        add_github(self, sink, policy, environment);
        break;
    case MF_SCREEN_TTY:
    case MF_SCREEN_TTY_COLOURED:
        self->tty = mf_report_tty_new(&options);
        add_entry(self, mf_report_tty_feed, self->tty, (GDestroyNotify)mf_report_tty_free);
        break;
    }
}

void
mf_report_add_grid(MfReport *self, int fd)
{
    MfSink *sink = add_sink(self, mf_sink_new_fd(fd));
    MfReportGrid *grid = mf_report_grid_new(sink, MF_GRID_TEXT, self->host);
    struct winsize size;

    if (ioctl(fd, TIOCGWINSZ, &size) == 0)
        mf_report_grid_set_columns(grid, size.ws_col);
    self->grid = grid;
    add_entry(self, mf_report_grid_feed, grid, (GDestroyNotify)mf_report_grid_free);
}

void
mf_report_add_run_dirs(MfReport *self)
{
    self->run_dirs = mf_report_run_dir_new();
    add_entry(self, mf_report_run_dir_feed, self->run_dirs, (GDestroyNotify)mf_report_run_dir_free);
}

void
mf_report_feed(const MfEvent *event, gpointer data)
{
    MfReport *self = data;

    for (guint i = 0; event->kind == MF_EVENT_SUITE_STARTED && i < self->sinks->len; i++)
        mf_sink_begin(self->sinks->pdata[i]);
    for (guint i = 0; i < self->entries->len; i++) {
        const Entry *entry = g_ptr_array_index(self->entries, i);

        entry->feed(event, entry->writer);
    }
}

void
mf_report_set_size(MfReport *self, guint rows, guint columns)
{
    if (self->tty)
        mf_report_tty_set_size(self->tty, rows, columns);
    if (self->grid)
        mf_report_grid_set_columns(self->grid, columns);
}

/* Takes note of an error, which is taken. */
static void
keep_error(MfReport *self, GError *error)
{
    g_autoptr(GError) owned = error;

    g_ptr_array_add(self->errors, g_strdup(owned->message));
}

gboolean
mf_report_close(MfReport *self, GError **error)
{
    for (guint i = 0; i < self->sinks->len; i++) {
        g_autoptr(GError) sink_error = NULL;

        if (!mf_sink_close(g_ptr_array_index(self->sinks, i), &sink_error))
            keep_error(self, g_steal_pointer(&sink_error));
    }

    g_autoptr(GError) run_dir_error = NULL;
    if (self->run_dirs && !mf_report_run_dir_close(self->run_dirs, &run_dir_error))
        keep_error(self, g_steal_pointer(&run_dir_error));
    if (self->errors->len == 0)
        return TRUE;

    g_ptr_array_add(self->errors, NULL);
    g_autofree char *all = g_strjoinv("\n", (char **)self->errors->pdata);
    g_set_error_literal(error, MF_ERROR, MF_ERROR_HOST, all);
    return FALSE;
}
