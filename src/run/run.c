/* SPDX-License-Identifier: Apache-2.0 */
#include "run/run.h"

#include <string.h>

#include "base/error.h"
#include "base/parse.h"
#include "machine/machine.h"
#include "run/artifacts.h"
#include "run/boot.h"
#include "run/conclusion.h"
#include "run/exec-script.h"
#include "run/exec-stream.h"
#include "run/guest-end.h"
#include "run/hooks.h"
#include "run/image.h"
#include "run/marks.h"
#include "run/plan.h"
#include "run/splat-watch.h"
#include "run/stream.h"
#include "wire/guest-protocol.h"

/* After its first words of panic, how long the guest has for its last ones. */
#define PANIC_GRACE_MS 1000

#define CONSOLE_TAIL_LINES 40

struct _MfRun {
    GObject parent;
    const MfTarget *target;    /* borrowed */
    MfStdio *stdio;            /* borrowed */
    MfStdio *reading;          /* owned; in its place for a command with a file to read; or NULL */
    MfStdio *beside;           /* owned; of setup and teardown */
    MfPlan *plan;              /* owned */
    MfBoot *boot;              /* owned */
    MfMachine *machine;        /* owned */
    MfStream *stream;          /* owned */
    MfImage *image;            /* owned; once an image's system is awaited */
    MfImageMeans means;        /* of that system */
    MfHooks *setup;            /* owned */
    MfExec *exec;              /* owned; while the command runs */
    MfConclusion *conclusion;  /* owned */
    MfSplatWatch *watch;       /* owned */
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
    gboolean decided, step_pending;
};

G_DEFINE_FINAL_TYPE(MfRun, mf_run, G_TYPE_OBJECT)

enum { SIGNAL_CONSOLE, SIGNAL_PHASE_CHANGED, N_SIGNALS };
static guint signals[N_SIGNALS];

static void enter(MfRun *self, MfPhase phase);
static void decide_on_error(MfRun *self, const GError *error);
static void run_setup(MfRun *self);

/* Everything that is of the machine, or that uses it. */
static void
clear_guest(MfRun *self)
{
    g_clear_object(&self->setup);
    g_clear_object(&self->exec);
    g_clear_object(&self->image);
    g_clear_object(&self->conclusion);
    for (int fd = 1; fd <= 2; fd++)
        g_clear_pointer(&self->kept[fd], mf_tail_free);
    g_clear_pointer(&self->reading, mf_stdio_free);
    g_clear_pointer(&self->beside, mf_stdio_free);
    g_clear_object(&self->stream);
    g_clear_object(&self->machine);
    g_clear_object(&self->boot);
    g_clear_pointer(&self->plan, mf_plan_free);
}

