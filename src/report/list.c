/* SPDX-License-Identifier: Apache-2.0 */
#include "report/list.h"

#include <json.h>

#include "suite/select.h"

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

/* Paths may be anything, JSON is UTF-8. */
static void
add_text(json_object *object, const char *key, const char *text)
{
    g_autofree char *valid = text ? g_utf8_make_valid(text, -1) : NULL;

    json_object_object_add(object, key, valid ? json_object_new_string(valid) : NULL);
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

    add_text(object, "name", the_case->name);
    add_text(object, "id", the_case->id);
    json_object_object_add(object, "tags", tags_to_json(the_case->tags));
    add_text(object, "file", the_case->file);
    json_object_object_add(object, "line", json_object_new_int64(the_case->line));
    add_text(object, "kernel", the_case->target->kernel);
    add_text(object, "image", the_case->target->image);
    add_text(object, "arch", mf_arch_name(the_case->target->arch));
    add_text(object, "skip_reason", the_case->skip_reason);
    return object;
}

/* Takes 'value'. */
static char *
to_line(json_object *value, int style)
{
    char *text = g_strconcat(
        json_object_to_json_string_ext(value, style | JSON_C_TO_STRING_NOSLASHESCAPE), "\n", NULL);

    json_object_put(value);
    return text;
}

char *
mf_list_json(const GPtrArray *cases)
{
    json_object *array = json_object_new_array();

    for (guint i = 0; i < cases->len; i++)
        json_object_array_add(array, case_to_json(cases->pdata[i]));
    return to_line(array, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
}

char *
mf_list_github(const GPtrArray *cases)
{
    json_object *matrix = json_object_new_object(), *include = json_object_new_array();

    json_object_object_add(matrix, "include", include);
    for (guint i = 0; i < cases->len; i++) {
        const MfCase *the_case = cases->pdata[i];
        const MfTarget *target = the_case->target;
        json_object *job = json_object_new_object();
        g_autofree char *filter = mf_select_exact_filter(the_case->name);

        add_text(job, "name", the_case->name);
        add_text(job, "id", the_case->id);
        add_text(job, "filter", filter);
        add_text(job, "kernel", target->kernel ? target->kernel : "");
        add_text(job, "arch", mf_arch_name(target->arch));
        json_object_array_add(include, job);
    }
    return to_line(matrix, JSON_C_TO_STRING_PLAIN);
}
