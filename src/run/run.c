/* SPDX-License-Identifier: Apache-2.0 */
#include "run/run.h"

#include "base/error.h"
#include "base/parse.h"
#include "machine/machine.h"
#include "run/artifacts.h"
#include "run/bare.h"
#include "run/boot.h"
#include "run/commands.h"
#include "run/conclusion.h"
#include "run/crash-evidence.h"
#include "run/guest-setup.h"
#include "run/guest-watch.h"
#include "run/hooks.h"
#include "run/marks.h"
#include "run/payload-result.h"
#include "run/plan.h"
#include "run/scenario.h"
#include "run/stream.h"

struct _MfRun {
    GObject parent;
    const MfTarget *target;    /* borrowed */
    MfStdio *stdio;            /* borrowed */
    MfCommands *commands;      /* owned */
    MfPlan *plan;              /* owned */
    MfBoot *boot;              /* owned */
    MfMachine *machine;        /* owned */
    MfStream *stream;          /* owned */
    MfGuestWatch *watch;       /* owned */
    MfGuestSetup *preparation; /* owned */
    MfBare *bare;              /* owned; of a target without a command; or NULL */
    MfHooks *setup;            /* owned */
    MfExec *exec;              /* owned; while the command runs */
    MfPayloadRun *payloads;    /* owned; of a target with payloads; or NULL */
    MfScenario *scenario;      /* owned; once the guest is set up */
    char *overdue;             /* owned; what the scenario's watchdog has to say; or NULL */
    MfConclusion *conclusion;  /* owned */
    GTask *task;               /* owned */
    MfResult *result;          /* owned */
    MfMarks *marks;            /* owned */
    GCancellable *cancellable; /* owned; ends what the current step waits for */
    GCancellable *hurry;       /* owned; ends what is done for a run that is decided already */
    MfPhase phase;
    gint64 phase_started;
    int ending_signal;     /* that the command was passed last and should end of; or 0 */
    guint16 rows, columns; /* of the command's terminal, when it has changed */
    guint deadline;
    gboolean decided, step_pending;
};

G_DEFINE_FINAL_TYPE(MfRun, mf_run, G_TYPE_OBJECT)

enum { SIGNAL_CONSOLE, SIGNAL_PHASE_CHANGED, N_SIGNALS };
static guint signals[N_SIGNALS];

static void enter(MfRun *self, MfPhase phase);

/* Everything that is of the machine, or that uses it. */
static void
clear_guest(MfRun *self)
{
    g_clear_object(&self->bare);
    g_clear_object(&self->setup);
    g_clear_object(&self->exec);
    g_clear_object(&self->payloads);
    g_clear_object(&self->preparation);
    g_clear_object(&self->scenario);
    g_clear_object(&self->conclusion);
    g_clear_pointer(&self->commands, mf_commands_free);
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
    clear_guest(self);
    g_clear_pointer(&self->overdue, g_free);
    g_clear_object(&self->watch);
    g_clear_object(&self->cancellable);
    g_clear_object(&self->hurry);
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
    self->hurry = g_cancellable_new();
}

/* From here on nothing that happens changes the verdict. */
static void
close_case(MfRun *self)
{
    self->decided = TRUE;
    g_clear_handle_id(&self->deadline, g_source_remove);
    if (self->scenario)
        mf_scenario_end(self->scenario);
    if (self->watch)
        mf_guest_watch_close(self->watch);
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
    mf_result_add_message(self->result, owned);
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
    mf_result_add_message(self->result, owned);
    if (self->scenario)
        mf_scenario_end(self->scenario);
    if (!mf_conclusion_is_needed(self->target))
        close_case(self);
    enter(self, MF_PHASE_CONCLUDE);
}

static void
decide_on_error(MfRun *self, const GError *error)
{
    decide(self, mf_verdict_from_error(error), g_strdup(error->message));
}

/* Whoever asked for the end has it, be it of the run instead of the command. Owned by the caller.
 */
static GError *
explain_loss(const MfRun *self, const GError *error)
{
    int number = self->ending_signal;

    if (!number)
        return g_error_copy(error);
    return g_error_new(MF_ERROR, MF_ERROR_CANCELLED,
                       "The command was passed signal %d (%s), and the guest did not tell of its "
                       "end. %s",
                       number, g_strsignal(number), error->message);
}

/* The guest cannot be followed any more. What it says itself of the reason needs no evidence, and
 * of what the host could not write there is none on its console. */
static void
lose(MfRun *self, const GError *error)
{
    g_autoptr(GError) loss = NULL;

    if (g_error_matches(error, MF_ERROR, MF_ERROR_LOST)) {
        loss = explain_loss(self, error);
        mf_guest_watch_await_end(self->watch, loss);
        return;
    }
    if (!g_error_matches(error, MF_ERROR, MF_ERROR_GUEST) &&
        !g_error_matches(error, MF_ERROR, MF_ERROR_HOST))
        mf_guest_watch_keep_tail(self->watch);
    decide_on_error(self, error);
}

