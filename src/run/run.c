/* SPDX-License-Identifier: Apache-2.0 */
#include "run/run.h"

#include <string.h>

#include "base/error.h"
#include "base/parse.h"
#include "machine/machine.h"
#include "run/boot.h"
#include "run/exec-script.h"
#include "run/exec-stream.h"
#include "run/image.h"
#include "run/marks.h"
#include "run/plan.h"
#include "run/stream.h"
#include "wire/guest-protocol.h"

/* After its first words of panic, how long the guest has for its last ones. */
#define PANIC_GRACE_MS 1000

/* After a timeout, how long the command has between TERM and KILL, and to be reported after it. */
#define KILL_GRACE_MS  1000
#define KILL_REPORT_MS 1500

/* How every panic of Linux begins. */
#define PANIC_WORDS "Kernel panic - not syncing"

#define CONSOLE_TAIL_LINES 40

struct _MfRun {
    GObject parent;
    const MfTarget *target;    /* borrowed */
    MfStdio *stdio;            /* borrowed */
    MfPlan *plan;              /* owned */
    MfBoot *boot;              /* owned */
    MfMachine *machine;        /* owned */
    MfStream *stream;          /* owned */
    MfImage *image;            /* owned; once an image's system is awaited */
    MfImageMeans means;        /* of that system */
    MfExec *exec;              /* owned; while the command runs */
    MfTail *kept[3];           /* owned; of the command's outputs, for its expectations; or NULL */
    GTask *task;               /* owned */
    MfResult *result;          /* owned */
    MfMarks *marks;            /* owned */
    GCancellable *cancellable; /* owned; ends what the current step waits for */
    MfPhase phase;
    gint64 phase_started;
    guint16 rows, columns; /* of the command's terminal, when it has changed */
    GError *lost;          /* owned; why the command cannot be followed any more */
    guint deadline, panic_source, lost_source;
    gboolean decided, timed_out, step_pending;
};

G_DEFINE_FINAL_TYPE(MfRun, mf_run, G_TYPE_OBJECT)

enum { SIGNAL_CONSOLE, SIGNAL_PHASE_CHANGED, N_SIGNALS };
static guint signals[N_SIGNALS];

static void enter(MfRun *self, MfPhase phase);
static void decide_on_error(MfRun *self, const GError *error);
static void await_reason(MfRun *self, const GError *error);

static void
mf_run_dispose(GObject *object)
{
    MfRun *self = MF_RUN(object);

    g_clear_handle_id(&self->deadline, g_source_remove);
    g_clear_handle_id(&self->panic_source, g_source_remove);
    g_clear_handle_id(&self->lost_source, g_source_remove);
    g_clear_error(&self->lost);
    g_clear_object(&self->exec);
    g_clear_object(&self->image);
    for (int fd = 1; fd <= 2; fd++)
        g_clear_pointer(&self->kept[fd], mf_tail_free);
    g_clear_object(&self->stream);
    g_clear_object(&self->machine);
    g_clear_object(&self->boot);
    g_clear_object(&self->cancellable);
    g_clear_object(&self->marks);
    g_clear_pointer(&self->plan, mf_plan_free);
    g_clear_pointer(&self->result, mf_result_free);
    G_OBJECT_CLASS(mf_run_parent_class)->dispose(object);
}

static void
mf_run_class_init(MfRunClass *class)
{
    G_OBJECT_CLASS(class)->dispose = mf_run_dispose;
    signals[SIGNAL_CONSOLE] = g_signal_new("console", MF_TYPE_RUN, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                           NULL, G_TYPE_NONE, 1, G_TYPE_BYTES);
    signals[SIGNAL_PHASE_CHANGED] = g_signal_new("phase-changed", MF_TYPE_RUN, G_SIGNAL_RUN_LAST, 0,
                                                 NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_UINT);
}

static void
mf_run_init(MfRun *self)
{
    self->result = mf_result_new();
    self->cancellable = g_cancellable_new();
}

/* Fixes the verdict, once: the first decision stands, and the run goes on to its end. 'message' is
 * taken. */
