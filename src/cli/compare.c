/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/compare.h"

#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/verb-options.h"
#include "report/compare-text.h"
#include "wire/json.h"

/* More than this is a mistake: a metric that became 100 times as large is no noise. */
#define THRESHOLD_MAX 10000

static const char description[] =
    "OLD and NEW are results, as 'mayfly test --report json=FILE' writes them, or directories "
    "with\n"
    "those of shards. Of each metric the medians of its repetitions are compared (the key "
    "'repeat'\n"
    "of a target makes some). Which is better, the metric's polarity says.\n"
    "\n"
    "The same is what differs by no more than the noise: the spreads of both sides together, "
    "where\n"
    "a spread is the distance from the median that four values in five keep (all, of up to four),\n"
    "and at least the threshold, in percent of the old median. Its default is 1 with three\n"
    "repetitions or more on both sides, and else 5, for then the noise is not known. 'partial' is\n"
    "what is not worse, but is missing from a larger part of one side's repetitions.\n"
    "\n"
    "Exit status: 0 when both could be compared; with --fail-on-worse 1 when a metric is worse or\n"
    "has another unit, a target that passed does not any more, or one of these is missing in NEW\n"
    "(of metrics, those with a unit or a polarity, and from more repetitions is enough); 2 for a\n"
    "usage error and for what is no result; 69 when a file cannot be read.\n"
    "\n"
    "Example: mayfly compare --fail-on-worse main.json mine.json";

typedef struct {
    char *threshold; /* owned; or NULL */
    gboolean all, fail_on_worse, json, markdown;
    char **operands; /* owned; or NULL */
} Arguments;

static void
arguments_clear(Arguments *self)
{
    g_free(self->threshold);
    g_strfreev(self->operands);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Arguments, arguments_clear)

static MfVerbOptions *
make_options(Arguments *arguments)
{
    const GOptionEntry entries[] = {
        {"threshold", 0, 0, G_OPTION_ARG_STRING, &arguments->threshold,
         "Take at least so many percent for noise (default: 1 with repetitions, else 5)",
         "PERCENT"},
        {"fail-on-worse", 0, 0, G_OPTION_ARG_NONE, &arguments->fail_on_worse,
         "Exit with 1 when something is worse or missing in NEW", NULL},
        {"all", 0, 0, G_OPTION_ARG_NONE, &arguments->all,
         "Show metrics without unit and polarity too, where others have one", NULL},
        {"json", 0, 0, G_OPTION_ARG_NONE, &arguments->json, "Print JSON instead of text", NULL},
        {"markdown", 0, 0, G_OPTION_ARG_NONE, &arguments->markdown,
         "Print a Markdown table instead of text", NULL},
        {NULL}};
    const MfOperands operands = {"OLD NEW", "two results, the old one and the new one", 2, 2};
    MfVerbOptions *options = mf_verb_options_new(
        "mayfly compare", "Shows how the metrics of two results of a suite differ.", description);

    mf_verb_options_add(options, entries);
    mf_verb_options_add_operands(options, &operands, &arguments->operands);
    return options;
}

/* A wrong use is reported here. */
static gboolean
parse(int argc, char **argv, Arguments *arguments)
{
    g_autoptr(MfVerbOptions) options = make_options(arguments);

    if (!mf_verb_options_parse(options, argc, argv))
        return FALSE;
    if (arguments->json && arguments->markdown) {
        mf_cli_complain("'--json' and '--markdown' are two forms of the same: choose one.");
        return FALSE;
    }
    return TRUE;
}

/* Percent, with or without the sign; *ret_part is a part of one, and negative for none. A wrong one
 * is reported here. */
static gboolean
parse_threshold(const char *text, double *ret_part)
{
    gsize length = text ? strspn(text, "0123456789.") : 0;
    char *end = NULL;
    double percent = text ? g_ascii_strtod(text, &end) : -1;

    if (!text) {
        *ret_part = -1;
        return TRUE;
    }
    if (length == 0 || end != text + length || !(*end == '\0' || g_str_equal(end, "%")) ||
        percent > THRESHOLD_MAX) {
        mf_cli_complain("'%s' is no threshold: it is a number of percent from 0 to %d, such as "
                        "'2.5'.",
                        text, THRESHOLD_MAX);
        return FALSE;
    }
    *ret_part = percent / 100;
    return TRUE;
}

static MfMerge *
load(const char *path, GError **error)
{
    g_autoptr(MfMerge) merge = mf_merge_new();

    if (!mf_merge_add(merge, path, error) || !mf_merge_check(merge, error))
        return NULL;
    return g_steal_pointer(&merge);
}

static MfComparison *
compare(char *const *paths, double threshold, GError **error)
{
    g_autoptr(MfMerge) before = load(paths[0], error);
    g_autoptr(MfMerge) after = before ? load(paths[1], error) : NULL;

    return after ? mf_compare(before, after, threshold, error) : NULL;
}

/* Owned by the caller. */
static char *
write_form(const Arguments *arguments, const MfComparison *comparison)
{
    if (arguments->json) {
        g_autoptr(json_object) document = mf_comparison_to_json(comparison);

        return mf_json_to_text(document);
    }
    return arguments->markdown ? mf_comparison_to_markdown(comparison, arguments->all)
                               : mf_comparison_to_text(comparison, arguments->all);
}

int
mf_cli_compare(int argc, char **argv)
{
    g_auto(Arguments) arguments = {0};
    g_autoptr(GError) error = NULL;
    double threshold;

    if (!parse(argc, argv, &arguments) || !parse_threshold(arguments.threshold, &threshold))
        return MF_EXIT_USAGE;

    g_autoptr(MfComparison) comparison = compare(arguments.operands, threshold, &error);
    if (!comparison)
        return mf_cli_fail(error, MF_EXIT_USAGE);

    g_autofree char *text = write_form(&arguments, comparison);
    fputs(text, stdout);
    return arguments.fail_on_worse && mf_comparison_is_worse(comparison) ? MF_EXIT_UNMET : 0;
}

void
mf_cli_compare_describe(GPtrArray *verbs)
{
    Arguments arguments = {0};
    g_autoptr(MfVerbOptions) options = make_options(&arguments);

    mf_verb_options_describe(options, verbs);
}
