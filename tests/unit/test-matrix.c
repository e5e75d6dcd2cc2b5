/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/matrix.h"

#include <glib/gstdio.h>
#include <string.h>

#include "base/error.h"
#include "suite/origin.h"
#include "suite/toml.h"
#include "wire/json.h"

/* The catalog of the tests. */
static char **
list_kernels(gpointer data, GError **error)
{
    if (data) {
        g_set_error(error, MF_ERROR, MF_ERROR_HOST, "There is no catalog.");
        return NULL;
    }
    return g_strsplit("debian/6.1.0-10 debian/6.1.0-9 debian/6.6.2 local/mine", " ", 0);
}

static json_object *
parse(const char *text)
{
    g_autoptr(GError) error = NULL;
    json_object *tree = mf_toml_parse(text, strlen(text), "m.toml", &error);

    g_assert_no_error(error);
    return tree;
}

static GPtrArray *
expand(const char *text, const char *directory)
{
    const MfMatrixSources sources = {directory, list_kernels, NULL};
    g_autoptr(json_object) target = parse(text);
    g_autoptr(GError) error = NULL;
    GPtrArray *trees = mf_matrix_expand(target, &sources, &error);

    g_assert_no_error(error);
    return trees;
}

static const char *
member(json_object *tree, const char *key)
{
    return json_object_get_string(json_object_object_get(tree, key));
}

/* The names of the combinations of 't', what is particular to each, a line each. */
static void
assert_names(const char *text, const char *expected)
{
    g_autofree char *whole = g_strconcat("name = 't'\n", text, NULL);
    g_autoptr(GPtrArray) trees = expand(whole, "/nonexistent");
    g_autoptr(GString) names = g_string_new(NULL);

    for (guint i = 0; i < trees->len; i++)
        g_string_append_printf(names, "%s%s", i ? "\n" : "", member(trees->pdata[i], "name") + 1);
    g_assert_cmpstr(names->str, ==, expected);
}

