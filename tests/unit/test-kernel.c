/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/kernel.h"

#include <elf.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "image-fixture.h"
#include "machine/kernel-format.h"
#include "machine/kernel-scan.h"

#define FUZZ_ROUNDS 20000
#define NOBODY      65534

static const FixtureKernel with_pvh = {.pvh = TRUE};

/* Opens what must be refused; the message is checked for 'expected'. */
static void
assert_refused(const char *path, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MfKernel) kernel = mf_kernel_open(path, &error);

    g_assert_null(kernel);
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_test_message("%s", error->message);
    g_assert_nonnull(strstr(error->message, path));
    g_assert_nonnull(strstr(error->message, expected));
}

static MfKernel *
open_kernel(const char *path)
{
    g_autoptr(GError) error = NULL;
    MfKernel *kernel = mf_kernel_open(path, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(mf_kernel_get_path(kernel), ==, path);
    return kernel;
}

static void
test_a_bzimage_tells_release_compression_and_architecture(void)
{
    static const char *const compressions[] = {"xz", "lz4", "zstd", "gzip", "bzip2", "lzma"};
    char *directory = fixture_begin();
    g_autoptr(GBytes) vmlinux = fixture_vmlinux(&with_pvh);

    for (gsize i = 0; i < G_N_ELEMENTS(compressions); i++) {
        g_autoptr(GBytes) image = fixture_bzimage(vmlinux, compressions[i]);
        g_autofree char *path = fixture_write(directory, compressions[i], image);
        g_autoptr(MfKernel) kernel = open_kernel(path);

        g_assert_cmpint(mf_kernel_get_format(kernel), ==, MF_KERNEL_BZIMAGE);
        g_assert_cmpint(mf_kernel_get_arch(kernel), ==, MF_ARCH_X86_64);
        g_assert_cmpstr(mf_kernel_get_release(kernel), ==, FIXTURE_RELEASE);
        g_assert_cmpstr(mf_kernel_get_compression(kernel), ==, compressions[i]);
    }
    fixture_end(directory);
}

static void
test_a_vmlinux_tells_architecture_and_release(void)
{
    static const struct {
        guint16 machine;
        MfArch arch;
    } cases[] = {{EM_X86_64, MF_ARCH_X86_64},
                 {EM_AARCH64, MF_ARCH_AARCH64},
                 {EM_RISCV, MF_ARCH_RISCV64},
                 {EM_S390, MF_ARCH_S390X}};
    char *directory = fixture_begin();

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        FixtureKernel spec = {.machine = cases[i].machine, .pvh = TRUE};
        g_autoptr(GBytes) image = fixture_vmlinux(&spec);
        g_autofree char *path = fixture_write(directory, "vmlinux", image);
        g_autoptr(MfKernel) kernel = open_kernel(path);

        g_assert_cmpint(mf_kernel_get_format(kernel), ==, MF_KERNEL_ELF);
        g_assert_cmpint(mf_kernel_get_arch(kernel), ==, cases[i].arch);
        g_assert_cmpstr(mf_kernel_get_release(kernel), ==, FIXTURE_RELEASE);
        g_assert_null(mf_kernel_get_compression(kernel));
        /* PVH is a matter of x86. */
        g_assert_cmpint(mf_kernel_has_pvh(kernel), ==, cases[i].machine == EM_X86_64);
    }
    fixture_end(directory);
}

static void
test_the_release_is_found_across_the_border_of_two_reads(void)
{
    const gsize window = 1024 * 1024;
    char *directory = fixture_begin();

    for (gsize shift = 0; shift < 90; shift += 10) {
        FixtureKernel spec = {.pvh = TRUE, .padding = window - 4096 - 80 + shift};
        g_autoptr(GBytes) image = fixture_vmlinux(&spec);
        g_autofree char *path = fixture_write(directory, "vmlinux", image);
        g_autoptr(MfKernel) kernel = open_kernel(path);

        g_assert_cmpstr(mf_kernel_get_release(kernel), ==, FIXTURE_RELEASE);
    }
    fixture_end(directory);
}

