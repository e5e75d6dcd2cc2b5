/* SPDX-License-Identifier: Apache-2.0 */
#include "report-fixture.h"

#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run/metric.h"
#include "run/payload-result.h"

#define SECOND G_USEC_PER_SEC

/* 2026-11-21T14:00:00.250Z */
#define WALL_TIME (G_GINT64_CONSTANT(1795269600) * SECOND + 250000)

/* How one case goes; the rest follows from it. */
typedef struct {
    const char *name;
    MfOutcome outcome;
    MfVerdict verdict;
    MfPhase phase;
    int number; /* the status or the signal */
    const char *reason;
    const char *console; /* the evidence, or NULL */
    const char *output;  /* on stdout, or NULL */
    gsize output_size;   /* 0: strlen() */
    guint attempts;
    guint seconds;
    const char *note;                   /* or NULL */
    void (*tell)(MfSubtests *subtests); /* its sub-tests; or NULL */
    const MfSplat *splat;               /* what the guest's kernel complained of; or NULL */
    void (*work)(MfResult *result);     /* its payloads and metrics; or NULL */
} Course;

static const MfSplat panic = {MF_SPLAT_PANIC,
                              (char *)"Kernel panic - not syncing: <VFS> & \"root\"",
                              (char *)"[    1.204518] Kernel panic - not syncing: <VFS> & \"root\"",
                              (char *)"00112233445566ff",
                              1,
                              TRUE};
static const MfSplat warning = {
    MF_SPLAT_WARNING,
    (char *)"WARNING: CPU: 1 PID: 7 at net/core/dev.c:1: 100% <odd>",
    (char *)"[    2.000001] WARNING: CPU: 1 PID: 7 at net/core/dev.c:1: 100% <odd>",
    (char *)"ffeeddccbbaa0099",
    2,
    FALSE};

/* Guest output that each format has to disarm in its own way. */
static const char hostile_output[] =
    "\033[31mred\033[0m \033]0;title\a<tag attr=\"1\"> & ]]> | `tick` *bold*\r\n"
    "caf\xc3\xa9 \xff\xfe nul:\0: bell:\a: \xed\xa0\x80 \xef\xbf\xbf end\n"
    "::error file=forged.c,line=1::forged\n::endgroup::\n"
    "not ok 99 - forged\nBail out! forged\n  ...\n10%\r20%\r30%\n"
    "\xe6\xbc\xa2\xe5\xad\x97\te\xcc\x81 wide, tab, combining, no newline";

static void
tell_good(MfSubtests *subtests)
{
    mf_subtests_add(subtests, MF_SUBTEST_PASS, "first", NULL);
    mf_subtests_add(subtests, MF_SUBTEST_PASS, "group/nested", NULL);
    mf_subtests_add(subtests, MF_SUBTEST_SKIP, "without a device", "no /dev/net/tun");
    mf_subtests_add(subtests, MF_SUBTEST_TODO, "not yet", NULL);
}

/* What each format has to disarm in its own way. */
static void
tell_bad(MfSubtests *subtests)
{
    mf_subtests_add(subtests, MF_SUBTEST_PASS, "good # SKIP not", NULL);
    mf_subtests_add(subtests, MF_SUBTEST_FAIL, "<b> & \"c\" | `d`, e: 100% \\ ::error::",
                    "Expected 1 == 2, but\n  it is \"<3>\"\n::endgroup::\nnot ok 7 - invented");
    mf_subtests_add(subtests, MF_SUBTEST_FAIL, "silent", NULL);
}

static MfPayloadResult *
add_payload(MfResult *result, const char *name, guint repetition)
{
    MfPayloadResult *payload = mf_payload_result_new(name, result->payloads->len, repetition);

    payload->start_us = result->payloads->len * SECOND / 4;
    payload->ended = TRUE;
    payload->duration_us = SECOND / 2;
    payload->stdout_tail = g_strdup("{\"iops\": 1}\n");
    payload->bytes[1] = 12;
    g_ptr_array_add(result->payloads, payload);
    return payload;
}

