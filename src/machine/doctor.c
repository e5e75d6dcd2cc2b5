/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/doctor.h"

#include <errno.h>
#include <stdio.h>

#include "base/parse.h"

/* Less room than this is soon used up: a kernel with its modules takes 500 MiB. */
#define CACHE_FREE_MIN MF_GIB

MfDoctorKernel *
mf_doctor_kernel_new(const char *name)
{
    MfDoctorKernel *self = g_new0(MfDoctorKernel, 1);

    self->name = g_filename_display_name(name);
    return self;
}

void
mf_doctor_kernel_free(MfDoctorKernel *self)
{
    if (!self)
        return;
    g_free(self->name);
    g_free(self->problem);
    g_free(self);
}

MfDoctorFacts *
mf_doctor_facts_new(void)
{
    MfDoctorFacts *self = g_new0(MfDoctorFacts, 1);

    self->arch = mf_arch_native();
    self->kernels = g_ptr_array_new_with_free_func((GDestroyNotify)mf_doctor_kernel_free);
    return self;
}

void
mf_doctor_facts_free(MfDoctorFacts *self)
{
    if (!self)
        return;
    for (MfArch arch = 0; arch < MF_N_ARCHS; arch++) {
        g_free(self->qemus[arch].path);
        g_free(self->qemus[arch].version);
        g_free(self->qemus[arch].complaint);
    }
    mf_doctor_kernel_free(self->default_kernel);
    g_free(self->no_default);
    g_ptr_array_unref(self->kernels);
    g_free(self->virtiofsd);
    g_free(self->no_virtiofsd);
    g_free(self->no_libarchive);
    g_free(self->no_libcurl);
    g_free(self->no_libvirt);
    g_free(self->libvirt_daemon);
    g_free(self->uefi);
    g_free(self->secure_boot);
    g_free(self->swtpm);
    g_free(self->no_swtpm);
    g_free(self->cache);
    g_free(self->no_cache);
    g_free(self);
}

const char *
mf_doctor_verdict_name(MfDoctorVerdict verdict)
{
    static const char *const names[] = {"pass", "warn", "fail"};

    return names[verdict];
}

static void
check_free(gpointer data)
{
    MfDoctorCheck *self = data;

    g_free(self->subject);
    g_free(self->message);
    g_free(self->remedy);
    g_free(self);
}

/* Takes 'message' and 'remedy' (NULL for none). */
static void
add(GPtrArray *checks, const char *id, const char *subject, MfDoctorVerdict verdict, char *message,
    char *remedy)
{
    MfDoctorCheck *check = g_new0(MfDoctorCheck, 1);

    check->id = id;
    check->subject = g_strdup(subject);
    check->verdict = verdict;
    check->message = message;
    check->remedy = remedy;
    g_ptr_array_add(checks, check);
}

/* Whether mayfly can talk to it; what says no version is given the benefit of the doubt. */
static gboolean
is_too_old(const MfDoctorQemu *qemu)
{
    unsigned int major, minor;

    if (!qemu->version || sscanf(qemu->version, "%u.%u", &major, &minor) != 2)
        return FALSE;
    return major < MF_QEMU_MIN_MAJOR || (major == MF_QEMU_MIN_MAJOR && minor < MF_QEMU_MIN_MINOR);
}

static gboolean
is_usable(const MfDoctorQemu *qemu)
{
    return qemu->path && !qemu->complaint && !is_too_old(qemu);
}

static void
check_qemu(GPtrArray *checks, const MfDoctorFacts *facts)
{
    const MfDoctorQemu *qemu = &facts->qemus[facts->arch];
    char *remedy =
        is_usable(qemu) ? NULL : mf_distro_install_hint(facts->distro, MF_PART_QEMU, facts->arch);
    char *message;

    if (!qemu->path)
        message = g_strdup_printf("No qemu-system-%s is in PATH.", mf_arch_name(facts->arch));
    else if (qemu->complaint)
        message = g_strdup(qemu->complaint);
    else if (is_too_old(qemu))
        message = g_strdup_printf("'%s' is version %s, and mayfly needs %d.%d or newer.",
                                  qemu->path, qemu->version, MF_QEMU_MIN_MAJOR, MF_QEMU_MIN_MINOR);
    else
        message = g_strdup_printf("'%s' is version %s.", qemu->path, qemu->version);
    add(checks, "qemu", "QEMU", remedy ? MF_DOCTOR_FAIL : MF_DOCTOR_PASS, message, remedy);
}

