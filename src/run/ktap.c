/* SPDX-License-Identifier: Apache-2.0 */
#include "run/ktap.h"

#include <string.h>

#include "run/marks.h"

/* Of a diagnosis so much is kept, or up to half as much more: a reason fits ahead of it. */
#define DIAGNOSIS_MAX (MF_SUBTEST_MESSAGE_MAX / 2)

/* The tests of one indentation. */
typedef struct {
    guint indent;
    char *subject;     /* owned; what "# Subtest:" calls it; or NULL */
    gint64 plan;       /* -1: none yet */
    guint64 told;      /* test lines */
    MfSubtests *found; /* owned; what they and those in them came to */
} Level;

/* A test line: what is known of it so far. */
typedef struct {
    gboolean there;
    guint indent;
    char *name; /* owned */
    MfSubtestStatus status;
    MfSubtests *nested; /* owned; what was told in it; or NULL */
} Point;

struct _MfKtap {
    MfKtapDialect dialect;
    MfSubtests *to;     /* borrowed */
    GPtrArray *levels;  /* owned; of Level, the outermost first */
    Point point;        /* the last one: more of its diagnosis may come */
    GString *diagnosis; /* owned; of 'point' in TAP, of the next one in KTAP; the end of it */
    char *announced;    /* owned; "# Subtest:" of a level that has not begun; or NULL */
    gboolean in_yaml;
    gboolean any; /* a version, a plan or a test was seen */
};

/* A line without what precedes its content. */
typedef struct {
    guint indent;
    const char *text;
} Content;

static void
level_free(gpointer data)
{
    Level *level = data;

    g_free(level->subject);
    mf_subtests_free(level->found);
    g_free(level);
}

MfKtap *
mf_ktap_new(MfKtapDialect dialect, MfSubtests *to)
{
    MfKtap *self = g_new0(MfKtap, 1);

    self->dialect = dialect;
    self->to = to;
    self->levels = g_ptr_array_new_with_free_func(level_free);
    self->diagnosis = g_string_new(NULL);
    return self;
}

void
mf_ktap_free(MfKtap *self)
{
    if (!self)
        return;
    g_ptr_array_unref(self->levels);
    g_free(self->point.name);
    mf_subtests_free(self->point.nested);
    g_string_free(self->diagnosis, TRUE);
    g_free(self->announced);
    g_free(self);
}

/*
 * Words
 */

static gboolean
skip_word(const char **at, const char *word)
{
    gsize length = strlen(word);

    if (strncmp(*at, word, length) != 0)
        return FALSE;
    *at += length;
    return TRUE;
}

static void
skip_spaces(const char **at)
{
    while (g_ascii_isspace(**at))
        ++*at;
}

/* A number, which saturates; FALSE when there is none. */
static gboolean
skip_number(const char **at, gint64 *ret_number)
{
    char *end;

    if (!g_ascii_isdigit(**at))
        return FALSE;
    *ret_number = (gint64)MIN(g_ascii_strtoull(*at, &end, 10), (guint64)G_MAXINT64);
    *at = end;
    return TRUE;
}

static gboolean
is_version(const char *text)
{
    return g_str_has_prefix(text, "TAP version ") || g_str_has_prefix(text, "KTAP version ");
}

static gboolean
read_plan(const char *text, gint64 *ret_plan)
{
    if (!skip_word(&text, "1..") || !skip_number(&text, ret_plan))
        return FALSE;
    skip_spaces(&text);
    return *text == '\0' || *text == '#';
}

/* "ok" or "not ok", a number, and what is behind it; the number is -1 where TAP has none. */
static gboolean
read_point(const MfKtap *self, const char *text, gboolean *ret_good, gint64 *ret_number,
           const char **ret_rest)
{
    const char *at = text;

    *ret_good = !skip_word(&at, "not ");
    *ret_number = -1;
    if (!skip_word(&at, "ok") || (*at != '\0' && *at != ' '))
        return FALSE;
    skip_spaces(&at);

    const char *number = at;
    if (skip_number(&at, ret_number) && *at != '\0' && *at != ' ') {
        at = number;
        *ret_number = -1;
    }
    *ret_rest = at;
    return *ret_number >= 0 || self->dialect == MF_KTAP_DIALECT_TAP;
}

