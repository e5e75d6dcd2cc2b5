/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/layers.h"

#include <string.h>

#include "base/error.h"
#include "suite/origin.h"
#include "suite/toml.h"
#include "wire/json.h"

static json_object *
parse(const char *text)
{
    g_autoptr(GError) error = NULL;
    json_object *tree = mf_toml_parse(text, strlen(text), "m.toml", &error);

    g_assert_no_error(error);
    return tree;
}

static const char *
to_text(json_object *tree)
{
    return json_object_to_json_string_ext(tree,
                                          JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}

/* The targets as JSON, a line each. */
static void
assert_targets(const char *text, const MfLayers *layers, const char *expected)
{
    g_autoptr(json_object) document = parse(text);
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) targets = mf_layers_apply(document, "m.toml", layers, &error);
    g_autoptr(GString) found = g_string_new(NULL);

    g_assert_no_error(error);
    for (guint i = 0; i < targets->len; i++)
        g_string_append_printf(found, "%s%s", i ? "\n" : "", to_text(targets->pdata[i]));
    g_assert_cmpstr(found->str, ==, expected);
}

static void
assert_fails(const char *text, const char *profile, const char *message)
{
    g_autoptr(json_object) document = parse(text);
    g_autoptr(GError) error = NULL;

    g_assert_null(mf_layers_apply(document, "m.toml", &((MfLayers){.profile = profile}), &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_cmpstr(error->message, ==, message);
}

static void
test_tables_merge_and_everything_else_replaces(void)
{
    g_autoptr(json_object) lower =
        parse("a = 1\nlist = [1, 2]\ntext = 'x'\n[t]\na = 1\n[t.u]\nb = 2\nc = 3");
    g_autoptr(json_object) higher =
        parse("list = [3]\ntext = {now = 'a table'}\nnew = true\n[t]\nu = {c = 4, d = 5}\ne = 6");

    mf_layers_merge(lower, higher);
    g_assert_cmpstr(to_text(lower), ==,
                    "{\"a\":1,\"list\":[3],\"text\":{\"now\":\"a table\"},\"t\":{\"a\":1,"
                    "\"u\":{\"b\":2,\"c\":4,\"d\":5},\"e\":6},\"new\":true}");
}

static void
test_merged_values_keep_their_places_and_are_copies(void)
{
    g_autoptr(json_object) lower = parse("t.a = 1\nt.b = 1"), higher = parse("\n\nt.a = 2");
    json_object *table = json_object_object_get(lower, "t");

    mf_layers_merge(lower, higher);
    g_assert_cmpuint(mf_origin_get(json_object_object_get(table, "a"))->line, ==, 3);
    g_assert_cmpuint(mf_origin_get(json_object_object_get(table, "b"))->line, ==, 2);
    g_assert_true(json_object_object_get(table, "a") !=
                  json_object_object_get(json_object_object_get(higher, "t"), "a"));
}

#define DOCUMENT                                                                                   \
    "[[target]]\nname = 'a'\ncpu = 'file'\nvm.memory = '1G'\nvm.num_cpus = 1\n"                    \
    "[[target]]\nname = 'b'\n[profile.ci]\ncpu = 'profile'\nvm.num_cpus = 2\n[profile.empty]\n"

static void
test_every_layer_wins_over_those_below_it_in_every_target(void)
{
    char *const environment[] = {(char *)"MAYFLY_CPU=env", (char *)"MAYFLY_USER=env", NULL};
    const char *const set[] = {"--user", "user='opt'", NULL};
    g_autoptr(json_object) variables = mf_layers_read_environment((char **)environment, "/");
    g_autoptr(json_object) options = mf_layers_read_options(set, "/", NULL);

    assert_targets(DOCUMENT, &((MfLayers){0}),
                   "{\"name\":\"a\",\"cpu\":\"file\",\"vm\":{\"memory\":\"1G\",\"num_cpus\":1}}\n"
                   "{\"name\":\"b\"}");
    assert_targets(DOCUMENT, &((MfLayers){.profile = "ci"}),
                   "{\"name\":\"a\",\"cpu\":\"profile\",\"vm\":{\"memory\":\"1G\","
                   "\"num_cpus\":2}}\n"
                   "{\"name\":\"b\",\"cpu\":\"profile\",\"vm\":{\"num_cpus\":2}}");
    assert_targets(DOCUMENT, &((MfLayers){.profile = "ci", .environment = variables}),
                   "{\"name\":\"a\",\"cpu\":\"env\",\"vm\":{\"memory\":\"1G\",\"num_cpus\":2},"
                   "\"user\":\"env\"}\n"
                   "{\"name\":\"b\",\"cpu\":\"env\",\"vm\":{\"num_cpus\":2},\"user\":\"env\"}");
    assert_targets(DOCUMENT, &((MfLayers){"empty", variables, options}),
                   "{\"name\":\"a\",\"cpu\":\"env\",\"vm\":{\"memory\":\"1G\",\"num_cpus\":1},"
                   "\"user\":\"opt\"}\n"
                   "{\"name\":\"b\",\"cpu\":\"env\",\"user\":\"opt\"}");
}

static void
test_a_later_option_wins_over_an_earlier_one(void)
{
    const char *const set[] = {"--set", "vm={memory = '1G', num_cpus = 1}", "--memory",
                               "vm.memory='2G'", NULL};
    g_autoptr(json_object) options = mf_layers_read_options(set, "/", NULL);

    g_assert_cmpstr(to_text(options), ==, "{\"vm\":{\"memory\":\"2G\",\"num_cpus\":1}}");
}

static void
test_an_option_that_is_wrong_is_the_error(void)
{
    const char *const set[] = {"--set", "cpu='x'", "--set", "what", NULL};
    g_autoptr(GError) error = NULL;

    g_assert_null(mf_layers_read_options(set, "/", &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
}

static void
test_variables_and_matrix_of_the_file_are_below_those_of_a_target(void)
{
    assert_targets("variables = {a = '1', b = '1'}\nmatrix = {kernel = ['x'], arch = ['y']}\n"
                   "[[target]]\nvariables.b = '2'\nmatrix.kernel = []\n[[target]]",
                   &((MfLayers){0}),
                   "{\"variables\":{\"a\":\"1\",\"b\":\"2\"},\"matrix\":{\"kernel\":[],"
                   "\"arch\":[\"y\"]}}\n"
                   "{\"variables\":{\"a\":\"1\",\"b\":\"1\"},\"matrix\":{\"kernel\":[\"x\"],"
                   "\"arch\":[\"y\"]}}");
}

static void
test_a_profile_changes_one_target_by_its_name(void)
{
    assert_targets("[[target]]\nname = 'a'\n[[target]]\nname = 'b'\n[profile.p]\ncpu = 'all'\n"
                   "[[profile.p.target]]\nname = 'b'\ncpu = 'b'\nvm.memory = '2G'",
                   &((MfLayers){.profile = "p"}),
                   "{\"name\":\"a\",\"cpu\":\"all\"}\n"
                   "{\"name\":\"b\",\"cpu\":\"b\",\"vm\":{\"memory\":\"2G\"}}");
}

static void
test_values_of_a_profile_are_known_as_such_at_their_places(void)
{
    g_autoptr(json_object) document = parse("[[target]]\nname = 'a'\n[profile.p]\ntags = ['x']");
    g_autoptr(GPtrArray) targets =
        mf_layers_apply(document, "m.toml", &((MfLayers){.profile = "p"}), NULL);
    json_object *tags = json_object_object_get(targets->pdata[0], "tags");
    const MfOrigin *origin = mf_origin_get(json_object_array_get_idx(tags, 0));

    g_assert_cmpint(mf_origin_get(tags)->kind, ==, MF_ORIGIN_PROFILE);
    g_assert_cmpint(origin->kind, ==, MF_ORIGIN_PROFILE);
    g_assert_cmpuint(origin->line, ==, 4);
    g_assert_cmpint(mf_origin_get(json_object_object_get(targets->pdata[0], "name"))->kind, ==,
                    MF_ORIGIN_FILE);
    g_assert_cmpuint(mf_origin_get(targets->pdata[0])->line, ==, 1);
}

static void
test_a_profile_that_does_not_exist_is_an_error_that_lists_those_that_do(void)
{
    assert_fails(DOCUMENT, "cj",
                 "--profile: 'm.toml' has no profile 'cj'; did you mean 'ci'? (There is 'ci', "
                 "'empty'.)");
    assert_fails(DOCUMENT, "nightly",
                 "--profile: 'm.toml' has no profile 'nightly'. (There is 'ci', 'empty'.)");
    assert_fails("", "ci", "--profile: 'm.toml' has no profile 'ci'. (There is none.)");
}

static void
test_what_should_be_a_table_and_is_none_is_an_error_at_its_place(void)
{
    const struct {
        const char *text, *message;
    } wrong[] = {
        {"profile = 5", "m.toml:1:11: The profiles are not tables: write [profile.NAME]."},
        {"profile.p = 5", "m.toml:1:13: The profile 'p' is not a table: write [profile.p]."},
        {"target = [1]\n[profile.p]", "m.toml:1:11: A target is a table: write [[target]]."},
        {"[target]\nname = 'a'\n[profile.p]",
         "m.toml:1:1: The targets are not an array of tables: write [[target]]."},
        {"profile.p.target = 5", "m.toml:1:20: A profile's target is not an array of tables: write "
                                 "[[profile.NAME.target]]."},
        {"[[profile.p.target]]\ncpu = 'x'",
         "m.toml:1:1: A profile's target needs the name of the target that it changes."},
        {"profile.p.target = [4]", "m.toml:1:21: A profile's target needs the name of the target "
                                   "that it changes."},
        {"[[target]]\nname = 'net'\n[[profile.p.target]]\nname = 'nett'",
         "m.toml:4:8: There is no target 'nett'; did you mean 'net'? (There is 'net'.)"},
        {"[profile.p]\nname = 'x'", "m.toml:2:8: A profile cannot give all targets one name."},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++)
        assert_fails(wrong[i].text, "p", wrong[i].message);
}

static void
test_a_profile_that_is_not_asked_for_has_to_be_right_too(void)
{
    const struct {
        const char *text, *message;
    } wrong[] = {
        {"profile = 5", "m.toml:1:11: The profiles are not tables: write [profile.NAME]."},
        {"profile.p = 5", "m.toml:1:13: The profile 'p' is not a table: write [profile.p]."},
        {"[profile.p]\nname = 'x'", "m.toml:2:8: A profile cannot give all targets one name."},
        {"profile.p.target = 5", "m.toml:1:20: A profile's target is not an array of tables: write "
                                 "[[profile.NAME.target]]."},
        {"[[target]]\nname = 'net'\n[[profile.p.target]]\nname = 'nett'",
         "m.toml:4:8: There is no target 'nett'; did you mean 'net'? (There is 'net'.)"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++)
        assert_fails(wrong[i].text, NULL, wrong[i].message);
}

static void
test_applying_layers_leaves_the_document_as_it_is(void)
{
    g_autoptr(json_object) document = parse(DOCUMENT "[[profile.ci.target]]\nname = 'a'");
    g_autofree char *before = g_strdup(to_text(document));
    g_autoptr(GPtrArray) targets =
        mf_layers_apply(document, "m.toml", &((MfLayers){.profile = "ci"}), NULL);

    g_assert_cmpuint(targets->len, ==, 2);
    g_assert_cmpstr(to_text(document), ==, before);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add_func("/layers/" #name, test_##name)
    ADD(tables_merge_and_everything_else_replaces);
    ADD(merged_values_keep_their_places_and_are_copies);
    ADD(every_layer_wins_over_those_below_it_in_every_target);
    ADD(a_later_option_wins_over_an_earlier_one);
    ADD(an_option_that_is_wrong_is_the_error);
    ADD(variables_and_matrix_of_the_file_are_below_those_of_a_target);
    ADD(a_profile_changes_one_target_by_its_name);
    ADD(values_of_a_profile_are_known_as_such_at_their_places);
    ADD(a_profile_that_does_not_exist_is_an_error_that_lists_those_that_do);
    ADD(what_should_be_a_table_and_is_none_is_an_error_at_its_place);
    ADD(a_profile_that_is_not_asked_for_has_to_be_right_too);
    ADD(applying_layers_leaves_the_document_as_it_is);
    return g_test_run();
}