static void
decide(MfRun *self, MfVerdict verdict, char *message)
{
    g_autofree char *owned = message;

    if (self->decided)
        return;
    self->decided = TRUE;
    g_clear_handle_id(&self->deadline, g_source_remove);
    g_clear_handle_id(&self->panic_source, g_source_remove);
    g_clear_handle_id(&self->lost_source, g_source_remove);
    self->result->verdict = verdict;
    self->result->phase = self->phase;
    self->result->message = g_steal_pointer(&owned);
    if (verdict != MF_VERDICT_EXITED && verdict != MF_VERDICT_SIGNALLED) {
        g_cancellable_cancel(self->cancellable);
        enter(self, MF_PHASE_STOP);
    }
}

/* The console's last words are evidence for everything that was not the command's own end. */
static void
keep_console_tail(MfRun *self)
{
    if (!self->machine || self->result->console_tail)
        return;
    self->result->console_tail =
        mf_console_get_tail(mf_machine_get_console(self->machine), CONSOLE_TAIL_LINES);
}

static void
decide_crashed(MfRun *self)
{
    g_autofree char *words =
        mf_console_find_line(mf_machine_get_console(self->machine), PANIC_WORDS);

    keep_console_tail(self);
    decide(self, MF_VERDICT_CRASHED,
           g_strdup_printf("The guest's kernel panicked during %s%s%s", mf_phase_name(self->phase),
                           words ? ": " : ".", words ? words : ""));
}

/* Owned by the caller. */
static char *
describe_timeout(MfRun *self, const char *limit)
{
    if (self->phase == MF_PHASE_EXECUTE)
        return g_strdup_printf("The command did not end within %s.", limit);
    if (self->image && !mf_image_has_answered(self->image))
        return mf_image_describe_silence(self->target, limit);
    return g_strdup_printf("The guest was not ready within %s: it was still in the %s phase.",
                           limit, mf_phase_name(self->phase));
}

static gboolean
on_deadline(gpointer data)
{
    MfRun *self = data;
    gboolean executing = self->phase == MF_PHASE_EXECUTE;
    gint64 limit = executing ? self->target->timeout_ms : self->target->boot_timeout_ms;
    g_autofree char *duration = mf_format_duration(limit);

    self->deadline = 0;
    /* The command is killed in the guest first: what it wrote until then arrives. */
    if (executing && !self->timed_out && self->exec && mf_exec_kill(self->exec, KILL_GRACE_MS)) {
        self->timed_out = TRUE;
        self->deadline = g_timeout_add(KILL_GRACE_MS + KILL_REPORT_MS, on_deadline, self);
        return G_SOURCE_REMOVE;
    }
    if (!executing)
        keep_console_tail(self);
    decide(self, MF_VERDICT_TIMEOUT, describe_timeout(self, duration));
    return G_SOURCE_REMOVE;
}

static void
arm_deadline(MfRun *self, gint64 ms)
{
    g_clear_handle_id(&self->deadline, g_source_remove);
    if (ms > 0)
        self->deadline = g_timeout_add((guint)MIN(ms, G_MAXINT), on_deadline, self);
}

static gboolean
on_panic_grace_over(gpointer data)
{
    MfRun *self = data;

    self->panic_source = 0;
    decide_crashed(self);
    return G_SOURCE_REMOVE;
}

static void
on_panicked(MfRun *self)
{
    if (!self->decided && !self->panic_source && !mf_boot_survives_end(self->boot))
        self->panic_source = g_timeout_add(PANIC_GRACE_MS, on_panic_grace_over, self);
}

static void
on_machine_ended(MfRun *self, GError *error)
{
    MfMachineEnd end = mf_machine_get_end(self->machine);

    if (self->decided || mf_boot_survives_end(self->boot))
        return;
    if (mf_machine_has_panicked(self->machine) || end == MF_MACHINE_END_PANIC ||
        mf_console_contains(mf_machine_get_console(self->machine), PANIC_WORDS)) {
        decide_crashed(self);
        return;
    }

    keep_console_tail(self);
    if (end == MF_MACHINE_END_POWEROFF || end == MF_MACHINE_END_RESET)
        decide(self, MF_VERDICT_FAILED,
               g_strdup_printf("The guest %s during %s.",
                               end == MF_MACHINE_END_POWEROFF ? "powered itself off" : "rebooted",
                               mf_phase_name(self->phase)));
    else
        decide_on_error(self, error);
}

