/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/run-options.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/parse.h"
#include "cli/bare-options.h"
#include "cli/machine-options.h"
#include "machine/libvirt-uri.h"
#include "run/crash-evidence.h"
#include "run/hang-watch.h"

static const char description[] =
    "One COMMAND argument is text for a shell; several are a program and its arguments, passed on\n"
    "exactly. The command runs in the caller's directory with the caller's environment, standard\n"
    "input, output and error, and mayfly exits with its status.\n"
    "\n"
    "With --tty, Ctrl-C and the other keys are the guest's; Ctrl-] three times within a second "
    "ends\n"
    "the VM, with status 130.\n"
    "\n"
    "Exit status: the command's own, or 124 after a timeout, 125 when the guest's kernel crashed,\n"
    "126 or 127 when the command could not be executed or found, 128+N when signal N killed it,\n"
    "69 when the VM failed, 2 for a usage error.\n"
    "\n"
    "Example: mayfly run -k arch/x86/boot/bzImage -- ./selftest.sh --fast";

/* The option values as GOption stores them, before they are understood. */
typedef struct {
    char *kernel, *root, *root_mode, *memory, *cpus, *arch, *kargs, *timeout, *boot_timeout, *accel;
    char *artifacts_dir, *share_type, *cache, *qemu, *init, *init_template, *qmp_socket, *user,
        *workdir, *hostname, *splat, *splat_allow, *splat_deny, *subtests, *on_crash, *crash_dir,
        *hang_timeout, *watchdog, *snapshots, *connect;
    char **mounts, **env, **qemu_args, **command, **setup, **teardown, **artifacts, **shared_paths;
    gboolean no_initramfs, kaslr, tty, cold, no_save;
    MfMachineOptions machine;
    MfBareOptions bare;
} RawOptions;

static void
raw_clear(RawOptions *raw)
{
    char *const texts[] = {
        raw->kernel,       raw->root,       raw->root_mode,     raw->memory,       raw->cpus,
        raw->arch,         raw->kargs,      raw->timeout,       raw->boot_timeout, raw->accel,
        raw->qemu,         raw->init,       raw->init_template, raw->qmp_socket,   raw->user,
        raw->workdir,      raw->hostname,   raw->share_type,    raw->cache,        raw->splat,
        raw->splat_allow,  raw->splat_deny, raw->subtests,      raw->on_crash,     raw->crash_dir,
        raw->hang_timeout, raw->watchdog,   raw->snapshots,     raw->connect};

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(texts[i]);
    g_strfreev(raw->mounts);
    g_strfreev(raw->env);
    g_strfreev(raw->qemu_args);
    g_strfreev(raw->command);
    mf_machine_options_clear(&raw->machine);
    mf_bare_options_clear(&raw->bare);
    g_strfreev(raw->setup);
    g_strfreev(raw->teardown);
    g_strfreev(raw->artifacts);
    g_strfreev(raw->shared_paths);
    g_free(raw->artifacts_dir);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RawOptions, raw_clear)

