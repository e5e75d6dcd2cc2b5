/* SPDX-License-Identifier: Apache-2.0 */
#include "run/commands.h"

#include "run/exec-script.h"
#include "run/exec-stream.h"
#include "run/expect.h"
#include "run/payload-result.h"
#include "run/subtest-reader.h"
#include "wire/guest-protocol.h"

struct _MfCommands {
    const MfTarget *target; /* borrowed */
    MfStdio *stdio;         /* borrowed; the caller's */
    MfStdio *reading;       /* owned; in its place for a command with a file to read; or NULL */
    MfStdio *beside;        /* owned; of setup and teardown */
    const MfPlan *plan;     /* borrowed; this and the rest once there is a guest */
    MfMachine *machine;     /* owned */
    MfStream *stream;       /* owned */
    MfImageMeans means;
    MfTail *kept[3];         /* owned; of the command's outputs, for its expectations; or NULL */
    MfSubtests *subtests;    /* owned; that the command tells of; or NULL */
    MfSubtestReader *reader; /* owned; of its standard output; or NULL */
};

static MfStdio *
get_stdio(const MfCommands *self)
{
    return self->reading ? self->reading : self->stdio;
}

static void
on_written(MfOutput *output, GBytes *chunk, gpointer data)
{
    MfCommands *self = data;

    mf_subtest_reader_feed(self->reader, g_bytes_get_data(chunk, NULL), g_bytes_get_size(chunk));
}

MfCommands *
mf_commands_new(const MfTarget *target, MfStdio *stdio, GError **error)
{
    g_autoptr(MfCommands) self = g_new0(MfCommands, 1);

    self->target = target;
    self->stdio = stdio;
    self->beside = mf_stdio_new_beside(stdio);
    if (!target->stdin_path)
        return g_steal_pointer(&self);
    self->reading = mf_stdio_new_reading(stdio, target->stdin_path, error);
    return self->reading ? g_steal_pointer(&self) : NULL;
}

void
mf_commands_free(MfCommands *self)
{
    if (!self)
        return;
    if (self->reader && self->stdio->output[1])
        g_signal_handlers_disconnect_by_data(self->stdio->output[1], self);
    mf_subtest_reader_free(self->reader);
    mf_subtests_free(self->subtests);
    for (int fd = 1; fd <= 2; fd++)
        mf_tail_free(self->kept[fd]);
    g_clear_pointer(&self->reading, mf_stdio_free);
    g_clear_pointer(&self->beside, mf_stdio_free);
    g_clear_object(&self->stream);
    g_clear_object(&self->machine);
    g_free(self);
}

void
mf_commands_get_open(const MfCommands *self, gboolean ret_open[3])
{
    mf_stdio_get_open(get_stdio(self), ret_open);
}

void
mf_commands_set_guest(MfCommands *self, const MfPlan *plan, MfMachine *machine, MfStream *stream,
                      MfImageMeans means)
{
    self->plan = plan;
    g_set_object(&self->machine, machine);
    g_set_object(&self->stream, stream);
    self->means = means;
}

/* With an initramfs mayfly-guest is in the guest, whoever is PID 1 and serves the agent; in an
 * image's system it is on a share, if that can be mounted. */
static gboolean
has_mayfly_guest(const MfCommands *self)
{
    return self->plan->initramfs || (self->plan->image_script && self->means == MF_IMAGE_STREAMS);
}

/* A command in the guest: its record for mayfly-guest, or the words for a shell without that. Owned
 * by the caller. */
static MfExec *
make_exec(MfCommands *self, MfStdio *stdio, GBytes *record, const char *const *words)
{
    if (!has_mayfly_guest(self))
        return mf_exec_script_new(self->machine, stdio, words);
    return mf_exec_stream_new(mf_machine_get_qga(self->machine), self->stream, stdio, record);
}

/* From now on: what setup writes is not the command's. */
static void
read_subtests(MfCommands *self)
{
    MfSubtestFormat format = self->target->subtests;

    if (format == MF_SUBTEST_FORMAT_NONE)
        return;
    self->subtests = mf_subtests_new();
    self->reader = mf_subtest_reader_new(format, NULL, NULL, self->subtests, NULL);
    if (self->stdio->output[1])
        g_signal_connect(self->stdio->output[1], "written", G_CALLBACK(on_written), self);
}

