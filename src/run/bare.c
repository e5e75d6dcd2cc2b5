/* SPDX-License-Identifier: Apache-2.0 */
#include "run/bare.h"

#include <sys/wait.h>

#include "base/error.h"
#include "base/parse.h"
#include "base/source.h"
#include "machine/debug-exit.h"
#include "qapi/qmp-commands.h"
#include "run/guest-end.h"
#include "run/image.h"
#include "run/serial-link.h"

/* After QEMU's end, how long what the guest said last may take to arrive. */
#define DRAIN_MS 1000

#define CONT_TIMEOUT_MS 30000

/* What QEMU exits with when something is wrong with it. */
#define QEMU_FAILED 1

/* What a guest that did not do what is asked of it comes to. */
#define UNMET_STATUS 1

struct _MfBare {
    GObject parent;
    const MfTarget *target; /* borrowed */
    MfMachine *machine;     /* owned */
    MfConsoleWatch *watch;  /* owned */
    MfSerialLink *link;     /* owned */
    GTask *task;            /* owned; while it runs */
    GSource *cancel_source; /* owned */
    GError *lost;           /* owned; how the machine ended */
    MfBareEnd *end;         /* owned; the verdict, until it is given */
    gboolean console_closed;
    guint limit, drain;
};

G_DEFINE_FINAL_TYPE(MfBare, mf_bare, G_TYPE_OBJECT)

void
mf_bare_end_clear(MfBareEnd *self)
{
    g_clear_pointer(&self->message, g_free);
}

static void
end_free(gpointer data)
{
    mf_bare_end_clear(data);
    g_free(data);
}

static void
stop_sources(MfBare *self)
{
    g_clear_handle_id(&self->limit, g_source_remove);
    g_clear_handle_id(&self->drain, g_source_remove);
    mf_source_clear(&self->cancel_source);
}

static void
mf_bare_dispose(GObject *object)
{
    MfBare *self = MF_BARE(object);

    stop_sources(self);
    g_clear_error(&self->lost);
    g_clear_pointer(&self->end, end_free);
    g_clear_object(&self->watch);
    g_clear_object(&self->link);
    g_clear_object(&self->machine);
    G_OBJECT_CLASS(mf_bare_parent_class)->dispose(object);
}

static void
mf_bare_class_init(MfBareClass *class)
{
    G_OBJECT_CLASS(class)->dispose = mf_bare_dispose;
}

static void
mf_bare_init(MfBare *self)
{
}

/* The verdict is known; what the guest said is yet to be read. */
static void
on_flushed(MfBare *self)
{
    if (!self->end || !self->task)
        return;

    g_autoptr(GTask) task = g_steal_pointer(&self->task);
    stop_sources(self);
    g_task_return_pointer(task, g_steal_pointer(&self->end), end_free);
}

/* What was lost must not pass for a success. */
static void
on_output_failed(MfBare *self, const GError *error)
{
    g_autoptr(GTask) task = g_steal_pointer(&self->task);

    stop_sources(self);
    if (task)
        g_task_return_error(task, g_error_copy(error));
}

/* The one exit with a verdict; the first one stands. 'end' is taken. */
static void
finish(MfBare *self, MfBareEnd *end)
{
    if (self->end) {
        mf_bare_end_clear(end);
        return;
    }
    g_clear_handle_id(&self->limit, g_source_remove);
    g_clear_handle_id(&self->drain, g_source_remove);
    self->end = g_memdup2(end, sizeof(*end));
    if (mf_serial_link_get_queued(self->link) == 0)
        on_flushed(self);
}

void
mf_bare_judge_end(MfMachineEnd end, const char *awaited, MfBareEnd *ret_end)
{
    const char *how = end == MF_MACHINE_END_RESET ? "rebooted" : "powered itself off";

    *ret_end = (MfBareEnd){.verdict = MF_VERDICT_EXITED, .passed = TRUE};
    if (!awaited)
        return;
    ret_end->passed = FALSE;
    ret_end->status = UNMET_STATUS;
    ret_end->message =
        g_strdup_printf("The guest %s, and its console had not said %s.", how, awaited);
}