/* What is run, and as whom. */
static void
add_command_entries(MfVerbOptions *options, RawOptions *raw)
{
    const GOptionEntry entries[] = {
        {"tty", 't', 0, G_OPTION_ARG_NONE, &raw->tty,
         "Give COMMAND a terminal; without COMMAND, a login shell. '-' as COMMAND is the same",
         NULL},
        {"env", 'e', 0, G_OPTION_ARG_FILENAME_ARRAY, &raw->env,
         "Set a variable; without a value, pass the caller's, or unset it", "VAR[=VALUE]"},
        {"user", 0, 0, G_OPTION_ARG_STRING, &raw->user, "User of the command (default: root)",
         "NAME|UID[:GROUP]"},
        {"workdir", 0, 0, G_OPTION_ARG_FILENAME, &raw->workdir,
         "Directory of the command in the guest (default: the caller's)", "DIR"},
        {"setup", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &raw->setup,
         "Run TEXT in a shell, as root, before the command, which only runs if that succeeds",
         "TEXT"},
        {"teardown", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &raw->teardown,
         "Run TEXT in a shell, as root, after the command, however it ended", "TEXT"},
        {"artifact", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &raw->artifacts,
         "Copy the guest's files that match out of it, after the command", "PATTERN"},
        {"artifacts-dir", 0, 0, G_OPTION_ARG_FILENAME, &raw->artifacts_dir,
         "Where they go (default: the directory artifacts in the current one)", "DIR"},
        {"timeout", 0, 0, G_OPTION_ARG_STRING, &raw->timeout,
         "Limit for the command, such as 90s or 2m (default: 0, none)", "DURATION"},
        {"boot-timeout", 0, 0, G_OPTION_ARG_STRING, &raw->boot_timeout,
         "Limit until the command starts (default: 2m)", "DURATION"},
        {"subtests", 0, 0, G_OPTION_ARG_STRING, &raw->subtests,
         "How COMMAND tells of tests of its own on its standard output; each that fails fails it",
         "none|tap|ktap|lines"},
        {NULL},
    };

    mf_verb_options_add(options, entries);
}

/* What it means when the guest's kernel is in trouble, and what is kept of that. */
static void
add_crash_entries(MfVerbOptions *options, RawOptions *raw)
{
    const GOptionEntry entries[] = {
        {"splat", 0, 0, G_OPTION_ARG_STRING, &raw->splat,
         "What a complaint of the guest's kernel means (default: by its kind)",
         "default|fail|warn|ignore"},
        {"splat-allow", 0, 0, G_OPTION_ARG_FILENAME, &raw->splat_allow,
         "File of patterns of complaints to ignore, an extended regular expression a line", "FILE"},
        {"splat-deny", 0, 0, G_OPTION_ARG_FILENAME, &raw->splat_deny,
         "File of patterns of complaints that fail the run; goes before all others", "FILE"},
        {"on-crash", 0, 0, G_OPTION_ARG_STRING, &raw->on_crash,
         "Keep the memory or the screen of a guest that crashed or hung: dump, screenshot, or both "
         "with a comma",
         "WHAT"},
        {"crash-dir", 0, 0, G_OPTION_ARG_FILENAME, &raw->crash_dir,
         "Where it goes, and snapshots (default: the current directory)", "DIR"},
        {"hang-timeout", 0, 0, G_OPTION_ARG_STRING, &raw->hang_timeout,
         "When a guest of which nothing is heard has hung, at least 3s (default: 0, never)",
         "DURATION"},
        {"watchdog", 0, 0, G_OPTION_ARG_STRING, &raw->watchdog,
         "How long a scenario may take that the guest tells of by mayfly-guest frame (default: 0, "
         "for ever)",
         "DURATION"},
        {"snapshots", 0, 0, G_OPTION_ARG_STRING, &raw->snapshots,
         "How many snapshots of its memory or state the guest may ask for (default: 0)", "N"},
        {NULL},
    };

    mf_verb_options_add(options, entries);
}

/* What the guest sees: kernel, root, shares, init. */
static void
add_guest_entries(MfVerbOptions *options, RawOptions *raw)
{
    const GOptionEntry entries[] = {
        {"kernel", 'k', 0, G_OPTION_ARG_FILENAME, &raw->kernel,
         "Kernel image, or name of a pulled one (default: the running, else the newest pulled)",
         "KERNEL"},
        {"kargs", 0, 0, G_OPTION_ARG_FILENAME, &raw->kargs, "Kernel arguments, appended last",
         "TEXT"},
        {"root", 'r', 0, G_OPTION_ARG_FILENAME, &raw->root,
         "Directory that is the guest's root (default: /)", "DIR"},
        {"rootfs", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_FILENAME, &raw->root, NULL, NULL},
        {"root-mode", 0, 0, G_OPTION_ARG_STRING, &raw->root_mode,
         "overlay: writes are thrown away (default); ro; rw: writes reach the host",
         "overlay|ro|rw"},
        {"share-type", 0, 0, G_OPTION_ARG_STRING, &raw->share_type,
         "How the root and the mounts are shared (default: 9p, or virtiofs where the kernel has no "
         "9p)",
         "auto|9p|virtiofs"},
        {"9p-cache", 0, 0, G_OPTION_ARG_STRING, &raw->cache,
         "What the guest keeps of a 9p root (default: the fastest that stays correct)",
         "none|mmap|loose|fscache"},
        {"mount", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &raw->mounts,
         "Share a host directory at GUEST (default: the same path), read-only unless rw:",
         "[ro:|rw:]HOST[:GUEST]"},
        {"hostname", 0, 0, G_OPTION_ARG_STRING, &raw->hostname,
         "Host name of the guest (default: mayfly)", "NAME"},
        {"init", 0, 0, G_OPTION_ARG_STRING, &raw->init,
         "agent: mayfly's own (default); script: a shell script and the root's qemu-ga",
         "agent|script"},
        {"init-template", 0, 0, G_OPTION_ARG_FILENAME, &raw->init_template,
         "Your own template of the init script", "FILE"},
        {NULL},
    };

    mf_verb_options_add(options, entries);
}

