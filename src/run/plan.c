/* SPDX-License-Identifier: Apache-2.0 */
#include "run/plan.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/parse.h"
#include "base/tempdir.h"
#include "machine/catalog.h"
#include "machine/counter.h"
#include "machine/debug-exit.h"
#include "machine/initramfs.h"
#include "machine/kernel.h"
#include "machine/libvirt-uri.h"
#include "machine/platform.h"
#include "machine/virtiofsd.h"
#include "run/crash-evidence.h"
#include "run/media.h"
#include "run/moment.h"
#include "run/plan-commands.h"
#include "run/scripts.h"
#include "warm/key.h"
#include "wire/guest-protocol.h"
#include "wire/record.h"

/* Directories that the guest covers with file systems of its own: a path below them is not the
 * host's there. */
static const char *const covered[] = {"/dev", "/proc", "/run", "/sys", "/mnt", NULL};

void
mf_plan_free(MfPlan *self)
{
    if (!self)
        return;
    mf_tempdir_remove(self->scripts_dir);
    g_free(self->scripts_dir);
    mf_tempdir_remove(self->media_dir);
    g_free(self->media_dir);
    mf_spec_free(self->spec);
    g_clear_pointer(&self->command, g_bytes_unref);
    g_free(self->workdir);
    for (int kind = 0; kind < MF_N_HOOKS; kind++)
        g_clear_pointer(&self->hooks[kind], g_ptr_array_unref);
    g_clear_pointer(&self->setup, g_ptr_array_unref);
    g_free(self->accel_note);
    if (self->script_mounts)
        g_string_free(self->script_mounts, TRUE);
    g_free(self->script_modules);
    g_free(self->label);
    g_free(self->image_script);
    g_free(self->image_command);
    g_free(self->image_command_alone);
    g_free(self);
}

static void
add_setup(MfPlan *self, const char *key, const char *value)
{
    g_ptr_array_add(self->setup, g_strdup(key));
    g_ptr_array_add(self->setup, g_strdup(value));
}

static void
add_setup_mount(MfPlan *self, const char *tag, const char *guest_path, gboolean writable)
{
    MfShareType type = self->spec->share_type;
    g_autofree char *value = g_strdup_printf("%s,%s,%s,%s", mf_share_type_name(type),
                                             writable ? "rw" : "ro", tag, guest_path);
    g_autofree char *line = mf_scripts_mount_line(type, tag, guest_path, writable);

    add_setup(self, MF_CONF_MOUNT, value);
    g_string_append(self->script_mounts, line);
}

static void
set_modules(MfPlan *self, const char *place)
{
    add_setup(self, MF_CONF_MODULES, place);
    self->script_modules = g_strdup(place);
}

static const char *
get_cache(const MfTarget *target)
{
    return mf_9p_cache_name(target->cache == MF_9P_CACHE_DEFAULT ? MF_9P_CACHE_CHOSEN
                                                                 : target->cache);
}

static gboolean
is_covered(const char *path)
{
    for (const char *const *prefix = covered; *prefix; prefix++) {
        size_t length = strlen(*prefix);

        if (strncmp(path, *prefix, length) == 0 && (path[length] == '/' || path[length] == '\0'))
            return TRUE;
    }
    return FALSE;
}

/* 'path' as it is seen inside the root, NULL when it is not there. Borrowed from 'path'. */
static const char *
path_in_root(const char *root, const char *path)
{
    size_t length = strlen(root);

    if (g_str_equal(root, "/"))
        return is_covered(path) ? NULL : path;
    if (g_str_has_prefix(path, root) && path[length] == '/')
        return is_covered(path + length) ? NULL : path + length;
    return NULL;
}

static gboolean
check_directories(const MfTarget *target, GError **error)
{
    if (!target->share) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "The current directory does not exist any more, or cannot be reached.");
        return FALSE;
    }

    if (target->image)
        return TRUE;

    struct stat status;
    int reason = stat(target->root, &status) < 0 ? errno : S_ISDIR(status.st_mode) ? 0 : ENOTDIR;

    if (reason == 0 && access(target->root, R_OK | X_OK) < 0)
        reason = errno;
    if (reason == 0)
        return TRUE;
    mf_error_set_errno(error, MF_ERROR_CONFIG, reason, "The root '%s' cannot be used",
                       target->root);
    return FALSE;
}