static void
add_metric(GPtrArray *metrics, const char *name, double value, const char *unit,
           MfPolarity polarity, int fd)
{
    MfMetric *metric = mf_metric_new(name, value, fd);

    metric->unit = g_strdup(unit);
    metric->polarity = polarity;
    g_ptr_array_add(metrics, metric);
}

/* Three repetitions, and a scenario's own. */
static void
work_well(MfResult *result)
{
    const double iops[] = {1000.5, 1010, 990};

    result->payloads = g_ptr_array_new_with_free_func((GDestroyNotify)mf_payload_result_free);
    for (guint i = 0; i < G_N_ELEMENTS(iops); i++) {
        GPtrArray *metrics = add_payload(result, "fio", i)->metrics;

        add_metric(metrics, "iops", iops[i], "1/s", MF_POLARITY_HIGHER, 1);
        add_metric(metrics, "jobs.0.lat", 0.1 + i, "us", MF_POLARITY_LOWER, 1);
        add_metric(metrics, "unnamed", i, NULL, MF_POLARITY_UNKNOWN, 1);
    }
    result->metrics = mf_metrics_new();
    add_metric(result->metrics, "boot.time", 1.5, "s", MF_POLARITY_UNKNOWN, 0);
    add_metric(result->metrics, "broken", NAN, "s", MF_POLARITY_LOWER, 0);
}

/* What each format has to disarm in its own way. */
static void
work_badly(MfResult *result)
{
    result->payloads = g_ptr_array_new_with_free_func((GDestroyNotify)mf_payload_result_free);

    MfPayloadResult *checked = add_payload(result, "<b> & | `x`", 0);
    mf_payload_result_fail(checked, "The metric '<b>' = 50 is below minimum 100.");
    mf_payload_result_fail(checked, "The payload exited with code 3, expected 0; stderr:\n"
                                    "::error::forged | 100%%\n\033[31mred");
    checked->status = 3;
    add_metric(checked->metrics, "<b> | \"c\"", 50, "<u>", MF_POLARITY_HIGHER, 2);

    MfPayloadResult *killed = add_payload(result, "hog", 1);
    killed->status = 128 + SIGKILL;
    killed->signal_number = SIGKILL;
    killed->timed_out = TRUE;
    killed->bytes[2] = 100u << 20;
    killed->discarded[2] = 84u << 20;
    mf_payload_result_fail(killed, "It did not end within 5s.");
    add_payload(result, "leftover", 1)->ended = FALSE;
}

static const Course courses[] = {
    {"passes", MF_OUTCOME_PASS, MF_VERDICT_EXITED, MF_PHASE_EXECUTE, 0, NULL, NULL, "all is well\n",
     0, 1, 3, NULL, tell_good, NULL, work_well},
    {"exits with 3", MF_OUTCOME_FAIL, MF_VERDICT_EXITED, MF_PHASE_EXECUTE, 3,
     "The command exited with status 3.", NULL, "one\ntwo\n", 0, 1, 4,
     "Something holds its output open.", tell_bad, NULL, work_badly},
    {"is killed", MF_OUTCOME_FAIL, MF_VERDICT_SIGNALLED, MF_PHASE_EXECUTE, SIGSEGV,
     "The command was killed by signal 11 (Segmentation fault).", NULL, NULL, 0, 1, 2},
    {"hangs", MF_OUTCOME_FAIL, MF_VERDICT_TIMEOUT, MF_PHASE_EXECUTE, 0,
     "The command did not end within 5s.", NULL, "waiting\n", 0, 3, 21},
    {"panics", MF_OUTCOME_FAIL, MF_VERDICT_CRASHED, MF_PHASE_BOOT, 0,
     "The guest's kernel panicked during boot: Kernel panic - not syncing: <VFS> & \"root\"",
     "[    1.204313] VFS: Unable to mount root fs on unknown-block(0,0)\n"
     "[    1.204518] Kernel panic - not syncing: <VFS> & \"root\"\n"
     "[    1.204777] ---[ end Kernel panic ]---",
     NULL, 0, 1, 2, NULL, NULL, &panic},
    {"has no VM", MF_OUTCOME_ERROR, MF_VERDICT_FAILED, MF_PHASE_LAUNCH, 0,
     "QEMU ended with status 1: '-cpu': unable to find CPU model 'x9'.", NULL, NULL, 0, 1, 0},
    {"is skipped", MF_OUTCOME_SKIP, MF_VERDICT_EXITED, MF_PHASE_RESOLVE, 0,
     "It requires KVM, which does not work here: /dev/kvm does not exist.", NULL, NULL, 0, 0, 0},
    {"passes when retried", MF_OUTCOME_PASS, MF_VERDICT_EXITED, MF_PHASE_EXECUTE, 0, NULL, NULL,
     "second time\n", 0, 2, 7,
     "No file of the guest matches '*.log': 100% <of> | `them`.\n::error::no command", NULL,
     &warning},
    {"writes what no format likes", MF_OUTCOME_FAIL, MF_VERDICT_EXITED, MF_PHASE_EXECUTE, 1,
     "The command exited with status 1.", NULL, hostile_output, sizeof(hostile_output) - 1, 1, 3},
    {"\"quotes\" 'and' <tags> & a | pipe, `ticks` #hash %25 \\ back\nnewline\ttab: caf\xc3\xa9 "
     "\xe6\xbc\xa2\xe5\xad\x97",
     MF_OUTCOME_FAIL, MF_VERDICT_EXITED, MF_PHASE_EXECUTE, 9,
     "Its \"stdout\" does not match '<a|b>' & `c`:\nthe second line: 100% # not.", NULL, NULL, 0, 1,
     1},
};

