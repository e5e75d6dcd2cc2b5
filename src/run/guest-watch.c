/* SPDX-License-Identifier: Apache-2.0 */
#include "run/guest-watch.h"

#include <string.h>

#include "base/error.h"
#include "base/parse.h"
#include "machine/machine.h"
#include "qapi/qmp-commands.h"
#include "run/guest-end.h"
#include "run/hang-watch.h"
#include "run/splat-watch.h"
#include "wire/guest-protocol.h"

/* After its first words of panic, how long the guest has for its last ones. QEMU can tell of the
 * panic before the console does: where the host is busy, the first ones may take several times as
 * long. */
#define PANIC_GRACE_MS   1000
#define PANIC_GRACES_MAX 10

/* After a channel's hang-up, how long QEMU has to end. */
#define END_GRACE_MS 1000

/* After the NMI that a guest gets that hangs, how long it has to tell where all of its processors
 * are, and to reset; without a word of it, how long it has for the first one. */
#define NMI_GRACE_MS   20000
#define NMI_SILENCE_MS 20000

#define CONSOLE_TAIL_LINES 40

/* The processors' traces of a guest that hung. */
#define HANG_TAIL_LINES 240

struct _MfGuestWatch {
    GObject parent;
    const MfTarget *target; /* borrowed */
    MfSplatWatch *splats;   /* owned */
    MfConsoleWatch *rules;  /* owned */
    MfSubtests *subtests;   /* owned; that the console tells of */
    MfBoot *boot;           /* owned; once there is a machine */
    MfMachine *machine;     /* owned */
    char *tail;             /* owned; the console's last lines, where they are evidence */
    GError *lost;           /* owned; why the guest cannot be followed any more */
    MfHangWatch *hang;      /* owned; where a hang is looked for */
    MfPhase phase;
    guint panic_source, lost_source, nmi_source;
    guint panic_graces;
    gboolean closed, hung;
};

G_DEFINE_FINAL_TYPE(MfGuestWatch, mf_guest_watch, G_TYPE_OBJECT)

enum { SIGNAL_CONSOLE, SIGNAL_OVER, N_SIGNALS };
static guint signals[N_SIGNALS];

static void
clear_guest(MfGuestWatch *self)
{
    g_clear_object(&self->machine);
    g_clear_object(&self->boot);
}

static void
mf_guest_watch_dispose(GObject *object)
{
    MfGuestWatch *self = MF_GUEST_WATCH(object);

    mf_guest_watch_close(self);
    clear_guest(self);
    g_clear_error(&self->lost);
    g_clear_object(&self->hang);
    g_clear_pointer(&self->tail, g_free);
    g_clear_pointer(&self->splats, mf_splat_watch_free);
    g_clear_object(&self->rules);
    g_clear_pointer(&self->subtests, mf_subtests_free);
    G_OBJECT_CLASS(mf_guest_watch_parent_class)->dispose(object);
}

static void
mf_guest_watch_class_init(MfGuestWatchClass *class)
{
    G_OBJECT_CLASS(class)->dispose = mf_guest_watch_dispose;
    signals[SIGNAL_CONSOLE] = g_signal_new("console", MF_TYPE_GUEST_WATCH, G_SIGNAL_RUN_LAST, 0,
                                           NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_BYTES);
    signals[SIGNAL_OVER] = g_signal_new("over", MF_TYPE_GUEST_WATCH, G_SIGNAL_RUN_LAST, 0, NULL,
                                        NULL, NULL, G_TYPE_NONE, 2, G_TYPE_UINT, G_TYPE_STRING);
}

static void
mf_guest_watch_init(MfGuestWatch *self)
{
}

/* 'message' is taken. */
static void
report_end(MfGuestWatch *self, MfVerdict verdict, char *message)
{
    g_autofree char *owned = message;

    mf_guest_watch_close(self);
    g_signal_emit(self, signals[SIGNAL_OVER], 0, (guint)verdict, owned);
}

