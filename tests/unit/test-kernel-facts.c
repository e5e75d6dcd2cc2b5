/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/kernel-facts.h"

#include <string.h>

#include "image-fixture.h"

/* The only file in a section of the cache; NULL when it is empty. Fails when there are more. */
static char *
single_entry(const char *directory, const char *section)
{
    g_autofree char *path = g_build_filename(directory, "cache", section, NULL);
    g_autoptr(GDir) entries = g_dir_open(path, 0, NULL);
    const char *name = entries ? g_dir_read_name(entries) : NULL;

    if (!name)
        return NULL;
    char *entry = g_build_filename(path, name, NULL);
    g_assert_null(g_dir_read_name(entries));
    return entry;
}

static char *
write_bzimage(const char *directory)
{
    const FixtureKernel spec = {.pvh = TRUE};
    g_autoptr(GBytes) vmlinux = fixture_vmlinux(&spec);
    g_autoptr(GBytes) image = fixture_bzimage(vmlinux, "zstd");

    return fixture_write(directory, "bzImage", image);
}

static void
assert_release(const char *path, const char *release)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MfKernel) kernel = mf_kernel_open(path, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(mf_kernel_get_release(kernel), ==, release);
}

/* Replaces the first 'from' in the facts file by 'to'. */
static void
tamper(const char *path, const char *from, const char *to)
{
    g_autofree char *text = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_nonnull(strstr(text, from));
    g_autoptr(GString) changed = g_string_new(text);
    g_string_replace(changed, from, to, 1);
    g_assert_true(g_file_set_contents(path, changed->str, -1, NULL));
}

static void
test_what_is_saved_is_loaded(void)
{
    char *directory = fixture_begin();
    g_autofree char *path = g_build_filename(directory, "facts.json", NULL);
    MfKernelFacts facts = {.format = MF_KERNEL_RISCV_IMAGE,
                           .arch = MF_ARCH_RISCV64,
                           .release = (char *)"6.1",
                           .compression = "gzip",
                           .payload_offset = 1,
                           .payload_length = 2,
                           .announced_size = 3,
                           .scanned = TRUE,
                           .pvh = TRUE,
                           .has_config = TRUE,
                           .unpacked_size = G_GUINT64_CONSTANT(5000000000)};
    g_auto(MfKernelFacts) loaded = {0};

    g_assert_true(mf_kernel_facts_save(&facts, path, NULL));
    g_assert_true(mf_kernel_facts_load(path, &loaded));
    g_assert_cmpint(loaded.format, ==, facts.format);
    g_assert_cmpint(loaded.arch, ==, facts.arch);
    g_assert_cmpstr(loaded.release, ==, "6.1");
    g_assert_cmpstr(loaded.compression, ==, "gzip");
    g_assert_cmpuint(loaded.payload_offset, ==, 1);
    g_assert_cmpuint(loaded.payload_length, ==, 2);
    g_assert_cmpuint(loaded.announced_size, ==, 3);
    g_assert_cmpuint(loaded.unpacked_size, ==, facts.unpacked_size);
    g_assert_true(loaded.scanned && loaded.pvh && loaded.has_config);
    fixture_end(directory);
}

static void
test_a_known_kernel_is_not_read_again(void)
{
    char *directory = fixture_begin();
    g_autofree char *path = write_bzimage(directory);

    assert_release(path, FIXTURE_RELEASE);
    g_autofree char *facts = single_entry(directory, "facts");
    tamper(facts, FIXTURE_RELEASE, "7.7.7-remembered");
    assert_release(path, "7.7.7-remembered");
    fixture_end(directory);
}

