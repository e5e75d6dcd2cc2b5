/* SPDX-License-Identifier: Apache-2.0 */
#include "run/target.h"

#include <string.h>

#include "base/error.h"

static void
test_host_names_that_are_good(void)
{
    g_autofree char *longest_label = g_strnfill(63, 'a');
    const char *const names[] = {"mayfly", "a", "0", "a-b", "a.b-c.d", "x--y", longest_label};

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_true(mf_target_check_hostname(names[i], &error));
        g_assert_no_error(error);
    }
}

static void
test_host_names_that_are_refused_by_name(void)
{
    g_autofree char *long_label = g_strnfill(64, 'a');
    g_autofree char *too_long = g_strdup_printf("%.32s.%.32s", long_label, long_label);
    const char *const names[] = {"",     "Mayfly", "a_b", "-a",       "a-",       ".a",    "a.",
                                 "a..b", "a.-b",   "a b", "\xc3\xa4", long_label, too_long};

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(mf_target_check_hostname(names[i], &error));
        g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
        g_autofree char *quoted = g_strdup_printf("'%s' is not a host name", names[i]);
        g_assert_true(g_str_has_prefix(error->message, quoted));
    }
}

static void
test_a_user_has_one_group_at_most(void)
{
    static const char *const good[] = {"root", "1000", "www-data:adm", "0:0", "a.b$"};
    static const char *const bad[] = {"", ":", "a:", ":b", "a:b:c", "a b", "a:b\n"};

    for (gsize i = 0; i < G_N_ELEMENTS(good); i++)
        g_assert_true(mf_target_check_user(good[i], NULL));
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(mf_target_check_user(bad[i], &error));
        g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
        g_assert_null(strchr(error->message, '\n'));
    }
}

static void
test_kernel_arguments_are_one_line(void)
{
    static const char *const good[] = {"", "quiet loglevel=8", "a=\"b c\"\tx", "\xff\xc3\xa4"};
    static const struct {
        const char *text, *shown;
    } bad[] = {
        {"a\nb", "'a\\nb'"}, {"quiet\n", "'quiet\\n'"}, {"\r", "'\\r'"}, {"\x1b[0m", "'\\033[0m'"}};

    for (gsize i = 0; i < G_N_ELEMENTS(good); i++)
        g_assert_true(mf_target_check_kernel_args(good[i], NULL));
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(mf_target_check_kernel_args(bad[i].text, &error));
        g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
        g_assert_nonnull(strstr(error->message, bad[i].shown));
        g_assert_null(strpbrk(error->message, "\n\r\x1b"));
    }
}

static void
test_an_argument_of_the_kernel_is_a_whole_word(void)
{
    g_assert_true(mf_kernel_args_have("ro", "ro"));
    g_assert_true(mf_kernel_args_have("quiet  ro\tdebug", "ro"));
    g_assert_false(mf_kernel_args_have("root=/dev/vda prod", "ro"));
    g_assert_false(mf_kernel_args_have(NULL, "ro"));
}

static void
test_a_new_target_has_a_host_name_and_no_terminal(void)
{
    g_autoptr(MfTarget) target = mf_target_new();

    g_assert_cmpstr(target->hostname, ==, "mayfly");
    g_assert_false(target->tty);
    g_assert_cmpuint(target->rows, ==, 24);
    g_assert_cmpuint(target->columns, ==, 80);
}

static void
test_a_kernel_of_a_machine_with_a_tpm_boots_through_uefi(void)
{
    g_autoptr(MfTarget) target = mf_target_new();

    target->arch = MF_ARCH_X86_64;
    mf_target_settle(target);
    g_assert_false(target->uefi);
    target->tpm = MF_TPM_2_0;
    target->arch = MF_ARCH_AARCH64;
    mf_target_settle(target);
    g_assert_false(target->uefi);
    target->arch = MF_ARCH_X86_64;
    target->no_initramfs = TRUE;
    mf_target_settle(target);
    g_assert_false(target->uefi);
    target->no_initramfs = FALSE;
    mf_target_settle(target);
    g_assert_true(target->uefi);

    g_autoptr(MfTarget) image = mf_target_new();
    image->tpm = MF_TPM_2_0;
    mf_target_set_image(image, "disk.img", MF_MEDIUM_DISK);
    mf_target_settle(image);
    g_assert_false(image->uefi);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/target/host-names-that-are-good", test_host_names_that_are_good);
    g_test_add_func("/target/host-names-that-are-refused-by-name",
                    test_host_names_that_are_refused_by_name);
    g_test_add_func("/target/a-user-has-one-group-at-most", test_a_user_has_one_group_at_most);
    g_test_add_func("/target/kernel-arguments-are-one-line", test_kernel_arguments_are_one_line);
    g_test_add_func("/target/an-argument-of-the-kernel-is-a-whole-word",
                    test_an_argument_of_the_kernel_is_a_whole_word);
    g_test_add_func("/target/a-new-one-has-a-host-name-and-no-terminal",
                    test_a_new_target_has_a_host_name_and_no_terminal);
    g_test_add_func("/target/a-kernel-of-a-machine-with-a-tpm-boots-through-uefi",
                    test_a_kernel_of_a_machine_with_a_tpm_boots_through_uefi);
    return g_test_run();
}