static void
test_a_kernel_without_a_banner_has_no_release(void)
{
    FixtureKernel spec = {.pvh = TRUE, .no_banner = TRUE};
    char *directory = fixture_begin();
    g_autoptr(GBytes) image = fixture_vmlinux(&spec);
    g_autofree char *path = fixture_write(directory, "vmlinux", image);
    g_autoptr(MfKernel) kernel = open_kernel(path);

    g_assert_null(mf_kernel_get_release(kernel));
    fixture_end(directory);
}

static void
test_images_of_arm64_riscv_and_s390_are_recognised(void)
{
    char *directory = fixture_begin();
    g_autoptr(GBytes) arm64 = fixture_arm64_image();
    g_autoptr(GBytes) riscv = fixture_riscv_image();
    g_autoptr(GByteArray) s390 = g_byte_array_new();

    g_byte_array_set_size(s390, 0x11000);
    memset(s390->data, 0, s390->len);
    memcpy(s390->data + 0x10008, "S390EP", 6);
    g_autoptr(GBytes) s390_image = g_bytes_new(s390->data, s390->len);

    g_autofree char *arm64_path = fixture_write(directory, "arm64", arm64);
    g_autofree char *riscv_path = fixture_write(directory, "riscv", riscv);
    g_autofree char *s390_path = fixture_write(directory, "s390", s390_image);
    g_autoptr(MfKernel) arm64_kernel = open_kernel(arm64_path);
    g_autoptr(MfKernel) riscv_kernel = open_kernel(riscv_path);
    g_autoptr(MfKernel) s390_kernel = open_kernel(s390_path);

    g_assert_cmpint(mf_kernel_get_format(arm64_kernel), ==, MF_KERNEL_ARM64_IMAGE);
    g_assert_cmpint(mf_kernel_get_arch(arm64_kernel), ==, MF_ARCH_AARCH64);
    g_assert_cmpstr(mf_kernel_get_release(arm64_kernel), ==, FIXTURE_RELEASE);
    g_assert_cmpint(mf_kernel_get_format(riscv_kernel), ==, MF_KERNEL_RISCV_IMAGE);
    g_assert_cmpint(mf_kernel_get_arch(riscv_kernel), ==, MF_ARCH_RISCV64);
    g_assert_cmpstr(mf_kernel_get_release(riscv_kernel), ==, FIXTURE_RELEASE);
    g_assert_cmpint(mf_kernel_get_format(s390_kernel), ==, MF_KERNEL_S390_IMAGE);
    g_assert_cmpint(mf_kernel_get_arch(s390_kernel), ==, MF_ARCH_S390X);
    fixture_end(directory);
}

