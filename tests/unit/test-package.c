/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/package.h"

#include <archive.h>
#include <archive_entry.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/tempdir.h"
#include "package-fixture.h"

typedef struct {
    char *directory; /* holds the package and "out" */
    char *package;
    char *out;
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer data)
{
    fixture->directory = mf_tempdir_make(NULL);
    g_assert_nonnull(fixture->directory);
    fixture->package = g_build_filename(fixture->directory, "linux.deb", NULL);
    fixture->out = g_build_filename(fixture->directory, "out", NULL);
    g_assert_cmpint(g_mkdir(fixture->out, 0700), ==, 0);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
    mf_tempdir_remove(fixture->directory);
    g_free(fixture->directory);
    g_free(fixture->package);
    g_free(fixture->out);
}

static gboolean
unpack_with(Fixture *fixture, const MfPackageLimits *limits, GError **error)
{
    g_autoptr(MfPackage) package = mf_package_open(fixture->package, fixture->out, limits, error);
    gboolean done = FALSE;

    while (package && !done)
        if (!mf_package_step(package, &done, error))
            return FALSE;
    return package != NULL;
}

static gboolean
unpack(Fixture *fixture, GError **error)
{
    return unpack_with(fixture, NULL, error);
}

static void
assert_content(Fixture *fixture, const char *name, const char *expected)
{
    g_autofree char *path = g_build_filename(fixture->out, name, NULL);
    g_autofree char *content = NULL;

    g_file_get_contents(path, &content, NULL, NULL);
    g_assert_cmpstr(content, ==, expected);
}

static void
assert_missing(Fixture *fixture, const char *name)
{
    g_autofree char *path = g_build_filename(fixture->out, name, NULL);
    struct stat status;

    g_assert_cmpint(lstat(path, &status), ==, -1);
}

static const FixtureItem kernel_items[] = {
    {"./", AE_IFDIR},
    {"./boot/", AE_IFDIR},
    {"./boot/vmlinuz-6.1.0", 0, "image"},
    {"./boot/config-6.1.0", 0, "CONFIG_9P_FS=m\n"},
    {"./boot/System.map-6.1.0", 0, "symbols"},
    {"./boot/grub/config-6.1.0", 0, "not a kernel's"},
    {"./lib/modules/6.1.0/kernel/fs/9p/9p.ko", 0, "module"},
    {"./lib/modules/6.1.0/build", AE_IFLNK, NULL, "/usr/src/linux-headers-6.1.0"},
    {"./lib/modules/6.1.0/kernel/inside.ko", AE_IFLNK, NULL, "fs/../fs/9p/9p.ko"},
    {"./usr/lib/modules/6.1.0/modules.order", 0, "order"},
    {"./usr/share/doc/linux/copyright", 0, "terms"},
    {"./usr/share/doc/linux/link", AE_IFLNK, NULL, "/etc/passwd"},
    {NULL},
};

static void
check_kernel_files(Fixture *fixture)
{
    assert_content(fixture, "boot/vmlinuz-6.1.0", "image");
    assert_content(fixture, "boot/config-6.1.0", "CONFIG_9P_FS=m\n");
    assert_content(fixture, "lib/modules/6.1.0/kernel/fs/9p/9p.ko", "module");
    assert_content(fixture, "lib/modules/6.1.0/modules.order", "order");
    assert_missing(fixture, "boot/System.map-6.1.0");
    assert_missing(fixture, "boot/grub");
    assert_missing(fixture, "usr");
    assert_missing(fixture, "lib/modules/6.1.0/build");
    assert_missing(fixture, "lib/modules/6.1.0/kernel/inside.ko");
}

static void
test_a_deb_gives_image_config_and_modules_only(Fixture *fixture, gconstpointer data)
{
    static const struct {
        int filter;
        const char *member;
    } kinds[] = {
        {ARCHIVE_FILTER_XZ, "data.tar.xz"},
        {ARCHIVE_FILTER_GZIP, "data.tar.gz"},
        {ARCHIVE_FILTER_ZSTD, "data.tar.zst"},
        {ARCHIVE_FILTER_NONE, "data.tar"},
    };
    const guint kind = GPOINTER_TO_UINT(data);
    g_autoptr(GError) error = NULL;

    fixture_write_deb(fixture->package, kinds[kind].filter, kinds[kind].member, kernel_items);
    g_assert_true(unpack(fixture, &error));
    g_assert_no_error(error);
    check_kernel_files(fixture);
}