static void
decide_on_error(MfRun *self, const GError *error)
{
    static const struct {
        MfErrorCode code;
        MfVerdict verdict;
    } verdicts[] = {
        {MF_ERROR_CONFIG, MF_VERDICT_CONFIG},
        {MF_ERROR_TIMEOUT, MF_VERDICT_TIMEOUT},
        {MF_ERROR_CANCELLED, MF_VERDICT_CANCELLED},
    };
    MfVerdict verdict = MF_VERDICT_FAILED;

    for (gsize i = 0; i < G_N_ELEMENTS(verdicts); i++)
        if (g_error_matches(error, MF_ERROR, (int)verdicts[i].code))
            verdict = verdicts[i].verdict;
    decide(self, verdict, g_strdup(error->message));
}

static void
on_console(MfRun *self, GBytes *bytes)
{
    if (!mf_boot_is_repeating(self->boot))
        g_signal_emit(self, signals[SIGNAL_CONSOLE], 0, bytes);
}

/* Neither a firmware that finds nothing to boot, nor the kernel of an image when it panics, need
 * end the machine. */
static void
on_image_line(MfRun *self, const char *line)
{
    if (strstr(line, PANIC_WORDS))
        on_panicked(self);
    else if (!mf_image_has_answered(self->image) && mf_image_is_unbootable(line))
        decide(self, MF_VERDICT_FAILED, mf_image_describe_unbootable(self->target, line));
}

/* An init script that gives up says why on the console, for want of another way. */
static void
on_console_line(MfRun *self, const char *line)
{
    if (self->image) {
        on_image_line(self, line);
        return;
    }

    const char *fatal = self->plan->init == MF_INIT_SCRIPT ? strstr(line, MF_GUEST_FATAL) : NULL;

    if (fatal)
        decide(
            self, MF_VERDICT_FAILED,
            g_strdup_printf("The guest's init script gave up: %s", fatal + strlen(MF_GUEST_FATAL)));
}

static void
step_resolve(MfRun *self)
{
    g_autoptr(GError) error = NULL;
    gboolean stdio_open[3];

    if (self->target->expect && !mf_expect_check_patterns(self->target->expect, &error)) {
        decide_on_error(self, error);
        return;
    }
    mf_stdio_get_open(self->stdio, stdio_open);
    self->plan = mf_plan_new(self->target, stdio_open, &error);
    if (!self->plan) {
        decide_on_error(self, error);
        return;
    }
    if (self->plan->accel_note && self->plan->spec->accel == MF_ACCEL_KVM)
        g_message("Running under KVM, as asked for, although %s.", self->plan->accel_note);
    else if (self->plan->accel_note)
        g_info("Running under software emulation: %s.", self->plan->accel_note);
    enter(self, MF_PHASE_LAUNCH);
}