static void
test_a_kernel_of_another_architecture_is_refused_for_the_machine(void)
{
    g_autoptr(GError) error = NULL;
    char *directory = fixture_begin();
    g_autoptr(GBytes) image = fixture_arm64_image();
    g_autofree char *path = fixture_write(directory, "Image", image);
    g_autoptr(MfKernel) kernel = open_kernel(path);

    g_assert_true(mf_kernel_check_arch(kernel, MF_ARCH_AARCH64, NULL));
    g_assert_false(mf_kernel_check_arch(kernel, MF_ARCH_X86_64, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_nonnull(strstr(error->message, "is for aarch64 and the machine is x86_64"));
    fixture_end(directory);
}

static void
test_a_vmlinux_that_qemu_cannot_enter_is_refused(void)
{
    static const struct {
        guint16 machine;
        const char *sentence; /* NULL: it can be booted */
    } cases[] = {{EM_AARCH64, "takes no vmlinux of aarch64. Use the Image"},
                 {EM_RISCV, "takes no vmlinux of riscv64. Use the Image"},
                 {EM_X86_64, "needs a PVH entry (CONFIG_PVH)"},
                 {EM_S390, NULL}};
    char *directory = fixture_begin();

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const FixtureKernel spec = {.machine = cases[i].machine};
        g_autoptr(GError) error = NULL;
        g_autoptr(GBytes) image = fixture_vmlinux(&spec);
        g_autofree char *path = fixture_write(directory, "vmlinux", image);
        g_autoptr(MfKernel) kernel = open_kernel(path);
        g_autofree char *prepared = mf_kernel_prepare_image(kernel, FALSE, &error);

        if (!cases[i].sentence) {
            g_assert_cmpstr(prepared, ==, path);
            continue;
        }
        g_assert_null(prepared);
        g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
        g_assert_nonnull(strstr(error->message, cases[i].sentence));
    }
    fixture_end(directory);
}

static void
test_a_kernel_of_an_unknown_architecture_is_refused(void)
{
    FixtureKernel spec = {.machine = EM_PPC64};
    char *directory = fixture_begin();
    g_autoptr(GBytes) ppc = fixture_vmlinux(&spec);
    g_autofree char *ppc_path = fixture_write(directory, "ppc", ppc);
    g_autoptr(GBytes) vmlinux = fixture_vmlinux(&with_pvh);
    g_autoptr(GBytes) image = fixture_bzimage(vmlinux, "gzip");
    g_autoptr(GByteArray) i386 = fixture_copy(image);

    i386->data[0x236] = 0;
    g_autoptr(GBytes) i386_image = g_bytes_new(i386->data, i386->len);
    g_autofree char *i386_path = fixture_write(directory, "i386", i386_image);

    assert_refused(ppc_path, "ELF machine 21");
    assert_refused(i386_path, "32-bit x86");
    fixture_end(directory);
}

static void
test_a_missing_kernel_is_refused(void)
{
    char *directory = fixture_begin();
    g_autofree char *path = g_build_filename(directory, "none", NULL);

    assert_refused(path, "does not exist");
    fixture_end(directory);
}

/* The super-user may read everything: the test gives that up for a moment. */
static void
test_an_unreadable_kernel_is_refused(void)
{
    char *directory = fixture_begin();
    g_autofree char *path = fixture_write_text(directory, "secret", "x");
    gboolean root = geteuid() == 0;

    g_assert_cmpint(chmod(path, 0), ==, 0);
    g_assert_cmpint(chmod(directory, 0755), ==, 0);
    if (root)
        g_assert_cmpint(seteuid(NOBODY), ==, 0);
    assert_refused(path, "permission denied");
    if (root)
        g_assert_cmpint(seteuid(0), ==, 0);
    fixture_end(directory);
}

static void
test_a_directory_is_refused_and_a_build_tree_is_looked_into(void)
{
    char *directory = fixture_begin();

    assert_refused(directory, "is a directory; name the bzImage");
    g_autofree char *image = fixture_write_text(directory, "arch/x86/boot/bzImage", "x");
    assert_refused(directory, image);
    fixture_end(directory);
}

static void
test_empty_and_special_files_are_refused(void)
{
    char *directory = fixture_begin();
    g_autofree char *empty = fixture_write_text(directory, "empty", "");
    g_autofree char *fifo = g_build_filename(directory, "fifo", NULL);

    g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
    assert_refused(empty, "is empty");
    assert_refused(fifo, "not a regular file");
    assert_refused("/dev/null", "not a regular file");
    fixture_end(directory);
}

static void
test_what_is_not_a_kernel_is_called_by_its_name(void)
{
    static const struct {
        const char *magic;
        gsize offset;
        gsize size;
        const char *expected;
    } cases[] = {
        {"!<arch>\ndebian-binary", 0, 21, "Debian package"},
        {"\xed\xab\xee\xdb", 0, 4, "RPM package"},
        {"QFI\xfb", 0, 4, "qcow2"},
        {"070701", 0, 6, "initramfs"},
        {"\x1f\x8b", 0, 2, "gzip"},
        {"\xfd"
         "7zXZ",
         0, 6, "xz file"},
        {"\x28\xb5\x2f\xfd", 0, 4, "zstd file"},
        {"EFI PART", 512, 8, "GPT"},
        {"\x55\xaa", 510, 2, "disk image"},
        {"MZ", 0, 2, "EFI"},
        {"\x7f"
         "ELF\x01",
         0, 5, "32-bit ELF"},
        {"\xff", 3, 1, "none of the signatures"},
    };
    char *directory = fixture_begin();

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        guint8 content[2048] = {0};

        memcpy(content + cases[i].offset, cases[i].magic, cases[i].size);
        content[1000] = 0xff;
        content[40] = 0xff;
        g_autoptr(GBytes) bytes = g_bytes_new(content, sizeof(content));
        g_autofree char *path = fixture_write(directory, "file", bytes);
        assert_refused(path, cases[i].expected);
    }
    fixture_end(directory);
}

