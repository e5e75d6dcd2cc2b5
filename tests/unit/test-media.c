/* SPDX-License-Identifier: Apache-2.0 */
#include "run/media.h"

#include <string.h>

#include "base/error.h"
#include "base/tempdir.h"

#define MULTIBOOT_LIMIT 8192
#define HEADER_SIZE     12

typedef struct {
    char *directory; /* owned */
    char *path;      /* owned; of what is booted */
    MfTarget *target;
    MfSpec *spec;
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer data)
{
    fixture->directory = mf_tempdir_make(NULL);
    fixture->path = g_build_filename(fixture->directory, "kernel", NULL);
    fixture->target = mf_target_new();
    fixture->target->arch = MF_ARCH_X86_64;
    fixture->target->bare = TRUE;
    fixture->spec = mf_spec_new();
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
    mf_spec_free(fixture->spec);
    mf_target_free(fixture->target);
    mf_tempdir_remove(fixture->directory);
    g_free(fixture->path);
    g_free(fixture->directory);
}

/* An ELF file with such a header at 'offset', whose sum is wrong by 'off'. */
static void
write_kernel(const Fixture *fixture, gsize offset, guint32 off)
{
    guint8 content[MULTIBOOT_LIMIT + 64] = "\177ELF\1\1\1";
    const guint32 header[] = {GUINT32_TO_LE(0x1badb002u), GUINT32_TO_LE(3u),
                              GUINT32_TO_LE(off - 0x1badb002u - 3u)};

    memcpy(content + offset, header, sizeof(header));
    g_assert_true(g_file_set_contents(fixture->path, (const char *)content, sizeof(content), NULL));
}

static gboolean
set_kernel(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    gboolean good = mf_media_set_bare_kernel(fixture->target, fixture->path, fixture->spec, &error);

    g_assert_cmpint(good, ==, error == NULL);
    if (error)
        g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    return good;
}

static void
test_a_multiboot_kernel_is_booted_as_it_is(Fixture *fixture, gconstpointer data)
{
    static const gsize offsets[] = {8, 512, MULTIBOOT_LIMIT - HEADER_SIZE};

    fixture->target->kernel_args = g_strdup("its own");
    for (gsize i = 0; i < G_N_ELEMENTS(offsets); i++) {
        write_kernel(fixture, offsets[i], 0);
        g_assert_true(set_kernel(fixture));
        g_assert_cmpstr(fixture->spec->kernel, ==, fixture->path);
        g_assert_cmpstr(fixture->spec->append, ==, "its own");
        g_clear_pointer(&fixture->spec->kernel, g_free);
        g_clear_pointer(&fixture->spec->append, g_free);
    }
}

static void
test_what_is_no_multiboot_kernel_has_to_be_linux(Fixture *fixture, gconstpointer data)
{
    /* One place too far, at no place for it, and a sum that is wrong. */
    static const struct {
        gsize offset;
        guint32 off;
    } cases[] = {{MULTIBOOT_LIMIT - HEADER_SIZE + 4, 0}, {514, 0}, {512, 1}};

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        write_kernel(fixture, cases[i].offset, cases[i].off);
        g_assert_false(set_kernel(fixture));
        g_assert_null(fixture->spec->kernel);
    }
}

static void
test_uefi_boots_no_multiboot_kernel(Fixture *fixture, gconstpointer data)
{
    write_kernel(fixture, 512, 0);
    fixture->target->uefi = TRUE;
    g_assert_false(set_kernel(fixture));
}

static void
test_each_medium_is_the_first_disk_in_its_form(Fixture *fixture, gconstpointer data)
{
    static const MfMedium media[] = {MF_MEDIUM_DISK, MF_MEDIUM_DISC, MF_MEDIUM_FAT};
    g_autofree char *esp = g_build_filename(fixture->directory, "esp", NULL);

    g_assert_cmpint(g_mkdir_with_parents(esp, 0755), ==, 0);
    for (gsize i = 0; i < G_N_ELEMENTS(media); i++) {
        g_autoptr(MfSpec) spec = mf_spec_new();
        g_autoptr(GError) error = NULL;
        const MfDisk *disk;

        mf_target_set_image(fixture->target, esp, media[i]);
        g_ptr_array_add(spec->disks, mf_disk_new("/other", "raw", TRUE));
        g_assert_true(mf_media_add(fixture->target, fixture->directory, spec, &error));
        g_assert_no_error(error);
        disk = spec->disks->pdata[0];
        g_assert_cmpuint(spec->disks->len, ==, 2);
        g_assert_cmpint(disk->optical, ==, media[i] == MF_MEDIUM_DISC);
        g_assert_false(disk->writable);
        g_assert_cmpint(g_str_equal(disk->path, esp), ==, media[i] != MF_MEDIUM_FAT);
        g_assert_true(g_str_has_prefix(disk->path, fixture->directory));
        g_assert_cmpint(mf_media_needs_directory(fixture->target), ==, media[i] == MF_MEDIUM_FAT);
    }
}

static void
test_only_q35_can_have_secure_boot(Fixture *fixture, gconstpointer data)
{
    static const struct {
        const char *machine;
        gboolean fits;
    } cases[] = {
        {"q35", TRUE}, {"q35,hpet=off", TRUE}, {"pc-q35-7.2", TRUE},
        {"pc", FALSE}, {"microvm", FALSE},     {"q350", FALSE},
    };

    fixture->target->uefi = TRUE;
    fixture->target->secure_boot = MF_SECURE_BOOT_SETUP;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *directory = mf_tempdir_make(NULL);
        g_autoptr(MfSpec) spec = mf_spec_new();
        g_autoptr(GError) error = NULL;
        gboolean good;

        spec->machine = g_strdup(cases[i].machine);
        good = mf_media_add_firmware(fixture->target, directory, spec, &error);
        mf_tempdir_remove(directory);
        if (g_error_matches(error, MF_ERROR, MF_ERROR_HOST)) {
            g_test_skip(error->message);
            return;
        }
        g_assert_cmpint(good, ==, cases[i].fits);
        if (!good)
            g_assert_nonnull(strstr(error->message, "needs a q35"));
    }
}

#define ADD(path, function) g_test_add("/media/" path, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("a-multiboot-kernel-is-booted-as-it-is", test_a_multiboot_kernel_is_booted_as_it_is);
    ADD("what-is-no-multiboot-kernel-has-to-be-linux",
        test_what_is_no_multiboot_kernel_has_to_be_linux);
    ADD("uefi-boots-no-multiboot-kernel", test_uefi_boots_no_multiboot_kernel);
    ADD("each-medium-is-the-first-disk-in-its-form",
        test_each_medium_is_the_first_disk_in_its_form);
    ADD("only-q35-can-have-secure-boot", test_only_q35_can_have_secure_boot);
    return g_test_run();
}
