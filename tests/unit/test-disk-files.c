/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/disk-files.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cache.h"
#include "base/error.h"
#include "base/tempdir.h"
#include "machine/qcow2.h"

typedef struct {
    char *directory; /* owned */
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer data)
{
    fixture->directory = mf_tempdir_make(NULL);
    g_assert_nonnull(fixture->directory);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
    mf_tempdir_remove(fixture->directory);
    g_free(fixture->directory);
}

static char *
path_of(const Fixture *fixture, const char *name)
{
    return g_build_filename(fixture->directory, name, NULL);
}

static void
write_raw(const Fixture *fixture, const char *name, const char *content)
{
    g_autofree char *path = path_of(fixture, name);

    g_assert_true(g_file_set_contents(path, content, -1, NULL));
}

/* A qcow2 of 4096 bytes above 'backing' (NULL: nothing). */
static void
write_qcow2(const Fixture *fixture, const char *name, const char *backing)
{
    g_autofree char *path = path_of(fixture, name);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

    g_assert_true(mf_qcow2_write_empty(fd, 4096, NULL));
    if (backing) {
        const guint64 offset = GUINT64_TO_BE(512);
        const guint32 size = GUINT32_TO_BE((guint32)strlen(backing));

        g_assert_cmpint(pwrite(fd, &offset, sizeof(offset), 8), ==, sizeof(offset));
        g_assert_cmpint(pwrite(fd, &size, sizeof(size), 16), ==, sizeof(size));
        g_assert_cmpint(pwrite(fd, backing, strlen(backing), 512), ==, (gssize)strlen(backing));
    }
    close(fd);
}

static gboolean
find(const Fixture *fixture, const char *name, const char *format, MfDiskFiles *ret_files,
     GError **error)
{
    g_autofree char *path = path_of(fixture, name);
    g_autoptr(MfDisk) disk = mf_disk_new(path, format, FALSE);

    return mf_disk_files_find(disk, ret_files, error);
}

static char *
identity_of(const Fixture *fixture, const char *name)
{
    g_autofree char *path = path_of(fixture, name);
    struct stat status;

    g_assert_cmpint(stat(path, &status), ==, 0);
    return mf_cache_file_id(&status);
}

/* "NAME..." are the files of the disk, in this order. */
static void
assert_files(const Fixture *fixture, const char *name, const char *format, const char *expected)
{
    g_auto(MfDiskFiles) files = {0};
    g_auto(GStrv) names = g_strsplit(expected, " ", -1);
    g_autoptr(GError) error = NULL;

    g_assert_true(find(fixture, name, format, &files, &error));
    g_assert_no_error(error);

    g_auto(GStrv) identities = g_strsplit(files.identity, " ", -1);
    g_assert_cmpuint(g_strv_length(identities), ==, g_strv_length(names));
    for (guint i = 0; names[i]; i++) {
        g_autofree char *identity = identity_of(fixture, names[i]);

        g_assert_cmpstr(identities[i], ==, identity);
    }
}

static void
assert_unknown(const Fixture *fixture, const char *name, const char *expected)
{
    g_auto(MfDiskFiles) files = {0};
    g_autoptr(GError) error = NULL;

    g_assert_false(find(fixture, name, "qcow2", &files, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_HOST);
    g_test_message("%s", error->message);
    g_assert_nonnull(strstr(error->message, expected));
    g_assert_null(files.identity);
}

static void
test_a_raw_image_is_one_file_whatever_is_in_it(Fixture *fixture, gconstpointer data)
{
    g_auto(MfDiskFiles) files = {0};

    write_raw(fixture, "raw", "content");
    assert_files(fixture, "raw", "raw", "raw");
    g_assert_true(find(fixture, "raw", "raw", &files, NULL));
    g_assert_cmpuint(files.size, ==, strlen("content"));
    write_qcow2(fixture, "qcow2", "absent");
    assert_files(fixture, "qcow2", "raw", "qcow2");
}

static void
test_images_below_a_qcow2_belong_to_it(Fixture *fixture, gconstpointer data)
{
    g_autofree char *absolute = path_of(fixture, "base");
    g_autofree char *below = path_of(fixture, "below");
    g_auto(MfDiskFiles) files = {0};

    g_assert_cmpint(mkdir(below, 0700), ==, 0);
    write_raw(fixture, "base", "content");
    write_qcow2(fixture, "below/middle", absolute);
    write_qcow2(fixture, "top", "below/middle");
    write_qcow2(fixture, "alone", NULL);
    assert_files(fixture, "top", "qcow2", "top below/middle base");
    assert_files(fixture, "alone", "qcow2", "alone");
    /* A relative name is relative to the image that has it. */
    write_qcow2(fixture, "below/middle", "../base");
    assert_files(fixture, "top", "qcow2", "top below/middle base");
    g_assert_true(find(fixture, "top", "qcow2", &files, NULL));
    g_assert_cmpuint(files.size, ==, 4096);
}

static void
test_what_only_qemu_can_find_is_not_known(Fixture *fixture, gconstpointer data)
{
    static const char *const names[] = {"nbd://host/disk", "json:{\"driver\":\"raw\"}",
                                        "fat:directory", ""};

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        write_qcow2(fixture, "top", names[i]);
        assert_unknown(fixture, "top", "a change of that cannot be seen");
    }
    /* A colon behind a slash is part of a path. */
    write_raw(fixture, "a:b", "content");
    write_qcow2(fixture, "top", "./a:b");
    assert_files(fixture, "top", "qcow2", "top a:b");
}

static void
test_what_is_no_regular_file_or_not_there_is_not_known(Fixture *fixture, gconstpointer data)
{
    g_autofree char *pipe = path_of(fixture, "pipe");

    write_qcow2(fixture, "top", "absent");
    assert_unknown(fixture, "top", "absent' cannot be read");
    write_qcow2(fixture, "top", ".");
    assert_unknown(fixture, "top", "no regular file");
    g_assert_cmpint(mkfifo(pipe, 0600), ==, 0);
    assert_unknown(fixture, "pipe", "no regular file");
}

static void
test_a_ring_of_images_ends(Fixture *fixture, gconstpointer data)
{
    write_qcow2(fixture, "one", "two");
    write_qcow2(fixture, "two", "one");
    assert_unknown(fixture, "one", "images below it");
}

#define ADD(name, test) g_test_add("/disk-files/" name, Fixture, NULL, set_up, test, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("a-raw-image-is-one-file-whatever-is-in-it",
        test_a_raw_image_is_one_file_whatever_is_in_it);
    ADD("images-below-a-qcow2-belong-to-it", test_images_below_a_qcow2_belong_to_it);
    ADD("what-only-qemu-can-find-is-not-known", test_what_only_qemu_can_find_is_not_known);
    ADD("what-is-no-regular-file-or-not-there-is-not-known",
        test_what_is_no_regular_file_or_not_there_is_not_known);
    ADD("a-ring-of-images-ends", test_a_ring_of_images_ends);
    return g_test_run();
}