static void
on_launched(MfRun *self)
{
    MfMachine *last = self->machine;

    if (last) {
        g_signal_handlers_disconnect_by_data(last, self);
        g_signal_handlers_disconnect_by_data(mf_machine_get_console(last), self);
    }
    g_set_object(&self->machine, mf_boot_get_machine(self->boot));
    g_set_object(&self->stream, mf_boot_get_stream(self->boot));
    g_signal_connect_object(self->machine, "panicked", G_CALLBACK(on_panicked), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(self->machine, "ended", G_CALLBACK(on_machine_ended), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(mf_machine_get_console(self->machine), "output", G_CALLBACK(on_console),
                            self, G_CONNECT_SWAPPED);
    g_signal_connect_object(mf_machine_get_console(self->machine), "line",
                            G_CALLBACK(on_console_line), self, G_CONNECT_SWAPPED);
    mf_marks_note_host(self->marks, "QEMU launched");
    mf_marks_watch(self->marks, mf_machine_get_console(self->machine), self->stream);
}

static void
on_opened(MfRun *self)
{
    mf_marks_note_host(self->marks, "QEMU's greeting");
    if (!self->decided)
        enter(self, MF_PHASE_BOOT);
}

static void
on_booted(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfRun) self = data;
    g_autoptr(GError) error = NULL;

    if (!mf_boot_start_finish(MF_BOOT(source), result, &error))
        decide_on_error(self, error);
    else if (!self->decided)
        enter(self, MF_PHASE_SETUP);
}

static void
step_launch(MfRun *self)
{
    self->boot = mf_boot_new(self->plan, self->target);
    g_signal_connect_object(self->boot, "launched", G_CALLBACK(on_launched), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(self->boot, "opened", G_CALLBACK(on_opened), self, G_CONNECT_SWAPPED);
    arm_deadline(self, self->target->boot_timeout_ms);
    mf_boot_start_async(self->boot, self->cancellable, on_booted, g_object_ref(self));
}

/* The boot goes on by itself to the ready point: everything loaded, nothing of this run in it yet.
 */
static void
step_boot(MfRun *self)
{
}

static void
on_synced(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfRun) self = data;
    g_autoptr(GError) error = NULL;

    if (mf_qga_sync_finish(MF_QGA(source), result, &error))
        enter(self, MF_PHASE_EXECUTE);
    else
        decide_on_error(self, error);
}

/* The init script is on its own now: it is up when the agent that it starts answers. */
static void
await_agent(MfRun *self)
{
    mf_qga_sync_async(mf_machine_get_qga(self->machine), 0, self->cancellable, on_synced,
                      g_object_ref(self));
}

static void
on_configured(MfRun *self, const char *reason)
{
    if (self->phase != MF_PHASE_SETUP)
        return;
    if (reason) {
        decide(self, MF_VERDICT_FAILED,
               g_strdup_printf("The guest could not be set up: %s", reason));
    } else if (self->plan->init == MF_INIT_SCRIPT) {
        await_agent(self);
    } else {
        enter(self, MF_PHASE_EXECUTE);
    }
}

/* What only mayfly-guest can do; a system that cannot run it would leave it out without a word. */
static const char *
get_unmet_wish(const MfRun *self)
{
    if (self->means == MF_IMAGE_STREAMS)
        return NULL;
    return self->target->tty ? "a terminal" : self->target->user ? "another user" : NULL;
}

static void
on_image_set_up(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfRun) self = data;
    g_autoptr(GError) error = NULL;
    const char *reason = mf_image_get_reason(MF_IMAGE(source));

    if (!mf_image_set_up_finish(MF_IMAGE(source), result, &self->means, &error)) {
        if (!self->decided)
            await_reason(self, error);
    } else if (self->means == MF_IMAGE_ALONE && self->target->mounts->len > 0) {
        decide(self, MF_VERDICT_FAILED,
               g_strdup_printf("The image's system cannot mount shares: %s", reason));
    } else if (get_unmet_wish(self)) {
        decide(self, MF_VERDICT_FAILED,
               g_strdup_printf("The command cannot have %s: the image's system cannot run "
                               "mayfly-guest. %s",
                               get_unmet_wish(self), reason));
    } else {
        if (self->means == MF_IMAGE_ALONE)
            g_message("The command does not find its directory: the image's system cannot mount "
                      "shares. %s",
                      reason);
        enter(self, MF_PHASE_EXECUTE);
    }
}

static void
step_setup(MfRun *self)
{
    if (self->plan->image_script) {
        self->image = mf_image_new(mf_machine_get_qga(self->machine), self->plan->image_script);
        mf_image_set_up_async(self->image, self->cancellable, on_image_set_up, g_object_ref(self));
        return;
    }
    if (!self->plan->initramfs) {
        await_agent(self);
        return;
    }

    g_autoptr(GBytes) conf = mf_plan_make_conf(self->plan);

    g_signal_connect_object(self->stream, "configured", G_CALLBACK(on_configured), self,
                            G_CONNECT_SWAPPED);
    mf_stream_send_conf(self->stream, conf);
}