/* Whatever became of a guest that hung: that it did is the verdict. */
static void
report_hang(MfGuestWatch *self)
{
    g_autofree char *limit = mf_format_duration(self->target->hang_timeout_ms);
    gboolean told = mf_console_contains(mf_machine_get_console(self->machine), MF_PANIC_WORDS);

    mf_guest_watch_keep_tail(self);
    report_end(self, MF_VERDICT_CRASHED,
               g_strdup_printf("The guest hung during %s: nothing was heard of it for %s. %s",
                               mf_phase_name(self->phase), limit,
                               told ? "Where its processors were is among the console's lines."
                                    : "It did not tell where its processors were when it was "
                                      "asked by an NMI."));
}

static gboolean
on_panic_grace_over(gpointer data)
{
    MfGuestWatch *self = data;
    MfConsole *console = mf_machine_get_console(self->machine);

    if (!self->hung && !mf_console_contains(console, MF_PANIC_WORDS) &&
        ++self->panic_graces < PANIC_GRACES_MAX)
        return G_SOURCE_CONTINUE;
    self->panic_source = 0;
    if (self->hung) {
        report_hang(self);
        return G_SOURCE_REMOVE;
    }
    mf_guest_watch_keep_tail(self);
    report_end(self, MF_VERDICT_CRASHED, mf_guest_end_describe_panic(self->machine, self->phase));
    return G_SOURCE_REMOVE;
}

static void
on_panicked(MfGuestWatch *self)
{
    if (!self->closed && !self->panic_source && !mf_boot_survives_end(self->boot))
        self->panic_source = g_timeout_add(PANIC_GRACE_MS, on_panic_grace_over, self);
}

static void
on_machine_ended(MfGuestWatch *self, GError *error)
{
    char *message;
    MfVerdict verdict;

    if (self->closed || mf_boot_survives_end(self->boot))
        return;
    if (self->hung) {
        report_hang(self);
        return;
    }
    if (self->target->bare)
        return;
    if (!mf_guest_end_is_by_host(self->machine))
        mf_guest_watch_keep_tail(self);
    verdict = mf_guest_end_judge(self->machine, self->phase, error, &message);
    report_end(self, verdict, message);
}

static gboolean
on_nmi_overdue(gpointer data)
{
    MfGuestWatch *self = data;

    self->nmi_source = 0;
    report_hang(self);
    return G_SOURCE_REMOVE;
}

/* The first word after the NMI: the rest follows, up to the panic's reset. */
static void
on_console_after_nmi(MfGuestWatch *self)
{
    if (!self->nmi_source)
        return;
    g_signal_handlers_disconnect_by_func(mf_machine_get_console(self->machine),
                                         on_console_after_nmi, self);
    g_source_remove(self->nmi_source);
    self->nmi_source = g_timeout_add(NMI_GRACE_MS, on_nmi_overdue, self);
}

static void
on_nmi_sent(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfGuestWatch) self = data;
    g_autoptr(GError) error = NULL;

    if (mf_qmp_inject_nmi_finish(MF_QMP(source), result, &error) || self->closed)
        return;
    g_info("The guest could not be sent an NMI: %s", error->message);
    report_hang(self);
}

/* Nothing in a guest that hangs can be asked but its processors themselves: the kernel of the plan
 * panics on an NMI (MfPlatform.hang_args), and says of all of them where they are. */
static void
on_hung(MfGuestWatch *self)
{
    if (self->closed || self->panic_source)
        return;
    self->hung = TRUE;
    g_signal_connect_object(mf_machine_get_console(self->machine), "output",
                            G_CALLBACK(on_console_after_nmi), self, G_CONNECT_SWAPPED);
    self->nmi_source = g_timeout_add(NMI_SILENCE_MS, on_nmi_overdue, self);
    mf_qmp_inject_nmi_async(mf_machine_get_qmp(self->machine), NMI_SILENCE_MS, NULL, on_nmi_sent,
                            g_object_ref(self));
}

