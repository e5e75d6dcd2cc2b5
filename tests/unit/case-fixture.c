/* SPDX-License-Identifier: Apache-2.0 */
#include "case-fixture.h"

GPtrArray *
case_array_new(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)mf_case_free);
}

MfCase *
case_array_add(GPtrArray *cases, const char *name, const char *tags)
{
    MfCase *the_case = g_new0(MfCase, 1);

    the_case->name = g_strdup(name);
    the_case->id = mf_case_make_id(name);
    the_case->tags = *tags ? g_strsplit(tags, " ", 0) : NULL;
    the_case->target = mf_target_new();
    the_case->file = g_strdup("mayfly.toml");
    the_case->line = cases->len + 1;
    g_ptr_array_add(cases, the_case);
    return the_case;
}
