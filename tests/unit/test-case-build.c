/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/case-build.h"

#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "run/check.h"
#include "run/crash-evidence.h"
#include "run/metric.h"
#include "suite/config-read.h"
#include "suite/toml.h"

#define FILE_PATH "/projects/net/mayfly.toml"

static char *environment[] = {(char *)"HOME=/srv/ann", (char *)"PATH=/bin:/usr/bin",
                              (char *)"LC_ALL=C", (char *)"LC_TIME=de_DE", NULL};

static void
put_object(gpointer object)
{
    json_object_put(object);
}

/* The cases of a config file's text, whose targets only lack their defaults. */
static GPtrArray *
build_all(const char *text, gboolean skip_missing, GError **error)
{
    const MfCaseBuildOptions options = {FILE_PATH, environment, skip_missing};
    g_autoptr(GPtrArray) targets = g_ptr_array_new_with_free_func(put_object);
    g_autoptr(GError) parse_error = NULL;
    json_object *document = mf_toml_parse(text, strlen(text), FILE_PATH, &parse_error);

    g_assert_no_error(parse_error);
    json_object *array = json_object_object_get(document, "target");
    for (size_t i = 0; i < json_object_array_length(array); i++) {
        json_object *target = json_object_array_get_idx(array, i);

        mf_config_add_defaults(target);
        g_ptr_array_add(targets, json_object_get(target));
    }
    GPtrArray *cases = mf_case_build_all(targets, &options, error);
    json_object_put(document);
    return cases;
}

/* One target with these further lines. */
static GPtrArray *
build_one(const char *lines)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = g_strconcat("[[target]]\nname = 'ping (v6)'\ncommand = 'true'\n"
                                        "kernel = './bzImage'\n",
                                        lines, NULL);
    GPtrArray *cases = build_all(text, FALSE, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(cases->len, ==, 1);
    return cases;
}

static const MfCase *
first(const GPtrArray *cases)
{
    return cases->pdata[0];
}

static void
test_paths_are_meant_from_the_file_s_directory(void)
{
    g_autoptr(GPtrArray) cases =
        build_one("rootfs = 'root'\nstdin = '../input'\nqemu_command = './qemu'\n"
                  "vm.mounts.'/data'.host_path = 'data'\n[[target.disks]]\npath = 'disk.raw'\n");
    const MfTarget *target = first(cases)->target;

    g_assert_cmpstr(target->kernel, ==, "/projects/net/bzImage");
    g_assert_cmpstr(target->root, ==, "/projects/net/root");
    g_assert_cmpstr(target->share, ==, "/projects/net");
    g_assert_cmpstr(target->stdin_path, ==, "/projects/input");
    g_assert_cmpstr(target->qemu, ==, "/projects/net/qemu");
    g_assert_cmpstr(((MfShare *)target->mounts->pdata[0])->host_path, ==, "/projects/net/data");
    g_assert_cmpstr(((MfDisk *)target->disks->pdata[0])->path, ==, "/projects/net/disk.raw");
}

static void
test_rules_for_splats_reach_the_target(void)
{
    g_autoptr(GPtrArray) plain = build_one("");
    g_autoptr(GPtrArray) given =
        build_one("splat = 'warn'\nsplat_allow = 'known'\nsplat_deny = '/etc/never'\n");
    const MfTarget *target = first(given)->target;

    g_assert_cmpint(first(plain)->target->splat, ==, MF_SPLAT_RULE_DEFAULT);
    g_assert_null(first(plain)->target->splat_allow);
    g_assert_cmpint(target->splat, ==, MF_SPLAT_RULE_WARN);
    g_assert_cmpstr(target->splat_allow, ==, "/projects/net/known");
    g_assert_cmpstr(target->splat_deny, ==, "/etc/never");
}