static void
add_shares(MfPlan *self, const MfTarget *target)
{
    GPtrArray *shares = self->spec->shares;
    /* The whole host is never shared writable by accident of where one stands. */
    gboolean writable = !g_str_equal(target->share, "/") && access(target->share, W_OK) == 0;

    if (!target->image)
        g_ptr_array_add(shares, mf_share_new("root", MF_TAG_ROOT, target->root, NULL,
                                             target->root_mode == MF_ROOT_RW));
    if (!writable)
        g_info("The current directory '%s' is shared read-only.", target->share);
    g_ptr_array_add(shares,
                    mf_share_new("share", MF_TAG_SHARE, target->share, MF_GUEST_SHARE, writable));
    add_setup_mount(self, MF_TAG_SHARE, MF_GUEST_SHARE, writable);
    add_setup_mount(self, MF_TAG_SHARE, MF_GUEST_SHARE_VMTEST, writable);
    for (guint i = 0; i < target->mounts->len; i++) {
        const MfShare *mount = g_ptr_array_index(target->mounts, i);

        g_ptr_array_add(shares, mf_share_new(mount->id, mount->tag, mount->host_path,
                                             mount->guest_path, mount->writable));
        add_setup_mount(self, mount->tag, mount->guest_path, mount->writable);
    }
}

/* The kernel's own module tree at /lib/modules/<release>: as it is where the root has it there,
 * bound from another place of the root, or through a share of its own. A machine that can be saved
 * has that share whatever its root is: with another root it is still the same machine. */
static void
add_modules(MfPlan *self, const MfTarget *target, MfKernel *kernel)
{
    const char *directory = mf_kernel_get_modules_dir(kernel);
    const char *release = mf_kernel_get_release(kernel);

    if (!directory || !release)
        return;

    const char *inside = path_in_root(target->root, directory);
    g_autofree char *wanted = g_build_filename("/lib/modules", release, NULL);
    g_autofree char *merged = g_build_filename("/usr/lib/modules", release, NULL);
    if (!inside)
        set_modules(self, "tag:" MF_TAG_MODULES);
    else if (!g_str_equal(inside, wanted) && !g_str_equal(inside, merged))
        set_modules(self, inside);
    if (!inside || (!target->cold && !mf_warm_why_not(self->spec)))
        g_ptr_array_add(self->spec->shares,
                        mf_share_new("modules", MF_TAG_MODULES, directory, NULL, FALSE));
}

/* How the kernel finds its root by itself. */
static void
append_root(GString *text, const MfTarget *target, MfShareType type)
{
    const char *access = target->root_mode == MF_ROOT_RW ? "rw" : "ro";

    g_string_append_printf(text, " root=" MF_TAG_ROOT " rootfstype=%s", mf_share_type_name(type));
    if (type == MF_SHARE_9P)
        g_string_append_printf(text,
                               " rootflags=trans=virtio,version=9p2000.L,msize=512000,cache=%s",
                               get_cache(target));
    g_string_append_printf(text, " %s", access);
}

/* The kernel makes no clock of a cycle counter that does not promise to run at one rate, as that of
 * QEMU's processors does not. A look at the clock that it takes instead, a device's, makes them
 * wait for each other, and the start of a program takes thousands of looks. The rate is told: on a
 * busy host the kernel can measure a third of it, and then its time runs three times as fast. Owned
 * by the caller. */
static char *
choose_clock(const MfSpec *spec)
{
    gboolean elsewhere = spec->connect && mf_libvirt_uri_is_remote(spec->connect);
    guint khz = spec->accel == MF_ACCEL_TCG && !elsewhere ? mf_counter_get_khz(spec->arch) : 0;

    return khz ? g_strdup_printf("%s%u", mf_platform_get(spec->arch)->counter_args, khz)
               : g_strdup("");
}

