/* SPDX-License-Identifier: Apache-2.0 */
#include "run/plan.h"

#include <string.h>

static void
assert_args(const MfTarget *target, gboolean initramfs, const char *pattern)
{
    g_autofree char *text = mf_plan_kernel_args(target, MF_SHARE_9P, " clock=x", initramfs);

    if (!g_pattern_match_simple(pattern, text))
        g_error("'%s' does not match '%s'", text, pattern);
}

static void
test_the_users_kernel_arguments_come_last(void)
{
    g_autoptr(MfTarget) target = mf_target_new();

    target->arch = MF_ARCH_X86_64;
    assert_args(target, TRUE, "console=ttyS0 quiet panic=-1 reboot=t*");
    target->kernel_args = g_strdup("loglevel=8 panic=5");
    assert_args(target, TRUE, "console=ttyS0 quiet panic=-1 * loglevel=8 panic=5");
    assert_args(target, FALSE, "* loglevel=8 panic=5 init=/bin/sh -- -c \"mount *\"");
}

static void
test_cipher_tests_are_skipped_only_where_the_guest_takes_it_back(void)
{
    g_autoptr(MfTarget) target = mf_target_new();

    assert_args(target, TRUE, "* cryptomgr.notests");

    g_autofree char *text = mf_plan_kernel_args(target, MF_SHARE_9P, "", FALSE);
    g_assert_null(strstr(text, "notests"));
}

static void
test_a_kernel_that_may_hang_answers_an_nmi(void)
{
    g_autoptr(MfTarget) target = mf_target_new();

    target->arch = MF_ARCH_X86_64;
    target->hang_timeout_ms = 5000;
    target->kernel_args = g_strdup("panic_print=0");
    assert_args(target, TRUE, "* unknown_nmi_panic panic_print=64 * panic_print=0");
    target->hang_timeout_ms = 0;

    g_autofree char *text = mf_plan_kernel_args(target, MF_SHARE_9P, "", TRUE);
    g_assert_null(strstr(text, "nmi"));
}

static void
test_each_architecture_has_its_console(void)
{
    g_autoptr(MfTarget) target = mf_target_new();

    target->arch = MF_ARCH_AARCH64;
    assert_args(target, TRUE, "console=ttyAMA0 quiet panic=-1 c*");
    target->arch = MF_ARCH_RISCV64;
    assert_args(target, TRUE, "console=ttyS0 quiet panic=-1 c*");
    target->arch = MF_ARCH_S390X;
    assert_args(target, TRUE, "console=ttysclp0 quiet panic=-1 c*");
}

static void
test_only_a_writable_root_is_mounted_writable_by_the_kernel(void)
{
    g_autoptr(MfTarget) target = mf_target_new();

    assert_args(target, FALSE, "* root=mayfly.root rootfstype=9p rootflags=* ro init=*");
    target->root_mode = MF_ROOT_RW;
    assert_args(target, FALSE, "* root=mayfly.root rootfstype=9p rootflags=* rw init=*");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/plan/the-users-kernel-arguments-come-last",
                    test_the_users_kernel_arguments_come_last);
    g_test_add_func("/plan/cipher-tests-are-skipped-only-where-the-guest-takes-it-back",
                    test_cipher_tests_are_skipped_only_where_the_guest_takes_it_back);
    g_test_add_func("/plan/a-kernel-that-may-hang-answers-an-nmi",
                    test_a_kernel_that_may_hang_answers_an_nmi);
    g_test_add_func("/plan/each-architecture-has-its-console",
                    test_each_architecture_has_its_console);
    g_test_add_func("/plan/only-a-writable-root-is-mounted-writable-by-the-kernel",
                    test_only_a_writable_root_is_mounted_writable_by_the_kernel);
    return g_test_run();
}