static void
mf_run_dispose(GObject *object)
{
    MfRun *self = MF_RUN(object);

    g_clear_handle_id(&self->deadline, g_source_remove);
    g_clear_handle_id(&self->panic_source, g_source_remove);
    g_clear_handle_id(&self->lost_source, g_source_remove);
    g_clear_error(&self->lost);
    clear_guest(self);
    g_clear_pointer(&self->watch, mf_splat_watch_free);
    g_clear_object(&self->cancellable);
    g_clear_object(&self->marks);
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

/* Adds sentences to the message. */
static void
say(MfRun *self, const char *sentences)
{
    g_autofree char *before = g_steal_pointer(&self->result->message);

    self->result->message = before && sentences ? g_strdup_printf("%s %s", before, sentences)
                                                : g_strdup(sentences ? sentences : before);
}

/* From here on nothing that happens changes the verdict. */
static void
close_case(MfRun *self)
{
    self->decided = TRUE;
    g_clear_handle_id(&self->deadline, g_source_remove);
    g_clear_handle_id(&self->panic_source, g_source_remove);
    g_clear_handle_id(&self->lost_source, g_source_remove);
}

/* Ends the run with a verdict. The first decision stands; it also stands over how the command ended
 * when the run goes wrong after that. 'message' is taken. */
static void
decide(MfRun *self, MfVerdict verdict, char *message)
{
    g_autofree char *owned = message;

    if (self->decided)
        return;
    close_case(self);
    self->result->verdict = verdict;
    self->result->passed = FALSE;
    self->result->phase = self->phase;
    say(self, owned);
    g_cancellable_cancel(self->cancellable);
    enter(self, MF_PHASE_STOP);
}

/* The command's end, or why there was none: the verdict, unless the conclusion goes wrong.
 * 'message' is taken. */
static void
settle(MfRun *self, MfVerdict verdict, char *message)
{
    g_autofree char *owned = message;

    self->result->verdict = verdict;
    self->result->phase = self->phase;
    say(self, owned);
    if (!mf_conclusion_is_needed(self->target))
        close_case(self);
    enter(self, MF_PHASE_CONCLUDE);
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

/* Owned by the caller. */
static char *
describe_timeout(MfRun *self, const char *limit)
{
    if (self->image && !mf_image_has_answered(self->image))
        return mf_image_describe_silence(self->target, limit);
    return g_strdup_printf("The guest was not ready within %s: it was still in the %s phase.",
                           limit, mf_phase_name(self->phase));
}

static gboolean
on_deadline(gpointer data)
{
    MfRun *self = data;
    g_autofree char *duration = mf_format_duration(self->target->boot_timeout_ms);

    self->deadline = 0;
    keep_console_tail(self);
    decide(self, MF_VERDICT_TIMEOUT, describe_timeout(self, duration));
    return G_SOURCE_REMOVE;
}

static gboolean
on_panic_grace_over(gpointer data)
{
    MfRun *self = data;

    self->panic_source = 0;
    keep_console_tail(self);
    decide(self, MF_VERDICT_CRASHED, mf_guest_end_describe_panic(self->machine, self->phase));
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
    char *message;
    MfVerdict verdict;

    if (self->decided || mf_boot_survives_end(self->boot))
        return;
    keep_console_tail(self);
    verdict = mf_guest_end_judge(self->machine, self->phase, error, &message);
    decide(self, verdict, message);
}

static void
decide_on_error(MfRun *self, const GError *error)
{
    decide(self, mf_verdict_from_error(error), g_strdup(error->message));
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
    if (strstr(line, MF_PANIC_WORDS))
        on_panicked(self);
    else if (!mf_image_has_answered(self->image) && mf_image_is_unbootable(line))
        decide(self, MF_VERDICT_FAILED, mf_image_describe_unbootable(self->target, line));
}

/* An init script that gives up says why on the console, for want of another way. */
static void
on_console_line(MfRun *self, const char *line, guint source)
{
    if (!mf_boot_is_repeating(self->boot))
        mf_splat_watch_feed(self->watch, source, line);
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

/* What the streams of the command and of the rest are. */
static gboolean
open_streams(MfRun *self, GError **error)
{
    const char *path = self->target->stdin_path;

    self->beside = mf_stdio_new_beside(self->stdio);
    if (path)
        self->reading = mf_stdio_new_reading(self->stdio, path, error);
    return !path || self->reading;
}

static MfStdio *
get_stdio(MfRun *self)
{
    return self->reading ? self->reading : self->stdio;
}

static gboolean
resolve(MfRun *self, GError **error)
{
    gboolean stdio_open[3];

    self->watch = mf_splat_watch_new(self->target, error);
    if (!self->watch)
        return FALSE;
    if (self->target->expect && !mf_expect_check_patterns(self->target->expect, error))
        return FALSE;
    if (!mf_artifacts_check_patterns(self->target->artifacts, error) || !open_streams(self, error))
        return FALSE;
    mf_stdio_get_open(get_stdio(self), stdio_open);
    self->plan = mf_plan_new(self->target, stdio_open, error);
    return self->plan != NULL;
}

static void
step_resolve(MfRun *self)
{
    g_autoptr(GError) error = NULL;

    if (!resolve(self, &error)) {
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
    if (self->target->boot_timeout_ms > 0)
        self->deadline =
            g_timeout_add((guint)MIN(self->target->boot_timeout_ms, G_MAXINT), on_deadline, self);
    mf_boot_start_async(self->boot, self->cancellable, on_booted, g_object_ref(self));
}

/* The boot goes on by itself to the ready point: everything loaded, nothing of this run in it yet.
 */
static void
step_boot(MfRun *self)
{
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

/* With an initramfs mayfly-guest is in the guest, whoever is PID 1 and serves the agent; in an
 * image's system it is on a share, if that can be mounted. */
static gboolean
has_mayfly_guest(const MfRun *self)
{
    return self->plan->initramfs || (self->image && self->means == MF_IMAGE_STREAMS);
}

/* A command in the guest: its record for mayfly-guest, or the words for a shell without that. Owned
 * by the caller. */
static MfExec *
make_exec(MfRun *self, MfStdio *stdio, GBytes *record, const char *const *words)
{
    if (!has_mayfly_guest(self))
        return mf_exec_script_new(self->machine, stdio, words);
    return mf_exec_stream_new(mf_machine_get_qga(self->machine), self->stream, stdio, record);
}

static MfExec *
make_hook(MfHookKind kind, guint index, gpointer data)
{
    MfRun *self = data;
    const MfPlanHook *hook = g_ptr_array_index(self->plan->hooks[kind], index);
    gboolean alone = self->image && self->means == MF_IMAGE_ALONE;
    const char *const words[] = {"-c", alone ? hook->script_alone : hook->script, NULL};

    return make_exec(self, self->beside, hook->record, words);
}

static void
on_setup_done(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfRun) self = data;
    g_autoptr(GError) error = NULL;

    if (self->decided)
        return;
    if (mf_hooks_run_finish(MF_HOOKS(source), result, &error))
        enter(self, MF_PHASE_EXECUTE);
    else if (g_error_matches(error, MF_ERROR, MF_ERROR_GUEST) ||
             g_error_matches(error, MF_ERROR, MF_ERROR_TIMEOUT))
        settle(self, mf_verdict_from_error(error), g_strdup(error->message));
    else
        await_reason(self, error);
}

/* The guest is ready: what follows has limits of its own. */
static void
run_setup(MfRun *self)
{
    g_clear_handle_id(&self->deadline, g_source_remove);
    self->setup =
        mf_hooks_new(MF_HOOK_SETUP, self->target->setup, self->target->timeout_ms, make_hook, self);
    mf_hooks_run_async(self->setup, self->cancellable, on_setup_done, g_object_ref(self));
}

static void
on_synced(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfRun) self = data;
    g_autoptr(GError) error = NULL;

    if (mf_qga_sync_finish(MF_QGA(source), result, &error))
        run_setup(self);
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
        run_setup(self);
    }
}

static void
on_image_set_up(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfRun) self = data;
    g_autoptr(GError) error = NULL;

    gboolean good = mf_image_set_up_finish(MF_IMAGE(source), result, &self->means, &error);

    if (self->decided)
        return;
    if (!good)
        await_reason(self, error);
    else if (!mf_image_check(MF_IMAGE(source), self->means, self->target, &error))
        decide_on_error(self, error);
    else
        run_setup(self);
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

/* Judges a command that ended by itself. */
static void
settle_exited(MfRun *self, const MfExit *ended)
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
    settle(self, verdict, self->target->expect ? g_steal_pointer(&unmet) : NULL);
}

static void
on_executed(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfRun) self = data;
    g_autoptr(GError) error = NULL;
    g_autofree char *limit = mf_format_duration(self->target->timeout_ms);
    g_autofree char *overdue = g_strdup_printf("The command did not end within %s.", limit);
    MfExit ended;
    gboolean good = mf_exec_run_finish(MF_EXEC(source), result, &ended, &error);

    if (self->decided)
        return;
    if (good && !ended.timed_out)
        settle_exited(self, &ended);
    else if (good)
        settle(self, MF_VERDICT_TIMEOUT, g_steal_pointer(&overdue));
    else if (g_error_matches(error, MF_ERROR, MF_ERROR_TIMEOUT))
        decide(self, MF_VERDICT_TIMEOUT, g_steal_pointer(&overdue));
    else
        await_reason(self, error);
}

