/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/qcow2.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/parse.h"

typedef struct {
    char *path; /* owned */
    int fd;     /* owned */
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer data)
{
    fixture->fd = g_file_open_tmp("mayfly-test-XXXXXX", &fixture->path, NULL);
    g_assert_cmpint(fixture->fd, >=, 0);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
    close(fixture->fd);
    g_unlink(fixture->path);
    g_free(fixture->path);
}

static void
patch(const Fixture *fixture, guint64 offset, const void *bytes, gsize size)
{
    g_assert_cmpint(pwrite(fixture->fd, bytes, size, (off_t)offset), ==, (gssize)size);
}

/* Names a backing image, as qemu-img does behind the head. */
static void
set_backing(const Fixture *fixture, guint64 offset, const char *name, guint32 size)
{
    guint64 big_offset = GUINT64_TO_BE(offset);
    guint32 big_size = GUINT32_TO_BE(size);

    patch(fixture, 8, &big_offset, sizeof(big_offset));
    patch(fixture, 16, &big_size, sizeof(big_size));
    if (*name)
        patch(fixture, offset, name, strlen(name));
}

static void
assert_head(const Fixture *fixture, guint64 size, const char *backing, gboolean external)
{
    g_auto(MfQcow2Head) head = {0};
    gboolean is_qcow2 = FALSE;

    g_assert_true(mf_qcow2_read_head(fixture->fd, &is_qcow2, &head));
    g_assert_true(is_qcow2);
    g_assert_cmpuint(head.size, ==, size);
    g_assert_cmpstr(head.backing, ==, backing);
    g_assert_cmpint(head.external, ==, external);
}

/* QEMU's own tool finds nothing wrong with it, where there is one. */
static void
check_by_qemu(const Fixture *fixture)
{
    const char *const argv[] = {"qemu-img", "check", "-q", "-f", "qcow2", fixture->path, NULL};
    g_autofree char *program = g_find_program_in_path("qemu-img");
    g_autoptr(GError) error = NULL;
    int status;

    if (!program) {
        g_test_message("no qemu-img here");
        return;
    }
    g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, &status,
                 &error);
    g_assert_no_error(error);
    g_assert_true(g_spawn_check_wait_status(status, &error));
}

static void
test_an_empty_image_is_one_for_qemu_and_reads_back(Fixture *fixture, gconstpointer data)
{
    static const struct {
        guint64 asked, made;
    } cases[] = {
        {1, 512},
        {512, 512},
        {100 * MF_MIB + 1, 100 * MF_MIB + 512},
        {512 * MF_MIB, 512 * MF_MIB},
        {512 * MF_MIB + 512, 512 * MF_MIB + 512},
        {G_GUINT64_CONSTANT(5) << 40, G_GUINT64_CONSTANT(5) << 40},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;

        g_test_message("%" G_GUINT64_FORMAT " bytes", cases[i].asked);
        g_assert_cmpint(ftruncate(fixture->fd, 0), ==, 0);
        g_assert_true(mf_qcow2_write_empty(fixture->fd, cases[i].asked, &error));
        g_assert_no_error(error);
        assert_head(fixture, cases[i].made, NULL, FALSE);
        check_by_qemu(fixture);
    }
}

static void
test_sizes_that_no_image_has_are_refused(Fixture *fixture, gconstpointer data)
{
    static const guint64 sizes[] = {0, (G_GUINT64_CONSTANT(1) << 51) + 1, G_MAXUINT64};

    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(mf_qcow2_write_empty(fixture->fd, sizes[i], &error));
        g_assert_error(error, MF_ERROR, MF_ERROR_HOST);
    }
    g_assert_true(mf_qcow2_write_empty(fixture->fd, G_GUINT64_CONSTANT(1) << 51, NULL));
}

static void
test_what_is_not_qcow2_is_known(Fixture *fixture, gconstpointer data)
{
    static const char *const contents[] = {"", "QFI", "QFI\xfb", "a disk of another kind"};

    for (gsize i = 0; i < G_N_ELEMENTS(contents); i++) {
        g_auto(MfQcow2Head) head = {0};
        gboolean is_qcow2 = TRUE;

        g_assert_cmpint(ftruncate(fixture->fd, 0), ==, 0);
        patch(fixture, 0, contents[i], strlen(contents[i]));
        g_assert_true(mf_qcow2_read_head(fixture->fd, &is_qcow2, &head));
        g_assert_false(is_qcow2);
    }
    g_auto(MfQcow2Head) untouched = {0};
    gboolean is_qcow2;
    g_assert_false(mf_qcow2_read_head(-1, &is_qcow2, &untouched));
}

static void
test_the_backing_image_is_named(Fixture *fixture, gconstpointer data)
{
    g_autofree char *longest = g_strnfill(1023, 'x');

    g_assert_true(mf_qcow2_write_empty(fixture->fd, 512, NULL));
    set_backing(fixture, 512, "base.img", 8);
    assert_head(fixture, 512, "base.img", FALSE);
    set_backing(fixture, 512, longest, 1023);
    assert_head(fixture, 512, longest, FALSE);
    /* What cannot be is no "none". */
    set_backing(fixture, 512, "", 1024);
    assert_head(fixture, 512, "", FALSE);
    set_backing(fixture, G_MAXINT64, "", 8);
    assert_head(fixture, 512, "", FALSE);
    set_backing(fixture, G_GUINT64_CONSTANT(1) << 40, "", 8);
    assert_head(fixture, 512, "", FALSE);
}

static void
test_an_external_data_file_is_known_of_version_3(Fixture *fixture, gconstpointer data)
{
    static const guint8 external[8] = {[7] = 1 << 2}, version_2[4] = {0, 0, 0, 2};

    g_assert_true(mf_qcow2_write_empty(fixture->fd, 512, NULL));
    patch(fixture, 72, external, sizeof(external));
    assert_head(fixture, 512, NULL, TRUE);
    patch(fixture, 4, version_2, sizeof(version_2));
    assert_head(fixture, 512, NULL, FALSE);
}

#define ADD(name, test) g_test_add("/qcow2/" name, Fixture, NULL, set_up, test, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("an-empty-image-is-one-for-qemu-and-reads-back",
        test_an_empty_image_is_one_for_qemu_and_reads_back);
    ADD("sizes-that-no-image-has-are-refused", test_sizes_that_no_image_has_are_refused);
    ADD("what-is-not-qcow2-is-known", test_what_is_not_qcow2_is_known);
    ADD("the-backing-image-is-named", test_the_backing_image_is_named);
    ADD("an-external-data-file-is-known-of-version-3",
        test_an_external_data_file_is_known_of_version_3);
    return g_test_run();
}