/* What the machine is made of. */
static void
add_machine_entries(MfVerbOptions *options, RawOptions *raw)
{
    const GOptionEntry entries[] = {
        {"memory", 'm', 0, G_OPTION_ARG_STRING, &raw->memory,
         "Memory (default: 1G; a bare number is MiB)", "SIZE"},
        {"cpus", 'p', 0, G_OPTION_ARG_STRING, &raw->cpus, "Number of CPUs (default: 2)", "N"},
        {"arch", 'a', 0, G_OPTION_ARG_STRING, &raw->arch, "Architecture (default: this host's)",
         "ARCH"},
        {"accel", 0, 0, G_OPTION_ARG_STRING, &raw->accel, "Accelerator (default: auto)",
         "auto|kvm|tcg"},
        {"no-initramfs", 0, 0, G_OPTION_ARG_NONE, &raw->no_initramfs,
         "Boot without initramfs: the kernel has every driver built in", NULL},
        {"kaslr", 0, 0, G_OPTION_ARG_NONE, &raw->kaslr,
         "Boot the bzImage itself, so that the kernel's address is random (slower)", NULL},
        {"cold", 0, 0, G_OPTION_ARG_NONE, &raw->cold,
         "Boot, and neither restore nor save a machine", NULL},
        {"no-save", 0, 0, G_OPTION_ARG_NONE, &raw->no_save,
         "Restore a saved machine if there is one, but save none", NULL},
        {"qemu", 'q', 0, G_OPTION_ARG_FILENAME, &raw->qemu, "QEMU program", "PATH"},
        {"qemu-command", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_FILENAME, &raw->qemu, NULL, NULL},
        {"qemu-arg", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &raw->qemu_args,
         "A further argument for QEMU, verbatim and last", "ARG"},
        {"connect", 0, 0, G_OPTION_ARG_STRING, &raw->connect,
         "Have the libvirt at URI start the machine, such as qemu:///session", "URI"},
        {"shared-path", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &raw->shared_paths,
         "A directory that is the same on the host that --connect leads to", "DIR"},
        {"qmp-socket", 0, 0, G_OPTION_ARG_FILENAME, &raw->qmp_socket,
         "Serve QMP to other tools at PATH", "PATH"},
        {NULL},
    };

    mf_verb_options_add(options, entries);
}

static MfVerbOptions *
new_options(const MfSubverb *verb, char ***ret_command)
{
    const MfOperands command = {"[--] COMMAND...", NULL, 0, G_MAXUINT};
    MfVerbOptions *options;

    if (verb) {
        options = mf_subverb_new_options(verb, NULL);
    } else {
        options = mf_verb_options_new(
            "mayfly run", "Runs COMMAND in a throwaway VM with KERNEL over this host's own files.",
            description);
        mf_verb_options_add_operands(options, &command, ret_command);
    }
    mf_verb_options_end_at_operand(options);
    return options;
}