static const Course flood_course = {
    "floods",
    MF_OUTCOME_FAIL,
    MF_VERDICT_EXITED,
    MF_PHASE_EXECUTE,
    1,
    "The command exited with status 1.",
    NULL,
    NULL,
    REPORT_FIXTURE_FLOOD,
    1,
    5,
};

static const char *const tags[] = {"net", "slow <1>", NULL};

static MfCase *
make_case(const char *name, guint index)
{
    MfCase *kase = g_new0(MfCase, 1);

    kase->name = g_strdup(name);
    kase->id = g_strdup_printf("case-%u", index);
    kase->tags = index % 2 ? g_strdupv((char **)tags) : NULL;
    kase->target = mf_target_new();
    kase->target->arch = MF_ARCH_X86_64;
    kase->target->accel = MF_ACCEL_AUTO;
    kase->target->kernel = g_strdup("/boot/vmlinuz");
    kase->target->shell = g_strdup("make \"check\"");
    kase->file = g_strdup("/src/project/mayfly.toml");
    kase->line = 10 * (index + 1);
    return kase;
}

/* 1 MiB of numbered lines. */
static GBytes *
make_flood(void)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint line = 1; text->len < REPORT_FIXTURE_FLOOD; line++)
        g_string_append_printf(text, "line %u of many\n", line);
    return g_bytes_new(text->str, REPORT_FIXTURE_FLOOD);
}

static GBytes *
make_output(const Course *course)
{
    if (course == &flood_course)
        return make_flood();
    if (!course->output)
        return NULL;
    return g_bytes_new(course->output,
                       course->output_size ? course->output_size : strlen(course->output));
}

static void
add_splat(MfResult *result, const MfSplat *from)
{
    MfSplat *splat = g_new0(MfSplat, 1);

    *splat = *from;
    splat->title = g_strdup(from->title);
    splat->report = g_strdup(from->report);
    splat->fingerprint = g_strdup(from->fingerprint);
    g_ptr_array_add(result->splats, splat);
}

