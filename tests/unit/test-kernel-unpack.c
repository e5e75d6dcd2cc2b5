/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/kernel-unpack.h"

#include <elf.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "image-fixture.h"

#define N_BUILDERS   4
#define EXIT_SKIPPED 77

static const FixtureKernel with_pvh = {.pvh = TRUE};
static const FixtureKernel without_pvh = {.pvh = FALSE};

static char *
write_bzimage(const char *directory, const FixtureKernel *spec, const char *compression)
{
    g_autoptr(GBytes) vmlinux = fixture_vmlinux(spec);
    g_autoptr(GBytes) image = fixture_bzimage(vmlinux, compression);

    return fixture_write(directory, "bzImage", image);
}

static guint
count_images(const char *directory)
{
    g_autofree char *path = g_build_filename(directory, "cache", "images", NULL);
    g_autoptr(GDir) entries = g_dir_open(path, 0, NULL);
    guint n = 0;

    while (entries && g_dir_read_name(entries))
        n++;
    return n;
}

static char *
prepare(const char *path, gboolean keep_image, GError **error)
{
    g_autoptr(MfKernel) kernel = mf_kernel_open(path, error);

    return kernel ? mf_kernel_prepare_image(kernel, keep_image, error) : NULL;
}

static void
assert_content(const char *path, GBytes *expected)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) content = mf_file_read(path, 64 * 1024 * 1024, &error);

    g_assert_no_error(error);
    g_assert_true(g_bytes_equal(content, expected));
}

static void
test_a_bzimage_with_pvh_is_booted_as_its_vmlinux(void)
{
    static const char *const compressions[] = {"xz", "lz4", "zstd", "gzip", "bzip2", "lzma"};
    g_autoptr(GBytes) vmlinux = fixture_vmlinux(&with_pvh);

    for (gsize i = 0; i < G_N_ELEMENTS(compressions); i++) {
        g_autoptr(GError) error = NULL;
        char *directory = fixture_begin();
        g_autofree char *path = write_bzimage(directory, &with_pvh, compressions[i]);
        g_autofree char *prepared = prepare(path, FALSE, &error);

        g_assert_no_error(error);
        g_assert_cmpstr(prepared, !=, path);
        assert_content(prepared, vmlinux);

        g_autofree char *again = prepare(path, FALSE, &error);
        g_assert_cmpstr(again, ==, prepared);
        g_assert_cmpuint(count_images(directory), ==, 1);
        fixture_end(directory);
    }
}

