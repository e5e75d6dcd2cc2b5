/* SPDX-License-Identifier: Apache-2.0 */
#include "run/boot.h"

#include "base/error.h"
#include "base/parse.h"
#include "base/source.h"
#include "run/image-wait.h"
#include "run/image.h"
#include "run/renewal.h"
#include "warm/build.h"
#include "warm/entry.h"
#include "warm/key.h"
#include "warm/store.h"
#include "warm/transfer.h"
#include "warm/wait.h"

/* For how long another run may take to save the machine that this one could restore; it may have
 * all of the boot's limit for an image. */
#define BUILDER_TIMEOUT_MS 60000

/* For how long QEMU may take to be ready for a saved machine. Without one the boot's deadline is
 * all there is. */
#define RESTORE_TIMEOUT_MS 10000

#define FILES_CHANGED "What it is made of was changed meanwhile."

typedef enum {
    STATE_LOOKUP,  /* no machine yet */
    STATE_COLD,    /* boots, for good */
    STATE_BUILD,   /* boots, to be saved */
    STATE_SAVE,    /* is being saved, and ends */
    STATE_RESTORE, /* is being restored */
    STATE_RETREAT, /* a machine that came to nothing ends; a cold boot follows */
} State;

struct _MfBoot {
    GObject parent;
    const MfPlan *plan;     /* borrowed */
    const MfTarget *target; /* borrowed */
    State state;
    MfMachine *machine;     /* owned */
    MfStream *stream;       /* owned */
    MfWarmKey *key;         /* owned; NULL when saved machines are of no use */
    MfWarmBuild *build;     /* owned; while a machine is saved */
    MfWarmEntry *entry;     /* owned; while a machine is restored */
    GTask *task;            /* owned */
    GSource *cancel_source; /* owned */
    GCancellable *inner;    /* owned; of the operation under way */
    gboolean save_only, may_save, built, repeating;
    gboolean awaits_agent; /* of an image's system */
    guint loose_ends;      /* of a machine that was saved and ends */
    guint deadline;        /* of a boot that only saves: a run has its own */
    gint64 waits_until;    /* monotonic microseconds; 0 until another run is waited for */
    char *why_cold;        /* owned; NULL as long as nothing is wrong */
};

G_DEFINE_FINAL_TYPE(MfBoot, mf_boot, G_TYPE_OBJECT)

enum { SIGNAL_WAITING, SIGNAL_LAUNCHING, SIGNAL_LAUNCHED, SIGNAL_OPENED, N_SIGNALS };
static guint signals[N_SIGNALS];

static void look_up(MfBoot *self);

static void
mf_boot_dispose(GObject *object)
{
    MfBoot *self = MF_BOOT(object);

    g_clear_object(&self->stream);
    g_clear_object(&self->machine);
    g_clear_object(&self->inner);
    g_clear_pointer(&self->build, mf_warm_build_free);
    g_clear_pointer(&self->entry, mf_warm_entry_free);
    g_clear_pointer(&self->key, mf_warm_key_free);
    g_clear_pointer(&self->why_cold, g_free);
    G_OBJECT_CLASS(mf_boot_parent_class)->dispose(object);
}

static void
mf_boot_class_init(MfBootClass *class)
{
    static const char *const names[N_SIGNALS] = {"waiting", "launching", "launched", "opened"};

    G_OBJECT_CLASS(class)->dispose = mf_boot_dispose;
    for (guint i = 0; i < N_SIGNALS; i++)
        signals[i] = g_signal_new(names[i], MF_TYPE_BOOT, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                  G_TYPE_NONE, 0);
}

static void
mf_boot_init(MfBoot *self)
{
    self->inner = g_cancellable_new();
}

/* The one exit. 'error' is consumed; what is left of saving a machine is removed. */
static void
finish(MfBoot *self, GError *error)
{
    g_autoptr(GTask) task = g_steal_pointer(&self->task);

    g_clear_handle_id(&self->deadline, g_source_remove);
    mf_source_clear(&self->cancel_source);
    g_cancellable_cancel(self->inner);
    g_clear_pointer(&self->build, mf_warm_build_free);
    g_clear_pointer(&self->entry, mf_warm_entry_free);
    if (error)
        g_task_return_error(task, error);
    else
        g_task_return_boolean(task, TRUE);
}

