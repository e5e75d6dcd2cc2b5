/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/scheduler.h"

#include "suite/attempt.h"
#include "suite/queue.h"

/* A case that runs. */
typedef struct {
    MfScheduler *scheduler; /* borrowed */
    guint index;
    MfAttempt *attempt;      /* owned; or NULL */
    MfOutcomeReport *report; /* owned; becomes the case's outcome */
} Job;

typedef struct {
    MfEventFunc func;
    gpointer user_data;
} Reader;

struct _MfScheduler {
    GObject parent;
    const GPtrArray *cases; /* borrowed */
    MfSchedulerOptions options;
    GArray *readers;     /* owned; of Reader */
    MfQueue *queue;      /* owned */
    GPtrArray *jobs;     /* owned; of Job: those that run now */
    GPtrArray *outcomes; /* owned; of MfOutcomeReport or NULL */
    char *interrupted;   /* owned; why it ends early, or NULL */
    gboolean ending;     /* what runs is ended too */
    GTask *task;         /* owned; while running */
    gint64 started;
    guint wake_source;
};

G_DEFINE_FINAL_TYPE(MfScheduler, mf_scheduler, G_TYPE_OBJECT)

static void wake(MfScheduler *self);
static void start_attempt(Job *job);

static void
job_free(gpointer data)
{
    Job *job = data;

    if (job->attempt)
        g_signal_handlers_disconnect_by_data(job->attempt, job);
    g_clear_object(&job->attempt);
    mf_outcome_report_free(job->report);
    g_free(job);
}

static void
mf_scheduler_finalize(GObject *object)
{
    MfScheduler *self = MF_SCHEDULER(object);

    g_clear_handle_id(&self->wake_source, g_source_remove);
    g_clear_pointer(&self->readers, g_array_unref);
    g_clear_pointer(&self->queue, mf_queue_free);
    g_clear_pointer(&self->jobs, g_ptr_array_unref);
    g_clear_pointer(&self->outcomes, g_ptr_array_unref);
    g_free(self->interrupted);
    G_OBJECT_CLASS(mf_scheduler_parent_class)->finalize(object);
}

static void
mf_scheduler_class_init(MfSchedulerClass *class)
{
    G_OBJECT_CLASS(class)->finalize = mf_scheduler_finalize;
}

static void
mf_scheduler_init(MfScheduler *self)
{
    self->readers = g_array_new(FALSE, FALSE, sizeof(Reader));
    self->jobs = g_ptr_array_new_with_free_func(job_free);
}

static void
free_outcome(gpointer data)
{
    mf_outcome_report_free(data);
}

MfScheduler *
mf_scheduler_new(const GPtrArray *cases, const MfSchedulerOptions *options)
{
    MfScheduler *self = g_object_new(MF_TYPE_SCHEDULER, NULL);

    self->cases = cases;
    self->options = *options;
    self->queue = mf_queue_new(cases);
    self->outcomes = g_ptr_array_new_with_free_func(free_outcome);
    g_ptr_array_set_size(self->outcomes, (gint)cases->len);
    return self;
}

void
mf_scheduler_add_reader(MfScheduler *self, MfEventFunc func, gpointer user_data)
{
    Reader reader = {func, user_data};

    g_array_append_val(self->readers, reader);
}

/* Completes an event that has what is particular to it, and tells it to all. */
static void
emit(MfScheduler *self, MfEvent *event)
{
    event->time_us = g_get_monotonic_time() - self->started;
    event->cases = self->cases;
    event->shard = self->options.shard;
    event->jobs = self->options.jobs;
    for (guint i = 0; i < self->readers->len; i++) {
        const Reader *reader = &g_array_index(self->readers, Reader, i);

        reader->func(event, reader->user_data);
    }
}

static const MfCase *
get_case(const Job *job)
{
    return g_ptr_array_index(job->scheduler->cases, job->index);
}

/* After a case that did not pass, with fail_fast. */
static void
stop_starting(MfScheduler *self, const Job *job)
{
    if (mf_queue_clear(self->queue) > 0 && !self->interrupted)
        self->interrupted = g_strdup_printf(
            "No target was started any more after '%s', which did not pass (--fail-fast).",
            get_case(job)->name);
}