static gboolean
on_reason_overdue(gpointer data)
{
    MfRun *self = data;

    self->lost_source = 0;
    decide_on_error(self, self->lost);
    return G_SOURCE_REMOVE;
}

/* A channel that hangs up says nothing: QEMU is ending, and its end, which follows, tells why. */
static void
await_reason(MfRun *self, const GError *error)
{
    keep_console_tail(self);
    if (!g_error_matches(error, MF_ERROR, MF_ERROR_LOST)) {
        decide_on_error(self, error);
        return;
    }
    self->lost = g_error_copy(error);
    self->lost_source = g_timeout_add(PANIC_GRACE_MS, on_reason_overdue, self);
}

/* Judges a command that ended by itself. */
static void
decide_exited(MfRun *self, const MfExit *ended)
{
    MfVerdict verdict = ended->signal_number ? MF_VERDICT_SIGNALLED : MF_VERDICT_EXITED;
    GBytes *kept[3] = {NULL};
    g_autofree char *unmet = NULL;

    self->result->verdict = verdict;
    self->result->status = ended->status;
    self->result->signal_number = ended->signal_number;
    self->result->output_held = ended->output_held;
    for (int fd = 1; fd <= 2; fd++)
        kept[fd] = self->kept[fd] ? mf_tail_get(self->kept[fd]) : NULL;
    unmet = mf_expect_judge(self->target->expect, self->result, kept);
    for (int fd = 1; fd <= 2; fd++)
        g_clear_pointer(&kept[fd], g_bytes_unref);
    self->result->passed = unmet == NULL;
    /* Whose status is the only thing that counts says it by itself. */
    decide(self, verdict, self->target->expect ? g_steal_pointer(&unmet) : NULL);
}

static void
on_executed(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfRun) self = data;
    g_autoptr(GError) error = NULL;
    MfExit ended;
    gboolean good = mf_exec_run_finish(MF_EXEC(source), result, &ended, &error);

    if (self->decided)
        return;
    if (!good) {
        await_reason(self, error);
        return;
    }
    if (self->timed_out) {
        g_autofree char *limit = mf_format_duration(self->target->timeout_ms);

        decide(self, MF_VERDICT_TIMEOUT,
               g_strdup_printf("The command did not end within %s.", limit));
        return;
    }
    decide_exited(self, &ended);
    enter(self, MF_PHASE_CONCLUDE);
}

static void
keep_outputs(MfRun *self)
{
    const MfExpect *expect = self->target->expect;

    if (expect && expect->stdout_match)
        self->kept[1] = mf_tail_new(MF_EXPECT_KEEP);
    if (expect && expect->stderr_match)
        self->kept[2] = mf_tail_new(MF_EXPECT_KEEP);
    for (int fd = 1; fd <= 2; fd++)
        mf_exec_keep(self->exec, fd, self->kept[fd]);
}

static MfExec *
make_script_exec(MfRun *self)
{
    const char *text =
        self->means == MF_IMAGE_ALONE ? self->plan->image_command_alone : self->plan->image_command;
    const char *const file_words[] = {MF_GUEST_COMMAND, NULL};
    const char *const text_words[] = {"-c", text, NULL};

    return mf_exec_script_new(self->machine, self->stdio, self->image ? text_words : file_words);
}

static void
step_execute(MfRun *self)
{
    arm_deadline(self, self->target->timeout_ms);
    /* With an initramfs mayfly-guest is in the guest, whoever is PID 1 and serves the agent; in an
     * image's system it is on a share. */
    if (self->plan->initramfs || (self->image && self->means == MF_IMAGE_STREAMS))
        self->exec = mf_exec_stream_new(mf_machine_get_qga(self->machine), self->stream,
                                        self->stdio, self->plan->command);
    else
        self->exec = make_script_exec(self);
    if (self->rows)
        mf_exec_resize(self->exec, self->rows, self->columns);
    keep_outputs(self);
    mf_exec_run_async(self->exec, self->cancellable, on_executed, g_object_ref(self));
}

static void
step_conclude(MfRun *self)
{
    enter(self, MF_PHASE_STOP);
}

