/* SPDX-License-Identifier: Apache-2.0 */
#include "run/hang-watch.h"

/* A timer that is this much late was not waiting all of its time: mayfly was stopped, or the host
 * asleep, and what the guest has said meanwhile is not read yet. */
#define LATE_US (500 * (gint64)1000)

struct _MfHangWatch {
    GObject parent;
    gint64 timeout_us;
    gint64 heard_us; /* when the last sign of life came */
    gint64 due_us;   /* when the timer is to fire */
    guint timer;
    gboolean watching, paused;
};

G_DEFINE_FINAL_TYPE(MfHangWatch, mf_hang_watch, G_TYPE_OBJECT)

enum { SIGNAL_HUNG, N_SIGNALS };
static guint signals[N_SIGNALS];

static void
mf_hang_watch_dispose(GObject *object)
{
    mf_hang_watch_stop(MF_HANG_WATCH(object));
    G_OBJECT_CLASS(mf_hang_watch_parent_class)->dispose(object);
}

static void
mf_hang_watch_class_init(MfHangWatchClass *class)
{
    G_OBJECT_CLASS(class)->dispose = mf_hang_watch_dispose;
    signals[SIGNAL_HUNG] = g_signal_new("hung", MF_TYPE_HANG_WATCH, G_SIGNAL_RUN_LAST, 0, NULL,
                                        NULL, NULL, G_TYPE_NONE, 0);
}

static void
mf_hang_watch_init(MfHangWatch *self)
{
}

static gboolean on_timer(gpointer data);

/* Only when it fires is it looked whether something was heard: that happens too often for a timer
 * each time. */
static void
set_timer(MfHangWatch *self, gint64 now_us)
{
    gint64 left_us = MAX(self->heard_us + self->timeout_us - now_us, 0);

    self->due_us = now_us + left_us;
    self->timer = g_timeout_add((guint)MIN(left_us / 1000 + 1, G_MAXINT), on_timer, self);
}

static gboolean
on_timer(gpointer data)
{
    MfHangWatch *self = data;
    gint64 now_us = g_get_monotonic_time();

    self->timer = 0;
    if (now_us > self->due_us + LATE_US)
        self->heard_us = now_us;
    if (now_us < self->heard_us + self->timeout_us) {
        set_timer(self, now_us);
        return G_SOURCE_REMOVE;
    }
    self->watching = FALSE;
    g_signal_emit(self, signals[SIGNAL_HUNG], 0);
    return G_SOURCE_REMOVE;
}

/* A timer runs while it is watched and not paused. */
static void
update(MfHangWatch *self)
{
    gboolean wanted = self->watching && !self->paused;

    if (!wanted) {
        g_clear_handle_id(&self->timer, g_source_remove);
        return;
    }
    self->heard_us = g_get_monotonic_time();
    if (!self->timer)
        set_timer(self, self->heard_us);
}

static void
on_received(MfHangWatch *self)
{
    self->heard_us = g_get_monotonic_time();
}

static void
on_stop(MfHangWatch *self)
{
    self->paused = TRUE;
    update(self);
}

static void
on_resume(MfHangWatch *self)
{
    self->paused = FALSE;
    update(self);
}

MfHangWatch *
mf_hang_watch_new(gint64 timeout_ms)
{
    MfHangWatch *self = g_object_new(MF_TYPE_HANG_WATCH, NULL);

    self->timeout_us = timeout_ms * 1000;
    return self;
}

void
mf_hang_watch_hear(MfHangWatch *self, MfTransport *channel)
{
    g_signal_connect_object(channel, "received", G_CALLBACK(on_received), self, G_CONNECT_SWAPPED);
}

void
mf_hang_watch_heed(MfHangWatch *self, MfQmp *qmp)
{
    g_signal_connect_object(qmp, "event::STOP", G_CALLBACK(on_stop), self, G_CONNECT_SWAPPED);
    g_signal_connect_object(qmp, "event::RESUME", G_CALLBACK(on_resume), self, G_CONNECT_SWAPPED);
}

void
mf_hang_watch_start(MfHangWatch *self)
{
    self->watching = TRUE;
    update(self);
}

void
mf_hang_watch_stop(MfHangWatch *self)
{
    self->watching = FALSE;
    update(self);
}
