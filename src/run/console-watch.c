/* SPDX-License-Identifier: Apache-2.0 */
#include "run/console-watch.h"

#include <string.h>

#include "run/marks.h"

struct _MfConsoleWatch {
    GObject parent;
    const MfTarget *target;   /* borrowed */
    MfConsoleRules *rules;    /* owned */
    GPtrArray *readers;       /* owned; of MfSubtestReader */
    MfTransport *serial;      /* owned; of the machine of now; or NULL */
    MfConsoleState announced; /* by the signal */
    gint64 armed;             /* for when the timer is set; -1: it is not */
    guint timer;
    /* Owned; what each voice has said and the other has not (yet): number by text. */
    GHashTable *unpaired[MF_N_CONSOLE_SOURCES];
    gsize unpaired_size[MF_N_CONSOLE_SOURCES];
};

/* Of the texts of one voice. Beyond this they are forgotten: what the other says then counts again.
 */
#define UNPAIRED_MAX (1u << 20)

G_DEFINE_FINAL_TYPE(MfConsoleWatch, mf_console_watch, G_TYPE_OBJECT)

static guint signal_decided;

static void
detach(MfConsoleWatch *self)
{
    if (self->serial)
        g_signal_handlers_disconnect_by_data(self->serial, self);
    g_clear_object(&self->serial);
}

static void
mf_console_watch_dispose(GObject *object)
{
    MfConsoleWatch *self = MF_CONSOLE_WATCH(object);

    g_clear_handle_id(&self->timer, g_source_remove);
    detach(self);
    g_clear_pointer(&self->rules, mf_console_rules_free);
    g_clear_pointer(&self->readers, g_ptr_array_unref);
    for (int source = 0; source < MF_N_CONSOLE_SOURCES; source++)
        g_clear_pointer(&self->unpaired[source], g_hash_table_unref);
    G_OBJECT_CLASS(mf_console_watch_parent_class)->dispose(object);
}

static void
mf_console_watch_class_init(MfConsoleWatchClass *class)
{
    G_OBJECT_CLASS(class)->dispose = mf_console_watch_dispose;
    signal_decided = g_signal_new("decided", MF_TYPE_CONSOLE_WATCH, G_SIGNAL_RUN_LAST, 0, NULL,
                                  NULL, NULL, G_TYPE_NONE, 0);
}

