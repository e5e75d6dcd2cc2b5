/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/config-rules.h"

#include <string.h>

#include "base/parse.h"
#include "machine/debug-exit.h"
#include "run/check.h"
#include "run/hang-watch.h"
#include "run/target.h"
#include "suite/check-build.h"
#include "suite/config-place.h"
#include "suite/config-smbios.h"
#include "suite/config-value.h"
#include "suite/origin.h"
#include "suite/payload-build.h"

typedef gboolean (*Rule)(const MfConfigTarget *target, json_object *tree, GError **error);

/* A name is shown on terminals and kept in lists of one line each. */
static gboolean
check_name(const MfConfigTarget *target, json_object *tree, GError **error)
{
    gboolean blank = TRUE;

    for (const char *at = target->name; *at; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);

        blank = blank && g_unichar_isspace(c);
        if (!g_unichar_iscntrl(c))
            continue;
        mf_config_value_fail(mf_config_place_find(tree, "name"), error,
                             "Key 'name' has the control character U+%04X in it, which would reach "
                             "the terminal.",
                             c);
        return FALSE;
    }
    if (!blank)
        return TRUE;
    mf_config_value_fail(mf_config_place_find(tree, "name"), error,
                         "Key 'name' has nothing but spaces in it.");
    return FALSE;
}

/* What a target can boot; it has exactly one of them. */
static gboolean
check_boot(const MfConfigTarget *target, json_object *tree, GError **error)
{
    const struct {
        const char *key, *name, *value;
    } media[] = {
        {"kernel", "a kernel", target->kernel},
        {"image", "an image", target->image},
        {"iso", "a disc", target->iso},
        {"fat", "a directory", target->fat},
    };
    const char *first = NULL;

    for (gsize i = 0; i < G_N_ELEMENTS(media); i++) {
        if (media[i].value && first) {
            mf_config_value_fail(mf_config_place_find(tree, media[i].key), error,
                                 "Target '%s' has both %s and %s, but only one of them can be "
                                 "booted.",
                                 target->name, first, media[i].name);
            return FALSE;
        }
        first = media[i].value ? media[i].name : first;
    }
    if (first)
        return TRUE;
    mf_config_value_fail(
        tree, error,
        "Target '%s' has nothing to boot: one of the keys 'kernel', 'image', 'iso' "
        "and 'fat' is missing.",
        target->name);
    return FALSE;
}

static gboolean
check_boot_options(const MfConfigTarget *target, json_object *tree, GError **error)
{
    gboolean custom = target->secure_boot == MF_CONFIG_SECURE_BOOT_CUSTOM;
    gboolean secure = target->secure_boot != MF_CONFIG_SECURE_BOOT_OFF;
    const char *guest = "mayfly-guest in the guest, and no_initramfs leaves that out";
    const struct {
        gboolean given, fits;
        const char *key, *needs;
    } options[] = {
        {target->vm->bios != NULL, target->uefi, "vm.bios", "uefi = true"},
        {secure, target->uefi, "secure_boot", "uefi = true"},
        {secure, !target->vm->bios, "secure_boot", "the firmware that mayfly finds, not vm.bios"},
        {custom, target->secure_boot_vars != NULL, "secure_boot",
         "'secure_boot_vars' to name a file: the firmware's variables with the keys in them"},
        {target->secure_boot_vars != NULL, custom, "secure_boot_vars", "secure_boot = \"custom\""},
        {target->fat != NULL, target->uefi, "fat", "uefi = true"},
        {target->kernel_args != NULL, target->kernel != NULL, "kernel_args", "a kernel"},
        {target->init_template != NULL, target->kernel != NULL, "init_template", "a kernel"},
        {target->no_initramfs, target->kernel != NULL, "no_initramfs", "a kernel"},
        {target->kaslr, target->kernel != NULL, "kaslr", "a kernel"},
        {target->initramfs != NULL, target->kernel != NULL, "initramfs", "a kernel"},
        {!target->snapshot, target->image != NULL, "snapshot", "an image"},
        {target->user != NULL, !target->no_initramfs, "user", guest},
        {target->watchdog > 0, !target->no_initramfs, "watchdog", guest},
        {target->check != NULL, !target->no_initramfs, "check", guest},
        {target->snapshots > 0, !target->no_initramfs, "snapshots", guest},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(options); i++) {
        if (!options[i].given || options[i].fits)
            continue;
        mf_config_value_fail(mf_config_place_find(tree, options[i].key), error,
                             "Target '%s' has the key '%s', which needs %s.", target->name,
                             options[i].key, options[i].needs);
        return FALSE;
    }
    return TRUE;
}

