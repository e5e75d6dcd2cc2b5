/* SPDX-License-Identifier: Apache-2.0 */
#include "report/list.h"

#include <json.h>
#include <string.h>

#include "case-fixture.h"
#include "suite/select.h"

static GPtrArray *
two_cases(void)
{
    GPtrArray *cases = case_array_new();
    MfCase *first = case_array_add(cases, "net [kernel=6.1]", "ci quick");
    MfCase *second = case_array_add(cases, "say \"\\\"\n", "");

    first->target->kernel = g_strdup("/boot/vmlinuz-6.1");
    first->target->arch = MF_ARCH_AARCH64;
    second->target->image = g_strdup("/images/\xff.qcow2");
    second->target->arch = MF_ARCH_X86_64;
    second->skip_reason = g_strdup("There is no 'docker' here.");
    return cases;
}

static void
test_text_is_a_name_a_line_and_why_a_case_is_skipped(void)
{
    g_autoptr(GPtrArray) cases = case_array_new(), none = case_array_new();

    case_array_add(cases, "net [kernel=6.1]", "ci");
    case_array_add(cases, "boot", "")->skip_reason = g_strdup("There is no 'docker' here.");

    g_autofree char *text = mf_list_text(cases), *empty = mf_list_text(none);
    g_assert_cmpstr(text, ==, "net [kernel=6.1]\nboot\tskipped: There is no 'docker' here.\n");
    g_assert_cmpstr(empty, ==, "");
}

static const char *
member(json_object *object, const char *key)
{
    json_object *value = NULL;

    g_assert_true(json_object_object_get_ex(object, key, &value));
    return json_object_get_string(value);
}

static void
test_json_has_every_case_with_all_its_members(void)
{
    g_autoptr(GPtrArray) cases = two_cases();
    g_autofree char *text = mf_list_json(cases);
    json_object *array = json_tokener_parse(text);

    g_assert_cmpuint(json_object_array_length(array), ==, 2);
    json_object *first = json_object_array_get_idx(array, 0);
    g_assert_cmpint(json_object_object_length(first), ==, 9);
    g_assert_cmpstr(member(first, "name"), ==, "net [kernel=6.1]");
    g_assert_true(g_str_has_prefix(member(first, "id"), "net-kernel-6.1-"));
    g_assert_cmpstr(member(first, "tags"), ==, "[ \"ci\", \"quick\" ]");
    g_assert_cmpstr(member(first, "file"), ==, "mayfly.toml");
    g_assert_cmpstr(member(first, "line"), ==, "1");
    g_assert_cmpstr(member(first, "kernel"), ==, "/boot/vmlinuz-6.1");
    g_assert_cmpstr(member(first, "arch"), ==, "aarch64");
    g_assert_null(member(first, "image"));
    g_assert_null(member(first, "skip_reason"));

    json_object *second = json_object_array_get_idx(array, 1);
    g_assert_cmpstr(member(second, "name"), ==, "say \"\\\"\n");
    g_assert_cmpstr(member(second, "tags"), ==, "[ ]");
    g_assert_cmpstr(member(second, "image"), ==, "/images/\xef\xbf\xbd.qcow2");
    g_assert_cmpstr(member(second, "skip_reason"), ==, "There is no 'docker' here.");
    json_object_put(array);
}

static void
test_github_matrix_is_one_line_with_a_filter_that_selects_that_case(void)
{
    g_autoptr(GPtrArray) cases = two_cases();
    g_autofree char *text = mf_list_github(cases);
    json_object *matrix = json_tokener_parse(text), *include = NULL;

    g_assert_true(strchr(text, '\n') == text + strlen(text) - 1);
    g_assert_cmpint(json_object_object_length(matrix), ==, 1);
    g_assert_true(json_object_object_get_ex(matrix, "include", &include));
    g_assert_cmpuint(json_object_array_length(include), ==, cases->len);
    for (guint i = 0; i < cases->len; i++) {
        MfCase *the_case = cases->pdata[i];
        json_object *job = json_object_array_get_idx(include, i);
        g_autoptr(GPtrArray) found =
            mf_select_cases(cases, &((MfSelection){.filter = member(job, "filter")}), NULL);

        g_assert_cmpstr(member(job, "name"), ==, the_case->name);
        g_assert_cmpstr(member(job, "id"), ==, the_case->id);
        g_assert_cmpuint(found->len, ==, 1);
        g_assert_true(found->pdata[0] == the_case);
    }
    g_assert_cmpstr(member(json_object_array_get_idx(include, 0), "kernel"), ==,
                    "/boot/vmlinuz-6.1");
    g_assert_cmpstr(member(json_object_array_get_idx(include, 0), "arch"), ==, "aarch64");
    g_assert_cmpstr(member(json_object_array_get_idx(include, 1), "kernel"), ==, "");
    json_object_put(matrix);
}

static void
test_github_matrix_of_no_cases_is_empty_and_valid(void)
{
    g_autoptr(GPtrArray) none = case_array_new();
    g_autofree char *text = mf_list_github(none), *json = mf_list_json(none);

    g_assert_cmpstr(text, ==, "{\"include\":[]}\n");
    g_assert_cmpstr(json, ==, "[\n]\n");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/list/text-is-a-name-a-line-and-why-a-case-is-skipped",
                    test_text_is_a_name_a_line_and_why_a_case_is_skipped);
    g_test_add_func("/list/json-has-every-case-with-all-its-members",
                    test_json_has_every_case_with_all_its_members);
    g_test_add_func("/list/github-matrix-is-one-line-with-a-filter-that-selects-that-case",
                    test_github_matrix_is_one_line_with_a_filter_that_selects_that_case);
    g_test_add_func("/list/github-matrix-of-no-cases-is-empty-and-valid",
                    test_github_matrix_of_no_cases_is_empty_and_valid);
    return g_test_run();
}
