/* SPDX-License-Identifier: Apache-2.0 */
#include "run/dispatch.h"

#include "base/parse.h"
#include "base/plain-text.h"
#include "wire/guest-protocol.h"

#define NS_PER_MS 1000000

/* Which frames of a type are evidence. */
typedef enum { ENTRY_NEVER, ENTRY_VALID, ENTRY_ALWAYS } EntryRule;

static guint64
add_saturating(guint64 a, guint64 b)
{
    return a > G_MAXUINT64 - b ? G_MAXUINT64 : a + b;
}

static guint64
stamp(guint64 ns)
{
    return MAX(ns, 1);
}

static void
take_ready(MfDispatch *self, const struct mf_frame *frame, guint64 now_ns)
{
    if (self->ready || frame->length > 0)
        return;
    self->ready = TRUE;
    if (self->sinks->ready)
        self->sinks->ready(self->data);
}

/* The guest's words go into a message on somebody's terminal. */
static char *
make_reason(const guint8 *text, gsize length)
{
    g_autofree char *valid =
        g_utf8_make_valid((const char *)text, (gssize)MIN(length, MF_DISPATCH_REASON_MAX));
    GString *reason = g_string_new(NULL);

    for (const char *at = valid; *at; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);

        g_string_append_unichar(reason, g_unichar_iscntrl(c) ? ' ' : c);
    }
    if (reason->len == 0)
        g_string_assign(reason, "it gave no reason.");
    mf_plain_cut(reason->str, MF_DISPATCH_REASON_MAX);
    return g_string_free(reason, FALSE);
}

/* Owned by the caller; NULL if the text is none. */
static char *
make_boot_id(const guint8 *text, gsize length)
{
    g_autofree char *id = g_strndup((const char *)text, length);

    return g_uuid_string_is_valid(id) ? g_ascii_strdown(id, -1) : NULL;
}

static void
take_configured(MfDispatch *self, const struct mf_frame *frame, guint64 now_ns)
{
    if (!self->conf_awaited || frame->length < 1)
        return;
    self->conf_awaited = FALSE;
    if (!self->sinks->configured)
        return;

    gboolean good = frame->payload[0] == 0;
    const guint8 *text = frame->payload + 1;
    g_autofree char *reason = good ? NULL : make_reason(text, frame->length - 1);
    g_autofree char *boot_id = good ? make_boot_id(text, frame->length - 1) : NULL;
    self->sinks->configured(reason, boot_id, self->data);
}

static void
take_output(MfDispatch *self, const struct mf_frame *frame, guint64 now_ns)
{
    int fd = frame->type == MF_FRAME_SOUT ? 1 : 2;

    if (self->abandoned[fd]) {
        self->abandoned[fd] = frame->length > 0;
        return;
    }
    if (!self->command_expected || self->ended[fd] || frame->length > MF_FRAME_CHUNK_MAX)
        return;
    self->ended[fd] = frame->length == 0;
    if (self->sinks->output)
        self->sinks->output(fd, frame->payload, frame->length, self->data);
}

static void
take_held(MfDispatch *self, const struct mf_frame *frame, guint64 now_ns)
{
    int fd = frame->length == 1 ? frame->payload[0] : 0;

    if (fd != 1 && fd != 2)
        return;
    if (self->command_expected && !self->abandoned[fd] && !self->ended[fd] && self->sinks->held)
        self->sinks->held(self->data);
}

static void
take_acked(MfDispatch *self, const struct mf_frame *frame, guint64 now_ns)
{
    if (self->command_expected && frame->length == 4 && self->sinks->acked)
        self->sinks->acked(mf_frame_get_u32(frame->payload), self->data);
}

static void
take_exited(MfDispatch *self, const struct mf_frame *frame, guint64 now_ns)
{
    if (!self->command_expected || self->exited || frame->length != 4)
        return;

    gint32 number = (gint32)mf_frame_get_u32(frame->payload);
    if (number < -MF_EXIT_SIGNAL_MAX || number > MF_EXIT_STATUS_MAX)
        return;
    self->exited = TRUE;
    if (self->sinks->exited)
        self->sinks->exited(number, self->data);
}

static void
take_kernel_log(MfDispatch *self, const struct mf_frame *frame, guint64 now_ns)
{
    if (frame->length <= MF_FRAME_CHUNK_MAX && self->sinks->kernel_log)
        self->sinks->kernel_log(frame->payload, frame->length, self->data);
}

/* Which payload a frame is about; FALSE when it is none that was started. */
static gboolean
get_payload(const MfDispatch *self, const struct mf_frame *frame, guint32 *ret_index)
{
    if (frame->length < 4)
        return FALSE;
    *ret_index = mf_frame_get_u32(frame->payload);
    return *ret_index < self->n_payloads;
}

