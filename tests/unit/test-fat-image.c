/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/fat-image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/tempdir.h"
#include "machine/fat-tree.h"

#define COPY_SIZE 65536

/* The image is read back by others' programs: fsck.fat has to find nothing wrong with it, and
 * mtools everything in it. */
typedef struct {
    char *root;   /* owned */
    char *source; /* owned; what the image is made of */
    char *run;    /* owned; where it goes */
    char *image;  /* owned; the image, when it is made */
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer data)
{
    fixture->root = mf_tempdir_make(NULL);
    fixture->source = g_build_filename(fixture->root, "so urce", NULL);
    fixture->run = g_build_filename(fixture->root, "run", NULL);
    g_assert_cmpint(g_mkdir_with_parents(fixture->source, 0755), ==, 0);
    g_assert_cmpint(g_mkdir_with_parents(fixture->run, 0700), ==, 0);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
    mf_tempdir_remove(fixture->root);
    g_free(fixture->root);
    g_free(fixture->source);
    g_free(fixture->run);
    g_free(fixture->image);
}

static char *
write_file(const Fixture *fixture, const char *name, const void *content, gsize size)
{
    char *path = g_build_filename(fixture->source, name, NULL);
    g_autofree char *directory = g_path_get_dirname(path);

    g_assert_cmpint(g_mkdir_with_parents(directory, 0755), ==, 0);
    g_assert_true(g_file_set_contents_full(path, content, (gssize)size, G_FILE_SET_CONTENTS_NONE,
                                           0644, NULL));
    return path;
}

static void
add(const Fixture *fixture, const char *name)
{
    g_autofree char *path = write_file(fixture, name, name, strlen(name));
}

/* Bytes that are different everywhere, and no zeros. */
static void
add_sized(const Fixture *fixture, const char *name, gsize size)
{
    g_autofree guint8 *content = g_malloc(size + 1);
    g_autofree char *path = NULL;

    for (gsize i = 0; i < size; i++)
        content[i] = (guint8)(1 + (i * 2654435761u >> 13) % 255);
    path = write_file(fixture, name, content, size);
}

static void
make(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(
        mf_fat_image_make(fixture->source, fixture->run, "fat.img", &fixture->image, &error));
    g_assert_no_error(error);
}