static MfVerbOptions *
make_options(MfRunOptions *self, RawOptions *raw)
{
    const GOptionEntry entries[] = {
        {"console", 0, 0, G_OPTION_ARG_NONE, &self->console, "Show the guest's console on stderr",
         NULL},
        {"console-log", 0, 0, G_OPTION_ARG_FILENAME, &self->console_log,
         "Write all that the guest's console says to FILE, as it comes", "FILE"},
        {"timeline", 0, 0, G_OPTION_ARG_FILENAME, &self->timeline,
         "Write a picture of where the time went (SVG)", "FILE"},
        {"run-dir", 0, 0, G_OPTION_ARG_FILENAME, &self->run_dir,
         "Keep the console, the output, the result and QEMU's command line in DIR", "DIR"},
        {"keep", 0, 0, G_OPTION_ARG_NONE, &self->keep,
         "The same, in a new directory below that of temporary files", NULL},
        {"report", 0, 0, G_OPTION_ARG_STRING_ARRAY, &self->reports,
         "Write a report of the run, as 'mayfly test' does of targets",
         "json|junit|tap|metrics=FILE"},
        {"print-qemu", 0, 0, G_OPTION_ARG_NONE, &self->print_qemu,
         "Print the QEMU command line, or with --connect the domain's XML, and exit", NULL},
        {NULL},
    };
    g_autofree GOptionEntry *machine = mf_machine_options_make_entries(&raw->machine);
    g_autofree GOptionEntry *bare = mf_bare_options_make_entries(&raw->bare);
    MfVerbOptions *options = new_options(self->verb, &raw->command);

    add_guest_entries(options, raw);
    add_command_entries(options, raw);
    add_crash_entries(options, raw);
    add_machine_entries(options, raw);
    mf_verb_options_add(options, machine);
    mf_verb_options_add(options, bare);
    mf_verb_options_add(options, entries);
    mf_verb_options_add_verbose(options, &self->verbosity);
    return options;
}

static gboolean
read_enums(MfTarget *target, const RawOptions *raw, GError **error)
{
    if (raw->root_mode && !mf_root_mode_parse(raw->root_mode, &target->root_mode, error))
        return FALSE;
    if (raw->share_type && !mf_share_type_parse(raw->share_type, &target->share_type, error))
        return FALSE;
    if (raw->cache && !mf_9p_cache_parse(raw->cache, &target->cache, error))
        return FALSE;
    if (raw->init && !mf_init_parse(raw->init, &target->init, error))
        return FALSE;
    if (raw->accel && !mf_accel_parse(raw->accel, &target->accel, error))
        return FALSE;
    if (raw->arch && !mf_arch_parse(raw->arch, &target->arch, error))
        return FALSE;
    if (raw->splat && !mf_splat_rule_parse(raw->splat, &target->splat, error))
        return FALSE;
    if (raw->on_crash && !mf_on_crash_parse(raw->on_crash, &target->on_crash, error))
        return FALSE;
    if (raw->subtests && !mf_subtest_format_parse(raw->subtests, &target->subtests, error))
        return FALSE;
    return TRUE;
}

static gboolean
read_sizes(MfTarget *target, const RawOptions *raw, GError **error)
{
    guint64 cpus, snapshots;

    if (raw->memory && !mf_parse_size(raw->memory, MF_MIB, &target->memory, error))
        return FALSE;
    if (target->memory < MF_TARGET_MIN_MEMORY) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "'%s' is too little memory: a guest needs at least 64M.", raw->memory);
        return FALSE;
    }
    if (raw->cpus) {
        if (!mf_parse_uint(raw->cpus, "CPU count", 1, MF_TARGET_MAX_CPUS, &cpus, error))
            return FALSE;
        target->cpus = (guint)cpus;
    }
    if (raw->timeout && !mf_parse_duration(raw->timeout, &target->timeout_ms, error))
        return FALSE;
    if (raw->boot_timeout && !mf_parse_duration(raw->boot_timeout, &target->boot_timeout_ms, error))
        return FALSE;
    if (raw->watchdog && !mf_parse_duration(raw->watchdog, &target->watchdog_ms, error))
        return FALSE;
    if (raw->snapshots) {
        if (!mf_parse_uint(raw->snapshots, "number of snapshots", 0, MF_TARGET_MAX_SNAPSHOTS,
                           &snapshots, error))
            return FALSE;
        target->snapshots = (guint)snapshots;
    }
    if (raw->hang_timeout && !mf_parse_duration(raw->hang_timeout, &target->hang_timeout_ms, error))
        return FALSE;
    if (target->hang_timeout_ms > 0 && target->hang_timeout_ms < MF_HANG_TIMEOUT_MIN_MS) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "'%s' is too short to tell a hang by: a guest is asked for a sign of life once "
                    "a second, so at least 3s, or 0 for never.",
                    raw->hang_timeout);
        return FALSE;
    }
    return TRUE;
}