static void
check_9p(GPtrArray *checks, const MfDoctorFacts *facts)
{
    const MfDoctorQemu *qemu = &facts->qemus[facts->arch];

    if (!is_usable(qemu))
        return;
    if (!facts->no_9p)
        add(checks, "9p", "9p", MF_DOCTOR_PASS, g_strdup("QEMU can share directories over 9p."),
            NULL);
    else
        add(checks, "9p", "9p", MF_DOCTOR_WARN,
            g_strdup_printf("'%s' was built without 9p: directories can only be shared over "
                            "virtiofs.",
                            qemu->path),
            facts->virtiofsd
                ? g_strdup("run with '--share-type virtiofs'")
                : mf_distro_install_hint(facts->distro, MF_PART_VIRTIOFSD, facts->arch));
}

static char *
kvm_remedy(const MfKvmFacts *kvm)
{
    if (kvm->open_errno == EACCES)
        return g_strdup("join the group of /dev/kvm, 'usermod -aG kvm USER', and log in anew");
    if (kvm->open_errno == ENOENT)
        return g_strdup("load the module kvm_intel or kvm_amd, with virtualization turned on in "
                        "the firmware; a host that is a VM itself must offer it nested");
    if (kvm->open_errno == 0 && !kvm->cpu_has_virtualization)
        return g_strdup("let the host of this machine pass on nested virtualization");
    return g_strdup("look at what the kernel says of it, 'dmesg | grep -i kvm'");
}

static void
check_kvm(GPtrArray *checks, const MfDoctorFacts *facts)
{
    g_autofree char *reason = mf_host_why_no_kvm(&facts->kvm, facts->arch);

    if (reason)
        add(checks, "kvm", "KVM", MF_DOCTOR_WARN,
            g_strdup_printf("KVM cannot be used: %s; guests are emulated in software, which is "
                            "many times slower.",
                            reason),
            kvm_remedy(&facts->kvm));
    else
        add(checks, "kvm", "KVM", MF_DOCTOR_PASS, g_strdup("/dev/kvm works."), NULL);
}

static void
check_guest(GPtrArray *checks, const MfDoctorFacts *facts)
{
    const char *native = mf_arch_name(facts->arch);
    g_autoptr(GString) names = g_string_new(NULL);

    for (MfArch arch = 0; arch < MF_N_ARCHS; arch++)
        if (facts->guests[arch])
            g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "", mf_arch_name(arch));
    if (facts->guests[facts->arch])
        add(checks, "guest", "mayfly-guest", MF_DOCTOR_PASS,
            g_strdup_printf("The program for the guest is built in for %s.", names->str), NULL);
    else
        add(checks, "guest", "mayfly-guest", MF_DOCTOR_FAIL,
            g_strdup_printf("The program for the guest is not built in for %s.", native),
            g_strdup("build mayfly again, from a tree without changes"));
}

/* Other architectures are for those who ask for them: nothing is wrong where they are not there. */
static void
check_archs(GPtrArray *checks, const MfDoctorFacts *facts)
{
    g_autoptr(GString) text = g_string_new("Emulated:");

    for (MfArch arch = 0; arch < MF_N_ARCHS; arch++) {
        const MfDoctorQemu *qemu = &facts->qemus[arch];
        const char *name = mf_arch_name(arch);

        if (arch == facts->arch)
            continue;
        if (is_usable(qemu) && qemu->version)
            g_string_append_printf(text, " %s (QEMU %s%s),", name, qemu->version,
                                   facts->guests[arch] ? "" : "; with --init script");
        else if (is_usable(qemu))
            g_string_append_printf(text, " %s,", name);
        else if (!qemu->path) {
            g_autofree char *hint = mf_distro_install_hint(facts->distro, MF_PART_QEMU, arch);

            g_string_append_printf(text, " %s not (%s),", name, hint);
        } else {
            g_string_append_printf(text, " %s not (its QEMU does not work),", name);
        }
    }
    text->str[text->len - 1] = '.';
    add(checks, "architectures", "other architectures", MF_DOCTOR_PASS, g_strdup(text->str), NULL);
}

/* Why the kernel cannot run on this host as it is. Owned by the caller; NULL when it can. */
static char *
why_not(const MfDoctorFacts *facts, const MfDoctorKernel *kernel)
{
    if (kernel->problem)
        return g_strdup(kernel->problem);
    if (kernel->needs_daemon && !facts->virtiofsd)
        return g_strdup_printf("Kernel '%s' has virtiofs and no 9p, and there is no virtiofsd.",
                               kernel->name);
    return NULL;
}