static gboolean
check_command(const MfConfigTarget *target, json_object *tree, GError **error)
{
    const MfConfigCommand *command = target->command;

    if (!command && target->payload)
        return TRUE;
    if (!command &&
        ((target->console && target->console->len > 0) || target->has_success_exit_code))
        return TRUE;
    if (!command) {
        mf_config_value_fail(tree, error,
                             "The key 'command' is missing: a target without it needs "
                             "[[target.console]] or 'success_exit_code' to say when it passes.");
        return FALSE;
    }
    if (command->kind != MF_CONFIG_COMMAND_KIND_ARGV || (command->argv[0] && command->argv[0][0]))
        return TRUE;
    mf_config_value_fail(mf_config_place_find(tree, "command"), error,
                         "Key 'command' is an array without a program as its first text.");
    return FALSE;
}

/* Whether something is run in the guest. */
static gboolean
has_command(const MfConfigTarget *target)
{
    return target->command || target->payload;
}

/* What is for a command, or for what mayfly has in the guest to run one; and the reverse. */
static gboolean
check_bare(const MfConfigTarget *target, json_object *tree, GError **error)
{
    const struct {
        gboolean given;
        const char *key;
    } keys[] = {
        {target->setup != NULL, "setup"},
        {target->teardown != NULL, "teardown"},
        {target->expect != NULL, "expect"},
        {target->subtests != MF_CONFIG_SUBTESTS_NONE, "subtests"},
        {target->artifacts != NULL, "artifacts"},
        {target->watchdog > 0, "watchdog"},
        {target->check != NULL, "check"},
        {target->snapshots > 0, "snapshots"},
        {target->init_template != NULL, "init_template"},
        {target->no_initramfs, "no_initramfs"},
        {target->vm->mounts != NULL, "vm.mounts"},
        {target->env != NULL, "env"},
        {target->env_pass != NULL, "env_pass"},
        {target->user != NULL, "user"},
        {target->workdir != NULL, "workdir"},
        {target->stdin_ != NULL, "stdin"},
    };

    if (has_command(target) && target->initramfs) {
        mf_config_value_fail(mf_config_place_find(tree, "initramfs"), error,
                             "Target '%s' has an initramfs of its own, which mayfly cannot run a "
                             "command in: leave out the key 'command', or 'initramfs'.",
                             target->name);
        return FALSE;
    }
    for (gsize i = 0; !has_command(target) && i < G_N_ELEMENTS(keys); i++) {
        if (!keys[i].given)
            continue;
        mf_config_value_fail(mf_config_place_find(tree, keys[i].key), error,
                             "Target '%s' has the key '%s', which needs a command.", target->name,
                             keys[i].key);
        return FALSE;
    }
    return TRUE;
}

/* A target's own key that nothing would come of. What a profile, a matrix, an option or the
 * environment says is for all targets, and passes those by that it is not for. */
static gboolean
is_own(json_object *tree, const char *key)
{
    json_object *value;

    return json_object_object_get_ex(tree, key, &value) && mf_origin_get(value) &&
           mf_origin_get(value)->kind == MF_ORIGIN_FILE;
}

