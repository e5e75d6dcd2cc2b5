/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/mainline-list.h"

#define SUM   "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde"
#define SHA1  "0123456789abcdef0123456789abcdef01234567"
#define IMAGE "linux-image-unsigned-6.6.0-060600-generic_6.6.0-060600.2023_amd64.deb"

static void
test_the_generic_image_and_its_modules_are_chosen(void)
{
    g_autoptr(MfMainlineList) list = mf_mainline_list_parse(
        "# Checksums-Sha1:\n" SHA1 "  " IMAGE "\n# Checksums-Sha256:\n" SUM
        "0  linux-headers-6.6.0-060600-generic_6.6.0-060600.2023_amd64.deb\n" SUM
        "1  linux-modules-6.6.0-060600-generic_6.6.0-060600.2023_amd64.deb\n" SUM
        "2  linux-image-unsigned-6.6.0-060600-generic-64k_6.6.0-060600.2023_arm64.deb\n" SUM
        "3  " IMAGE "\n" SUM
        "4  linux-image-unsigned-6.6.0-060600-generic_6.6.0-060600.2023_arm64.deb\n",
        "amd64");
    const MfMainlineFile *image, *modules;

    g_assert_nonnull(list);
    g_assert_cmpuint(list->files->len, ==, 2);
    image = list->files->pdata[0];
    modules = list->files->pdata[1];
    g_assert_cmpstr(image->name, ==, IMAGE);
    g_assert_cmpstr(image->sha256, ==, SUM "3");
    g_assert_cmpstr(modules->sha256, ==, SUM "1");
    g_assert_cmpstr(list->version, ==, "6.6.0-060600.2023");
}

static void
test_an_older_list_names_directories_and_lowlatency_kernels(void)
{
    g_autoptr(MfMainlineList) list = mf_mainline_list_parse(
        SUM "0 *amd64/linux-image-4.9.1-040901-lowlatency_4.9.1-040901.2017_amd64.deb\r\n" SUM
            "1 *amd64/linux-image-4.9.1-040901-generic_4.9.1-040901.2017_amd64.deb\r\n",
        "amd64");

    g_assert_nonnull(list);
    g_assert_cmpuint(list->files->len, ==, 1);
    const MfMainlineFile *image = list->files->pdata[0];
    g_assert_cmpstr(image->path, ==,
                    "amd64/linux-image-4.9.1-040901-generic_4.9.1-040901.2017_amd64.deb");
    g_assert_cmpstr(image->name, ==,
                    "linux-image-4.9.1-040901-generic_4.9.1-040901.2017_amd64.deb");
}

static void
test_a_list_without_a_usable_image_is_none(void)
{
    const char *const texts[] = {
        "",
        "<html>404</html>",
        SUM "0  linux-modules-6.6.0-060600-generic_6.6.0-060600.2023_amd64.deb\n",
        SUM "0  ../linux-image-6.6.0-1-generic_1_amd64.deb\n",
        SUM "0  /linux-image-6.6.0-1-generic_1_amd64.deb\n",
        SUM "0  linux-image-6.6.0-1-generic_1?x_amd64.deb\n",
        SUM "  " IMAGE "\n",
        SUM "00  " IMAGE "\n",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        g_assert_null(mf_mainline_list_parse(texts[i], "amd64"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mainline-list/the-generic-image-and-its-modules-are-chosen",
                    test_the_generic_image_and_its_modules_are_chosen);
    g_test_add_func("/mainline-list/an-older-list-names-directories-and-lowlatency-kernels",
                    test_an_older_list_names_directories_and_lowlatency_kernels);
    g_test_add_func("/mainline-list/a-list-without-a-usable-image-is-none",
                    test_a_list_without_a_usable_image_is_none);
    return g_test_run();
}
