/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/setting.h"

#include <glib/gstdio.h>
#include <string.h>

#include "base/error.h"
#include "suite/origin.h"
#include "wire/json.h"

#define DIRECTORY "/somewhere"

static char *
to_text(json_object *tree)
{
    return g_strdup(json_object_to_json_string_ext(tree, JSON_C_TO_STRING_PLAIN |
                                                             JSON_C_TO_STRING_NOSLASHESCAPE));
}

static void
assert_variable(const char *variable, const char *expected)
{
    g_autoptr(json_object) tree = mf_setting_read_variable(variable, DIRECTORY);
    g_autofree char *text = tree ? to_text(tree) : NULL;

    g_assert_cmpstr(text, ==, expected);
}

static void
assert_option(const char *setting, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_object) tree = mf_setting_read_option("--set", setting, DIRECTORY, &error);
    g_autofree char *text = tree ? to_text(tree) : NULL;

    g_assert_no_error(error);
    g_assert_cmpstr(text, ==, expected);
}

static void
test_a_variable_is_named_like_its_key(void)
{
    assert_variable("MAYFLY_TIMEOUT=30s", "{\"timeout\":\"30s\"}");
    assert_variable("MAYFLY_VM_MEMORY=2G", "{\"vm\":{\"memory\":\"2G\"}}");
    assert_variable("MAYFLY_VM_NUM_CPUS=4", "{\"vm\":{\"num_cpus\":4}}");
    assert_variable("MAYFLY_BOOT_TIMEOUT=1m", "{\"boot_timeout\":\"1m\"}");
    assert_variable("MAYFLY_EXPECT_STATUS=7", "{\"expect\":{\"status\":7}}");
    assert_variable("MAYFLY_TAGS=['a', 'b']", "{\"tags\":[\"a\",\"b\"]}");
    assert_variable("MAYFLY_DISKS=[{path = '/d'}]", "{\"disks\":[{\"path\":\"/d\"}]}");
}

static void
test_a_text_needs_no_quotes_whatever_it_looks_like(void)
{
    assert_variable("MAYFLY_COMMAND=true", "{\"command\":\"true\"}");
    assert_variable("MAYFLY_COMMAND='a b' c=d", "{\"command\":\"'a b' c=d\"}");
    assert_variable("MAYFLY_COMMAND=['a', 'b c']", "{\"command\":[\"a\",\"b c\"]}");
    assert_variable("MAYFLY_VM_MEMORY=512", "{\"vm\":{\"memory\":\"512\"}}");
    assert_variable("MAYFLY_ARCH=x86_64", "{\"arch\":\"x86_64\"}");
    assert_variable("MAYFLY_KERNEL_ARGS=a=1 b", "{\"kernel_args\":\"a=1 b\"}");
}

static void
test_zero_and_one_are_booleans_for_what_is_one(void)
{
    assert_variable("MAYFLY_COLD=1", "{\"cold\":true}");
    assert_variable("MAYFLY_COLD=0", "{\"cold\":false}");
    assert_variable("MAYFLY_COLD=true", "{\"cold\":true}");
    assert_variable("MAYFLY_RETRIES=1", "{\"retries\":1}");
}

static void
test_what_is_no_toml_is_left_to_who_checks_the_type(void)
{
    assert_variable("MAYFLY_VM_NUM_CPUS=four", "{\"vm\":{\"num_cpus\":\"four\"}}");
    assert_variable("MAYFLY_COLD=maybe", "{\"cold\":\"maybe\"}");
    assert_variable("MAYFLY_RETRIES=1\ncold = true", "{\"retries\":\"1\\ncold = true\"}");
}

static void
test_an_empty_variable_is_as_good_as_none(void)
{
    assert_variable("MAYFLY_TIMEOUT=", NULL);
    assert_variable("MAYFLY_TIMEOUT", NULL);
    assert_variable("MAYFLY_=x", NULL);
}

static GLogWriterOutput
keep_message(GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
    for (gsize i = 0; i < n_fields; i++)
        if (g_str_equal(fields[i].key, "MESSAGE"))
            g_ptr_array_add(data, g_strdup(fields[i].value));
    return G_LOG_WRITER_HANDLED;
}

