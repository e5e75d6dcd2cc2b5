/* SPDX-License-Identifier: Apache-2.0 */
#include "report/prose.h"

#include <string.h>

#include "base/parse.h"
#include "report/crashes.h"
#include "report/series.h"
#include "report/tally.h"
#include "report/text.h"
#include "run/payload-result.h"

/* What is shown of each stream of a case that did not pass. */
#define DETAIL_LINES 40

/* How many failed sub-tests are listed, and what of each. */
#define SUBTESTS_LISTED 20
#define SUBTEST_LINES   10

/* How many payloads that did not pass are listed, and what of each; and how many metrics. */
#define PAYLOADS_LISTED 10
#define PAYLOAD_LINES   20
#define METRICS_LISTED  20

/* How many of the slowest are named. */
#define SLOWEST 3

#define INDENT "      "

#define COLOUR_RESET "\033[0m"

static const struct {
    const char *word;
    const char *colour;
} outcome_words[] = {
    [MF_OUTCOME_PASS] = {"PASS", "\033[32m"},
    [MF_OUTCOME_FAIL] = {"FAIL", "\033[1;31m"},
    [MF_OUTCOME_ERROR] = {"ERROR", "\033[1;35m"},
    [MF_OUTCOME_SKIP] = {"SKIP", "\033[33m"},
};

/* The word of an outcome and what fills it up to the longest. */
static void
append_word(GString *to, MfOutcome outcome, gboolean colours)
{
    const char *word = outcome_words[outcome].word;

    if (colours)
        g_string_append_printf(to, "%s%s%s", outcome_words[outcome].colour, word, COLOUR_RESET);
    else
        g_string_append(to, word);
    for (gsize length = strlen(word); length < strlen(INDENT); length++)
        g_string_append_c(to, ' ');
}

char *
mf_prose_duration(gint64 duration_us)
{
    return mf_format_duration((duration_us + 500) / 1000);
}

void
mf_prose_append_opening(GString *to, const MfEvent *started)
{
    g_autofree char *targets = mf_text_count(started->cases->len, "target");

    g_string_append_printf(to, "Running %s", targets);
    if (started->jobs > 1)
        g_string_append_printf(to, ", %u at a time", started->jobs);
    g_string_append(to, ".\n");
}

char *
mf_prose_subtests(const MfOutcomeReport *outcome)
{
    const MfSubtests *subtests = outcome->result ? outcome->result->subtests : NULL;
    guint total = subtests ? mf_subtests_get_total(subtests) : 0;
    g_autofree char *count = mf_text_count(total, "sub-test");

    if (total == 0)
        return NULL;
    if (subtests->counts[MF_SUBTEST_FAIL] == 0)
        return g_steal_pointer(&count);
    return g_strdup_printf("%u of %s failed", subtests->counts[MF_SUBTEST_FAIL], count);
}

void
mf_prose_append_headline(GString *to, const MfEvent *finished, guint number, gboolean colours)
{
    const MfCase *kase = g_ptr_array_index(finished->cases, finished->index);
    const MfOutcomeReport *outcome = finished->outcome;
    g_autofree char *total = g_strdup_printf("%u", finished->cases->len);
    g_autofree char *name = mf_text_clean_line(kase->name);
    g_autofree char *duration = mf_prose_duration(outcome->duration_us);
    g_autofree char *subtests = mf_prose_subtests(outcome);

    append_word(to, outcome->outcome, colours);
    g_string_append_printf(to, "[%*u/%s] %s", (int)strlen(total), number, total, name);
    if (outcome->attempts > 0)
        g_string_append_printf(to, " (%s", duration);
    if (outcome->attempts > 1)
        g_string_append_printf(to, ", attempt %u", outcome->attempts);
    if (subtests)
        g_string_append_printf(to, ", %s", subtests);
    g_string_append(to, outcome->attempts > 0 ? ")\n" : "\n");
}

static void
append_lines(GString *to, const char *title, const char *text)
{
    g_string_append_printf(to, INDENT "%s:\n", title);
    mf_text_append_indented(to, INDENT "| ", text);
}

static void
append_stream(GString *to, const char *name, GBytes *tail, guint64 bytes)
{
    gsize size;
    const char *data = tail ? g_bytes_get_data(tail, &size) : NULL;

    if (!data)
        return;

    g_autofree char *clean = mf_text_clean(data, size);
    const char *end = mf_text_last_lines(clean, DETAIL_LINES);
    if (end == clean && size == bytes) {
        append_lines(to, name, end);
    } else {
        g_autofree char *all = mf_format_size(bytes);
        g_autofree char *title = g_strdup_printf("%s, the end of %s", name, all);

        append_lines(to, title, end);
    }
}

/* Where it is written and where more of it is. */
static void
append_places(GString *to, const MfCase *kase, const MfOutcomeReport *outcome)
{
    if (kase->file && kase->line) {
        g_autofree char *file = mf_text_clean_line(kase->file);

        g_string_append_printf(to, INDENT "Defined in %s:%u.\n", file, kase->line);
    }
    if (outcome->run_dir) {
        g_autofree char *run_dir = mf_text_clean_line(outcome->run_dir);

        g_string_append_printf(to, INDENT "Kept in '%s'.\n", run_dir);
    }
}

