/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/config-read.h"

#include <string.h>

#include "base/error.h"
#include "suite/origin.h"
#include "suite/toml.h"
#include "wire/json.h"

/* Reads a config as a suite does that has no other layer: all of its targets. Of MfConfigTarget. */
static GPtrArray *
read_config(const char *text, gsize size, GError **error)
{
    g_autoptr(json_object) tree = mf_toml_parse(text, size, "c.toml", error);
    g_autoptr(GPtrArray) targets =
        g_ptr_array_new_with_free_func((GDestroyNotify)mf_config_target_free);

    if (!tree || !mf_config_check_document(tree, error))
        return NULL;

    json_object *array = json_object_object_get(tree, "target");
    for (gsize i = 0; array && i < json_object_array_length(array); i++) {
        MfConfigTarget *target =
            mf_config_read_target(json_object_array_get_idx(array, i), "/base dir", error);

        if (!target)
            return NULL;
        g_ptr_array_add(targets, target);
    }
    return g_steal_pointer(&targets);
}

static MfConfigTarget *
read_target(const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) targets = read_config(text, strlen(text), &error);

    g_assert_no_error(error);
    g_assert_cmpuint(targets->len, ==, 1);
    return g_ptr_array_steal_index(targets, 0);
}

/* One case of the table: a config, and the message that it gives. */
static void
check_bad(gconstpointer data)
{
    const char *const *parts = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) targets = read_config(parts[1], strlen(parts[1]), &error);

    g_assert_null(targets);
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_cmpstr(error->message, ==, parts[2]);
}

/* Adds a test for each case of tests/data/bad-configs.txt, which says how it is written. */
static void
add_bad_configs(void)
{
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "data", "bad-configs.txt", NULL);
    g_autofree char *table = NULL;
    g_autoptr(GError) error = NULL;

    g_file_get_contents(path, &table, NULL, &error);
    g_assert_no_error(error);

    g_auto(GStrv) cases = g_strsplit(table, "\n=== ", -1);
    guint n = g_strv_length(cases) - 1;
    g_assert_cmpuint(n, >=, 60);
    for (guint i = 1; i <= n; i++) {
        char *config = strchr(cases[i], '\n') + 1;
        char *message = strstr(config, "--- ");
        const char **parts = g_new0(const char *, 4);

        g_assert_nonnull(message);
        config[-1] = '\0';
        parts[0] = g_strdup(cases[i]);
        parts[1] = g_strndup(config, (gsize)(message - config));
        parts[2] = g_strstrip(g_strdup(message + strlen("--- ")));
        g_autofree char *name = g_strconcat("/config-read/bad/", parts[0], NULL);
        g_test_add_data_func_full(name, parts, check_bad, (GDestroyNotify)g_strfreev);
    }
}

static void
test_every_key_of_vmtest_is_read_with_its_meaning(void)
{
    g_autoptr(MfConfigTarget) target = read_target("[[target]]\n"
                                                   "name = 'all'\n"
                                                   "kernel = './bzImage'\n"
                                                   "kernel_args = 'ro quiet'\n"
                                                   "rootfs = '../root'\n"
                                                   "arch = 'aarch64'\n"
                                                   "command = '''\nif true; then\n  x\nfi\n'''\n"
                                                   "kvm_cpu_args = 'host,pmu=on'\n"
                                                   "qemu_command = '/usr/libexec/qemu-kvm'\n"
                                                   "[target.vm]\n"
                                                   "num_cpus = 255\n"
                                                   "memory = '256M'\n"
                                                   "extra_args = ['-s', '']\n"
                                                   "[target.vm.mounts]\n"
                                                   "'/mnt/b' = { host_path = 'x y' }\n"
                                                   "[target.vm.mounts.'/mnt/a']\n"
                                                   "host_path = '/abs'\n"
                                                   "writable = true\n");

    g_assert_cmpstr(target->name, ==, "all");
    g_assert_cmpstr(target->kernel, ==, "/base dir/bzImage");
    g_assert_cmpstr(target->kernel_args, ==, "ro quiet");
    g_assert_cmpstr(target->rootfs, ==, "/root");
    g_assert_true(target->has_arch);
    g_assert_cmpint(target->arch, ==, MF_CONFIG_ARCH_AARCH64);
    g_assert_cmpint(target->command->kind, ==, MF_CONFIG_COMMAND_KIND_SHELL);
    g_assert_cmpstr(target->command->shell, ==, "if true; then\n  x\nfi\n");
    g_assert_cmpstr(target->kvm_cpu_args, ==, "host,pmu=on");
    g_assert_cmpstr(target->qemu_command, ==, "/usr/libexec/qemu-kvm");
    g_assert_cmpint(target->vm->num_cpus, ==, 255);
    g_assert_cmpuint(target->vm->memory, ==, G_GUINT64_CONSTANT(256) << 20);
    g_assert_cmpstr(target->vm->extra_args[0], ==, "-s");
    g_assert_cmpstr(target->vm->extra_args[1], ==, "");

    /* In the order of the file. */
    const MfConfigMount *first = g_ptr_array_index(target->vm->mounts, 0);
    const MfConfigMount *second = g_ptr_array_index(target->vm->mounts, 1);
    g_assert_cmpstr(first->guest_path, ==, "/mnt/b");
    g_assert_cmpstr(first->host_path, ==, "/base dir/x y");
    g_assert_false(first->writable);
    g_assert_cmpstr(second->guest_path, ==, "/mnt/a");
    g_assert_cmpstr(second->host_path, ==, "/abs");
    g_assert_true(second->writable);
}

