/* SPDX-License-Identifier: Apache-2.0 */
#include "run/console-rules.h"

#include <string.h>

#include "base/parse.h"
#include "run/pattern.h"

typedef struct {
    GRegex *pattern; /* owned */
    gint64 timeout_ms;
} Landmark;

typedef struct {
    GRegex *pattern;   /* owned */
    const char *send;  /* borrowed */
    guint times, left; /* of times */
    gsize from;        /* nothing ahead of this can be the beginning of its prompt */
} Answer;

struct _MfConsoleRules {
    GPtrArray *landmarks; /* owned; of Landmark, in order */
    GPtrArray *fail_on;   /* owned; of GRegex */
    GPtrArray *answers;   /* owned; of Answer, as declared */
    guint next;           /* landmark */
    gint64 since;         /* the landmark before it was seen */
    GString *heard;       /* owned; the end of what was said, for the answers; bytes */
    MfConsoleState state;
    char *reason; /* owned; with FAILED and BROKEN */
};

static void
answer_free(gpointer data)
{
    MfConsoleAnswer *answer = data;

    g_free(answer->pattern);
    g_free(answer->send);
    g_free(answer);
}

MfConsoleRule *
mf_console_rule_new(void)
{
    MfConsoleRule *self = g_new0(MfConsoleRule, 1);

    self->timeout_ms = MF_CONSOLE_RULE_DEFAULT_TIMEOUT_MS;
    self->respond = g_ptr_array_new_with_free_func(answer_free);
    return self;
}

void
mf_console_rule_free(MfConsoleRule *self)
{
    if (!self)
        return;
    g_strfreev(self->expect);
    g_strfreev(self->fail_on);
    g_ptr_array_unref(self->respond);
    g_strfreev(self->pass);
    g_strfreev(self->fail);
    g_free(self);
}

void
mf_console_rule_add_answer(MfConsoleRule *self, const char *pattern, const char *send, guint times)
{
    MfConsoleAnswer *answer = g_new0(MfConsoleAnswer, 1);

    answer->pattern = g_strdup(pattern);
    answer->send = g_strdup(send);
    answer->times = times;
    g_ptr_array_add(self->respond, answer);
}

static void
landmark_clear(gpointer data)
{
    Landmark *landmark = data;

    g_clear_pointer(&landmark->pattern, g_regex_unref);
    g_free(landmark);
}

static void
compiled_answer_free(gpointer data)
{
    Answer *answer = data;

    g_clear_pointer(&answer->pattern, g_regex_unref);
    g_free(answer);
}

static gboolean
add_landmarks(MfConsoleRules *self, const MfConsoleRule *rule, GError **error)
{
    for (char **pattern = rule->expect; pattern && *pattern; pattern++) {
        Landmark *landmark = g_new0(Landmark, 1);

        g_ptr_array_add(self->landmarks, landmark);
        landmark->timeout_ms = rule->timeout_ms;
        landmark->pattern = mf_pattern_compile(*pattern, 0, error);
        if (!landmark->pattern)
            return FALSE;
    }
    return TRUE;
}

static gboolean
add_fail_on(MfConsoleRules *self, const MfConsoleRule *rule, GError **error)
{
    for (char **text = rule->fail_on; text && *text; text++) {
        GRegex *pattern = mf_pattern_compile(*text, 0, error);

        if (!pattern)
            return FALSE;
        g_ptr_array_add(self->fail_on, pattern);
    }
    return TRUE;
}

/* What a prompt is part of may be no UTF-8, or not yet: these match bytes. */
static gboolean
add_answers(MfConsoleRules *self, const MfConsoleRule *rule, GError **error)
{
    for (guint i = 0; i < rule->respond->len; i++) {
        const MfConsoleAnswer *from = rule->respond->pdata[i];
        Answer *answer = g_new0(Answer, 1);

        g_ptr_array_add(self->answers, answer);
        answer->send = from->send;
        answer->times = answer->left = from->times;
        answer->pattern = mf_pattern_compile(
            from->pattern, G_REGEX_RAW | G_REGEX_MULTILINE | G_REGEX_NEWLINE_ANYCRLF, error);
        if (!answer->pattern)
            return FALSE;
    }
    return TRUE;
}