static void
append_notes(GString *to, const MfResult *result)
{
    for (guint i = 0; i < result->notes->len; i++) {
        g_autofree char *note = mf_text_clean_line(g_ptr_array_index(result->notes, i));

        g_string_append_printf(to, INDENT "Note: %s\n", note);
    }
}

/* What the kernel said of itself, unless it is among the console's last lines. */
static void
append_splats(GString *to, const MfResult *result)
{
    for (guint i = 0; i < result->splats->len; i++) {
        const MfSplat *splat = g_ptr_array_index(result->splats, i);

        if (!splat->fails || (result->console_tail && strstr(result->console_tail, splat->title)))
            continue;
        g_autofree char *clean = mf_text_clean(splat->report, strlen(splat->report));
        append_lines(to, mf_splat_kind_name(splat->kind), clean);
    }
}

/* The first lines of a text, below an item of a list. */
static void
append_item_text(GString *to, const char *text, guint max)
{
    g_autofree char *clean = mf_text_clean(text, strlen(text));
    g_auto(GStrv) lines = g_strsplit(clean, "\n", (gint)max + 1);

    if (g_strv_length(lines) > max)
        g_clear_pointer(&lines[max], g_free);
    for (char **line = lines; *line; line++)
        mf_text_append_indented(to, INDENT "  | ", *line);
}

/* The first lines of why it failed. */
static void
append_subtest(GString *to, const MfSubtest *test)
{
    g_autofree char *name = mf_text_clean_line(test->name);

    g_string_append_printf(to, INDENT "- %s\n", name);
    append_item_text(to, test->message ? test->message : "", SUBTEST_LINES);
}

static void
append_failed_subtests(GString *to, const MfSubtests *subtests)
{
    guint left = subtests ? subtests->counts[MF_SUBTEST_FAIL] : 0;
    guint listed = 0;

    if (left == 0)
        return;
    g_string_append(to, INDENT "failed sub-tests:\n");
    for (guint i = 0; i < subtests->tests->len && listed < SUBTESTS_LISTED; i++) {
        const MfSubtest *test = g_ptr_array_index(subtests->tests, i);

        if (test->status != MF_SUBTEST_FAIL)
            continue;
        append_subtest(to, test);
        listed++;
    }
    if (left > listed)
        g_string_append_printf(to, INDENT "- and %u more\n", left - listed);
}

static void
append_payload(GString *to, const MfPayloadResult *payload)
{
    g_autofree char *name = mf_text_clean_line(payload->name);

    g_string_append_printf(to, INDENT "- %s", name);
    if (payload->repetition > 0)
        g_string_append_printf(to, ", repetition %u", payload->repetition + 1);
    g_string_append_c(to, '\n');
    for (guint i = 0; i < payload->details->len; i++)
        append_item_text(to, payload->details->pdata[i], PAYLOAD_LINES);
}

static void
append_failed_payloads(GString *to, const GPtrArray *payloads)
{
    guint failed = 0;

    for (guint i = 0; payloads && i < payloads->len; i++) {
        const MfPayloadResult *payload = payloads->pdata[i];

        if (payload->passed)
            continue;
        if (++failed == 1)
            g_string_append(to, INDENT "failed payloads:\n");
        if (failed <= PAYLOADS_LISTED)
            append_payload(to, payload);
    }
    if (failed > PAYLOADS_LISTED)
        g_string_append_printf(to, INDENT "- and %u more\n", failed - PAYLOADS_LISTED);
}

/* Those that somebody named: of thousands that nobody did, none is worth a line. */
static void
append_metrics(GString *to, const MfResult *result)
{
    g_autoptr(GPtrArray) all = mf_series_of(result);
    guint named = 0;

    for (guint i = 0; i < all->len; i++) {
        const MfSeries *series = all->pdata[i];

        if (!mf_series_is_named(series) || ++named > METRICS_LISTED)
            continue;

        g_autofree char *label = mf_series_label(series);
        g_autofree char *value = mf_series_describe(series, series->unit);
        g_autofree char *line = g_strdup_printf("%s: %s", label, value);
        g_autofree char *clean = mf_text_clean_line(line);
        g_string_append_printf(to, INDENT "%s\n", clean);
    }
    if (named > METRICS_LISTED)
        g_string_append_printf(to, INDENT "and %u more metrics\n", named - METRICS_LISTED);
}

