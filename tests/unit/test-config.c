/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/config.h"

#include <glib/gstdio.h>
#include <json.h>
#include <string.h>

#include "base/error.h"
#include "machine/arch.h"
#include "report/config-list.h"
#include "suite/origin.h"

/* A directory with a config file in it, and the current one. */
typedef struct {
    char *directory; /* owned */
    char *file;      /* owned */
} Fixture;

static void
set_up(Fixture *self, gconstpointer data)
{
    self->directory = g_dir_make_tmp("mayfly-config-XXXXXX", NULL);
    self->file = g_build_filename(self->directory, "mayfly.toml", NULL);
    g_assert_cmpint(g_chdir(self->directory), ==, 0);
    g_setenv("MAYFLY_CACHE_DIR", self->directory, TRUE);
}

static void
tear_down(Fixture *self, gconstpointer data)
{
    g_unlink(self->file);
    g_assert_cmpint(g_chdir("/"), ==, 0);
    g_assert_cmpint(g_rmdir(self->directory), ==, 0);
    g_free(self->directory);
    g_free(self->file);
}

static MfConfig *
load_with(Fixture *self, const char *text, MfConfigSources sources, GError **error)
{
    g_assert_true(g_file_set_contents(self->file, text, -1, NULL));
    sources.path = sources.path ? sources.path : "mayfly.toml";
    return mf_config_load(&sources, error);
}

static MfConfig *
load(Fixture *self, const char *text, MfConfigSources sources)
{
    g_autoptr(GError) error = NULL;
    MfConfig *config = load_with(self, text, sources, &error);

    g_assert_no_error(error);
    return config;
}