static void
on_console(MfGuestWatch *self, GBytes *bytes)
{
    if (!mf_boot_is_repeating(self->boot))
        g_signal_emit(self, signals[SIGNAL_CONSOLE], 0, bytes);
}

/* What the rules have come to. That all landmarks were seen ends no run by itself. */
static void
on_rules_decided(MfGuestWatch *self)
{
    static const MfVerdict verdicts[] = {
        [MF_CONSOLE_FAILED] = MF_VERDICT_CRASHED,
        [MF_CONSOLE_LATE] = MF_VERDICT_TIMEOUT,
        [MF_CONSOLE_BROKEN] = MF_VERDICT_CONFIG,
    };
    const MfConsoleRules *rules = mf_console_watch_get_rules(self->rules);
    char *message = mf_console_rules_explain(rules);

    if (self->closed || !message) {
        g_free(message);
        return;
    }
    mf_guest_watch_keep_tail(self);
    report_end(self, verdicts[mf_console_rules_get_state(rules)], message);
}

/* An init script that gives up says why on the console, for want of another way. The kernel of an
 * image need not end the machine when it panics, nor tell QEMU of it. */
static void
on_console_line(MfGuestWatch *self, const char *line, guint source)
{
    gboolean foreign = self->target->image || self->target->bare;
    const char *fatal =
        !foreign && self->target->init == MF_INIT_SCRIPT ? strstr(line, MF_GUEST_FATAL) : NULL;

    if (!mf_boot_is_repeating(self->boot)) {
        mf_splat_watch_feed(self->splats, source, line);
        mf_console_watch_feed(self->rules, source, line);
    }
    if (self->closed)
        return;
    if (fatal)
        report_end(
            self, MF_VERDICT_FAILED,
            g_strdup_printf("The guest's init script gave up: %s", fatal + strlen(MF_GUEST_FATAL)));
    else if (foreign && strstr(line, MF_PANIC_WORDS))
        on_panicked(self);
}

static gboolean
on_end_overdue(gpointer data)
{
    MfGuestWatch *self = data;

    self->lost_source = 0;
    mf_guest_watch_keep_tail(self);
    report_end(self, mf_verdict_from_error(self->lost), g_strdup(self->lost->message));
    return G_SOURCE_REMOVE;
}

MfGuestWatch *
mf_guest_watch_new(const MfTarget *target, GError **error)
{
    g_autoptr(MfGuestWatch) self = g_object_new(MF_TYPE_GUEST_WATCH, NULL);

    self->target = target;
    self->subtests = mf_subtests_new();
    self->splats = mf_splat_watch_new(target, error);
    self->rules = self->splats ? mf_console_watch_new(target, self->subtests, error) : NULL;
    if (!self->rules)
        return NULL;
    g_signal_connect_object(self->rules, "decided", G_CALLBACK(on_rules_decided), self,
                            G_CONNECT_SWAPPED);
    return g_steal_pointer(&self);
}

void
mf_guest_watch_follow(MfGuestWatch *self, MfBoot *boot)
{
    const struct {
        gpointer object;
        const char *signal;
        GCallback callback;
    } watched[] = {
        {mf_boot_get_machine(boot), "panicked", G_CALLBACK(on_panicked)},
        {mf_boot_get_machine(boot), "ended", G_CALLBACK(on_machine_ended)},
        {mf_machine_get_console(mf_boot_get_machine(boot)), "output", G_CALLBACK(on_console)},
        {mf_machine_get_console(mf_boot_get_machine(boot)), "line", G_CALLBACK(on_console_line)},
    };

    if (self->machine) {
        g_signal_handlers_disconnect_by_data(self->machine, self);
        g_signal_handlers_disconnect_by_data(mf_machine_get_console(self->machine), self);
    }
    g_set_object(&self->boot, boot);
    g_set_object(&self->machine, mf_boot_get_machine(boot));
    for (gsize i = 0; i < G_N_ELEMENTS(watched); i++)
        g_signal_connect_object(watched[i].object, watched[i].signal, watched[i].callback, self,
                                G_CONNECT_SWAPPED);
    mf_console_watch_attach(self->rules, mf_machine_get_channel(self->machine, MF_CHANNEL_CONSOLE));
}