static gboolean
on_cancelled(GCancellable *cancellable, gpointer data)
{
    MfBoot *self = data;

    finish(self, g_error_new(MF_ERROR, MF_ERROR_CANCELLED, "The boot was cancelled."));
    return G_SOURCE_REMOVE;
}

static gboolean
on_overdue(gpointer data)
{
    MfBoot *self = data;
    g_autofree char *limit = mf_format_duration(self->target->boot_timeout_ms);
    g_autofree char *silence = mf_boot_describe_silence(self, limit);

    self->deadline = 0;
    finish(self, silence ? g_error_new_literal(MF_ERROR, MF_ERROR_TIMEOUT, silence)
                         : g_error_new(MF_ERROR, MF_ERROR_TIMEOUT,
                                       "The machine was not ready to be saved within %s.", limit));
    return G_SOURCE_REMOVE;
}

/* From the start of QEMU on: waiting for another run has a limit of its own. */
static void
arm_deadline(MfBoot *self)
{
    g_clear_handle_id(&self->deadline, g_source_remove);
    if (self->save_only && self->target->boot_timeout_ms > 0)
        self->deadline =
            g_timeout_add((guint)MIN(self->target->boot_timeout_ms, G_MAXINT), on_overdue, self);
}

static void
on_kernel_log(MfConsole *console, GBytes *text)
{
    mf_console_feed(console, g_bytes_get_data(text, NULL), g_bytes_get_size(text));
}

static void
set_reading(MfBoot *self, gboolean reading)
{
    static const MfChannel channels[] = {MF_CHANNEL_CONSOLE, MF_CHANNEL_STREAM};

    for (gsize i = 0; i < G_N_ELEMENTS(channels); i++)
        mf_transport_set_reading(mf_machine_get_channel(self->machine, channels[i]), reading);
}

static void on_opened(GObject *source, GAsyncResult *result, gpointer data);
static void on_machine_ended(MfBoot *self, GError *error);
static void on_machine_stopped(MfBoot *self);

/* Launches the machine of the plan, with a 'backing' or without (NULL), in place of the last. */
static gboolean
launch(MfBoot *self, State state, const MfBacking *backing, GError **error)
{
    MfSpec spec = *self->plan->spec;
    gboolean first = self->machine == NULL;

    spec.backing = backing;
    g_signal_emit(self, signals[SIGNAL_LAUNCHING], 0);
    g_clear_object(&self->stream);
    g_clear_object(&self->machine);
    if (!first && spec.firmware && !mf_firmware_renew_vars(spec.firmware, error))
        return FALSE;
    self->machine = mf_machine_launch(&spec, error);
    if (!self->machine)
        return FALSE;
    self->state = state;
    self->awaits_agent = FALSE;
    arm_deadline(self);
    self->stream = mf_stream_new(mf_machine_get_channel(self->machine, MF_CHANNEL_STREAM));
    g_signal_connect_object(self->stream, "kernel-log", G_CALLBACK(on_kernel_log),
                            mf_machine_get_console(self->machine), G_CONNECT_SWAPPED);
    g_signal_connect_object(self->stream, "closed", G_CALLBACK(mf_console_end_feed),
                            mf_machine_get_console(self->machine), G_CONNECT_SWAPPED);
    g_signal_connect_object(self->machine, "ended", G_CALLBACK(on_machine_ended), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(mf_machine_get_qmp(self->machine), "event::STOP",
                            G_CALLBACK(on_machine_stopped), self, G_CONNECT_SWAPPED);
    g_signal_emit(self, signals[SIGNAL_LAUNCHED], 0);
    mf_machine_open_async(self->machine, state == STATE_RESTORE ? RESTORE_TIMEOUT_MS : 0,
                          self->inner, on_opened, g_object_ref(self));
    return TRUE;
}

/* Why no saved machine is restored, nor one saved: 'why' is a sentence, or its end. Where saving
 * one was all there was to do, the end of that says it. */
static void
explain(MfBoot *self, const char *outcome, const char *why)
{
    g_free(self->why_cold);
    self->why_cold = g_strdup(why);
    if (!self->save_only)
        g_info("%s: %s", outcome, why);
}

/* Of a boot that only saves, the end: it was explained. */
static void
boot_cold(MfBoot *self)
{
    g_autoptr(GError) error = NULL;

    g_clear_pointer(&self->build, mf_warm_build_free);
    g_clear_pointer(&self->entry, mf_warm_entry_free);
    if (self->save_only)
        finish(self, g_error_new(MF_ERROR, MF_ERROR_HOST, "The machine could not be saved: %s",
                                 self->why_cold));
    else if (!launch(self, STATE_COLD, NULL, &error))
        finish(self, g_steal_pointer(&error));
}

static void
on_retreated(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfBoot) self = data;

    mf_machine_stop_finish(MF_MACHINE(source), result, NULL);
    if (self->task)
        boot_cold(self);
}