/* The one exit of a case. */
static void
finish_case(Job *job)
{
    MfScheduler *self = job->scheduler;
    MfOutcomeReport *report = g_steal_pointer(&job->report);
    MfEvent event = {.kind = MF_EVENT_CASE_FINISHED,
                     .index = job->index,
                     .attempt = report->attempts,
                     .outcome = report};

    report->duration_us = g_get_monotonic_time() - self->started - report->started_us;
    self->outcomes->pdata[job->index] = report;
    mf_queue_note_booted(self->queue, job->index);
    emit(self, &event);
    if (self->options.fail_fast &&
        (report->outcome == MF_OUTCOME_FAIL || report->outcome == MF_OUTCOME_ERROR))
        stop_starting(self, job);
    g_ptr_array_remove_fast(self->jobs, job);
    wake(self);
}

/* What was asked for in vain, or was ended by the caller, will be no better the next time. */
static gboolean
deserves_another(const Job *job, const MfResult *result)
{
    return !result->passed && !job->scheduler->ending &&
           job->report->attempts <= get_case(job)->retries &&
           result->verdict != MF_VERDICT_CONFIG && result->verdict != MF_VERDICT_CANCELLED;
}

/* An attempt is over. 'result' is taken. */
static void
conclude(Job *job, MfResult *result)
{
    MfOutcomeReport *report = job->report;

    if (job->attempt)
        mf_attempt_fill_report(job->attempt, report);
    g_clear_object(&job->attempt);
    if (deserves_another(job, result)) {
        mf_result_free(result);
        start_attempt(job);
        return;
    }
    report->result = result;
    report->outcome = mf_outcome_judge(result);
    report->reason = mf_outcome_explain(result);
    finish_case(job);
}

static void
on_phase_changed(MfAttempt *attempt, guint phase, gpointer data)
{
    Job *job = data;
    MfEvent event = {.kind = MF_EVENT_CASE_PHASE,
                     .index = job->index,
                     .attempt = job->report->attempts,
                     .phase = (MfPhase)phase};

    emit(job->scheduler, &event);
    /* Those that wait for this machine can have theirs now. */
    if (phase >= MF_PHASE_SETUP)
        mf_queue_note_booted(job->scheduler->queue, job->index);
}

static void
on_output(MfAttempt *attempt, int stream, GBytes *bytes, gpointer data)
{
    Job *job = data;
    MfEvent event = {.kind = MF_EVENT_CASE_OUTPUT,
                     .index = job->index,
                     .attempt = job->report->attempts,
                     .stream = stream,
                     .bytes = bytes};

    emit(job->scheduler, &event);
}

static void
on_attempt_finished(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfScheduler) self = data;

    for (guint i = 0; i < self->jobs->len; i++) {
        Job *job = g_ptr_array_index(self->jobs, i);

        if (job->attempt == MF_ATTEMPT(source)) {
            conclude(job, mf_attempt_run_finish(MF_ATTEMPT(source), result));
            return;
        }
    }
}

/* Prepares the attempt and, with a run directory, the place for what is kept of it. */
static gboolean
prepare_attempt(Job *job, GError **error)
{
    const MfRunDir *run_dir = job->scheduler->options.run_dir;
    const MfCase *the_case = get_case(job);

    if (run_dir) {
        g_free(job->report->run_dir);
        job->report->run_dir = mf_run_dir_begin(run_dir, the_case, job->report->attempts, error);
        if (!job->report->run_dir)
            return FALSE;
        g_free(the_case->target->artifacts_dir);
        the_case->target->artifacts_dir =
            g_build_filename(job->report->run_dir, MF_RUN_DIR_ARTIFACTS, NULL);
        g_free(the_case->target->crash_dir);
        the_case->target->crash_dir = g_strdup(job->report->run_dir);
    }
    job->attempt = mf_attempt_new(the_case, job->report->run_dir, error);
    return job->attempt != NULL;
}