/* What every target has by default, and only some have a use for. */
static gboolean
check_idle(const MfConfigTarget *target, json_object *tree, GError **error)
{
    static const struct {
        const char *key;
        gboolean image_has_use; /* one that a command runs in */
    } keys[] = {
        {"boot_timeout", TRUE}, {"share", TRUE}, {"rootfs", FALSE},   {"root_mode", FALSE},
        {"cache", FALSE},       {"init", FALSE}, {"hostname", FALSE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        const char *needs = !has_command(target)                        ? "a command"
                            : !target->kernel && !keys[i].image_has_use ? "a kernel"
                                                                        : NULL;

        if (!needs || !is_own(tree, keys[i].key))
            continue;
        mf_config_value_fail(mf_config_place_find(tree, keys[i].key), error,
                             "Target '%s' has the key '%s', which needs %s.", target->name,
                             keys[i].key, needs);
        return FALSE;
    }
    return TRUE;
}

static gboolean
check_exit_code(const MfConfigTarget *target, json_object *tree, GError **error)
{
    json_object *place = mf_config_place_find(tree, "success_exit_code");
    MfArch arch = mf_arch_native();
    g_autoptr(GError) cause = NULL;

    if (!target->has_success_exit_code)
        return TRUE;
    if (has_command(target)) {
        mf_config_value_fail(place, error,
                             "Target '%s' has a command and the key 'success_exit_code', which is "
                             "about a guest that has none: see 'expect.status'.",
                             target->name);
        return FALSE;
    }
    if (target->has_arch)
        mf_arch_parse(mf_config_arch_to_string(target->arch), &arch, NULL);
    if (mf_debug_exit_check(arch, target->success_exit_code, &cause))
        return TRUE;
    return mf_config_place_fail(place, "success_exit_code", cause, error);
}

static gboolean
check_console(const MfConfigTarget *target, json_object *tree, GError **error)
{
    for (guint i = 0; target->console && i < target->console->len; i++) {
        const MfConfigConsole *console = target->console->pdata[i];
        const char *key = console->pass ? "pass" : "fail";

        if ((!console->pass && !console->fail) || console->subtests == MF_CONFIG_SUBTESTS_NONE ||
            console->subtests == MF_CONFIG_SUBTESTS_LINES)
            continue;
        mf_config_value_fail(
            mf_config_place_find(mf_config_place_find_element(tree, "console", i), key), error,
            "Target '%s' has patterns for 'console.%s', but its sub-tests are "
            "told of as %s.",
            target->name, key, mf_config_subtests_to_string(console->subtests));
        return FALSE;
    }
    return TRUE;
}

static gboolean
check_expect(const MfConfigTarget *target, json_object *tree, GError **error)
{
    if (!target->expect || !target->expect->has_status || !target->expect->has_signal)
        return TRUE;
    mf_config_value_fail(mf_config_place_find(tree, "expect.signal"), error,
                         "Target '%s' expects both a status and a signal, but a command ends with "
                         "one of them.",
                         target->name);
    return FALSE;
}

static gboolean
check_guest(const MfConfigTarget *target, json_object *tree, GError **error)
{
    g_autoptr(GError) cause = NULL;

    if (!mf_target_check_hostname(target->hostname, &cause))
        return mf_config_place_fail(mf_config_place_find(tree, "hostname"), "hostname", cause,
                                    error);
    if (target->user && !mf_target_check_user(target->user, &cause))
        return mf_config_place_fail(mf_config_place_find(tree, "user"), "user", cause, error);
    if (target->workdir && *target->workdir != '/') {
        mf_config_value_fail(mf_config_place_find(tree, "workdir"), error,
                             "Key 'workdir' is \"%s\", but a path from the guest's root is "
                             "expected.",
                             target->workdir);
        return FALSE;
    }
    for (guint i = 0; target->env && i < target->env->len; i++) {
        const MfConfigVariable *variable = g_ptr_array_index(target->env, i);

        if (!strchr(variable->name, '='))
            continue;
        mf_config_value_fail(
            mf_config_place_find(mf_config_place_find_element(tree, "env", i), "name"), error,
            "A variable of the environment cannot be called '%s'.", variable->name);
        return FALSE;
    }
    return TRUE;
}

/* What does not go with payloads, and what there is only with them. */
static gboolean
check_payload_keys(const MfConfigTarget *target, json_object *tree, GError **error)
{
    const MfConfigExpect *expect = target->expect;
    gboolean with = target->payload != NULL;
    gboolean script = target->init == MF_CONFIG_INIT_SCRIPT;
    const struct {
        gboolean clashes;
        const char *key, *why;
    } keys[] = {
        {with && target->payload->len == 0, "payload", "is empty: leave it out"},
        {with && target->command, "command", "does not go with payloads: make it one of them"},
        {with && !target->kernel, "payload", "needs a kernel, and mayfly's own init in the guest"},
        {with && script, "init", "has to be \"agent\" for a target with payloads"},
        {with && target->init_template, "init_template", "does not go with payloads"},
        {with && target->no_initramfs, "no_initramfs", "does not go with payloads"},
        {with && target->stdin_, "stdin", "does not go with payloads, which read nothing"},
        {with && expect && expect->has_status, "expect.status",
         "is about a command: a payload has a check of its exit_code"},
        {with && expect && expect->has_signal, "expect.signal",
         "is about a command: a payload has a check of its exit_code, 128 + N for signal N"},
        {!with && target->step, "step", "needs payloads"},
        {!with && target->repeat != 1, "repeat", "needs payloads"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (!keys[i].clashes)
            continue;
        mf_config_value_fail(mf_config_place_find(tree, keys[i].key), error,
                             "Key '%s' of target '%s' %s.", keys[i].key, target->name, keys[i].why);
        return FALSE;
    }
    return TRUE;
}

static gboolean
check_payloads(const MfConfigTarget *target, json_object *tree, GError **error)
{
    g_autoptr(GPtrArray) payloads = mf_payloads_build(target, tree, error);
    g_autoptr(GPtrArray) steps = payloads ? mf_steps_build(target, tree, payloads, error) : NULL;

    return steps != NULL;
}

/* Those of its scenario. */
static gboolean
check_checks(const MfConfigTarget *target, json_object *tree, GError **error)
{
    g_autoptr(GPtrArray) checks = mf_checks_build(target->check, tree, error);

    for (guint i = 0; checks && i < checks->len; i++) {
        if (((const MfCheck *)checks->pdata[i])->kind != MF_CHECK_EXIT_CODE)
            continue;
        mf_config_value_fail(mf_config_place_find_element(tree, "check", i), error,
                             "A check of target '%s' is of a metric: an exit_code is one of a "
                             "payload, and a command has 'expect.status'.",
                             target->name);
        return FALSE;
    }
    return checks != NULL;
}

static gboolean
check_hang_timeout(const MfConfigTarget *target, json_object *tree, GError **error)
{
    if (target->hang_timeout == 0 || target->hang_timeout >= MF_HANG_TIMEOUT_MIN_MS)
        return TRUE;
    mf_config_value_fail(mf_config_place_find(tree, "hang_timeout"), error,
                         "Key 'hang_timeout' is too short: a guest is asked for a sign of life "
                         "once a second, so at least 3s, or 0 for never.");
    return FALSE;
}

static gboolean
check_memory(const MfConfigTarget *target, json_object *tree, GError **error)
{
    if (target->vm->memory >= MF_TARGET_MIN_MEMORY)
        return TRUE;
    mf_config_value_fail(mf_config_place_find(tree, "vm.memory"), error,
                         "Key 'vm.memory' is too little: a guest needs at least 64M.");
    return FALSE;
}

static gboolean
check_numa(const MfConfigTarget *target, json_object *tree, GError **error)
{
    g_autoptr(GPtrArray) nodes = g_ptr_array_new_with_free_func((GDestroyNotify)mf_numa_node_free);
    const MfOrigin *memory = mf_origin_get(mf_config_place_find(tree, "vm.memory"));
    g_autoptr(GError) cause = NULL;

    for (guint i = 0; target->numa && i < target->numa->len; i++) {
        const MfConfigNumaNode *node = g_ptr_array_index(target->numa, i);

        g_ptr_array_add(nodes, mf_numa_node_new(node->memory, node->cpus));
    }
    if (nodes->len == 0)
        return TRUE;
    if (!mf_numa_check(nodes, (guint)target->vm->num_cpus, &cause))
        return mf_config_place_fail(mf_config_place_find(tree, "numa"), "numa", cause, error);
    if (memory->kind <= MF_ORIGIN_PERSONA || mf_numa_get_memory(nodes) == target->vm->memory)
        return TRUE;

    g_autofree char *sum = mf_format_size(mf_numa_get_memory(nodes));
    g_autofree char *whole = mf_format_size(target->vm->memory);
    mf_config_value_fail(mf_config_place_find(tree, "vm.memory"), error,
                         "Key 'vm.memory' is %s, but the nodes of 'numa' have %s together.", whole,
                         sum);
    return FALSE;
}

static MfArch
get_arch(const MfConfigTarget *target)
{
    MfArch arch = mf_arch_native();

    if (target->has_arch)
        mf_arch_parse(mf_config_arch_to_string(target->arch), &arch, NULL);
    return arch;
}

static gboolean
check_smbios(const MfConfigTarget *target, json_object *tree, GError **error)
{
    g_autoptr(MfSmbios) smbios = NULL;
    g_autoptr(GError) cause = NULL;
    MfSmbiosField field = 0;

    if (!target->smbios)
        return TRUE;
    if (!mf_smbios_check_machine(get_arch(target), target->uefi, &cause))
        return mf_config_place_fail(mf_config_place_find(tree, "smbios"), "smbios", cause, error);
    smbios = mf_config_smbios_read(target->smbios, &field, &cause);
    if (smbios)
        return TRUE;

    g_autofree char *key = g_strconcat("smbios.", mf_smbios_field_name(field), NULL);
    return mf_config_place_fail(mf_config_place_find(tree, key), key, cause, error);
}

static gboolean
check_tpm(const MfConfigTarget *target, json_object *tree, GError **error)
{
    g_autoptr(GError) cause = NULL;
    MfTpm tpm = MF_TPM_NONE;

    mf_tpm_parse(mf_config_tpm_to_string(target->tpm), &tpm, NULL);
    return mf_tpm_check_machine(tpm, get_arch(target), &cause) ||
           mf_config_place_fail(mf_config_place_find(tree, "tpm"), "tpm", cause, error);
}

static gboolean
check_net(const MfConfigTarget *target, json_object *tree, GError **error)
{
    g_autoptr(GArray) forwards = g_array_new(FALSE, FALSE, sizeof(MfForward));
    g_autoptr(GError) cause = NULL;
    MfNet net = target->net == MF_CONFIG_NET_USER ? MF_NET_USER : MF_NET_NONE;

    for (guint i = 0; target->forward && target->forward[i]; i++) {
        MfForward forward;

        if (!mf_forward_parse(target->forward[i], &forward, &cause))
            return mf_config_place_fail(mf_config_place_find_element(tree, "forward", i), "forward",
                                        cause, error);
        g_array_append_val(forwards, forward);
    }
    if (!mf_net_check(net, forwards, &cause))
        return mf_config_place_fail(mf_config_place_find(tree, "forward"), "forward", cause, error);
    return TRUE;
}

static gboolean
check_mount(const GPtrArray *mounts, guint index, json_object *place, GError **error)
{
    const MfConfigMount *mount = g_ptr_array_index(mounts, index);
    g_autofree char *path = g_canonicalize_filename(mount->guest_path, "/");

    if (*mount->guest_path != '/' || g_str_equal(path, "/")) {
        mf_config_value_fail(place, error,
                             "'%s' is no place for a mount: a path below the guest's root is "
                             "expected.",
                             mount->guest_path);
        return FALSE;
    }
    for (guint i = 0; i < index; i++) {
        const MfConfigMount *other = g_ptr_array_index(mounts, i);
        g_autofree char *other_path = g_canonicalize_filename(other->guest_path, "/");

        if (!g_str_equal(path, other_path))
            continue;
        mf_config_value_fail(place, error, "Two mounts have the guest path '%s'.", path);
        return FALSE;
    }
    return TRUE;
}

static gboolean
check_mounts(const MfConfigTarget *target, json_object *tree, GError **error)
{
    const GPtrArray *mounts = target->vm->mounts;

    for (guint i = 0; mounts && i < mounts->len; i++) {
        json_object *place =
            mf_config_place_find(mf_config_place_find_element(tree, "vm.mounts", i), "guest_path");

        if (i >= MF_TARGET_MAX_MOUNTS) {
            mf_config_value_fail(place, error,
                                 "%u mounts are more than the machine has slots for: at most %d.",
                                 mounts->len, MF_TARGET_MAX_MOUNTS);
            return FALSE;
        }
        if (!check_mount(mounts, i, place, error))
            return FALSE;
    }
    return TRUE;
}

gboolean
mf_config_check_rules(const MfConfigTarget *target, json_object *tree, GError **error)
{
    static const Rule rules[] = {
        check_payload_keys, check_payloads, check_name,         check_boot,      check_boot_options,
        check_command,      check_bare,     check_idle,         check_exit_code, check_console,
        check_expect,       check_checks,   check_hang_timeout, check_guest,     check_memory,
        check_numa,         check_net,      check_mounts,       check_smbios,    check_tpm,
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rules); i++)
        if (!rules[i](target, tree, error))
            return FALSE;
    return TRUE;
}