static void
test_an_rpm_gives_image_config_and_modules_only(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    fixture_write_rpm(fixture->package, kernel_items);
    g_assert_true(unpack(fixture, &error));
    g_assert_no_error(error);
    check_kernel_files(fixture);
}

static void
test_the_version_comes_from_the_control_file(Fixture *fixture, gconstpointer data)
{
    gboolean done = FALSE;

    fixture_write_deb(fixture->package, ARCHIVE_FILTER_XZ, "data.tar.xz", kernel_items);
    g_autoptr(MfPackage) package = mf_package_open(fixture->package, fixture->out, NULL, NULL);
    while (!done)
        g_assert_true(mf_package_step(package, &done, NULL));
    g_assert_cmpstr(mf_package_get_version(package), ==, FIXTURE_PACKAGE_VERSION);
    g_assert_cmpfloat(mf_package_get_fraction(package), >, 0.9);
    g_assert_cmpfloat(mf_package_get_fraction(package), <=, 1.0);
}

static void
test_files_are_readable_whatever_the_package_says(Fixture *fixture, gconstpointer data)
{
    g_autofree char *path = g_build_filename(fixture->out, "boot/vmlinuz-6.1.0", NULL);
    struct stat status;
    mode_t mask = umask(022);

    fixture_write_deb(fixture->package, ARCHIVE_FILTER_NONE, "data.tar", kernel_items);
    g_assert_true(unpack(fixture, NULL));
    umask(mask);
    g_assert_cmpint(stat(path, &status), ==, 0);
    g_assert_cmpuint(status.st_mode & 07777, ==, 0644);
}

static void
test_a_hard_link_inside_is_kept(Fixture *fixture, gconstpointer data)
{
    static const FixtureItem items[] = {
        {"./lib/modules/6/a.ko", 0, "module"},
        {"./lib/modules/6/b.ko", 0, NULL, NULL, "./lib/modules/6/a.ko"},
        {NULL},
    };

    fixture_write_deb(fixture->package, ARCHIVE_FILTER_NONE, "data.tar", items);
    g_assert_true(unpack(fixture, NULL));
    assert_content(fixture, "lib/modules/6/b.ko", "module");
}

/* Every way out of the directory, and what the message says of it. */
static const struct {
    const char *test;
    FixtureItem item;
    const char *message;
} hostile[] = {
    {"an-absolute-name", {"/boot/vmlinuz-6", 0, "x"}, "*'/boot/vmlinuz-6' would be written*"},
    {"an-absolute-name-of-no-interest", {"/etc/x", 0, "x"}, "*'/etc/x' would be written outside*"},
    {"dots-at-the-start", {"../vmlinuz-6", 0, "x"}, "*'../vmlinuz-6' would be written outside*"},
    {"dots-inside",
     {"lib/modules/6/../../../../x", 0, "x"},
     "*'lib/modules/6/../../../../x' would be written outside*"},
    {"dots-at-the-end", {"lib/modules/..", AE_IFDIR}, "*would be written outside*"},
    {"an-absolute-symlink",
     {"lib/modules/6/kernel", AE_IFLNK, NULL, "/etc"},
     "*is a symbolic link that leads out of it*"},
    {"a-climbing-symlink",
     {"lib/modules/6/kernel", AE_IFLNK, NULL, "../../../.."},
     "*is a symbolic link that leads out of it*"},
    {"a-symlink-that-climbs-and-returns",
     {"lib/modules/6/kernel", AE_IFLNK, NULL, "a/../../../../../b/c/d/e"},
     "*is a symbolic link that leads out of it*"},
    {"a-symlink-as-image",
     {"boot/vmlinuz-6", AE_IFLNK, NULL, "/boot/vmlinuz-6"},
     "*is a symbolic link that leads out of it*"},
    {"a-deep-build-link",
     {"lib/modules/6/kernel/build", AE_IFLNK, NULL, "/etc"},
     "*is a symbolic link that leads out of it*"},
    {"an-absolute-hard-link",
     {"lib/modules/6/x", 0, NULL, NULL, "/etc/passwd"},
     "*is a hard link to a file outside*"},
    {"a-climbing-hard-link",
     {"lib/modules/6/x", 0, NULL, NULL, "lib/modules/../../../../etc/passwd"},
     "*is a hard link to a file outside*"},
    {"a-hard-link-to-nothing",
     {"lib/modules/6/x", 0, NULL, NULL, "lib/modules/6/later"},
     "*is a hard link to a file that did not come before*"},
    {"a-block-device", {"lib/modules/6/sda", AE_IFBLK}, "*is a device node*"},
    {"a-character-device", {"lib/modules/6/mem", AE_IFCHR}, "*is a device node*"},
    {"a-fifo", {"boot/vmlinuz-6", AE_IFIFO}, "*is a device node, a pipe*"},
};