static void
check_kernel(GPtrArray *checks, const MfDoctorFacts *facts, const MfDoctorKernel *kernel,
             const char *id, const char *subject, char *remedy)
{
    g_autofree char *owned_remedy = remedy;
    char *problem = why_not(facts, kernel);

    if (problem)
        add(checks, id, subject, MF_DOCTOR_WARN, problem, g_steal_pointer(&owned_remedy));
    else if (kernel->unexamined)
        add(checks, id, subject, MF_DOCTOR_PASS,
            g_strdup_printf("'%s' was not examined, to be quick: 'mayfly kernel info' does it.",
                            kernel->name),
            NULL);
    else
        add(checks, id, subject, MF_DOCTOR_PASS,
            g_strdup_printf("'%s' has what mayfly needs%s.", kernel->name,
                            kernel->needs_daemon ? ", with virtiofs for its root" : ""),
            NULL);
}

static char *
default_kernel_remedy(const MfDoctorFacts *facts)
{
    const MfDoctorKernel *kernel = facts->default_kernel;

    if (kernel && !kernel->problem)
        return mf_distro_install_hint(facts->distro, MF_PART_VIRTIOFSD, facts->arch);
    return g_strdup("fetch a kernel with 'mayfly kernel pull debian', or name one with '-k'");
}

/* Without a default kernel all others still run: it is no failure. */
static void
check_kernels(GPtrArray *checks, const MfDoctorFacts *facts)
{
    char *remedy = default_kernel_remedy(facts);

    if (facts->default_kernel)
        check_kernel(checks, facts, facts->default_kernel, "default-kernel", "default kernel",
                     remedy);
    else
        add(checks, "default-kernel", "default kernel", MF_DOCTOR_WARN,
            g_strdup(facts->no_default ? facts->no_default : "There is no kernel to run."), remedy);
    for (guint i = 0; i < facts->kernels->len; i++)
        check_kernel(checks, facts, facts->kernels->pdata[i], "kernel", "kernel", NULL);
}

/* A thing that is there, or that some guests will miss. */
static void
check_part(GPtrArray *checks, const MfDoctorFacts *facts, const char *id, const char *subject,
           MfPart part, const char *path, const char *absent)
{
    if (path)
        add(checks, id, subject, MF_DOCTOR_PASS, g_strdup_printf("'%s' is there.", path), NULL);
    else
        add(checks, id, subject, MF_DOCTOR_WARN, g_strdup(absent),
            mf_distro_install_hint(facts->distro, part, facts->arch));
}

static void
check_parts(GPtrArray *checks, const MfDoctorFacts *facts)
{
    check_part(checks, facts, "virtiofsd", "virtiofsd", MF_PART_VIRTIOFSD, facts->virtiofsd,
               facts->no_virtiofsd ? facts->no_virtiofsd
                                   : "There is no virtiofsd, which kernels without 9p need.");
    check_part(checks, facts, "uefi", "UEFI", MF_PART_UEFI, facts->uefi,
               "There is no UEFI firmware, which '--uefi' needs.");
    if (facts->has_secure_boot)
        check_part(checks, facts, "secure-boot", "Secure Boot", MF_PART_UEFI, facts->secure_boot,
                   "There is no UEFI firmware with Microsoft's keys, which '--secure-boot ms' "
                   "needs.");
    check_part(checks, facts, "swtpm", "TPM", MF_PART_SWTPM, facts->swtpm,
               facts->no_swtpm ? facts->no_swtpm : "There is no swtpm, which a TPM needs.");
}

static void
check_memory(GPtrArray *checks, const MfDoctorFacts *facts)
{
    g_autofree char *have = mf_format_size(facts->memory);
    g_autofree char *want = mf_format_size(facts->guest_memory);

    if (facts->memory == G_MAXUINT64)
        add(checks, "memory", "memory", MF_DOCTOR_PASS,
            g_strdup("Nothing says how much memory is free."), NULL);
    else if (facts->memory < facts->guest_memory)
        add(checks, "memory", "memory", MF_DOCTOR_WARN,
            g_strdup_printf("%s are free, and a guest has %s unless it is told otherwise.", have,
                            want),
            g_strdup("end what uses the memory, or give guests less with '-m'"));
    else
        add(checks, "memory", "memory", MF_DOCTOR_PASS, g_strdup_printf("%s are free.", have),
            NULL);
}