static void
test_what_is_done_about_a_crash_or_a_hang_reaches_the_target(void)
{
    g_autoptr(GPtrArray) plain = build_one("");
    g_autoptr(GPtrArray) given =
        build_one("on_crash = ['screenshot', 'dump']\nhang_timeout = '1m'\n"
                  "watchdog = '90s'\nsnapshots = 3\n");
    const MfTarget *target = first(given)->target;

    g_assert_cmpuint(first(plain)->target->on_crash, ==, 0);
    g_assert_cmpint(first(plain)->target->hang_timeout_ms, ==, 0);
    g_assert_cmpint(first(plain)->target->watchdog_ms, ==, 0);
    g_assert_cmpuint(first(plain)->target->snapshots, ==, 0);
    g_assert_cmpuint(target->on_crash, ==, MF_ON_CRASH_DUMP | MF_ON_CRASH_SCREENSHOT);
    g_assert_cmpint(target->hang_timeout_ms, ==, 60000);
    g_assert_cmpint(target->watchdog_ms, ==, 90000);
    g_assert_cmpuint(target->snapshots, ==, 3);
}

static void
test_a_case_knows_its_place_and_has_an_id_fit_for_a_file(void)
{
    g_autoptr(GPtrArray) cases = build_one("tags = ['net', 'quick']\nretries = 3\n");
    const MfCase *the_case = first(cases);

    g_assert_cmpstr(the_case->name, ==, "ping (v6)");
    g_assert_true(g_str_has_prefix(the_case->id, "ping-v6-"));
    g_assert_cmpstr(the_case->file, ==, FILE_PATH);
    g_assert_cmpuint(the_case->line, ==, 2);
    g_assert_cmpuint(the_case->retries, ==, 3);
    g_assert_true(g_strv_contains((const char *const *)the_case->tags, "quick"));
    g_assert_null(the_case->skip_reason);
}

static void
test_what_is_not_said_is_as_for_mayfly_run(void)
{
    g_autoptr(GPtrArray) cases = build_one("");
    g_autoptr(MfTarget) expected = mf_target_new();
    const MfTarget *target = first(cases)->target;

    g_assert_cmpuint(target->memory, ==, expected->memory);
    g_assert_cmpuint(target->cpus, ==, expected->cpus);
    g_assert_cmpint(target->root_mode, ==, expected->root_mode);
    g_assert_cmpint(target->share_type, ==, expected->share_type);
    g_assert_cmpint(target->cache, ==, expected->cache);
    g_assert_cmpint(target->init, ==, expected->init);
    g_assert_cmpint(target->arch, ==, expected->arch);
    g_assert_cmpint(target->accel, ==, expected->accel);
    g_assert_cmpint(target->net, ==, expected->net);
    g_assert_cmpint(target->timeout_ms, ==, expected->timeout_ms);
    g_assert_cmpint(target->boot_timeout_ms, ==, expected->boot_timeout_ms);
    g_assert_cmpstr(target->root, ==, expected->root);
    g_assert_cmpstr(target->hostname, ==, expected->hostname);
    g_assert_false(target->image_writable || target->uefi || target->cold || target->kaslr);
    g_assert_null(target->expect);
}

static void
test_every_named_value_is_taken_over(void)
{
    g_autoptr(GPtrArray) cases =
        build_one("root_mode = 'rw'\nshare = 'virtiofs'\ncache = 'loose'\ninit = 'script'\n"
                  "arch = 'aarch64'\naccel = 'tcg'\nnet = 'user'\nforward = ['udp:5000:53']\n"
                  "expect = {signal = 'SEGV', stderr_match = 'oops'}\ntimeout = '90s'\n"
                  "vm = {num_cpus = 4, memory = '2G', extra_args = ['-s']}\n");
    const MfTarget *target = first(cases)->target;

    g_assert_cmpint(target->root_mode, ==, MF_ROOT_RW);
    g_assert_cmpint(target->share_type, ==, MF_SHARE_VIRTIOFS);
    g_assert_cmpint(target->cache, ==, MF_9P_CACHE_LOOSE);
    g_assert_cmpint(target->init, ==, MF_INIT_SCRIPT);
    g_assert_cmpint(target->arch, ==, MF_ARCH_AARCH64);
    g_assert_cmpint(target->accel, ==, MF_ACCEL_TCG);
    g_assert_cmpint(target->net, ==, MF_NET_USER);
    g_assert_true(g_array_index(target->forwards, MfForward, 0).udp);
    g_assert_cmpint(target->expect->signal_number, ==, 11);
    g_assert_cmpstr(target->expect->stderr_match, ==, "oops");
    g_assert_cmpint(target->timeout_ms, ==, 90000);
    g_assert_cmpuint(target->cpus, ==, 4);
    g_assert_cmpuint(target->memory, ==, G_GUINT64_CONSTANT(2) << 30);
    g_assert_cmpstr(target->qemu_args[0], ==, "-s");
}