static void
test_hostile_entries_are_refused(Fixture *fixture, gconstpointer data)
{
    const guint which = GPOINTER_TO_UINT(data);
    const FixtureItem items[] = {hostile[which].item, {NULL}};
    g_autoptr(GError) error = NULL;
    g_autoptr(GDir) around = NULL;
    guint count = 0;

    fixture_write_deb(fixture->package, ARCHIVE_FILTER_NONE, "data.tar", items);
    g_assert_false(unpack(fixture, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_true(g_pattern_match_simple(hostile[which].message, error->message));

    /* Nothing appeared beside the package and its output directory. */
    around = g_dir_open(fixture->directory, 0, NULL);
    while (g_dir_read_name(around))
        count++;
    g_assert_cmpuint(count, ==, 2);
}

static void
test_a_name_that_comes_twice_is_refused(Fixture *fixture, gconstpointer data)
{
    static const FixtureItem items[] = {
        {"boot/vmlinuz-6", 0, "first"}, {"./boot//vmlinuz-6", 0, "second"}, {NULL}};
    g_autoptr(GError) error = NULL;

    fixture_write_deb(fixture->package, ARCHIVE_FILTER_NONE, "data.tar", items);
    g_assert_false(unpack(fixture, &error));
    g_assert_true(g_pattern_match_simple("*comes twice*", error->message));
    assert_content(fixture, "boot/vmlinuz-6", "first");
}

static void
test_bytes_are_limited_wanted_or_not(Fixture *fixture, gconstpointer data)
{
    static const FixtureItem items[] = {
        {"boot/vmlinuz-6", 0, "12345"}, {"usr/share/doc/big", 0, "1234567890"}, {NULL}};
    /* The control file counts too. */
    const guint64 control = strlen(FIXTURE_CONTROL);
    const MfPackageLimits at = {.bytes = control + 15, .entries = 100};
    const MfPackageLimits past = {.bytes = control + 14, .entries = 100};
    g_autoptr(GError) error = NULL;

    fixture_write_deb(fixture->package, ARCHIVE_FILTER_NONE, "data.tar", items);
    g_assert_false(unpack_with(fixture, &past, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_true(g_pattern_match_simple("*unpacks to more than*", error->message));

    mf_tempdir_remove(fixture->out);
    g_assert_cmpint(g_mkdir(fixture->out, 0700), ==, 0);
    g_assert_true(unpack_with(fixture, &at, NULL));
}

static void
test_entries_are_limited(Fixture *fixture, gconstpointer data)
{
    static const FixtureItem items[] = {{"boot/vmlinuz-6", 0, "x"}, {"usr/a", 0, "x"}, {NULL}};
    /* Two of control.tar, two of data.tar. */
    const MfPackageLimits at = {.bytes = 1000, .entries = 4};
    const MfPackageLimits past = {.bytes = 1000, .entries = 3};
    g_autoptr(GError) error = NULL;

    fixture_write_deb(fixture->package, ARCHIVE_FILTER_NONE, "data.tar", items);
    g_assert_false(unpack_with(fixture, &past, &error));
    g_assert_true(g_pattern_match_simple("*more than 3 entries*", error->message));

    mf_tempdir_remove(fixture->out);
    g_assert_cmpint(g_mkdir(fixture->out, 0700), ==, 0);
    g_assert_true(unpack_with(fixture, &at, NULL));
}

static void
test_a_truncated_package_is_damaged_at_every_cut(Fixture *fixture, gconstpointer data)
{
    g_autofree char *whole = NULL;
    gsize size;

    fixture_write_deb(fixture->package, ARCHIVE_FILTER_XZ, "data.tar.xz", kernel_items);
    g_assert_true(g_file_get_contents(fixture->package, &whole, &size, NULL));
    /* The last bytes may be padding of the ar archive. */
    for (gsize cut = 8; cut < size - 8; cut += 16) {
        g_autoptr(GError) error = NULL;

        mf_tempdir_remove(fixture->out);
        g_assert_cmpint(g_mkdir(fixture->out, 0700), ==, 0);
        g_assert_true(g_file_set_contents(fixture->package, whole, (gssize)cut, NULL));
        g_assert_false(unpack(fixture, &error));
        g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    }
}

static void
test_other_files_are_no_packages(Fixture *fixture, gconstpointer data)
{
    static const char *const contents[] = {"", "!<arch", "MZ and more bytes", "\xed\xab\xee"};

    for (gsize i = 0; i < G_N_ELEMENTS(contents); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_true(g_file_set_contents(fixture->package, contents[i], -1, NULL));
        g_assert_false(mf_package_recognise(fixture->package));
        g_assert_null(mf_package_open(fixture->package, fixture->out, NULL, &error));
        g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    }
    g_assert_false(mf_package_recognise(fixture->directory));
    g_assert_false(mf_package_recognise("/nonexistent"));
}

static void
test_an_ar_archive_without_data_is_no_package(Fixture *fixture, gconstpointer data)
{
    static const FixtureItem items[] = {{NULL}};
    g_autoptr(GError) error = NULL;

    fixture_write_deb(fixture->package, ARCHIVE_FILTER_NONE, "payload", items);
    g_assert_false(unpack(fixture, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_true(g_pattern_match_simple("*has no data.tar*", error->message));
}

static void
add(const char *path, guint parameter, void (*test)(Fixture *, gconstpointer))
{
    g_test_add(path, Fixture, GUINT_TO_POINTER(parameter), set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
    static const char *const compressions[] = {"xz", "gzip", "zstd", "none"};

    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(compressions); i++) {
        g_autofree char *path = g_strconcat("/package/a-deb-gives-image-config-and-modules-only/",
                                            compressions[i], NULL);

        add(path, i, test_a_deb_gives_image_config_and_modules_only);
    }
    add("/package/an-rpm-gives-image-config-and-modules-only", 0,
        test_an_rpm_gives_image_config_and_modules_only);
    add("/package/the-version-comes-from-the-control-file", 0,
        test_the_version_comes_from_the_control_file);
    add("/package/files-are-readable-whatever-the-package-says", 0,
        test_files_are_readable_whatever_the_package_says);
    add("/package/a-hard-link-inside-is-kept", 0, test_a_hard_link_inside_is_kept);
    for (guint i = 0; i < G_N_ELEMENTS(hostile); i++) {
        g_autofree char *path =
            g_strconcat("/package/hostile-entries-are-refused/", hostile[i].test, NULL);

        add(path, i, test_hostile_entries_are_refused);
    }
    add("/package/a-name-that-comes-twice-is-refused", 0, test_a_name_that_comes_twice_is_refused);
    add("/package/bytes-are-limited-wanted-or-not", 0, test_bytes_are_limited_wanted_or_not);
    add("/package/entries-are-limited", 0, test_entries_are_limited);
    add("/package/a-truncated-package-is-damaged-at-every-cut", 0,
        test_a_truncated_package_is_damaged_at_every_cut);
    add("/package/other-files-are-no-packages", 0, test_other_files_are_no_packages);
    add("/package/an-ar-archive-without-data-is-no-package", 0,
        test_an_ar_archive_without_data_is_no_package);
    return g_test_run();
}
