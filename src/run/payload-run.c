/* SPDX-License-Identifier: Apache-2.0 */
#include "run/payload-run.h"

#include "base/error.h"
#include "run/agent-pulse.h"
#include "run/command-record.h"
#include "run/exec.h"
#include "run/invocation.h"

/* How long the guest has for what it was told, or has to do by itself, and to tell of it; given
 * anew while output arrives, but it cannot put off the end for ever. */
#define REPORT_MS      10000
#define EXTENSIONS_MAX 10

/* One start of a payload. */
typedef struct {
    MfInvocation *invocation; /* owned; until it is judged */
    MfPayloadResult *result;  /* borrowed from the results; when it is */
    gint64 start_us;          /* since the first step */
    gboolean collected;       /* some step is or was to see its end */
} Started;

struct _MfPayloadRun {
    GObject parent;
    const MfTarget *target; /* borrowed */
    char *workdir;          /* owned */
    MfStream *stream;       /* owned */
    MfStdio *stdio;         /* borrowed */
    MfTail *kept[3];        /* borrowed; indexes 1 and 2; or NULL */
    MfAgentPulse *pulse;    /* owned */
    GTask *task;            /* owned; while running */

    GPtrArray *steps;   /* owned; of MfStep */
    gboolean collects;  /* what is left over at the end is as it should be */
    GPtrArray *started; /* owned; of Started, by index */
    Started **spawned;  /* owned; borrowed from those; the handle of each payload, or NULL */
    GPtrArray *results; /* owned; until they are taken */

    gint64 begin_us; /* monotonic; of the first step */
    guint repetition, step;
    Started *awaited; /* borrowed; whose end the current step waits for */
    guint running;    /* how many have not ended */
    gboolean ending;  /* all of them were killed */
    gboolean timed_out, paused;
    guint timer; /* of what is waited for */
    guint limit_timer;
    guint64 received, received_before;
    guint extensions;
};

G_DEFINE_FINAL_TYPE(MfPayloadRun, mf_payload_run, G_TYPE_OBJECT)

static void advance(MfPayloadRun *self);

static void
started_free(gpointer data)
{
    Started *started = data;

    mf_invocation_free(started->invocation);
    g_free(started);
}

static void
mf_payload_run_finalize(GObject *object)
{
    MfPayloadRun *self = MF_PAYLOAD_RUN(object);

    mf_agent_pulse_stop(self->pulse);
    g_clear_object(&self->pulse);
    g_clear_handle_id(&self->timer, g_source_remove);
    g_clear_handle_id(&self->limit_timer, g_source_remove);
    g_clear_object(&self->stream);
    g_ptr_array_unref(self->steps);
    g_ptr_array_unref(self->started);
    g_clear_pointer(&self->results, g_ptr_array_unref);
    g_free(self->spawned);
    g_free(self->workdir);
    G_OBJECT_CLASS(mf_payload_run_parent_class)->finalize(object);
}

static void
mf_payload_run_class_init(MfPayloadRunClass *class)
{
    G_OBJECT_CLASS(class)->finalize = mf_payload_run_finalize;
}

static void
mf_payload_run_init(MfPayloadRun *self)
{
    self->started = g_ptr_array_new_with_free_func(started_free);
    self->results = g_ptr_array_new_with_free_func((GDestroyNotify)mf_payload_result_free);
}

static void
set_paused(MfPayloadRun *self, gboolean paused)
{
    if (self->paused == paused)
        return;
    self->paused = paused;
    mf_stream_set_reading(self->stream, !paused);
}

/* The one end; 'error' is taken, NULL when the steps are over. */
static void
finish(MfPayloadRun *self, GError *error)
{
    g_autoptr(GTask) task = g_steal_pointer(&self->task);

    if (!task) {
        g_clear_error(&error);
        return;
    }
    g_clear_handle_id(&self->timer, g_source_remove);
    g_clear_handle_id(&self->limit_timer, g_source_remove);
    mf_agent_pulse_stop(self->pulse);
    set_paused(self, FALSE);
    if (error)
        g_task_return_error(task, error);
    else
        g_task_return_boolean(task, TRUE);
}

static const MfPayload *
get_payload(const MfPayloadRun *self, const MfStep *step)
{
    return g_ptr_array_index(self->target->payloads, step->payload);
}

/* Judges one, and frees what it wrote. */
static void
conclude(MfPayloadRun *self, Started *started)
{
    started->result = mf_invocation_conclude(started->invocation);
    started->result->start_us = started->start_us;
    g_clear_pointer(&started->invocation, mf_invocation_free);
    g_ptr_array_add(self->results, started->result);
}

