/* SPDX-License-Identifier: Apache-2.0 */
#include "report/list.h"

#include "suite/select.h"
#include "wire/json.h"

char *
mf_list_text(const GPtrArray *cases)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < cases->len; i++) {
        const MfCase *the_case = cases->pdata[i];

        g_string_append(text, the_case->name);
        if (the_case->skip_reason)
            g_string_append_printf(text, "\tskipped: %s", the_case->skip_reason);
        g_string_append_c(text, '\n');
    }
    return g_string_free(text, FALSE);
}

static json_object *
tags_to_json(char **tags)
{
    json_object *array = json_object_new_array();

    for (; tags && *tags; tags++)
        json_object_array_add(array, json_object_new_string(*tags));
    return array;
}

static json_object *
case_to_json(const MfCase *the_case)
{
    json_object *object = json_object_new_object();

    json_object_object_add(object, "name", mf_json_new_text(the_case->name));
    json_object_object_add(object, "id", mf_json_new_text(the_case->id));
    json_object_object_add(object, "tags", tags_to_json(the_case->tags));
    json_object_object_add(object, "file", mf_json_new_text(the_case->file));
    json_object_object_add(object, "line", json_object_new_int64(the_case->line));
    json_object_object_add(object, "kernel", mf_json_new_text(the_case->target->kernel));
    json_object_object_add(object, "image", mf_json_new_text(the_case->target->image));
    json_object_object_add(object, "arch", mf_json_new_text(mf_arch_name(the_case->target->arch)));
    json_object_object_add(object, "skip_reason", mf_json_new_text(the_case->skip_reason));
    return object;
}

char *
mf_list_json(const GPtrArray *cases)
{
    g_autoptr(json_object) array = json_object_new_array();

    for (guint i = 0; i < cases->len; i++)
        json_object_array_add(array, case_to_json(cases->pdata[i]));
    return mf_json_to_text(array);
}

char *
mf_list_github(const GPtrArray *cases)
{
    g_autoptr(json_object) matrix = json_object_new_object();
    json_object *include = json_object_new_array();

    json_object_object_add(matrix, "include", include);
    for (guint i = 0; i < cases->len; i++) {
        const MfCase *the_case = cases->pdata[i];
        const MfTarget *target = the_case->target;
        json_object *job = json_object_new_object();
        g_autofree char *filter = mf_select_exact_filter(the_case->name);

        json_object_object_add(job, "name", mf_json_new_text(the_case->name));
        json_object_object_add(job, "id", mf_json_new_text(the_case->id));
        json_object_object_add(job, "filter", mf_json_new_text(filter));
        json_object_object_add(job, "kernel",
                               mf_json_new_text(target->kernel ? target->kernel : ""));
        json_object_object_add(job, "arch", mf_json_new_text(mf_arch_name(target->arch)));
        json_object_array_add(include, job);
    }
    /* In one line: a workflow passes it on as an output of a step. */
    return g_strconcat(json_object_to_json_string_ext(matrix, JSON_C_TO_STRING_PLAIN |
                                                                  JSON_C_TO_STRING_NOSLASHESCAPE),
                       "\n", NULL);
}