static void
complete(MfRun *self)
{
    g_autoptr(GTask) task = g_steal_pointer(&self->task);

    self->result->phase_us[self->phase] += g_get_monotonic_time() - self->phase_started;
    mf_marks_add_to_result(self->marks, self->result);
    g_clear_object(&self->exec);
    g_clear_object(&self->stream);
    g_clear_object(&self->machine);
    g_clear_object(&self->boot);
    g_clear_pointer(&self->plan, mf_plan_free);
    g_task_return_pointer(task, g_steal_pointer(&self->result), (GDestroyNotify)mf_result_free);
}

static void
on_stopped(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfRun) self = data;

    mf_machine_stop_finish(MF_MACHINE(source), result);
    complete(self);
}

static void
step_stop(MfRun *self)
{
    g_clear_handle_id(&self->deadline, g_source_remove);
    if (self->machine)
        mf_machine_stop_async(self->machine, on_stopped, g_object_ref(self));
    else
        complete(self);
}

static void (*const steps[])(MfRun *self) = {
    [MF_PHASE_RESOLVE] = step_resolve, [MF_PHASE_LAUNCH] = step_launch,
    [MF_PHASE_BOOT] = step_boot,       [MF_PHASE_SETUP] = step_setup,
    [MF_PHASE_EXECUTE] = step_execute, [MF_PHASE_CONCLUDE] = step_conclude,
    [MF_PHASE_STOP] = step_stop,
};
G_STATIC_ASSERT(G_N_ELEMENTS(steps) == MF_N_PHASES);

static gboolean
on_step(gpointer data)
{
    g_autoptr(MfRun) self = data;

    self->step_pending = FALSE;
    steps[self->phase](self);
    return G_SOURCE_REMOVE;
}

/* From the loop, so that no step runs inside another's callback; whatever phase is current then. */
static void
schedule_step(MfRun *self)
{
    if (self->step_pending)
        return;
    self->step_pending = TRUE;
    g_idle_add_full(G_PRIORITY_DEFAULT, on_step, g_object_ref(self), NULL);
}

/* The one place where the phase changes; phases only go forward. */
static void
enter(MfRun *self, MfPhase phase)
{
    gint64 now = g_get_monotonic_time();

    if (phase <= self->phase)
        return;
    self->result->phase_us[self->phase] += now - self->phase_started;
    g_debug("%s took %.3f ms", mf_phase_name(self->phase),
            (double)(now - self->phase_started) / 1000);
    self->phase = phase;
    self->phase_started = now;
    g_signal_emit(self, signals[SIGNAL_PHASE_CHANGED], 0, (guint)phase);
    schedule_step(self);
}

MfRun *
mf_run_new(const MfTarget *target, MfStdio *stdio)
{
    MfRun *self = g_object_new(MF_TYPE_RUN, NULL);

    self->target = target;
    self->stdio = stdio;
    return self;
}

void
mf_run_start_async(MfRun *self, GAsyncReadyCallback callback, gpointer user_data)
{
    self->task = g_task_new(self, NULL, callback, user_data);
    self->phase_started = g_get_monotonic_time();
    self->marks = mf_marks_new(self->phase_started);
    schedule_step(self);
}

MfResult *
mf_run_start_finish(MfRun *self, GAsyncResult *result)
{
    return g_task_propagate_pointer(G_TASK(result), NULL);
}

gboolean
mf_run_forward_signal(MfRun *self, int signal_number)
{
    if (self->phase != MF_PHASE_EXECUTE || !self->exec || self->decided)
        return FALSE;
    return mf_exec_signal(self->exec, signal_number);
}

void
mf_run_set_window_size(MfRun *self, guint16 rows, guint16 columns)
{
    self->rows = rows;
    self->columns = columns;
    if (self->exec)
        mf_exec_resize(self->exec, rows, columns);
}

const MfSpec *
mf_run_get_spec(MfRun *self)
{
    return self->plan ? self->plan->spec : NULL;
}

void
mf_run_cancel(MfRun *self, const char *reason)
{
    decide(self, MF_VERDICT_CANCELLED, g_strdup(reason));
}