/* Ends the machine of now, if there is one, and boots cold. */
static void
retreat(MfBoot *self)
{
    self->state = STATE_RETREAT;
    if (self->machine)
        mf_machine_stop_async(self->machine, on_retreated, g_object_ref(self));
    else
        boot_cold(self);
}

static void
abandon_restore(MfBoot *self, const char *reason)
{
    g_message("The saved machine is removed, and this run boots: %s", reason);
    mf_warm_store_remove(self->key->id, NULL);
    retreat(self);
}

/* Another attempt to save would end the same way if QEMU refused it. */
static void
abandon_save(MfBoot *self, const GError *error)
{
    explain(self, "The machine cannot be saved, and this run boots", error->message);
    if (g_error_matches(error, MF_ERROR, MF_ERROR_REMOTE))
        mf_warm_store_refuse(self->key->id, error->message);
    retreat(self);
}

/* The copy is this run's own: what was said while the saved machine booted comes before what the
 * guest says from now on. */
static void
take_over(MfBoot *self)
{
    self->repeating = self->built;
    on_kernel_log(mf_machine_get_console(self->machine), self->entry->console);
    mf_console_mark(mf_machine_get_console(self->machine));
    if (!self->plan->image_script)
        mf_stream_resume(self->stream, self->entry->stream);
    self->repeating = FALSE;
    set_reading(self, TRUE);
    g_info("This run is a copy of a saved machine: %.12s was restored.", self->key->id);
    finish(self, NULL);
}

/* A copy that has the random numbers and the time of all others is of no use, and the next one
 * would end the same way. */
static void
on_renewed(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfBoot) self = data;
    g_autoptr(GError) error = NULL;
    gboolean good = mf_renewal_run_finish(MF_QGA(source), result, &error);

    if (!self->task || self->state != STATE_RESTORE)
        return;
    if (good) {
        take_over(self);
        return;
    }
    if (g_error_matches(error, MF_ERROR, MF_ERROR_GUEST))
        mf_warm_store_refuse(self->key->id, error->message);
    abandon_restore(self, error->message);
}

static void
on_restored(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfBoot) self = data;
    g_autoptr(GError) error = NULL;
    gboolean good = mf_warm_restore_finish(MF_MACHINE(source), result, &error);

    if (!self->task || self->state != STATE_RESTORE)
        return;
    if (!good)
        abandon_restore(self, error->message);
    else if (self->plan->image_script)
        mf_renewal_run_async(mf_machine_get_qga(self->machine), self->inner, on_renewed,
                             g_object_ref(self));
    else
        take_over(self);
}

/* Whether all that QEMU has opened by now is what the key was made of. */
static gboolean
is_key_current(MfBoot *self)
{
    g_autoptr(MfWarmKey) key = mf_warm_key_find(self->plan->spec, NULL);

    return key && g_str_equal(key->id, self->key->id);
}

static char *
get_version(MfBoot *self)
{
    guint major, minor, micro;

    mf_qmp_get_version(mf_machine_get_qmp(self->machine), &major, &minor, &micro);
    return g_strdup_printf("%u.%u.%u", major, minor, micro);
}

static void
load_state(MfBoot *self)
{
    g_autofree char *version = get_version(self);

    if (!g_str_equal(version, self->entry->qemu_version))
        abandon_restore(self, "another version of QEMU saved it.");
    else if (!is_key_current(self))
        abandon_restore(self, FILES_CHANGED);
    else
        mf_warm_restore_async(self->machine, self->inner, on_restored, g_object_ref(self));
}