static void
assert_fails(Fixture *self, const char *text, MfConfigSources sources, const char *message)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(load_with(self, text, sources, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_cmpstr(error->message, ==, message);
}

/* The value of the key at the dotted 'path'; borrowed. */
static json_object *
value_at(const MfConfig *config, guint target, const char *path)
{
    const GPtrArray *targets = mf_config_get_targets(config);
    g_auto(GStrv) steps = g_strsplit(path, ".", 0);
    json_object *value;

    g_assert_cmpuint(target, <, targets->len);
    value = targets->pdata[target];
    for (char **step = steps; *step; step++)
        value = json_object_object_get(value, *step);
    return value;
}

static void
assert_value(const MfConfig *config, guint target, const char *path, const char *expected,
             MfOriginKind kind)
{
    json_object *value = value_at(config, target, path);

    g_assert_cmpstr(json_object_get_string(value), ==, expected);
    g_assert_nonnull(mf_origin_get(value));
    g_assert_cmpint(mf_origin_get(value)->kind, ==, kind);
}

#define TARGET "[[target]]\nname = 't'\nkernel = 'k'\ncommand = 'true'\n"

static void
test_every_layer_is_applied_and_defaults_are_filled_in(Fixture *self, gconstpointer data)
{
    char *const environment[] = {(char *)"MAYFLY_USER=me", (char *)"MAYFLY_CPU=max", NULL};
    const char *const set[] = {"--cpu", "cpu='host'", "--set", "vm.num_cpus=7", NULL};
    g_autoptr(MfConfig) config =
        load(self, TARGET "vm.memory = '2G'\n[profile.ci]\nretries = 3\nuser = 'nobody'",
             (MfConfigSources){.profile = "ci", .environment = (char **)environment, .set = set});

    g_assert_cmpuint(mf_config_get_targets(config)->len, ==, 1);
    assert_value(config, 0, "name", "t", MF_ORIGIN_FILE);
    assert_value(config, 0, "vm.memory", "2G", MF_ORIGIN_FILE);
    assert_value(config, 0, "retries", "3", MF_ORIGIN_PROFILE);
    assert_value(config, 0, "user", "me", MF_ORIGIN_ENVIRONMENT);
    assert_value(config, 0, "cpu", "host", MF_ORIGIN_OPTION);
    assert_value(config, 0, "vm.num_cpus", "7", MF_ORIGIN_OPTION);
    assert_value(config, 0, "boot_timeout", "2m", MF_ORIGIN_DEFAULT);
    g_assert_cmpstr(mf_config_get_path(config), ==, self->file);
}

static void
test_an_error_of_a_variable_or_an_option_names_it(Fixture *self, gconstpointer data)
{
    char *const memory[] = {(char *)"MAYFLY_VM_MEMORY=much", NULL};
    char *const hole[] = {(char *)"MAYFLY_COMMAND=echo {{no}}", NULL};
    const char *const cpus[] = {"--cpus", "vm.num_cpus=0", NULL};
    const char *const key[] = {"--set", "vm.memroy='2G'", NULL};
    const struct {
        MfConfigSources sources;
        const char *prefix;
    } wrong[] = {
        {{.environment = (char **)memory}, "MAYFLY_VM_MEMORY: "},
        {{.environment = (char **)hole}, "MAYFLY_COMMAND: The variable 'no' is not known"},
        {{.set = cpus}, "--cpus: "},
        {{.set = key}, "--set: "},
        {{.profile = "x"}, "--profile: 'mayfly.toml' has no profile 'x'"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(load_with(self, TARGET, wrong[i].sources, &error));
        g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
        g_assert_true(g_str_has_prefix(error->message, wrong[i].prefix));
    }
}

static void
test_a_wrong_value_of_a_profile_or_a_matrix_is_an_error_at_its_place(Fixture *self,
                                                                     gconstpointer data)
{
    const struct {
        const char *text, *prefix;
    } wrong[] = {
        {TARGET "[profile.p]\nvm.num_cpus = 'x'", "mayfly.toml:6:15: "},
        {TARGET "[profile.p]\n[matrix]\nretries = [1, 'x']", "mayfly.toml:7:15: "},
        {TARGET "[profile.p]\n[matrix]\nvm.memroy = ['1G']", "mayfly.toml:7:"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(load_with(self, wrong[i].text, (MfConfigSources){.profile = "p"}, &error));
        g_assert_true(g_str_has_prefix(error->message, wrong[i].prefix));
    }
}

static void
test_variables_of_the_file_and_of_mayfly_are_replaced_everywhere(Fixture *self, gconstpointer data)
{
    char *const environment[] = {(char *)"WHO=me", NULL};
    g_autoptr(MfConfig) config = load(
        self,
        "[variables]\ndir = '{{config_dir}}/k-{{arch}}'\nplain = 'p'\n"
        "[[target]]\nname = 'n {{plain}}'\nkernel = '{{dir}}/Image'\narch = 'aarch64'\n"
        "command = ['{{name}}', '{{id}}', '{{kernel}}', '{{arch}}', '{{env.WHO}}', '{{{{x}}']\n"
        "env.A = '{{host_arch}}'",
        (MfConfigSources){.environment = (char **)environment});
    g_autofree char *kernel = g_build_filename(self->directory, "k-aarch64", "Image", NULL);
    g_autofree char *id = mf_case_make_id("n p");
    json_object *command = value_at(config, 0, "command");
    const char *const expected[] = {"n p", id, kernel, "aarch64", "me", "{{x}}"};

    assert_value(config, 0, "name", "n p", MF_ORIGIN_FILE);
    assert_value(config, 0, "kernel", kernel, MF_ORIGIN_FILE);
    assert_value(config, 0, "env.A", mf_arch_name(mf_arch_native()), MF_ORIGIN_FILE);
    for (gsize i = 0; i < G_N_ELEMENTS(expected); i++)
        g_assert_cmpstr(json_object_get_string(json_object_array_get_idx(command, i)), ==,
                        expected[i]);
    g_assert_null(value_at(config, 0, "variables"));
}

static void
test_variables_of_profiles_targets_and_options_replace_the_files(Fixture *self, gconstpointer data)
{
    const char *const set[] = {"--set", "variables.c=opt", NULL};
    g_autoptr(MfConfig) config =
        load(self,
             "[variables]\na = 'file'\nb = 'file'\nc = 'file'\nd = 'file'\n" TARGET
             "workdir = '/{{a}}/{{b}}/{{c}}/{{d}}'\nvariables.a = 'target'\n"
             "[profile.p.variables]\nb = 'profile'",
             (MfConfigSources){.profile = "p", .set = set});

    assert_value(config, 0, "workdir", "/target/profile/opt/file", MF_ORIGIN_FILE);
}

static void
test_variables_that_are_wrong_are_errors_at_their_places(Fixture *self, gconstpointer data)
{
    assert_fails(self, TARGET "user = '{{kernle}}'", (MfConfigSources){0},
                 "mayfly.toml:5:8: The variable 'kernle' is not known: did you mean 'kernel'?");
    assert_fails(self, "[variables]\na = '{{b}}'\nb = '{{a}}'\n" TARGET "user = '{{a}}'",
                 (MfConfigSources){0}, "mayfly.toml:3:5: The variable 'a' refers to itself.");
    assert_fails(self, "[[target]]\nname = '{{name}}'\nkernel = 'k'\ncommand = 'x'",
                 (MfConfigSources){0}, "mayfly.toml:2:8: The variable 'name' refers to itself.");
    assert_fails(self, "[[target]]\nname = '{{id}}'\nkernel = 'k'\ncommand = 'x'",
                 (MfConfigSources){0}, "mayfly.toml:2:8: The variable 'id' has no value here.");
    assert_fails(self, "[variables]\narch = 'x'\n" TARGET, (MfConfigSources){0},
                 "mayfly.toml:2:8: The variable 'arch' is mayfly's own: give yours another name.");
    assert_fails(self, TARGET "variables = 5", (MfConfigSources){0},
                 "mayfly.toml:5:13: The variables are not a table: write [variables].");
}

static void
test_variables_in_a_cycle_that_nothing_uses_are_an_error(Fixture *self, gconstpointer data)
{
    assert_fails(self, "[variables]\na = '{{b}}'\nb = '{{a}}'\n" TARGET, (MfConfigSources){0},
                 "mayfly.toml:3:5: The variable 'a' refers to itself.");
}

static void
test_an_unknown_variable_of_a_profile_that_is_not_selected_is_an_error(Fixture *self,
                                                                       gconstpointer data)
{
    const char *const known =
        "[variables]\nrelease = '6.1'\n[matrix]\nvariables.axis = ['x']\n" TARGET
        "[profile.p]\nworkdir = '/{{release}}/{{axis}}/{{own}}/{{id}}'\n"
        "user = '{{env.NOT_YET}}'\nvariables.own = 'o'\n"
        "[[profile.p.target]]\nname = 't'\nhostname = '{{config_dir}}'";
    const char *const set[] = {"--set", "variables.mine='x'", NULL};
    g_autoptr(MfConfig) config = load(self, known, (MfConfigSources){0});

    g_assert_cmpuint(mf_config_get_targets(config)->len, ==, 1);
    /* An option gives one, too. */
    mf_config_free(
        load(self, TARGET "[profile.p]\nuser = '{{mine}}'\n", (MfConfigSources){.set = set}));
    assert_fails(self,
                 "[variables]\nrelease = '6.1'\n" TARGET "[profile.p]\nuser = '{{relaese}}'\n",
                 (MfConfigSources){0},
                 "mayfly.toml:8:8: The variable 'relaese' is not known: did you mean 'release'?");
    /* What another profile has is not there with this one. */
    assert_fails(self, TARGET "[profile.p]\nvariables.mine = 'x'\n[profile.q]\nuser = '{{mine}}'\n",
                 (MfConfigSources){.profile = "p"},
                 "mayfly.toml:8:8: The variable 'mine' is not known: it has to be in [variables], "
                 "and '{{{{' is a literal '{{'.");
    assert_fails(self, TARGET "[[profile.p.target]]\nname = 't'\nuser = 'a{{'\n",
                 (MfConfigSources){0},
                 "mayfly.toml:7:8: '{{' is not followed by a variable's name and '}}' (write "
                 "'{{{{' for a literal one).");
}

static void
test_an_exclude_that_matches_nothing_is_warned_of_with_its_place(Fixture *self, gconstpointer data)
{
    const char *const text = "[matrix]\nkernel = ['a', 'b']\nretries = [1, 2]\n"
                             "exclude = [{kernel = 'b'}, {kernel = 'c'}, {retries = 2}]\n" TARGET;
    const char *const none = "[matrix]\nretries = [1, 2]\n"
                             "exclude = [{retries = 3}]\n" TARGET;
    const char *const set[] = {"--kernel", "kernel='b'", NULL};

    g_test_expect_message("mayfly", G_LOG_LEVEL_MESSAGE,
                          "mayfly.toml:4:38: No target's matrix has a combination for this table "
                          "of 'exclude', so it leaves out nothing.");
    mf_config_free(load(self, text, (MfConfigSources){0}));
    g_test_assert_expected_messages();
    g_test_expect_message("mayfly", G_LOG_LEVEL_MESSAGE, "mayfly.toml:3:23: No target's matrix*");
    mf_config_free(load(self, none, (MfConfigSources){0}));
    g_test_assert_expected_messages();
    /* An option that replaces the axis is no mistake of the file's. */
    mf_config_free(load(self, "[matrix]\nkernel = ['a', 'c']\nexclude = [{kernel = 'c'}]\n" TARGET,
                        (MfConfigSources){.set = set}));
}

static void
test_the_matrix_makes_targets_with_names_and_variables_of_their_own(Fixture *self,
                                                                    gconstpointer data)
{
    g_autoptr(MfConfig) config = load(
        self,
        "[variables]\ndir = 'boot'\n[matrix]\nkernel = ['{{dir}}/{{arch}}/{{v}}']\n"
        "variables.v = ['6.1', '6.6']\n[[matrix.include]]\n'variables.w' = 'W'\n"
        "[[target]]\nname = 't'\narch = 'riscv64'\ncommand = '{{v}} {{w}} {{name}} {{kernel}}'",
        (MfConfigSources){0});

    g_assert_cmpuint(mf_config_get_targets(config)->len, ==, 2);
    assert_value(config, 1, "name", "t [kernel=boot/riscv64/6.6, v=6.6]", MF_ORIGIN_FILE);
    assert_value(config, 1, "kernel", "boot/riscv64/6.6", MF_ORIGIN_MATRIX);
    assert_value(config, 1, "command", "6.6 W t [kernel=boot/riscv64/6.6, v=6.6] boot/riscv64/6.6",
                 MF_ORIGIN_FILE);
    g_assert_null(value_at(config, 1, "matrix"));
}

static void
test_a_pattern_of_kernels_may_begin_with_a_variable(Fixture *self, gconstpointer data)
{
    const char *const text = "[variables]\ndir = '{{config_dir}}'\n[matrix]\n"
                             "kernel = ['{{dir}}/mayfly.t*']\n"
                             "[[target]]\nname = 't'\ncommand = 'x'";
    g_autoptr(MfConfig) config = load(self, text, (MfConfigSources){0});

    assert_value(config, 0, "kernel", self->file, MF_ORIGIN_MATRIX);
}

static void
test_an_option_replaces_an_axis_of_the_matrix(Fixture *self, gconstpointer data)
{
    const char *const set[] = {"-k", "kernel='new'", NULL};
    g_autoptr(MfConfig) config =
        load(self, "[matrix]\nkernel = ['a', 'b']\nretries = [1, 2]\n" TARGET,
             (MfConfigSources){.set = set});

    g_assert_cmpuint(mf_config_get_targets(config)->len, ==, 2);
    assert_value(config, 0, "name", "t [kernel=new, retries=1]", MF_ORIGIN_FILE);
    assert_value(config, 1, "kernel", "new", MF_ORIGIN_OPTION);
}

static void
test_a_target_listed_twice_is_an_error_with_both_places(Fixture *self, gconstpointer data)
{
    assert_fails(self, TARGET TARGET, (MfConfigSources){0},
                 "mayfly.toml:6:8: The target 't' is listed twice: the other one is 't' at "
                 "mayfly.toml:2:8.");
    assert_fails(self,
                 "[matrix]\nuser = ['1']\nretries = [1]\n" TARGET
                 "[[target]]\nname = 't [user=1, retries=1]'\ncommand = 'x'\nkernel = 'k'\n"
                 "matrix = {user = [], retries = []}",
                 (MfConfigSources){0},
                 "mayfly.toml:9:8: The target 't [user=1, retries=1]' is listed twice: the other "
                 "one is 't [user=1, retries=1]' at mayfly.toml:5:8.");
}

static void
test_a_file_without_targets_is_an_error(Fixture *self, gconstpointer data)
{
    g_autofree char *message = g_strdup_printf(
        "There is no target in '%s': write a table [[target]] with a name, a kernel and a command.",
        self->file);

    assert_fails(self, "", (MfConfigSources){0}, message);
    assert_fails(self, "[profile.x]\nuser = 'me'", (MfConfigSources){0}, message);
}

/*
 * mayfly config
 */

static MfConfig *
load_two(Fixture *self)
{
    char *const environment[] = {(char *)"MAYFLY_USER=me", NULL};

    return load(self,
                "[[target]]\nname = 'net'\nkernel = 'k'\ncommand = \"a 'b'\\n\"\n"
                "env = {A = '1', \"b c\" = 'x'}\ntags = ['x', 'y']\nmatrix.retries = [1, 2]\n"
                "[[target]]\nname = 'fs'\nkernel = 'k'\ncommand = 'c'\n[profile.p]\ncpu = 'max'",
                (MfConfigSources){.profile = "p", .environment = (char **)environment});
}

static void
test_config_is_listed_with_a_line_for_each_key_and_its_source(Fixture *self, gconstpointer data)
{
    g_autoptr(MfConfig) config = load_two(self);
    g_autofree char *plain = mf_config_list_text(mf_config_get_targets(config), FALSE);
    g_autofree char *sourced = mf_config_list_text(mf_config_get_targets(config), TRUE);
    g_auto(GStrv) lines = g_strsplit(sourced, "\n", 0);
    const char *const expected[] = {
        "net [retries=1]  mayfly.toml:2:8",
        "  command       \"a 'b'\\n\"   mayfly.toml:4:11",
        "  cpu           \"max\"       mayfly.toml:13:7 (profile)",
        "  env.\"b c\"     \"x\"         mayfly.toml:5:25",
        "  env.A         \"1\"         mayfly.toml:5:12",
        "  retries       1           mayfly.toml:7:19 (matrix)",
        "  tags          [\"x\", \"y\"]  mayfly.toml:6:8",
        "  user          \"me\"        MAYFLY_USER",
        "  vm.num_cpus   2           default",
        "fs  mayfly.toml:9:8",
        "",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(expected); i++)
        g_assert_true(g_strv_contains((const char *const *)lines, expected[i]));
    g_assert_true(g_str_has_prefix(plain, "net [retries=1]\n  accel "));
    g_assert_nonnull(strstr(plain, "\n  user          \"me\"\n"));
    g_assert_nonnull(strstr(plain, "\n\nnet [retries=2]\n"));
    g_assert_null(strstr(plain, " \n"));
}

static void
test_config_as_json_is_the_targets_or_each_key_with_its_source(Fixture *self, gconstpointer data)
{
    g_autoptr(MfConfig) config = load_two(self);
    g_autofree char *plain = mf_config_list_json(mf_config_get_targets(config), FALSE);
    g_autofree char *sourced = mf_config_list_json(mf_config_get_targets(config), TRUE);
    json_object *targets = json_tokener_parse(plain), *with = json_tokener_parse(sourced);
    json_object *first = json_object_array_get_idx(with, 0), *key;

    g_assert_cmpuint(json_object_array_length(targets), ==, 3);
    g_assert_true(json_object_equal(json_object_array_get_idx(targets, 0),
                                    mf_config_get_targets(config)->pdata[0]));
    g_assert_cmpstr(json_object_get_string(json_object_object_get(first, "name")), ==,
                    "net [retries=1]");
    key = json_object_object_get(json_object_object_get(first, "keys"), "cpu");
    g_assert_cmpstr(json_object_to_json_string_ext(key, JSON_C_TO_STRING_PLAIN), ==,
                    "{\"value\":\"max\",\"layer\":\"profile\",\"source\":\"mayfly.toml:13:7 "
                    "(profile)\"}");
    json_object_put(targets);
    json_object_put(with);
}

static void
test_a_target_is_found_by_name_id_or_the_name_of_its_combinations(Fixture *self, gconstpointer data)
{
    g_autoptr(MfConfig) config = load_two(self);
    const GPtrArray *targets = mf_config_get_targets(config);
    g_autofree char *id = mf_case_make_id("net [retries=2]");
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) by_name = mf_config_list_find(targets, "net [retries=1]", NULL);
    g_autoptr(GPtrArray) by_id = mf_config_list_find(targets, id, NULL);
    g_autoptr(GPtrArray) all = mf_config_list_find(targets, "net", NULL);

    g_assert_cmpuint(by_name->len, ==, 1);
    g_assert_true(by_name->pdata[0] == targets->pdata[0]);
    g_assert_cmpuint(by_id->len, ==, 1);
    g_assert_true(by_id->pdata[0] == targets->pdata[1]);
    g_assert_cmpuint(all->len, ==, 2);
    g_assert_null(mf_config_list_find(targets, "fss", &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_cmpstr(error->message, ==, "There is no target 'fss': did you mean 'fs'?");
}

static void
test_payloads_are_layered_and_have_variables_and_a_matrix(Fixture *self, gconstpointer data)
{
    const char *const set[] = {"--set", "repeat=5", NULL};
    g_autoptr(MfConfig) config =
        load(self,
             "[variables]\nsize = '1M'\n[matrix]\nvariables.size = ['2M', '4M']\n"
             "[[target]]\nname = 't'\nkernel = 'k'\nrepeat = 2\n"
             "[[target.payload]]\nname = 'a'\ncommand = 'old'\n"
             "[profile.ci]\n[[profile.ci.target]]\nname = 't'\n"
             "[[profile.ci.target.payload]]\nname = 'b'\ncommand = ['fio', '{{size}}']\n",
             (MfConfigSources){.profile = "ci", .set = set});

    g_assert_cmpuint(mf_config_get_targets(config)->len, ==, 2);
    for (guint i = 0; i < 2; i++) {
        json_object *payloads = value_at(config, i, "payload");
        json_object *command =
            json_object_object_get(json_object_array_get_idx(payloads, 0), "command");

        g_assert_cmpuint(json_object_array_length(payloads), ==, 1);
        g_assert_cmpstr(json_object_get_string(json_object_array_get_idx(command, 1)), ==,
                        i == 0 ? "2M" : "4M");
        assert_value(config, i, "repeat", "5", MF_ORIGIN_OPTION);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add("/config/" #name, Fixture, NULL, set_up, test_##name, tear_down)
    ADD(every_layer_is_applied_and_defaults_are_filled_in);
    ADD(an_error_of_a_variable_or_an_option_names_it);
    ADD(a_wrong_value_of_a_profile_or_a_matrix_is_an_error_at_its_place);
    ADD(variables_of_the_file_and_of_mayfly_are_replaced_everywhere);
    ADD(variables_of_profiles_targets_and_options_replace_the_files);
    ADD(variables_that_are_wrong_are_errors_at_their_places);
    ADD(variables_in_a_cycle_that_nothing_uses_are_an_error);
    ADD(an_unknown_variable_of_a_profile_that_is_not_selected_is_an_error);
    ADD(an_exclude_that_matches_nothing_is_warned_of_with_its_place);
    ADD(the_matrix_makes_targets_with_names_and_variables_of_their_own);
    ADD(a_pattern_of_kernels_may_begin_with_a_variable);
    ADD(an_option_replaces_an_axis_of_the_matrix);
    ADD(a_target_listed_twice_is_an_error_with_both_places);
    ADD(a_file_without_targets_is_an_error);
    ADD(config_is_listed_with_a_line_for_each_key_and_its_source);
    ADD(config_as_json_is_the_targets_or_each_key_with_its_source);
    ADD(a_target_is_found_by_name_id_or_the_name_of_its_combinations);
    ADD(payloads_are_layered_and_have_variables_and_a_matrix);
    return g_test_run();
}
