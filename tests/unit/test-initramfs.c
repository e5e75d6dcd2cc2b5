/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/initramfs.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/tempdir.h"
#include "image-fixture.h"
#include "machine/initramfs-writer.h"
#include "wire/guest-protocol.h"

#define N_BUILDERS  4
#define RELEASE_DIR "lib/modules/" FIXTURE_RELEASE

/* Where the program's resources come from in these tests; set up in main(). */
static char *resources;

static void
set_guest_of(const char *arch, const char *content, const char *hash)
{
    g_autofree char *name = g_strconcat("mayfly-guest-", arch, NULL);
    g_autofree char *sum_name = g_strconcat(name, ".sha256", NULL);
    g_autofree char *guest = fixture_write_text(resources, name, content);
    g_autofree char *sum = fixture_write_text(resources, sum_name, hash);
}

static void
set_guest(const char *content, const char *hash)
{
    set_guest_of("x86_64", content, hash);
}

static GBytes *
bytes_of(const char *text)
{
    return g_bytes_new_static(text, strlen(text));
}

static GBytes *
archive_of(GBytes *guest, const GPtrArray *modules)
{
    g_autoptr(GError) error = NULL;
    mf_autofd fd = memfd_create("initramfs", MFD_CLOEXEC);
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);

    g_assert_true(mf_initramfs_write(fd, guest, modules, &error));
    g_assert_no_error(error);
    return mf_file_read(path, 64 * 1024 * 1024, NULL);
}

/* One line an entry: mode, owner, time, size or device, name. */
static char *
list_archive(GBytes *bytes)
{
    struct archive *reader = archive_read_new();
    struct archive_entry *entry;
    GString *text = g_string_new(NULL);

    archive_read_support_format_cpio(reader);
    g_assert_cmpint(
        archive_read_open_memory(reader, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes)),
        ==, ARCHIVE_OK);
    g_assert_cmpint(archive_read_next_header(reader, &entry), ==, ARCHIVE_OK);
    g_assert_cmpint(archive_format(reader), ==, ARCHIVE_FORMAT_CPIO_SVR4_NOCRC);
    do {
        g_string_append_printf(text, "%o %d:%d %ld ", archive_entry_mode(entry),
                               (int)archive_entry_uid(entry), (int)archive_entry_gid(entry),
                               (long)archive_entry_mtime(entry));
        if (archive_entry_filetype(entry) == AE_IFCHR)
            g_string_append_printf(text, "%u,%u", (guint)archive_entry_rdevmajor(entry),
                                   (guint)archive_entry_rdevminor(entry));
        else
            g_string_append_printf(text, "%d", (int)archive_entry_size(entry));
        g_string_append_printf(text, " %s\n", archive_entry_pathname(entry));
    } while (archive_read_next_header(reader, &entry) == ARCHIVE_OK);
    archive_read_free(reader);
    return g_string_free(text, FALSE);
}