static void
take_payload_output(MfDispatch *self, const struct mf_frame *frame, guint64 now_ns)
{
    const guint8 *header = frame->payload;
    guint32 index;

    if (frame->length < MF_PAYLOAD_RAW_HEADER || frame->length > MF_FRAME_CHUNK_MAX)
        return;
    if (!get_payload(self, frame, &index) || header[4] < 1 || header[4] > 2 || header[5] ||
        header[6] || header[7])
        return;
    if (self->sinks->payload_output)
        self->sinks->payload_output(index, header[4], header + MF_PAYLOAD_RAW_HEADER,
                                    frame->length - MF_PAYLOAD_RAW_HEADER, self->data);
}

static void
take_metric(MfDispatch *self, const struct mf_frame *frame)
{
    if (frame->length > 4 && frame->length <= MF_SCENARIO_PAYLOAD_MAX && self->sinks->metric)
        self->sinks->metric(frame->payload + 4, frame->length - 4, self->data);
}

/* Of a payload, which has ended then, or of a scenario. */
static void
take_metrics(MfDispatch *self, const struct mf_frame *frame, guint64 now_ns)
{
    guint32 index;

    if (frame->length >= 4 && mf_frame_get_u32(frame->payload) == MF_SCENARIO_INDEX)
        take_metric(self, frame);
    else if (frame->length <= MF_FRAME_CHUNK_MAX && get_payload(self, frame, &index) &&
             self->sinks->payload_ended)
        self->sinks->payload_ended(index, frame->payload + 4, frame->length - 4, self->data);
}

static void
take_scheduler_died(MfDispatch *self, const struct mf_frame *frame, guint64 now_ns)
{
    self->scheduler_dead = TRUE;
    if (self->sinks->scheduler_died)
        self->sinks->scheduler_died(self->data);
}

static void
take_kernel_address(MfDispatch *self, const struct mf_frame *frame, guint64 now_ns)
{
    guint64 address = frame->length >= 8 ? mf_frame_get_u64(frame->payload) : 0;

    if (address == 0)
        return;
    self->kernel_base_plus_1 = address;
    if (self->sinks->kernel_address)
        self->sinks->kernel_address(self->data);
}

static void
take_log(MfDispatch *self, const struct mf_frame *frame, guint64 now_ns)
{
    if (frame->length > 0 && frame->length <= MF_SCENARIO_PAYLOAD_MAX && self->sinks->log)
        self->sinks->log(frame->payload, frame->length, self->data);
}

static void
take_request(MfDispatch *self, const struct mf_frame *frame, guint64 now_ns)
{
    g_auto(MfSnapshotRequest) request = {0};

    if (mf_snapshot_request_init(&request, frame) && self->sinks->requested)
        self->sinks->requested(&request, self->data);
}

static void
arm(MfDispatch *self, guint64 now_ns)
{
    if (self->budget_ns > 0)
        self->deadline_ns = stamp(add_saturating(now_ns, self->budget_ns));
}

/* Nothing to extend before the first start: 0 plus a pause would be long past. */
static void
extend(MfDispatch *self, guint64 ns)
{
    if (self->deadline_ns > 0)
        self->deadline_ns = add_saturating(self->deadline_ns, ns);
}

static void
tell_of_move(MfDispatch *self)
{
    if (self->sinks->moved)
        self->sinks->moved(self->data);
}

static void
take_start(MfDispatch *self, const struct mf_frame *frame, guint64 now_ns)
{
    if (self->started_ns == 0)
        self->started_ns = stamp(now_ns);
    self->ending = FALSE;
    arm(self, now_ns);
    tell_of_move(self);
}

static void
take_pause(MfDispatch *self, const struct mf_frame *frame, guint64 now_ns)
{
    /* A second pause inside the first would forget how long that one has lasted. */
    if (self->paused_ns == 0)
        self->paused_ns = stamp(self->budget_ns > 0 ? now_ns : 0);
    tell_of_move(self);
}

static void
take_resume(MfDispatch *self, const struct mf_frame *frame, guint64 now_ns)
{
    guint64 since = self->paused_ns;
    guint64 lasted = now_ns > since ? now_ns - since : 0;

    self->paused_ns = 0;
    if (since == 0 || self->budget_ns == 0)
        return;
    self->paused_total_ns = add_saturating(self->paused_total_ns, lasted);
    extend(self, lasted);
    tell_of_move(self);
}

static void
take_end(MfDispatch *self, const struct mf_frame *frame, guint64 now_ns)
{
    self->ending = TRUE;
    arm(self, now_ns);
    tell_of_move(self);
}

/* The most frequent first. A type without an effect is either evidence only, or the host's own,
 * sent back by a guest that means to confuse. */