MfConsoleRules *
mf_console_rules_new(const GPtrArray *rules, gint64 now, GError **error)
{
    g_autoptr(MfConsoleRules) self = g_new0(MfConsoleRules, 1);

    self->landmarks = g_ptr_array_new_with_free_func(landmark_clear);
    self->fail_on = g_ptr_array_new_with_free_func((GDestroyNotify)g_regex_unref);
    self->answers = g_ptr_array_new_with_free_func(compiled_answer_free);
    self->heard = g_string_new(NULL);
    self->since = now;
    for (guint i = 0; i < rules->len; i++) {
        const MfConsoleRule *rule = rules->pdata[i];

        if (!add_landmarks(self, rule, error) || !add_fail_on(self, rule, error) ||
            !add_answers(self, rule, error))
            return NULL;
    }
    return g_steal_pointer(&self);
}

void
mf_console_rules_free(MfConsoleRules *self)
{
    if (!self)
        return;
    g_ptr_array_unref(self->landmarks);
    g_ptr_array_unref(self->fail_on);
    g_ptr_array_unref(self->answers);
    g_string_free(self->heard, TRUE);
    g_free(self->reason);
    g_free(self);
}

/* Whether anything can still change the state. */
static gboolean
is_open(const MfConsoleRules *self)
{
    return self->state == MF_CONSOLE_OPEN || self->state == MF_CONSOLE_MET;
}

/* The one place where the state changes. 'reason' is taken, and may be NULL. */
static void
decide(MfConsoleRules *self, MfConsoleState state, char *reason)
{
    g_free(self->reason);
    self->reason = reason;
    self->state = state;
}

static void
break_off(MfConsoleRules *self, const GRegex *pattern, const GError *error)
{
    decide(self, MF_CONSOLE_BROKEN,
           g_strdup_printf("What the console says could not be matched with '%s': %s.",
                           mf_pattern_get_text(pattern), error->message));
}

/* Whether 'pattern' matches behind 'from', and where that ends. What cannot be found out decides.
 */
static gboolean
match_line(MfConsoleRules *self, const GRegex *pattern, const char *line, int from, int *ret_end)
{
    g_autoptr(GMatchInfo) info = NULL;
    g_autoptr(GError) error = NULL;
    int start;

    if (g_regex_match_full(pattern, line, -1, from, 0, &info, &error))
        return g_match_info_fetch_pos(info, 0, &start, ret_end);
    if (error)
        break_off(self, pattern, error);
    return FALSE;
}

static void
look_for_failures(MfConsoleRules *self, const char *line)
{
    int end;

    for (guint i = 0; i < self->fail_on->len && is_open(self); i++) {
        const GRegex *pattern = self->fail_on->pdata[i];

        if (match_line(self, pattern, line, 0, &end))
            decide(self, MF_CONSOLE_FAILED,
                   g_strdup_printf("The console said what '%s' forbids: %s",
                                   mf_pattern_get_text(pattern), line));
    }
}

static void
look_for_landmarks(MfConsoleRules *self, const char *line, gint64 now)
{
    int end = 0;

    while (self->state == MF_CONSOLE_OPEN && self->next < self->landmarks->len) {
        const Landmark *landmark = self->landmarks->pdata[self->next];

        if (!match_line(self, landmark->pattern, line, end, &end))
            return;
        self->since = now;
        self->next++;
        if (self->next == self->landmarks->len)
            decide(self, MF_CONSOLE_MET, NULL);
    }
}

void
mf_console_rules_feed_line(MfConsoleRules *self, const char *line, gint64 now)
{
    look_for_failures(self, line);
    look_for_landmarks(self, line, now);
}

void
mf_console_rules_feed_echo(MfConsoleRules *self, const char *line)
{
    look_for_failures(self, line);
}

/* Whether the prompt is there, and from where to where. What no prompt begins in is not looked at
 * again, however small the pieces are that it comes in. */
static gboolean
match_prompt(MfConsoleRules *self, Answer *answer, int *ret_start, int *ret_end)
{
    g_autoptr(GMatchInfo) info = NULL;
    g_autoptr(GError) error = NULL;

    if (g_regex_match_full(answer->pattern, self->heard->str, (gssize)self->heard->len,
                           (int)answer->from, G_REGEX_MATCH_NOTEMPTY | G_REGEX_MATCH_PARTIAL_SOFT,
                           &info, &error))
        return g_match_info_fetch_pos(info, 0, ret_start, ret_end);
    if (error)
        break_off(self, answer->pattern, error);
    else if (!g_match_info_is_partial_match(info))
        answer->from = self->heard->len;
    return FALSE;
}