static gboolean
is_test_line(const MfKtap *self, const char *text)
{
    gboolean good;
    gint64 number;
    const char *rest;

    return is_version(text) || read_plan(text, &number) ||
           read_point(self, text, &good, &number, &rest);
}

/* The kernel's time, the level ahead of it and the caller behind it: "<6>[    1.234567][   T12] ".
 */
static const char *
skip_log_prefix(const char *line)
{
    const char *at = line;
    const char *text;

    if (*at == '<' && g_ascii_isdigit(at[1]))
        at += strspn(at + 1, "0123456789") + 1;
    if (*at == '>')
        at++;
    if (mf_marks_read_stamp(at, at + strlen(at), &text) < 0)
        return line;

    const char *caller = text + (*text == '[' ? 1 : 0);
    caller += strspn(caller, " ");
    if (*text == '[' && (*caller == 'T' || *caller == 'C') && g_ascii_isdigit(caller[1])) {
        caller += 1 + strspn(caller + 1, "0123456789");
        if (*caller == ']')
            text = caller[1] == ' ' ? caller + 2 : caller + 1;
    }
    return text;
}

/* Where the content begins. What kselftest puts "# " ahead of is content if it is a test line. */
static Content
read_content(const MfKtap *self, const char *line)
{
    const char *start = self->dialect == MF_KTAP_DIALECT_KTAP ? skip_log_prefix(line) : line;
    const char *outer = start + strspn(start, " ");
    const char *inner = outer + strspn(outer, "# ");

    if (self->dialect == MF_KTAP_DIALECT_KTAP && is_test_line(self, inner))
        outer = inner;
    return (Content){(guint)MIN(outer - start, G_MAXINT), outer};
}

/*
 * Levels
 */

static Level *
get_innermost(const MfKtap *self)
{
    return self->levels->len > 0 ? self->levels->pdata[self->levels->len - 1] : NULL;
}

static void
complain_of_plan(const Level *level, const char *name)
{
    if (level->plan >= 0 && (guint64)level->plan != level->told && name)
        mf_subtests_complain(level->found,
                             "'%s' promised %" G_GINT64_FORMAT
                             " sub-tests and told of %" G_GUINT64_FORMAT ".",
                             name, level->plan, level->told);
    else if (level->plan >= 0 && (guint64)level->plan != level->told)
        mf_subtests_complain(level->found,
                             "The plan promised %" G_GINT64_FORMAT
                             " sub-tests, and %" G_GUINT64_FORMAT " were told of.",
                             level->plan, level->told);
}

/* The last test line is complete: nothing of it comes any more. */
static void
settle_point(MfKtap *self)
{
    Point *point = &self->point;
    Level *level = get_innermost(self);
    const char *message = self->diagnosis->str;
    gboolean bad = point->status == MF_SUBTEST_FAIL;

    if (!point->there)
        return;
    if (point->nested && point->status == MF_SUBTEST_TODO)
        mf_subtests_excuse(point->nested);
    if (!point->nested || mf_subtests_get_total(point->nested) == 0 ||
        (bad && point->nested->counts[MF_SUBTEST_FAIL] == 0))
        mf_subtests_add(level->found, point->status, point->name,
                        point->status == MF_SUBTEST_PASS ? NULL : message);
    if (point->nested)
        mf_subtests_merge(level->found, point->nested, point->name);
    if (self->levels->len == 1)
        mf_subtests_merge(self->to, level->found, NULL);

    point->there = FALSE;
    g_clear_pointer(&point->name, g_free);
    g_clear_pointer(&point->nested, mf_subtests_free);
    g_string_truncate(self->diagnosis, 0);
}