/* The content of one entry; NULL when there is none. */
static GBytes *
extract(GBytes *bytes, const char *name)
{
    struct archive *reader = archive_read_new();
    struct archive_entry *entry;
    GBytes *content = NULL;

    archive_read_support_format_cpio(reader);
    archive_read_open_memory(reader, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    while (!content && archive_read_next_header(reader, &entry) == ARCHIVE_OK) {
        gsize size = (gsize)archive_entry_size(entry);
        g_autofree guint8 *data = g_malloc(size + 1);

        if (!g_str_equal(archive_entry_pathname(entry), name))
            continue;
        g_assert_cmpint(archive_read_data(reader, data, size), ==, (la_ssize_t)size);
        content = g_bytes_new(data, size);
    }
    archive_read_free(reader);
    return content;
}

static GPtrArray *
two_modules(const char *directory)
{
    g_autoptr(GBytes) first = fixture_module("depends=", NULL);
    g_autoptr(GBytes) second = fixture_module("depends=first", NULL);
    g_autoptr(GBytes) packed = fixture_compress(second, "xz");
    GPtrArray *modules = g_ptr_array_new_with_free_func(g_free);

    g_ptr_array_add(modules, fixture_write(directory, "first.ko", first));
    g_ptr_array_add(modules, fixture_write(directory, "second.ko.xz", packed));
    return modules;
}

static void
test_the_archive_holds_the_guest_the_nodes_and_the_modules(void)
{
    char *directory = fixture_begin();
    g_autoptr(GPtrArray) modules = two_modules(directory);
    g_autoptr(GBytes) guest = bytes_of("the guest");
    g_autoptr(GBytes) archive = archive_of(guest, modules);
    g_autoptr(GBytes) first = fixture_module("depends=", NULL);
    g_autoptr(GBytes) second = fixture_module("depends=first", NULL);
    g_autofree char *list = list_archive(archive);
    g_autofree char *expected = g_strdup_printf("40755 0:0 0 0 dev\n"
                                                "40755 0:0 0 0 etc\n"
                                                "40755 0:0 0 0 lib\n"
                                                "40755 0:0 0 0 modules\n"
                                                "40755 0:0 0 0 proc\n"
                                                "40755 0:0 0 0 run\n"
                                                "40755 0:0 0 0 sys\n"
                                                "20600 0:0 0 5,1 dev/console\n"
                                                "20666 0:0 0 1,3 dev/null\n"
                                                "100755 0:0 0 9 init\n"
                                                "100644 0:0 0 %zu modules/00-first.ko\n"
                                                "100644 0:0 0 %zu modules/01-second.ko\n"
                                                "100644 0:0 0 43 modules.load\n",
                                                g_bytes_get_size(first), g_bytes_get_size(second));

    g_assert_cmpstr(list, ==, expected);
    g_autoptr(GBytes) init = extract(archive, "init");
    g_autoptr(GBytes) unpacked = extract(archive, "modules/01-second.ko");
    g_autoptr(GBytes) order = extract(archive, MF_INITRAMFS_MODULES + 1);
    g_autoptr(GBytes) expected_order = bytes_of("/modules/00-first.ko\n/modules/01-second.ko\n");
    g_assert_true(g_bytes_equal(init, guest));
    g_assert_true(g_bytes_equal(unpacked, second));
    g_assert_cmpmem(g_bytes_get_data(order, NULL), g_bytes_get_size(order),
                    g_bytes_get_data(expected_order, NULL), g_bytes_get_size(expected_order));
    fixture_end(directory);
}

static void
test_the_same_input_gives_the_same_bytes(void)
{
    char *directory = fixture_begin();
    g_autoptr(GPtrArray) modules = two_modules(directory);
    g_autoptr(GBytes) guest = bytes_of("the guest");
    g_autoptr(GBytes) one = archive_of(guest, modules);
    g_autoptr(GPtrArray) same_modules = two_modules(directory);
    g_autoptr(GBytes) two = archive_of(guest, same_modules);

    g_assert_true(g_bytes_equal(one, two));
    fixture_end(directory);
}

static void
test_cpio_reads_the_archive(void)
{
    g_autofree char *cpio = g_find_program_in_path("cpio");
    g_autoptr(GError) error = NULL;
    g_autofree char *output = NULL, *complaints = NULL;
    int status;

    if (!cpio) {
        g_test_skip("cpio is not installed");
        return;
    }

    char *directory = fixture_begin();
    g_autoptr(GPtrArray) modules = two_modules(directory);
    g_autoptr(GBytes) guest = bytes_of("the guest");
    g_autoptr(GBytes) archive = archive_of(guest, modules);
    g_autofree char *path = fixture_write(directory, "archive", archive);
    g_autofree char *option = g_strconcat("--file=", path, NULL);
    char *argv[] = {cpio, (char *)"--list", (char *)"--quiet", option, NULL};

    g_assert_true(
        g_spawn_sync(NULL, argv, NULL, 0, NULL, NULL, &output, &complaints, &status, &error));
    g_assert_cmpint(status, ==, 0);
    g_assert_cmpstr(complaints, ==, "");
    g_assert_cmpstr(output, ==,
                    "dev\netc\nlib\nmodules\nproc\nrun\nsys\ndev/console\ndev/null\ninit\n"
                    "modules/00-first.ko\nmodules/01-second.ko\nmodules.load\n");
    fixture_end(directory);
}

static void
test_no_room_for_the_archive_is_the_hosts_error(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) modules = g_ptr_array_new();
    g_autoptr(GBytes) guest = bytes_of("the guest");
    mf_autofd full = open("/dev/full", O_WRONLY | O_CLOEXEC);

    g_assert_false(mf_initramfs_write(full, guest, modules, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_HOST);
}

static void
write_module(const char *directory, const char *name, const char *depends)
{
    g_autofree char *line = g_strconcat("depends=", depends, NULL);
    g_autofree char *file = g_strconcat(RELEASE_DIR "/kernel/", name, NULL);
    g_autoptr(GBytes) module = fixture_module(line, NULL);
    g_autofree char *path = fixture_write(directory, file, module);
}

static void
write_text(const char *directory, const char *name, const char *text)
{
    g_autofree char *path = fixture_write_text(directory, name, text);
}

/* A kernel with its modules beside it: virtio built in, 9p and overlay as modules. */
static MfKernel *
modular_kernel(const char *directory)
{
    const FixtureKernel spec = {.pvh = TRUE};
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) vmlinux = fixture_vmlinux(&spec);
    g_autoptr(GBytes) image = fixture_bzimage(vmlinux, "gzip");
    g_autofree char *path = fixture_write(directory, "boot/vmlinuz", image);

    write_module(directory, "9pnet.ko", "");
    write_module(directory, "9pnet_virtio.ko", "9pnet");
    write_module(directory, "9p.ko", "9pnet");
    write_module(directory, "overlay.ko", "");
    write_text(directory, RELEASE_DIR "/modules.order",
               "kernel/9p.ko\nkernel/9pnet.ko\nkernel/9pnet_virtio.ko\nkernel/overlay.ko\n");
    write_text(directory, RELEASE_DIR "/modules.builtin",
               "kernel/virtio_pci.ko\nkernel/virtio_console.ko\n");

    MfKernel *kernel = mf_kernel_open(path, &error);
    g_assert_no_error(error);
    return kernel;
}