static void
test_a_bzimage_without_pvh_is_booted_as_it_is(void)
{
    g_autoptr(GError) error = NULL;
    char *directory = fixture_begin();
    g_autofree char *path = write_bzimage(directory, &without_pvh, "xz");
    g_autoptr(MfKernel) kernel = mf_kernel_open(path, &error);
    g_autofree char *prepared = mf_kernel_prepare_image(kernel, FALSE, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(prepared, ==, path);
    g_assert_false(mf_kernel_has_pvh(kernel));
    g_assert_cmpuint(count_images(directory), ==, 0);
    fixture_end(directory);
}

static void
test_the_image_is_kept_for_kaslr_without_unpacking_it(void)
{
    g_autoptr(GError) error = NULL;
    char *directory = fixture_begin();
    g_autofree char *path = write_bzimage(directory, &with_pvh, "xz");
    g_autofree char *prepared = prepare(path, TRUE, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(prepared, ==, path);
    g_assert_cmpuint(count_images(directory), ==, 0);
    fixture_end(directory);
}

static void
test_an_unknown_compression_is_left_to_the_kernel(void)
{
    g_autoptr(GError) error = NULL;
    char *directory = fixture_begin();
    g_autoptr(GBytes) vmlinux = fixture_vmlinux(&with_pvh);
    g_autoptr(GBytes) image = fixture_bzimage(vmlinux, "xz");
    g_autoptr(GByteArray) copy = fixture_copy(image);

    memcpy(copy->data + 1024 + 0x100, "\x89LZ9", 4);
    g_autoptr(GBytes) changed = g_bytes_new(copy->data, copy->len);
    g_autofree char *path = fixture_write(directory, "bzImage", changed);
    g_autofree char *prepared = prepare(path, FALSE, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(prepared, ==, path);
    fixture_end(directory);
}

static void
test_a_vmlinux_is_booted_as_it_is_if_it_has_a_pvh_entry(void)
{
    g_autoptr(GError) error = NULL;
    char *directory = fixture_begin();
    g_autoptr(GBytes) good = fixture_vmlinux(&with_pvh);
    g_autoptr(GBytes) bad = fixture_vmlinux(&without_pvh);
    g_autofree char *good_path = fixture_write(directory, "good", good);
    g_autofree char *bad_path = fixture_write(directory, "bad", bad);
    g_autofree char *prepared = prepare(good_path, FALSE, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(prepared, ==, good_path);
    g_assert_null(prepare(bad_path, FALSE, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_nonnull(strstr(error->message, "CONFIG_PVH"));
    g_assert_nonnull(strstr(error->message, "bzImage"));
    fixture_end(directory);
}

static void
test_a_wrapped_image_is_unwrapped(void)
{
    g_autoptr(GError) error = NULL;
    char *directory = fixture_begin();
    g_autoptr(GBytes) arm64 = fixture_arm64_image();
    g_autoptr(GBytes) riscv = fixture_riscv_image();
    struct {
        GBytes *plain;
        GBytes *wrapped;
        MfKernelFormat format;
    } cases[] = {{arm64, fixture_compress(arm64, "gzip"), MF_KERNEL_ARM64_IMAGE},
                 {arm64, fixture_zboot(arm64, "zstd"), MF_KERNEL_ARM64_IMAGE},
                 {arm64, fixture_zboot(arm64, "gzip"), MF_KERNEL_ARM64_IMAGE},
                 {riscv, fixture_compress(riscv, "gzip"), MF_KERNEL_RISCV_IMAGE}};

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = fixture_write(directory, "Image.wrapped", cases[i].wrapped);
        g_autoptr(MfKernel) kernel = mf_kernel_open(path, &error);

        g_assert_no_error(error);
        g_assert_cmpint(mf_kernel_get_format(kernel), ==, cases[i].format);
        g_assert_cmpstr(mf_kernel_get_release(kernel), ==, FIXTURE_RELEASE);
        g_autofree char *prepared = mf_kernel_prepare_image(kernel, TRUE, &error);
        g_assert_no_error(error);
        assert_content(prepared, cases[i].plain);
        g_bytes_unref(cases[i].wrapped);
    }
    fixture_end(directory);
}

static void
assert_damaged(const char *directory, const GByteArray *image)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) bytes = g_bytes_new(image->data, image->len);
    g_autofree char *path = fixture_write(directory, "damaged", bytes);

    g_assert_null(prepare(path, FALSE, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_test_message("%s", error->message);
    g_assert_nonnull(strstr(error->message, "is damaged"));
    g_assert_nonnull(strstr(error->message, path));
    g_assert_cmpuint(count_images(directory), ==, 0);
}

/* Where the format has a checksum; libarchive writes zstd without one. */
static void
test_a_damaged_payload_is_refused_and_leaves_nothing(void)
{
    static const char *const compressions[] = {"xz", "gzip", "bzip2", "lzma"};
    char *directory = fixture_begin();
    g_autoptr(GBytes) vmlinux = fixture_vmlinux(&with_pvh);

    for (gsize i = 0; i < G_N_ELEMENTS(compressions); i++) {
        g_autoptr(GBytes) image = fixture_bzimage(vmlinux, compressions[i]);
        g_autoptr(GByteArray) copy = fixture_copy(image);

        g_test_message("%s", compressions[i]);
        memset(copy->data + 3000, 0x5a, 200);
        assert_damaged(directory, copy);
    }
    fixture_end(directory);
}

static void
test_the_announced_size_must_be_the_real_one(void)
{
    char *directory = fixture_begin();
    g_autoptr(GBytes) vmlinux = fixture_vmlinux(&with_pvh);
    g_autoptr(GBytes) image = fixture_bzimage(vmlinux, "xz");
    gint64 size = (gint64)g_bytes_get_size(vmlinux);
    gint64 wrong[] = {size - 1, size + 1, 0, G_GINT64_CONSTANT(1) << 31};

    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GByteArray) copy = fixture_copy(image);
        guint32 length, value = GUINT32_TO_LE((guint32)wrong[i]);

        memcpy(&length, copy->data + 0x24c, sizeof(length));
        memcpy(copy->data + 1024 + 0x100 + GUINT32_FROM_LE(length) - 4, &value, sizeof(value));
        assert_damaged(directory, copy);
    }
    fixture_end(directory);
}

static void
assert_no_room(const char *directory, const char *path, const char *reason)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *images = g_build_filename(g_getenv("MAYFLY_CACHE_DIR"), "images", NULL);

    g_assert_null(prepare(path, FALSE, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_HOST);
    g_test_message("%s", error->message);
    g_assert_nonnull(strstr(error->message, images));
    g_assert_nonnull(strstr(error->message, "MAYFLY_CACHE_DIR"));
    g_assert_nonnull(strstr(error->message, reason));
    g_assert_cmpuint(count_images(directory), ==, 0);
}

static void
test_a_write_that_fails_names_the_cache_and_leaves_nothing(void)
{
    const FixtureKernel large = {.pvh = TRUE, .padding = 300000};
    char *directory = fixture_begin();
    g_autofree char *path = write_bzimage(directory, &large, "gzip");
    struct rlimit old, limit;

    signal(SIGXFSZ, SIG_IGN);
    g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &old), ==, 0);
    limit = old;
    limit.rlim_cur = 100000;
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
    assert_no_room(directory, path, g_strerror(EFBIG));
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &old), ==, 0);
    fixture_end(directory);
}