void
mf_bare_judge_code(guint success, int wait_status, const char *complaint, const char *awaited,
                   MfBareEnd *ret_end)
{
    gboolean failed =
        !WIFEXITED(wait_status) || (WEXITSTATUS(wait_status) == QEMU_FAILED && complaint != NULL);
    char *unmet = mf_debug_exit_judge(success, wait_status);

    /* That a guest wrote 0 and that QEMU failed are one status: what QEMU says tells which. */
    if (failed) {
        *ret_end =
            (MfBareEnd){.verdict = MF_VERDICT_FAILED,
                        .message = complaint ? g_strdup(complaint) : g_steal_pointer(&unmet)};
        g_free(unmet);
        return;
    }
    *ret_end = (MfBareEnd){.verdict = MF_VERDICT_EXITED, .passed = !unmet && !awaited};
    if (unmet)
        ret_end->message = unmet;
    else if (awaited)
        ret_end->message = g_strdup_printf("The guest ended with the exit status %u, as it was to, "
                                           "and its console had not said %s.",
                                           success, awaited);
    if (!ret_end->passed)
        ret_end->status =
            unmet && WEXITSTATUS(wait_status) ? WEXITSTATUS(wait_status) : UNMET_STATUS;
}

/* The verdict by the exit status. FALSE when QEMU is not what has ended. */
static gboolean
judge_code(MfBare *self, const char *awaited, MfBareEnd *ret_end)
{
    int wait_status;
    gboolean complained;

    if (!mf_machine_get_exit(self->machine, &wait_status, &complained))
        return FALSE;
    mf_bare_judge_code(self->target->success_exit_code, wait_status,
                       complained ? self->lost->message : NULL, awaited, ret_end);
    return TRUE;
}

/* The machine is gone, and all that it said is here. */
static void
judge(MfBare *self)
{
    const MfConsoleRules *rules = mf_console_watch_get_rules(self->watch);
    g_autofree char *awaited = mf_console_rules_describe_awaited(rules);
    MfMachineEnd how = mf_machine_get_end(self->machine);
    MfBareEnd end = {0};

    if (self->target->success_exit_code > 0) {
        end.verdict = mf_guest_end_judge(self->machine, MF_PHASE_EXECUTE, self->lost, &end.message);
        if (end.verdict != MF_VERDICT_CRASHED) {
            MfBareEnd by_code = {0};

            if (judge_code(self, awaited, &by_code)) {
                mf_bare_end_clear(&end);
                end = by_code;
            }
        }
        finish(self, &end);
        return;
    }
    /* What was asked for may have been in the last words. */
    if (mf_console_rules_get_state(rules) == MF_CONSOLE_MET)
        how = MF_MACHINE_END_POWEROFF;
    else
        end.verdict = mf_guest_end_judge(self->machine, MF_PHASE_EXECUTE, self->lost, &end.message);
    if (end.verdict != MF_VERDICT_CRASHED &&
        (how == MF_MACHINE_END_POWEROFF || how == MF_MACHINE_END_RESET)) {
        mf_bare_end_clear(&end);
        mf_bare_judge_end(how, awaited, &end);
    }
    finish(self, &end);
}

static gboolean
on_drain_over(gpointer data)
{
    MfBare *self = data;

    /* It said more than is read yet. */
    if (mf_serial_link_get_queued(self->link) > 0)
        return G_SOURCE_CONTINUE;
    self->drain = 0;
    judge(self);
    return G_SOURCE_REMOVE;
}

static void
on_console_closed(MfBare *self)
{
    self->console_closed = TRUE;
    if (self->task && self->lost)
        judge(self);
}

static void
on_machine_ended(MfBare *self, const GError *error)
{
    if (self->lost)
        return;
    self->lost = g_error_copy(error);
    if (!self->task)
        return;
    if (self->console_closed)
        judge(self);
    else
        /* Behind whatever is there to be read: a busy host may be late with both. */
        self->drain =
            g_timeout_add_full(G_PRIORITY_DEFAULT_IDLE, DRAIN_MS, on_drain_over, self, NULL);
}

static void
on_rules_decided(MfBare *self)
{
    const MfConsoleRules *rules = mf_console_watch_get_rules(self->watch);
    MfBareEnd end = {.verdict = MF_VERDICT_EXITED, .passed = TRUE};

    /* A guest that is to end by itself has more to do than to say what it is to say. */
    if (self->task && self->target->success_exit_code == 0 &&
        mf_console_rules_get_state(rules) == MF_CONSOLE_MET)
        finish(self, &end);
}