static char *
prepare(MfKernel *kernel, MfKernelNeeds needs)
{
    g_autoptr(GError) error = NULL;
    char *path = mf_initramfs_prepare(kernel, needs, &error);

    g_assert_no_error(error);
    return path;
}

static void
assert_module_list(const char *path, const char *expected)
{
    g_autoptr(GBytes) archive = mf_file_read(path, 64 * 1024 * 1024, NULL);
    g_autoptr(GBytes) list = extract(archive, MF_INITRAMFS_MODULES + 1);

    g_assert_cmpmem(g_bytes_get_data(list, NULL), g_bytes_get_size(list), expected,
                    strlen(expected));
}

static void
test_an_initramfs_has_the_modules_that_the_run_needs(void)
{
    char *directory = fixture_begin();
    g_autoptr(MfKernel) kernel = modular_kernel(directory);
    g_autofree char *none = prepare(kernel, 0);
    g_autofree char *overlay = prepare(kernel, MF_KERNEL_NEEDS_OVERLAY);
    g_autofree char *both = prepare(kernel, MF_KERNEL_NEEDS_9P | MF_KERNEL_NEEDS_OVERLAY);

    assert_module_list(none, "");
    assert_module_list(overlay, "/modules/00-overlay.ko\n");
    assert_module_list(both, "/modules/00-9pnet.ko\n/modules/01-9p.ko\n"
                             "/modules/02-9pnet_virtio.ko\n/modules/03-overlay.ko\n");
    fixture_end(directory);
}

static guint64
inode_of(const char *path)
{
    struct stat status;

    g_assert_cmpint(stat(path, &status), ==, 0);
    return status.st_ino;
}