/* Becomes root of a namespace (unless it is root) in which it may mount. */
static gboolean
enter_namespace(void)
{
    g_autofree char *uid_map = g_strdup_printf("0 %u 1", geteuid());
    g_autofree char *gid_map = g_strdup_printf("0 %u 1", getegid());

    if (unshare(CLONE_NEWNS) == 0)
        return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
    return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
           g_file_set_contents_full("/proc/self/setgroups", "deny", -1, G_FILE_SET_CONTENTS_NONE, 0,
                                    NULL) &&
           g_file_set_contents_full("/proc/self/uid_map", uid_map, -1, G_FILE_SET_CONTENTS_NONE, 0,
                                    NULL) &&
           g_file_set_contents_full("/proc/self/gid_map", gid_map, -1, G_FILE_SET_CONTENTS_NONE, 0,
                                    NULL);
}

static int
prepare_in_a_small_cache(const char *directory, const char *path)
{
    const char *cache = g_getenv("MAYFLY_CACHE_DIR");

    g_assert_cmpint(g_mkdir_with_parents(cache, 0700), ==, 0);
    if (!enter_namespace() || mount("tmpfs", cache, "tmpfs", 0, "size=128k") < 0)
        return EXIT_SKIPPED;
    assert_no_room(directory, path, g_strerror(ENOSPC));
    return 0;
}

static void
test_no_space_for_the_cache_is_the_hosts_error(void)
{
    const FixtureKernel large = {.pvh = TRUE, .padding = 300000};
    char *directory = fixture_begin();
    g_autofree char *path = write_bzimage(directory, &large, "gzip");
    int status;
    pid_t child = fork();

    if (child == 0)
        _exit(prepare_in_a_small_cache(directory, path));
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == EXIT_SKIPPED)
        g_test_skip("this host does not allow to mount a tmpfs in a namespace");
    else
        g_assert_cmpint(WEXITSTATUS(status), ==, 0);
    fixture_end(directory);
}

