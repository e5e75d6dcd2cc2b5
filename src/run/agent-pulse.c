/* SPDX-License-Identifier: Apache-2.0 */
#include "run/agent-pulse.h"

#include "base/error.h"
#include "qapi/qga-commands.h"
#include "run/exec.h"

/* A guest that is alive answers within this. */
#define ANSWER_TIMEOUT_MS 30000

struct _MfAgentPulse {
    GObject parent;
    MfQga *qga;                /* owned */
    GCancellable *cancellable; /* owned; ends the question, and all others */
    guint interval_ms;
    guint timer;
};

G_DEFINE_FINAL_TYPE(MfAgentPulse, mf_agent_pulse, G_TYPE_OBJECT)

static guint lost_signal;

static void
mf_agent_pulse_finalize(GObject *object)
{
    MfAgentPulse *self = MF_AGENT_PULSE(object);

    mf_agent_pulse_stop(self);
    g_clear_object(&self->cancellable);
    g_clear_object(&self->qga);
    G_OBJECT_CLASS(mf_agent_pulse_parent_class)->finalize(object);
}

static void
mf_agent_pulse_class_init(MfAgentPulseClass *class)
{
    G_OBJECT_CLASS(class)->finalize = mf_agent_pulse_finalize;
    lost_signal = g_signal_new("lost", MF_TYPE_AGENT_PULSE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                               G_TYPE_NONE, 1, G_TYPE_ERROR);
}

static void
mf_agent_pulse_init(MfAgentPulse *self)
{
    self->cancellable = g_cancellable_new();
}

MfAgentPulse *
mf_agent_pulse_new(MfQga *qga, guint interval_ms)
{
    MfAgentPulse *self = g_object_new(MF_TYPE_AGENT_PULSE, NULL);

    self->qga = g_object_ref(qga);
    self->interval_ms = interval_ms;
    return self;
}

static void
on_answer(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfAgentPulse) self = data;
    g_autoptr(GError) error = NULL;
    gboolean good = mf_qga_guest_ping_finish(MF_QGA(source), result, &error);

    if (g_cancellable_is_cancelled(self->cancellable))
        return;
    if (good) {
        mf_agent_pulse_start(self);
        return;
    }

    g_autoptr(GError) explained = mf_exec_explain_silence(error);
    mf_agent_pulse_stop(self);
    g_signal_emit(self, lost_signal, 0, explained);
}

static gboolean
on_due(gpointer data)
{
    MfAgentPulse *self = data;

    self->timer = 0;
    mf_qga_guest_ping_async(self->qga, ANSWER_TIMEOUT_MS, self->cancellable, on_answer,
                            g_object_ref(self));
    return G_SOURCE_REMOVE;
}

void
mf_agent_pulse_start(MfAgentPulse *self)
{
    self->timer = g_timeout_add(self->interval_ms, on_due, self);
}

void
mf_agent_pulse_stop(MfAgentPulse *self)
{
    g_cancellable_cancel(self->cancellable);
    g_clear_handle_id(&self->timer, g_source_remove);
}