static void
test_an_initramfs_is_made_once(void)
{
    char *directory = fixture_begin();
    g_autoptr(MfKernel) kernel = modular_kernel(directory);
    g_autofree char *first = prepare(kernel, MF_KERNEL_NEEDS_9P);
    guint64 inode = inode_of(first);
    g_autofree char *second = prepare(kernel, MF_KERNEL_NEEDS_9P);

    g_assert_cmpstr(first, ==, second);
    g_assert_cmpuint(inode_of(second), ==, inode);
    fixture_end(directory);
}

static void
test_another_guest_makes_another_initramfs(void)
{
    char *directory = fixture_begin();
    g_autoptr(MfKernel) kernel = modular_kernel(directory);
    g_autofree char *first = prepare(kernel, MF_KERNEL_NEEDS_9P);

    set_guest("another guest", "5678");
    g_autofree char *second = prepare(kernel, MF_KERNEL_NEEDS_9P);
    set_guest("the guest", "1234");

    g_assert_cmpstr(first, !=, second);
    g_autoptr(GBytes) archive = mf_file_read(second, 1024 * 1024, NULL);
    g_autoptr(GBytes) init = extract(archive, "init");
    g_assert_cmpmem(g_bytes_get_data(init, NULL), g_bytes_get_size(init), "another guest", 13);
    fixture_end(directory);
}

static void
test_a_module_that_was_built_again_is_taken_anew(void)
{
    char *directory = fixture_begin();
    g_autoptr(MfKernel) kernel = modular_kernel(directory);
    g_autofree char *first = prepare(kernel, MF_KERNEL_NEEDS_9P);
    g_autoptr(GBytes) changed = fixture_module("depends=9pnet", "version=2", NULL);
    g_autofree char *module = fixture_write(directory, RELEASE_DIR "/kernel/9p.ko", changed);
    g_autofree char *second = prepare(kernel, MF_KERNEL_NEEDS_9P);
    g_autoptr(GBytes) archive = mf_file_read(second, 1024 * 1024, NULL);
    g_autoptr(GBytes) content = extract(archive, "modules/01-9p.ko");

    g_assert_true(g_bytes_equal(content, changed));
    /* The stale one does not stay in the cache. */
    g_assert_cmpint(access(first, F_OK), <, 0);
    fixture_end(directory);
}

static void
test_an_initramfs_that_was_removed_or_a_damaged_manifest_is_made_again(void)
{
    char *directory = fixture_begin();
    g_autoptr(MfKernel) kernel = modular_kernel(directory);
    g_autofree char *first = prepare(kernel, MF_KERNEL_NEEDS_9P);

    g_assert_cmpint(unlink(first), ==, 0);
    g_autofree char *second = prepare(kernel, MF_KERNEL_NEEDS_9P);
    g_assert_cmpstr(first, ==, second);

    g_autofree char *section = g_path_get_dirname(second);
    g_autoptr(GDir) entries = g_dir_open(section, 0, NULL);
    for (const char *name; (name = g_dir_read_name(entries));) {
        if (g_str_has_suffix(name, ".json")) {
            g_autofree char *manifest = fixture_write_text(section, name, "{\"version\":1,");
        }
    }
    g_autofree char *third = prepare(kernel, MF_KERNEL_NEEDS_9P);
    assert_module_list(third, "/modules/00-9pnet.ko\n/modules/01-9p.ko\n"
                              "/modules/02-9pnet_virtio.ko\n");
    fixture_end(directory);
}

static void
test_no_room_in_the_cache_names_its_directory(void)
{
    g_autoptr(GError) error = NULL;
    char *directory = fixture_begin();
    g_autoptr(MfKernel) kernel = modular_kernel(directory);
    g_autofree char *large = g_strnfill(300000, 'x');
    g_autofree char *section = g_build_filename(directory, "cache", "initramfs", NULL);
    struct rlimit old, limit;

    set_guest(large, "9999");
    signal(SIGXFSZ, SIG_IGN);
    g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &old), ==, 0);
    limit = old;
    limit.rlim_cur = 100000;
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
    g_assert_null(mf_initramfs_prepare(kernel, 0, &error));
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &old), ==, 0);
    set_guest("the guest", "1234");

    g_assert_error(error, MF_ERROR, MF_ERROR_HOST);
    g_assert_nonnull(strstr(error->message, section));
    g_autoptr(GDir) entries = g_dir_open(section, 0, NULL);
    g_assert_null(g_dir_read_name(entries));
    fixture_end(directory);
}

