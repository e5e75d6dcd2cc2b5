/* SPDX-License-Identifier: Apache-2.0 */
#include "run/guest-setup.h"

#include "base/error.h"
#include "base/source.h"

struct _MfGuestSetup {
    GObject parent;
    const MfTarget *target; /* borrowed */
    const MfPlan *plan;     /* borrowed */
    MfMachine *machine;     /* owned */
    MfStream *stream;       /* owned */
    MfImage *image;         /* owned; while and after an image's system is set up */
    GTask *task;            /* owned; while it runs */
    GSource *cancel_source; /* owned; likewise */
    GCancellable *inner;    /* owned; of the operation under way */
    MfImageMeans means;
    char *boot_id; /* owned; or NULL */
};

G_DEFINE_FINAL_TYPE(MfGuestSetup, mf_guest_setup, G_TYPE_OBJECT)

static void
mf_guest_setup_dispose(GObject *object)
{
    MfGuestSetup *self = MF_GUEST_SETUP(object);

    g_clear_object(&self->image);
    g_clear_object(&self->stream);
    g_clear_object(&self->machine);
    g_clear_object(&self->inner);
    g_clear_pointer(&self->boot_id, g_free);
    G_OBJECT_CLASS(mf_guest_setup_parent_class)->dispose(object);
}

static void
mf_guest_setup_class_init(MfGuestSetupClass *class)
{
    G_OBJECT_CLASS(class)->dispose = mf_guest_setup_dispose;
}

static void
mf_guest_setup_init(MfGuestSetup *self)
{
    self->inner = g_cancellable_new();
}

/* The one exit, once; 'error' is consumed. */
static void
finish(MfGuestSetup *self, GError *error)
{
    g_autoptr(GTask) task = g_steal_pointer(&self->task);
    g_autoptr(GError) owned = error;

    if (!task)
        return;
    mf_source_clear(&self->cancel_source);
    g_signal_handlers_disconnect_by_data(self->stream, self);
    g_cancellable_cancel(self->inner);
    if (owned)
        g_task_return_error(task, g_steal_pointer(&owned));
    else
        g_task_return_boolean(task, TRUE);
}

static gboolean
on_cancelled(GCancellable *cancellable, gpointer data)
{
    finish(data, g_error_new(MF_ERROR, MF_ERROR_CANCELLED, "The guest's setup was cancelled."));
    return G_SOURCE_REMOVE;
}

static void
on_synced(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfGuestSetup) self = data;
    g_autoptr(GError) error = NULL;

    mf_qga_sync_finish(MF_QGA(source), result, &error);
    finish(self, g_steal_pointer(&error));
}

/* The init script is on its own now: it is up when the agent that it starts answers. */
static void
await_agent(MfGuestSetup *self)
{
    mf_qga_sync_async(mf_machine_get_qga(self->machine), 0, self->inner, on_synced,
                      g_object_ref(self));
}

static void
on_configured(MfGuestSetup *self, const char *reason, const char *boot_id)
{
    self->boot_id = g_strdup(boot_id);
    if (reason)
        finish(self,
               g_error_new(MF_ERROR, MF_ERROR_GUEST, "The guest could not be set up: %s", reason));
    else if (self->plan->init == MF_INIT_SCRIPT)
        await_agent(self);
    else
        finish(self, NULL);
}

static void
on_image_set_up(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfGuestSetup) self = data;
    g_autoptr(GError) error = NULL;

    if (mf_image_set_up_finish(MF_IMAGE(source), result, &self->means, &error) && self->task)
        mf_image_check(MF_IMAGE(source), self->means, self->target, &error);
    finish(self, g_steal_pointer(&error));
}

static void
set_up_image(MfGuestSetup *self)
{
    self->image = mf_image_new(mf_machine_get_qga(self->machine), self->plan->image_script);
    mf_image_set_up_async(self->image, self->inner, on_image_set_up, g_object_ref(self));
}

static void
configure(MfGuestSetup *self)
{
    g_autoptr(GBytes) conf = mf_plan_make_conf(self->plan);

    g_signal_connect_object(self->stream, "configured", G_CALLBACK(on_configured), self,
                            G_CONNECT_SWAPPED);
    mf_stream_send_conf(self->stream, conf);
}

MfGuestSetup *
mf_guest_setup_new(const MfTarget *target, const MfPlan *plan, MfMachine *machine, MfStream *stream)
{
    MfGuestSetup *self = g_object_new(MF_TYPE_GUEST_SETUP, NULL);

    self->target = target;
    self->plan = plan;
    self->machine = g_object_ref(machine);
    self->stream = g_object_ref(stream);
    return self;
}

void
mf_guest_setup_run_async(MfGuestSetup *self, GCancellable *cancellable,
                         GAsyncReadyCallback callback, gpointer user_data)
{
    self->task = g_task_new(self, NULL, callback, user_data);
    self->cancel_source = mf_source_add_cancelled(cancellable, on_cancelled, self);
    if (self->plan->image_script)
        set_up_image(self);
    else if (self->plan->initramfs)
        configure(self);
    else
        await_agent(self);
}

gboolean
mf_guest_setup_run_finish(MfGuestSetup *self, GAsyncResult *result, MfImageMeans *ret_means,
                          GError **error)
{
    if (!g_task_propagate_boolean(G_TASK(result), error))
        return FALSE;
    *ret_means = self->means;
    return TRUE;
}

const char *
mf_guest_setup_get_boot_id(MfGuestSetup *self)
{
    return self->boot_id;
}
