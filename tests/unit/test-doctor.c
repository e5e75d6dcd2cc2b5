/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/doctor.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "machine/doctor-facts.h"

/* A Debian host on which everything is there. */
static MfDoctorFacts *
healthy(void)
{
    MfDoctorFacts *facts = mf_doctor_facts_new();

    facts->distro = MF_DISTRO_DEBIAN;
    facts->arch = MF_ARCH_X86_64;
    facts->qemus[MF_ARCH_X86_64].path = g_strdup("/usr/bin/qemu-system-x86_64");
    facts->qemus[MF_ARCH_X86_64].version = g_strdup("7.2.17");
    facts->kvm = (MfKvmFacts){
        .host_arch = MF_ARCH_X86_64, .api_version = 12, .cpu_has_virtualization = TRUE};
    facts->guests[MF_ARCH_X86_64] = TRUE;
    facts->default_kernel = mf_doctor_kernel_new("/boot/vmlinuz-6.1");
    facts->virtiofsd = g_strdup("/usr/libexec/virtiofsd");
    facts->uefi = g_strdup("/usr/share/OVMF/OVMF_CODE_4M.fd");
    facts->has_secure_boot = TRUE;
    facts->secure_boot = g_strdup("/usr/share/OVMF/OVMF_CODE_4M.ms.fd");
    facts->swtpm = g_strdup("/usr/bin/swtpm");
    facts->memory = 8 * MF_GIB;
    facts->guest_memory = MF_GIB;
    facts->cache = g_strdup("/var/cache/mayfly");
    facts->cache_free = 100 * MF_GIB;
    facts->warm_max = 4 * MF_GIB;
    return facts;
}

static const MfDoctorCheck *
find(const GPtrArray *checks, const char *id)
{
    for (guint i = 0; i < checks->len; i++) {
        const MfDoctorCheck *check = checks->pdata[i];

        if (g_str_equal(check->id, id))
            return check;
    }
    g_error("There is no check '%s'.", id);
}

/* 'message' and 'remedy' are patterns of the g_pattern kind; a 'remedy' of NULL stands for none. */
static void
assert_check(const MfDoctorFacts *facts, const char *id, MfDoctorVerdict verdict,
             const char *message, const char *remedy)
{
    g_autoptr(GPtrArray) checks = mf_doctor_examine(facts);
    const MfDoctorCheck *check = find(checks, id);

    g_assert_cmpint(check->verdict, ==, verdict);
    if (!g_pattern_match_simple(message, check->message))
        g_error("'%s' is not '%s'.", check->message, message);
    if (!remedy)
        g_assert_null(check->remedy);
    else if (!check->remedy || !g_pattern_match_simple(remedy, check->remedy))
        g_error("'%s' is not '%s'.", check->remedy, remedy);
}

static void
test_a_host_that_has_everything_passes_and_has_nothing_to_do(void)
{
    g_autoptr(MfDoctorFacts) facts = healthy();
    g_autoptr(GPtrArray) checks = mf_doctor_examine(facts);

    g_assert_cmpint(mf_doctor_judge(checks), ==, MF_DOCTOR_PASS);
    g_assert_null(mf_doctor_next(checks));
    for (guint i = 0; i < checks->len; i++) {
        const MfDoctorCheck *check = checks->pdata[i];

        g_assert_null(check->remedy);
        g_assert_true(g_str_has_suffix(check->message, "."));
    }
}

static void
test_a_host_without_qemu_fails_with_the_package_to_install(void)
{
    static const char *const remedies[] = {
        [MF_DISTRO_UNKNOWN] = "install qemu-system-x86 (Debian)*qemu-x86 (openSUSE)",
        [MF_DISTRO_DEBIAN] = "apt install qemu-system-x86",
        [MF_DISTRO_FEDORA] = "dnf install qemu-system-x86",
        [MF_DISTRO_ARCH] = "pacman -S qemu-system-x86",
        [MF_DISTRO_SUSE] = "zypper install qemu-x86",
    };
    g_autoptr(MfDoctorFacts) facts = healthy();

    g_clear_pointer(&facts->qemus[MF_ARCH_X86_64].path, g_free);
    for (facts->distro = 0; facts->distro < MF_N_DISTROS; facts->distro++)
        assert_check(facts, "qemu", MF_DOCTOR_FAIL, "No qemu-system-x86_64 is in PATH.",
                     remedies[facts->distro]);
}

