/* SPDX-License-Identifier: Apache-2.0 */
#include "run/payload-run.h"

#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "run/agent-pulse.h"
#include "run/check.h"
#include "run/hang-watch.h"
#include "run/payload-result.h"
#include "stream-peer.h"
#include "wire/fd-transport.h"
#include "wire/guest-protocol.h"

/* Payloads between a scripted guest and a caller that keeps what they write. The agent is there and
 * says nothing, as long as nobody hangs it up. */
typedef struct {
    MfTarget *target;
    StreamPeer *guest;
    MfStream *stream;
    int agent_fd; /* -1: hung up */
    MfQga *qga;
    MfStdio *stdio;
    GString *written[3];
    GCancellable *cancellable;
    MfPayloadRun *run;
    guint returns;
    gboolean timed_out;
    GError *error;
    GPtrArray *results; /* of MfPayloadResult */
} Fixture;

static void
on_written(MfOutput *output, GBytes *chunk, GString *written)
{
    g_string_append_len(written, g_bytes_get_data(chunk, NULL), (gssize)g_bytes_get_size(chunk));
}

static void
set_up(Fixture *self, gconstpointer unused)
{
    int host;

    self->target = mf_target_new();
    self->guest = stream_peer_new(&self->stream);
    g_assert_true(mf_fd_socketpair(&self->agent_fd, &host, NULL));
    g_autoptr(MfTransport) transport = mf_fd_transport_new(host, "the silent agent");
    self->qga = mf_qga_new(transport);
    self->stdio = mf_stdio_new_capture(NULL);
    self->cancellable = g_cancellable_new();
    for (int fd = 1; fd <= 2; fd++) {
        self->written[fd] = g_string_new(NULL);
        g_signal_connect(self->stdio->output[fd], "written", G_CALLBACK(on_written),
                         self->written[fd]);
    }
}

static void
tear_down(Fixture *self, gconstpointer unused)
{
    stream_peer_settle();
    g_clear_pointer(&self->results, g_ptr_array_unref);
    g_assert_finalize_object(self->run);
    mf_stdio_free(self->stdio);
    for (int fd = 1; fd <= 2; fd++)
        g_string_free(self->written[fd], TRUE);
    g_assert_finalize_object(self->qga);
    mf_fd_clear(&self->agent_fd);
    g_assert_finalize_object(self->stream);
    stream_peer_free(self->guest);
    g_object_unref(self->cancellable);
    g_clear_error(&self->error);
    mf_target_free(self->target);
}

static MfPayload *
add_payload(Fixture *self, const char *name)
{
    MfPayload *payload = mf_payload_new(name);

    payload->shell = g_strdup(name);
    g_ptr_array_add(self->target->payloads, payload);
    return payload;
}

static MfStep *
add_step(Fixture *self, MfStepKind kind, guint payload)
{
    MfStep *step = mf_step_new(kind, payload);

    g_ptr_array_add(self->target->steps, step);
    return step;
}

static void
on_returned(GObject *source, GAsyncResult *result, gpointer data)
{
    Fixture *self = data;

    g_assert_cmpuint(++self->returns, ==, 1);
    mf_payload_run_start_finish(MF_PAYLOAD_RUN(source), result, &self->timed_out, &self->error);
}

static void
start(Fixture *self)
{
    self->run = mf_payload_run_new(self->target, "/there", self->qga, self->stream, self->stdio);
    mf_payload_run_start_async(self->run, self->cancellable, on_returned, self);
}

static void
await_end(Fixture *self)
{
    while (self->returns == 0)
        g_main_context_iteration(NULL, TRUE);
    self->results = mf_payload_run_take_results(self->run);
}

static guint
count_heard(const Fixture *self, const char *text)
{
    guint count = 0;

    for (const char *at = self->guest->heard->str; (at = strstr(at, text)); at++)
        count++;
    return count;
}

/* Until the host has said that so often. */
static void
await_heard(Fixture *self, const char *text, guint count)
{
    while (count_heard(self, text) < count)
        g_main_context_iteration(NULL, TRUE);
}

