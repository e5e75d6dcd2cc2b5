/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/parse.h"

#define KVM_DEVICE "/dev/kvm"

static const char *const accels[] = {"auto", "kvm", "tcg", NULL};

const char *
mf_accel_name(MfAccel accel)
{
    return accels[accel];
}

gboolean
mf_accel_parse(const char *text, MfAccel *ret_accel, GError **error)
{
    guint index;

    if (!mf_parse_choice(text, "an accelerator", accels, &index, error))
        return FALSE;
    *ret_accel = (MfAccel)index;
    return TRUE;
}

/* Whether the first CPU's flags name vmx or svm. Only the head of the file is read: on a large
 * host the whole of it is megabytes. */
static gboolean
cpuinfo_has_virtualization(void)
{
    char head[8192];
    mf_autofd fd = open("/proc/cpuinfo", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, head, sizeof(head) - 1);

    if (n <= 0)
        return FALSE;
    head[n] = '\0';

    char *flags = strstr(head, "\nflags");
    if (!flags)
        return FALSE;
    flags++;
    flags[strcspn(flags, "\n")] = '\0';
    g_auto(GStrv) words = g_strsplit_set(flags, " \t", -1);
    return g_strv_contains((const char *const *)words, "vmx") ||
           g_strv_contains((const char *const *)words, "svm");
}

void
mf_host_probe_kvm(MfKvmFacts *ret_facts)
{
    MfKvmFacts facts = {.host_arch = mf_arch_native(), .cpu_has_virtualization = TRUE};
    mf_autofd fd = open(KVM_DEVICE, O_RDWR | O_CLOEXEC);

    facts.open_errno = fd < 0 ? errno : 0;
    if (fd >= 0) {
        facts.api_version = ioctl(fd, KVM_GET_API_VERSION, 0);
        if (facts.host_arch == MF_ARCH_X86_64)
            facts.cpu_has_virtualization = cpuinfo_has_virtualization();
    }
    *ret_facts = facts;
}

char *
mf_host_why_no_kvm(const MfKvmFacts *facts, MfArch guest_arch)
{
    if (guest_arch != facts->host_arch)
        return g_strdup_printf("the guest is %s and this host is %s", mf_arch_name(guest_arch),
                               mf_arch_name(facts->host_arch));
    if (facts->open_errno == ENOENT)
        return g_strdup(KVM_DEVICE " does not exist");
    if (facts->open_errno == EACCES)
        return g_strdup(KVM_DEVICE " may not be opened by this user (join the group 'kvm')");
    if (facts->open_errno != 0)
        return g_strdup_printf(KVM_DEVICE " cannot be opened: %s", g_strerror(facts->open_errno));
    if (facts->api_version != KVM_API_VERSION)
        return g_strdup_printf(KVM_DEVICE " has API version %d instead of %d", facts->api_version,
                               KVM_API_VERSION);
    if (!facts->cpu_has_virtualization)
        return g_strdup(KVM_DEVICE " opens, but the CPU has neither vmx nor svm behind it");
    return NULL;
}

/* Whether KVM cannot even be tried: QEMU would end with a failure of its own. A CPU without the
 * flags for it is no such reason, for the host's KVM may do without. */
static gboolean
lacks_kvm(const MfKvmFacts *facts, MfArch guest_arch)
{
    return guest_arch != facts->host_arch || facts->open_errno != 0 ||
           facts->api_version != KVM_API_VERSION;
}

gboolean
mf_host_judge_accel(MfAccel wanted, const MfKvmFacts *facts, MfArch guest_arch, MfAccel *ret_accel,
                    char **ret_reason, GError **error)
{
    g_autofree char *reason = mf_host_why_no_kvm(facts, guest_arch);

    if (wanted == MF_ACCEL_KVM && lacks_kvm(facts, guest_arch)) {
        g_set_error(error, MF_ERROR, MF_ERROR_HOST,
                    "KVM cannot be used: %s. Without '--accel kvm' the machine is emulated.",
                    reason);
        return FALSE;
    }
    *ret_accel = wanted == MF_ACCEL_AUTO ? (reason ? MF_ACCEL_TCG : MF_ACCEL_KVM) : wanted;
    *ret_reason = g_steal_pointer(&reason);
    return TRUE;
}

gboolean
mf_host_choose_accel(MfAccel wanted, MfArch guest_arch, MfAccel *ret_accel, char **ret_reason,
                     GError **error)
{
    MfKvmFacts facts;

    if (wanted == MF_ACCEL_TCG) {
        *ret_accel = MF_ACCEL_TCG;
        *ret_reason = NULL;
        return TRUE;
    }
    mf_host_probe_kvm(&facts);
    return mf_host_judge_accel(wanted, &facts, guest_arch, ret_accel, ret_reason, error);
}

gboolean
mf_host_uses_kvm(MfAccel wanted, MfArch guest_arch, char **ret_reason)
{
    MfAccel accel;

    return mf_host_choose_accel(wanted, guest_arch, &accel, ret_reason, NULL) &&
           accel == MF_ACCEL_KVM;
}

char *
mf_host_find_qemu(const char *requested, MfArch arch, GError **error)
{
    static const char *const packages[] = {
        [MF_ARCH_X86_64] = "qemu-system-x86",
        [MF_ARCH_AARCH64] = "qemu-system-arm",
        [MF_ARCH_RISCV64] = "qemu-system-misc",
        [MF_ARCH_S390X] = "qemu-system-misc",
    };

    if (requested) {
        char *path = g_find_program_in_path(requested);

        if (!path)
            g_set_error(error, MF_ERROR, MF_ERROR_HOST,
                        "QEMU '%s' was not found, or is not executable.", requested);
        return path;
    }

    g_autofree char *name = g_strconcat("qemu-system-", mf_arch_name(arch), NULL);
    char *path = g_find_program_in_path(name);
    /* Enterprise distributions have only this one, outside PATH, for their own architecture. */
    if (!path && arch == mf_arch_native())
        path = g_find_program_in_path("/usr/libexec/qemu-kvm");
    if (!path)
        g_set_error(error, MF_ERROR, MF_ERROR_HOST,
                    "QEMU '%s' was not found in PATH: install it (Debian: %s), or name it with "
                    "--qemu.",
                    name, packages[arch]);
    return path;
}

guint
mf_host_count_cpus(void)
{
    return g_get_num_processors();
}