char *
mf_plan_kernel_args(const MfTarget *target, MfShareType type, const char *clock, gboolean initramfs)
{
    const MfPlatform *platform = mf_platform_get(target->arch);
    GString *text = g_string_new(NULL);

    /* panic=-1: a panic resets at once, which ends QEMU. */
    g_string_append_printf(text, "console=%s quiet panic=-1%s%s", platform->console,
                           platform->kernel_args, clock);
    if (target->hang_timeout_ms > 0)
        g_string_append(text, platform->hang_args);
    if (initramfs)
        g_string_append(text, " " MF_KERNEL_ARG_NO_CIPHER_TESTS);
    else
        append_root(text, target, type);
    if (target->kernel_args && *target->kernel_args)
        g_string_append_printf(text, " %s", target->kernel_args);
    /* The kernel reads nothing of its own behind this. */
    if (!initramfs)
        g_string_append_printf(text, " %s", mf_scripts_get_bootstrap(type));
    return g_string_free(text, FALSE);
}

/* The image that the target names, or the one for who names none. Owned by the caller. */
static char *
find_kernel(const MfTarget *target, GError **error)
{
    if (!target->kernel)
        return mf_catalog_default_kernel(target->arch, error);
    return mf_catalog_resolve(target->kernel, error);
}

/* 'what' is the kernel or the image that it boots. Owned by the caller. */
static char *
describe_machine(const MfSpec *spec, const char *what)
{
    g_autofree char *memory = mf_format_size(spec->memory);

    return g_strdup_printf("%s, %s, %u CPU%s", what, memory, spec->cpus,
                           spec->cpus == 1 ? "" : "s");
}

static char *
describe_kernel_machine(const MfSpec *spec, const MfTarget *target, MfKernel *kernel)
{
    gboolean named = target->kernel && !g_file_test(target->kernel, G_FILE_TEST_EXISTS);

    return describe_machine(spec, named ? target->kernel : mf_kernel_get_path(kernel));
}

/* What the kernel has to have, but for the shares. */
static MfKernelNeeds
list_needs(const MfTarget *target)
{
    MfKernelNeeds needs = 0;

    if (target->root_mode == MF_ROOT_OVERLAY)
        needs |= MF_KERNEL_NEEDS_OVERLAY;
    if (target->no_initramfs)
        needs |= MF_KERNEL_NEEDS_BUILTIN;
    if (target->disks->len > 0)
        needs |= MF_KERNEL_NEEDS_DISKS;
    if (target->net == MF_NET_USER)
        needs |= MF_KERNEL_NEEDS_NET;
    if (target->numa->len > 0)
        needs |= MF_KERNEL_NEEDS_NUMA;
    if (target->tpm != MF_TPM_NONE)
        needs |= mf_tpm_is_crb(target->tpm, target->arch) ? MF_KERNEL_NEEDS_TPM_CRB
                                                          : MF_KERNEL_NEEDS_TPM_TIS;
    return needs;
}

/* Whether the kernel has what is needed; with an initramfs, makes that, which checks as much once
 * (the check itself reads the kernel's configuration each time). */
static gboolean
prepare_needs(MfPlan *self, MfKernel *kernel, MfKernelNeeds needs, GError **error)
{
    if (!self->initramfs)
        return mf_kernel_check(kernel, needs, error);
    self->spec->initrd = mf_initramfs_prepare(kernel, needs, error);
    return self->spec->initrd != NULL;
}

/* Finds the daemon. 'refusal' is why the shares are not 9p, NULL when virtiofs was asked for. */
static gboolean
plan_virtiofs(MfSpec *spec, const GError *refusal, GError **error)
{
    g_autoptr(GError) lookup = NULL;

    spec->share_type = MF_SHARE_VIRTIOFS;
    spec->virtiofsd = mf_virtiofsd_find(&lookup);
    if (spec->virtiofsd)
        return TRUE;
    if (refusal)
        g_set_error(error, MF_ERROR, MF_ERROR_HOST, "%s %s", refusal->message, lookup->message);
    else
        g_propagate_error(error, g_steal_pointer(&lookup));
    return FALSE;
}