/* A firmware that found nothing waits for ever. Who asks for something of the console may be
 * waiting for just that, and has a time for it. */
static void
on_line(MfBare *self, const char *line)
{
    MfBareEnd end = {.verdict = MF_VERDICT_FAILED};

    if (!self->task || !self->target->image || self->target->console->len > 0 ||
        !mf_image_is_dead_end(line))
        return;
    end.message = mf_image_describe_unbootable(self->target, line);
    finish(self, &end);
}

static gboolean
on_limit(gpointer data)
{
    MfBare *self = data;
    g_autofree char *limit = mf_format_duration(self->target->timeout_ms);
    MfBareEnd end = {
        .verdict = MF_VERDICT_TIMEOUT,
        .message = g_strdup_printf("The guest did not end within %s.", limit),
    };

    self->limit = 0;
    finish(self, &end);
    return G_SOURCE_REMOVE;
}

static gboolean
on_cancelled(GCancellable *cancellable, gpointer data)
{
    MfBare *self = data;
    g_autoptr(GTask) task = g_steal_pointer(&self->task);

    stop_sources(self);
    g_task_return_new_error(task, MF_ERROR, MF_ERROR_CANCELLED, "The boot was cancelled.");
    return G_SOURCE_REMOVE;
}

/* A QEMU that is gone tells why by its end, which follows. */
static void
on_started(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfBare) self = data;
    g_autoptr(GError) error = NULL;

    if (mf_qmp_cont_finish(MF_QMP(source), result, &error) || !self->task ||
        g_error_matches(error, MF_ERROR, MF_ERROR_LOST))
        return;

    g_autoptr(GTask) task = g_steal_pointer(&self->task);
    stop_sources(self);
    g_task_return_error(task, g_steal_pointer(&error));
}

MfBare *
mf_bare_new(const MfTarget *target, MfMachine *machine, MfConsoleWatch *watch, MfStdio *stdio)
{
    MfBare *self = g_object_new(MF_TYPE_BARE, NULL);

    self->target = target;
    self->machine = g_object_ref(machine);
    self->watch = g_object_ref(watch);
    self->link = mf_serial_link_new(mf_machine_get_channel(machine, MF_CHANNEL_CONSOLE), stdio);
    g_signal_connect_object(self->link, "flushed", G_CALLBACK(on_flushed), self, G_CONNECT_SWAPPED);
    g_signal_connect_object(self->link, "failed", G_CALLBACK(on_output_failed), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(mf_machine_get_channel(machine, MF_CHANNEL_CONSOLE), "closed",
                            G_CALLBACK(on_console_closed), self, G_CONNECT_SWAPPED);
    g_signal_connect_object(mf_machine_get_console(machine), "line", G_CALLBACK(on_line), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(machine, "ended", G_CALLBACK(on_machine_ended), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(watch, "decided", G_CALLBACK(on_rules_decided), self,
                            G_CONNECT_SWAPPED);
    return self;
}

void
mf_bare_run_async(MfBare *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                  gpointer user_data)
{
    self->task = g_task_new(self, cancellable, callback, user_data);
    g_task_set_check_cancellable(self->task, FALSE);
    self->cancel_source = mf_source_add_cancelled(cancellable, on_cancelled, self);
    if (self->target->timeout_ms > 0)
        self->limit = g_timeout_add((guint)MIN(self->target->timeout_ms, G_MAXINT), on_limit, self);
    mf_serial_link_open(self->link);
    mf_qmp_cont_async(mf_machine_get_qmp(self->machine), CONT_TIMEOUT_MS, cancellable, on_started,
                      g_object_ref(self));
    /* What has happened already. */
    on_rules_decided(self);
    if (self->task && self->lost)
        judge(self);
}

gboolean
mf_bare_run_finish(MfBare *self, GAsyncResult *result, MfBareEnd *ret_end, GError **error)
{
    g_autofree MfBareEnd *end = g_task_propagate_pointer(G_TASK(result), error);

    if (!end)
        return FALSE;
    *ret_end = *end;
    return TRUE;
}