static void
say_output(Fixture *self, guint32 index, guint8 fd, const char *text)
{
    guint8 payload[256] = {[4] = fd};

    mf_frame_put_u32(payload, index);
    memcpy(payload + MF_PAYLOAD_RAW_HEADER, text, strlen(text));
    stream_peer_say(self->guest, MF_FRAME_RAWO, payload, MF_PAYLOAD_RAW_HEADER + strlen(text));
}

static void
say_report(Fixture *self, guint32 index, const char *end, gboolean killed, gsize out)
{
    g_autofree char *json = g_strdup_printf(
        "%s, \"timed-out\": false, \"killed\": %s, \"duration-us\": 1, \"stdout\": {\"bytes\": "
        "%zu, \"discarded\": 0}, \"stderr\": {\"bytes\": 0, \"discarded\": 0}}",
        end, killed ? "true" : "false", out);
    g_autofree guint8 *payload = g_malloc(4 + strlen(json));

    mf_frame_put_u32(payload, index);
    memcpy(payload + 4, json, strlen(json));
    stream_peer_say(self->guest, MF_FRAME_PMET, payload, 4 + strlen(json));
}

/* All of a payload's life but for its start. */
static void
say_end(Fixture *self, guint32 index, const char *out, const char *end, gboolean killed)
{
    if (*out)
        say_output(self, index, 1, out);
    say_output(self, index, 1, "");
    say_output(self, index, 2, "");
    say_report(self, index, end, killed, strlen(out));
}

#define EXITED(n)    "{\"status\": " #n
#define SIGNALLED(n) "{\"signal\": " #n

static const MfPayloadResult *
get_result(const Fixture *self, guint at)
{
    g_assert_cmpuint(at, <, self->results->len);
    return g_ptr_array_index(self->results, at);
}

static void
assert_done(const Fixture *self, guint n_results)
{
    g_assert_no_error(self->error);
    g_assert_false(self->timed_out);
    g_assert_cmpuint(self->results->len, ==, n_results);
}

static void
test_each_is_run_after_the_other(Fixture *self, gconstpointer unused)
{
    add_payload(self, "first");
    add_payload(self, "second");
    start(self);
    await_heard(self, "PRUN:00000000", 1);
    stream_peer_settle();
    g_assert_cmpuint(count_heard(self, "PRUN:"), ==, 1);
    say_end(self, 0, "one", EXITED(0), FALSE);
    await_heard(self, "PRUN:01000000", 1);
    say_end(self, 1, "two", EXITED(4), FALSE);
    await_end(self);

    assert_done(self, 2);
    g_assert_cmpstr(self->written[1]->str, ==, "onetwo");
    g_assert_true(get_result(self, 0)->passed);
    g_assert_false(get_result(self, 1)->passed);
    g_assert_cmpint(mf_payload_results_status(self->results), ==, 4);

    g_autofree char *failures = mf_payload_results_explain(self->results, 1);
    g_assert_true(g_str_has_prefix(failures, "Payload 'second': "));
}

static void
test_the_background_ends_with_the_others(Fixture *self, gconstpointer unused)
{
    add_payload(self, "server")->background = TRUE;
    add_payload(self, "client");
    start(self);
    await_heard(self, "PRUN:01000000", 1);
    say_end(self, 1, "", EXITED(0), FALSE);
    await_heard(self, "PKIL:00000000", 1);
    say_end(self, 0, "", SIGNALLED(9), TRUE);
    await_end(self);

    assert_done(self, 2);
    /* P-24: in the order in which they ended. */
    g_assert_cmpstr(get_result(self, 0)->name, ==, "client");
    g_assert_cmpstr(get_result(self, 1)->name, ==, "server");
    g_assert_cmpuint(get_result(self, 1)->index, ==, 0);
    g_assert_true(get_result(self, 1)->killed && get_result(self, 1)->passed);
    g_assert_false(get_result(self, 1)->not_collected);
}

static void
test_the_background_that_failed_before_fails(Fixture *self, gconstpointer unused)
{
    add_payload(self, "server")->background = TRUE;
    add_payload(self, "client");
    start(self);
    await_heard(self, "PRUN:01000000", 1);
    say_end(self, 0, "", EXITED(1), FALSE);
    say_end(self, 1, "", EXITED(0), FALSE);
    await_end(self);

    assert_done(self, 2);
    g_assert_cmpuint(count_heard(self, "PKIL:"), ==, 0);
    g_assert_cmpint(mf_payload_results_status(self->results), ==, 1);
}