/* Settles how directories are shared. */
static gboolean
plan_share_type(MfPlan *self, const MfTarget *target, MfKernel *kernel, GError **error)
{
    MfKernelNeeds needs = list_needs(target);
    g_autoptr(GError) refusal = NULL;

    if (target->share_type == MF_SHARE_VIRTIOFS)
        return prepare_needs(self, kernel, needs | MF_KERNEL_NEEDS_VIRTIOFS, error) &&
               plan_virtiofs(self->spec, NULL, error);

    self->spec->share_type = MF_SHARE_9P;
    if (prepare_needs(self, kernel, needs | MF_KERNEL_NEEDS_9P, &refusal))
        return TRUE;
    if (target->share_type == MF_SHARE_AUTO &&
        g_error_matches(refusal, MF_ERROR, MF_ERROR_CONFIG) &&
        prepare_needs(self, kernel, needs | MF_KERNEL_NEEDS_VIRTIOFS, NULL))
        return plan_virtiofs(self->spec, refusal, error);
    g_propagate_error(error, g_steal_pointer(&refusal));
    return FALSE;
}

static gboolean
plan_kernel(MfPlan *self, const MfTarget *target, MfKernel *kernel, GError **error)
{
    MfSpec *spec = self->spec;

    if ((target->kernel_args && !mf_target_check_kernel_args(target->kernel_args, error)) ||
        !mf_kernel_check_arch(kernel, target->arch, error) ||
        !plan_share_type(self, target, kernel, error))
        return FALSE;
    g_autofree char *clock = choose_clock(spec);
    spec->append = mf_plan_kernel_args(target, spec->share_type, clock, self->initramfs);
    return mf_platform_check_command_line(target->arch, spec->append, error) &&
           mf_media_set_kernel(target, kernel, spec, error);
}

/* What boots with nothing of mayfly's in it. Whatever it does, it does not do before it is watched.
 */
static gboolean
plan_bare(MfSpec *spec, const MfTarget *target, GError **error)
{
    spec->paused = TRUE;
    spec->debug_exit = target->success_exit_code > 0;
    if (spec->debug_exit && !mf_debug_exit_check(target->arch, target->success_exit_code, error))
        return FALSE;
    if (target->image)
        return TRUE;

    g_autofree char *path = find_kernel(target, error);
    return path && mf_media_set_bare_kernel(target, path, spec, error);
}

static gboolean
plan_memory(MfSpec *spec, const MfTarget *target, GError **error)
{
    if (!mf_numa_check(target->numa, target->cpus, error))
        return FALSE;
    for (guint i = 0; i < target->numa->len; i++)
        g_ptr_array_add(spec->numa, mf_numa_node_copy(g_ptr_array_index(target->numa, i)));
    spec->memory = target->numa->len > 0 ? mf_numa_get_memory(target->numa) : target->memory;
    return TRUE;
}

static gboolean
plan_disks(MfPlan *self, const MfTarget *target, GError **error)
{
    MfSpec *spec = self->spec;

    if (mf_media_needs_directory(target)) {
        self->media_dir = mf_tempdir_make(error);
        if (!self->media_dir)
            return FALSE;
    }
    if (!mf_media_add(target, self->media_dir, spec, error))
        return FALSE;
    for (guint i = 0; i < target->disks->len; i++)
        g_ptr_array_add(spec->disks, mf_disk_copy(g_ptr_array_index(target->disks, i)));
    for (guint i = 0; i < spec->disks->len; i++)
        if (!mf_disk_resolve(g_ptr_array_index(spec->disks, i), error))
            return FALSE;
    if (target->mounts->len + spec->disks->len <= MF_TARGET_MAX_DEVICES)
        return TRUE;
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                "%u mounts and %u disks are more than the machine has slots for: at most %d of "
                "both.",
                target->mounts->len, spec->disks->len, MF_TARGET_MAX_DEVICES);
    return FALSE;
}