static void
start_attempt(Job *job)
{
    MfScheduler *self = job->scheduler;
    MfEvent event = {
        .kind = MF_EVENT_CASE_STARTED, .index = job->index, .attempt = ++job->report->attempts};
    g_autoptr(GError) error = NULL;

    emit(self, &event);
    if (!prepare_attempt(job, &error)) {
        MfResult *result = mf_result_new();

        result->verdict = MF_VERDICT_FAILED;
        result->message = g_strdup(error->message);
        conclude(job, result);
        return;
    }
    g_signal_connect(job->attempt, "phase-changed", G_CALLBACK(on_phase_changed), job);
    g_signal_connect(job->attempt, "output", G_CALLBACK(on_output), job);
    mf_attempt_run_async(job->attempt, on_attempt_finished, g_object_ref(self));
    /* By a reader, when it was told of the start. */
    if (self->ending)
        mf_attempt_cancel(job->attempt, self->interrupted);
}

static void
start_case(MfScheduler *self, guint index)
{
    Job *job = g_new0(Job, 1);
    const MfCase *the_case = g_ptr_array_index(self->cases, index);

    job->scheduler = self;
    job->index = index;
    job->report = g_new0(MfOutcomeReport, 1);
    job->report->started_us = g_get_monotonic_time() - self->started;
    g_ptr_array_add(self->jobs, job);
    if (!the_case->skip_reason) {
        start_attempt(job);
        return;
    }
    job->report->outcome = MF_OUTCOME_SKIP;
    job->report->reason = g_strdup(the_case->skip_reason);
    finish_case(job);
}

static void
complete(MfScheduler *self)
{
    g_autoptr(GTask) task = g_steal_pointer(&self->task);
    MfEvent event = {.kind = MF_EVENT_SUITE_FINISHED,
                     .outcomes = self->outcomes,
                     .interrupted = self->interrupted};

    emit(self, &event);
    g_task_return_pointer(task, g_steal_pointer(&self->outcomes),
                          (GDestroyNotify)g_ptr_array_unref);
}

/* Starts what can be started; the end when nothing is left. */
static gboolean
on_wake(gpointer data)
{
    g_autoptr(MfScheduler) self = g_object_ref(data);
    int next;

    while (self->jobs->len < self->options.jobs && (next = mf_queue_take(self->queue)) >= 0)
        start_case(self, (guint)next);
    /* From here on; what ended within the loop has been seen by it. */
    self->wake_source = 0;
    if (self->jobs->len == 0)
        complete(self);
    return G_SOURCE_REMOVE;
}

/* From the loop, so that a case that ends never starts the next one inside its own callback. */
static void
wake(MfScheduler *self)
{
    if (!self->wake_source)
        self->wake_source = g_idle_add_full(G_PRIORITY_DEFAULT, on_wake, self, NULL);
}

void
mf_scheduler_run_async(MfScheduler *self, GAsyncReadyCallback callback, gpointer user_data)
{
    MfEvent event = {.kind = MF_EVENT_SUITE_STARTED, .wall_time_us = g_get_real_time()};

    self->task = g_task_new(self, NULL, callback, user_data);
    self->started = g_get_monotonic_time();
    emit(self, &event);
    wake(self);
}

GPtrArray *
mf_scheduler_run_finish(MfScheduler *self, GAsyncResult *result)
{
    return g_task_propagate_pointer(G_TASK(result), NULL);
}

void
mf_scheduler_interrupt(MfScheduler *self, const char *reason)
{
    if (!self->task)
        return;
    g_free(self->interrupted);
    self->interrupted = g_strdup(reason);
    self->ending = TRUE;
    mf_queue_clear(self->queue);
    for (guint i = 0; i < self->jobs->len; i++) {
        Job *job = g_ptr_array_index(self->jobs, i);

        if (job->attempt)
            mf_attempt_cancel(job->attempt, reason);
    }
}

void
mf_scheduler_kill(MfScheduler *self)
{
    for (guint i = 0; i < self->jobs->len; i++) {
        Job *job = g_ptr_array_index(self->jobs, i);

        if (job->attempt)
            mf_attempt_kill(job->attempt);
    }
}
