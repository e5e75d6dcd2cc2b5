/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/case-build.h"

#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "machine/catalog.h"
#include "run/crash-evidence.h"
#include "suite/check-build.h"
#include "suite/config-read.h"
#include "suite/config-smbios.h"
#include "suite/origin.h"
#include "suite/payload-build.h"

/* What one target is built from. */
typedef struct {
    const MfConfigTarget *config;
    json_object *json; /* that it was read from */
    const MfCaseBuildOptions *options;
    MfTarget *target; /* what it becomes */
} Build;

/* Where the value of 'key' stands, else the whole target. Borrowed. */
static const MfOrigin *
find_origin(json_object *json, const char *key)
{
    const MfOrigin *origin = mf_origin_get(json_object_object_get(json, key));

    return origin ? origin : mf_origin_get(json);
}

static gboolean
is_given(const Build *self, const char *key)
{
    const MfOrigin *origin = mf_origin_get(json_object_object_get(self->json, key));

    return origin && origin->kind != MF_ORIGIN_DEFAULT;
}

static void
replace(char **place, char *text)
{
    g_free(*place);
    *place = text;
}

/* What both sides call by the same names. */
static void
take_enums(const Build *self)
{
    const MfConfigTarget *config = self->config;
    MfTarget *target = self->target;

    mf_root_mode_parse(mf_config_root_mode_to_string(config->root_mode), &target->root_mode, NULL);
    mf_share_type_parse(mf_config_share_type_to_string(config->share), &target->share_type, NULL);
    mf_init_parse(mf_config_init_to_string(config->init), &target->init, NULL);
    mf_accel_parse(mf_config_accel_to_string(config->accel), &target->accel, NULL);
    mf_net_parse(mf_config_net_to_string(config->net), &target->net, NULL);
    mf_secure_boot_parse(mf_config_secure_boot_to_string(config->secure_boot), &target->secure_boot,
                         NULL);
    mf_subtest_format_parse(mf_config_subtests_to_string(config->subtests), &target->subtests,
                            NULL);
    for (guint i = 0; config->on_crash && i < config->on_crash->len; i++) {
        guint flag = 0;

        mf_on_crash_parse(
            mf_config_on_crash_to_string(g_array_index(config->on_crash, MfConfigOnCrash, i)),
            &flag, NULL);
        target->on_crash |= flag;
    }
    mf_splat_rule_parse(mf_config_splat_rule_to_string(config->splat), &target->splat, NULL);
    if (config->has_cache)
        mf_9p_cache_parse(mf_config_cache_to_string(config->cache), &target->cache, NULL);
    if (config->has_arch)
        mf_arch_parse(mf_config_arch_to_string(config->arch), &target->arch, NULL);
    /* The argument would not reach a root that mayfly-guest mounts. */
    if (!is_given(self, "root_mode") && mf_kernel_args_have(config->kernel_args, "ro"))
        target->root_mode = MF_ROOT_RO;
    /* Both need the script: there is nobody else to be init. */
    if (config->no_initramfs || config->init_template)
        target->init = MF_INIT_SCRIPT;
}

static void
take_texts(const Build *self)
{
    const MfConfigTarget *config = self->config;
    MfTarget *target = self->target;

    replace(&target->root, g_strdup(config->rootfs));
    replace(&target->share, g_path_get_dirname(self->options->file));
    replace(&target->hostname, g_strdup(config->hostname));
    target->kernel = g_strdup(config->kernel);
    target->kernel_args = g_strdup(config->kernel_args);
    target->init_template = g_strdup(config->init_template);
    target->bios = g_strdup(config->vm->bios);
    target->secure_boot_vars = g_strdup(config->secure_boot_vars);
    target->stdin_path = g_strdup(config->stdin_);
    target->user = g_strdup(config->user);
    target->workdir = g_strdup(config->workdir);
    target->machine = g_strdup(config->machine);
    target->cpu = g_strdup(config->cpu);
    target->qemu = g_strdup(config->qemu_command);
    target->connect = g_strdup(config->connect);
    target->shared_paths = g_strdupv(config->shared_paths);
    target->qemu_args = g_strdupv(config->vm->extra_args);
    target->setup = g_strdupv(config->setup);
    target->teardown = g_strdupv(config->teardown);
    target->artifacts = g_strdupv(config->artifacts);
    target->splat_allow = g_strdup(config->splat_allow);
    target->splat_deny = g_strdup(config->splat_deny);
    target->initramfs = g_strdup(config->initramfs);
    if (!config->command)
        return;
    if (config->command->kind == MF_CONFIG_COMMAND_KIND_ARGV)
        target->argv = g_strdupv(config->command->argv);
    else
        target->shell = g_strdup(config->command->shell);
}