/*
 * Waiting
 */

static gboolean on_silent(gpointer data);

static void
await_report(MfPayloadRun *self)
{
    self->received_before = self->received;
    self->timer = g_timeout_add(REPORT_MS, on_silent, self);
}

/* What was killed has not told of its end. Time in which nobody reads is not the guest's. */
static gboolean
on_silent(gpointer data)
{
    MfPayloadRun *self = data;
    gboolean moved = self->paused || self->received != self->received_before;

    self->timer = 0;
    if (moved && ++self->extensions <= EXTENSIONS_MAX)
        await_report(self);
    else
        finish(self, g_error_new(MF_ERROR, MF_ERROR_TIMEOUT,
                                 "The guest did not end payloads that it was told to kill."));
    return G_SOURCE_REMOVE;
}

static guint
get_index(const MfPayloadRun *self, const Started *started)
{
    guint index = 0;

    g_ptr_array_find(self->started, started, &index);
    return index;
}

static void
kill_started(MfPayloadRun *self, Started *started)
{
    if (started->invocation)
        mf_stream_kill_payload(self->stream, get_index(self, started));
}

/* The one that is awaited took too long. */
static gboolean
on_overdue(gpointer data)
{
    MfPayloadRun *self = data;

    self->timer = 0;
    mf_invocation_expire(self->awaited->invocation);
    kill_started(self, self->awaited);
    await_report(self);
    return G_SOURCE_REMOVE;
}

static gboolean
on_slept(gpointer data)
{
    g_autoptr(MfPayloadRun) self = g_object_ref(data);

    self->timer = 0;
    advance(self);
    return G_SOURCE_REMOVE;
}

/* Until its end, at most 'limit_ms'; 0 is for ever. Nothing when it has ended. */
static void
await(MfPayloadRun *self, Started *started, gint64 limit_ms)
{
    started->collected = TRUE;
    if (!started->invocation)
        return;
    self->awaited = started;
    self->extensions = 0;
    if (limit_ms > 0)
        self->timer = g_timeout_add((guint)MIN(limit_ms, G_MAXINT), on_overdue, self);
}

/*
 * Steps
 */

static Started *
start(MfPayloadRun *self, const MfStep *step)
{
    const MfPayload *payload = get_payload(self, step);
    g_autoptr(GPtrArray) checks = mf_step_join_checks(step, payload);
    g_autoptr(GBytes) record =
        mf_command_record_new_payload(self->target, self->workdir, payload, step);
    Started *started = g_new0(Started, 1);
    guint index = self->started->len;

    started->invocation = mf_invocation_new(payload, checks, index, self->repetition);
    started->start_us = g_get_monotonic_time() - self->begin_us;
    started->collected = self->collects;
    g_ptr_array_add(self->started, started);
    self->running++;
    mf_stream_start_payload(self->stream, record);
    return started;
}

static void
step_run(MfPayloadRun *self, const MfStep *step)
{
    gint64 limit_ms = get_payload(self, step)->timeout_ms;

    /* It is the guest that keeps the time. */
    await(self, start(self, step), limit_ms > 0 ? limit_ms + REPORT_MS : 0);
}

static void
step_spawn(MfPayloadRun *self, const MfStep *step)
{
    self->spawned[step->payload] = start(self, step);
}

static void
step_wait(MfPayloadRun *self, const MfStep *step)
{
    await(self, g_steal_pointer(&self->spawned[step->payload]), step->timeout_ms);
}

static void
step_kill(MfPayloadRun *self, const MfStep *step)
{
    Started *started = g_steal_pointer(&self->spawned[step->payload]);

    kill_started(self, started);
    await(self, started, 0);
    if (self->awaited)
        await_report(self);
}

static void
step_sleep(MfPayloadRun *self, const MfStep *step)
{
    self->timer = g_timeout_add((guint)MIN(step->sleep_ms, G_MAXINT), on_slept, self);
}

/* Nobody is there to be signalled when it has ended. */
static void
step_signal(MfPayloadRun *self, const MfStep *step)
{
    const Started *started = self->spawned[step->payload];

    if (started->invocation)
        mf_stream_signal_payload(self->stream, get_index(self, started), step->signal_number);
}

static void (*const steps[])(MfPayloadRun *self, const MfStep *step) = {
    [MF_STEP_RUN] = step_run,   [MF_STEP_SPAWN] = step_spawn, [MF_STEP_WAIT] = step_wait,
    [MF_STEP_KILL] = step_kill, [MF_STEP_SLEEP] = step_sleep, [MF_STEP_SIGNAL] = step_signal,
};
G_STATIC_ASSERT(G_N_ELEMENTS(steps) == MF_N_STEPS);