static void
test_programs_and_modules_are_not_kernels(void)
{
    char *directory = fixture_begin();
    g_autoptr(GBytes) vmlinux = fixture_vmlinux(&with_pvh);
    g_autoptr(GByteArray) copy = fixture_copy(vmlinux);
    Elf64_Ehdr *header = (Elf64_Ehdr *)(gpointer)copy->data;

    header->e_type = ET_REL;
    g_autoptr(GBytes) module = g_bytes_new(copy->data, copy->len);
    g_autofree char *module_path = fixture_write(directory, "module", module);

    assert_refused(module_path, "a kernel module or object file");
    g_autofree char *self_path = g_file_read_link("/proc/self/exe", NULL);
    assert_refused(self_path, "a program");
    fixture_end(directory);
}

static void
assert_truncations_are_refused(const char *directory, GBytes *image, gsize step)
{
    for (gsize size = 1; size < g_bytes_get_size(image); size += step) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GBytes) part = fixture_truncate(image, size);
        g_autofree char *path = fixture_write(directory, "part", part);
        g_autoptr(MfKernel) kernel = mf_kernel_open(path, &error);

        g_assert_null(kernel);
        g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    }
}

static void
test_a_truncated_kernel_is_refused_wherever_it_ends(void)
{
    char *directory = fixture_begin();
    g_autoptr(GBytes) vmlinux = fixture_vmlinux(&with_pvh);
    g_autoptr(GBytes) bzimage = fixture_bzimage(vmlinux, "xz");
    g_autoptr(GBytes) arm64 = fixture_arm64_image();
    g_autoptr(GBytes) zboot = fixture_zboot(arm64, "gzip");
    g_autoptr(GBytes) whole_zboot = fixture_truncate(zboot, g_bytes_get_size(zboot) - 200);

    assert_truncations_are_refused(directory, vmlinux, 37);
    assert_truncations_are_refused(directory, bzimage, 41);
    assert_truncations_are_refused(directory, whole_zboot, 53);

    g_autoptr(GBytes) part = fixture_truncate(bzimage, g_bytes_get_size(bzimage) - 16);
    g_autofree char *path = fixture_write(directory, "part", part);
    assert_refused(path, "is truncated");
    fixture_end(directory);
}

static void
test_a_pe_image_that_ends_before_its_sections_is_truncated(void)
{
    char *directory = fixture_begin();
    g_autoptr(GBytes) arm64 = fixture_arm64_image();
    g_autoptr(GByteArray) copy = fixture_copy(arm64);
    guint32 beyond = GUINT32_TO_LE(copy->len - 99);

    /* MZ, the offset of "PE", one section behind no optional header. */
    memcpy(copy->data, "MZ", 2);
    memcpy(copy->data + 60, "\x40\0\0\0", 4);
    memcpy(copy->data + 64, "PE\0\0\x64\xaa\x01\0", 8);
    memset(copy->data + 72, 0, 56);
    memcpy(copy->data + 64 + 24 + 16, "\x64\0\0\0", 4);
    memcpy(copy->data + 64 + 24 + 20, &beyond, 4);
    g_autoptr(GBytes) image = g_bytes_new(copy->data, copy->len);
    g_autofree char *path = fixture_write(directory, "Image", image);

    assert_refused(path, "is truncated");
    fixture_end(directory);
}

/* Random changes in the headers: whatever the answer, it is one, within the file's bounds. */
static void
fuzz(GBytes *seed, gsize header_size, guint rounds, GRand *rand)
{
    mf_autofd fd = memfd_create("fuzz", MFD_CLOEXEC);
    g_autoptr(GByteArray) image = fixture_copy(seed);
    const guint8 *original = g_bytes_get_data(seed, NULL);

    g_assert_cmpint(pwrite(fd, image->data, image->len, 0), ==, (gssize)image->len);
    for (guint i = 0; i < rounds; i++) {
        g_auto(MfKernelFacts) facts = {0};
        g_auto(MfKernelScan) found = {0};
        g_autoptr(GError) error = NULL;

        memcpy(image->data, original, header_size);
        for (gint n = g_rand_int_range(rand, 1, 12); n > 0; n--)
            image->data[g_rand_int_range(rand, 0, (gint)header_size)] =
                g_rand_boolean(rand) ? (guint8)g_rand_int(rand) : 0xff;
        g_assert_cmpint(pwrite(fd, image->data, header_size, 0), ==, (gssize)header_size);
        if (!mf_kernel_format_probe(fd, image->len, "fuzz", &facts, &error))
            g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
        else
            g_assert_cmpuint(facts.payload_offset + facts.payload_length, <=, image->len);
        g_assert_true(mf_kernel_scan(fd, image->len, &found, NULL));
    }
}