static void
test_steps_wait_signal_and_kill(Fixture *self, gconstpointer unused)
{
    add_payload(self, "server");
    add_payload(self, "client");
    add_step(self, MF_STEP_SPAWN, 0);
    add_step(self, MF_STEP_SPAWN, 1);
    add_step(self, MF_STEP_SIGNAL, 0)->signal_number = 10;
    add_step(self, MF_STEP_WAIT, 1);
    add_step(self, MF_STEP_SLEEP, 0)->sleep_ms = 1;
    add_step(self, MF_STEP_KILL, 0);
    start(self);
    await_heard(self, "PSIG:000000000a000000", 1);
    stream_peer_settle();
    g_assert_cmpuint(count_heard(self, "PKIL:"), ==, 0);
    say_end(self, 1, "", EXITED(0), FALSE);
    await_heard(self, "PKIL:00000000", 1);
    say_end(self, 0, "", SIGNALLED(9), TRUE);
    await_end(self);

    assert_done(self, 2);
    g_assert_true(get_result(self, 0)->passed && get_result(self, 1)->passed);
}

static void
test_starts_are_counted_from_the_first_step(Fixture *self, gconstpointer unused)
{
    gint64 begin_us = g_get_monotonic_time();

    add_payload(self, "first");
    add_payload(self, "second");
    add_step(self, MF_STEP_RUN, 0);
    add_step(self, MF_STEP_SLEEP, 0)->sleep_ms = 20;
    add_step(self, MF_STEP_RUN, 1);
    start(self);
    await_heard(self, "PRUN:00000000", 1);
    say_end(self, 0, "", EXITED(0), FALSE);
    await_heard(self, "PRUN:01000000", 1);
    say_end(self, 1, "", EXITED(0), FALSE);
    await_end(self);

    gint64 apart_us = get_result(self, 1)->start_us - get_result(self, 0)->start_us;
    g_assert_cmpint(get_result(self, 0)->start_us, >=, 0);
    g_assert_cmpint(apart_us, >=, 20 * 1000);
    g_assert_cmpint(get_result(self, 1)->start_us, <=, g_get_monotonic_time() - begin_us);
}

/* P-13: nobody is there to be signalled or killed; that is silent. */
static void
test_what_has_ended_is_not_signalled(Fixture *self, gconstpointer unused)
{
    add_payload(self, "server");
    add_payload(self, "client");
    add_step(self, MF_STEP_SPAWN, 0);
    add_step(self, MF_STEP_RUN, 1);
    add_step(self, MF_STEP_SIGNAL, 0)->signal_number = 10;
    add_step(self, MF_STEP_KILL, 0);
    start(self);
    await_heard(self, "PRUN:01000000", 1);
    say_end(self, 0, "", EXITED(0), FALSE);
    say_end(self, 1, "", EXITED(0), FALSE);
    await_end(self);

    assert_done(self, 2);
    g_assert_cmpuint(count_heard(self, "PSIG:") + count_heard(self, "PKIL:"), ==, 0);
    g_assert_false(get_result(self, 0)->killed);
}

static void
test_what_nobody_collects_is_killed_and_fails(Fixture *self, gconstpointer unused)
{
    add_payload(self, "server");
    add_step(self, MF_STEP_SPAWN, 0);
    start(self);
    await_heard(self, "PKIL:00000000", 1);
    say_end(self, 0, "", SIGNALLED(9), TRUE);
    await_end(self);

    assert_done(self, 1);
    g_assert_true(get_result(self, 0)->not_collected && get_result(self, 0)->killed);
    g_assert_false(get_result(self, 0)->passed);
}