static void
restore(MfBoot *self)
{
    MfBacking backing = {TRUE, self->entry->ram_fd, self->entry->state_fd, self->entry->overlay_fd};
    g_autoptr(GError) error = NULL;

    if (launch(self, STATE_RESTORE, &backing, &error))
        set_reading(self, FALSE);
    else
        abandon_restore(self, error->message);
}

/* All of what the saved machine has said is here now: publishes it. */
static void
publish(MfBoot *self)
{
    g_autofree char *version = get_version(self);
    g_autoptr(GBytes) console = mf_console_get_kept(mf_machine_get_console(self->machine));
    g_autoptr(GBytes) stream = mf_stream_take_residual(self->stream);
    const MfWarmExtras extras = {console, stream, version, self->plan->label};
    g_autoptr(GError) error = NULL;

    if (!is_key_current(self))
        g_set_error_literal(&error, MF_ERROR, MF_ERROR_HOST, FILES_CHANGED);
    if (error || !mf_warm_build_commit(self->build, &extras, &error)) {
        abandon_save(self, error);
        return;
    }
    g_clear_pointer(&self->build, mf_warm_build_free);
    g_info("This run has saved the machine: %.12s.", self->key->id);
    self->built = TRUE;
    self->may_save = FALSE;
    self->state = STATE_LOOKUP;
    look_up(self);
}

static void
tie_end(MfBoot *self)
{
    if (--self->loose_ends == 0 && self->task && self->state == STATE_SAVE)
        publish(self);
}

static void
on_saved_stopped(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfBoot) self = data;

    mf_machine_stop_finish(MF_MACHINE(source), result, NULL);
    tie_end(self);
}

/* QEMU has let go of the files when it is gone; and what it passed on from the guest before is here
 * when the channels have ended. */
static void
on_saved(GObject *source, GAsyncResult *result, gpointer data)
{
    static const MfChannel channels[] = {MF_CHANNEL_CONSOLE, MF_CHANNEL_STREAM};
    g_autoptr(MfBoot) self = data;
    g_autoptr(GError) error = NULL;
    gboolean good = mf_warm_save_finish(MF_MACHINE(source), result, &error);

    if (!self->task || self->state != STATE_SAVE)
        return;
    if (!good) {
        abandon_save(self, error);
        return;
    }
    self->loose_ends = 1 + G_N_ELEMENTS(channels);
    for (gsize i = 0; i < G_N_ELEMENTS(channels); i++)
        g_signal_connect_object(mf_machine_get_channel(self->machine, channels[i]), "closed",
                                G_CALLBACK(tie_end), self, G_CONNECT_SWAPPED);
    mf_machine_stop_async(self->machine, on_saved_stopped, g_object_ref(self));
}

static void
on_ready(MfBoot *self)
{
    if (!self->task)
        return;
    if (self->state == STATE_BUILD) {
        self->state = STATE_SAVE;
        mf_warm_save_async(self->machine, mf_warm_build_get_state_fd(self->build), self->inner,
                           on_saved, g_object_ref(self));
    } else if (self->state == STATE_COLD) {
        finish(self, NULL);
    }
}

/* The system cannot be saved, but it is up: the run goes on with it. Nobody else gets at the files
 * that it has been using any more. */
static void
keep_unsaved(MfBoot *self, GError *error)
{
    g_info("The image's system cannot be saved, and this run goes on in it: %s", error->message);
    if (g_error_matches(error, MF_ERROR, MF_ERROR_GUEST) ||
        g_error_matches(error, MF_ERROR, MF_ERROR_REMOTE))
        mf_warm_store_refuse(self->key->id, error->message);
    self->state = STATE_COLD;
    finish(self, self->save_only ? g_error_copy(error) : NULL);
}

static void
on_prepared(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfBoot) self = data;
    g_autoptr(GError) error = NULL;
    gboolean good = mf_renewal_prepare_finish(MF_QGA(source), result, &error);

    if (!self->task || self->state != STATE_BUILD)
        return;
    if (good)
        on_ready(self);
    else if (!g_error_matches(error, MF_ERROR, MF_ERROR_LOST))
        keep_unsaved(self, error);
}