static MfResult *
make_result(const Course *course)
{
    MfResult *result = mf_result_new();

    result->verdict = course->verdict;
    result->phase = course->phase;
    if (course->verdict == MF_VERDICT_EXITED)
        result->status = course->number;
    else if (course->verdict == MF_VERDICT_SIGNALLED)
        result->signal_number = course->number;
    else
        result->message = g_strdup(course->reason);
    result->console_tail = g_strdup(course->console);
    result->accel = MF_ACCEL_TCG;
    result->boot_id = g_strdup_printf("0123abcd-4567-89ab-cdef-%012d", course->number);
    if (course->note)
        g_ptr_array_add(result->notes, g_strdup(course->note));
    result->phase_us[MF_PHASE_RESOLVE] = 1200;
    result->phase_us[MF_PHASE_LAUNCH] = 80000;
    result->phase_us[MF_PHASE_BOOT] = SECOND;
    if (course->tell) {
        result->subtests = mf_subtests_new();
        course->tell(result->subtests);
    }
    if (course->splat)
        add_splat(result, course->splat);
    if (course->work)
        course->work(result);
    mf_result_add_mark(result, MF_MARK_HOST, "QEMU launched", 1300, 1300);
    mf_result_add_mark(result, MF_MARK_GUEST, "kernel", 90000, 900000);
    if (course->phase == MF_PHASE_EXECUTE)
        result->phase_us[MF_PHASE_EXECUTE] = (course->seconds - 1) * SECOND / course->attempts;
    return result;
}

static GBytes *
end_of(GBytes *bytes)
{
    gsize size = g_bytes_get_size(bytes);
    gsize kept = MIN(size, MF_OUTCOME_TAIL);

    return g_bytes_new_from_bytes(bytes, size - kept, kept);
}

static MfOutcomeReport *
make_outcome(const Course *course, gint64 started_us, GBytes *output)
{
    MfOutcomeReport *outcome = g_new0(MfOutcomeReport, 1);
    gboolean skipped = course->outcome == MF_OUTCOME_SKIP;

    outcome->outcome = course->outcome;
    outcome->reason = g_strdup(course->reason);
    outcome->result = skipped ? NULL : make_result(course);
    outcome->attempts = course->attempts;
    outcome->started_us = started_us;
    outcome->duration_us = course->seconds * SECOND + (skipped ? 0 : 250000);
    if (course->outcome == MF_OUTCOME_FAIL)
        outcome->run_dir = g_strdup("/tmp/runs/it's <here> & there");
    if (course->console) {
        outcome->bytes[0] = strlen(course->console);
        outcome->tail[0] = g_bytes_new(course->console, outcome->bytes[0]);
    }
    if (output) {
        outcome->bytes[1] = g_bytes_get_size(output);
        outcome->tail[1] = end_of(output);
        outcome->bytes[2] = 5;
        outcome->tail[2] = g_bytes_new_static("oops\n", 5);
    }
    return outcome;
}

static void
add_event(ReportFixture *self, const MfEvent *event, gint64 time_us)
{
    MfEvent copy = *event;

    copy.time_us = time_us;
    copy.cases = self->cases;
    copy.jobs = 2;
    g_array_append_val(self->events, copy);
}

static void
add_output(ReportFixture *self, MfEvent *event, int stream, GBytes *bytes, gint64 time_us)
{
    event->kind = MF_EVENT_CASE_OUTPUT;
    event->stream = stream;
    event->bytes = g_bytes_ref(bytes);
    g_ptr_array_add(self->bytes, event->bytes);
    add_event(self, event, time_us);
}

static void
add_attempt(ReportFixture *self, MfEvent *event, const Course *course, GBytes *output,
            gint64 time_us)
{
    event->kind = MF_EVENT_CASE_STARTED;
    add_event(self, event, time_us);
    for (MfPhase phase = MF_PHASE_RESOLVE; phase <= course->phase; phase++) {
        /* Nobody else saves a machine. */
        if (phase == MF_PHASE_WAIT)
            continue;
        event->kind = MF_EVENT_CASE_PHASE;
        event->phase = phase;
        add_event(self, event, time_us + phase * 1000);
    }
    if (course->console) {
        g_autoptr(GBytes) console = g_bytes_new(course->console, strlen(course->console));

        add_output(self, event, 0, console, time_us + SECOND);
    }
    if (!output)
        return;

    gsize size = g_bytes_get_size(output);
    g_autoptr(GBytes) first = g_bytes_new_from_bytes(output, 0, size / 2);
    g_autoptr(GBytes) second = g_bytes_new_from_bytes(output, size / 2, size - size / 2);
    add_output(self, event, 1, first, time_us + SECOND);
    add_output(self, event, 1, second, time_us + 2 * SECOND);
}