static void
test_what_the_kernel_lacks_is_said_before_anything_is_written(void)
{
    g_autoptr(GError) error = NULL;
    char *directory = fixture_begin();
    g_autoptr(MfKernel) kernel = modular_kernel(directory);

    g_assert_null(mf_initramfs_prepare(kernel, MF_KERNEL_NEEDS_VIRTIOFS, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_nonnull(strstr(error->message, "cannot mount a virtiofs root"));
    fixture_end(directory);
}

static void
test_a_program_without_a_guest_says_so(void)
{
    g_autoptr(GError) error = NULL;
    char *directory = fixture_begin();
    g_autoptr(MfKernel) kernel = modular_kernel(directory);
    g_autofree char *hash = g_build_filename(resources, "mayfly-guest-x86_64.sha256", NULL);

    g_assert_cmpint(unlink(hash), ==, 0);
    g_assert_null(mf_initramfs_prepare(kernel, 0, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_HOST);
    g_assert_nonnull(strstr(error->message, "without a guest program for x86_64. "));
    set_guest("the guest", "1234");
    fixture_end(directory);
}

static MfKernel *
arm64_kernel(const char *directory)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) image = fixture_arm64_image();
    g_autofree char *path = fixture_write(directory, "boot/vmlinuz", image);

    write_module(directory, "pvpanic.ko", "");
    write_module(directory, "pvpanic-mmio.ko", "pvpanic");
    write_module(directory, "pvpanic-pci.ko", "pvpanic");
    write_module(directory, "vmgenid.ko", "");
    write_text(directory, RELEASE_DIR "/modules.order",
               "kernel/pvpanic.ko\nkernel/pvpanic-mmio.ko\nkernel/pvpanic-pci.ko\n"
               "kernel/vmgenid.ko\n");
    write_text(directory, RELEASE_DIR "/modules.builtin",
               "kernel/virtio_pci.ko\nkernel/virtio_console.ko\n");

    MfKernel *kernel = mf_kernel_open(path, &error);
    g_assert_no_error(error);
    return kernel;
}

static void
test_a_kernel_of_another_architecture_gets_its_own_guest_and_drivers(void)
{
    char *directory = fixture_begin();
    g_autoptr(MfKernel) kernel = arm64_kernel(directory);

    set_guest_of("aarch64", "the other guest", "5678");
    g_autofree char *path = prepare(kernel, 0);
    g_autoptr(GBytes) archive = mf_file_read(path, 64 * 1024 * 1024, NULL);
    g_autoptr(GBytes) init = extract(archive, "init");
    g_autoptr(GBytes) expected = bytes_of("the other guest");

    g_assert_true(g_bytes_equal(init, expected));
    assert_module_list(path, "/modules/00-pvpanic.ko\n/modules/01-pvpanic-pci.ko\n");
    fixture_end(directory);
}

static void
test_an_architecture_without_a_guest_is_named_with_what_to_do(void)
{
    g_autoptr(GError) error = NULL;
    char *directory = fixture_begin();
    g_autoptr(GBytes) image = fixture_riscv_image();
    g_autofree char *path = fixture_write(directory, "Image", image);
    g_autoptr(MfKernel) kernel = mf_kernel_open(path, NULL);

    g_assert_null(mf_initramfs_prepare(kernel, 0, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_HOST);
    g_assert_nonnull(strstr(error->message, "without a guest program for riscv64. "));
    g_assert_nonnull(strstr(error->message, "'--no-initramfs'"));
    fixture_end(directory);
}

static gpointer
build(gpointer directory)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(directory, "boot/vmlinuz", NULL);
    g_autoptr(MfKernel) kernel = mf_kernel_open(path, &error);

    g_assert_no_error(error);
    return prepare(kernel, MF_KERNEL_NEEDS_9P);
}

static void
test_builders_at_the_same_time_all_get_a_whole_initramfs(void)
{
    char *directory = fixture_begin();
    g_autoptr(MfKernel) kernel = modular_kernel(directory);
    GThread *threads[N_BUILDERS];

    for (guint i = 0; i < N_BUILDERS; i++)
        threads[i] = g_thread_new("builder", build, directory);
    for (guint i = 0; i < N_BUILDERS; i++) {
        g_autofree char *path = g_thread_join(threads[i]);

        assert_module_list(path, "/modules/00-9pnet.ko\n/modules/01-9p.ko\n"
                                 "/modules/02-9pnet_virtio.ko\n");
    }
    fixture_end(directory);
}

/* GLib tells of every file that stands in for a resource. */
static void
ignore_message(const char *domain, GLogLevelFlags level, const char *message, gpointer unused)
{
}

/* The resources are files here, through GLib's overlays, so that a test can change the guest. */
int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    resources = mf_tempdir_make(NULL);
    g_autofree char *overlay = g_strdup_printf("/mayfly=%s", resources);
    g_setenv("G_RESOURCE_OVERLAYS", overlay, TRUE);
    g_log_set_handler("GLib-GIO", G_LOG_LEVEL_MESSAGE, ignore_message, NULL);
    set_guest("the guest", "1234");

    g_test_add_func("/initramfs/the-archive-holds-the-guest-the-nodes-and-the-modules",
                    test_the_archive_holds_the_guest_the_nodes_and_the_modules);
    g_test_add_func("/initramfs/the-same-input-gives-the-same-bytes",
                    test_the_same_input_gives_the_same_bytes);
    g_test_add_func("/initramfs/cpio-reads-the-archive", test_cpio_reads_the_archive);
    g_test_add_func("/initramfs/no-room-for-the-archive-is-the-hosts-error",
                    test_no_room_for_the_archive_is_the_hosts_error);
    g_test_add_func("/initramfs/an-initramfs-has-the-modules-that-the-run-needs",
                    test_an_initramfs_has_the_modules_that_the_run_needs);
    g_test_add_func("/initramfs/an-initramfs-is-made-once", test_an_initramfs_is_made_once);
    g_test_add_func("/initramfs/another-guest-makes-another-initramfs",
                    test_another_guest_makes_another_initramfs);
    g_test_add_func("/initramfs/a-module-that-was-built-again-is-taken-anew",
                    test_a_module_that_was_built_again_is_taken_anew);
    g_test_add_func("/initramfs/an-initramfs-that-was-removed-or-a-damaged-manifest-is-made-again",
                    test_an_initramfs_that_was_removed_or_a_damaged_manifest_is_made_again);
    g_test_add_func("/initramfs/no-room-in-the-cache-names-its-directory",
                    test_no_room_in_the_cache_names_its_directory);
    g_test_add_func("/initramfs/what-the-kernel-lacks-is-said-before-anything-is-written",
                    test_what_the_kernel_lacks_is_said_before_anything_is_written);
    g_test_add_func("/initramfs/a-program-without-a-guest-says-so",
                    test_a_program_without_a_guest_says_so);
    g_test_add_func("/initramfs/a-kernel-of-another-architecture-gets-its-own-guest-and-drivers",
                    test_a_kernel_of_another_architecture_gets_its_own_guest_and_drivers);
    g_test_add_func("/initramfs/an-architecture-without-a-guest-is-named-with-what-to-do",
                    test_an_architecture_without_a_guest_is_named_with_what_to_do);
    g_test_add_func("/initramfs/builders-at-the-same-time-all-get-a-whole-initramfs",
                    test_builders_at_the_same_time_all_get_a_whole_initramfs);

    int status = g_test_run();
    mf_tempdir_remove(resources);
    g_free(resources);
    return status;
}