static void
take_numbers(const Build *self)
{
    const MfConfigTarget *config = self->config;
    MfTarget *target = self->target;

    target->no_initramfs = config->no_initramfs;
    target->kaslr = config->kaslr;
    target->bare = config->command == NULL && config->payload == NULL;
    target->success_exit_code =
        config->has_success_exit_code ? (guint)config->success_exit_code : 0;
    /* What boots bare has no ready point at which it could be saved. */
    target->cold = config->cold || target->bare;
    target->no_save = config->no_save;
    target->image_writable = !config->snapshot;
    target->uefi = config->uefi;
    target->cpus = (guint)config->vm->num_cpus;
    target->memory = config->vm->memory;
    target->timeout_ms = config->timeout;
    target->boot_timeout_ms = config->boot_timeout;
    target->hang_timeout_ms = config->hang_timeout;
    target->watchdog_ms = config->watchdog;
    target->snapshots = (guint)config->snapshots;
}

/* They were read once before, to see whether they can be. */
static void
take_payloads(const Build *self)
{
    MfTarget *target = self->target;

    g_ptr_array_unref(target->payloads);
    g_ptr_array_unref(target->steps);
    target->payloads = mf_payloads_build(self->config, self->json, NULL);
    target->steps = mf_steps_build(self->config, self->json, target->payloads, NULL);
    target->repeat = (guint)self->config->repeat;
}

static void
take_expect(const Build *self)
{
    const MfConfigExpect *config = self->config->expect;

    if (!config)
        return;

    MfExpect *expect = self->target->expect = mf_expect_new();
    expect->has_status = config->has_status;
    expect->status = (int)config->status;
    expect->signal_number = config->has_signal ? (int)config->signal : 0;
    expect->stdout_match = g_strdup(config->stdout_match);
    expect->stderr_match = g_strdup(config->stderr_match);
}

/* Read before, like the payloads. */
static void
take_checks(const Build *self)
{
    g_ptr_array_unref(self->target->checks);
    self->target->checks = mf_checks_build(self->config->check, self->json, NULL);
}

static MfConsoleRule *
make_console_rule(const MfConfigConsole *config)
{
    MfConsoleRule *rule = mf_console_rule_new();

    rule->expect = g_strdupv(config->expect);
    rule->timeout_ms = config->timeout;
    rule->fail_on = g_strdupv(config->fail_on);
    rule->pass = g_strdupv(config->pass);
    rule->fail = g_strdupv(config->fail);
    mf_subtest_format_parse(mf_config_subtests_to_string(config->subtests), &rule->subtests, NULL);
    if (rule->pass || rule->fail)
        rule->subtests = MF_SUBTEST_FORMAT_LINES;
    for (guint i = 0; config->respond && i < config->respond->len; i++) {
        const MfConfigResponse *response = config->respond->pdata[i];

        mf_console_rule_add_answer(rule, response->pattern, response->send,
                                   response->has_times ? (guint)response->times : 0);
    }
    return rule;
}

static void
take_console(const Build *self)
{
    const GPtrArray *console = self->config->console;

    for (guint i = 0; console && i < console->len; i++)
        g_ptr_array_add(self->target->console, make_console_rule(console->pdata[i]));
}