static void
test_every_key_of_an_image_of_vmtest_is_read(void)
{
    g_autoptr(MfConfigTarget) target = read_target("[[target]]\n"
                                                   "name = 'image'\n"
                                                   "image = 'disk.raw'\n"
                                                   "uefi = true\n"
                                                   "vm.bios = 'OVMF.fd'\n"
                                                   "command = 'x'\n");

    g_assert_cmpstr(target->image, ==, "/base dir/disk.raw");
    g_assert_true(target->uefi);
    g_assert_cmpstr(target->vm->bios, ==, "/base dir/OVMF.fd");
}

static void
test_what_a_target_does_not_say_has_its_default(void)
{
    g_autoptr(MfConfigTarget) target =
        read_target("[[target]]\nname = 'a'\nkernel = 'k'\ncommand = ['x', '']\n");

    g_assert_cmpint(target->command->kind, ==, MF_CONFIG_COMMAND_KIND_ARGV);
    g_assert_cmpstr(target->command->argv[0], ==, "x");
    g_assert_cmpstr(target->command->argv[1], ==, "");
    g_assert_cmpstr(target->rootfs, ==, "/");
    g_assert_cmpint(target->root_mode, ==, MF_CONFIG_ROOT_MODE_OVERLAY);
    g_assert_cmpint(target->share, ==, MF_CONFIG_SHARE_TYPE_AUTO);
    g_assert_cmpint(target->init, ==, MF_CONFIG_INIT_AGENT);
    g_assert_cmpint(target->accel, ==, MF_CONFIG_ACCEL_AUTO);
    g_assert_cmpint(target->net, ==, MF_CONFIG_NET_NONE);
    g_assert_false(target->has_arch);
    g_assert_false(target->uefi);
    g_assert_true(target->snapshot);
    g_assert_false(target->cold);
    g_assert_cmpint(target->timeout, ==, 0);
    g_assert_cmpint(target->boot_timeout, ==, 120000);
    g_assert_cmpint(target->retries, ==, 0);
    g_assert_cmpstr(target->hostname, ==, "mayfly");
    g_assert_cmpint(target->vm->num_cpus, ==, 2);
    g_assert_cmpuint(target->vm->memory, ==, G_GUINT64_CONSTANT(1) << 30);
    g_assert_null(target->vm->mounts);
    g_assert_null(target->env);
    g_assert_null(target->env_pass);
    g_assert_null(target->expect);
    g_assert_null(target->tags);
    g_assert_null(target->kvm_cpu_args);
}

