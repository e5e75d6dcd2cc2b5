/* SPDX-License-Identifier: Apache-2.0 */
#include "run/marks.h"

#include <string.h>

/* What Linux logs when it hands over to the first process. */
#define HANDOVER_WORDS "Run /init as init process"

/* More than any kernel runs, and far from an overflow. */
#define STAMP_MAX_SECONDS G_GINT64_CONSTANT(1000000000)

struct _MfMarks {
    GObject parent;
    gint64 started;  /* monotonic */
    MfResult *noted; /* owned; its marks */
    gint64 clock_us; /* when the guest's clock began, at the latest; G_MAXINT64: not known */
    gint64 handover; /* on the guest's clock; -1: not seen */
    gboolean console_seen, output_seen;
};

G_DEFINE_FINAL_TYPE(MfMarks, mf_marks, G_TYPE_OBJECT)

static gint64
now(const MfMarks *self)
{
    return g_get_monotonic_time() - self->started;
}

static void
mf_marks_finalize(GObject *object)
{
    MfMarks *self = MF_MARKS(object);

    mf_result_free(self->noted);
    G_OBJECT_CLASS(mf_marks_parent_class)->finalize(object);
}

static void
mf_marks_class_init(MfMarksClass *class)
{
    G_OBJECT_CLASS(class)->finalize = mf_marks_finalize;
}

static void
mf_marks_init(MfMarks *self)
{
    self->noted = mf_result_new();
    self->clock_us = G_MAXINT64;
    self->handover = -1;
}

MfMarks *
mf_marks_new(gint64 started)
{
    MfMarks *self = g_object_new(MF_TYPE_MARKS, NULL);

    self->started = started;
    return self;
}

void
mf_marks_note_host(MfMarks *self, const char *name)
{
    gint64 time = now(self);

    mf_result_add_mark(self->noted, MF_MARK_HOST, name, time, time);
}

static void
note_guest(MfMarks *self, const char *name)
{
    gint64 time = now(self);

    mf_result_add_mark(self->noted, MF_MARK_GUEST, name, time, time);
}

gint64
mf_marks_read_stamp(const char *line, const char *end, const char **ret_text)
{
    const char *at = line;
    gint64 seconds = 0;
    gint64 micros = 0;
    guint digits = 0;

    if (at == end || *at++ != '[')
        return -1;
    while (at < end && *at == ' ')
        at++;
    for (; at < end && g_ascii_isdigit(*at) && seconds < STAMP_MAX_SECONDS; at++)
        seconds = 10 * seconds + (*at - '0');
    if (at == end || *at++ != '.')
        return -1;
    for (; at < end && g_ascii_isdigit(*at) && digits < 6; at++, digits++)
        micros = 10 * micros + (*at - '0');
    if (digits != 6 || at == end || *at++ != ']')
        return -1;
    *ret_text = at < end && *at == ' ' ? at + 1 : at;
    return seconds * G_USEC_PER_SEC + micros;
}

static void
take_line(MfMarks *self, const char *line, const char *end)
{
    const char *text;
    gint64 stamp = mf_marks_read_stamp(line, end, &text);

    if (stamp < 0)
        return;
    self->clock_us = MIN(self->clock_us, now(self) - stamp);
    if ((gsize)(end - text) >= strlen(HANDOVER_WORDS) &&
        memcmp(text, HANDOVER_WORDS, strlen(HANDOVER_WORDS)) == 0)
        self->handover = stamp;
}

/* A frame of the kernel's log has whole lines. */
static void
on_kernel_log(MfMarks *self, GBytes *text)
{
    gsize size;
    const char *at = g_bytes_get_data(text, &size);
    const char *end = at + size;

    while (at < end) {
        const char *newline = memchr(at, '\n', (gsize)(end - at));
        const char *line_end = newline ? newline : end;

        take_line(self, at, line_end);
        at = newline ? newline + 1 : end;
    }
}

static void
on_console(MfMarks *self)
{
    if (!self->console_seen)
        note_guest(self, "first console output");
    self->console_seen = TRUE;
}

static void
on_ready(MfMarks *self)
{
    note_guest(self, "ready");
}

static void
on_configured(MfMarks *self)
{
    note_guest(self, "configured");
}

static void
on_output(MfMarks *self, int fd, GBytes *chunk)
{
    if (!self->output_seen && g_bytes_get_size(chunk) > 0) {
        note_guest(self, "first output");
        self->output_seen = TRUE;
    }
}

static void
on_exited(MfMarks *self)
{
    note_guest(self, "command ended");
}

void
mf_marks_watch(MfMarks *self, MfConsole *console, MfStream *stream)
{
    const struct {
        const char *signal;
        GCallback callback;
    } watched[] = {
        {"kernel-log", G_CALLBACK(on_kernel_log)}, {"ready", G_CALLBACK(on_ready)},
        {"configured", G_CALLBACK(on_configured)}, {"output", G_CALLBACK(on_output)},
        {"exited", G_CALLBACK(on_exited)},
    };

    g_signal_connect_object(console, "output", G_CALLBACK(on_console), self, G_CONNECT_SWAPPED);
    for (gsize i = 0; i < G_N_ELEMENTS(watched); i++)
        g_signal_connect_object(stream, watched[i].signal, watched[i].callback, self,
                                G_CONNECT_SWAPPED);
}

static gint64
time_of(const MfMarks *self, const char *name)
{
    for (guint i = 0; i < self->noted->marks->len; i++) {
        const MfMark *mark = &g_array_index(self->noted->marks, MfMark, i);

        if (g_str_equal(mark->name, name))
            return mark->start_us;
    }
    return -1;
}

/* What the guest did before it was ready, where its log told. */
static void
add_boot(const MfMarks *self, MfResult *result)
{
    gint64 begun = MAX(self->clock_us, 0);
    gint64 handover = self->clock_us + self->handover;
    gint64 ready = time_of(self, "ready");

    if (self->handover < 0 || handover < begun)
        return;
    mf_result_add_mark(result, MF_MARK_GUEST, "kernel", begun, handover);
    if (ready >= handover)
        mf_result_add_mark(result, MF_MARK_GUEST, "initramfs", handover, ready);
}

void
mf_marks_add_to_result(const MfMarks *self, MfResult *result)
{
    add_boot(self, result);
    for (guint i = 0; i < self->noted->marks->len; i++) {
        const MfMark *mark = &g_array_index(self->noted->marks, MfMark, i);

        mf_result_add_mark(result, mark->side, mark->name, mark->start_us, mark->end_us);
    }
}