/* The answer to the earliest prompt, and that prompt's end; NULL when there is none. Of those at
 * the same place, the first. */
static Answer *
find_answer(MfConsoleRules *self, gsize *ret_end)
{
    Answer *earliest = NULL;
    int earliest_start = G_MAXINT;

    for (guint i = 0; i < self->answers->len && is_open(self); i++) {
        Answer *answer = self->answers->pdata[i];
        int start, end;

        if ((answer->times > 0 && answer->left == 0) || !match_prompt(self, answer, &start, &end) ||
            start >= earliest_start)
            continue;
        earliest = answer;
        earliest_start = start;
        *ret_end = (gsize)end;
    }
    return is_open(self) ? earliest : NULL;
}

/* What was answered is no prompt any more, for nobody. */
static void
pass_over(MfConsoleRules *self, gsize end)
{
    for (guint i = 0; i < self->answers->len; i++) {
        Answer *answer = self->answers->pdata[i];

        answer->from = MAX(answer->from, end);
    }
}

static void
trim(MfConsoleRules *self)
{
    gsize excess = self->heard->len - MIN(self->heard->len, MF_CONSOLE_PROMPT_MAX);

    if (self->heard->len <= 2 * MF_CONSOLE_PROMPT_MAX)
        return;
    g_string_erase(self->heard, 0, (gssize)excess);
    for (guint i = 0; i < self->answers->len; i++) {
        Answer *answer = self->answers->pdata[i];

        answer->from -= MIN(answer->from, excess);
    }
}

GBytes *
mf_console_rules_answer(MfConsoleRules *self, const void *data, gsize size)
{
    g_autoptr(GString) typed = g_string_new(NULL);
    Answer *answer;
    gsize end = 0;

    if (self->answers->len == 0)
        return NULL;
    g_string_append_len(self->heard, data, (gssize)size);
    while (is_open(self) && (answer = find_answer(self, &end))) {
        pass_over(self, end);
        g_string_append(typed, answer->send);
        if (answer->times > 0)
            answer->left--;
    }
    trim(self);
    return typed->len > 0 ? g_string_free_to_bytes(g_steal_pointer(&typed)) : NULL;
}

gint64
mf_console_rules_get_deadline(const MfConsoleRules *self)
{
    const Landmark *landmark =
        self->next < self->landmarks->len ? self->landmarks->pdata[self->next] : NULL;

    if (self->state != MF_CONSOLE_OPEN || !landmark || landmark->timeout_ms == 0)
        return -1;
    if (landmark->timeout_ms > (G_MAXINT64 - self->since) / 1000)
        return -1;
    return self->since + 1000 * landmark->timeout_ms;
}

void
mf_console_rules_check_time(MfConsoleRules *self, gint64 now)
{
    gint64 deadline = mf_console_rules_get_deadline(self);

    if (deadline >= 0 && now >= deadline)
        decide(self, MF_CONSOLE_LATE, NULL);
}

MfConsoleState
mf_console_rules_get_state(const MfConsoleRules *self)
{
    return self->state;
}

char *
mf_console_rules_describe_awaited(const MfConsoleRules *self)
{
    const Landmark *landmark;

    if (self->next >= self->landmarks->len)
        return NULL;
    landmark = self->landmarks->pdata[self->next];
    return g_strdup_printf("'%s' (landmark %u of %u)", mf_pattern_get_text(landmark->pattern),
                           self->next + 1, self->landmarks->len);
}

char *
mf_console_rules_explain(const MfConsoleRules *self)
{
    if (self->state != MF_CONSOLE_LATE)
        return g_strdup(self->reason);

    const Landmark *landmark = self->landmarks->pdata[self->next];
    g_autofree char *limit = mf_format_duration(landmark->timeout_ms);
    g_autofree char *awaited = mf_console_rules_describe_awaited(self);
    if (self->next == 0)
        return g_strdup_printf("The console did not say %s within %s of the start.", awaited,
                               limit);

    const Landmark *before = self->landmarks->pdata[self->next - 1];
    return g_strdup_printf("The console did not say %s within %s of '%s'.", awaited, limit,
                           mf_pattern_get_text(before->pattern));
}