static void
test_a_command_is_a_shell_s_text_or_words(void)
{
    g_autoptr(GPtrArray) text = build_one("");
    g_autoptr(GPtrArray) words = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_cmpstr(first(text)->target->shell, ==, "true");
    g_assert_null(first(text)->target->argv);
    words = build_all("[[target]]\nname = 'a'\nkernel = 'k'\ncommand = ['echo', '$HOME']\n", FALSE,
                      &error);
    g_assert_no_error(error);
    g_assert_null(first(words)->target->shell);
    g_assert_cmpstr(first(words)->target->argv[1], ==, "$HOME");
}

static void
test_ro_for_the_kernel_is_a_read_only_root_unless_a_mode_is_given(void)
{
    g_autoptr(GPtrArray) plain = build_one("kernel_args = 'quiet ro'\n");
    g_autoptr(GPtrArray) given = build_one("kernel_args = 'ro'\nroot_mode = 'overlay'\n");
    g_autoptr(GPtrArray) other = build_one("kernel_args = 'root=/dev/ro'\n");

    g_assert_cmpint(first(plain)->target->root_mode, ==, MF_ROOT_RO);
    g_assert_cmpint(first(given)->target->root_mode, ==, MF_ROOT_OVERLAY);
    g_assert_cmpint(first(other)->target->root_mode, ==, MF_ROOT_OVERLAY);
}

static void
test_a_mount_inside_of_another_comes_after_it(void)
{
    g_autoptr(GPtrArray) cases =
        build_one("vm.mounts.'/data/deep/er'.host_path = '/c'\n"
                  "vm.mounts.'/data'.host_path = '/a'\nvm.mounts.'/data'.writable = true\n"
                  "vm.mounts.'/data/deep/'.host_path = '/a'\n");
    const GPtrArray *mounts = first(cases)->target->mounts;
    const MfShare *outer = mounts->pdata[0], *middle = mounts->pdata[1], *inner = mounts->pdata[2];

    g_assert_cmpstr(outer->guest_path, ==, "/data");
    g_assert_true(outer->writable);
    g_assert_cmpstr(middle->guest_path, ==, "/data/deep");
    g_assert_cmpstr(inner->guest_path, ==, "/data/deep/er");
    /* The same directory twice is two mounts. */
    g_assert_cmpstr(outer->tag, !=, middle->tag);
    g_assert_cmpstr(outer->id, !=, middle->id);
}

static void
test_a_kernel_s_command_has_our_environment_and_what_the_file_adds(void)
{
    g_autoptr(GPtrArray) cases = build_one("env = {LC_ALL = 'en_US', EMPTY = ''}\n");
    char **env = first(cases)->target->env;

    g_assert_cmpstr(g_environ_getenv(env, "HOME"), ==, "/srv/ann");
    g_assert_cmpstr(g_environ_getenv(env, "LC_ALL"), ==, "en_US");
    g_assert_cmpstr(g_environ_getenv(env, "EMPTY"), ==, "");
}

static void
test_env_pass_leaves_only_what_it_names(void)
{
    g_autoptr(GPtrArray) cases = build_one("env_pass = ['PATH', 'LC_*']\n");
    char **env = first(cases)->target->env;

    g_assert_cmpuint(g_strv_length(env), ==, 3);
    g_assert_cmpstr(g_environ_getenv(env, "LC_TIME"), ==, "de_DE");
    g_assert_null(g_environ_getenv(env, "HOME"));
}