static const struct {
    guint32 type;
    EntryRule entry;
    void (*take)(MfDispatch *self, const struct mf_frame *frame, guint64 now_ns);
} rules[] = {
    {MF_FRAME_SOUT, ENTRY_ALWAYS, take_output},
    {MF_FRAME_SERR, ENTRY_ALWAYS, take_output},
    {MF_FRAME_SINA, ENTRY_NEVER, take_acked},
    {MF_FRAME_SOHE, ENTRY_NEVER, take_held},
    {MF_FRAME_DMSG, ENTRY_ALWAYS, take_kernel_log},
    {MF_FRAME_EXCX, ENTRY_ALWAYS, take_exited},
    {MF_FRAME_SRDY, ENTRY_NEVER, take_ready},
    {MF_FRAME_CONR, ENTRY_NEVER, take_configured},
    {MF_FRAME_RAWO, ENTRY_ALWAYS, take_payload_output},
    {MF_FRAME_PMET, ENTRY_ALWAYS, take_metrics},

    {MF_FRAME_SCST, ENTRY_ALWAYS, take_start},
    {MF_FRAME_SCPP, ENTRY_ALWAYS, take_pause},
    {MF_FRAME_SCRR, ENTRY_ALWAYS, take_resume},
    {MF_FRAME_SCEN, ENTRY_ALWAYS, take_end},
    {MF_FRAME_SCDX, ENTRY_VALID, take_scheduler_died},
    {MF_FRAME_KADR, ENTRY_NEVER, take_kernel_address},
    {MF_FRAME_SNRQ, ENTRY_NEVER, take_request},
    {MF_FRAME_STIM, ENTRY_ALWAYS, NULL},
    {MF_FRAME_EXIT, ENTRY_ALWAYS, NULL},
    {MF_FRAME_TEST, ENTRY_ALWAYS, NULL},
    {MF_FRAME_CRSH, ENTRY_ALWAYS, NULL},
    {MF_FRAME_PRAW, ENTRY_ALWAYS, NULL},
    {MF_FRAME_SCLG, ENTRY_ALWAYS, take_log},
    {MF_FRAME_LIFE, ENTRY_ALWAYS, NULL},
    {MF_FRAME_PROB, ENTRY_ALWAYS, NULL},

    {MF_FRAME_CONF, ENTRY_NEVER, NULL},
    {MF_FRAME_SINP, ENTRY_NEVER, NULL},
    {MF_FRAME_SINE, ENTRY_NEVER, NULL},
    {MF_FRAME_SOCL, ENTRY_NEVER, NULL},
    {MF_FRAME_WINS, ENTRY_NEVER, NULL},
    {MF_FRAME_SIGN, ENTRY_NEVER, NULL},
    {MF_FRAME_CKIL, ENTRY_NEVER, NULL},
    {MF_FRAME_PRUN, ENTRY_NEVER, NULL},
    {MF_FRAME_PSIG, ENTRY_NEVER, NULL},
    {MF_FRAME_PKIL, ENTRY_NEVER, NULL},
    {MF_FRAME_SNRP, ENTRY_NEVER, NULL},
    {MF_FRAME_KORP, ENTRY_NEVER, NULL},
};

void
mf_dispatch_expect_command(MfDispatch *self)
{
    for (int fd = 1; fd <= 2; fd++) {
        /* A command whose exit did not come has lost its sender, who owed the ends too. */
        self->abandoned[fd] = self->abandoned[fd] || (self->exited && !self->ended[fd]);
        self->ended[fd] = FALSE;
    }
    self->exited = FALSE;
    self->command_expected = TRUE;
}

void
mf_dispatch_frame(MfDispatch *self, const struct mf_frame *frame, guint64 now_ns)
{
    gsize i = 0;

    while (i < G_N_ELEMENTS(rules) && rules[i].type != frame->type)
        i++;
    if (i == G_N_ELEMENTS(rules)) {
        g_debug("a frame of the unknown type 0x%08x (%" G_GSIZE_FORMAT " bytes, checksum %s) is "
                "dropped",
                frame->type, frame->length, frame->crc_ok ? "right" : "wrong");
        return;
    }
    if (!frame->crc_ok)
        g_debug("a frame of type 0x%08x has a wrong checksum", frame->type);
    if (!frame->pad_ok)
        g_debug("a frame of type 0x%08x carries something in its padding", frame->type);

    if (frame->crc_ok && rules[i].take)
        rules[i].take(self, frame, now_ns);
    if ((rules[i].entry == ENTRY_ALWAYS || (rules[i].entry == ENTRY_VALID && frame->crc_ok)) &&
        self->sinks->entry)
        self->sinks->entry(frame, self->data);
}

guint64
mf_dispatch_get_deadline(const MfDispatch *self)
{
    return self->paused_ns > 0 ? 0 : self->deadline_ns;
}

void
mf_dispatch_give_time(MfDispatch *self, guint64 ns)
{
    if (self->paused_ns == 0)
        extend(self, ns);
}

/* Owned by the caller. */
static char *
format_ns(guint64 ns)
{
    return mf_format_duration((gint64)(ns / NS_PER_MS));
}

char *
mf_dispatch_explain_overdue(const MfDispatch *self, guint64 now_ns)
{
    g_autofree char *budget = format_ns(self->budget_ns);
    g_autofree char *since = format_ns(now_ns > self->started_ns ? now_ns - self->started_ns : 0);
    g_autofree char *paused = format_ns(self->paused_total_ns);

    if (self->ending)
        return g_strdup_printf(
            "The command did not end within %s after its scenario, the time that "
            "the watchdog leaves it for cleaning up.",
            budget);
    return g_strdup_printf(
        "The scenario did not end within %s, its watchdog's time: it was running, "
        "%s after its first start, of which %s were pauses.",
        budget, since, paused);
}
