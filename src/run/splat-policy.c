/* SPDX-License-Identifier: Apache-2.0 */
#include "run/splat-policy.h"

#include <regex.h>
#include <string.h>

#include "base/error.h"
#include "base/parse.h"

struct _MfSplatPolicy {
    MfSplatRule rule;
    GPtrArray *allow; /* owned; of regex_t */
    GPtrArray *deny;  /* owned; of regex_t */
};

static const char *const rules[] = {"default", "fail", "warn", "ignore", NULL};

gboolean
mf_splat_rule_parse(const char *text, MfSplatRule *ret_rule, GError **error)
{
    guint index;

    if (!mf_parse_choice(text, "a rule for splats", rules, &index, error))
        return FALSE;
    *ret_rule = (MfSplatRule)index;
    return TRUE;
}

static void
free_pattern(gpointer data)
{
    regfree(data);
    g_free(data);
}

static gboolean
add_pattern(GPtrArray *patterns, const char *path, guint number, const char *line, GError **error)
{
    regex_t *pattern = g_new0(regex_t, 1);
    int problem = regcomp(pattern, line, REG_EXTENDED | REG_NOSUB);
    char reason[128];

    if (problem == 0) {
        g_ptr_array_add(patterns, pattern);
        return TRUE;
    }
    regerror(problem, pattern, reason, sizeof(reason));
    g_free(pattern);
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                "%s:%u: '%s' is not an extended regular expression: %s.", path, number, line,
                reason);
    return FALSE;
}

static gboolean
read_file(const char *path, char **ret_text, GError **error)
{
    g_autoptr(GError) problem = NULL;
    g_autofree char *text = NULL;
    gsize size;

    if (!g_file_get_contents(path, &text, &size, &problem)) {
        mf_error_take_foreign(error, MF_ERROR_CONFIG, g_steal_pointer(&problem),
                              "The splat patterns cannot be read");
        return FALSE;
    }
    if (size > MF_SPLAT_PATTERN_FILE_MAX || memchr(text, '\0', size)) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "'%s' is no file of splat patterns: expected a text of at most 1 MiB.", path);
        return FALSE;
    }
    *ret_text = g_steal_pointer(&text);
    return TRUE;
}

static gboolean
read_patterns(GPtrArray *patterns, const char *path, GError **error)
{
    g_autofree char *text = NULL;

    if (!path)
        return TRUE;
    if (!read_file(path, &text, error))
        return FALSE;

    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (guint i = 0; lines[i]; i++) {
        const char *line = g_strchomp(lines[i]);

        if (*line != '\0' && *line != '#' && !add_pattern(patterns, path, i + 1, line, error))
            return FALSE;
    }
    return TRUE;
}

MfSplatPolicy *
mf_splat_policy_new(MfSplatRule rule, const char *allow, const char *deny, GError **error)
{
    g_autoptr(MfSplatPolicy) self = g_new0(MfSplatPolicy, 1);

    self->rule = rule;
    self->allow = g_ptr_array_new_with_free_func(free_pattern);
    self->deny = g_ptr_array_new_with_free_func(free_pattern);
    if (!read_patterns(self->allow, allow, error) || !read_patterns(self->deny, deny, error))
        return NULL;
    return g_steal_pointer(&self);
}

void
mf_splat_policy_free(MfSplatPolicy *self)
{
    if (!self)
        return;
    g_ptr_array_unref(self->allow);
    g_ptr_array_unref(self->deny);
    g_free(self);
}

static gboolean
fits_any(const GPtrArray *patterns, const char *title)
{
    for (guint i = 0; i < patterns->len; i++)
        if (regexec(g_ptr_array_index(patterns, i), title, 0, NULL, 0) == 0)
            return TRUE;
    return FALSE;
}

static MfSplatRule
get_default_rule(MfSplatKind kind)
{
    switch (kind) {
    case MF_SPLAT_WARNING:
    case MF_SPLAT_OOM:
    case MF_SPLAT_RCU_STALL:
    case MF_SPLAT_SOFT_LOCKUP:
    case MF_SPLAT_HUNG_TASK:
        return MF_SPLAT_RULE_WARN;
    default:
        return MF_SPLAT_RULE_FAIL;
    }
}

MfSplatRule
mf_splat_policy_judge(const MfSplatPolicy *self, const MfSplat *splat)
{
    if (self && fits_any(self->deny, splat->title))
        return MF_SPLAT_RULE_FAIL;
    if (self && fits_any(self->allow, splat->title))
        return MF_SPLAT_RULE_IGNORE;
    return self && self->rule != MF_SPLAT_RULE_DEFAULT ? self->rule : get_default_rule(splat->kind);
}

/* Whether a kernel that is broken explains the verdict better than what it is now. */
static gboolean
is_overruled(MfVerdict verdict)
{
    return verdict != MF_VERDICT_CRASHED && verdict != MF_VERDICT_CONFIG &&
           verdict != MF_VERDICT_CANCELLED;
}

static void
fail(MfResult *result, const MfSplat *splat)
{
    g_autofree char *before = g_steal_pointer(&result->message);

    result->verdict = MF_VERDICT_CRASHED;
    result->passed = FALSE;
    result->message = g_strdup_printf("The guest's kernel says that it is broken: %s%s%s",
                                      splat->title, before ? "\n" : "", before ? before : "");
}

void
mf_splat_policy_apply(const MfSplatPolicy *self, GPtrArray *splats, MfResult *result)
{
    g_autoptr(GPtrArray) all = splats;

    while (all->len > 0) {
        MfSplat *splat = g_ptr_array_steal_index(all, 0);
        MfSplatRule rule = mf_splat_policy_judge(self, splat);

        if (rule == MF_SPLAT_RULE_IGNORE) {
            mf_splat_free(splat);
            continue;
        }
        splat->fails = rule == MF_SPLAT_RULE_FAIL;
        g_ptr_array_add(result->splats, splat);
        if (splat->fails && is_overruled(result->verdict))
            fail(result, splat);
        else if (!splat->fails)
            g_ptr_array_add(result->notes,
                            g_strdup_printf("The guest's kernel warned: %s", splat->title));
    }
}
