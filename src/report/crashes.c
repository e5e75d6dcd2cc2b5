/* SPDX-License-Identifier: Apache-2.0 */
#include "report/crashes.h"

#include "report/text.h"

static void
crash_free(gpointer data)
{
    MfCrash *self = data;

    g_ptr_array_unref(self->cases);
    g_free(self);
}

static MfCrash *
find_or_add(GPtrArray *crashes, const MfSplat *splat)
{
    for (guint i = 0; i < crashes->len; i++) {
        MfCrash *crash = g_ptr_array_index(crashes, i);

        if (g_str_equal(crash->splat->fingerprint, splat->fingerprint))
            return crash;
    }

    MfCrash *crash = g_new0(MfCrash, 1);
    crash->splat = splat;
    crash->cases = g_ptr_array_new();
    g_ptr_array_add(crashes, crash);
    return crash;
}

static void
add_case(GPtrArray *crashes, MfCase *kase, const MfOutcomeReport *outcome)
{
    for (guint i = 0; i < outcome->result->splats->len; i++) {
        const MfSplat *splat = g_ptr_array_index(outcome->result->splats, i);

        if (!splat->fails)
            continue;
        MfCrash *crash = find_or_add(crashes, splat);
        crash->count += splat->count;
        if (!g_ptr_array_find(crash->cases, kase, NULL))
            g_ptr_array_add(crash->cases, kase);
    }
}

GPtrArray *
mf_crashes_of(const MfEvent *finished)
{
    GPtrArray *crashes = g_ptr_array_new_with_free_func(crash_free);

    for (guint i = 0; i < finished->cases->len; i++) {
        const MfOutcomeReport *outcome = g_ptr_array_index(finished->outcomes, i);

        if (outcome && outcome->result)
            add_case(crashes, g_ptr_array_index(finished->cases, i), outcome);
    }
    return crashes;
}

char *
mf_crashes_describe(const GPtrArray *crashes)
{
    g_autoptr(GHashTable) cases = g_hash_table_new(NULL, NULL);

    if (crashes->len == 0)
        return NULL;
    for (guint i = 0; i < crashes->len; i++) {
        const MfCrash *crash = g_ptr_array_index(crashes, i);

        for (guint j = 0; j < crash->cases->len; j++)
            g_hash_table_add(cases, g_ptr_array_index(crash->cases, j));
    }

    g_autofree char *targets = mf_text_count(g_hash_table_size(cases), "target");
    return g_strdup_printf("%u crash%s in %s", crashes->len, crashes->len == 1 ? "" : "es",
                           targets);
}

char *
mf_crash_describe(const MfCrash *self)
{
    g_autoptr(GString) text = g_string_new(self->splat->title);

    for (guint i = 0; i < self->cases->len; i++) {
        const MfCase *kase = g_ptr_array_index(self->cases, i);

        g_string_append_printf(text, "%s%s", i == 0 ? ": " : ", ", kase->name);
    }
    return mf_text_clean_line(text->str);
}
