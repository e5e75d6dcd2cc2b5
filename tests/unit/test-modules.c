/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/modules.h"

#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "image-fixture.h"

static void
write_module(const char *directory, const char *name, const char *depends, const char *softdep)
{
    g_autofree char *depends_line = g_strconcat("depends=", depends, NULL);
    g_autofree char *softdep_line = softdep ? g_strconcat("softdep=", softdep, NULL) : NULL;
    g_autoptr(GBytes) module = fixture_module("license=GPL", depends_line, softdep_line, NULL);
    g_autofree char *path = fixture_write(directory, name, module);
}

static void
write_text(const char *directory, const char *name, const char *text)
{
    g_autofree char *path = fixture_write_text(directory, name, text);
}

static MfModuleIndex *
load_index(const char *directory)
{
    g_autoptr(GError) error = NULL;
    MfModuleIndex *index = mf_module_index_load(directory, &error);

    g_assert_no_error(error);
    return index;
}

static void
assert_found(const char *directory, const char *name, const char *expected)
{
    g_autoptr(MfModuleIndex) index = load_index(directory);
    g_autofree char *path = mf_module_index_find(index, name);
    g_autofree char *full = expected ? g_build_filename(directory, expected, NULL) : NULL;

    g_assert_cmpstr(path, ==, full);
}

/* The base names of what is loaded for 'names', as one text. */
static char *
resolve(const char *directory, const char *const *names, GError **error)
{
    g_autoptr(MfModuleIndex) index = load_index(directory);
    g_autoptr(GPtrArray) files = mf_modules_resolve(index, names, error);
    GString *text = g_string_new(NULL);

    for (guint i = 0; files && i < files->len; i++) {
        g_autofree char *base = g_path_get_basename(g_ptr_array_index(files, i));

        base[strcspn(base, ".")] = '\0';
        g_string_append_printf(text, "%s%s", i ? " " : "", base);
    }
    return g_string_free(text, FALSE);
}

