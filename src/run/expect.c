/* SPDX-License-Identifier: Apache-2.0 */
#include "run/expect.h"

#include "base/error.h"
#include "base/regex.h"

#define COMPILE_FLAGS (G_REGEX_MULTILINE | G_REGEX_NEWLINE_ANYCRLF)

/* UTF-8 characters have at most so many bytes behind the first. */
#define CONTINUATION_MAX 3

MfExpect *
mf_expect_new(void)
{
    return g_new0(MfExpect, 1);
}

void
mf_expect_free(MfExpect *self)
{
    if (!self)
        return;
    g_free(self->stdout_match);
    g_free(self->stderr_match);
    g_free(self);
}

static gboolean
check_pattern(const char *pattern, const char *name, GError **error)
{
    g_autofree char *reason = NULL;
    g_autoptr(GRegex) regex = NULL;

    if (!pattern)
        return TRUE;
    regex = mf_regex_new(pattern, COMPILE_FLAGS, &reason);
    if (!regex)
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "The pattern '%s' of %s is not a regular expression: %s.", pattern, name,
                    reason);
    return regex != NULL;
}

gboolean
mf_expect_check_patterns(const MfExpect *self, GError **error)
{
    return check_pattern(self->stdout_match, "stdout_match", error) &&
           check_pattern(self->stderr_match, "stderr_match", error);
}

static void add_sentence(GString *sentences, const char *format, ...) G_GNUC_PRINTF(2, 3);

MfTail *
mf_expect_keep(const MfExpect *self, int fd)
{
    const char *pattern = !self ? NULL : fd == 1 ? self->stdout_match : self->stderr_match;

    return pattern ? mf_tail_new(MF_EXPECT_KEEP) : NULL;
}

static void
add_sentence(GString *sentences, const char *format, ...)
{
    va_list args;

    if (sentences->len > 0)
        g_string_append_c(sentences, ' ');
    va_start(args, format);
    g_string_append_vprintf(sentences, format, args);
    va_end(args);
}

static void
judge_end(const MfExpect *self, const MfResult *result, GString *sentences)
{
    gboolean killed = result->verdict == MF_VERDICT_SIGNALLED;
    int wanted_signal = self ? self->signal_number : 0;
    int wanted_status = self && self->has_status ? self->status : 0;
    g_autofree char *wish = NULL;
    g_autofree char *end = NULL;

    if (wanted_signal ? killed && result->signal_number == wanted_signal
                      : !killed && result->status == wanted_status)
        return;

    if (wanted_signal)
        wish = g_strdup_printf(", where signal %d (%s) was expected", wanted_signal,
                               g_strsignal(wanted_signal));
    else if (self)
        wish = g_strdup_printf(", where status %d was expected", wanted_status);
    if (killed)
        end = g_strdup_printf("was killed by signal %d (%s)", result->signal_number,
                              g_strsignal(result->signal_number));
    else
        end = g_strdup_printf("exited with status %d", result->status);
    add_sentence(sentences, "The command %s%s.", end, wish ? wish : "");
}

/* The stream as text. What was cut off in front may have split a character. */
static const char *
get_text(GBytes *kept, gsize *ret_size, gboolean *ret_valid)
{
    const char *text = kept ? g_bytes_get_data(kept, ret_size) : NULL;

    if (!text) {
        *ret_size = 0;
        text = "";
    }
    if (*ret_size >= MF_EXPECT_KEEP)
        for (int i = 0; i < CONTINUATION_MAX && ((guchar)*text & 0xc0) == 0x80; i++) {
            text++;
            (*ret_size)--;
        }
    *ret_valid = g_utf8_validate_len(text, *ret_size, NULL);
    return text;
}

static void
judge_stream(const char *pattern, const char *name, GBytes *kept, GString *sentences)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GRegex) regex = NULL;
    gboolean valid, matches;
    gsize size;
    const char *text;

    if (!pattern)
        return;
    text = get_text(kept, &size, &valid);
    regex = g_regex_new(pattern, COMPILE_FLAGS | (valid ? 0 : G_REGEX_RAW), 0, &error);
    matches = regex && g_regex_match_full(regex, text, (gssize)size, 0, 0, NULL, &error);
    /* What could not be found out must not pass. */
    if (error)
        add_sentence(sentences, "The standard %s could not be matched with '%s': %s.", name,
                     pattern, error->message);
    else if (!matches)
        add_sentence(sentences, "The standard %s has nothing that matches '%s'.", name, pattern);
}

static void
judge_output(const MfExpect *self, GBytes *const kept[3], GString *sentences)
{
    if (!self)
        return;
    judge_stream(self->stdout_match, "output", kept[1], sentences);
    judge_stream(self->stderr_match, "error", kept[2], sentences);
}

char *
mf_expect_judge(const MfExpect *self, const MfResult *result, GBytes *const kept[3])
{
    GString *sentences = g_string_new(NULL);

    judge_end(self, result, sentences);
    judge_output(self, kept, sentences);
    return g_string_free(sentences, sentences->len == 0);
}

char *
mf_expect_judge_output(const MfExpect *self, GBytes *const kept[3])
{
    GString *sentences = g_string_new(NULL);

    judge_output(self, kept, sentences);
    return g_string_free(sentences, sentences->len == 0);
}