/* Owned by the caller. */
static char *
describe_timeout(MfRun *self, const char *limit)
{
    char *silence = self->boot ? mf_boot_describe_silence(self->boot, limit) : NULL;

    return silence
               ? silence
               : g_strdup_printf("The guest was not ready within %s: it was still in the %s phase.",
                                 limit, mf_phase_name(self->phase));
}

static gboolean
on_deadline(gpointer data)
{
    MfRun *self = data;
    g_autofree char *duration = mf_format_duration(self->target->boot_timeout_ms);

    self->deadline = 0;
    mf_guest_watch_keep_tail(self->watch);
    decide(self, MF_VERDICT_TIMEOUT, describe_timeout(self, duration));
    return G_SOURCE_REMOVE;
}

static void
on_over(MfRun *self, guint verdict, const char *message)
{
    decide(self, (MfVerdict)verdict, g_strdup(message));
}

static void
on_console(MfRun *self, GBytes *bytes)
{
    g_signal_emit(self, signals[SIGNAL_CONSOLE], 0, bytes);
}

static void
watch(MfRun *self)
{
    g_signal_connect_object(self->watch, "console", G_CALLBACK(on_console), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(self->watch, "over", G_CALLBACK(on_over), self, G_CONNECT_SWAPPED);
    mf_guest_watch_set_phase(self->watch, self->phase);
}

static gboolean
resolve(MfRun *self, GError **error)
{
    gboolean stdio_open[3];

    self->watch = mf_guest_watch_new(self->target, error);
    if (!self->watch)
        return FALSE;
    watch(self);
    if (self->target->expect && !mf_expect_check_patterns(self->target->expect, error))
        return FALSE;
    if (!mf_artifacts_check_patterns(self->target->artifacts, error))
        return FALSE;
    self->commands = mf_commands_new(self->target, self->stdio, error);
    if (!self->commands)
        return FALSE;
    mf_commands_get_open(self->commands, stdio_open);
    self->plan = mf_plan_new(self->target, stdio_open, error);
    return self->plan != NULL;
}

static void
arm_deadline(MfRun *self)
{
    g_clear_handle_id(&self->deadline, g_source_remove);
    if (self->target->boot_timeout_ms > 0)
        self->deadline =
            g_timeout_add((guint)MIN(self->target->boot_timeout_ms, G_MAXINT), on_deadline, self);
}

/* That has a limit of its own, and the boot that may follow has all of its time. */
static void
on_waiting(MfRun *self)
{
    g_clear_handle_id(&self->deadline, g_source_remove);
    enter(self, MF_PHASE_WAIT);
}

static void
on_launching(MfRun *self)
{
    if (self->phase == MF_PHASE_WAIT)
        arm_deadline(self);
    enter(self, MF_PHASE_LAUNCH);
}

static void
on_launched(MfRun *self)
{
    g_set_object(&self->machine, mf_boot_get_machine(self->boot));
    g_set_object(&self->stream, mf_boot_get_stream(self->boot));
    mf_guest_watch_follow(self->watch, self->boot);
    if (self->target->bare)
        self->bare = mf_bare_new(self->target, self->machine,
                                 mf_guest_watch_get_console(self->watch), self->stdio);
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

    if (self->decided)
        return;
    if (mf_boot_start_finish(MF_BOOT(source), result, &error))
        enter(self, MF_PHASE_SETUP);
    else if (g_error_matches(error, MF_ERROR, MF_ERROR_LOST))
        lose(self, error);
    else
        decide_on_error(self, error);
}

static void
start_boot(MfRun *self)
{
    self->boot = mf_boot_new(self->plan, self->target);
    g_signal_connect_object(self->boot, "waiting", G_CALLBACK(on_waiting), self, G_CONNECT_SWAPPED);
    g_signal_connect_object(self->boot, "launching", G_CALLBACK(on_launching), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(self->boot, "launched", G_CALLBACK(on_launched), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(self->boot, "opened", G_CALLBACK(on_opened), self, G_CONNECT_SWAPPED);
    arm_deadline(self);
    mf_boot_start_async(self->boot, self->cancellable, on_booted, g_object_ref(self));
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
    self->result->accel = self->plan->spec->accel;
    start_boot(self);
}

/* The boot goes through these phases by itself, up to the ready point: everything loaded, nothing
 * of this run in it yet. */
static void
step_of_boot(MfRun *self)
{
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
        lose(self, error);
}

/* The guest is ready: what follows has limits of its own. */
static void
run_setup(MfRun *self)
{
    g_clear_handle_id(&self->deadline, g_source_remove);
    mf_guest_watch_expect_life(self->watch);
    self->setup = mf_hooks_new(MF_HOOK_SETUP, self->target->setup, self->target->timeout_ms,
                               mf_commands_make_hook, self->commands);
    mf_hooks_run_async(self->setup, self->cancellable, on_setup_done, g_object_ref(self));
}

/* As if the command's time were over: it is killed, and what it wrote until then is waited for. */
static void
on_scenario_overdue(MfRun *self, const char *message)
{
    self->overdue = g_strdup(message);
    if (self->exec)
        mf_exec_expire(self->exec);
    else if (self->payloads)
        mf_payload_run_expire(self->payloads);
    else
        decide(self, MF_VERDICT_TIMEOUT, g_strdup(message));
}

static void
on_scenario_log(MfRun *self, GBytes *text)
{
    if (self->decided)
        return;
    if (self->exec)
        mf_exec_write_output(self->exec, 2, text);
    else if (self->payloads)
        mf_payload_run_write_output(self->payloads, 2, text);
    else
        mf_commands_write_log(self->commands, text);
}

static void
follow_scenario(MfRun *self)
{
    self->scenario = mf_scenario_new(self->target, mf_machine_get_qmp(self->machine),
                                     mf_machine_get_console(self->machine), self->stream);
    g_signal_connect_object(self->scenario, "overdue", G_CALLBACK(on_scenario_overdue), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(self->scenario, "log", G_CALLBACK(on_scenario_log), self,
                            G_CONNECT_SWAPPED);
}

static void
on_prepared(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfRun) self = data;
    g_autoptr(GError) error = NULL;
    MfImageMeans means;
    gboolean good = mf_guest_setup_run_finish(MF_GUEST_SETUP(source), result, &means, &error);

    if (self->decided)
        return;
    if (!good) {
        lose(self, error);
        return;
    }
    self->result->boot_id = g_strdup(mf_guest_setup_get_boot_id(self->preparation));
    mf_commands_set_guest(self->commands, self->plan, self->machine, self->stream, means);
    follow_scenario(self);
    run_setup(self);
}

/* There is nobody in a bare guest to set anything up. */
static void
step_setup(MfRun *self)
{
    if (self->bare) {
        g_clear_handle_id(&self->deadline, g_source_remove);
        mf_guest_watch_expect_life(self->watch);
        enter(self, MF_PHASE_EXECUTE);
        return;
    }
    self->preparation = mf_guest_setup_new(self->target, self->plan, self->machine, self->stream);
    mf_guest_setup_run_async(self->preparation, self->cancellable, on_prepared, g_object_ref(self));
}

/* Why time was up for what the target runs. Owned by the caller. */
static char *
describe_overdue(const MfRun *self, const char *what)
{
    g_autofree char *limit = mf_format_duration(self->target->timeout_ms);

    return self->overdue ? g_strdup(self->overdue)
                         : g_strdup_printf("The %s did not end within %s.", what, limit);
}

static void
on_executed(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfRun) self = data;
    g_autoptr(GError) error = NULL;
    g_autofree char *overdue = describe_overdue(self, "command");
    MfExit ended;
    gboolean good = mf_exec_run_finish(MF_EXEC(source), result, &ended, &error);

    if (self->decided)
        return;
    if (good && !ended.timed_out)
        settle(self, ended.signal_number ? MF_VERDICT_SIGNALLED : MF_VERDICT_EXITED,
               mf_commands_judge(self->commands, &ended, self->result));
    else if (good)
        settle(self, MF_VERDICT_TIMEOUT, g_steal_pointer(&overdue));
    else if (g_error_matches(error, MF_ERROR, MF_ERROR_TIMEOUT))
        decide(self, MF_VERDICT_TIMEOUT, g_steal_pointer(&overdue));
    else
        lose(self, error);
}

static void
on_bare_ended(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfRun) self = data;
    g_autoptr(GError) error = NULL;
    g_auto(MfBareEnd) end = {0};
    gboolean good = mf_bare_run_finish(MF_BARE(source), result, &end, &error);

    if (self->decided)
        return;
    if (!good) {
        decide_on_error(self, error);
        return;
    }
    if (!end.passed)
        mf_guest_watch_keep_tail(self->watch);
    self->result->status = end.status;
    self->result->passed = end.passed;
    settle(self, end.verdict, g_steal_pointer(&end.message));
}

/* How far they came, in which step of the run that may be. */
static void
keep_payloads(MfRun *self)
{
    if (!self->payloads || self->result->payloads)
        return;
    self->result->payloads = mf_payload_run_take_results(self->payloads);
    mf_payload_results_add_notes(self->result->payloads, self->result->notes);
}

static void
on_payloads_ended(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfRun) self = data;
    g_autoptr(GError) error = NULL;
    gboolean timed_out = FALSE;
    gboolean good = mf_payload_run_start_finish(MF_PAYLOAD_RUN(source), result, &timed_out, &error);

    if (self->decided)
        return;
    keep_payloads(self);
    if (good && timed_out)
        settle(self, MF_VERDICT_TIMEOUT, describe_overdue(self, "payloads"));
    else if (good)
        settle(self, MF_VERDICT_EXITED, mf_commands_judge_payloads(self->commands, self->result));
    else
        lose(self, error);
}