static void
test_keys_beyond_vmtest_are_read(void)
{
    g_autoptr(MfConfigTarget) target =
        read_target("[[target]]\nname = 'a'\nkernel = '6.12'\ncommand = 'x'\n"
                    "tags = ['slow', 'net']\n"
                    "setup = ['modprobe x', 'true']\nteardown = ['dmesg']\n"
                    "timeout = 90\nboot_timeout = '1m30s'\nretries = 2\n"
                    "expect = { signal = 'SIGSEGV', stdout_match = '(?i)ok$' }\n"
                    "requires = { commands = ['perf'], files = ['/dev/kvm', 'x'], kvm = true }\n"
                    "env = { A = '1', B = '' }\nenv_pass = ['PATH', 'LC_*']\n"
                    "vm.memory = 512\n"
                    "numa = [{ memory = '256M', cpus = '0' }, { memory = 256, cpus = '1' }]\n"
                    "disks = [{ path = 'd.img', format = 'raw', writable = true }]\n"
                    "net = 'user'\nforward = ['tcp:8080:80', 'udp:5353:53']\n"
                    "stdin = 'in.txt'\nworkdir = '/tmp'\nqemu_command = 'qemu-kvm'\n"
                    "cache = 'loose'\nartifacts = ['*.log']\n");
    const MfConfigVariable *variable = g_ptr_array_index(target->env, 1);
    const MfConfigNumaNode *node = g_ptr_array_index(target->numa, 1);
    const MfConfigDisk *disk = g_ptr_array_index(target->disks, 0);

    g_assert_cmpstr(target->kernel, ==, "6.12");
    g_assert_cmpstr(target->qemu_command, ==, "qemu-kvm");
    g_assert_cmpstr(target->tags[1], ==, "net");
    g_assert_cmpstr(target->setup[0], ==, "modprobe x");
    g_assert_cmpint(target->timeout, ==, 90000);
    g_assert_cmpint(target->boot_timeout, ==, 90000);
    g_assert_cmpint(target->retries, ==, 2);
    g_assert_true(target->expect->has_signal);
    g_assert_cmpint(target->expect->signal, ==, 11);
    g_assert_false(target->expect->has_status);
    g_assert_cmpstr(target->expect->stdout_match, ==, "(?i)ok$");
    g_assert_true(target->requires->kvm);
    g_assert_false(target->requires->root);
    g_assert_cmpstr(target->requires->files[1], ==, "/base dir/x");
    g_assert_cmpstr(variable->name, ==, "B");
    g_assert_cmpstr(variable->value, ==, "");
    g_assert_cmpstr(target->env_pass[1], ==, "LC_*");
    g_assert_true(node->has_memory);
    g_assert_cmpuint(node->memory, ==, G_GUINT64_CONSTANT(256) << 20);
    g_assert_cmpstr(node->cpus, ==, "1");
    g_assert_cmpstr(disk->path, ==, "/base dir/d.img");
    g_assert_cmpint(disk->format, ==, MF_CONFIG_DISK_FORMAT_RAW);
    g_assert_true(disk->writable);
    g_assert_cmpstr(target->forward[1], ==, "udp:5353:53");
    g_assert_cmpstr(target->stdin_, ==, "/base dir/in.txt");
    g_assert_true(target->has_cache);
    g_assert_cmpint(target->cache, ==, MF_CONFIG_CACHE_LOOSE);
}

static void
test_a_profile_need_not_say_all_and_may_say_it_with_variables(void)
{
    static const char text[] =
        "[profile.p]\nvm.memory = '{{size}}'\nvm.mounts.'/m'.writable = true\n"
        "timeout = '{{limit}}s'\nroot_mode = '{{mode}}'\nexpect.signal = '{{signal}}'\n"
        "expect.stdout_match = '({{env.WORDS}})'\ncommand = '{{{{x'\ntags = ['{{tag}}']\n"
        "variables = { tag = 'x' }\n"
        "[profile.p.matrix]\nkernel = ['no-such-*']\n'variables.size' = ['1G', '2G']\n"
        "[[profile.p.matrix.exclude]]\nkernel = '*5*'\n"
        "[[profile.p.target]]\nname = 'a'\nuser = '{{who}}'\n";
    g_autoptr(GError) error = NULL;
    g_autoptr(json_object) tree = mf_toml_parse(text, strlen(text), "c.toml", &error);

    g_assert_no_error(error);
    mf_config_check_document(tree, &error);
    g_assert_no_error(error);
}

/* The first target of a config, with the tree that it is in. */
static json_object *
parse_target(const char *text, json_object **ret_tree)
{
    g_autoptr(GError) error = NULL;

    *ret_tree = mf_toml_parse(text, strlen(text), "c.toml", &error);
    g_assert_no_error(error);
    return json_object_array_get_idx(json_object_object_get(*ret_tree, "target"), 0);
}