/* Ends the innermost level, which is that of 'name' (or of nobody knows what: NULL). Returns what
 * was found in it, owned by the caller. */
static MfSubtests *
close_level(MfKtap *self, const char *name)
{
    settle_point(self);

    Level *level = get_innermost(self);
    const char *known = name ? name : level->subject;
    MfSubtests *found;

    complain_of_plan(level, known);
    if (self->levels->len == 1 && self->dialect == MF_KTAP_DIALECT_TAP && level->plan < 0 &&
        level->told > 0)
        mf_subtests_complain(level->found, "The sub-tests have no plan, so that nobody knows "
                                           "whether all of them have run.");
    found = g_steal_pointer(&level->found);
    g_ptr_array_set_size(self->levels, (gint)self->levels->len - 1);
    return found;
}

/* Ends the innermost level without a test line that it belongs to. */
static void
abandon_level(MfKtap *self)
{
    g_autofree char *subject = g_strdup(get_innermost(self)->subject);
    g_autoptr(MfSubtests) found = close_level(self, NULL);
    Level *outer = get_innermost(self);

    mf_subtests_merge(outer ? outer->found : self->to, found, outer ? subject : NULL);
}

static Level *
push_level(MfKtap *self, guint indent)
{
    Level *level = g_new0(Level, 1);

    settle_point(self);
    level->indent = indent;
    level->subject = g_steal_pointer(&self->announced);
    level->plan = -1;
    level->found = mf_subtests_new();
    g_ptr_array_add(self->levels, level);
    return level;
}

/* The level of that indentation, after those in it have ended; NULL where it would be too deep. The
 * outermost one is always that without indentation, whose lines may be missing. */
static Level *
find_level(MfKtap *self, guint indent)
{
    Level *level = get_innermost(self);

    if (!level)
        level = push_level(self, 0);
    while (level->indent > indent) {
        abandon_level(self);
        level = get_innermost(self);
    }
    if (level->indent == indent)
        return level;
    return self->levels->len < MF_KTAP_DEPTH_MAX ? push_level(self, indent) : NULL;
}

/*
 * Lines
 */

/* Adds a line to the diagnosis, of which the end is kept. */
static void
diagnose(MfKtap *self, const char *text)
{
    GString *diagnosis = self->diagnosis;

    g_string_append_printf(diagnosis, "%s%s", diagnosis->len > 0 ? "\n" : "", text);
    if (diagnosis->len > DIAGNOSIS_MAX + DIAGNOSIS_MAX / 2) {
        const char *end = diagnosis->str + diagnosis->len - DIAGNOSIS_MAX;

        g_string_erase(diagnosis, 0, g_utf8_find_next_char(end, NULL) - diagnosis->str);
    }
}

static void
take_version(MfKtap *self, guint indent)
{
    Level *level = get_innermost(self);

    /* Another one of the same kind begins: the last is over, whether it was complete or not. */
    while (level && level->indent >= indent) {
        abandon_level(self);
        level = get_innermost(self);
    }
    find_level(self, indent);
    g_string_truncate(self->diagnosis, 0);
}

static void
take_plan(MfKtap *self, guint indent, gint64 plan)
{
    Level *level = find_level(self, indent);

    if (level && level->plan < 0)
        level->plan = plan;
    else if (level)
        mf_subtests_complain(level->found, "There are two plans for the same sub-tests.");
}

/* What a '#' in the line of a test begins; NULL when that is a part of its name. */
static const char *
find_directive(const MfKtap *self, const char *text)
{
    for (const char *at = text; *at; at++) {
        if (*at == '\\' && at[1]) {
            at++;
            continue;
        }
        if (*at != '#' || (at > text && at[-1] != ' '))
            continue;

        const char *word = at + 1;
        skip_spaces(&word);
        if (g_ascii_strncasecmp(word, "skip", 4) == 0 || g_ascii_strncasecmp(word, "todo", 4) == 0)
            return at;
        if (self->dialect == MF_KTAP_DIALECT_KTAP && at[1] == ' ')
            return at;
    }
    return NULL;
}