static void
step_execute(MfRun *self)
{
    if (self->bare) {
        mf_bare_run_async(self->bare, self->cancellable, on_bare_ended, g_object_ref(self));
        return;
    }
    if (self->target->payloads->len > 0) {
        self->payloads = mf_commands_make_payloads(self->commands);
        mf_payload_run_start_async(self->payloads, self->cancellable, on_payloads_ended,
                                   g_object_ref(self));
        return;
    }
    self->exec = mf_commands_make(self->commands);
    if (self->rows)
        mf_exec_resize(self->exec, self->rows, self->columns);
    mf_exec_run_async(self->exec, self->cancellable, on_executed, g_object_ref(self));
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
        lose(self, error);
        return;
    }
    if (!good)
        mf_result_note_failure(self->result, self->phase, error);
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
    self->conclusion =
        mf_conclusion_new(self->target, self->plan->workdir, mf_machine_get_qga(self->machine),
                          mf_commands_make_hook, self->commands);
    mf_conclusion_run_async(self->conclusion, self->cancellable, on_concluded, g_object_ref(self));
}

static void
complete(MfRun *self)
{
    g_autoptr(GTask) task = g_steal_pointer(&self->task);

    self->result->phase_us[self->phase] += g_get_monotonic_time() - self->phase_started;
    mf_marks_add_to_result(self->marks, self->result);
    keep_payloads(self);
    if (self->scenario)
        mf_scenario_conclude(self->scenario, self->result);
    if (self->commands)
        mf_commands_conclude(self->commands, self->result);
    if (self->watch)
        mf_guest_watch_conclude(self->watch, self->result);
    clear_guest(self);
    g_task_return_pointer(task, g_steal_pointer(&self->result), (GDestroyNotify)mf_result_free);
}