static gboolean
check_texts(const RawOptions *raw, GError **error)
{
    if (raw->kernel && *raw->kernel == '\0') {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "The kernel's name is empty: expected an image, or the name of a pulled one.");
        return FALSE;
    }
    if (raw->connect && !mf_libvirt_uri_check(raw->connect, error))
        return FALSE;
    if (raw->kargs && !mf_target_check_kernel_args(raw->kargs, error))
        return FALSE;
    if (raw->user && !mf_target_check_user(raw->user, error))
        return FALSE;
    if (raw->workdir && *raw->workdir != '/') {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "'%s' is not a directory of the guest: expected a path from the root.",
                    raw->workdir);
        return FALSE;
    }
    return TRUE;
}

static gboolean
read_mounts(MfTarget *target, const RawOptions *raw, GError **error)
{
    if (raw->mounts && g_strv_length(raw->mounts) > MF_TARGET_MAX_MOUNTS) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "%u mounts are more than the machine has slots for: at most %d.",
                    g_strv_length(raw->mounts), MF_TARGET_MAX_MOUNTS);
        return FALSE;
    }
    for (guint i = 0; raw->mounts && raw->mounts[i]; i++) {
        MfShare *mount = mf_share_parse(raw->mounts[i], i, error);

        if (!mount)
            return FALSE;
        for (guint j = 0; j < target->mounts->len; j++) {
            const MfShare *other = g_ptr_array_index(target->mounts, j);

            if (!g_str_equal(other->guest_path, mount->guest_path))
                continue;
            g_set_error(error, MF_ERROR, MF_ERROR_CONFIG, "Two mounts have the guest path '%s'.",
                        mount->guest_path);
            mf_share_free(mount);
            return FALSE;
        }
        g_ptr_array_add(target->mounts, mount);
    }
    return TRUE;
}

static gboolean
read_env(MfTarget *target, const RawOptions *raw, GError **error)
{
    for (char **entry = raw->env; entry && *entry; entry++) {
        const char *equals = strchr(*entry, '=');
        g_autofree char *name =
            equals ? g_strndup(*entry, (gsize)(equals - *entry)) : g_strdup(*entry);

        if (*name == '\0') {
            g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                        "'%s' is not a variable: expected NAME or NAME=VALUE.", *entry);
            return FALSE;
        }
        const char *value = equals ? equals + 1 : g_getenv(name);
        if (value)
            target->env = g_environ_setenv(target->env, name, value, TRUE);
        else
            target->env = g_environ_unsetenv(target->env, name);
    }
    return TRUE;
}

/* Owned by the caller; NULL for NULL. */
static char **
make_absolute(char **paths)
{
    guint count = paths ? g_strv_length(paths) : 0;
    char **absolute = paths ? g_new0(char *, count + 1) : NULL;

    for (guint i = 0; i < count; i++)
        absolute[i] = g_canonicalize_filename(paths[i], NULL);
    return absolute;
}