/* That the agent is lost while a machine is to be saved is followed by that machine's end. */
static void
on_agent_ready(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfBoot) self = data;
    g_autoptr(GError) error = NULL;
    gboolean good = mf_image_wait_finish(MF_MACHINE(source), result, &error);

    if (!self->task || MF_MACHINE(source) != self->machine)
        return;
    if (self->state != STATE_BUILD && self->state != STATE_COLD)
        return;
    self->awaits_agent = FALSE;
    if (good && self->state == STATE_BUILD)
        mf_renewal_prepare_async(mf_machine_get_qga(self->machine), self->plan->spec->arch,
                                 self->inner, on_prepared, g_object_ref(self));
    else if (good)
        on_ready(self);
    else if (self->state == STATE_COLD || !g_error_matches(error, MF_ERROR, MF_ERROR_LOST))
        finish(self, g_steal_pointer(&error));
}

static void
await_ready(MfBoot *self)
{
    if (self->plan->image_script) {
        self->awaits_agent = TRUE;
        mf_image_wait_async(self->machine, self->target, self->inner, on_agent_ready,
                            g_object_ref(self));
        return;
    }
    /* Without an initramfs there is no ready point: the kernel starts the init script. */
    if (!self->plan->initramfs || mf_stream_is_ready(self->stream))
        on_ready(self);
    else
        g_signal_connect_object(self->stream, "ready", G_CALLBACK(on_ready), self,
                                G_CONNECT_SWAPPED);
}

static void
on_opened(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfBoot) self = data;
    g_autoptr(GError) error = NULL;
    gboolean good = mf_machine_open_finish(MF_MACHINE(source), result, &error);

    if (!self->task)
        return;
    if (!good) {
        if (self->state == STATE_COLD)
            finish(self, g_steal_pointer(&error));
        else if (self->state == STATE_RESTORE)
            abandon_restore(self, error->message);
        else
            abandon_save(self, error);
        return;
    }
    if (self->state == STATE_RESTORE) {
        load_state(self);
        return;
    }
    g_signal_emit(self, signals[SIGNAL_OPENED], 0);
    await_ready(self);
}

gboolean
mf_boot_survives_end(MfBoot *self)
{
    if (!self->task)
        return FALSE;
    /* A guest that ends its machine does so in a cold boot too. But QEMU itself may have been
     * killed because the cache ran out of room for what the guest writes to its memory. */
    if (self->state == STATE_BUILD)
        return !mf_machine_has_panicked(self->machine) &&
               mf_machine_get_end(self->machine) == MF_MACHINE_END_NONE;
    return self->state != STATE_COLD;
}

/* What ends while something is under way fails that; here is what only waits for the guest. */
static void
on_machine_ended(MfBoot *self, GError *error)
{
    if (self->task && self->state == STATE_BUILD && (self->save_only || mf_boot_survives_end(self)))
        abandon_save(self, error);
}

/* QEMU stops a machine whose disk cannot be written to because the cache is out of room. */
static void
on_machine_stopped(MfBoot *self)
{
    g_autoptr(GError) error = NULL;

    if (self->state != STATE_BUILD || !mf_boot_survives_end(self))
        return;
    g_set_error(&error, MF_ERROR, MF_ERROR_HOST,
                "QEMU has stopped it, as it does when there is no room for what it writes.");
    abandon_save(self, error);
}

static void
on_builder_gone(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfBoot) self = data;
    g_autoptr(GError) error = NULL;
    gboolean good = mf_warm_wait_finish(result, &error);

    if (!self->task)
        return;
    if (!good) {
        explain(self, "This run boots without a saved machine", error->message);
        boot_cold(self);
        return;
    }
    look_up(self);
}

static guint
get_builder_timeout(const MfBoot *self)
{
    gint64 boot_ms = self->plan->image_script ? self->target->boot_timeout_ms : 0;

    return (guint)CLAMP(boot_ms, BUILDER_TIMEOUT_MS, G_MAXINT);
}

/* Waits until whoever saves this machine has, or has not; somebody else may be at it then. */
static void
await_builder(MfBoot *self)
{
    gint64 now = g_get_monotonic_time();

    if (self->waits_until == 0) {
        g_message("Another run is saving this machine: waiting for it.");
        self->waits_until = now + get_builder_timeout(self) * G_TIME_SPAN_MILLISECOND;
        g_signal_emit(self, signals[SIGNAL_WAITING], 0);
    }
    if (now < self->waits_until) {
        mf_warm_wait_async(self->key->id,
                           (guint)((self->waits_until - now) / G_TIME_SPAN_MILLISECOND),
                           self->inner, on_builder_gone, g_object_ref(self));
        return;
    }
    explain(self, "This run boots without a saved machine", "others save it all the time.");
    boot_cold(self);
}