static void
assert_fails(const char *text, const char *message)
{
    const MfMatrixSources sources = {"/nonexistent", list_kernels, NULL};
    g_autoptr(json_object) target = parse(text);
    g_autoptr(GError) error = NULL;

    g_assert_null(mf_matrix_expand(target, &sources, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_cmpstr(error->message, ==, message);
}

static void
test_a_target_without_a_matrix_is_its_only_combination(void)
{
    assert_names("kernel = '6.1'", "");
    assert_names("matrix = {}", "");
    assert_names("matrix.kernel = []", "");
}

static void
test_every_combination_is_made_the_first_axis_changing_slowest(void)
{
    assert_names("[matrix]\nkernel = ['6.1', '6.6']\narch = ['x', 'y']",
                 " [kernel=6.1, arch=x]\n [kernel=6.1, arch=y]\n"
                 " [kernel=6.6, arch=x]\n [kernel=6.6, arch=y]");
}

static void
test_the_values_are_put_into_their_places_with_the_origin_of_the_matrix(void)
{
    g_autoptr(GPtrArray) trees = expand("name = 't'\nvm.memory = '1G'\nvm.num_cpus = 3\n[matrix]\n"
                                        "vm.memory = ['2G']\n'expect.status' = [4]\ntags = [['a']]",
                                        "/");
    json_object *vm = json_object_object_get(trees->pdata[0], "vm");
    const MfOrigin *origin = mf_origin_get(json_object_object_get(vm, "memory"));

    g_assert_cmpuint(trees->len, ==, 1);
    g_assert_cmpstr(member(trees->pdata[0], "name"), ==,
                    "t [vm.memory=2G, expect.status=4, tags=[\"a\"]]");
    g_assert_cmpstr(member(vm, "memory"), ==, "2G");
    g_assert_cmpstr(member(vm, "num_cpus"), ==, "3");
    g_assert_cmpstr(member(json_object_object_get(trees->pdata[0], "expect"), "status"), ==, "4");
    g_assert_cmpstr(member(trees->pdata[0], "tags"), ==, "[ \"a\" ]");
    g_assert_null(json_object_object_get(trees->pdata[0], "matrix"));
    g_assert_cmpint(origin->kind, ==, MF_ORIGIN_MATRIX);
    g_assert_cmpuint(origin->line, ==, 5);
    g_assert_cmpuint(mf_origin_get(json_object_object_get(trees->pdata[0], "name"))->line, ==, 1);
}

static void
test_an_axis_of_a_variable_gives_it_its_values(void)
{
    g_autoptr(GPtrArray) trees =
        expand("name = 't'\nvariables = {a = '1'}\nmatrix.variables.suite = ['net', 'fs']", "/");

    g_assert_cmpuint(trees->len, ==, 2);
    g_assert_cmpstr(member(trees->pdata[1], "name"), ==, "t [suite=fs]");
    g_assert_cmpstr(member(trees->pdata[1], "variables"), ==,
                    "{ \"a\": \"1\", \"suite\": \"fs\" }");
}

static void
test_the_combinations_share_nothing_with_the_target_or_one_another(void)
{
    g_autoptr(GPtrArray) trees = expand("name = 't'\nmatrix.vm.memory = ['1G', '2G']", "/");
    json_object *first = json_object_object_get(trees->pdata[0], "vm");

    json_object_object_add(first, "memory", json_object_new_string("9G"));
    g_assert_cmpstr(member(json_object_object_get(trees->pdata[1], "vm"), "memory"), ==, "2G");
}

static void
test_a_value_that_is_there_twice_is_run_once(void)
{
    assert_names("matrix.arch = ['x', 'y', 'x']", " [arch=x]\n [arch=y]");
    assert_names("matrix.kernel = ['debian/6.6.2', 'debian/6.6*']", " [kernel=debian/6.6.2]");
}

static void
test_a_name_is_one_line(void)
{
    assert_names("matrix.command = [\"a\\nb\\tc\"]", " [command=a b c]");
}

static void
test_exclude_leaves_out_what_has_all_its_values(void)
{
    const char *const matrix =
        "[matrix]\nkernel = ['6.1', '6.6']\narch = ['x', 'y']\nvm.num_cpus = [1]\n";
    const struct {
        const char *exclude, *expected;
    } cases[] = {
        {"exclude = [{kernel = '6.1', arch = 'x'}]",
         " [kernel=6.1, arch=y, vm.num_cpus=1]\n [kernel=6.6, arch=x, vm.num_cpus=1]\n"
         " [kernel=6.6, arch=y, vm.num_cpus=1]"},
        {"exclude = [{kernel = '6.1'}, {arch = 'y'}]", " [kernel=6.6, arch=x, vm.num_cpus=1]"},
        {"exclude = [{kernel = '6.1', vm.num_cpus = 1}, {kernel = '6.6', arch = 'x'}]",
         " [kernel=6.6, arch=y, vm.num_cpus=1]"},
        {"exclude = [{kernel = '6.*', arch = 'x'}, {kernel = '6.1', vm.num_cpus = '1'}]",
         " [kernel=6.1, arch=y, vm.num_cpus=1]\n [kernel=6.6, arch=y, vm.num_cpus=1]"},
        {"exclude = [{arch = '*', kernel = '6.1'}, {arch = 'y'}]",
         " [kernel=6.1, arch=x, vm.num_cpus=1]\n [kernel=6.6, arch=x, vm.num_cpus=1]"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = g_strconcat(matrix, cases[i].exclude, NULL);

        assert_names(text, cases[i].expected);
    }
}

static void
test_include_adds_to_what_it_agrees_with_and_else_stands_alone(void)
{
    g_autoptr(GPtrArray) trees =
        expand("name = 't'\n[matrix]\nkernel = ['a', 'b']\narch = ['x', 'y']\n"
               "include = [\n"
               "  {user = 'all'},\n"
               "  {arch = 'x', user = 'on-x'},\n"
               "  {kernel = 'b', cpu = 'c'},\n"
               "  {kernel = 'c', cpu = 'd'},\n"
               "  {kernel = 'c', user = 'not-added'},\n"
               "]",
               "/");
    const char *const expected[] = {
        "t [kernel=a, arch=x] on-x (null)", "t [kernel=a, arch=y] all (null)",
        "t [kernel=b, arch=x] on-x c",      "t [kernel=b, arch=y] all c",
        "t [kernel=c, cpu=d] (null) d",     "t [kernel=c, user=not-added] not-added (null)",
    };

    g_assert_cmpuint(trees->len, ==, G_N_ELEMENTS(expected));
    for (guint i = 0; i < trees->len; i++) {
        g_autofree char *found = g_strdup_printf("%s %s %s", member(trees->pdata[i], "name"),
                                                 member(trees->pdata[i], "user") ?: "(null)",
                                                 member(trees->pdata[i], "cpu") ?: "(null)");

        g_assert_cmpstr(found, ==, expected[i]);
    }
}

static void
test_include_is_read_after_exclude(void)
{
    assert_names("[matrix]\nkernel = ['a', 'b']\nexclude = [{kernel = 'a'}]\n"
                 "include = [{kernel = 'a', cpu = 'c'}]",
                 " [kernel=b]\n [kernel=a, cpu=c]");
}

static void
test_include_alone_makes_a_combination_of_each_table(void)
{
    assert_names("[[matrix.include]]\nkernel = 'a'\narch = 'x'\n[[matrix.include]]\nkernel = 'b'\n"
                 "[[matrix.include]]\nkernel = 'b'",
                 " [kernel=a, arch=x]\n [kernel=b]");
}

static void
test_an_axis_taken_away_takes_its_excludes_and_includes_along(void)
{
    assert_names(
        "[matrix]\nkernel = []\narch = ['x', 'y']\nexclude = [{kernel = 'a', arch = 'x'}]\n"
        "include = [{kernel = 'b', cpu = 'c'}]",
        " [arch=x]\n [arch=y]");
}

static void
test_kernel_patterns_match_names_of_the_catalog_in_the_order_of_versions(void)
{
    assert_names("matrix.kernel = ['debian/6.1*', 'local/mine', 'other']",
                 " [kernel=debian/6.1.0-9]\n [kernel=debian/6.1.0-10]\n [kernel=local/mine]\n "
                 "[kernel=other]");
    /* The pattern's star stops at a slash, as the shell's does. */
    assert_fails("name = 't'\nmatrix.kernel = ['deb*']",
                 "m.toml:2:18: The kernel pattern 'deb*' matches no file in '/nonexistent', and no "
                 "kernel that 'mayfly kernel list' shows.");
    /* Only of kernels. */
    assert_names("matrix.cpu = ['debian/6.1*']", " [cpu=debian/6.1*]");
}

static void
test_a_catalog_that_cannot_be_read_is_the_error(void)
{
    const MfMatrixSources sources = {"/nonexistent", list_kernels, (gpointer) ""};
    g_autoptr(json_object) target = parse("name = 't'\nmatrix.kernel = ['x*']");
    g_autoptr(GError) error = NULL;

    g_assert_null(mf_matrix_expand(target, &sources, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_HOST);
}

static void
make_file(const char *directory, const char *name)
{
    g_autofree char *path = g_build_filename(directory, name, NULL);

    g_assert_true(g_file_set_contents(path, "", 0, NULL));
}

static void
test_kernel_patterns_match_files_from_the_config_files_directory(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *top = g_dir_make_tmp("mayfly [x]*-XXXXXX", &error);
    const char *const files[] = {"vmlinuz-6.10", "vmlinuz-6.9", "vmlinuz-[y]", "vmlinuz-{{z"};
    const char *const text = "name = 't'\nmatrix.kernel = ['vmlinuz-6*', 'vmlinuz-[y]', '%s/*z']";
    g_autofree char *directory = g_build_filename(top, "vmlinuz-6.d", NULL);

    g_assert_no_error(error);
    for (gsize i = 0; i < G_N_ELEMENTS(files); i++)
        make_file(top, files[i]);
    g_assert_cmpint(g_mkdir(directory, 0700), ==, 0);

    /* The absolute pattern has a temporary directory in it that is no pattern. */
    g_autofree char *parent = g_path_get_dirname(top);
    g_autofree char *any = g_build_filename(parent, "mayfly ?x?[*]-*", NULL);
    g_autofree char *whole = g_strdup_printf(text, any);
    g_autoptr(GPtrArray) trees = expand(whole, top);
    g_autofree char *escaped = g_strdup_printf("%s/vmlinuz-{{{{z", top);

    g_assert_cmpuint(trees->len, ==, 4);
    g_assert_cmpstr(member(trees->pdata[0], "kernel"), ==, "vmlinuz-6.9");
    g_assert_cmpstr(member(trees->pdata[1], "kernel"), ==, "vmlinuz-6.10");
    g_assert_cmpstr(member(trees->pdata[2], "kernel"), ==, "vmlinuz-[y]");
    g_assert_cmpstr(member(trees->pdata[3], "kernel"), ==, escaped);
    for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = g_build_filename(top, files[i], NULL);

        g_unlink(path);
    }
    g_rmdir(directory);
    g_assert_cmpint(g_rmdir(top), ==, 0);
}

static void
test_a_combination_is_called_the_same_however_its_kernel_is_written(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *top = g_dir_make_tmp("mayfly-XXXXXX", &error);
    g_autofree char *boot = g_build_filename(top, "boot", NULL);
    const char *const ways[] = {"'boot/k-*', 'b'", "'./boot//k-*', './b'", "'boot/./k-1', './/b'"};

    g_assert_no_error(error);
    g_assert_cmpint(g_mkdir(boot, 0700), ==, 0);
    make_file(boot, "k-1");
    make_file(top, "b");
    for (gsize i = 0; i < G_N_ELEMENTS(ways); i++) {
        g_autofree char *text =
            g_strdup_printf("name = 't'\nmatrix.kernel = [%s, './boot/k-1', './gone']\n"
                            "matrix.exclude = [{kernel = './b'}]",
                            ways[i]);
        g_autoptr(GPtrArray) trees = expand(text, top);

        g_assert_cmpuint(trees->len, ==, 2);
        g_assert_cmpstr(member(trees->pdata[0], "name"), ==, "t [kernel=boot/k-1]");
        /* What is no file may be a name, which nobody else may write otherwise. */
        g_assert_cmpstr(member(trees->pdata[1], "name"), ==, "t [kernel=./gone]");
    }

    const char *const made[] = {"boot/k-1", "boot", "b", ""};
    for (gsize i = 0; i < G_N_ELEMENTS(made); i++) {
        g_autofree char *path = g_build_filename(top, made[i], NULL);

        g_assert_cmpint(g_remove(path), ==, 0);
    }
}

/* Expands with the target's 'key' coming from the environment. */
static void
assert_names_with(const char *text, const char *key, const char *value, const char *expected)
{
    const MfMatrixSources sources = {"/nonexistent", list_kernels, NULL};
    const MfOrigin origin = {MF_ORIGIN_ENVIRONMENT, "MAYFLY_X", 0, 0, 0, 0};
    g_autoptr(json_object) target = parse(text);
    json_object *own = json_object_new_string(value);
    g_autoptr(GString) names = g_string_new(NULL);

    mf_origin_set(own, &origin);
    json_object_object_add(target, key, own);
    g_autoptr(GPtrArray) trees = mf_matrix_expand(target, &sources, NULL);
    for (guint i = 0; i < trees->len; i++) {
        json_object *effective = json_object_object_get(trees->pdata[i], key);

        g_assert_cmpstr(json_object_get_string(effective), ==, value);
        g_assert_cmpint(mf_origin_get(effective)->kind, ==, MF_ORIGIN_ENVIRONMENT);
        g_string_append_printf(names, "%s%s", i ? "\n" : "", member(trees->pdata[i], "name"));
    }
    g_assert_cmpstr(names->str, ==, expected);
}

static void
test_a_value_of_a_higher_layer_is_the_only_one_of_its_axis(void)
{
    assert_names_with("name = 't'\nmatrix = {kernel = ['a', 'b'], arch = ['x', 'y']}", "kernel",
                      "new*", "t [kernel=new*, arch=x]\nt [kernel=new*, arch=y]");
    assert_names_with("name = 't'\n[matrix]\nkernel = ['a']\n"
                      "include = [{kernel = 'b', cpu = 'c'}, {kernel = 'new', cpu = 'd'}]",
                      "kernel", "new", "t [kernel=new]");
    assert_names_with("name = 't'\n[matrix]\ninclude = [{kernel = 'a'}, {kernel = 'b'}]", "kernel",
                      "new", "t [kernel=new]");
    assert_names_with("name = 't'\n[matrix]\nkernel = ['a']\ninclude = [{cpu = 'c'}]", "cpu", "d",
                      "t [kernel=a]");
    /* The target's own value in the file gives way. */
    assert_names("kernel = 'own'\nmatrix.kernel = ['a', 'b']", " [kernel=a]\n [kernel=b]");
}

static void
test_variables_are_left_for_later(void)
{
    assert_names("matrix = {kernel = ['k/{{arch}}'], arch = ['x']}",
                 " [kernel=k/{{arch}}, arch=x]");
    assert_names("matrix = {'variables.a{{b' = ['x']}", " [a{{{{b=x]");
    assert_fails("name = 't'\nmatrix.kernel = ['k/{{arch}}*']",
                 "m.toml:2:18: The kernel pattern 'k/{{arch}}*' has a variable that each "
                 "combination has its own value of: write the kernels one by one.");
}

static void
test_combinations_have_a_cap(void)
{
    g_autoptr(GString) values = g_string_new("'0'");
    g_autofree char *good = NULL, *bad = NULL, *included = NULL;
    g_autoptr(GPtrArray) trees = NULL;

    for (int i = 1; i < MF_MATRIX_COMBINATIONS_MAX / 4; i++)
        g_string_append_printf(values, ", '%d'", i);
    good = g_strdup_printf("name = 't'\n[matrix]\ncpu = [%s]\narch = [1, 2, 3, 4]", values->str);
    trees = expand(good, "/");
    g_assert_cmpuint(trees->len, ==, MF_MATRIX_COMBINATIONS_MAX);

    bad = g_strdup_printf("name = 't'\n[matrix]\ncpu = [%s]\narch = [1, 2, 3, 4, 5]", values->str);
    assert_fails(bad, "m.toml:2:1: The matrix makes more than 1024 combinations of one target.");
    included = g_strdup_printf("%s\ninclude = [{cpu = 'one more'}]", good);
    assert_fails(included,
                 "m.toml:2:1: The matrix makes more than 1024 combinations of one target.");
}

static void
test_what_is_no_matrix_is_an_error_at_its_place(void)
{
    const struct {
        const char *text, *message;
    } wrong[] = {
        {"name = 't'\nmatrix = 5",
         "m.toml:2:10: The matrix is not a table of arrays: write [matrix]."},
        {"[matrix]\nkernel = '6.1'",
         "m.toml:2:10: The matrix needs an array of values for 'kernel'."},
        {"[matrix]\nvm.memory = '6.1'",
         "m.toml:2:13: The matrix needs an array of values for 'vm.memory'."},
        {"[matrix]\nname = ['x']", "m.toml:2:8: A matrix cannot have values for 'name'."},
        {"[matrix]\n'matrix.x' = ['x']", "m.toml:2:14: A matrix cannot have values for 'matrix'."},
        {"[matrix]\n'' = 5", "m.toml:2:6: The matrix needs an array of values for ''."},
        {"[matrix]\nexclude = 'x'", "m.toml:2:11: The matrix's 'exclude' is not an array of "
                                    "tables: write [[matrix.exclude]]."},
        {"[matrix.include]\nx = 'x'",
         "m.toml:1:1: The matrix's 'include' is not an array of tables: write [[matrix.include]]."},
        {"[matrix]\ninclude = ['x']", "m.toml:2:12: The matrix's 'include' needs tables with at "
                                      "least one key: write [[matrix.include]]."},
        {"[matrix]\nexclude = [{}]", "m.toml:2:12: The matrix's 'exclude' needs tables with at "
                                     "least one key: write [[matrix.exclude]]."},
        {"[matrix]\nkernel = ['a']\nexclude = [{kernle = 'a'}]",
         "m.toml:3:22: The matrix has no 'kernle' that could be excluded: did you mean 'kernel'?"},
        {"[matrix]\nkernel = ['a']\nexclude = [{cpu = 'a'}]",
         "m.toml:3:19: The matrix has no 'cpu' that could be excluded."},
        {"name = 't'\n[matrix]\nkernel = ['a']\nexclude = [{kernel = 'a'}]",
         "m.toml:2:1: The matrix leaves nothing of the target: 'exclude' takes every combination."},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++)
        assert_fails(wrong[i].text, wrong[i].message);
}

static void
test_a_key_written_in_two_ways_is_there_twice(void)
{
    const MfMatrixSources sources = {"/", list_kernels, NULL};
    g_autoptr(json_object) target = parse("[matrix]\n'vm.memory' = ['1G']\nvm.memory = ['1G']");
    g_autoptr(GError) error = NULL;

    g_assert_null(mf_matrix_expand(target, &sources, &error));
    g_assert_nonnull(strstr(error->message, "The key 'vm.memory' is there twice."));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add_func("/matrix/" #name, test_##name)
    ADD(a_target_without_a_matrix_is_its_only_combination);
    ADD(every_combination_is_made_the_first_axis_changing_slowest);
    ADD(the_values_are_put_into_their_places_with_the_origin_of_the_matrix);
    ADD(an_axis_of_a_variable_gives_it_its_values);
    ADD(the_combinations_share_nothing_with_the_target_or_one_another);
    ADD(a_value_that_is_there_twice_is_run_once);
    ADD(a_name_is_one_line);
    ADD(exclude_leaves_out_what_has_all_its_values);
    ADD(include_adds_to_what_it_agrees_with_and_else_stands_alone);
    ADD(include_is_read_after_exclude);
    ADD(include_alone_makes_a_combination_of_each_table);
    ADD(an_axis_taken_away_takes_its_excludes_and_includes_along);
    ADD(kernel_patterns_match_names_of_the_catalog_in_the_order_of_versions);
    ADD(a_catalog_that_cannot_be_read_is_the_error);
    ADD(kernel_patterns_match_files_from_the_config_files_directory);
    ADD(a_combination_is_called_the_same_however_its_kernel_is_written);
    ADD(a_value_of_a_higher_layer_is_the_only_one_of_its_axis);
    ADD(variables_are_left_for_later);
    ADD(combinations_have_a_cap);
    ADD(what_is_no_matrix_is_an_error_at_its_place);
    ADD(a_key_written_in_two_ways_is_there_twice);
    return g_test_run();
}