static void
test_random_headers_never_lead_out_of_the_file(void)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(20240229);
    g_autoptr(GBytes) vmlinux = fixture_vmlinux(&with_pvh);
    g_autoptr(GBytes) bzimage = fixture_bzimage(vmlinux, "gzip");
    g_autoptr(GBytes) arm64 = fixture_arm64_image();
    g_autoptr(GBytes) zboot = fixture_zboot(arm64, "zstd");
    g_autoptr(GBytes) noise = fixture_truncate(bzimage, 2000);

    fuzz(vmlinux, sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr) + 64, FUZZ_ROUNDS / 4, rand);
    fuzz(bzimage, 0x400, FUZZ_ROUNDS / 4, rand);
    fuzz(zboot, 512 + 16, FUZZ_ROUNDS / 4, rand);
    fuzz(noise, 2000, FUZZ_ROUNDS / 4, rand);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kernel/a-bzimage-tells-release-compression-and-architecture",
                    test_a_bzimage_tells_release_compression_and_architecture);
    g_test_add_func("/kernel/a-vmlinux-tells-architecture-and-release",
                    test_a_vmlinux_tells_architecture_and_release);
    g_test_add_func("/kernel/the-release-is-found-across-the-border-of-two-reads",
                    test_the_release_is_found_across_the_border_of_two_reads);
    g_test_add_func("/kernel/a-kernel-without-a-banner-has-no-release",
                    test_a_kernel_without_a_banner_has_no_release);
    g_test_add_func("/kernel/images-of-arm64-riscv-and-s390-are-recognised",
                    test_images_of_arm64_riscv_and_s390_are_recognised);
    g_test_add_func("/kernel/a-kernel-of-another-architecture-is-refused-for-the-machine",
                    test_a_kernel_of_another_architecture_is_refused_for_the_machine);
    g_test_add_func("/kernel/a-vmlinux-that-qemu-cannot-enter-is-refused",
                    test_a_vmlinux_that_qemu_cannot_enter_is_refused);
    g_test_add_func("/kernel/a-kernel-of-an-unknown-architecture-is-refused",
                    test_a_kernel_of_an_unknown_architecture_is_refused);
    g_test_add_func("/kernel/a-missing-kernel-is-refused", test_a_missing_kernel_is_refused);
    g_test_add_func("/kernel/an-unreadable-kernel-is-refused",
                    test_an_unreadable_kernel_is_refused);
    g_test_add_func("/kernel/a-directory-is-refused-and-a-build-tree-is-looked-into",
                    test_a_directory_is_refused_and_a_build_tree_is_looked_into);
    g_test_add_func("/kernel/empty-and-special-files-are-refused",
                    test_empty_and_special_files_are_refused);
    g_test_add_func("/kernel/what-is-not-a-kernel-is-called-by-its-name",
                    test_what_is_not_a_kernel_is_called_by_its_name);
    g_test_add_func("/kernel/programs-and-modules-are-not-kernels",
                    test_programs_and_modules_are_not_kernels);
    g_test_add_func("/kernel/a-truncated-kernel-is-refused-wherever-it-ends",
                    test_a_truncated_kernel_is_refused_wherever_it_ends);
    g_test_add_func("/kernel/a-pe-image-that-ends-before-its-sections-is-truncated",
                    test_a_pe_image_that_ends_before_its_sections_is_truncated);
    g_test_add_func("/kernel/random-headers-never-lead-out-of-the-file",
                    test_random_headers_never_lead_out_of_the_file);
    return g_test_run();
}