static void
test_a_qemu_that_is_older_than_mayfly_needs_fails(void)
{
    static const struct {
        const char *version;
        MfDoctorVerdict verdict;
    } cases[] = {
        {"6.2.0", MF_DOCTOR_FAIL}, {"7.1.99", MF_DOCTOR_FAIL}, {"7.2", MF_DOCTOR_PASS},
        {"7.2.0", MF_DOCTOR_PASS}, {"10.0.3", MF_DOCTOR_PASS},
    };
    g_autoptr(MfDoctorFacts) facts = healthy();

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *message = g_strdup_printf("*version %s*", cases[i].version);

        g_free(facts->qemus[MF_ARCH_X86_64].version);
        facts->qemus[MF_ARCH_X86_64].version = g_strdup(cases[i].version);
        assert_check(facts, "qemu", cases[i].verdict, message,
                     cases[i].verdict == MF_DOCTOR_FAIL ? "apt install *" : NULL);
    }
}

static void
test_a_qemu_that_does_not_answer_fails_with_its_reason(void)
{
    g_autoptr(MfDoctorFacts) facts = healthy();

    facts->qemus[MF_ARCH_X86_64].complaint = g_strdup("It was killed by signal 11.");
    assert_check(facts, "qemu", MF_DOCTOR_FAIL, "It was killed by signal 11.", "apt install *");
}

static void
test_a_qemu_without_9p_is_a_warning_with_what_helps(void)
{
    g_autoptr(MfDoctorFacts) facts = healthy();

    assert_check(facts, "9p", MF_DOCTOR_PASS, "QEMU can share*", NULL);
    facts->no_9p = TRUE;
    assert_check(facts, "9p", MF_DOCTOR_WARN, "*without 9p*", "*'--share-type virtiofs'");
    g_clear_pointer(&facts->virtiofsd, g_free);
    assert_check(facts, "9p", MF_DOCTOR_WARN, "*without 9p*", "apt install virtiofsd");
}

static void
test_9p_is_seen_among_the_devices(void)
{
    g_assert_true(mf_doctor_has_9p("Storage devices:\nname \"virtio-9p-pci\", bus PCI\n"));
    g_assert_true(mf_doctor_has_9p("name \"virtio-9p-ccw\", bus virtual-css-bus\n"));
    g_assert_false(mf_doctor_has_9p("name \"virtio-blk-pci\", bus PCI, alias \"virtio-9p\"\n"));
    g_assert_false(mf_doctor_has_9p(""));
}