static void
on_stopped(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfRun) self = data;
    g_autoptr(GError) error = NULL;

    if (!mf_machine_stop_finish(MF_MACHINE(source), result, &error))
        g_ptr_array_add(self->result->notes, g_strdup(error->message));
    complete(self);
}

static void
stop_machine(MfRun *self)
{
    if (self->machine)
        mf_machine_stop_async(self->machine, on_stopped, g_object_ref(self));
    else
        complete(self);
}

static void
on_evidence_gathered(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfRun) self = data;
    g_autoptr(GPtrArray) notes = mf_crash_evidence_gather_finish(MF_MACHINE(source), result);

    g_ptr_array_extend(self->result->notes, notes, (GCopyFunc)(void (*)(void))g_strdup, NULL);
    stop_machine(self);
}

static void
step_stop(MfRun *self)
{
    const MfTarget *target = self->target;

    g_clear_handle_id(&self->deadline, g_source_remove);
    if (self->machine && target->on_crash && target->crash_dir &&
        mf_guest_watch_has_crashed(self->watch))
        mf_crash_evidence_gather_async(self->machine, target->on_crash, target->crash_dir,
                                       self->hurry, on_evidence_gathered, g_object_ref(self));
    else
        stop_machine(self);
}

static void (*const steps[])(MfRun *self) = {
    [MF_PHASE_RESOLVE] = step_resolve,   [MF_PHASE_WAIT] = step_of_boot,
    [MF_PHASE_LAUNCH] = step_of_boot,    [MF_PHASE_BOOT] = step_of_boot,
    [MF_PHASE_SETUP] = step_setup,       [MF_PHASE_EXECUTE] = step_execute,
    [MF_PHASE_CONCLUDE] = step_conclude, [MF_PHASE_STOP] = step_stop,
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
    if (self->watch)
        mf_guest_watch_set_phase(self->watch, phase);
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
mf_run_forward_signal(MfRun *self, int signal_number, gboolean ending)
{
    if (self->phase != MF_PHASE_EXECUTE || !self->exec || self->decided ||
        !mf_exec_signal(self->exec, signal_number))
        return FALSE;
    if (ending)
        self->ending_signal = signal_number;
    return TRUE;
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
    g_cancellable_cancel(self->hurry);
    decide(self, MF_VERDICT_CANCELLED, g_strdup(reason));
}