static void
test_a_cache_that_cannot_be_made_is_the_hosts_error(void)
{
    g_autoptr(GError) error = NULL;
    char *directory = fixture_begin();
    g_autofree char *path = write_bzimage(directory, &with_pvh, "xz");

    g_setenv("MAYFLY_CACHE_DIR", "/dev/null/none", TRUE);
    g_assert_null(prepare(path, FALSE, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_HOST);
    g_assert_nonnull(strstr(error->message, "/dev/null/none"));
    fixture_end(directory);
}

static void
test_an_image_that_was_removed_or_cut_in_the_cache_is_made_again(void)
{
    g_autoptr(GError) error = NULL;
    char *directory = fixture_begin();
    g_autoptr(GBytes) vmlinux = fixture_vmlinux(&with_pvh);
    g_autofree char *path = write_bzimage(directory, &with_pvh, "xz");
    g_autofree char *first = prepare(path, FALSE, &error);

    g_assert_no_error(error);
    g_assert_cmpint(unlink(first), ==, 0);
    g_autofree char *second = prepare(path, FALSE, &error);
    g_assert_no_error(error);
    assert_content(second, vmlinux);
    g_assert_cmpint(truncate(second, 100), ==, 0);
    g_autofree char *third = prepare(path, FALSE, &error);
    g_assert_no_error(error);
    assert_content(third, vmlinux);
    fixture_end(directory);
}

static void
test_a_new_build_takes_the_place_of_the_old_in_the_cache(void)
{
    const FixtureKernel other = {.pvh = TRUE, .padding = 100};
    g_autoptr(GError) error = NULL;
    char *directory = fixture_begin();

    for (guint i = 0; i < 3; i++) {
        g_autofree char *path = write_bzimage(directory, i == 1 ? &other : &with_pvh, "xz");
        g_autofree char *prepared = prepare(path, FALSE, &error);
        g_autoptr(GBytes) vmlinux = fixture_vmlinux(i == 1 ? &other : &with_pvh);

        g_assert_no_error(error);
        assert_content(prepared, vmlinux);
        g_assert_cmpuint(count_images(directory), ==, 1);
    }
    fixture_end(directory);
}

static void
test_an_image_replaced_after_it_was_opened_is_not_taken_for_it(void)
{
    g_autoptr(GError) error = NULL;
    char *directory = fixture_begin();
    g_autofree char *path = write_bzimage(directory, &with_pvh, "xz");
    g_autoptr(MfKernel) kernel = mf_kernel_open(path, &error);
    g_autofree char *again = write_bzimage(directory, &without_pvh, "gzip");

    g_assert_null(mf_kernel_prepare_image(kernel, FALSE, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_nonnull(strstr(error->message, "was replaced"));
    fixture_end(directory);
}

static gpointer
build(gpointer path)
{
    g_autoptr(GError) error = NULL;
    char *prepared = prepare(path, FALSE, &error);

    g_assert_no_error(error);
    return prepared;
}

static void
test_builders_at_the_same_time_all_get_the_whole_image(void)
{
    const FixtureKernel large = {.pvh = TRUE, .padding = 300000};
    char *directory = fixture_begin();
    g_autoptr(GBytes) vmlinux = fixture_vmlinux(&large);
    g_autofree char *path = write_bzimage(directory, &large, "gzip");
    GThread *threads[N_BUILDERS];

    for (guint i = 0; i < N_BUILDERS; i++)
        threads[i] = g_thread_new("builder", build, path);
    for (guint i = 0; i < N_BUILDERS; i++) {
        g_autofree char *prepared = g_thread_join(threads[i]);

        assert_content(prepared, vmlinux);
    }
    g_assert_cmpuint(count_images(directory), ==, 1);
    fixture_end(directory);
}

/* The kernels that tools/test-kernels.sh provides: Debian's two and one built from source. */
static void
test_real_kernels_unpack_to_a_pvh_vmlinux(void)
{
    static const struct {
        const char *name;
        const char *compression;
    } kernels[] = {{"generic/vmlinuz", "xz"}, {"cloud/vmlinuz", "lz4"}, {"small/bzImage", "gzip"}};
    const char *top = g_getenv("MAYFLY_TEST_KERNELS");

    if (!top) {
        g_test_skip("MAYFLY_TEST_KERNELS does not name the directory of tools/test-kernels.sh");
        return;
    }

    char *directory = fixture_begin();
    for (gsize i = 0; i < G_N_ELEMENTS(kernels); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *path = g_build_filename(top, kernels[i].name, NULL);
        g_autoptr(MfKernel) kernel = mf_kernel_open(path, &error);

        g_assert_no_error(error);
        /* A package's image has its release in its name, too. */
        g_autofree char *target = g_file_read_link(path, NULL);
        if (target)
            g_assert_cmpstr(mf_kernel_get_release(kernel), ==, target + strlen("boot/vmlinuz-"));
        g_assert_cmpstr(mf_kernel_get_compression(kernel), ==, kernels[i].compression);
        g_assert_true(mf_kernel_has_pvh(kernel));

        g_autofree char *prepared = mf_kernel_prepare_image(kernel, FALSE, &error);
        g_assert_no_error(error);
        /* The vmlinux says the same about itself as the header of its image. */
        g_autoptr(MfKernel) vmlinux = mf_kernel_open(prepared, &error);
        g_assert_no_error(error);
        g_assert_cmpint(mf_kernel_get_format(vmlinux), ==, MF_KERNEL_ELF);
        g_assert_cmpstr(mf_kernel_get_release(vmlinux), ==, mf_kernel_get_release(kernel));
        g_assert_true(mf_kernel_has_pvh(vmlinux));
    }
    fixture_end(directory);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kernel-unpack/a-bzimage-with-pvh-is-booted-as-its-vmlinux",
                    test_a_bzimage_with_pvh_is_booted_as_its_vmlinux);
    g_test_add_func("/kernel-unpack/a-bzimage-without-pvh-is-booted-as-it-is",
                    test_a_bzimage_without_pvh_is_booted_as_it_is);
    g_test_add_func("/kernel-unpack/the-image-is-kept-for-kaslr-without-unpacking-it",
                    test_the_image_is_kept_for_kaslr_without_unpacking_it);
    g_test_add_func("/kernel-unpack/an-unknown-compression-is-left-to-the-kernel",
                    test_an_unknown_compression_is_left_to_the_kernel);
    g_test_add_func("/kernel-unpack/a-vmlinux-is-booted-as-it-is-if-it-has-a-pvh-entry",
                    test_a_vmlinux_is_booted_as_it_is_if_it_has_a_pvh_entry);
    g_test_add_func("/kernel-unpack/a-wrapped-image-is-unwrapped",
                    test_a_wrapped_image_is_unwrapped);
    g_test_add_func("/kernel-unpack/a-damaged-payload-is-refused-and-leaves-nothing",
                    test_a_damaged_payload_is_refused_and_leaves_nothing);
    g_test_add_func("/kernel-unpack/the-announced-size-must-be-the-real-one",
                    test_the_announced_size_must_be_the_real_one);
    g_test_add_func("/kernel-unpack/a-write-that-fails-names-the-cache-and-leaves-nothing",
                    test_a_write_that_fails_names_the_cache_and_leaves_nothing);
    g_test_add_func("/kernel-unpack/no-space-for-the-cache-is-the-hosts-error",
                    test_no_space_for_the_cache_is_the_hosts_error);
    g_test_add_func("/kernel-unpack/a-cache-that-cannot-be-made-is-the-hosts-error",
                    test_a_cache_that_cannot_be_made_is_the_hosts_error);
    g_test_add_func("/kernel-unpack/an-image-that-was-removed-or-cut-in-the-cache-is-made-again",
                    test_an_image_that_was_removed_or_cut_in_the_cache_is_made_again);
    g_test_add_func("/kernel-unpack/a-new-build-takes-the-place-of-the-old-in-the-cache",
                    test_a_new_build_takes_the_place_of_the_old_in_the_cache);
    g_test_add_func("/kernel-unpack/an-image-replaced-after-it-was-opened-is-not-taken-for-it",
                    test_an_image_replaced_after_it_was_opened_is_not_taken_for_it);
    g_test_add_func("/kernel-unpack/builders-at-the-same-time-all-get-the-whole-image",
                    test_builders_at_the_same_time_all_get_the_whole_image);
    g_test_add_func("/kernel-unpack/real-kernels-unpack-to-a-pvh-vmlinux",
                    test_real_kernels_unpack_to_a_pvh_vmlinux);
    return g_test_run();
}