/* What is booted in place of a kernel. It is another system, with an environment of its own. */
static void
take_medium(const Build *self)
{
    const MfConfigTarget *config = self->config;
    const struct {
        const char *path;
        MfMedium medium;
    } media[] = {
        {config->image, MF_MEDIUM_DISK},
        {config->iso, MF_MEDIUM_DISC},
        {config->fat, MF_MEDIUM_FAT},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(media); i++)
        if (media[i].path)
            mf_target_set_image(self->target, media[i].path, media[i].medium);
}

static gboolean
matches_any(char **patterns, const char *name)
{
    for (; *patterns; patterns++)
        if (g_pattern_match_simple(*patterns, name))
            return TRUE;
    return FALSE;
}

/* What is left of our environment, and what the file says above that. What boots by itself gets of
 * ours what was asked for. */
static void
take_env(const Build *self)
{
    const MfConfigTarget *config = self->config;
    const char *image = self->target->image;
    char **env = image ? g_strdupv(self->target->env) : g_new0(char *, 1);

    for (char **entry = self->options->environment; entry && *entry; entry++) {
        g_autofree char *name = g_strndup(*entry, strcspn(*entry, "="));

        if (config->env_pass ? matches_any(config->env_pass, name) : !image)
            env = g_environ_setenv(env, name, g_environ_getenv(self->options->environment, name),
                                   TRUE);
    }
    for (guint i = 0; config->env && i < config->env->len; i++) {
        const MfConfigVariable *variable = config->env->pdata[i];

        env = g_environ_setenv(env, variable->name, variable->value, TRUE);
    }
    g_strfreev(self->target->env);
    self->target->env = env;
}

static int
compare_guest_paths(gconstpointer a, gconstpointer b)
{
    const MfShare *const *left = a, *const *right = b;

    return strcmp((*left)->guest_path, (*right)->guest_path);
}

/* Sorted, so that what is mounted inside of another mount is mounted after it. */
static void
take_mounts(const Build *self)
{
    const GPtrArray *mounts = self->config->vm->mounts;

    for (guint i = 0; mounts && i < mounts->len; i++) {
        const MfConfigMount *mount = mounts->pdata[i];
        g_autofree char *guest_path = g_canonicalize_filename(mount->guest_path, "/");

        g_ptr_array_add(self->target->mounts,
                        mf_share_new_mount(i, mount->host_path, guest_path, mount->writable));
    }
    g_ptr_array_sort(self->target->mounts, compare_guest_paths);
}

static void
take_devices(const Build *self)
{
    const MfConfigTarget *config = self->config;
    MfTarget *target = self->target;

    for (guint i = 0; config->disks && i < config->disks->len; i++) {
        const MfConfigDisk *disk = config->disks->pdata[i];
        const char *format =
            disk->has_format ? mf_config_disk_format_to_string(disk->format) : NULL;

        g_ptr_array_add(target->disks, mf_disk_new(disk->path, format, disk->writable));
    }
    for (guint i = 0; config->numa && i < config->numa->len; i++) {
        const MfConfigNumaNode *node = config->numa->pdata[i];

        g_ptr_array_add(target->numa, mf_numa_node_new(node->memory, node->cpus));
    }
    mf_tpm_parse(mf_config_tpm_to_string(config->tpm), &target->tpm, NULL);
    if (config->smbios)
        target->smbios = mf_config_smbios_read(config->smbios, NULL, NULL);
    for (char **text = config->forward; text && *text; text++) {
        MfForward forward;

        if (mf_forward_parse(*text, &forward, NULL))
            g_array_append_val(target->forwards, forward);
    }
}

/* KVM's own CPU model is for KVM only. */
static void
choose_cpu(const Build *self)
{
    g_autofree char *reason = NULL;
    MfTarget *target = self->target;

    if (self->config->kvm_cpu_args && mf_host_uses_kvm(target->accel, target->arch, &reason))
        replace(&target->cpu, g_strdup(self->config->kvm_cpu_args));
}