static gboolean
plan_net(MfPlan *self, const MfTarget *target, GError **error)
{
    if (!mf_net_check(target->net, target->forwards, error))
        return FALSE;
    if (target->net == MF_NET_NONE)
        return TRUE;
    if (!self->initramfs && !target->image && !target->bare) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "The guest's network is set up by mayfly-guest, which comes with the "
                    "initramfs: leave out --no-initramfs.");
        return FALSE;
    }
    self->spec->net = target->net;
    g_array_append_vals(self->spec->forwards, target->forwards->data, target->forwards->len);
    add_setup(self, MF_CONF_NET, MF_NET_USER_ADDRESSES);
    return TRUE;
}

static gboolean
plan_tpm(MfSpec *spec, const MfTarget *target, GError **error)
{
    spec->tpm = target->tpm;
    if (target->tpm == MF_TPM_NONE)
        return TRUE;
    if (!mf_tpm_check_machine(target->tpm, target->arch, error))
        return FALSE;
    /* libvirt has the one of its own host. */
    if (spec->connect)
        return TRUE;
    spec->swtpm = mf_tpm_find(error);
    return spec->swtpm != NULL;
}

/* On whose processors the machine runs, and by which QEMU. What another host has is not known here:
 * one for virtual machines has KVM, and libvirt chooses the QEMU. */
static gboolean
plan_host(MfPlan *self, const MfTarget *target, GError **error)
{
    MfSpec *spec = self->spec;

    spec->connect = g_strdup(target->connect);
    if (spec->connect && mf_libvirt_uri_is_remote(spec->connect))
        spec->accel = target->accel == MF_ACCEL_TCG ? MF_ACCEL_TCG : MF_ACCEL_KVM;
    else if (!mf_host_choose_accel(target->accel, target->arch, &spec->accel, &self->accel_note,
                                   error))
        return FALSE;
    if (spec->connect) {
        spec->qemu = g_strdup(target->qemu);
        return TRUE;
    }
    spec->qemu = mf_host_find_qemu(target->qemu, target->arch, error);
    return spec->qemu != NULL;
}

/* What the machine is made of, whatever boots in it. */
static gboolean
plan_machine(MfPlan *self, const MfTarget *target, GError **error)
{
    MfSpec *spec = self->spec;

    spec->arch = target->arch;
    if (!plan_host(self, target, error))
        return FALSE;
    spec->machine =
        g_strdup(target->machine ? target->machine : mf_platform_machine(spec->arch, spec->accel));
    spec->cpu = g_strdup(target->cpu ? target->cpu : mf_platform_cpu(spec->arch, spec->accel));
    spec->cpus = target->cpus;
    if (target->smbios && !mf_smbios_check_machine(target->arch, target->uefi, error))
        return FALSE;
    spec->smbios = mf_smbios_copy(target->smbios);
    if (!plan_tpm(spec, target, error))
        return FALSE;
    spec->qmp_socket = g_strdup(target->qmp_socket);
    spec->held = target->on_crash != 0;
    spec->screen = (target->on_crash & MF_ON_CRASH_SCREENSHOT) != 0;
    spec->extra_args = g_strdupv(target->qemu_args);
    spec->script_ports = !self->initramfs && !target->bare;
    return plan_memory(spec, target, error) && plan_disks(self, target, error) &&
           mf_media_add_firmware(target, self->media_dir, spec, error) &&
           plan_net(self, target, error);
}

/* The command's directory in the guest: where the caller is, as far as the root is the host's. */
static const char *
choose_workdir(const MfTarget *target)
{
    const char *workdir = target->workdir;

    if (!workdir && !target->image && g_str_equal(target->root, "/"))
        workdir = path_in_root("/", target->share);
    return workdir ? workdir : MF_GUEST_SHARE;
}