static void
test_each_reason_against_kvm_is_a_warning_with_what_to_do(void)
{
    g_autoptr(MfDoctorFacts) facts = healthy();
    const struct {
        MfKvmFacts kvm;
        const char *message, *remedy;
    } cases[] = {
        {{.open_errno = ENOENT}, "*/dev/kvm does not exist; guests are emulated*", "load *kvm_*"},
        {{.open_errno = EACCES}, "*may not be opened by this user*", "*usermod -aG kvm*"},
        {{.api_version = 12},
         "*neither vmx nor svm*",
         "let the host * pass on nested virtualization"},
        {{.api_version = 11, .cpu_has_virtualization = TRUE}, "*API version 11*", "*dmesg*"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        facts->kvm = cases[i].kvm;
        assert_check(facts, "kvm", MF_DOCTOR_WARN, cases[i].message, cases[i].remedy);
    }
}

static void
test_a_program_without_its_guest_half_fails(void)
{
    g_autoptr(MfDoctorFacts) facts = healthy();

    facts->guests[MF_ARCH_X86_64] = FALSE;
    facts->guests[MF_ARCH_AARCH64] = TRUE;
    assert_check(facts, "guest", MF_DOCTOR_FAIL, "*not built in for x86_64.", "build *");
}

static void
test_other_architectures_are_told_and_never_wrong(void)
{
    g_autoptr(MfDoctorFacts) facts = healthy();

    facts->qemus[MF_ARCH_AARCH64].path = g_strdup("/usr/bin/qemu-system-aarch64");
    facts->qemus[MF_ARCH_AARCH64].version = g_strdup("7.2.17");
    facts->guests[MF_ARCH_AARCH64] = TRUE;
    facts->qemus[MF_ARCH_RISCV64].path = g_strdup("/usr/bin/qemu-system-riscv64");
    facts->qemus[MF_ARCH_RISCV64].complaint = g_strdup("It hangs.");
    assert_check(facts, "architectures", MF_DOCTOR_PASS,
                 "Emulated: aarch64 (QEMU 7.2.17), riscv64 not (its QEMU does not work), s390x not "
                 "(apt install qemu-system-misc).",
                 NULL);
}

static void
test_a_host_without_a_kernel_is_told_how_to_get_one(void)
{
    g_autoptr(MfDoctorFacts) facts = healthy();

    g_clear_pointer(&facts->default_kernel, mf_doctor_kernel_free);
    facts->no_default = g_strdup("No kernel was pulled.");
    assert_check(facts, "default-kernel", MF_DOCTOR_WARN, "No kernel was pulled.",
                 "*'mayfly kernel pull debian'*");
}

static void
test_what_a_kernel_lacks_is_a_warning(void)
{
    g_autoptr(MfDoctorFacts) facts = healthy();
    MfDoctorKernel *kernel = mf_doctor_kernel_new("mine");

    kernel->problem = g_strdup("Kernel 'mine' cannot use virtio.");
    g_ptr_array_add(facts->kernels, kernel);
    assert_check(facts, "kernel", MF_DOCTOR_WARN, "Kernel 'mine' cannot use virtio.", NULL);
}

static void
test_a_kernel_without_9p_wants_virtiofsd(void)
{
    g_autoptr(MfDoctorFacts) facts = healthy();

    facts->default_kernel->needs_daemon = TRUE;
    assert_check(facts, "default-kernel", MF_DOCTOR_PASS, "*, with virtiofs for its root.", NULL);
    g_clear_pointer(&facts->virtiofsd, g_free);
    assert_check(facts, "default-kernel", MF_DOCTOR_WARN, "*no 9p, and there is no virtiofsd.",
                 "apt install virtiofsd");
}

static void
test_a_kernel_that_was_not_examined_is_not_praised(void)
{
    g_autoptr(MfDoctorFacts) facts = healthy();
    MfDoctorKernel *kernel = mf_doctor_kernel_new("mine");

    kernel->unexamined = TRUE;
    g_ptr_array_add(facts->kernels, kernel);
    assert_check(facts, "kernel", MF_DOCTOR_PASS, "'mine' was not examined*", NULL);
}

static void
test_each_part_that_is_missing_is_a_warning_with_its_package(void)
{
    g_autoptr(MfDoctorFacts) facts = healthy();

    g_clear_pointer(&facts->virtiofsd, g_free);
    g_clear_pointer(&facts->uefi, g_free);
    g_clear_pointer(&facts->secure_boot, g_free);
    g_clear_pointer(&facts->swtpm, g_free);
    facts->no_virtiofsd = g_strdup("The only one is for root.");
    assert_check(facts, "virtiofsd", MF_DOCTOR_WARN, "The only one is for root.",
                 "apt install virtiofsd");
    assert_check(facts, "uefi", MF_DOCTOR_WARN, "There is no UEFI*", "apt install ovmf");
    assert_check(facts, "secure-boot", MF_DOCTOR_WARN, "*Microsoft's keys*", "apt install ovmf");
    assert_check(facts, "swtpm", MF_DOCTOR_WARN, "There is no swtpm*", "apt install swtpm");
}

static void
test_no_run_needs_libvirt_and_it_is_told_whether_one_can_have_it(void)
{
    g_autoptr(MfDoctorFacts) facts = healthy();

    assert_check(facts, "libvirt", MF_DOCTOR_PASS, "mayfly was built without this backend*", NULL);
    facts->has_libvirt = TRUE;
    assert_check(facts, "libvirt", MF_DOCTOR_PASS, "*neither libvirtd nor virtqemud.", NULL);
    facts->libvirt_daemon = g_strdup("/usr/sbin/libvirtd");
    assert_check(facts, "libvirt", MF_DOCTOR_PASS, "*'/usr/sbin/libvirtd': --connect URI uses it.",
                 NULL);
    facts->no_libvirt = g_strdup("There is no library.");
    assert_check(facts, "libvirt", MF_DOCTOR_PASS,
                 "*--connect URI does not work here*There is no library.", NULL);
}

/* Nothing boots that has no initramfs; but no run asks a registry. */
static void
test_libraries_that_are_loaded_late_are_missed_by_who_needs_them(void)
{
    g_autoptr(MfDoctorFacts) facts = healthy();

    assert_check(facts, "libarchive", MF_DOCTOR_PASS, "libarchive is there*", NULL);
    assert_check(facts, "libcurl", MF_DOCTOR_PASS, "libcurl is there*", NULL);
    facts->no_libarchive = g_strdup("There is no libarchive.");
    facts->no_libcurl = g_strdup("There is no libcurl.");
    assert_check(facts, "libarchive", MF_DOCTOR_FAIL, "There is no libarchive.",
                 "install libarchive*");
    assert_check(facts, "libcurl", MF_DOCTOR_PASS, "*which no run needs. There is no libcurl.",
                 NULL);
}

static void
test_secure_boot_is_asked_for_only_where_the_architecture_has_it(void)
{
    g_autoptr(MfDoctorFacts) facts = healthy();

    facts->has_secure_boot = FALSE;
    g_autoptr(GPtrArray) checks = mf_doctor_examine(facts);
    for (guint i = 0; i < checks->len; i++)
        g_assert_cmpstr(((const MfDoctorCheck *)checks->pdata[i])->id, !=, "secure-boot");
}

static void
test_too_little_memory_is_a_warning(void)
{
    g_autoptr(MfDoctorFacts) facts = healthy();

    facts->memory = facts->guest_memory;
    assert_check(facts, "memory", MF_DOCTOR_PASS, "1.0 GiB are free.", NULL);
    facts->memory = facts->guest_memory - 1;
    assert_check(facts, "memory", MF_DOCTOR_WARN, "*a guest has 1.0 GiB*", "*'-m'*");
    facts->memory = G_MAXUINT64;
    assert_check(facts, "memory", MF_DOCTOR_PASS, "Nothing says*", NULL);
}

static void
test_a_cache_that_is_nearly_full_warns_and_one_that_cannot_be_written_fails(void)
{
    g_autoptr(MfDoctorFacts) facts = healthy();

    facts->warm_size = MF_GIB;
    assert_check(facts, "cache", MF_DOCTOR_PASS, "*machines have 1.0 GiB of at most 4.0 GiB.",
                 NULL);
    facts->cache_free = MF_GIB - 1;
    assert_check(facts, "cache", MF_DOCTOR_WARN, "Only *", "*'mayfly warm prune 0'*");
    facts->no_cache = g_strdup("It cannot be made.");
    assert_check(facts, "cache", MF_DOCTOR_FAIL, "It cannot be made.", "*MAYFLY_CACHE_DIR");
}

static void
test_the_next_thing_to_do_is_about_a_failure_before_any_warning(void)
{
    g_autoptr(MfDoctorFacts) facts = healthy();

    facts->kvm.open_errno = ENOENT;
    {
        g_autoptr(GPtrArray) checks = mf_doctor_examine(facts);

        g_assert_cmpint(mf_doctor_judge(checks), ==, MF_DOCTOR_WARN);
        g_assert_cmpstr(mf_doctor_next(checks)->id, ==, "kvm");
    }
    facts->no_cache = g_strdup("It cannot be made.");
    {
        g_autoptr(GPtrArray) checks = mf_doctor_examine(facts);

        g_assert_cmpint(mf_doctor_judge(checks), ==, MF_DOCTOR_FAIL);
        g_assert_cmpstr(mf_doctor_next(checks)->id, ==, "cache");
    }
}

static void
test_the_version_is_found_in_what_qemu_prints(void)
{
    static const struct {
        const char *output, *version;
    } cases[] = {
        {"QEMU emulator version 7.2.17 (Debian 1:7.2+dfsg-7)\nCopyright (c)\n", "7.2.17"},
        {"QEMU emulator version 10.1.0\n", "10.1.0"},
        {"warning: x\nQEMU emulator version 9.2", "9.2"},
        {"QEMU emulator version unknown\n", NULL},
        {"bash 5.2\n", NULL},
        {"", NULL},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *version = mf_doctor_parse_version(cases[i].output);

        g_assert_cmpstr(version, ==, cases[i].version);
    }
}

#define ADD(name, function) g_test_add_func("/doctor/" name, function)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("a host that has everything passes and has nothing to do",
        test_a_host_that_has_everything_passes_and_has_nothing_to_do);
    ADD("a host without QEMU fails with the package to install",
        test_a_host_without_qemu_fails_with_the_package_to_install);
    ADD("a QEMU that is older than mayfly needs fails",
        test_a_qemu_that_is_older_than_mayfly_needs_fails);
    ADD("a QEMU that does not answer fails with its reason",
        test_a_qemu_that_does_not_answer_fails_with_its_reason);
    ADD("a QEMU without 9p is a warning with what helps",
        test_a_qemu_without_9p_is_a_warning_with_what_helps);
    ADD("9p is seen among the devices", test_9p_is_seen_among_the_devices);
    ADD("each reason against KVM is a warning with what to do",
        test_each_reason_against_kvm_is_a_warning_with_what_to_do);
    ADD("a program without its guest half fails", test_a_program_without_its_guest_half_fails);
    ADD("other architectures are told and never wrong",
        test_other_architectures_are_told_and_never_wrong);
    ADD("a host without a kernel is told how to get one",
        test_a_host_without_a_kernel_is_told_how_to_get_one);
    ADD("what a kernel lacks is a warning", test_what_a_kernel_lacks_is_a_warning);
    ADD("a kernel without 9p wants virtiofsd", test_a_kernel_without_9p_wants_virtiofsd);
    ADD("a kernel that was not examined is not praised",
        test_a_kernel_that_was_not_examined_is_not_praised);
    ADD("each part that is missing is a warning with its package",
        test_each_part_that_is_missing_is_a_warning_with_its_package);
    ADD("Secure Boot is asked for only where the architecture has it",
        test_secure_boot_is_asked_for_only_where_the_architecture_has_it);
    ADD("libraries that are loaded late are missed by who needs them",
        test_libraries_that_are_loaded_late_are_missed_by_who_needs_them);
    ADD("no run needs libvirt and it is told whether one can have it",
        test_no_run_needs_libvirt_and_it_is_told_whether_one_can_have_it);
    ADD("too little memory is a warning", test_too_little_memory_is_a_warning);
    ADD("a cache that is nearly full warns and one that cannot be written fails",
        test_a_cache_that_is_nearly_full_warns_and_one_that_cannot_be_written_fails);
    ADD("the next thing to do is about a failure before any warning",
        test_the_next_thing_to_do_is_about_a_failure_before_any_warning);
    ADD("the version is found in what QEMU prints", test_the_version_is_found_in_what_qemu_prints);
    return g_test_run();
}