MfConsoleWatch *
mf_guest_watch_get_console(MfGuestWatch *self)
{
    return self->rules;
}

void
mf_guest_watch_set_phase(MfGuestWatch *self, MfPhase phase)
{
    self->phase = phase;
}

void
mf_guest_watch_expect_life(MfGuestWatch *self)
{
    if (self->hang || self->closed || self->target->hang_timeout_ms <= 0)
        return;
    self->hang = mf_hang_watch_new(self->target->hang_timeout_ms);
    for (MfChannel channel = 0; channel < MF_N_CHANNELS; channel++)
        if (channel != MF_CHANNEL_QMP && mf_machine_get_channel(self->machine, channel))
            mf_hang_watch_hear(self->hang, mf_machine_get_channel(self->machine, channel));
    mf_hang_watch_heed(self->hang, mf_machine_get_qmp(self->machine));
    g_signal_connect_object(self->hang, "hung", G_CALLBACK(on_hung), self, G_CONNECT_SWAPPED);
    mf_hang_watch_start(self->hang);
}

gboolean
mf_guest_watch_has_crashed(MfGuestWatch *self)
{
    return self->hung || mf_guest_end_is_panic(self->machine) ||
           mf_splat_watch_has_failure(self->splats);
}

void
mf_guest_watch_await_end(MfGuestWatch *self, const GError *error)
{
    if (self->closed || self->lost_source)
        return;
    g_clear_error(&self->lost);
    self->lost = g_error_copy(error);
    self->lost_source = g_timeout_add(END_GRACE_MS, on_end_overdue, self);
}

void
mf_guest_watch_keep_tail(MfGuestWatch *self)
{
    if (self->machine && !self->tail)
        self->tail = mf_console_get_tail(mf_machine_get_console(self->machine),
                                         self->hung ? HANG_TAIL_LINES : CONSOLE_TAIL_LINES);
}

void
mf_guest_watch_close(MfGuestWatch *self)
{
    self->closed = TRUE;
    g_clear_handle_id(&self->panic_source, g_source_remove);
    g_clear_handle_id(&self->lost_source, g_source_remove);
    g_clear_handle_id(&self->nmi_source, g_source_remove);
    if (self->hang)
        mf_hang_watch_stop(self->hang);
}

/* A command that has passed is no pass when the console did not say all that it had to. */
static void
judge_console(MfGuestWatch *self, MfResult *result)
{
    const MfConsoleRules *rules = mf_console_watch_get_rules(self->rules);
    g_autofree char *awaited = mf_console_rules_describe_awaited(rules);
    g_autofree char *sentence = NULL;

    if (!awaited || !result->passed)
        return;
    sentence = g_strdup_printf("The command ended, and the console had not said %s.", awaited);
    result->passed = FALSE;
    mf_result_add_message(result, sentence);
}

void
mf_guest_watch_conclude(MfGuestWatch *self, MfResult *result)
{
    judge_console(self, result);
    mf_console_watch_finish(self->rules);
    if (mf_console_watch_reads_subtests(self->rules))
        mf_result_add_subtests(result, self->subtests);
    mf_result_judge_subtests(result);
    /* A bare guest has said nothing anywhere else. */
    if (self->target->bare && !result->passed)
        mf_guest_watch_keep_tail(self);
    clear_guest(self);
    result->console_tail = g_steal_pointer(&self->tail);
    mf_splat_watch_conclude(self->splats, result);
}
