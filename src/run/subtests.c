/* SPDX-License-Identifier: Apache-2.0 */
#include "run/subtests.h"

#include <string.h>

#include "base/plain-text.h"

/* How many failures a sentence names. */
#define NAMED_MAX 5

const char *
mf_subtest_status_name(MfSubtestStatus status)
{
    static const char *const names[] = {"pass", "fail", "skip", "todo"};

    G_STATIC_ASSERT(G_N_ELEMENTS(names) == MF_N_SUBTEST_STATUSES);
    return names[status];
}

static void
subtest_free(gpointer data)
{
    MfSubtest *test = data;

    g_free(test->name);
    g_free(test->message);
    g_free(test);
}

MfSubtests *
mf_subtests_new(void)
{
    MfSubtests *self = g_new0(MfSubtests, 1);

    self->tests = g_ptr_array_new_with_free_func(subtest_free);
    self->problems = g_ptr_array_new_with_free_func(g_free);
    return self;
}

void
mf_subtests_free(MfSubtests *self)
{
    if (!self)
        return;
    g_ptr_array_unref(self->tests);
    g_ptr_array_unref(self->problems);
    g_free(self);
}

/* Fit to be shown, without newlines and tabs where it has to be one line. Where nothing is left of
 * it, a copy of 'fallback'. */
static char *
make_plain(const char *text, gsize max, gboolean lines, const char *fallback)
{
    g_autofree char *plain = mf_plain_text(text, strlen(text));

    if (!lines)
        g_strdelimit(plain, "\n\t", ' ');
    g_strstrip(plain);
    mf_plain_cut(plain, max);
    return *plain ? g_steal_pointer(&plain) : g_strdup(fallback);
}

/* Takes 'test'. */
static void
keep(MfSubtests *self, MfSubtest *test)
{
    gsize size = strlen(test->name) + (test->message ? strlen(test->message) : 0);

    if (self->tests->len >= MF_SUBTESTS_MAX || self->bytes + size > MF_SUBTESTS_BYTES_MAX) {
        subtest_free(test);
        return;
    }
    self->bytes += size;
    g_ptr_array_add(self->tests, test);
}

void
mf_subtests_add(MfSubtests *self, MfSubtestStatus status, const char *name, const char *message)
{
    MfSubtest *test = g_new0(MfSubtest, 1);

    test->status = status;
    test->name = make_plain(name, MF_SUBTEST_NAME_MAX, FALSE, "(without a name)");
    test->message = make_plain(message ? message : "", MF_SUBTEST_MESSAGE_MAX, TRUE, NULL);
    self->counts[status]++;
    keep(self, test);
}

void
mf_subtests_complain(MfSubtests *self, const char *format, ...)
{
    va_list arguments;

    if (self->problems->len >= MF_SUBTESTS_PROBLEM_MAX)
        return;
    va_start(arguments, format);
    g_autofree char *sentence = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_ptr_array_add(self->problems, make_plain(sentence, MF_SUBTEST_MESSAGE_MAX, FALSE, ""));
}

static void
prepend_name(MfSubtest *test, const char *name)
{
    char *whole = g_strconcat(name, MF_SUBTEST_SEPARATOR, test->name, NULL);

    mf_plain_cut(whole, MF_SUBTEST_NAME_MAX);
    g_free(test->name);
    test->name = whole;
}

void
mf_subtests_merge(MfSubtests *self, MfSubtests *from, const char *name)
{
    g_autoptr(GPtrArray) tests = g_steal_pointer(&from->tests);
    g_autofree char *plain = name ? make_plain(name, MF_SUBTEST_NAME_MAX, FALSE, NULL) : NULL;

    g_ptr_array_set_free_func(tests, NULL);
    for (guint i = 0; i < tests->len; i++) {
        MfSubtest *test = tests->pdata[i];

        if (plain)
            prepend_name(test, plain);
        keep(self, test);
    }
    for (int status = 0; status < MF_N_SUBTEST_STATUSES; status++)
        self->counts[status] += from->counts[status];
    for (guint i = 0; i < from->problems->len; i++)
        mf_subtests_complain(self, "%s", (const char *)from->problems->pdata[i]);

    from->tests = g_ptr_array_new_with_free_func(subtest_free);
    g_ptr_array_set_size(from->problems, 0);
    memset(from->counts, 0, sizeof(from->counts));
    from->bytes = 0;
}

void
mf_subtests_excuse(MfSubtests *self)
{
    for (guint i = 0; i < self->tests->len; i++) {
        MfSubtest *test = self->tests->pdata[i];

        if (test->status == MF_SUBTEST_FAIL)
            test->status = MF_SUBTEST_TODO;
    }
    self->counts[MF_SUBTEST_TODO] += self->counts[MF_SUBTEST_FAIL];
    self->counts[MF_SUBTEST_FAIL] = 0;
}

guint
mf_subtests_get_total(const MfSubtests *self)
{
    guint total = 0;

    for (int status = 0; status < MF_N_SUBTEST_STATUSES; status++)
        total += self->counts[status];
    return total;
}

static void
append_failures(GString *to, const MfSubtests *self)
{
    guint failed = self->counts[MF_SUBTEST_FAIL];
    guint total = mf_subtests_get_total(self);
    guint named = 0;

    g_string_append_printf(to, "%u of %u sub-test%s failed", failed, total, total == 1 ? "" : "s");
    for (guint i = 0; i < self->tests->len && named < NAMED_MAX; i++) {
        const MfSubtest *test = self->tests->pdata[i];

        if (test->status == MF_SUBTEST_FAIL)
            g_string_append_printf(to, "%s '%s'", named++ ? "," : ":", test->name);
    }
    if (named > 0 && failed > named)
        g_string_append_printf(to, " and %u more", failed - named);
    g_string_append_c(to, '.');
}

char *
mf_subtests_explain(const MfSubtests *self)
{
    GString *sentences = g_string_new(NULL);

    if (self->counts[MF_SUBTEST_FAIL] > 0)
        append_failures(sentences, self);
    for (guint i = 0; i < self->problems->len; i++)
        g_string_append_printf(sentences, "%s%s", sentences->len > 0 ? " " : "",
                               (const char *)self->problems->pdata[i]);
    return g_string_free(sentences, sentences->len == 0);
}