void
mf_prose_append_detail(GString *to, const MfCase *kase, const MfOutcomeReport *outcome,
                       MfOutputPolicy policy)
{
    if (outcome->reason) {
        g_autofree char *reason = mf_text_clean(outcome->reason, strlen(outcome->reason));

        mf_text_append_indented(to, INDENT, reason);
    }
    if (outcome->result) {
        append_notes(to, outcome->result);
        append_metrics(to, outcome->result);
    }
    if (outcome->outcome == MF_OUTCOME_PASS || outcome->outcome == MF_OUTCOME_SKIP)
        return;

    append_places(to, kase, outcome);
    append_failed_subtests(to, outcome->result ? outcome->result->subtests : NULL);
    append_failed_payloads(to, outcome->result ? outcome->result->payloads : NULL);
    if (policy == MF_OUTPUT_ON_FAILURE) {
        append_stream(to, "stdout", outcome->tail[1], outcome->bytes[1]);
        append_stream(to, "stderr", outcome->tail[2], outcome->bytes[2]);
    }
    if (policy == MF_OUTPUT_NEVER || !outcome->result)
        return;
    append_splats(to, outcome->result);
    if (outcome->result->console_tail) {
        const char *tail = outcome->result->console_tail;
        g_autofree char *clean = mf_text_clean(tail, strlen(tail));

        append_lines(to, "console", mf_text_last_lines(clean, DETAIL_LINES));
    }
}

static void
append_not_passed(GString *to, const MfEvent *finished, gboolean colours)
{
    for (guint i = 0; i < finished->cases->len; i++) {
        const MfCase *kase = g_ptr_array_index(finished->cases, i);
        const MfOutcomeReport *outcome = g_ptr_array_index(finished->outcomes, i);

        if (!outcome || outcome->outcome == MF_OUTCOME_PASS || outcome->outcome == MF_OUTCOME_SKIP)
            continue;

        g_autofree char *name = mf_text_clean_line(kase->name);
        g_autofree char *reason = mf_text_clean_line(outcome->reason ? outcome->reason : "");
        append_word(to, outcome->outcome, colours);
        g_string_append_printf(to, "%s%s%s\n", name, *reason ? ": " : "", reason);
    }
}

static void
append_crashes(GString *to, const MfEvent *finished)
{
    g_autoptr(GPtrArray) crashes = mf_crashes_of(finished);
    g_autofree char *counts = mf_crashes_describe(crashes);

    if (counts)
        g_string_append_printf(to, "%s:\n", counts);
    for (guint i = 0; i < crashes->len; i++) {
        g_autofree char *line = mf_crash_describe(g_ptr_array_index(crashes, i));

        g_string_append_printf(to, INDENT "%s\n", line);
    }
}

/* The indexes of the cases that ran, the slowest first. */
static GArray *
order_by_duration(const MfEvent *finished)
{
    GArray *order = g_array_new(FALSE, FALSE, sizeof(guint));

    for (guint i = 0; i < finished->outcomes->len; i++) {
        const MfOutcomeReport *outcome = g_ptr_array_index(finished->outcomes, i);
        guint at = 0;

        if (!outcome || outcome->attempts == 0)
            continue;
        while (at < order->len) {
            const MfOutcomeReport *other =
                finished->outcomes->pdata[g_array_index(order, guint, at)];

            if (other->duration_us < outcome->duration_us)
                break;
            at++;
        }
        g_array_insert_val(order, at, i);
    }
    return order;
}

/* The two phases that took most of it: "boot 8.1s, execution 3.0s". */
static void
append_longest_phases(GString *to, const MfResult *result)
{
    MfPhase first = 0;
    MfPhase second = 1;

    for (MfPhase phase = 1; phase < MF_N_PHASES; phase++) {
        if (result->phase_us[phase] > result->phase_us[first]) {
            second = first;
            first = phase;
        } else if (phase != first && result->phase_us[phase] > result->phase_us[second]) {
            second = phase;
        }
    }

    g_autofree char *longest = mf_prose_duration(result->phase_us[first]);
    g_autofree char *next = mf_prose_duration(result->phase_us[second]);
    g_string_append_printf(to, ": %s %s, %s %s", mf_phase_name(first), longest,
                           mf_phase_name(second), next);
}

static void
append_slowest(GString *to, const MfEvent *finished)
{
    g_autoptr(GArray) order = order_by_duration(finished);

    if (order->len < 2)
        return;
    g_string_append(to, "Slowest:\n");
    for (guint i = 0; i < MIN(order->len, SLOWEST); i++) {
        guint index = g_array_index(order, guint, i);
        const MfCase *kase = g_ptr_array_index(finished->cases, index);
        const MfOutcomeReport *outcome = g_ptr_array_index(finished->outcomes, index);
        g_autofree char *name = mf_text_clean_line(kase->name);
        g_autofree char *duration = mf_prose_duration(outcome->duration_us);

        g_string_append_printf(to, INDENT "%7s  %s", duration, name);
        if (outcome->result)
            append_longest_phases(to, outcome->result);
        g_string_append_c(to, '\n');
    }
}

void
mf_prose_append_closing(GString *to, const MfEvent *finished, gboolean colours)
{
    MfTally tally = mf_tally_of(finished);
    g_autofree char *counts = mf_tally_describe(&tally);
    g_autofree char *duration = mf_prose_duration(finished->time_us);

    g_string_append_c(to, '\n');
    append_slowest(to, finished);
    append_not_passed(to, finished, colours);
    append_crashes(to, finished);
    if (finished->interrupted) {
        g_autofree char *interrupted = mf_text_clean_line(finished->interrupted);

        g_string_append_printf(to, "%s\n", interrupted);
    }
    g_string_append_printf(to, "%s in %s.\n", counts, duration);
}