static void
test_an_image_s_command_has_an_environment_of_its_own(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) cases =
        build_all("[[target]]\nname = 'a'\nimage = 'disk.raw'\ncommand = 'true'\nenv.A = '1'\n"
                  "[[target]]\nname = 'b'\nimage = 'disk.raw'\ncommand = 'true'\n"
                  "env_pass = ['HOME']\nenv.USER = 'ann'\n",
                  FALSE, &error);

    g_assert_no_error(error);
    char **env = first(cases)->target->env;
    g_assert_cmpstr(first(cases)->target->image, ==, "/projects/net/disk.raw");
    g_assert_cmpstr(g_environ_getenv(env, "A"), ==, "1");
    g_assert_cmpstr(g_environ_getenv(env, "HOME"), ==, "/root");
    g_assert_cmpstr(g_environ_getenv(env, "USER"), ==, "root");
    g_assert_true(g_str_has_prefix(g_environ_getenv(env, "PATH"), "/usr/local/sbin:"));
    g_assert_null(g_environ_getenv(env, "LC_ALL"));

    env = ((const MfCase *)cases->pdata[1])->target->env;
    g_assert_cmpstr(g_environ_getenv(env, "HOME"), ==, "/srv/ann");
    g_assert_cmpstr(g_environ_getenv(env, "USER"), ==, "ann");
}

static void
test_what_a_host_lacks_is_a_reason_to_skip(void)
{
    g_autoptr(GPtrArray) program = build_one("requires.commands = ['sh', 'no-such-program']\n");
    g_autoptr(GPtrArray) file = build_one("requires.files = ['/', 'missing']\n");
    g_autoptr(GPtrArray) nothing = build_one("requires = {commands = ['sh'], files = ['/']}\n");
    g_autoptr(GPtrArray) root = build_one("requires.root = true\n");

    g_assert_cmpstr(first(program)->skip_reason, ==,
                    "It requires the program 'no-such-program', which is not in PATH.");
    g_assert_cmpstr(first(file)->skip_reason, ==,
                    "It requires '/projects/net/missing', which does not exist.");
    g_assert_null(first(nothing)->skip_reason);
    g_assert_cmpint(first(root)->skip_reason == NULL, ==, geteuid() == 0);
}

static void
test_a_missing_kernel_is_a_reason_to_skip_only_when_asked_for(void)
{
    const char *text = "[[target]]\nname = 'a'\nkernel = './missing'\ncommand = 'true'\n"
                       "qemu_command = '/bin/true'\n";
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) skipped = build_all(text, TRUE, &error);
    g_autoptr(GPtrArray) run = build_all(text, FALSE, &error);

    g_assert_no_error(error);
    g_assert_nonnull(strstr(first(skipped)->skip_reason, "'/projects/net/missing'"));
    g_assert_null(first(run)->skip_reason);
}

static void
test_console_rules_are_taken_as_they_are_written(void)
{
    g_autoptr(GPtrArray) cases = build_one(
        "subtests = 'tap'\n"
        "[[target.console]]\nexpect = ['a', 'b']\ntimeout = '30s'\nfail_on = ['c']\n"
        "[[target.console]]\npass = ['(d)']\n"
        "respond = [{pattern = 'e', send = 'f'}, {pattern = 'g', send = 'h', times = 2}]\n");
    const MfTarget *target = first(cases)->target;
    const MfConsoleRule *one = g_ptr_array_index(target->console, 0);
    const MfConsoleRule *two = g_ptr_array_index(target->console, 1);
    const MfConsoleAnswer *answer = g_ptr_array_index(two->respond, 1);

    g_assert_false(target->bare);
    g_assert_cmpint(target->subtests, ==, MF_SUBTEST_FORMAT_TAP);
    g_assert_cmpuint(target->console->len, ==, 2);
    g_assert_cmpstr(one->expect[1], ==, "b");
    g_assert_cmpint(one->timeout_ms, ==, 30000);
    g_assert_cmpstr(one->fail_on[0], ==, "c");
    g_assert_cmpint(one->subtests, ==, MF_SUBTEST_FORMAT_NONE);
    g_assert_null(two->expect);
    g_assert_cmpint(two->timeout_ms, ==, MF_CONSOLE_RULE_DEFAULT_TIMEOUT_MS);
    /* Patterns say it without the word. */
    g_assert_cmpint(two->subtests, ==, MF_SUBTEST_FORMAT_LINES);
    g_assert_cmpuint(two->respond->len, ==, 2);
    g_assert_cmpstr(answer->pattern, ==, "g");
    g_assert_cmpstr(answer->send, ==, "h");
    g_assert_cmpuint(answer->times, ==, 2);
}