/* Texts that go over as they are. */
static void
take_texts(MfTarget *target, RawOptions *raw)
{
    g_autofree char *root = raw->root ? g_canonicalize_filename(raw->root, NULL) : NULL;

    if (root) {
        g_free(target->root);
        target->root = g_steal_pointer(&root);
    }
    target->kernel = g_steal_pointer(&raw->kernel);
    target->qemu = g_steal_pointer(&raw->qemu);
    target->qemu_args = g_steal_pointer(&raw->qemu_args);
    target->qmp_socket = g_steal_pointer(&raw->qmp_socket);
    target->connect = g_steal_pointer(&raw->connect);
    target->shared_paths = make_absolute(raw->shared_paths);
    target->kernel_args = g_steal_pointer(&raw->kargs);
    target->init_template = g_steal_pointer(&raw->init_template);
    target->user = g_steal_pointer(&raw->user);
    target->setup = g_steal_pointer(&raw->setup);
    target->teardown = g_steal_pointer(&raw->teardown);
    target->artifacts = g_steal_pointer(&raw->artifacts);
    if (target->artifacts)
        target->artifacts_dir =
            g_canonicalize_filename(raw->artifacts_dir ? raw->artifacts_dir : "artifacts", NULL);
    target->workdir = g_steal_pointer(&raw->workdir);
    target->splat_allow = g_steal_pointer(&raw->splat_allow);
    target->splat_deny = g_steal_pointer(&raw->splat_deny);
    target->crash_dir = g_canonicalize_filename(raw->crash_dir ? raw->crash_dir : ".", NULL);
    target->no_initramfs = raw->no_initramfs;
    target->kaslr = raw->kaslr;
    target->cold = raw->cold;
    target->no_save = raw->no_save;
    /* Both need the script: there is nobody else to be init. */
    if (target->no_initramfs || target->init_template)
        target->init = MF_INIT_SCRIPT;
}

static gboolean
read_hostname(MfTarget *target, RawOptions *raw, GError **error)
{
    if (!raw->hostname)
        return TRUE;
    if (!mf_target_check_hostname(raw->hostname, error))
        return FALSE;
    g_free(target->hostname);
    target->hostname = g_steal_pointer(&raw->hostname);
    return TRUE;
}

/* What is about the kernel and the root that a target has in place of a medium. */
static gboolean
check_image(const RawOptions *raw, GError **error)
{
    const struct {
        const char *name;
        gboolean given;
    } options[] = {
        {"kernel", raw->kernel != NULL},
        {"kargs", raw->kargs != NULL},
        {"root", raw->root != NULL},
        {"root-mode", raw->root_mode != NULL},
        {"9p-cache", raw->cache != NULL},
        {"init", raw->init != NULL},
        {"init-template", raw->init_template != NULL},
        {"hostname", raw->hostname != NULL},
        {"no-initramfs", raw->no_initramfs},
        {"kaslr", raw->kaslr},
    };

    const char *medium = mf_machine_options_get_medium(&raw->machine);

    for (gsize i = 0; medium && i < G_N_ELEMENTS(options); i++) {
        if (!options[i].given)
            continue;
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "--%s does not go together with --%s, which boots a system of its own.",
                    options[i].name, medium);
        return FALSE;
    }
    return TRUE;
}

static gboolean
has_command(const RawOptions *raw)
{
    char **words = raw->command;

    return words && words[0] && (!g_str_equal(words[0], "--") || words[1]);
}

/* The first that was given of what needs a command; NULL when there is none. Borrowed. */
static const char *
find_command_option(const RawOptions *raw)
{
    const struct {
        const char *name;
        gboolean given;
    } options[] = {
        {"A command", has_command(raw)},
        {"--tty", raw->tty},
        {"--env", raw->env != NULL},
        {"--user", raw->user != NULL},
        {"--workdir", raw->workdir != NULL},
        {"--boot-timeout", raw->boot_timeout != NULL},
        {"--subtests", raw->subtests != NULL},
        {"--setup", raw->setup != NULL},
        {"--teardown", raw->teardown != NULL},
        {"--artifact", raw->artifacts != NULL},
        {"--watchdog", raw->watchdog != NULL},
        {"--snapshots", raw->snapshots != NULL},
        {"--root", raw->root != NULL},
        {"--root-mode", raw->root_mode != NULL},
        {"--share-type", raw->share_type != NULL},
        {"--9p-cache", raw->cache != NULL},
        {"--mount", raw->mounts != NULL},
        {"--hostname", raw->hostname != NULL},
        {"--init", raw->init != NULL},
        {"--init-template", raw->init_template != NULL},
        {"--no-initramfs", raw->no_initramfs},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(options); i++)
        if (options[i].given)
            return options[i].name;
    return NULL;
}