static void
build(MfBoot *self)
{
    MfWarmSizes sizes;
    gboolean busy = FALSE;
    g_autoptr(GError) error = NULL;

    if (mf_warm_sizes_measure(self->plan->spec, &sizes, &error))
        self->build = mf_warm_build_begin(self->key, &sizes, &busy, &error);
    if (self->build) {
        MfBacking backing = {FALSE, mf_warm_build_get_ram_fd(self->build),
                             mf_warm_build_get_state_fd(self->build),
                             mf_warm_build_get_overlay_fd(self->build)};

        if (!launch(self, STATE_BUILD, &backing, &error))
            abandon_save(self, error);
    } else if (busy) {
        await_builder(self);
    } else {
        explain(self, "The machine cannot be saved, and this run boots", error->message);
        boot_cold(self);
    }
}

/* There is no saved machine, and this run saves none. */
static void
boot_unsaved(MfBoot *self)
{
    explain(self, "No saved machine is used",
            self->built ? "the one that this run has saved is gone already."
                        : "there is none of this kind, and this run is to save none.");
    boot_cold(self);
}

static void
look_up(MfBoot *self)
{
    g_autoptr(GError) error = NULL;

    if (!mf_warm_entry_open(self->key, self->plan->spec->memory, &self->entry, &error))
        g_message("The saved machine is removed: %s.", error->message);
    if (self->entry && self->save_only)
        finish(self, NULL);
    else if (self->entry)
        restore(self);
    else if (self->may_save)
        build(self);
    else
        boot_unsaved(self);
}

/* The key, or NULL with the reason why there is no use in one. */
static MfWarmKey *
make_key(MfBoot *self, char **ret_reason)
{
    const MfSpec *spec = self->plan->spec;
    const char *why_not = self->target->cold ? "it was asked to boot" : mf_warm_why_not(spec);
    g_autoptr(GError) error = NULL;
    g_autoptr(MfWarmKey) key = NULL;

    if (why_not) {
        *ret_reason = g_strconcat(why_not, ".", NULL);
        return NULL;
    }
    key = mf_warm_key_find(spec, &error);
    *ret_reason = key ? mf_warm_store_get_refusal(key->id) : g_strdup(error->message);
    return *ret_reason ? NULL : g_steal_pointer(&key);
}

static void
start(MfBoot *self, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
    g_autofree char *reason = NULL;

    self->task = g_task_new(self, cancellable, callback, user_data);
    g_task_set_check_cancellable(self->task, FALSE);
    self->cancel_source = mf_source_add_cancelled(cancellable, on_cancelled, self);

    self->key = make_key(self, &reason);
    if (self->key) {
        look_up(self);
    } else {
        explain(self, "No saved machine is used", reason);
        boot_cold(self);
    }
}

MfBoot *
mf_boot_new(const MfPlan *plan, const MfTarget *target)
{
    MfBoot *self = g_object_new(MF_TYPE_BOOT, NULL);

    self->plan = plan;
    self->target = target;
    self->may_save = !target->no_save;
    return self;
}

void
mf_boot_start_async(MfBoot *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                    gpointer user_data)
{
    start(self, cancellable, callback, user_data);
}

gboolean
mf_boot_start_finish(MfBoot *self, GAsyncResult *result, GError **error)
{
    return g_task_propagate_boolean(G_TASK(result), error);
}

void
mf_boot_save_async(MfBoot *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                   gpointer user_data)
{
    self->save_only = TRUE;
    start(self, cancellable, callback, user_data);
}

gboolean
mf_boot_save_finish(MfBoot *self, GAsyncResult *result, GError **error)
{
    return g_task_propagate_boolean(G_TASK(result), error);
}

MfMachine *
mf_boot_get_machine(MfBoot *self)
{
    return self->machine;
}

MfStream *
mf_boot_get_stream(MfBoot *self)
{
    return self->stream;
}

gboolean
mf_boot_is_repeating(MfBoot *self)
{
    return self->repeating;
}

char *
mf_boot_describe_silence(MfBoot *self, const char *limit)
{
    return self->awaits_agent ? mf_image_describe_silence(self->target, limit) : NULL;
}