static void
step_execute(MfRun *self)
{
    const char *text =
        self->means == MF_IMAGE_ALONE ? self->plan->image_command_alone : self->plan->image_command;
    const char *const file_words[] = {MF_GUEST_COMMAND, NULL};
    const char *const text_words[] = {"-c", text, NULL};

    self->exec = make_exec(self, get_stdio(self), self->plan->command,
                           self->image ? text_words : file_words);
    mf_exec_set_limit(self->exec, self->target->timeout_ms);
    if (self->rows)
        mf_exec_resize(self->exec, self->rows, self->columns);
    for (int fd = 1; fd <= 2; fd++) {
        self->kept[fd] = mf_expect_keep(self->target->expect, fd);
        mf_exec_keep(self->exec, fd, self->kept[fd]);
    }
    mf_exec_run_async(self->exec, self->cancellable, on_executed, g_object_ref(self));
}

/* What went wrong after the command is no pass; what is known of the command stays. */
static void
note_failure(MfRun *self, const GError *error)
{
    if (self->result->passed) {
        self->result->passed = FALSE;
        self->result->verdict = mf_verdict_from_error(error);
        self->result->phase = self->phase;
    }
    say(self, error->message);
}

static void
on_concluded(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfRun) self = data;
    g_autoptr(GError) error = NULL;
    gboolean good = mf_conclusion_run_finish(MF_CONCLUSION(source), result, &error);

    if (self->decided)
        return;
    if (g_error_matches(error, MF_ERROR, MF_ERROR_LOST)) {
        await_reason(self, error);
        return;
    }
    if (!good)
        note_failure(self, error);
    mf_conclusion_add_notes(self->conclusion, self->result->notes);
    close_case(self);
    enter(self, MF_PHASE_STOP);
}

static void
step_conclude(MfRun *self)
{
    if (self->decided) {
        enter(self, MF_PHASE_STOP);
        return;
    }
    g_clear_object(&self->exec);
    self->conclusion = mf_conclusion_new(self->target, self->plan->workdir,
                                         mf_machine_get_qga(self->machine), make_hook, self);
    mf_conclusion_run_async(self->conclusion, self->cancellable, on_concluded, g_object_ref(self));
}

static void
complete(MfRun *self)
{
    g_autoptr(GTask) task = g_steal_pointer(&self->task);

    self->result->phase_us[self->phase] += g_get_monotonic_time() - self->phase_started;
    mf_marks_add_to_result(self->marks, self->result);
    if (self->watch)
        mf_splat_watch_conclude(self->watch, self->result);
    clear_guest(self);
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