static void
test_the_steps_are_repeated(Fixture *self, gconstpointer unused)
{
    add_payload(self, "work");
    self->target->repeat = 3;
    start(self);
    for (guint32 i = 0; i < 3; i++) {
        await_heard(self, "PRUN:", i + 1);
        say_end(self, i, "", i == 1 ? EXITED(5) : EXITED(0), FALSE);
    }
    await_end(self);

    assert_done(self, 3);
    for (guint i = 0; i < 3; i++) {
        g_assert_cmpuint(get_result(self, i)->repetition, ==, i);
        g_assert_cmpuint(get_result(self, i)->index, ==, i);
    }
    g_autofree char *failures = mf_payload_results_explain(self->results, 3);
    g_assert_nonnull(strstr(failures, "Payload 'work' (repetition 2 of 3): "));
}

static void
test_a_wait_that_lasts_too_long_kills(Fixture *self, gconstpointer unused)
{
    add_payload(self, "server");
    add_step(self, MF_STEP_SPAWN, 0);
    add_step(self, MF_STEP_WAIT, 0)->timeout_ms = 5;
    start(self);
    await_heard(self, "PKIL:00000000", 1);
    say_end(self, 0, "so far", SIGNALLED(9), TRUE);
    await_end(self);

    assert_done(self, 1);
    g_assert_true(get_result(self, 0)->timed_out);
    g_assert_false(get_result(self, 0)->passed);
    g_assert_cmpstr(get_result(self, 0)->stdout_tail, ==, "so far");
    g_assert_cmpint(mf_payload_results_status(self->results), ==, 124);
}

static void
test_the_targets_timeout_kills_all(Fixture *self, gconstpointer unused)
{
    add_payload(self, "server")->background = TRUE;
    add_payload(self, "client");
    add_payload(self, "never");
    self->target->timeout_ms = 20;
    start(self);
    await_heard(self, "PKIL:00000000", 1);
    await_heard(self, "PKIL:01000000", 1);
    say_end(self, 0, "", SIGNALLED(9), TRUE);
    say_end(self, 1, "so far", SIGNALLED(9), TRUE);
    await_end(self);

    g_assert_no_error(self->error);
    g_assert_true(self->timed_out);
    g_assert_cmpuint(self->results->len, ==, 2);
    g_assert_cmpstr(self->written[1]->str, ==, "so far");
    g_assert_cmpuint(count_heard(self, "PRUN:"), ==, 2);
}

/* P-3: "74696d656f75742d6d73" is "timeout-ms". */
static void
test_a_timeout_is_for_run_only(Fixture *self, gconstpointer unused)
{
    add_payload(self, "work")->timeout_ms = 60000;
    add_step(self, MF_STEP_SPAWN, 0);
    add_step(self, MF_STEP_WAIT, 0);
    add_step(self, MF_STEP_RUN, 0);
    start(self);
    await_heard(self, "PRUN:00000000", 1);
    g_assert_cmpuint(count_heard(self, "74696d656f75742d6d73"), ==, 0);
    say_end(self, 0, "", EXITED(0), FALSE);
    await_heard(self, "PRUN:01000000", 1);
    g_assert_cmpuint(count_heard(self, "74696d656f75742d6d733d3630303030"), ==, 1);
    say_end(self, 1, "", EXITED(0), FALSE);
    await_end(self);
    assert_done(self, 2);
}

static void
assert_protocol_error(Fixture *self)
{
    await_end(self);
    g_assert_error(self->error, MF_ERROR, MF_ERROR_PROTOCOL);
}

static void
test_a_doubled_end_is_no_pass(Fixture *self, gconstpointer unused)
{
    add_payload(self, "first");
    add_payload(self, "second");
    start(self);
    await_heard(self, "PRUN:00000000", 1);
    say_end(self, 0, "", EXITED(1), FALSE);
    await_heard(self, "PRUN:01000000", 1);
    say_report(self, 0, EXITED(0), FALSE, 0);
    assert_protocol_error(self);
    g_assert_cmpuint(self->results->len, ==, 2);
    g_assert_cmpint(get_result(self, 0)->status, ==, 1);
    g_assert_false(get_result(self, 1)->ended);
}

static void
test_an_early_end_is_no_pass(Fixture *self, gconstpointer unused)
{
    add_payload(self, "work");
    start(self);
    await_heard(self, "PRUN:00000000", 1);
    say_report(self, 0, EXITED(0), FALSE, 0);
    assert_protocol_error(self);
}