static void
test_damaged_or_old_facts_are_ignored_and_rewritten(void)
{
    static const struct {
        const char *from;
        const char *to;
    } damages[] = {{"\"version\":1", "\"version\":0"},
                   {"\"version\":1", "\"version\":\"1\""},
                   {"\"bzimage\"", "\"floppy\""},
                   {"\"x86_64\"", "\"vax\""},
                   {"\"scanned\":false", "\"scanned\":0"},
                   {"\"payload-offset\":", "\"payload-offset\":-"},
                   {"\"pvh\":false,", ""},
                   {"{", "["},
                   {"}", ""}};
    char *directory = fixture_begin();
    g_autofree char *path = write_bzimage(directory);

    assert_release(path, FIXTURE_RELEASE);
    g_autofree char *facts = single_entry(directory, "facts");
    for (gsize i = 0; i < G_N_ELEMENTS(damages); i++) {
        tamper(facts, FIXTURE_RELEASE, "7.7.7-remembered");
        tamper(facts, damages[i].from, damages[i].to);
        assert_release(path, FIXTURE_RELEASE);
    }
    g_assert_true(g_file_set_contents(facts, "", 0, NULL));
    assert_release(path, FIXTURE_RELEASE);
    g_assert_true(g_file_set_contents(facts, "\0{}", 3, NULL));
    assert_release(path, FIXTURE_RELEASE);
    fixture_end(directory);
}

static void
test_a_kernel_that_was_built_again_is_read_again(void)
{
    char *directory = fixture_begin();
    g_autofree char *path = write_bzimage(directory);

    assert_release(path, FIXTURE_RELEASE);
    g_autofree char *facts = single_entry(directory, "facts");
    tamper(facts, FIXTURE_RELEASE, "7.7.7-remembered");
    g_autofree char *again = write_bzimage(directory);
    assert_release(again, FIXTURE_RELEASE);
    /* What was known about the earlier build is gone. */
    g_autofree char *new_facts = single_entry(directory, "facts");
    g_assert_cmpstr(new_facts, !=, facts);
    fixture_end(directory);
}

static void
test_a_kernel_opens_without_a_cache(void)
{
    char *directory = fixture_begin();
    g_autofree char *path = write_bzimage(directory);

    g_setenv("MAYFLY_CACHE_DIR", "/dev/null/none", TRUE);
    assert_release(path, FIXTURE_RELEASE);
    fixture_end(directory);
}

static void
test_a_release_is_one_word_that_can_name_a_directory(void)
{
    static const struct {
        const char *text;
        const char *expected;
    } cases[] = {{"6.1.0-56-amd64 (x)", "6.1.0-56-amd64"},
                 {"6.1\n", "6.1"},
                 {"6.1", NULL}, /* no end: the rest may be beyond what was read */
                 {"%s (", NULL},
                 {"../x ", NULL},
                 {"6/../x ", NULL},
                 {" 6.1 ", NULL},
                 {"", NULL}};

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *release =
            mf_kernel_release_read((const guint8 *)cases[i].text, strlen(cases[i].text));

        g_assert_cmpstr(release, ==, cases[i].expected);
    }

    g_autofree char *longest = g_strnfill(MF_KERNEL_RELEASE_MAX + 2, '6');
    longest[MF_KERNEL_RELEASE_MAX] = ' ';
    g_autofree char *release =
        mf_kernel_release_read((const guint8 *)longest, MF_KERNEL_RELEASE_MAX + 2);
    g_assert_cmpuint(strlen(release), ==, MF_KERNEL_RELEASE_MAX);
    longest[MF_KERNEL_RELEASE_MAX] = '6';
    longest[MF_KERNEL_RELEASE_MAX + 1] = ' ';
    g_assert_null(mf_kernel_release_read((const guint8 *)longest, MF_KERNEL_RELEASE_MAX + 2));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kernel-facts/what-is-saved-is-loaded", test_what_is_saved_is_loaded);
    g_test_add_func("/kernel-facts/a-known-kernel-is-not-read-again",
                    test_a_known_kernel_is_not_read_again);
    g_test_add_func("/kernel-facts/damaged-or-old-facts-are-ignored-and-rewritten",
                    test_damaged_or_old_facts_are_ignored_and_rewritten);
    g_test_add_func("/kernel-facts/a-kernel-that-was-built-again-is-read-again",
                    test_a_kernel_that_was_built_again_is_read_again);
    g_test_add_func("/kernel-facts/a-kernel-opens-without-a-cache",
                    test_a_kernel_opens_without_a_cache);
    g_test_add_func("/kernel-facts/a-release-is-one-word-that-can-name-a-directory",
                    test_a_release_is_one_word_that_can_name_a_directory);
    return g_test_run();
}