static void
check_cache(GPtrArray *checks, const MfDoctorFacts *facts)
{
    g_autofree char *room = mf_format_size(facts->cache_free);
    g_autofree char *used = mf_format_size(facts->warm_size);
    g_autofree char *max = mf_format_size(facts->warm_max);

    if (facts->no_cache)
        add(checks, "cache", "cache", MF_DOCTOR_FAIL, g_strdup(facts->no_cache),
            g_strdup("name a directory of yours in MAYFLY_CACHE_DIR"));
    else if (facts->cache_free < CACHE_FREE_MIN)
        add(checks, "cache", "cache", MF_DOCTOR_WARN,
            g_strdup_printf("Only %s are free in '%s', where kernels and saved machines are kept "
                            "(%s of at most %s).",
                            room, facts->cache, used, max),
            g_strdup("make room, 'mayfly warm prune 0', or name another in MAYFLY_CACHE_DIR"));
    else
        add(checks, "cache", "cache", MF_DOCTOR_PASS,
            g_strdup_printf("%s are free in '%s'; saved machines have %s of at most %s.", room,
                            facts->cache, used, max),
            NULL);
}

static void
check_libarchive(GPtrArray *checks, const MfDoctorFacts *facts)
{
    if (facts->no_libarchive)
        add(checks, "libarchive", "libarchive", MF_DOCTOR_FAIL, g_strdup(facts->no_libarchive),
            g_strdup("install libarchive, which what a kernel boots with is made with"));
    else
        add(checks, "libarchive", "libarchive", MF_DOCTOR_PASS,
            g_strdup("libarchive is there, for initramfs images and the packages of kernels."),
            NULL);
}

/* Only who asks for it misses it. */
static void
check_libcurl(GPtrArray *checks, const MfDoctorFacts *facts)
{
    add(checks, "libcurl", "libcurl", MF_DOCTOR_PASS,
        facts->no_libcurl
            ? g_strdup_printf("Kernels cannot be pulled from registries and by URL here, which no "
                              "run needs. %s",
                              facts->no_libcurl)
            : g_strdup("libcurl is there: kernels can be pulled from registries and by URL."),
        NULL);
}

/* Likewise. Nobody is asked to answer: a daemon would be started for that. */
static void
check_libvirt(GPtrArray *checks, const MfDoctorFacts *facts)
{
    char *finding;

    if (!facts->has_libvirt)
        finding = g_strdup("mayfly was built without this backend, which no run needs.");
    else if (facts->no_libvirt)
        finding = g_strdup_printf("The backend is built in, but --connect URI does not work here, "
                                  "which no other run needs. %s",
                                  facts->no_libvirt);
    else if (facts->libvirt_daemon)
        finding = g_strdup_printf("The backend is built in, and this host's daemon is '%s': "
                                  "--connect URI uses it.",
                                  facts->libvirt_daemon);
    else
        finding = g_strdup("The backend is built in, for --connect URI with other hosts: this one "
                           "has no daemon of libvirt's, neither libvirtd nor virtqemud.");
    add(checks, "libvirt", "libvirt", MF_DOCTOR_PASS, finding, NULL);
}

GPtrArray *
mf_doctor_examine(const MfDoctorFacts *facts)
{
    GPtrArray *checks = g_ptr_array_new_with_free_func(check_free);

    check_qemu(checks, facts);
    check_9p(checks, facts);
    check_guest(checks, facts);
    check_kernels(checks, facts);
    check_kvm(checks, facts);
    check_archs(checks, facts);
    check_parts(checks, facts);
    check_memory(checks, facts);
    check_cache(checks, facts);
    check_libarchive(checks, facts);
    check_libcurl(checks, facts);
    check_libvirt(checks, facts);
    return checks;
}

MfDoctorVerdict
mf_doctor_judge(const GPtrArray *checks)
{
    MfDoctorVerdict worst = MF_DOCTOR_PASS;

    for (guint i = 0; i < checks->len; i++)
        worst = MAX(worst, ((const MfDoctorCheck *)checks->pdata[i])->verdict);
    return worst;
}

const MfDoctorCheck *
mf_doctor_next(const GPtrArray *checks)
{
    for (MfDoctorVerdict verdict = MF_DOCTOR_FAIL; verdict > MF_DOCTOR_PASS; verdict--) {
        for (guint i = 0; i < checks->len; i++) {
            const MfDoctorCheck *check = checks->pdata[i];

            if (check->verdict == verdict && check->remedy)
                return check;
        }
    }
    return NULL;
}