/* Of all targets, some of which have no use for it. */
static void
test_what_a_profile_says_passes_by_a_target_that_has_no_use_for_it(void)
{
    static const MfOrigin profile = {.kind = MF_ORIGIN_PROFILE, .name = "c.toml"};
    json_object *tree, *target = parse_target("[[target]]\nname = 'a'\nkernel = 'k'\n"
                                              "success_exit_code = 33\nboot_timeout = '1m'\n",
                                              &tree);
    g_autoptr(GError) error = NULL;
    g_autoptr(MfConfigTarget) config = NULL;

    g_assert_null(mf_config_read_target(target, "/", &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_clear_error(&error);
    mf_origin_set(json_object_object_get(target, "boot_timeout"), &profile);
    config = mf_config_read_target(target, "/", &error);
    g_assert_no_error(error);
    g_assert_cmpint(config->boot_timeout, ==, 60000);
    json_object_put(tree);
}

static void
test_added_defaults_are_what_is_read_without_them(void)
{
    g_autoptr(json_object) tree = NULL;
    json_object *target = parse_target("[[target]]\nname = 'a'\nkernel = 'k'\ncommand = 'x'\n"
                                       "vm.mounts.'/m'.host_path = 'h'\n"
                                       "disks = [{ path = 'd' }]\nrequires = {}\n",
                                       &tree);
    g_autoptr(GError) error = NULL;
    g_autoptr(MfConfigTarget) before = mf_config_read_target(target, "/", &error);
    g_autoptr(json_object) expected = mf_config_target_to_json(before);
    json_object *vm, *value;

    mf_config_add_defaults(target);
    vm = json_object_object_get(target, "vm");
    value = json_object_object_get(vm, "memory");
    g_assert_cmpstr(json_object_get_string(value), ==, "1G");
    g_assert_cmpint(mf_origin_get(value)->kind, ==, MF_ORIGIN_DEFAULT);
    value = json_object_object_get(json_object_object_get(vm, "mounts"), "/m");
    g_assert_true(json_object_object_get_ex(value, "writable", NULL));
    g_assert_false(json_object_object_get_ex(value, "guest_path", NULL));
    value = json_object_array_get_idx(json_object_object_get(target, "disks"), 0);
    g_assert_true(json_object_object_get_ex(value, "writable", NULL));
    value = json_object_object_get(target, "requires");
    g_assert_true(json_object_object_get_ex(value, "kvm", NULL));

    g_autoptr(MfConfigTarget) after = mf_config_read_target(target, "/", &error);
    g_assert_no_error(error);
    g_autoptr(json_object) found = mf_config_target_to_json(after);
    g_assert_true(json_object_equal(expected, found));
}

static void
test_value_of_no_file_is_refused_by_the_name_of_its_layer(void)
{
    const MfOrigin layer = {MF_ORIGIN_ENVIRONMENT, g_intern_string("MAYFLY_NET"), 0, 0, 0, 0};
    g_autoptr(json_object) tree = NULL;
    json_object *target =
        parse_target("[[target]]\nname = 'a'\nkernel = 'k'\ncommand = 'x'\n", &tree);
    json_object *net = json_object_new_string("all");
    g_autoptr(GError) error = NULL;

    mf_origin_set(net, &layer);
    json_object_object_add(target, "net", net);
    g_assert_null(mf_config_read_target(target, "/", &error));
    g_assert_cmpstr(error->message, ==,
                    "MAYFLY_NET: Key 'net' is \"all\", but one of none, user is expected.");
}

static void
test_kernel_that_is_a_file_beside_the_config_is_that_file(void)
{
    g_autoptr(json_object) tree = NULL;
    json_object *target =
        parse_target("[[target]]\nname = 'a'\nkernel = 'data'\ncommand = 'x'\n", &tree);
    g_autoptr(GError) error = NULL;
    g_autoptr(MfConfigTarget) read =
        mf_config_read_target(target, g_test_get_dir(G_TEST_DIST), &error);
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "data", NULL);

    g_assert_no_error(error);
    g_assert_cmpstr(read->kernel, ==, path);
}

/* What the mutations begin with: every kind of value, and every form of table. */
static const char seed[] = "[variables]\nv = 1979-05-27T07:32:00Z\n"
                           "[[target]]\nname = \"a\\u00e9\"\nkernel = 'k'\ncommand = ['x', \"y\"]\n"
                           "timeout = '1m'\nexpect = { signal = 'SEGV', stdout_match = 'a[b]' }\n"
                           "env = { A = '1', \"B C\" = '' }\nnet = 'user'\n"
                           "forward = ['tcp:80:80']\nnuma = [{ memory = 1024, cpus = '0-1' }]\n"
                           "vm.num_cpus = 2\n[target.vm.mounts.'/m']\nhost_path = '.'\n"
                           "[[target.disks]]\npath = '''\nd'''\n# end\n";

/* One random change: a byte replaced or inserted, some removed, or some copied elsewhere. */
static void
mutate(GString *text)
{
    static const char bytes[] = "[]{}\"'=.,#\n\r\t \\0-9aZ_\xC3\xA9\xFF";
    char byte = bytes[g_test_rand_int_range(0, sizeof bytes)];
    gsize at = (gsize)g_test_rand_int_range(0, (gint32)text->len);
    gsize most = (gsize)g_test_rand_int_range(1, 12);
    gsize length = MIN(most, text->len - at);
    g_autofree char *piece = g_strndup(text->str + at, length);

    switch (g_test_rand_int_range(0, 4)) {
    case 0:
        text->str[at] = byte;
        break;
    case 1:
        g_string_insert_c(text, (gssize)at, byte);
        break;
    case 2:
        g_string_erase(text, (gssize)at, (gssize)length);
        break;
    default:
        g_string_insert(text, g_test_rand_int_range(0, (gint32)text->len), piece);
    }
}

static void
test_mutated_config_is_read_or_refused_with_a_place(void)
{
    guint read = 0, refused = 0;

    for (guint round = 0; round < 20000; round++) {
        g_autoptr(GString) text = g_string_new(seed);
        g_autoptr(GError) error = NULL;

        for (int n = g_test_rand_int_range(1, 6); n > 0 && text->len > 0; n--)
            mutate(text);
        g_autoptr(GPtrArray) targets = read_config(text->str, text->len, &error);
        if (targets) {
            read++;
            continue;
        }
        refused++;
        g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
        g_assert_true(g_regex_match_simple("^c\\.toml:[1-9][0-9]*:[1-9][0-9]*: .+\\.\\Z",
                                           error->message, G_REGEX_DOTALL | G_REGEX_RAW, 0));
    }
    g_assert_cmpuint(read, >, 0);
    g_assert_cmpuint(refused, >, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_bad_configs();
    g_test_add_func("/config-read/every-key-of-vmtest-is-read-with-its-meaning",
                    test_every_key_of_vmtest_is_read_with_its_meaning);
    g_test_add_func("/config-read/every-key-of-an-image-of-vmtest-is-read",
                    test_every_key_of_an_image_of_vmtest_is_read);
    g_test_add_func("/config-read/what-a-target-does-not-say-has-its-default",
                    test_what_a_target_does_not_say_has_its_default);
    g_test_add_func("/config-read/keys-beyond-vmtest-are-read", test_keys_beyond_vmtest_are_read);
    g_test_add_func("/config-read/a-profile-need-not-say-all-and-may-say-it-with-variables",
                    test_a_profile_need_not_say_all_and_may_say_it_with_variables);
    g_test_add_func("/config-read/what-a-profile-says-passes-by-a-target-that-has-no-use-for-it",
                    test_what_a_profile_says_passes_by_a_target_that_has_no_use_for_it);
    g_test_add_func("/config-read/added-defaults-are-what-is-read-without-them",
                    test_added_defaults_are_what_is_read_without_them);
    g_test_add_func("/config-read/value-of-no-file-is-refused-by-the-name-of-its-layer",
                    test_value_of_no_file_is_refused_by_the_name_of_its_layer);
    g_test_add_func("/config-read/kernel-that-is-a-file-beside-the-config-is-that-file",
                    test_kernel_that_is_a_file_beside_the_config_is_that_file);
    g_test_add_func("/config-read/mutated-config-is-read-or-refused-with-a-place",
                    test_mutated_config_is_read_or_refused_with_a_place);
    return g_test_run();
}