static void
mf_console_watch_init(MfConsoleWatch *self)
{
    self->readers = g_ptr_array_new_with_free_func((GDestroyNotify)mf_subtest_reader_free);
    self->armed = -1;
    for (int source = 0; source < MF_N_CONSOLE_SOURCES; source++)
        self->unpaired[source] = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

static void react(MfConsoleWatch *self);

static gboolean
on_time(gpointer data)
{
    MfConsoleWatch *self = data;

    self->timer = 0;
    self->armed = -1;
    mf_console_rules_check_time(self->rules, g_get_monotonic_time());
    react(self);
    return G_SOURCE_REMOVE;
}

static void
arm(MfConsoleWatch *self)
{
    gint64 deadline = mf_console_rules_get_deadline(self->rules);
    gint64 left_ms;

    if (deadline == self->armed)
        return;
    g_clear_handle_id(&self->timer, g_source_remove);
    self->armed = deadline;
    if (deadline < 0)
        return;
    /* Rounded up: never early. What is too far away for a timer is looked at again then. */
    left_ms = MAX(deadline - g_get_monotonic_time(), 0) / 1000 + 1;
    self->timer = g_timeout_add((guint)MIN(left_ms, G_MAXINT), on_time, self);
}

/* After whatever may have changed the rules' state. */
static void
react(MfConsoleWatch *self)
{
    MfConsoleState state = mf_console_rules_get_state(self->rules);

    arm(self);
    if (state == self->announced)
        return;
    self->announced = state;
    g_signal_emit(self, signal_decided, 0);
}

static void
on_received(MfConsoleWatch *self, GBytes *bytes)
{
    gsize size;
    const void *data = g_bytes_get_data(bytes, &size);
    g_autoptr(GBytes) typed = mf_console_rules_answer(self->rules, data, size);

    if (typed && mf_transport_get_queued(self->serial) < MF_CONSOLE_TYPED_MAX)
        mf_transport_send(self->serial, typed);
    else if (typed)
        g_debug("The guest does not read what is typed: an answer is left out.");
    react(self);
}

void
mf_console_watch_attach(MfConsoleWatch *self, MfTransport *serial)
{
    detach(self);
    self->serial = g_object_ref(serial);
    g_signal_connect_object(self->serial, "received", G_CALLBACK(on_received), self,
                            G_CONNECT_SWAPPED);
}

/* Whether the other voice has said the same text, which is then used up; else notes it for that. */
static gboolean
pair_off(MfConsoleWatch *self, MfConsoleSource source, const char *text)
{
    MfConsoleSource other = source == MF_CONSOLE_SERIAL ? MF_CONSOLE_KERNEL_LOG : MF_CONSOLE_SERIAL;
    guint theirs = GPOINTER_TO_UINT(g_hash_table_lookup(self->unpaired[other], text));
    guint ours = GPOINTER_TO_UINT(g_hash_table_lookup(self->unpaired[source], text));

    if (theirs > 1)
        g_hash_table_replace(self->unpaired[other], g_strdup(text), GUINT_TO_POINTER(theirs - 1));
    else if (theirs == 1)
        g_hash_table_remove(self->unpaired[other], text);
    if (theirs > 0)
        return TRUE;
    self->unpaired_size[source] += strlen(text) + 1;
    if (self->unpaired_size[source] > UNPAIRED_MAX) {
        g_hash_table_remove_all(self->unpaired[source]);
        self->unpaired_size[source] = 0;
    }
    g_hash_table_replace(self->unpaired[source], g_strdup(text), GUINT_TO_POINTER(ours + 1));
    return FALSE;
}

/*
 * The kernel speaks on the serial port and in its log, which mayfly-guest passes on, complete but
 * later: what is urgent is on the port ahead of what was said before it. So the log counts, and a
 * line of the port that is in it, or will be, is an echo. A kernel may keep its time to itself, and
 * then nothing tells its lines from others': a landmark can come from both, a sub-test cannot.
 */
void
mf_console_watch_feed(MfConsoleWatch *self, MfConsoleSource source, const char *line)
{
    gboolean alone = self->target->bare || self->target->image;
    gboolean serial = source == MF_CONSOLE_SERIAL;
    const char *text = line;
    gboolean stamped = mf_marks_read_stamp(line, line + strlen(line), &text) >= 0;
    gboolean awaited = serial && stamped && !alone && self->target->init == MF_INIT_AGENT;
    gboolean paired = !awaited && !alone && pair_off(self, source, text);

    if (awaited || (paired && serial)) {
        mf_console_rules_feed_echo(self->rules, line);
    } else {
        for (guint i = 0; !paired && i < self->readers->len; i++)
            mf_subtest_reader_feed_line(self->readers->pdata[i], line);
        mf_console_rules_feed_line(self->rules, line, g_get_monotonic_time());
    }
    react(self);
}

gboolean
mf_console_watch_reads_subtests(const MfConsoleWatch *self)
{
    return self->readers->len > 0;
}

void
mf_console_watch_finish(MfConsoleWatch *self)
{
    for (guint i = 0; i < self->readers->len; i++)
        mf_subtest_reader_finish(self->readers->pdata[i]);
}

const MfConsoleRules *
mf_console_watch_get_rules(const MfConsoleWatch *self)
{
    return self->rules;
}

MfConsoleWatch *
mf_console_watch_new(const MfTarget *target, MfSubtests *subtests, GError **error)
{
    g_autoptr(MfConsoleWatch) self = g_object_new(MF_TYPE_CONSOLE_WATCH, NULL);

    self->target = target;
    self->rules = mf_console_rules_new(target->console, g_get_monotonic_time(), error);
    if (!self->rules)
        return NULL;
    for (guint i = 0; i < target->console->len; i++) {
        const MfConsoleRule *rule = target->console->pdata[i];
        MfSubtestReader *reader;

        if (rule->subtests == MF_SUBTEST_FORMAT_NONE)
            continue;
        reader = mf_subtest_reader_new(rule->subtests, (const char *const *)rule->pass,
                                       (const char *const *)rule->fail, subtests, error);
        if (!reader)
            return NULL;
        g_ptr_array_add(self->readers, reader);
    }
    arm(self);
    return g_steal_pointer(&self);
}