/* What differs where the machine boots an image. */
static gboolean
plan_image(MfPlan *self, const MfTarget *target, const gboolean stdio_open[3], GError **error)
{
    MfSpec *spec = self->spec;

    spec->share_type = MF_SHARE_9P;
    if (target->share_type == MF_SHARE_VIRTIOFS && !plan_virtiofs(spec, NULL, error))
        return FALSE;
    add_shares(self, target);
    self->label = describe_machine(spec, target->image);
    return mf_plan_add_commands(self, target, stdio_open, error) &&
           mf_plan_add_image_scripts(self, target, error);
}

/* Whether libvirt can start the machine, now that it is known what that is. */
static gboolean
check_connect(const MfPlan *self, const MfTarget *target, GError **error)
{
    if (target->connect && target->snapshots > 0) {
        g_set_error_literal(error, MF_ERROR, MF_ERROR_CONFIG,
                            "A machine that libvirt starts cannot keep what its guest asks for "
                            "(--snapshots). Run it without --connect.");
        return FALSE;
    }
    return !target->connect ||
           mf_libvirt_check_spec(self->spec, (const char *const *)target->shared_paths, error);
}

/* What differs where the machine boots a kernel with a guest of ours. */
static gboolean
plan_kernel_and_root(MfPlan *self, const MfTarget *target, const gboolean stdio_open[3],
                     GError **error)
{
    MfSpec *spec = self->spec;
    g_autofree char *path = find_kernel(target, error);
    g_autoptr(MfKernel) kernel = path ? mf_kernel_open(path, error) : NULL;

    if (!kernel || !plan_kernel(self, target, kernel, error))
        return FALSE;
    self->label = describe_kernel_machine(spec, target, kernel);
    add_setup(self, MF_CONF_ROOT, mf_share_type_name(spec->share_type));
    add_setup(self, MF_CONF_REHEARSE, spec->accel == MF_ACCEL_TCG && spec->cpus > 1 ? "yes" : "no");
    add_shares(self, target);
    add_modules(self, target, kernel);
    if (!mf_plan_add_commands(self, target, stdio_open, error))
        return FALSE;
    return target->init != MF_INIT_SCRIPT || mf_plan_add_scripts(self, target, error);
}

static gboolean
plan_boot(MfPlan *self, const MfTarget *target, const gboolean stdio_open[3], GError **error)
{
    if (target->bare)
        return plan_bare(self->spec, target, error);
    self->workdir = g_strdup(choose_workdir(target));
    if (target->image)
        return plan_image(self, target, stdio_open, error);
    return plan_kernel_and_root(self, target, stdio_open, error);
}

MfPlan *
mf_plan_new(const MfTarget *target, const gboolean stdio_open[3], GError **error)
{
    g_autoptr(MfPlan) self = g_new0(MfPlan, 1);

    self->spec = mf_spec_new();
    self->setup = g_ptr_array_new_with_free_func(g_free);
    self->script_mounts = g_string_new(NULL);
    self->init = target->image ? MF_INIT_AGENT : target->init;
    self->initramfs = !target->no_initramfs && !target->image && !target->bare;
    add_setup(self, MF_CONF_INIT, mf_init_name(self->init));
    add_setup(self, MF_CONF_9P_CACHE, get_cache(target));
    add_setup(self, MF_CONF_ROOT_MODE, mf_root_mode_name(target->root_mode));
    add_setup(self, MF_CONF_HOSTNAME, target->hostname);

    if (!check_directories(target, error) || !plan_machine(self, target, error) ||
        !plan_boot(self, target, stdio_open, error) || !check_connect(self, target, error))
        return NULL;
    return g_steal_pointer(&self);
}

GBytes *
mf_plan_make_conf(const MfPlan *self)
{
    struct mf_record record = {0};

    mf_moment_add_entropy(&record);
    for (guint i = 0; i < self->setup->len; i += 2)
        mf_record_add(&record, g_ptr_array_index(self->setup, i),
                      g_ptr_array_index(self->setup, i + 1));
    mf_moment_add_time(&record);

    GBytes *conf = g_bytes_new(record.data, record.size);
    mf_record_clear(&record);
    return conf;
}