static void
test_an_end_that_is_no_json_is_no_pass(Fixture *self, gconstpointer unused)
{
    add_payload(self, "work");
    start(self);
    await_heard(self, "PRUN:00000000", 1);
    say_output(self, 0, 1, "");
    say_output(self, 0, 2, "");
    stream_peer_say(self->guest, MF_FRAME_PMET, "\0\0\0\0{", 5);
    assert_protocol_error(self);
}

static void
count_up(guint *count)
{
    (*count)++;
}

/* What is forged has no effect at all: the payload's own end follows. */
static void
test_frames_of_nobody_are_dropped(Fixture *self, gconstpointer unused)
{
    static const guint8 bad_fd[] = {0, 0, 0, 0, 3, 0, 0, 0, 'x'};
    static const guint8 bad_zeros[] = {0, 0, 0, 0, 1, 0, 1, 0, 'x'};
    g_autofree guint8 *large = g_malloc0(MF_FRAME_CHUNK_MAX + 1);
    guint outputs = 0, ends = 0;

    g_signal_connect_swapped(self->stream, "payload-output", G_CALLBACK(count_up), &outputs);
    g_signal_connect_swapped(self->stream, "payload-ended", G_CALLBACK(count_up), &ends);
    add_payload(self, "work");
    start(self);
    await_heard(self, "PRUN:00000000", 1);
    say_end(self, 1, "x", EXITED(0), FALSE);
    say_end(self, G_MAXUINT32, "x", EXITED(0), FALSE);
    stream_peer_say(self->guest, MF_FRAME_PMET, "\0\0\0", 3);
    stream_peer_say(self->guest, MF_FRAME_RAWO, bad_fd, sizeof(bad_fd));
    stream_peer_say(self->guest, MF_FRAME_RAWO, bad_fd, 7);
    stream_peer_say(self->guest, MF_FRAME_RAWO, bad_zeros, sizeof(bad_zeros));
    large[4] = 1;
    stream_peer_say(self->guest, MF_FRAME_RAWO, large, MF_FRAME_CHUNK_MAX + 1);
    stream_peer_say(self->guest, MF_FRAME_PMET, large, MF_FRAME_CHUNK_MAX + 1);
    say_end(self, 0, "own", EXITED(7), FALSE);
    await_end(self);

    assert_done(self, 1);
    g_assert_cmpint(get_result(self, 0)->status, ==, 7);
    g_assert_cmpstr(self->written[1]->str, ==, "own");
    g_assert_cmpuint(outputs, ==, 3);
    g_assert_cmpuint(ends, ==, 1);
}

static void
test_a_frame_with_a_wrong_checksum_is_dropped(Fixture *self, gconstpointer unused)
{
    add_payload(self, "work");
    start(self);
    await_heard(self, "PRUN:00000000", 1);
    say_output(self, 0, 1, "torn");
    stream_peer_tear(self->guest, MF_PAYLOAD_RAW_HEADER + 4);
    say_end(self, 0, "good", EXITED(0), FALSE);
    await_end(self);
    assert_done(self, 1);
    g_assert_cmpstr(self->written[1]->str, ==, "good");
}

static void
test_a_guest_that_is_lost_leaves_what_it_sent(Fixture *self, gconstpointer unused)
{
    add_payload(self, "first");
    add_payload(self, "second");
    start(self);
    await_heard(self, "PRUN:00000000", 1);
    say_end(self, 0, "", EXITED(0), FALSE);
    await_heard(self, "PRUN:01000000", 1);
    say_output(self, 1, 1, "so far");
    while (self->written[1]->len == 0)
        g_main_context_iteration(NULL, TRUE);
    stream_peer_hang_up(self->guest);
    await_end(self);

    g_assert_error(self->error, MF_ERROR, MF_ERROR_LOST);
    g_assert_nonnull(strstr(self->error->message, "channel hung up"));
    g_assert_cmpuint(self->results->len, ==, 2);
    g_assert_true(get_result(self, 0)->passed);
    g_assert_false(get_result(self, 1)->ended || get_result(self, 1)->passed);
    g_assert_cmpstr(get_result(self, 1)->stdout_tail, ==, "so far");
}