/* On the one of two lanes that is free first. */
static void
add_course(ReportFixture *self, const Course *course, gint64 lanes[2])
{
    gint64 *lane = lanes[1] < lanes[0] ? &lanes[1] : &lanes[0];
    gint64 time_us = *lane;
    MfEvent event = {.index = self->cases->len};
    g_autoptr(GBytes) output = make_output(course);
    MfOutcomeReport *outcome = make_outcome(course, time_us, output);

    g_ptr_array_add(self->cases, make_case(course->name, event.index));
    g_ptr_array_add(self->outcomes, outcome);
    for (event.attempt = 1; event.attempt <= course->attempts; event.attempt++)
        add_attempt(self, &event, course, output,
                    time_us + (event.attempt - 1) * outcome->duration_us / course->attempts);
    event.kind = MF_EVENT_CASE_FINISHED;
    event.attempt = course->attempts;
    event.outcome = outcome;
    *lane += outcome->duration_us;
    add_event(self, &event, *lane);
}

static gint
compare_times(gconstpointer a, gconstpointer b)
{
    const MfEvent *first = a;
    const MfEvent *second = b;

    return (first->time_us > second->time_us) - (first->time_us < second->time_us);
}

ReportFixture *
report_fixture_new(gboolean flood)
{
    ReportFixture *self = g_new0(ReportFixture, 1);
    MfEvent event = {.kind = MF_EVENT_SUITE_STARTED, .wall_time_us = WALL_TIME};
    gint64 lanes[2] = {0, 0};

    self->cases = g_ptr_array_new_with_free_func((GDestroyNotify)mf_case_free);
    self->outcomes = g_ptr_array_new_with_free_func((GDestroyNotify)mf_outcome_report_free);
    self->events = g_array_new(FALSE, TRUE, sizeof(MfEvent));
    self->bytes = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    self->host = g_new0(MfReportHost, 1);
    self->host->mayfly = g_strdup("1.2.3");
    self->host->name = g_strdup("builder");
    self->host->kernel = g_strdup("Linux 6.1.0");
    self->host->arch = g_strdup("x86_64");
    self->host->cpus = 8;

    add_event(self, &event, 0);
    for (gsize i = 0; i < G_N_ELEMENTS(courses); i++)
        add_course(self, &courses[i], lanes);
    if (flood)
        add_course(self, &flood_course, lanes);
    g_ptr_array_add(self->cases, make_case("was not started", self->cases->len));
    g_ptr_array_add(self->outcomes, NULL);

    event.kind = MF_EVENT_SUITE_FINISHED;
    event.outcomes = self->outcomes;
    event.interrupted = "Ended by signal 2 (Interrupt).";
    add_event(self, &event, MAX(lanes[0], lanes[1]));
    /* Stable: what happens at one time stays in its order. */
    g_array_sort(self->events, compare_times);
    return self;
}

void
report_fixture_free(ReportFixture *self)
{
    if (!self)
        return;
    g_ptr_array_unref(self->cases);
    g_ptr_array_unref(self->outcomes);
    g_array_unref(self->events);
    g_ptr_array_unref(self->bytes);
    mf_report_host_free(self->host);
    g_free(self);
}

void
report_fixture_play(const ReportFixture *self, MfEventFunc func, gpointer user_data)
{
    for (guint i = 0; i < self->events->len; i++)
        func(&g_array_index(self->events, MfEvent, i), user_data);
}

int
report_fixture_open(void)
{
    int fd = memfd_create("report", MFD_CLOEXEC);

    g_assert_cmpint(fd, >=, 0);
    return fd;
}

char *
report_fixture_read(int fd)
{
    struct stat status;

    g_assert_cmpint(fstat(fd, &status), ==, 0);
    gsize size = (gsize)status.st_size;
    char *text = g_malloc(size + 1);
    g_assert_cmpint(pread(fd, text, size, 0), ==, size);
    text[size] = '\0';
    g_assert_cmpuint(strlen(text), ==, size);
    return text;
}