/* What 'requires' asks for and the host has not, as a sentence; NULL when all is there. Owned by
 * the caller. */
static char *
find_unmet(const Build *self)
{
    const MfConfigRequires *requires = self->config->requires;
    g_autofree char *why_not = NULL;

    if (!requires)
        return NULL;
    for (char **name = requires->commands; name && *name; name++) {
        g_autofree char *path = g_find_program_in_path(*name);

        if (!path)
            return g_strdup_printf("It requires the program '%s', which is not in PATH.", *name);
    }
    for (char **name = requires->files; name && *name; name++)
        if (!g_file_test(*name, G_FILE_TEST_EXISTS))
            return g_strdup_printf("It requires '%s', which does not exist.", *name);
    if (requires->root && geteuid() != 0)
        return g_strdup("It requires mayfly to be run as root.");
    if (requires->kvm && !mf_host_uses_kvm(MF_ACCEL_AUTO, self->target->arch, &why_not))
        return g_strdup_printf("It requires KVM: %s.", why_not ? why_not : "that is not usable");
    return NULL;
}

/* The same, of what a target needs without saying so. */
static char *
find_missing(const Build *self)
{
    const MfTarget *target = self->target;
    g_autoptr(GError) error = NULL;
    g_autofree char *qemu = mf_host_find_qemu(target->qemu, target->arch, &error);
    g_autofree char *kernel = NULL;

    if (!qemu)
        return g_strdup(error->message);
    if (target->tpm != MF_TPM_NONE) {
        g_autofree char *swtpm = mf_tpm_find(&error);

        if (!swtpm)
            return g_strdup(error->message);
    }
    if (target->image && !g_file_test(target->image, G_FILE_TEST_EXISTS))
        return g_strdup_printf("Its image '%s' does not exist.", target->image);
    if (target->initramfs && !g_file_test(target->initramfs, G_FILE_TEST_EXISTS))
        return g_strdup_printf("Its initramfs '%s' does not exist.", target->initramfs);
    if (!target->kernel)
        return NULL;
    kernel = mf_catalog_resolve(target->kernel, &error);
    return kernel ? NULL : g_strdup(error->message);
}

static MfCase *
build_case(const MfConfigTarget *config, json_object *json, const MfCaseBuildOptions *options)
{
    MfCase *the_case = g_new0(MfCase, 1);
    const Build build = {config, json, options, the_case->target = mf_target_new()};
    const MfOrigin *origin = find_origin(json, "name");

    the_case->name = g_strdup(config->name);
    the_case->id = mf_case_make_id(config->name);
    the_case->tags = g_strdupv(config->tags);
    the_case->persona = g_strdup(config->persona);
    the_case->retries = (guint)config->retries;
    the_case->file = g_strdup(options->file);
    the_case->line = origin ? origin->line : 0;
    take_texts(&build);
    take_enums(&build);
    take_numbers(&build);
    take_payloads(&build);
    take_expect(&build);
    take_checks(&build);
    take_medium(&build);
    take_console(&build);
    take_env(&build);
    take_mounts(&build);
    take_devices(&build);
    choose_cpu(&build);
    mf_target_settle(the_case->target);
    the_case->skip_reason = find_unmet(&build);
    if (!the_case->skip_reason && options->skip_missing)
        the_case->skip_reason = find_missing(&build);
    return the_case;
}

GPtrArray *
mf_case_build_all(const GPtrArray *targets, const MfCaseBuildOptions *options, GError **error)
{
    g_autoptr(GPtrArray) cases = g_ptr_array_new_with_free_func((GDestroyNotify)mf_case_free);
    g_autofree char *directory = g_path_get_dirname(options->file);

    for (guint i = 0; i < targets->len; i++) {
        json_object *json = targets->pdata[i];
        g_autoptr(MfConfigTarget) config = mf_config_read_target(json, directory, error);

        if (!config)
            return NULL;
        g_ptr_array_add(cases, build_case(config, json, options));
    }
    return g_steal_pointer(&cases);
}