/* What only mayfly-guest can do, and the script would leave out without a word. */
static gboolean
check_initramfs(const MfTarget *target, GError **error)
{
    const char *wish = target->tty               ? "A terminal (--tty)"
                       : target->user            ? "Another user (--user)"
                       : target->watchdog_ms > 0 ? "A watchdog (--watchdog)"
                       : target->snapshots > 0   ? "A snapshot (--snapshots)"
                                                 : NULL;

    if (!target->no_initramfs || !wish)
        return TRUE;
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                "%s needs mayfly-guest in the guest, which comes with the initramfs: leave out "
                "--no-initramfs.",
                wish);
    return FALSE;
}

/* One argument is shell text, several are an argv, and none is a login shell on a terminal. */
static gboolean
take_command(MfTarget *target, RawOptions *raw, gboolean needed, GError **error)
{
    char **words = raw->command;

    if (target->bare)
        return TRUE;
    if (words && words[0] && g_str_equal(words[0], "--"))
        words++;
    target->tty = raw->tty;
    if (words && words[0] && g_str_equal(words[0], "-") && !words[1]) {
        target->tty = TRUE;
        return TRUE;
    }
    if (!words || !words[0]) {
        if (target->tty)
            return TRUE;
        if (!needed)
            target->shell = g_strdup("true");
        else
            g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                        "No command is given: write it after the options, such as "
                        "'mayfly run -- uname -r'.");
        return !needed;
    }
    if (!words[0][0]) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG, "The command is empty: is a variable unset?");
        return FALSE;
    }
    if (words[1])
        target->argv = g_strdupv(words);
    else
        target->shell = g_strdup(words[0]);
    return TRUE;
}

gboolean
mf_run_options_parse(MfRunOptions *self, int argc, char **argv, GError **error)
{
    g_auto(RawOptions) raw = {0};
    g_autoptr(MfVerbOptions) options = make_options(self, &raw);

    self->target = mf_target_new();
    if (!mf_verb_options_read(options, argc, argv, error))
        return FALSE;
    const char *stray = find_command_option(&raw);

    if (!check_texts(&raw, error) || !check_image(&raw, error) ||
        !mf_machine_options_apply_persona(&raw.machine, raw.arch, self->target, error) ||
        !read_enums(self->target, &raw, error))
        return FALSE;
    take_texts(self->target, &raw);
    if (!read_sizes(self->target, &raw, error) ||
        !mf_machine_options_apply(&raw.machine, self->target, raw.memory != NULL, error) ||
        !mf_bare_options_apply(&raw.bare, self->target, stray, error) ||
        !read_mounts(self->target, &raw, error) || !read_env(self->target, &raw, error) ||
        !read_hostname(self->target, &raw, error) ||
        !take_command(self->target, &raw, !self->print_qemu && !self->verb, error) ||
        !check_initramfs(self->target, error))
        return FALSE;
    mf_target_settle(self->target);
    return TRUE;
}

void
mf_run_options_describe(GPtrArray *verbs, const MfSubverb *verb)
{
    MfRunOptions self = {.verb = verb};
    g_auto(RawOptions) raw = {0};
    g_autoptr(MfVerbOptions) options = make_options(&self, &raw);

    mf_verb_options_describe(options, verbs);
}

void
mf_run_options_clear(MfRunOptions *self)
{
    g_clear_pointer(&self->target, mf_target_free);
    g_clear_pointer(&self->timeline, g_free);
    g_clear_pointer(&self->run_dir, g_free);
    g_clear_pointer(&self->reports, g_strfreev);
    g_clear_pointer(&self->console_log, g_free);
}