/* The status, and where the reason of a directive begins: 'directive' begins with its word. */
static MfSubtestStatus
judge_point(const MfKtap *self, gboolean good, const char *directive, const char **ret_reason)
{
    gboolean ktap = self->dialect == MF_KTAP_DIALECT_KTAP;
    gsize length = strcspn(directive, " \t");

    *ret_reason = directive + length;
    skip_spaces(ret_reason);
    if (g_ascii_strncasecmp(directive, "skip", 4) == 0 && (good || ktap))
        return MF_SUBTEST_SKIP;
    if ((length == 4 && g_ascii_strncasecmp(directive, "todo", 4) == 0) ||
        (ktap && length == 5 && strncmp(directive, "XFAIL", 5) == 0))
        return MF_SUBTEST_TODO;
    *ret_reason = directive;
    return good ? MF_SUBTEST_PASS : MF_SUBTEST_FAIL;
}

/* The name without the dash ahead of it and TAP 14's escapes. Owned by the caller. */
static char *
read_name(const char *text, const char *end, gint64 number)
{
    GString *name = g_string_new(NULL);

    skip_spaces(&text);
    if (text < end && *text == '-')
        text++;
    for (const char *at = text; at < end; at++) {
        if (*at == '\\' && (at[1] == '#' || at[1] == '\\') && at + 1 < end)
            at++;
        g_string_append_c(name, *at);
    }
    g_strstrip(name->str);
    if (*name->str == '\0')
        g_string_printf(name, "test %" G_GINT64_FORMAT, number);
    return g_string_free(name, FALSE);
}

static void
check_number(const MfKtap *self, Level *level, gint64 number)
{
    if (self->dialect == MF_KTAP_DIALECT_TAP && number >= 0 && (guint64)number != level->told)
        mf_subtests_complain(level->found,
                             "Sub-test %" G_GINT64_FORMAT " came where %" G_GUINT64_FORMAT
                             " was to come.",
                             number, level->told);
}

/* The number of the next test of that indentation, which need not say it itself. */
static gint64
get_next_number(const MfKtap *self, guint indent)
{
    for (guint i = self->levels->len; i > 0; i--) {
        const Level *level = self->levels->pdata[i - 1];

        if (level->indent == indent)
            return (gint64)level->told + 1;
    }
    return 1;
}

/* What was told in the test that 'name' and 'indent' are of: of the levels in its own. */
static MfSubtests *
take_nested(MfKtap *self, guint indent, const char *name)
{
    Level *level = get_innermost(self);
    Level *outer = self->levels->len > 1 ? self->levels->pdata[self->levels->len - 2] : NULL;

    while (outer && outer->indent > indent) {
        abandon_level(self);
        level = get_innermost(self);
        outer = self->levels->len > 1 ? self->levels->pdata[self->levels->len - 2] : NULL;
    }
    return outer && level->indent > indent ? close_level(self, name) : NULL;
}

static void
take_point(MfKtap *self, guint indent, gboolean good, gint64 number, const char *rest)
{
    const char *directive = find_directive(self, rest);
    const char *end = directive ? directive : rest + strlen(rest);
    const char *word = directive ? directive + strspn(directive, "# ") : end;
    g_autofree char *name =
        read_name(rest, end, number >= 0 ? number : get_next_number(self, indent));
    g_autofree char *told = NULL;
    const char *reason;

    /* In KTAP what precedes it is its diagnosis, unless that is of the line before. */
    if (self->dialect == MF_KTAP_DIALECT_KTAP && !self->point.there)
        told = g_strdup(self->diagnosis->str);
    settle_point(self);

    MfSubtests *nested = take_nested(self, indent, name);
    Level *level = find_level(self, indent);
    if (!level) {
        mf_subtests_free(nested);
        return;
    }
    level->told++;
    check_number(self, level, number);
    self->point.status = judge_point(self, good, word, &reason);
    self->point.there = TRUE;
    self->point.indent = indent;
    self->point.nested = nested;
    self->point.name = g_steal_pointer(&name);
    g_string_assign(self->diagnosis, reason);
    if (told && *told && self->point.status == MF_SUBTEST_FAIL)
        diagnose(self, told);
    if (self->dialect == MF_KTAP_DIALECT_KTAP)
        settle_point(self);
}