/* Kills all that runs. FALSE when nothing does. */
static gboolean
kill_leftovers(MfPayloadRun *self)
{
    if (self->running == 0)
        return FALSE;
    self->ending = TRUE;
    self->extensions = 0;
    for (guint i = 0; i < self->started->len; i++)
        kill_started(self, g_ptr_array_index(self->started, i));
    await_report(self);
    return TRUE;
}

static void
end_repetition(MfPayloadRun *self)
{
    for (guint i = 0; i < self->target->payloads->len; i++) {
        const Started *left = g_steal_pointer(&self->spawned[i]);

        if (!left || left->collected || self->timed_out)
            continue;
        left->result->not_collected = TRUE;
        mf_payload_result_fail(left->result, "It was spawned, and no step has waited for it or "
                                             "killed it.");
    }
    self->ending = FALSE;
    self->step = 0;
    self->repetition++;
}

static void
finish_if_drained(MfPayloadRun *self)
{
    if (mf_stdio_get_queued(self->stdio) == 0)
        finish(self, NULL);
}

static gboolean
is_over(const MfPayloadRun *self)
{
    return self->repetition >= self->target->repeat || (self->timed_out && self->running == 0);
}

/* Goes on as far as nothing has to be waited for. */
static void
advance(MfPayloadRun *self)
{
    while (self->task && !self->awaited && !self->timer && !is_over(self)) {
        if (self->step < self->steps->len && !self->timed_out) {
            const MfStep *step = g_ptr_array_index(self->steps, self->step++);

            steps[step->kind](self, step);
        } else if (!kill_leftovers(self)) {
            end_repetition(self);
        }
    }
    if (self->task && is_over(self))
        finish_if_drained(self);
}

/* The target's time is over. */
static gboolean
on_limit(gpointer data)
{
    g_autoptr(MfPayloadRun) self = g_object_ref(data);

    self->limit_timer = 0;
    if (is_over(self))
        return G_SOURCE_REMOVE;
    self->timed_out = TRUE;
    if (self->awaited)
        mf_invocation_expire(self->awaited->invocation);
    self->awaited = NULL;
    g_clear_handle_id(&self->timer, g_source_remove);
    advance(self);
    return G_SOURCE_REMOVE;
}

/*
 * What comes from the guest, and what goes to the caller
 */

static void
write_output(MfPayloadRun *self, int fd, GBytes *chunk)
{
    self->received += g_bytes_get_size(chunk);
    if (self->kept[fd])
        mf_tail_append(self->kept[fd], chunk);
    if (!self->stdio->output[fd])
        return;
    mf_output_write(self->stdio->output[fd], chunk);
    if (self->task && mf_stdio_get_queued(self->stdio) >= MF_EXEC_OUTPUT_QUEUE_MAX)
        set_paused(self, TRUE);
}

static void
on_output(MfPayloadRun *self, guint index, int fd, GBytes *chunk)
{
    g_autoptr(MfPayloadRun) keep = g_object_ref(self);
    Started *started =
        self->task && index < self->started->len ? g_ptr_array_index(self->started, index) : NULL;

    if (started && started->invocation &&
        mf_invocation_take_output(started->invocation, fd, chunk) && g_bytes_get_size(chunk) > 0)
        write_output(self, fd, chunk);
}

static GError *
refuse_second_end(const Started *started)
{
    return g_error_new(MF_ERROR, MF_ERROR_PROTOCOL,
                       "The guest told of the end of payload '%s' twice.", started->result->name);
}

static void
on_ended(MfPayloadRun *self, guint index, GBytes *json)
{
    g_autoptr(MfPayloadRun) keep = g_object_ref(self);
    g_autoptr(GError) error = NULL;

    if (!self->task || index >= self->started->len)
        return;

    Started *started = g_ptr_array_index(self->started, index);
    if (!started->invocation) {
        finish(self, refuse_second_end(started));
        return;
    }
    if (!mf_invocation_take_end(started->invocation, json, &error)) {
        finish(self, g_steal_pointer(&error));
        return;
    }
    conclude(self, started);
    self->running--;
    if (self->awaited == started || (self->ending && self->running == 0)) {
        self->awaited = NULL;
        g_clear_handle_id(&self->timer, g_source_remove);
    }
    advance(self);
}

static void
on_closed(MfPayloadRun *self, GError *reason)
{
    finish(self, g_error_new(MF_ERROR, MF_ERROR_LOST, "The guest's channel hung up: %s",
                             reason->message));
}

static void
on_lost(MfPayloadRun *self, GError *reason)
{
    finish(self, g_error_copy(reason));
}