static void
assert_resolved(const char *directory, const char *const *names, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = resolve(directory, names, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(text, ==, expected);
}

static void
test_a_name_is_found_in_either_spelling(void)
{
    char *directory = fixture_begin();

    write_module(directory, "kernel/a/net-virtio.ko", "", NULL);
    write_text(directory, "modules.dep", "kernel/a/net-virtio.ko: kernel/b/other.ko\n");
    assert_found(directory, "net-virtio", "kernel/a/net-virtio.ko");
    assert_found(directory, "net_virtio", "kernel/a/net-virtio.ko");
    assert_found(directory, "other", NULL);
    fixture_end(directory);
}

static void
test_the_list_of_the_package_serves_where_depmod_has_not_run(void)
{
    char *directory = fixture_begin();

    write_module(directory, "kernel/a/x.ko", "", NULL);
    g_assert_false(mf_module_index_exists(directory));
    write_text(directory, "modules.order", "kernel/a/x.ko\n");
    g_assert_true(mf_module_index_exists(directory));
    assert_found(directory, "x", "kernel/a/x.ko");
    write_module(directory, "updates/x.ko", "", NULL);
    write_text(directory, "modules.dep", "updates/x.ko:\n");
    assert_found(directory, "x", "updates/x.ko");
    fixture_end(directory);
}

static void
test_a_file_may_have_been_compressed_after_it_was_listed(void)
{
    static const char *const suffixes[] = {".ko.xz", ".ko.zst", ".ko.gz"};
    char *directory = fixture_begin();

    write_text(directory, "modules.order", "kernel/a.b/x.ko\n");
    assert_found(directory, "x", NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        g_autofree char *name = g_strconcat("kernel/a.b/x", suffixes[i], NULL);
        g_autofree char *path = fixture_write_text(directory, name, "");

        assert_found(directory, "x", name);
        g_assert_cmpint(unlink(path), ==, 0);
    }
    fixture_end(directory);
}

static void
test_the_lists_of_build_trees_are_understood(void)
{
    char *directory = fixture_begin();

    write_module(directory, "fs/9p/9p.ko", "", NULL);
    write_module(directory, "net/9p/9pnet.ko", "", NULL);
    write_module(directory, "kernel/torture.ko", "", NULL);
    write_text(directory, "modules.order",
               "fs/9p/9p.o\nkernel/net/9p/9pnet.ko\nkernel/torture.o\n");
    assert_found(directory, "9p", "fs/9p/9p.ko");
    assert_found(directory, "9pnet", "net/9p/9pnet.ko");
    assert_found(directory, "torture", "kernel/torture.ko");
    fixture_end(directory);
}

static void
test_what_is_built_in_is_only_known_from_its_list(void)
{
    char *directory = fixture_begin();

    write_text(directory, "modules.order", "kernel/x.ko\n");
    g_autoptr(MfModuleIndex) without = load_index(directory);
    g_assert_false(mf_module_index_knows_builtins(without));
    g_assert_false(mf_module_index_is_builtin(without, "virtio_pci"));

    write_text(directory, "modules.builtin", "kernel/drivers/virtio/virtio-pci.ko\n");
    g_autoptr(MfModuleIndex) with = load_index(directory);
    g_assert_true(mf_module_index_knows_builtins(with));
    g_assert_true(mf_module_index_is_builtin(with, "virtio_pci"));
    g_assert_true(mf_module_index_is_builtin(with, "virtio-pci"));
    g_assert_false(mf_module_index_is_builtin(with, "x"));
    fixture_end(directory);
}

static void
test_dependencies_come_first_and_once(void)
{
    static const char *const names[] = {"pci", "p9", "p9_virtio", NULL};
    char *directory = fixture_begin();

    write_module(directory, "kernel/ring.ko", "", NULL);
    write_module(directory, "kernel/virtio.ko", "ring", NULL);
    write_module(directory, "kernel/pci.ko", "ring,virtio", NULL);
    write_module(directory, "kernel/p9net.ko", "", NULL);
    write_module(directory, "kernel/p9.ko", "p9net", NULL);
    write_module(directory, "kernel/p9_virtio.ko", "virtio,p9net,ring", NULL);
    write_text(directory, "modules.order",
               "kernel/p9_virtio.ko\nkernel/p9.ko\nkernel/p9net.ko\nkernel/pci.ko\n"
               "kernel/virtio.ko\nkernel/ring.ko\n");
    assert_resolved(directory, names, "ring virtio pci p9net p9 p9_virtio");
    fixture_end(directory);
}

static void
test_built_in_modules_are_left_out(void)
{
    static const char *const names[] = {"pci", "console", NULL};
    char *directory = fixture_begin();

    write_module(directory, "kernel/console.ko", "virtio", NULL);
    write_text(directory, "modules.order", "kernel/console.ko\n");
    write_text(directory, "modules.builtin", "kernel/virtio.ko\nkernel/pci.ko\n");
    assert_resolved(directory, names, "console");
    fixture_end(directory);
}

static void
test_soft_dependencies_are_taken_along_where_they_are(void)
{
    static const char *const names[] = {"fs", NULL};
    char *directory = fixture_begin();

    write_module(directory, "kernel/fs.ko", "lib", "pre: crc absent post: late");
    write_module(directory, "kernel/lib.ko", "", NULL);
    write_module(directory, "kernel/crc.ko", "", NULL);
    write_module(directory, "kernel/late.ko", "", "pre: fs");
    write_text(directory, "modules.order",
               "kernel/fs.ko\nkernel/lib.ko\nkernel/crc.ko\nkernel/late.ko\n");
    assert_resolved(directory, names, "crc lib fs late");
    fixture_end(directory);
}

static void
test_a_circle_of_dependencies_ends(void)
{
    static const char *const names[] = {"a", NULL};
    char *directory = fixture_begin();

    write_module(directory, "kernel/a.ko", "b", NULL);
    write_module(directory, "kernel/b.ko", "a", NULL);
    write_text(directory, "modules.order", "kernel/a.ko\nkernel/b.ko\n");
    assert_resolved(directory, names, "b a");
    fixture_end(directory);
}

static void
test_a_missing_module_is_named_with_its_directory(void)
{
    static const char *const names[] = {"fs", NULL};
    g_autoptr(GError) error = NULL;
    char *directory = fixture_begin();

    write_module(directory, "kernel/fs.ko", "lost", NULL);
    write_text(directory, "modules.order", "kernel/fs.ko\nkernel/lost.ko\n");
    g_autofree char *none = resolve(directory, names, &error);
    g_autofree char *expected =
        g_strdup_printf("The kernel module 'lost' is neither built in nor in '%s'.", directory);

    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_cmpstr(error->message, ==, expected);
    fixture_end(directory);
}

static void
test_a_damaged_module_is_named(void)
{
    static const char *const contents[] = {"", "not an ELF file",
                                           "\x7f"
                                           "ELF\x02\x01\x01 cut"};
    static const char *const names[] = {"fs", NULL};
    char *directory = fixture_begin();

    write_text(directory, "modules.order", "kernel/fs.ko\n");
    for (gsize i = 0; i < G_N_ELEMENTS(contents); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *path = fixture_write_text(directory, "kernel/fs.ko", contents[i]);
        g_autofree char *none = resolve(directory, names, &error);

        g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
        g_assert_nonnull(strstr(error->message, path));
    }
    fixture_end(directory);
}

static void
test_compressed_modules_are_read(void)
{
    static const struct {
        const char *suffix;
        const char *compression;
    } cases[] = {{".ko.xz", "xz"}, {".ko.zst", "zstd"}, {".ko.gz", "gzip"}};
    static const char *const names[] = {"fs", NULL};

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        char *directory = fixture_begin();
        g_autofree char *name = g_strconcat("kernel/fs", cases[i].suffix, NULL);
        g_autoptr(GBytes) plain = fixture_module("depends=lib", NULL);
        g_autoptr(GBytes) packed = fixture_compress(plain, cases[i].compression);
        g_autofree char *path = fixture_write(directory, name, packed);
        g_autofree char *list = g_strconcat(name, ":\nkernel/lib.ko:\n", NULL);

        write_module(directory, "kernel/lib.ko", "", NULL);
        write_text(directory, "modules.dep", list);
        assert_resolved(directory, names, "lib fs");
        g_autoptr(GBytes) content = mf_modules_read(path, &error);
        g_assert_no_error(error);
        g_assert_true(g_bytes_equal(content, plain));
        fixture_end(directory);
    }
}