/* Where a hang is to be noticed it is asked within a second whether it is there. */
static void
test_an_agent_that_is_lost_ends_the_run(Fixture *self, gconstpointer unused)
{
    add_payload(self, "work");
    self->target->hang_timeout_ms = MF_HANG_TIMEOUT_MIN_MS;
    start(self);
    await_heard(self, "PRUN:00000000", 1);
    mf_fd_clear(&self->agent_fd);
    await_end(self);
    g_assert_error(self->error, MF_ERROR, MF_ERROR_LOST);
}

/* Its hang-up would be noticed by a question. */
static void
test_without_a_hang_timeout_the_agent_is_left_alone(Fixture *self, gconstpointer unused)
{
    add_payload(self, "work");
    add_step(self, MF_STEP_SLEEP, 0)->sleep_ms = MF_AGENT_PULSE_MS + 100;
    add_step(self, MF_STEP_RUN, 0);
    mf_fd_clear(&self->agent_fd);
    start(self);
    while (self->returns == 0 && count_heard(self, "PRUN:00000000") == 0)
        g_main_context_iteration(NULL, TRUE);
    g_assert_no_error(self->error);
    say_end(self, 0, "", EXITED(0), FALSE);
    await_end(self);
    assert_done(self, 1);
}

static void
test_a_cancelled_run_keeps_what_came(Fixture *self, gconstpointer unused)
{
    add_payload(self, "work");
    start(self);
    await_heard(self, "PRUN:00000000", 1);
    say_output(self, 0, 2, "so far");
    while (self->written[2]->len == 0)
        g_main_context_iteration(NULL, TRUE);
    g_cancellable_cancel(self->cancellable);
    await_end(self);

    g_assert_error(self->error, MF_ERROR, MF_ERROR_CANCELLED);
    g_assert_cmpstr(get_result(self, 0)->stderr_tail, ==, "so far");
}

#define ADD(name, test) g_test_add("/payload-run/" name, Fixture, NULL, set_up, test, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("p-15-each-is-run-after-the-other", test_each_is_run_after_the_other);
    ADD("p-24-the-background-ends-with-the-others", test_the_background_ends_with_the_others);
    ADD("the-background-that-failed-before-fails", test_the_background_that_failed_before_fails);
    ADD("p-18-steps-wait-signal-and-kill", test_steps_wait_signal_and_kill);
    ADD("starts-are-counted-from-the-first-step", test_starts_are_counted_from_the_first_step);
    ADD("p-13-what-has-ended-is-not-signalled", test_what_has_ended_is_not_signalled);
    ADD("p-20-what-nobody-collects-is-killed-and-fails",
        test_what_nobody_collects_is_killed_and_fails);
    ADD("the-steps-are-repeated-with-further-indexes", test_the_steps_are_repeated);
    ADD("p-16-a-wait-that-lasts-too-long-kills", test_a_wait_that_lasts_too_long_kills);
    ADD("the-targets-timeout-kills-all-and-stops-the-steps", test_the_targets_timeout_kills_all);
    ADD("p-3-a-timeout-is-for-run-only", test_a_timeout_is_for_run_only);
    ADD("a-doubled-end-is-no-pass", test_a_doubled_end_is_no_pass);
    ADD("an-end-before-the-outputs-ends-is-no-pass", test_an_early_end_is_no_pass);
    ADD("an-end-that-is-no-json-is-no-pass", test_an_end_that_is_no_json_is_no_pass);
    ADD("frames-of-no-payload-are-dropped", test_frames_of_nobody_are_dropped);
    ADD("a-frame-with-a-wrong-checksum-is-dropped", test_a_frame_with_a_wrong_checksum_is_dropped);
    ADD("a-guest-that-is-lost-leaves-what-it-sent", test_a_guest_that_is_lost_leaves_what_it_sent);
    ADD("an-agent-that-is-lost-ends-the-run", test_an_agent_that_is_lost_ends_the_run);
    ADD("without-a-hang-timeout-the-agent-is-left-alone",
        test_without_a_hang_timeout_the_agent_is_left_alone);
    ADD("a-cancelled-run-keeps-what-came", test_a_cancelled_run_keeps_what_came);
    return g_test_run();
}