static void
assert_refused(const Fixture *fixture, const char *pattern)
{
    g_autofree char *image = NULL, *path = g_build_filename(fixture->run, "fat.img", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_false(mf_fat_image_make(fixture->source, fixture->run, "fat.img", &image, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    if (!g_pattern_match_simple(pattern, error->message))
        g_error("'%s' does not match '%s'", error->message, pattern);
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
}

/* Runs a program on the image, and gives back what it printed; FALSE when there is none. */
static gboolean
run_tool(const char *const *words, char **ret_output)
{
    g_autofree char *program = g_find_program_in_path(words[0]);
    g_auto(GStrv) environment = g_environ_setenv(g_get_environ(), "LC_ALL", "C.UTF-8", TRUE);
    g_autofree char *complaint = NULL;
    g_autoptr(GError) error = NULL;
    int status = -1;

    if (!program) {
        g_test_skip("no mtools, or no dosfstools");
        return FALSE;
    }
    g_assert_true(g_spawn_sync(NULL, (char **)words, environment, G_SPAWN_SEARCH_PATH, NULL, NULL,
                               ret_output, &complaint, &status, &error));
    g_assert_no_error(error);
    if (status != 0)
        g_error("%s failed: %s%s", words[0], *ret_output, complaint);
    return TRUE;
}

static void
copy_range(int from, int to, off_t begin, off_t end)
{
    g_autofree char *buffer = g_malloc(COPY_SIZE);

    while (begin < end) {
        ssize_t size = pread(from, buffer, (size_t)MIN(end - begin, COPY_SIZE), begin);

        g_assert_cmpint(size, >, 0);
        g_assert_cmpint(pwrite(to, buffer, (size_t)size, begin - MF_FAT_PARTITION_OFFSET), ==,
                        size);
        begin += size;
    }
}

/* Copies the file system out of the image without reading its holes, which are nearly all of it. */
static void
copy_volume(const Fixture *fixture, const char *volume)
{
    mf_autofd from = open(fixture->image, O_RDONLY | O_CLOEXEC);
    mf_autofd to = open(volume, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    off_t size = lseek(from, 0, SEEK_END), begin = MF_FAT_PARTITION_OFFSET;

    g_assert_cmpint(to, >=, 0);
    g_assert_cmpint(ftruncate(to, size - MF_FAT_PARTITION_OFFSET), ==, 0);
    while ((begin = lseek(from, begin, SEEK_DATA)) >= 0) {
        off_t end = lseek(from, begin, SEEK_HOLE);

        copy_range(from, to, begin, end);
        begin = end;
    }
    g_assert_cmpint(errno, ==, ENXIO);
}

/* fsck.fat takes no partitions: the file system alone. */
static gboolean
check(const Fixture *fixture)
{
    g_autofree char *volume = g_build_filename(fixture->root, "volume", NULL);
    const char *const verify[] = {"fsck.fat", "-n", "-V", volume, NULL};
    g_autofree char *said = NULL;

    copy_volume(fixture, volume);
    return run_tool(verify, &said);
}

/* Takes everything out of the image, and compares it with the source. */
static gboolean
compare(const Fixture *fixture)
{
    g_autofree char *drive =
        g_strdup_printf("%s@@%u", fixture->image, (guint)MF_FAT_PARTITION_OFFSET);
    g_autofree char *out = g_build_filename(fixture->root, "out", NULL);
    const char *const extract[] = {"mcopy", "-s", "-n", "-i", drive, "::/", out, NULL};
    const char *const diff[] = {"diff", "-r", fixture->source, out, NULL};
    g_autofree char *said = NULL, *difference = NULL;

    g_assert_cmpint(g_mkdir_with_parents(out, 0755), ==, 0);
    return run_tool(extract, &said) && run_tool(diff, &difference);
}

static void
assert_faithful(Fixture *fixture)
{
    make(fixture);
    if (check(fixture))
        compare(fixture);
}

static void
test_a_boot_directory_is_copied(Fixture *fixture, gconstpointer data)
{
    add(fixture, "EFI/BOOT/BOOTX64.EFI");
    add(fixture, "loader/entries/a long name, with commas.conf");
    add(fixture, "startup.nsh");
    add_sized(fixture, "vmlinuz-6.1.0-56-amd64", 300000);
    assert_faithful(fixture);
}

static void
test_an_empty_directory_is_a_drive(Fixture *fixture, gconstpointer data)
{
    assert_faithful(fixture);
}

static void
test_sizes_around_a_cluster_are_exact(Fixture *fixture, gconstpointer data)
{
    static const gsize sizes[] = {0, 1, 511, 512, 4095, 4096, 4097, 65536, 65537, 1000003};

    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autofree char *name = g_strdup_printf("S%zu", sizes[i]);

        add_sized(fixture, name, sizes[i]);
    }
    assert_faithful(fixture);
}

static void
test_zeros_in_a_file_stay_zeros(Fixture *fixture, gconstpointer data)
{
    g_autofree char *content = g_malloc0(400000);
    g_autofree char *path = NULL;

    content[0] = content[200000] = content[399999] = 'x';
    path = write_file(fixture, "HOLES", content, 400000);
    assert_faithful(fixture);
}

static void
test_names_of_every_kind_are_kept(Fixture *fixture, gconstpointer data)
{
    static const char *const names[] = {
        "A",
        "lower",
        "Mixed.Case",
        ".hidden",
        "two.dots.txt",
        "EIGHT888.THR",
        "NINE99999.TXT",
        "with space",
        "exactly-13-ch",
        "exactly-14-chr",
        "umlaut-\xc3\xa4\xc3\xb6\xc3\xbc",
        "\xe6\x97\xa5\xe6\x9c\xac",
        "a+b,c;d=e[f]",
    };
    g_autofree char *longest = g_strnfill(255, 'n');

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        add(fixture, names[i]);
    add(fixture, longest);
    assert_faithful(fixture);
}

/* mtools has no such names, so nothing but fsck.fat reads it back. */
static void
test_a_name_beyond_16_bits_is_kept(Fixture *fixture, gconstpointer data)
{
    g_autoptr(MfFatNode) root = NULL;
    g_autoptr(GError) error = NULL;
    const MfFatNode *node;

    add(fixture, "smile-\xf0\x9f\x98\x80");
    root = mf_fat_tree_read(fixture->source, &error);
    g_assert_no_error(error);
    node = root->children->pdata[0];
    g_assert_cmpuint(node->long_length, ==, 8);
    g_assert_cmphex(node->long_name[6], ==, 0xd83d);
    g_assert_cmphex(node->long_name[7], ==, 0xde00);
    make(fixture);
    check(fixture);
}

static void
test_many_names_that_look_alike_are_told_apart(Fixture *fixture, gconstpointer data)
{
    for (guint i = 0; i < 300; i++) {
        g_autofree char *name = g_strdup_printf("many/kernel-image-%u.elf", i);

        add(fixture, name);
    }
    /* Taken already by what needs no long name. */
    add(fixture, "many/KERNEL~1.ELF");
    add(fixture, "many/KERNE~17.ELF");
    assert_faithful(fixture);
}

static void
test_links_are_followed(Fixture *fixture, gconstpointer data)
{
    g_autofree char *target = g_build_filename(fixture->root, "elsewhere", NULL);
    g_autofree char *file = g_build_filename(target, "FILE", NULL);
    g_autofree char *to_file = g_build_filename(fixture->source, "LINK", NULL);
    g_autofree char *to_directory = g_build_filename(fixture->source, "DIR", NULL);

    g_assert_cmpint(g_mkdir_with_parents(target, 0755), ==, 0);
    g_assert_true(g_file_set_contents(file, "elsewhere", -1, NULL));
    g_assert_cmpint(symlink(file, to_file), ==, 0);
    g_assert_cmpint(symlink(target, to_directory), ==, 0);
    assert_faithful(fixture);
}

static void
test_a_link_that_leads_upwards_is_refused(Fixture *fixture, gconstpointer data)
{
    g_autofree char *loop = g_build_filename(fixture->source, "LOOP", NULL);

    g_assert_cmpint(symlink(fixture->source, loop), ==, 0);
    assert_refused(fixture, "'*LOOP*' is deeper than 32 directories: *");
}

static void
test_a_tree_is_taken_to_the_depth_that_is_allowed(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GString) path = g_string_new(NULL);
    g_autofree char *deepest = NULL;

    for (guint i = 1; i < MF_FAT_DEPTH_MAX; i++)
        g_string_append(path, "D/");
    deepest = g_strconcat(path->str, "FILE", NULL);
    add(fixture, deepest);
    assert_faithful(fixture);

    g_autofree char *deeper = g_strconcat(path->str, "E/FILE", NULL);
    add(fixture, deeper);
    g_assert_cmpint(unlink(fixture->image), ==, 0);
    assert_refused(fixture, "'*/E/FILE' is deeper than 32 directories: *");
}

static void
test_names_that_fat_has_not_are_refused(Fixture *fixture, gconstpointer data)
{
    static const struct {
        const char *name, *pattern;
    } cases[] = {
        {"a:b", "'*/a:b' cannot be on a FAT drive under that name: it has a character *"},
        {"what?", "'*what?' cannot be on a FAT drive under that name: it has a character *"},
        {"back\\slash", "*it has a character that no name has there."},
        {"tab\there", "'*tab\\there' cannot *"},
        {"dot.", "*it ends with a dot or a space, which is lost there."},
        {"space ", "*it ends with a dot or a space, which is lost there."},
        {"latin-\xe4", "'*latin-\\344' cannot be on a FAT drive under that name: it is not UTF-8."},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path =
            write_file(fixture, cases[i].name, cases[i].name, strlen(cases[i].name));

        assert_refused(fixture, cases[i].pattern);
        g_assert_cmpint(unlink(path), ==, 0);
    }
}

static void
test_names_that_differ_in_case_only_are_refused(Fixture *fixture, gconstpointer data)
{
    add(fixture, "Makefile");
    add(fixture, "makefile");
    assert_refused(fixture, "*another one beside it differs in case only.");
}

static void
test_what_is_neither_file_nor_directory_is_refused(Fixture *fixture, gconstpointer data)
{
    g_autofree char *path = g_build_filename(fixture->source, "PIPE", NULL);

    g_assert_cmpint(mkfifo(path, 0600), ==, 0);
    assert_refused(fixture, "'*/PIPE' cannot be on a FAT drive: it is neither a file nor *");
}

static void
test_a_file_of_4g_is_refused(Fixture *fixture, gconstpointer data)
{
    g_autofree char *path = write_file(fixture, "LARGE", "x", 1);

    g_assert_cmpint(truncate(path, (off_t)MF_FAT_FILE_MAX + 1), ==, 0);
    assert_refused(fixture, "'*/LARGE' is too large for a FAT drive: *");
}

static void
test_more_than_8g_is_refused(Fixture *fixture, gconstpointer data)
{
    for (guint i = 0; i < 3; i++) {
        g_autofree char *name = g_strdup_printf("L%u", i);
        g_autofree char *path = write_file(fixture, name, "x", 1);

        g_assert_cmpint(truncate(path, (off_t)3 << 30), ==, 0);
    }
    assert_refused(fixture, "The directory '*/so urce' has more in it than * at most 8G.");
}

static void
test_what_is_no_directory_is_refused(Fixture *fixture, gconstpointer data)
{
    g_autofree char *image = NULL, *file = write_file(fixture, "FILE", "x", 1);
    g_autoptr(GError) error = NULL, absent = NULL;

    g_assert_false(mf_fat_image_make(file, fixture->run, "fat.img", &image, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_true(g_str_has_suffix(error->message, "cannot be used: Not a directory"));
    g_assert_false(mf_fat_image_make("/absent", fixture->run, "fat.img", &image, &absent));
    g_assert_true(g_str_has_suffix(absent->message, "cannot be used: No such file or directory"));
}

static void
test_the_same_tree_gives_the_same_image(Fixture *fixture, gconstpointer data)
{
    g_autofree char *kept = g_build_filename(fixture->root, "first", NULL);
    const struct utimbuf then = {1000000000, 1000000000};
    g_autofree char *difference = NULL;

    add(fixture, "EFI/BOOT/BOOTX64.EFI");
    add(fixture, "other");
    g_assert_cmpint(utime(fixture->source, &then), ==, 0);
    make(fixture);
    g_assert_cmpint(rename(fixture->image, kept), ==, 0);
    g_clear_pointer(&fixture->image, g_free);
    make(fixture);

    const char *const compare_images[] = {"cmp", kept, fixture->image, NULL};
    run_tool(compare_images, &difference);
}

static void
test_the_image_is_private_and_takes_the_place_of_nothing(Fixture *fixture, gconstpointer data)
{
    g_autofree char *victim = g_build_filename(fixture->root, "victim", NULL);
    g_autofree char *trap = g_build_filename(fixture->run, "trap", NULL);
    g_autofree char *image = NULL, *content = NULL;
    g_autoptr(GError) error = NULL;
    struct stat status;

    make(fixture);
    g_assert_cmpint(stat(fixture->image, &status), ==, 0);
    g_assert_cmpint(status.st_mode & 0777, ==, 0600);
    g_assert_true(g_file_set_contents(victim, "mine", -1, NULL));
    g_assert_cmpint(symlink(victim, trap), ==, 0);
    g_assert_false(mf_fat_image_make(fixture->source, fixture->run, "trap", &image, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_HOST);
    g_assert_true(g_file_get_contents(victim, &content, NULL, NULL));
    g_assert_cmpstr(content, ==, "mine");
}

#define ADD(function, path)                                                                        \
    g_test_add("/fat-image/" path, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(test_a_boot_directory_is_copied, "a-boot-directory-is-copied");
    ADD(test_an_empty_directory_is_a_drive, "an-empty-directory-is-a-drive");
    ADD(test_sizes_around_a_cluster_are_exact, "sizes-around-a-cluster-are-exact");
    ADD(test_zeros_in_a_file_stay_zeros, "zeros-in-a-file-stay-zeros");
    ADD(test_names_of_every_kind_are_kept, "names-of-every-kind-are-kept");
    ADD(test_a_name_beyond_16_bits_is_kept, "a-name-beyond-16-bits-is-kept");
    ADD(test_many_names_that_look_alike_are_told_apart,
        "many-names-that-look-alike-are-told-apart");
    ADD(test_links_are_followed, "links-are-followed");
    ADD(test_a_link_that_leads_upwards_is_refused, "a-link-that-leads-upwards-is-refused");
    ADD(test_a_tree_is_taken_to_the_depth_that_is_allowed,
        "a-tree-is-taken-to-the-depth-that-is-allowed");
    ADD(test_names_that_fat_has_not_are_refused, "names-that-fat-has-not-are-refused");
    ADD(test_names_that_differ_in_case_only_are_refused,
        "names-that-differ-in-case-only-are-refused");
    ADD(test_what_is_neither_file_nor_directory_is_refused,
        "what-is-neither-file-nor-directory-is-refused");
    ADD(test_a_file_of_4g_is_refused, "a-file-of-4g-is-refused");
    ADD(test_more_than_8g_is_refused, "more-than-8g-is-refused");
    ADD(test_what_is_no_directory_is_refused, "what-is-no-directory-is-refused");
    ADD(test_the_same_tree_gives_the_same_image, "the-same-tree-gives-the-same-image");
    ADD(test_the_image_is_private_and_takes_the_place_of_nothing,
        "the-image-is-private-and-takes-the-place-of-nothing");
    return g_test_run();
}