MfExec *
mf_commands_make(MfCommands *self)
{
    const char *text =
        self->means == MF_IMAGE_ALONE ? self->plan->image_command_alone : self->plan->image_command;
    const char *const file_words[] = {MF_GUEST_COMMAND, NULL};
    const char *const text_words[] = {"-c", text, NULL};
    MfExec *exec = make_exec(self, get_stdio(self), self->plan->command,
                             self->plan->image_script ? text_words : file_words);

    read_subtests(self);
    mf_exec_set_limit(exec, self->target->timeout_ms);
    for (int fd = 1; fd <= 2; fd++) {
        self->kept[fd] = mf_expect_keep(self->target->expect, fd);
        mf_exec_keep(exec, fd, self->kept[fd]);
    }
    return exec;
}

MfPayloadRun *
mf_commands_make_payloads(MfCommands *self)
{
    MfPayloadRun *payloads =
        mf_payload_run_new(self->target, self->plan->workdir, mf_machine_get_qga(self->machine),
                           self->stream, get_stdio(self));

    read_subtests(self);
    for (int fd = 1; fd <= 2; fd++) {
        self->kept[fd] = mf_expect_keep(self->target->expect, fd);
        mf_payload_run_keep(payloads, fd, self->kept[fd]);
    }
    return payloads;
}

MfExec *
mf_commands_make_hook(MfHookKind kind, guint index, gpointer data)
{
    MfCommands *self = data;
    const MfPlanHook *hook = g_ptr_array_index(self->plan->hooks[kind], index);
    gboolean alone = self->plan->image_script && self->means == MF_IMAGE_ALONE;
    const char *const words[] = {"-c", alone ? hook->script_alone : hook->script, NULL};

    return make_exec(self, self->beside, hook->record, words);
}

/* By number, NULL where nothing was kept. */
static void
get_kept(const MfCommands *self, GBytes *ret_kept[3])
{
    for (int fd = 1; fd <= 2; fd++)
        ret_kept[fd] = self->kept[fd] ? mf_tail_get(self->kept[fd]) : NULL;
}

static void
clear_kept(GBytes *kept[3])
{
    for (int fd = 1; fd <= 2; fd++)
        g_clear_pointer(&kept[fd], g_bytes_unref);
}

char *
mf_commands_judge(const MfCommands *self, const MfExit *ended, MfResult *result)
{
    GBytes *kept[3] = {NULL};
    g_autofree char *unmet = NULL;

    result->verdict = ended->signal_number ? MF_VERDICT_SIGNALLED : MF_VERDICT_EXITED;
    result->status = ended->status;
    result->signal_number = ended->signal_number;
    result->output_held = ended->output_held;
    get_kept(self, kept);
    unmet = mf_expect_judge(self->target->expect, result, kept);
    clear_kept(kept);
    result->passed = unmet == NULL;
    if (ended->output_held)
        g_ptr_array_add(result->notes,
                        g_strdup("Something the command left behind still holds its output open; "
                                 "what it writes later is lost."));
    /* Whose status is the only thing that counts says it by itself. */
    return self->target->expect ? g_steal_pointer(&unmet) : NULL;
}

char *
mf_commands_judge_payloads(const MfCommands *self, MfResult *result)
{
    GBytes *kept[3] = {NULL};
    char *failures = mf_payload_results_explain(result->payloads, self->target->repeat);
    g_autofree char *unmet = NULL;

    get_kept(self, kept);
    unmet = mf_expect_judge_output(self->target->expect, kept);
    clear_kept(kept);
    result->verdict = MF_VERDICT_EXITED;
    result->status = mf_payload_results_status(result->payloads);
    result->passed = !failures && !unmet;
    if (!failures || !unmet)
        return failures ? failures : g_steal_pointer(&unmet);

    g_autofree char *first = failures;
    return g_strdup_printf("%s %s", first, unmet);
}

void
mf_commands_write_log(MfCommands *self, GBytes *text)
{
    MfOutput *output = self->stdio->output[2];

    if (output && mf_output_get_queued(output) < MF_EXEC_OUTPUT_QUEUE_MAX)
        mf_output_write(output, text);
}

void
mf_commands_conclude(MfCommands *self, MfResult *result)
{
    if (!self->reader)
        return;
    mf_subtest_reader_finish(self->reader);
    mf_result_add_subtests(result, self->subtests);
}