static void
test_a_damaged_compressed_module_is_named(void)
{
    g_autoptr(GError) error = NULL;
    char *directory = fixture_begin();
    g_autoptr(GBytes) plain = fixture_module("depends=", NULL);
    g_autoptr(GBytes) packed = fixture_compress(plain, "xz");
    g_autoptr(GBytes) half = fixture_truncate(packed, g_bytes_get_size(packed) / 2);
    g_autofree char *path = fixture_write(directory, "fs.ko.xz", half);

    g_assert_null(mf_modules_read(path, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_nonnull(strstr(error->message, path));
    fixture_end(directory);
}

/* The order that was seen to work on this kernel, as pairs: the first before the second. */
static void
test_the_modules_of_debian_come_in_an_order_that_loads(void)
{
    static const char *const wanted[] = {"virtio_pci", "virtio_console", "9p", "9pnet_virtio",
                                         NULL};
    static const char *const pairs[][2] = {{"virtio_ring", "virtio"},
                                           {"virtio", "virtio_pci"},
                                           {"virtio_pci_modern_dev", "virtio_pci"},
                                           {"virtio_pci_legacy_dev", "virtio_pci"},
                                           {"virtio", "virtio_console"},
                                           {"netfs", "fscache"},
                                           {"fscache", "9p"},
                                           {"9pnet", "9p"},
                                           {"9pnet", "9pnet_virtio"},
                                           {"virtio", "9pnet_virtio"}};
    const char *top = g_getenv("MAYFLY_TEST_KERNELS");
    g_autoptr(GError) error = NULL;

    if (!top) {
        g_test_skip("MAYFLY_TEST_KERNELS does not name the directory of tools/test-kernels.sh");
        return;
    }

    g_autofree char *modules = g_build_filename(top, "generic/lib/modules", NULL);
    g_autoptr(GDir) releases = g_dir_open(modules, 0, &error);
    g_assert_no_error(error);
    g_autofree char *directory = g_build_filename(modules, g_dir_read_name(releases), NULL);
    g_autofree char *text = resolve(directory, wanted, &error);
    g_assert_no_error(error);
    g_test_message("%s", text);

    g_auto(GStrv) order = g_strsplit(text, " ", -1);
    g_assert_cmpuint(g_strv_length(order), ==, 11);
    for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++) {
        gsize first = 0, second = 0;

        while (order[first] && !g_str_equal(order[first], pairs[i][0]))
            first++;
        while (order[second] && !g_str_equal(order[second], pairs[i][1]))
            second++;
        g_assert_nonnull(order[second]);
        g_assert_cmpuint(first, <, second);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/modules/a-name-is-found-in-either-spelling",
                    test_a_name_is_found_in_either_spelling);
    g_test_add_func("/modules/the-list-of-the-package-serves-where-depmod-has-not-run",
                    test_the_list_of_the_package_serves_where_depmod_has_not_run);
    g_test_add_func("/modules/a-file-may-have-been-compressed-after-it-was-listed",
                    test_a_file_may_have_been_compressed_after_it_was_listed);
    g_test_add_func("/modules/the-lists-of-build-trees-are-understood",
                    test_the_lists_of_build_trees_are_understood);
    g_test_add_func("/modules/what-is-built-in-is-only-known-from-its-list",
                    test_what_is_built_in_is_only_known_from_its_list);
    g_test_add_func("/modules/dependencies-come-first-and-once",
                    test_dependencies_come_first_and_once);
    g_test_add_func("/modules/built-in-modules-are-left-out", test_built_in_modules_are_left_out);
    g_test_add_func("/modules/soft-dependencies-are-taken-along-where-they-are",
                    test_soft_dependencies_are_taken_along_where_they_are);
    g_test_add_func("/modules/a-circle-of-dependencies-ends", test_a_circle_of_dependencies_ends);
    g_test_add_func("/modules/a-missing-module-is-named-with-its-directory",
                    test_a_missing_module_is_named_with_its_directory);
    g_test_add_func("/modules/a-damaged-module-is-named", test_a_damaged_module_is_named);
    g_test_add_func("/modules/compressed-modules-are-read", test_compressed_modules_are_read);
    g_test_add_func("/modules/a-damaged-compressed-module-is-named",
                    test_a_damaged_compressed_module_is_named);
    g_test_add_func("/modules/the-modules-of-debian-come-in-an-order-that-loads",
                    test_the_modules_of_debian_come_in_an_order_that_loads);
    return g_test_run();
}