static void
test_a_target_without_a_command_is_bare_and_cold(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) cases =
        build_all("[[target]]\nname = 'a'\nkernel = './bzImage'\ninitramfs = 'root.cpio'\n"
                  "console = [{expect = ['up']}]\n",
                  FALSE, &error);

    g_assert_no_error(error);
    g_assert_true(first(cases)->target->bare);
    g_assert_true(first(cases)->target->cold);
    g_assert_cmpstr(first(cases)->target->initramfs, ==, "/projects/net/root.cpio");
}

static void
test_a_medium_is_what_boots_and_brings_its_own_environment(void)
{
    static const struct {
        const char *key;
        MfMedium medium;
    } media[] = {
        {"image", MF_MEDIUM_DISK},
        {"iso", MF_MEDIUM_DISC},
        {"fat", MF_MEDIUM_FAT},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(media); i++) {
        g_autofree char *text = g_strdup_printf(
            "[[target]]\nname = 'a'\ncommand = 'c'\n%s = './x'\nuefi = true\n", media[i].key);
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) cases = build_all(text, FALSE, &error);

        g_assert_no_error(error);
        g_assert_cmpstr(first(cases)->target->image, ==, "/projects/net/x");
        g_assert_cmpint(first(cases)->target->medium, ==, media[i].medium);
        g_assert_cmpstr(g_environ_getenv(first(cases)->target->env, "HOME"), ==, "/root");
        g_assert_false(first(cases)->target->bare);
    }
}

static void
test_secure_boot_has_its_mode_and_its_variables(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) cases =
        build_all("[[target]]\nname = 'a'\ncommand = 'c'\nkernel = './bzImage'\nuefi = true\n"
                  "secure_boot = 'custom'\nsecure_boot_vars = 'keys.fd'\n",
                  FALSE, &error);

    g_assert_no_error(error);
    g_assert_true(first(cases)->target->uefi);
    g_assert_cmpint(first(cases)->target->secure_boot, ==, MF_SECURE_BOOT_CUSTOM);
    g_assert_cmpstr(first(cases)->target->secure_boot_vars, ==, "/projects/net/keys.fd");
}

static void
test_q_8_an_exit_code_is_asked_for_only_where_it_is_named(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) cases =
        build_all("[[target]]\nname = 'a-0123456789abcdef'\nimage = './a-0123456789abcdef'\n"
                  "arch = 'x86_64'\nconsole = [{expect = ['up']}]\n"
                  "[[target]]\nname = 'b'\nimage = './b'\narch = 'x86_64'\n"
                  "success_exit_code = 33\n",
                  FALSE, &error);
    const MfCase *second;

    g_assert_no_error(error);
    second = cases->pdata[1];
    g_assert_cmpuint(first(cases)->target->success_exit_code, ==, 0);
    g_assert_cmpuint(second->target->success_exit_code, ==, 33);
    g_assert_true(second->target->bare && second->target->cold);
}

#define PAYLOADS                                                                                   \
    "[[target]]\nname = 'p'\nkernel = 'k'\nrepeat = 4\n"                                           \
    "[[target.payload]]\nname = 'server'\ncommand = 'serve 1'\nuses_parent_pgrp = true\n"          \
    "[[target.payload]]\nname = 'client'\ncommand = ['ask', 'it']\nargs = ['-v']\n"                \
    "env = { A = 'b' }\nworkdir = '/srv'\nuser = 'ann'\ntimeout = '3s'\noutput = 'json'\n"         \
    "cgroup = '/a/b'\nlimits = { cpu_max = '20000 100000', pids_max = 7 }\n"                       \
    "metric = [{ name = 'iops', unit = '1/s', polarity = 'higher' }]\n"                            \
    "check = [{ exit_code = 2 }, { metric = 'iops', range = [1, 2.5] }]\n"

