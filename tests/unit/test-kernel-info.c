/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/kernel-info.h"

#include <string.h>

#include "image-fixture.h"

#define BASIC                                                                                      \
    "CONFIG_DEVTMPFS=y\nCONFIG_VIRTIO=y\nCONFIG_VIRTIO_PCI=y\nCONFIG_VIRTIO_CONSOLE=y\n"           \
    "CONFIG_BLK_DEV_INITRD=y\nCONFIG_PVH=y\n"
#define NINEP    "CONFIG_NET_9P=y\nCONFIG_NET_9P_VIRTIO=y\nCONFIG_9P_FS=y\n"
#define VIRTIOFS "CONFIG_FUSE_FS=y\nCONFIG_VIRTIO_FS=y\n"
#define OVERLAY  "CONFIG_OVERLAY_FS=y\n"

typedef struct {
    char *directory;
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer data)
{
    fixture->directory = fixture_begin();
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
    fixture_end(fixture->directory);
}

/* A kernel with that configuration in it; NULL for none. */
static MfKernel *
make_kernel(Fixture *fixture, const char *config)
{
    const FixtureKernel content = {.pvh = TRUE, .config = config};
    g_autoptr(GBytes) vmlinux = fixture_vmlinux(&content);
    g_autoptr(GBytes) image = fixture_bzimage(vmlinux, "gzip");
    g_autofree char *path = fixture_write(fixture->directory, "bzImage", image);
    g_autoptr(GError) error = NULL;
    MfKernel *kernel = mf_kernel_open(path, &error);

    g_assert_no_error(error);
    return kernel;
}

static const struct {
    const char *test, *config, *root, *verdict;
} verdicts[] = {
    {"with-9p-it-can-be-run", BASIC NINEP OVERLAY, "9p", "This kernel can be run with a 9p root."},
    {"both-are-9p", BASIC NINEP VIRTIOFS OVERLAY, "9p", "This kernel can be run with a 9p root."},
    {"without-9p-it-needs-virtiofs", BASIC VIRTIOFS OVERLAY, "virtiofs",
     "This kernel can be run with a virtiofs root only, which needs virtiofsd on the host."},
    {"without-an-overlay-the-root-mode-is-named", BASIC NINEP, "9p",
     "This kernel can be run with a 9p root. It has no overlay for the guest's writes: use "
     "'--root-mode ro' or 'rw'."},
    {"without-either-it-cannot-be-run", BASIC OVERLAY, "none",
     "This kernel cannot be run: *CONFIG_9P_FS*"},
    {"without-virtio-it-cannot-be-run", NINEP VIRTIOFS OVERLAY "CONFIG_DEVTMPFS=y\n", "none",
     "This kernel cannot be run: *CONFIG_VIRTIO_PCI*"},
    {"without-configuration-it-is-unknown", NULL, "unknown", "No configuration was found*"},
};

static void
test_verdict(Fixture *fixture, gconstpointer data)
{
    const guint which = GPOINTER_TO_UINT(data);
    g_autoptr(MfKernel) kernel = make_kernel(fixture, verdicts[which].config);
    g_autofree char *text = mf_kernel_info_text(kernel);
    json_object *info = mf_kernel_info_json(kernel);
    const char *root = json_object_get_string(json_object_object_get(info, "root"));
    const char *verdict = json_object_get_string(json_object_object_get(info, "verdict"));

    g_assert_cmpstr(root, ==, verdicts[which].root);
    if (!g_pattern_match_simple(verdicts[which].verdict, verdict))
        g_assert_cmpstr(verdict, ==, verdicts[which].verdict);

    /* The same is the last line of the text. */
    g_strchomp(text);
    g_assert_cmpstr(strrchr(text, '\n') + 1, ==, verdict);
    json_object_put(info);
}

static const char *
option_of(json_object *info, const char *name)
{
    return json_object_get_string(
        json_object_object_get(json_object_object_get(info, "options"), name));
}

static void
test_options_are_built_in_modules_or_missing(Fixture *fixture, gconstpointer data)
{
    g_autoptr(MfKernel) kernel =
        make_kernel(fixture, "CONFIG_NET_9P=y\nCONFIG_9P_FS=m\n# CONFIG_VIRTIO_FS is not set\n");
    g_autofree char *text = mf_kernel_info_text(kernel);
    json_object *info = mf_kernel_info_json(kernel);

    g_assert_cmpstr(option_of(info, "NET_9P"), ==, "built-in");
    g_assert_cmpstr(option_of(info, "9P_FS"), ==, "module");
    g_assert_cmpstr(option_of(info, "VIRTIO_FS"), ==, "missing");
    g_assert_cmpstr(option_of(info, "CGROUPS"), ==, "missing");
    g_assert_cmpstr(option_of(info, "SERIAL_8250_CONSOLE"), ==, "missing");
    g_assert_nonnull(
        strstr(text, "\n9p root         NET_9P built-in, NET_9P_VIRTIO missing, 9P_FS module\n"));
    json_object_put(info);
}

static void
test_the_image_is_described(Fixture *fixture, gconstpointer data)
{
    g_autoptr(MfKernel) kernel = make_kernel(fixture, BASIC);
    g_autofree char *text = mf_kernel_info_text(kernel);
    g_autofree char *expected = g_strdup_printf("image           %s\n"
                                                "format          bzImage\n"
                                                "release         " FIXTURE_RELEASE "\n"
                                                "architecture    x86_64\n"
                                                "compression     gzip\n"
                                                "PVH entry       yes\n"
                                                "modules         none\n\n",
                                                mf_kernel_get_path(kernel));
    json_object *info = mf_kernel_info_json(kernel);

    g_assert_true(g_str_has_prefix(text, expected));
    g_assert_null(json_object_object_get(info, "modules"));
    g_assert_true(json_object_get_boolean(json_object_object_get(info, "pvh")));
    json_object_put(info);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(verdicts); i++) {
        g_autofree char *path = g_strconcat("/kernel-info/", verdicts[i].test, NULL);

        g_test_add(path, Fixture, GUINT_TO_POINTER(i), set_up, test_verdict, tear_down);
    }
    g_test_add("/kernel-info/options-are-built-in-modules-or-missing", Fixture, NULL, set_up,
               test_options_are_built_in_modules_or_missing, tear_down);
    g_test_add("/kernel-info/the-image-is-described", Fixture, NULL, set_up,
               test_the_image_is_described, tear_down);
    return g_test_run();
}