static void
on_output_moved(MfPayloadRun *self)
{
    g_autoptr(MfPayloadRun) keep = g_object_ref(self);

    if (!self->task)
        return;
    if (mf_stdio_get_queued(self->stdio) < MF_EXEC_OUTPUT_QUEUE_MAX)
        set_paused(self, FALSE);
    if (is_over(self))
        finish_if_drained(self);
}

static void
on_broken(MfPayloadRun *self, MfOutput *output)
{
    const GError *error = mf_output_get_error(output);

    /* Lost output must not pass for a success. */
    if (error)
        finish(self, g_error_copy(error));
    else
        on_output_moved(self);
}

static void
on_cancelled(GCancellable *cancellable, MfPayloadRun *self)
{
    finish(self, g_error_new(MF_ERROR, MF_ERROR_CANCELLED, "The payloads were cancelled."));
}

MfPayloadRun *
mf_payload_run_new(const MfTarget *target, const char *workdir, MfQga *qga, MfStream *stream,
                   MfStdio *stdio)
{
    MfPayloadRun *self = g_object_new(MF_TYPE_PAYLOAD_RUN, NULL);

    self->target = target;
    self->workdir = g_strdup(workdir);
    /* A hang is noticed by what is heard meanwhile. */
    self->pulse = mf_agent_pulse_new(qga, target->hang_timeout_ms > 0 ? MF_AGENT_PULSE_MS
                                                                      : MF_AGENT_PULSE_SELDOM_MS);
    self->stream = g_object_ref(stream);
    self->stdio = stdio;
    self->collects = target->steps->len == 0;
    self->steps =
        self->collects ? mf_steps_default(target->payloads) : g_ptr_array_ref(target->steps);
    self->spawned = g_new0(Started *, target->payloads->len);
    return self;
}

void
mf_payload_run_keep(MfPayloadRun *self, int fd, MfTail *tail)
{
    self->kept[fd] = tail;
}

/* The two outputs may be the same. */
static void
watch_outputs(MfPayloadRun *self)
{
    for (int fd = 1; fd <= 2; fd++) {
        MfOutput *output = self->stdio->output[fd];

        if (!output || (fd == 2 && output == self->stdio->output[1]))
            continue;
        g_signal_connect_object(output, "drained", G_CALLBACK(on_output_moved), self,
                                G_CONNECT_SWAPPED);
        g_signal_connect_object(output, "broken", G_CALLBACK(on_broken), self, G_CONNECT_SWAPPED);
    }
}

void
mf_payload_run_start_async(MfPayloadRun *self, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data)
{
    self->task = g_task_new(self, NULL, callback, user_data);
    if (cancellable && g_cancellable_is_cancelled(cancellable)) {
        on_cancelled(cancellable, self);
        return;
    }
    if (cancellable)
        g_signal_connect_object(cancellable, "cancelled", G_CALLBACK(on_cancelled), self, 0);
    g_signal_connect_object(self->stream, "payload-output", G_CALLBACK(on_output), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(self->stream, "payload-ended", G_CALLBACK(on_ended), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(self->stream, "closed", G_CALLBACK(on_closed), self, G_CONNECT_SWAPPED);
    g_signal_connect_object(self->pulse, "lost", G_CALLBACK(on_lost), self, G_CONNECT_SWAPPED);
    watch_outputs(self);
    mf_agent_pulse_start(self->pulse);
    self->begin_us = g_get_monotonic_time();
    if (self->target->timeout_ms > 0)
        self->limit_timer =
            g_timeout_add((guint)MIN(self->target->timeout_ms, G_MAXINT), on_limit, self);
    advance(self);
}

gboolean
mf_payload_run_start_finish(MfPayloadRun *self, GAsyncResult *result, gboolean *ret_timed_out,
                            GError **error)
{
    if (!g_task_propagate_boolean(G_TASK(result), error))
        return FALSE;
    *ret_timed_out = self->timed_out;
    return TRUE;
}

GPtrArray *
mf_payload_run_take_results(MfPayloadRun *self)
{
    for (guint i = 0; i < self->started->len; i++) {
        Started *started = g_ptr_array_index(self->started, i);

        if (started->invocation)
            conclude(self, started);
    }
    return g_steal_pointer(&self->results);
}

void
mf_payload_run_write_output(MfPayloadRun *self, int fd, GBytes *bytes)
{
    if (self->task)
        write_output(self, fd, bytes);
}

void
mf_payload_run_expire(MfPayloadRun *self)
{
    if (!self->task || self->timed_out)
        return;
    g_clear_handle_id(&self->limit_timer, g_source_remove);
    on_limit(self);
}