/* A config of one target that is written out in full. */
static GPtrArray *
build_text(const char *text)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *cases = build_all(text, FALSE, &error);

    g_assert_no_error(error);
    return cases;
}

static void
test_payloads_are_taken_as_they_are_written(void)
{
    g_autoptr(GPtrArray) cases = build_text(PAYLOADS);
    const MfTarget *target = first(cases)->target;
    const MfPayload *server = target->payloads->pdata[0], *client = target->payloads->pdata[1];
    const MfMetricHint *hint = client->hints->pdata[0];
    const MfCheck *code = client->checks->pdata[0], *range = client->checks->pdata[1];

    g_assert_false(target->bare);
    g_assert_cmpuint(target->repeat, ==, 4);
    g_assert_cmpuint(target->steps->len, ==, 0);
    g_assert_cmpstr(server->shell, ==, "serve 1");
    g_assert_true(server->uses_parent_pgrp && !client->uses_parent_pgrp);
    g_assert_null(server->cgroup);
    g_assert_cmpint(server->output, ==, MF_PAYLOAD_EXIT_CODE);
    g_assert_cmpstr(client->argv[1], ==, "it");
    g_assert_cmpstr(client->args[0], ==, "-v");
    g_assert_cmpstr(client->env[0], ==, "A=b");
    g_assert_cmpstr(client->workdir, ==, "/srv");
    g_assert_cmpstr(client->user, ==, "ann");
    g_assert_cmpint(client->timeout_ms, ==, 3000);
    g_assert_cmpint(client->output, ==, MF_PAYLOAD_JSON);
    g_assert_cmpstr(client->cgroup, ==, "a/b");
    g_assert_cmpstr(client->limits->pdata[0], ==, "cpu.max=20000 100000");
    g_assert_cmpstr(client->limits->pdata[1], ==, "pids.max=7");
    g_assert_cmpstr(hint->name, ==, "iops");
    g_assert_cmpint(hint->polarity, ==, MF_POLARITY_HIGHER);
    g_assert_cmpint(code->code, ==, 2);
    g_assert_cmpint(range->kind, ==, MF_CHECK_RANGE);
    g_assert_cmpfloat(range->high, ==, 2.5);
}

static void
test_checks_of_a_scenario_are_taken_as_they_are_written(void)
{
    g_autoptr(GPtrArray) cases = build_text("[[target]]\nname = 's'\nkernel = 'k'\ncommand = 'c'\n"
                                            "[[target.check]]\nmetric = 'ops'\nmin = 100\n"
                                            "[[target.check]]\nmetric = 'lat'\nexists = true\n");
    const GPtrArray *checks = first(cases)->target->checks;
    const MfCheck *ops = checks->pdata[0], *lat = checks->pdata[1];

    g_assert_cmpuint(checks->len, ==, 2);
    g_assert_cmpint(ops->kind, ==, MF_CHECK_MIN);
    g_assert_cmpstr(ops->metric, ==, "ops");
    g_assert_cmpfloat(ops->low, ==, 100);
    g_assert_cmpint(lat->kind, ==, MF_CHECK_EXISTS);
}

