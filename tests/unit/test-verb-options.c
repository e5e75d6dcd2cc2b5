/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/verb-options.h"

#include <json.h>

#include "base/error.h"
#include "cli/syntax.h"

/* What was read of a line. */
typedef struct {
    char *kernel, *secret;
    gboolean cold;
    int level;
    char **words;
    GError *error;
} Line;

static void
line_clear(Line *line)
{
    g_free(line->kernel);
    g_free(line->secret);
    g_strfreev(line->words);
    g_clear_error(&line->error);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Line, line_clear)

static MfVerbOptions *
make_options(Line *line, const MfOperands *operands)
{
    const GOptionEntry entries[] = {
        {"kernel", 'k', 0, G_OPTION_ARG_STRING, &line->kernel, "A kernel", "FILE"},
        {"secret", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_STRING, &line->secret, NULL, NULL},
        {"cold", 0, 0, G_OPTION_ARG_NONE, &line->cold, "Boot", NULL},
        {NULL},
    };
    MfVerbOptions *options = mf_verb_options_new("mayfly try", "Tries.", NULL);

    mf_verb_options_add(options, entries);
    mf_verb_options_add_verbose(options, &line->level);
    if (operands)
        mf_verb_options_add_operands(options, operands, &line->words);
    return options;
}

/* Reads 'text', whose words are separated by spaces. */
static gboolean
read_line(const char *text, const MfOperands *operands, gboolean ends_at_operand, Line *ret_line)
{
    g_autoptr(MfVerbOptions) options = make_options(ret_line, operands);
    g_auto(GStrv) argv = g_strsplit(text, " ", -1);

    if (ends_at_operand)
        mf_verb_options_end_at_operand(options);
    return mf_verb_options_read(options, (int)g_strv_length(argv), argv, &ret_line->error);
}

static void
expect_error(const char *text, const MfOperands *operands, const char *message)
{
    g_auto(Line) line = {0};

    g_assert_false(read_line(text, operands, FALSE, &line));
    g_assert_error(line.error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_cmpstr(line.error->message, ==, message);
    g_assert_null(line.words);
}

static void
test_options_and_operands_are_told_apart(void)
{
    const MfOperands two = {"OLD NEW", "two results", 2, 2};
    g_auto(Line) line = {0};

    g_assert_true(read_line("try a -kbz --cold b", &two, FALSE, &line));
    g_assert_cmpstr(line.kernel, ==, "bz");
    g_assert_true(line.cold);
    g_assert_cmpstrv(line.words, ((const char *[]){"a", "b", NULL}));
}

static void
test_what_follows_the_first_operand_is_another_program_s(void)
{
    const MfOperands command = {"COMMAND...", "a command", 1, G_MAXUINT};
    g_auto(Line) line = {0};

    g_assert_true(read_line("try --cold make -k x", &command, TRUE, &line));
    g_assert_null(line.kernel);
    g_assert_cmpstrv(line.words, ((const char *[]){"make", "-k", "x", NULL}));
}

static void
test_too_few_and_too_many_operands_are_told(void)
{
    const MfOperands two = {"OLD NEW", "two results", 2, 2};

    expect_error("try a", &two, "'mayfly try' needs two results; 'mayfly try --help' tells more.");
    expect_error("try a b c", &two,
                 "'mayfly try' takes two results, and does not know what to do with 'c'; 'mayfly "
                 "try --help' tells more.");
    expect_error("try a", NULL,
                 "'mayfly try' does not know what to do with 'a'; 'mayfly try --help' tells more.");
}

static void
test_an_unknown_option_is_told_with_the_one_that_is_meant(void)
{
    expect_error("try --kernle=x", NULL,
                 "Unknown option --kernle=x: did you mean --kernel? ('mayfly try --help' lists the "
                 "options.)");
    expect_error("try --what", NULL,
                 "Unknown option --what ('mayfly try --help' lists the options).");
}

static void
test_a_hidden_option_is_taken_but_not_shown(void)
{
    g_auto(Line) line = {0};
    g_autoptr(MfVerbOptions) options = make_options(&line, NULL);
    g_autoptr(GPtrArray) verbs = mf_syntax_new();
    const MfSyntax *syntax;

    g_assert_true(read_line("try --secret x", NULL, FALSE, &line));
    g_assert_cmpstr(line.secret, ==, "x");
    expect_error("try --secrte x", NULL,
                 "Unknown option --secrte ('mayfly try --help' lists the options).");

    mf_verb_options_describe(options, verbs);
    g_assert_cmpuint(verbs->len, ==, 1);
    syntax = verbs->pdata[0];
    g_assert_cmpstr(syntax->name, ==, "try");
    g_assert_cmpstr(syntax->operands, ==, "");
    g_assert_cmpuint(syntax->options->len, ==, 3);
}

static void
test_verbose_is_counted_as_often_as_it_is_given(void)
{
    g_auto(Line) line = {0};

    g_assert_true(read_line("try -vv --cold --verbose", NULL, FALSE, &line));
    g_assert_cmpint(line.level, ==, 3);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/verb-options/options-and-operands-are-told-apart",
                    test_options_and_operands_are_told_apart);
    g_test_add_func("/verb-options/what-follows-the-first-operand-is-another-program-s",
                    test_what_follows_the_first_operand_is_another_program_s);
    g_test_add_func("/verb-options/too-few-and-too-many-operands-are-told",
                    test_too_few_and_too_many_operands_are_told);
    g_test_add_func("/verb-options/an-unknown-option-is-told-with-the-one-that-is-meant",
                    test_an_unknown_option_is_told_with_the_one_that_is_meant);
    g_test_add_func("/verb-options/a-hidden-option-is-taken-but-not-shown",
                    test_a_hidden_option_is_taken_but_not_shown);
    g_test_add_func("/verb-options/verbose-is-counted-as-often-as-it-is-given",
                    test_verbose_is_counted_as_often_as_it_is_given);
    return g_test_run();
}