/* What the code under test said. */
static GPtrArray *messages;

static void
test_variables_with_other_meanings_are_left_alone_without_a_word(void)
{
    const char *const variables[] = {"MAYFLY_CACHE_DIR=/x", "MAYFLY_WARM_MAX=1G",
                                     "MAYFLY_VIRTIOFSD=/x", "MAYFLY_TEST_KERNELS=/x",
                                     "MAYFLY_TEST_SOAK=1",  "PATH=/x",
                                     "mayfly_timeout=1",    "XMAYFLY_TIMEOUT=1"};

    g_ptr_array_set_size(messages, 0);
    for (gsize i = 0; i < G_N_ELEMENTS(variables); i++)
        assert_variable(variables[i], NULL);
    g_assert_cmpuint(messages->len, ==, 0);
}

static void
test_a_variable_that_is_no_key_is_ignored_and_told_of(void)
{
    g_ptr_array_set_size(messages, 0);
    assert_variable("MAYFLY_VM_MEMROY=2G", NULL);
    assert_variable("MAYFLY_DOCKER_HOST=1", NULL);
    /* One name for all targets, and tables with keys of one's own, have no variable. */
    assert_variable("MAYFLY_NAME=x", NULL);
    assert_variable("MAYFLY_ENV=x", NULL);
    assert_variable("MAYFLY_VM_MOUNTS=x", NULL);
    assert_variable("MAYFLY_VM=x", NULL);
    g_assert_cmpuint(messages->len, ==, 6);
    g_assert_cmpstr(messages->pdata[0], ==,
                    "The variable MAYFLY_VM_MEMROY is ignored: no key has it; did you mean "
                    "MAYFLY_VM_MEMORY?");
    g_assert_cmpstr(messages->pdata[1], ==,
                    "The variable MAYFLY_DOCKER_HOST is ignored: no key has it.");
}

static void
test_values_know_the_variable_or_the_option_they_come_from(void)
{
    g_autoptr(json_object) variable = mf_setting_read_variable("MAYFLY_VM_MEMORY=2G", DIRECTORY);
    g_autoptr(json_object) option = mf_setting_read_option("--tag", "tags=['a']", DIRECTORY, NULL);
    const MfOrigin *origin =
        mf_origin_get(json_object_object_get(json_object_object_get(variable, "vm"), "memory"));

    g_assert_cmpint(origin->kind, ==, MF_ORIGIN_ENVIRONMENT);
    g_assert_cmpstr(origin->name, ==, "MAYFLY_VM_MEMORY");
    origin = mf_origin_get(json_object_array_get_idx(json_object_object_get(option, "tags"), 0));
    g_assert_cmpint(origin->kind, ==, MF_ORIGIN_OPTION);
    g_assert_cmpstr(origin->name, ==, "--tag");
}

static void
test_paths_are_meant_from_the_current_directory(void)
{
    g_autofree char *top = g_dir_make_tmp("mayfly-setting-XXXXXX", NULL);
    g_autofree char *kernel = g_build_filename(top, "bzImage", NULL);
    g_autoptr(json_object) here = NULL, named = NULL;

    assert_variable("MAYFLY_ROOTFS=root/../r", "{\"rootfs\":\"/somewhere/r\"}");
    assert_variable("MAYFLY_ROOTFS=/root", "{\"rootfs\":\"/root\"}");
    assert_variable("MAYFLY_ROOTFS={{config_dir}}/r", "{\"rootfs\":\"{{config_dir}}/r\"}");
    assert_option("stdin=in", "{\"stdin\":\"/somewhere/in\"}");
    assert_option("vm.mounts.'/mnt'.host_path=src",
                  "{\"vm\":{\"mounts\":{\"/mnt\":{\"host_path\":\"/somewhere/src\"}}}}");
    assert_option("qemu_command=qemu-x", "{\"qemu_command\":\"qemu-x\"}");

    /* A kernel that is no file has a name. */
    g_assert_true(g_file_set_contents(kernel, "", 0, NULL));
    here = mf_setting_read_variable("MAYFLY_KERNEL=bzImage", top);
    named = mf_setting_read_variable("MAYFLY_KERNEL=debian/6.1", top);
    g_assert_cmpstr(json_object_get_string(json_object_object_get(here, "kernel")), ==, kernel);
    g_assert_cmpstr(json_object_get_string(json_object_object_get(named, "kernel")), ==,
                    "debian/6.1");
    g_unlink(kernel);
    g_rmdir(top);
}