static void
test_steps_are_taken_as_they_are_written(void)
{
    g_autoptr(GPtrArray) cases =
        build_text(PAYLOADS "[[target.step]]\nspawn = 'server'\nargs = ['x']\nclear_args = true\n"
                            "check = [{ exit_code = 143 }]\n"
                            "[[target.step]]\nsleep = '250ms'\n"
                            "[[target.step]]\nrun = 'client'\nclear_checks = true\n"
                            "[[target.step]]\nsignal = 'server'\nsend = 'TERM'\n"
                            "[[target.step]]\nwait = 'server'\ntimeout = '2s'\n");
    MfStep *const *steps = (MfStep *const *)first(cases)->target->steps->pdata;

    g_assert_cmpuint(first(cases)->target->steps->len, ==, 5);
    g_assert_cmpint(steps[0]->kind, ==, MF_STEP_SPAWN);
    g_assert_cmpstr(steps[0]->args[0], ==, "x");
    g_assert_true(steps[0]->clear_args);
    g_assert_cmpint(((MfCheck *)steps[0]->checks->pdata[0])->code, ==, 143);
    g_assert_cmpint(steps[1]->kind, ==, MF_STEP_SLEEP);
    g_assert_cmpint(steps[1]->sleep_ms, ==, 250);
    g_assert_cmpint(steps[2]->kind, ==, MF_STEP_RUN);
    g_assert_cmpuint(steps[2]->payload, ==, 1);
    g_assert_true(steps[2]->clear_checks);
    g_assert_cmpint(steps[3]->kind, ==, MF_STEP_SIGNAL);
    g_assert_cmpint(steps[3]->signal_number, ==, 15);
    g_assert_cmpint(steps[4]->kind, ==, MF_STEP_WAIT);
    g_assert_cmpint(steps[4]->timeout_ms, ==, 2000);
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*test)(void);
    } tests[] = {
        {"what-is-done-about-a-crash-or-a-hang-reaches-the-target",
         test_what_is_done_about_a_crash_or_a_hang_reaches_the_target},
        {"rules-for-splats-reach-the-target", test_rules_for_splats_reach_the_target},
        {"paths-are-meant-from-the-file-s-directory",
         test_paths_are_meant_from_the_file_s_directory},
        {"a-case-knows-its-place-and-has-an-id-fit-for-a-file",
         test_a_case_knows_its_place_and_has_an_id_fit_for_a_file},
        {"what-is-not-said-is-as-for-mayfly-run", test_what_is_not_said_is_as_for_mayfly_run},
        {"every-named-value-is-taken-over", test_every_named_value_is_taken_over},
        {"a-command-is-a-shell-s-text-or-words", test_a_command_is_a_shell_s_text_or_words},
        {"ro-for-the-kernel-is-a-read-only-root-unless-a-mode-is-given",
         test_ro_for_the_kernel_is_a_read_only_root_unless_a_mode_is_given},
        {"a-mount-inside-of-another-comes-after-it", test_a_mount_inside_of_another_comes_after_it},
        {"a-kernel-s-command-has-our-environment-and-what-the-file-adds",
         test_a_kernel_s_command_has_our_environment_and_what_the_file_adds},
        {"env-pass-leaves-only-what-it-names", test_env_pass_leaves_only_what_it_names},
        {"an-image-s-command-has-an-environment-of-its-own",
         test_an_image_s_command_has_an_environment_of_its_own},
        {"console-rules-are-taken-as-they-are-written",
         test_console_rules_are_taken_as_they_are_written},
        {"a-target-without-a-command-is-bare-and-cold",
         test_a_target_without_a_command_is_bare_and_cold},
        {"a-medium-is-what-boots-and-brings-its-own-environment",
         test_a_medium_is_what_boots_and_brings_its_own_environment},
        {"secure-boot-has-its-mode-and-its-variables",
         test_secure_boot_has_its_mode_and_its_variables},
        {"q-8-an-exit-code-is-asked-for-only-where-it-is-named",
         test_q_8_an_exit_code_is_asked_for_only_where_it_is_named},
        {"payloads-are-taken-as-they-are-written", test_payloads_are_taken_as_they_are_written},
        {"checks-of-a-scenario-are-taken-as-they-are-written",
         test_checks_of_a_scenario_are_taken_as_they_are_written},
        {"steps-are-taken-as-they-are-written", test_steps_are_taken_as_they_are_written},
        {"what-a-host-lacks-is-a-reason-to-skip", test_what_a_host_lacks_is_a_reason_to_skip},
        {"a-missing-kernel-is-a-reason-to-skip-only-when-asked-for",
         test_a_missing_kernel_is_a_reason_to_skip_only_when_asked_for},
    };

    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_autofree char *path = g_strconcat("/case-build/", tests[i].path, NULL);

        g_test_add_func(path, tests[i].test);
    }
    return g_test_run();
}
