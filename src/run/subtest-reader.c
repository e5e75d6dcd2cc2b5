/* SPDX-License-Identifier: Apache-2.0 */
#include "run/subtest-reader.h"

#include <string.h>

#include "base/parse.h"
#include "base/plain-text.h"
#include "run/ktap.h"
#include "run/pattern.h"

struct _MfSubtestReader {
    MfSubtests *to;   /* borrowed */
    MfKtap *ktap;     /* owned; of TAP and KTAP; or NULL */
    GPtrArray *pass;  /* owned; of GRegex */
    GPtrArray *fail;  /* owned; of GRegex */
    GString *partial; /* owned; the line that is not complete yet */
};

static const char *const formats[] = {"none", "tap", "ktap", "lines", NULL};

static const char *const pass_lines[] = {"\\[(?:PASS|OK|PASSED)\\]\\s+(.*)", NULL};
static const char *const fail_lines[] = {"\\[(?:FAIL|FAILED|ERROR)\\]\\s+(.*)", NULL};

gboolean
mf_subtest_format_parse(const char *text, MfSubtestFormat *ret_format, GError **error)
{
    guint index;

    if (!mf_parse_choice(text, "a format of sub-tests", formats, &index, error))
        return FALSE;
    *ret_format = (MfSubtestFormat)index;
    return TRUE;
}

MfSubtestReader *
mf_subtest_reader_new(MfSubtestFormat format, const char *const *pass, const char *const *fail,
                      MfSubtests *to, GError **error)
{
    g_autoptr(MfSubtestReader) self = g_new0(MfSubtestReader, 1);

    self->to = to;
    self->partial = g_string_new(NULL);
    if (format == MF_SUBTEST_FORMAT_TAP)
        self->ktap = mf_ktap_new(MF_KTAP_DIALECT_TAP, to);
    if (format == MF_SUBTEST_FORMAT_KTAP)
        self->ktap = mf_ktap_new(MF_KTAP_DIALECT_KTAP, to);
    if (format != MF_SUBTEST_FORMAT_LINES)
        return g_steal_pointer(&self);

    self->pass = mf_pattern_compile_all(pass ? pass : pass_lines, 0, error);
    self->fail = self->pass ? mf_pattern_compile_all(fail ? fail : fail_lines, 0, error) : NULL;
    return self->fail ? g_steal_pointer(&self) : NULL;
}

void
mf_subtest_reader_free(MfSubtestReader *self)
{
    if (!self)
        return;
    mf_ktap_free(self->ktap);
    g_clear_pointer(&self->pass, g_ptr_array_unref);
    g_clear_pointer(&self->fail, g_ptr_array_unref);
    g_string_free(self->partial, TRUE);
    g_free(self);
}

/* Whether the line tells of a test by one of 'patterns', which is taken then. */
static gboolean
match_line(MfSubtestReader *self, const GPtrArray *patterns, MfSubtestStatus status,
           const char *line)
{
    for (guint i = 0; patterns && i < patterns->len; i++) {
        GRegex *pattern = patterns->pdata[i];
        g_autoptr(GMatchInfo) match = NULL;
        g_autoptr(GError) error = NULL;

        if (!g_regex_match_full(pattern, line, -1, 0, 0, &match, &error)) {
            /* A failure may have been in it. */
            if (error)
                mf_subtests_complain(self->to, "A line could not be matched with '%s': %s.",
                                     mf_pattern_get_text(pattern), error->message);
            continue;
        }
        g_autofree char *name =
            g_match_info_fetch(match, g_regex_get_capture_count(pattern) > 0 ? 1 : 0);
        mf_subtests_add(self->to, status, name, NULL);
        return TRUE;
    }
    return FALSE;
}

void
mf_subtest_reader_feed_line(MfSubtestReader *self, const char *line)
{
    if (self->ktap)
        mf_ktap_feed(self->ktap, line);
    else if (!match_line(self, self->pass, MF_SUBTEST_PASS, line))
        match_line(self, self->fail, MF_SUBTEST_FAIL, line);
}

/* A carriage return ahead of the newline is gone after that; one within goes back to the line's
 * beginning, which makes another line. */
static void
end_line(MfSubtestReader *self)
{
    g_autofree char *plain = mf_plain_text(self->partial->str, self->partial->len);
    g_auto(GStrv) lines = g_strsplit(plain, "\n", -1);

    g_string_truncate(self->partial, 0);
    for (char **line = lines; *line; line++)
        mf_subtest_reader_feed_line(self, *line);
}

void
mf_subtest_reader_feed(MfSubtestReader *self, const void *data, gsize size)
{
    const char *at = data;
    const char *end = at + size;

    while (at < end) {
        const char *newline = memchr(at, '\n', (gsize)(end - at));
        gsize length = (gsize)((newline ? newline : end) - at);
        gsize room = MF_SUBTEST_LINE_MAX - self->partial->len;

        g_string_append_len(self->partial, at, (gssize)MIN(length, room));
        at += length;
        if (!newline)
            return;
        at++;
        end_line(self);
    }
}

void
mf_subtest_reader_finish(MfSubtestReader *self)
{
    if (self->partial->len > 0)
        end_line(self);
    if (self->ktap)
        mf_ktap_finish(self->ktap);
}
