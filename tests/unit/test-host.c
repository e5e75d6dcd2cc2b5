/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/host.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"

static const MfKvmFacts good = {
    .host_arch = MF_ARCH_X86_64, .api_version = 12, .cpu_has_virtualization = TRUE};

static void
test_kvm_is_used_where_it_works(void)
{
    g_assert_null(mf_host_why_no_kvm(&good, MF_ARCH_X86_64));
}

static void
test_each_reason_against_kvm_is_told(void)
{
    MfKvmFacts missing = good, forbidden = good, busy = good, old = good, hollow = good;
    missing.open_errno = ENOENT;
    forbidden.open_errno = EACCES;
    busy.open_errno = EBUSY;
    old.api_version = 11;
    hollow.cpu_has_virtualization = FALSE;
    const struct {
        const MfKvmFacts *facts;
        MfArch guest;
        const char *reason;
    } cases[] = {
        {&missing, MF_ARCH_X86_64, "/dev/kvm does not exist"},
        {&forbidden, MF_ARCH_X86_64, "/dev/kvm may not be opened*group 'kvm'*"},
        {&busy, MF_ARCH_X86_64, "/dev/kvm cannot be opened*"},
        {&old, MF_ARCH_X86_64, "*API version 11*"},
        {&hollow, MF_ARCH_X86_64, "/dev/kvm opens, but*neither vmx nor svm*"},
        {&good, MF_ARCH_AARCH64, "the guest is aarch64 and this host is x86_64"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *reason = mf_host_why_no_kvm(cases[i].facts, cases[i].guest);

        g_assert_nonnull(reason);
        g_assert_true(g_pattern_match_simple(cases[i].reason, reason));
    }
}

static void
test_kvm_that_was_asked_for_and_cannot_be_tried_is_refused(void)
{
    MfKvmFacts missing = good, old = good;
    missing.open_errno = ENOENT;
    old.api_version = 11;
    const struct {
        const MfKvmFacts *facts;
        MfArch guest;
        const char *sentence;
    } cases[] = {
        {&missing, MF_ARCH_X86_64, "KVM cannot be used: /dev/kvm does not exist. *"},
        {&old, MF_ARCH_X86_64, "KVM cannot be used: /dev/kvm has API version 11*"},
        {&good, MF_ARCH_S390X, "KVM cannot be used: the guest is s390x and this host is x86_64. *"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *reason = NULL;
        g_autoptr(GError) error = NULL;
        MfAccel accel = MF_ACCEL_TCG;

        g_assert_false(mf_host_judge_accel(MF_ACCEL_KVM, cases[i].facts, cases[i].guest, &accel,
                                           &reason, &error));
        g_assert_error(error, MF_ERROR, MF_ERROR_HOST);
        g_assert_true(g_pattern_match_simple(cases[i].sentence, error->message));
        g_assert_cmpint(accel, ==, MF_ACCEL_TCG);
    }
}

static void
assert_judged(MfAccel wanted, const MfKvmFacts *facts, MfAccel expected, gboolean noted)
{
    g_autofree char *reason = NULL;
    MfAccel accel = MF_ACCEL_AUTO;

    g_assert_true(mf_host_judge_accel(wanted, facts, MF_ARCH_X86_64, &accel, &reason, NULL));
    g_assert_cmpint(accel, ==, expected);
    g_assert_cmpint(reason != NULL, ==, noted);
}

static void
test_a_doubt_about_kvm_decides_only_where_nothing_was_asked_for(void)
{
    MfKvmFacts hollow = good;
    hollow.cpu_has_virtualization = FALSE;

    assert_judged(MF_ACCEL_AUTO, &good, MF_ACCEL_KVM, FALSE);
    assert_judged(MF_ACCEL_AUTO, &hollow, MF_ACCEL_TCG, TRUE);
    assert_judged(MF_ACCEL_KVM, &good, MF_ACCEL_KVM, FALSE);
    assert_judged(MF_ACCEL_KVM, &hollow, MF_ACCEL_KVM, TRUE);
}

static void
test_emulation_that_was_asked_for_is_taken_without_a_word(void)
{
    g_autofree char *reason = NULL;
    MfAccel accel = MF_ACCEL_AUTO;

    g_assert_true(mf_host_choose_accel(MF_ACCEL_TCG, MF_ARCH_AARCH64, &accel, &reason, NULL));
    g_assert_cmpint(accel, ==, MF_ACCEL_TCG);
    g_assert_null(reason);
}

static void
test_a_missing_qemu_is_named_with_its_package(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_strdup(g_getenv("PATH"));

    g_assert_null(mf_host_find_qemu("/no/such/qemu", MF_ARCH_X86_64, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_HOST);
    g_assert_nonnull(strstr(error->message, "/no/such/qemu"));
    g_clear_error(&error);

    g_setenv("PATH", "/nonexistent", TRUE);
    g_assert_null(mf_host_find_qemu(NULL, MF_ARCH_S390X, &error));
    g_setenv("PATH", path, TRUE);
    g_assert_error(error, MF_ERROR, MF_ERROR_HOST);
    g_assert_nonnull(strstr(error->message, "qemu-system-s390x"));
    g_assert_nonnull(strstr(error->message, "qemu-system-misc"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/host/kvm-is-used-where-it-works", test_kvm_is_used_where_it_works);
    g_test_add_func("/host/each-reason-against-kvm-is-told", test_each_reason_against_kvm_is_told);
    g_test_add_func("/host/kvm-that-was-asked-for-and-cannot-be-tried-is-refused",
                    test_kvm_that_was_asked_for_and_cannot_be_tried_is_refused);
    g_test_add_func("/host/a-doubt-about-kvm-decides-only-where-nothing-was-asked-for",
                    test_a_doubt_about_kvm_decides_only_where_nothing_was_asked_for);
    g_test_add_func("/host/emulation-that-was-asked-for-is-taken-without-a-word",
                    test_emulation_that_was_asked_for_is_taken_without_a_word);
    g_test_add_func("/host/a-missing-qemu-is-named-with-its-package",
                    test_a_missing_qemu_is_named_with_its_package);
    return g_test_run();
}