static void
test_an_option_sets_any_key_with_toml_or_text(void)
{
    assert_option("vm.memory=2G", "{\"vm\":{\"memory\":\"2G\"}}");
    assert_option("vm.memory='2G'", "{\"vm\":{\"memory\":\"2G\"}}");
    assert_option("vm.num_cpus = 4", "{\"vm\":{\"num_cpus\":4}}");
    assert_option("cold=1", "{\"cold\":true}");
    assert_option("command=echo \"a\"", "{\"command\":\"echo \\\"a\\\"\"}");
    assert_option("command=\"a\" b", "{\"command\":\"\\\"a\\\" b\"}");
    assert_option("command=['a']", "{\"command\":[\"a\"]}");
    assert_option("env.A=1", "{\"env\":{\"A\":\"1\"}}");
    assert_option("env.\"A.B\"=1=2", "{\"env\":{\"A.B\":\"1=2\"}}");
    assert_option("env={A = '1'}", "{\"env\":{\"A\":\"1\"}}");
    assert_option("vm.mounts.'/m'.writable=1",
                  "{\"vm\":{\"mounts\":{\"/m\":{\"writable\":true}}}}");
    assert_option("matrix.kernel=['a', 'b']", "{\"matrix\":{\"kernel\":[\"a\",\"b\"]}}");
    assert_option("variables.x=a b", "{\"variables\":{\"x\":\"a b\"}}");
    assert_option("kernel_args=", "{\"kernel_args\":\"\"}");
    assert_option("nonsense.key=a", "{\"nonsense\":{\"key\":\"a\"}}");
}

static void
test_an_option_that_is_no_setting_is_an_error_that_names_it(void)
{
    const struct {
        const char *setting, *message;
    } wrong[] = {
        {"vm.memory", "--set: 'vm.memory' is not KEY=VALUE, such as vm.memory=2G, in UTF-8."},
        {"=2G", "--set: '=2G' is not KEY=VALUE, such as vm.memory=2G, in UTF-8."},
        {"name=x", "--set: The name of a target cannot be set."},
    };
    const char *const no_keys[] = {"a b=1", "a..b=1", ".=1", "[a]=1", "a\nb=1", "\"a=1"};

    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(mf_setting_read_option("--set", wrong[i].setting, DIRECTORY, &error));
        g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
        g_assert_cmpstr(error->message, ==, wrong[i].message);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(no_keys); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(mf_setting_read_option("--set", no_keys[i], DIRECTORY, &error));
        g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
        g_assert_true(g_str_has_prefix(error->message, "--set: "));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    messages = g_ptr_array_new_with_free_func(g_free);
    g_log_set_writer_func(keep_message, messages, NULL);
#define ADD(name) g_test_add_func("/setting/" #name, test_##name)
    ADD(a_variable_is_named_like_its_key);
    ADD(a_text_needs_no_quotes_whatever_it_looks_like);
    ADD(zero_and_one_are_booleans_for_what_is_one);
    ADD(what_is_no_toml_is_left_to_who_checks_the_type);
    ADD(an_empty_variable_is_as_good_as_none);
    ADD(variables_with_other_meanings_are_left_alone_without_a_word);
    ADD(a_variable_that_is_no_key_is_ignored_and_told_of);
    ADD(values_know_the_variable_or_the_option_they_come_from);
    ADD(paths_are_meant_from_the_current_directory);
    ADD(an_option_sets_any_key_with_toml_or_text);
    ADD(an_option_that_is_no_setting_is_an_error_that_names_it);

    int status = g_test_run();
    g_ptr_array_unref(messages);
    return status;
}