/* A "# Subtest: name" stands in the level that it names, or just ahead of it. */
static void
take_subject(MfKtap *self, guint indent, const char *name)
{
    const Level *innermost = get_innermost(self);
    gboolean ahead = innermost && indent <= innermost->indent && innermost->told > 0;

    if (ahead || indent == 0) {
        g_free(self->announced);
        self->announced = g_strdup(name);
        return;
    }

    Level *level = find_level(self, indent);
    if (!level)
        return;
    g_free(level->subject);
    level->subject = g_strdup(name);
    g_string_truncate(self->diagnosis, 0);
}

/* What the kernel's tests say of themselves, which explains no failure. */
static gboolean
is_statistics(const char *remark)
{
    return g_str_has_prefix(remark, "module: ") || g_str_has_prefix(remark, "Totals: ") ||
           strstr(remark, ": pass:");
}

static void
take_remark(MfKtap *self, guint indent, const char *text)
{
    const char *remark = text + strspn(text, "# ");
    gboolean wanted = self->dialect == MF_KTAP_DIALECT_KTAP || self->point.there;

    if (g_str_has_prefix(remark, "Subtest: "))
        take_subject(self, indent, remark + strlen("Subtest: "));
    else if (wanted && !is_statistics(remark))
        diagnose(self, remark);
}

/* Of the YAML behind a test only its message is of use. Returns FALSE when it is over, and the line
 * is none of it. */
static gboolean
take_yaml(MfKtap *self, Content content)
{
    const char *value = content.text;

    if (*value && content.indent <= self->point.indent) {
        self->in_yaml = FALSE;
        return FALSE;
    }
    if (g_str_has_prefix(value, "...")) {
        self->in_yaml = FALSE;
    } else if (skip_word(&value, "message:")) {
        skip_spaces(&value);
        diagnose(self, value);
    }
    return TRUE;
}

/* What is no line of the protocol: the next line of a diagnosis, or other people's words. */
static void
take_other(MfKtap *self, Content content)
{
    if (self->dialect == MF_KTAP_DIALECT_TAP)
        self->in_yaml = self->point.there && content.indent > self->point.indent &&
                        g_str_has_prefix(content.text, "---");
    else if (content.indent > 0 && self->diagnosis->len > 0)
        diagnose(self, content.text);
}

void
mf_ktap_feed(MfKtap *self, const char *line)
{
    const Content content = read_content(self, line);
    const char *text = content.text;
    gboolean good;
    gint64 number;

    if (self->in_yaml && take_yaml(self, content))
        return;
    self->any |= is_test_line(self, text);
    if (is_version(text)) {
        take_version(self, content.indent);
    } else if (read_plan(text, &number)) {
        take_plan(self, content.indent, number);
    } else if (read_point(self, text, &good, &number, &text)) {
        take_point(self, content.indent, good, number, text);
    } else if (skip_word(&text, "Bail out!")) {
        skip_spaces(&text);
        mf_subtests_complain(self->to, "The sub-tests bailed out%s%s", *text ? ": " : ".", text);
    } else if (*text == '#') {
        take_remark(self, content.indent, text);
    } else if (*text) {
        take_other(self, content);
    }
}

void
mf_ktap_finish(MfKtap *self)
{
    while (self->levels->len > 0)
        abandon_level(self);
    if (!self->any)
        mf_subtests_complain(self->to,
                             "Nothing was said in %s, from which the sub-tests were to "
                             "be read.",
                             self->dialect == MF_KTAP_DIALECT_TAP ? "TAP" : "KTAP");
}
