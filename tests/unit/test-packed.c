/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/packed.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "image-fixture.h"
#include "machine/compression.h"

static const char *const compressions[] = {"xz", "lz4", "zstd", "gzip", "bzip2", "lzma"};

static GBytes *
text_of(gsize size)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; text->len < size; i++)
        g_string_append_printf(text, "line %u of the text\n", i);
    return g_bytes_new(text->str, size);
}

static int
memory_file(const void *data, gsize size)
{
    int fd = memfd_create("packed", MFD_CLOEXEC);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(write(fd, data, size), ==, (gssize)size);
    return fd;
}

static int
memory_file_of(GBytes *bytes)
{
    return memory_file(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
}

static void
test_every_compression_is_detected_and_read_back(void)
{
    g_autoptr(GBytes) plain = text_of(300000);

    for (gsize i = 0; i < G_N_ELEMENTS(compressions); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GBytes) packed = fixture_compress(plain, compressions[i]);
        mf_autofd fd = memory_file_of(packed);
        MfPacked payload = {fd, 0, g_bytes_get_size(packed), compressions[i]};

        g_assert_cmpstr(
            mf_compression_detect(g_bytes_get_data(packed, NULL), g_bytes_get_size(packed)), ==,
            compressions[i]);
        g_assert_true(mf_packed_is_supported(compressions[i]));
        g_autoptr(GBytes) read = mf_packed_read(&payload, 300000, &error);
        g_assert_no_error(error);
        g_assert_true(g_bytes_equal(read, plain));
    }
}

static void
test_only_the_given_range_of_the_file_is_read(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) plain = text_of(50000);
    g_autoptr(GBytes) packed = fixture_compress(plain, "xz");
    g_autoptr(GByteArray) file = g_byte_array_new();

    g_byte_array_append(file, (const guint8 *)"front", 5);
    g_byte_array_append(file, g_bytes_get_data(packed, NULL), (guint)g_bytes_get_size(packed));
    g_byte_array_append(file,
                        (const guint8 *)"\xfd"
                                        "7zXZ trailing rubbish",
                        22);

    mf_autofd fd = memory_file(file->data, file->len);
    MfPacked payload = {fd, 5, g_bytes_get_size(packed), "xz"};
    g_autoptr(GBytes) read = mf_packed_read(&payload, 50000, &error);

    g_assert_no_error(error);
    g_assert_true(g_bytes_equal(read, plain));
}

static void
test_one_byte_more_than_the_limit_is_an_error(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) plain = text_of(50001);
    g_autoptr(GBytes) packed = fixture_compress(plain, "zstd");
    mf_autofd fd = memory_file_of(packed);
    MfPacked payload = {fd, 0, g_bytes_get_size(packed), "zstd"};

    g_assert_null(mf_packed_read(&payload, 50000, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_nonnull(strstr(error->message, "more than 50000 bytes"));
}

static void
test_a_stream_that_ends_early_is_an_error(void)
{
    static const char *const checked[] = {"xz", "zstd", "gzip", "bzip2", "lzma"};
    g_autoptr(GBytes) plain = text_of(300000);

    for (gsize i = 0; i < G_N_ELEMENTS(checked); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GBytes) packed = fixture_compress(plain, checked[i]);
        mf_autofd fd = memory_file_of(packed);
        MfPacked payload = {fd, 0, g_bytes_get_size(packed) / 2, checked[i]};

        g_test_message("%s", checked[i]);
        g_assert_null(mf_packed_read(&payload, 300000, &error));
        g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    }
}

static void
test_a_damaged_magic_does_not_pass_the_bytes_through(void)
{
    g_autoptr(GBytes) plain = text_of(5000);

    for (gsize i = 0; i < G_N_ELEMENTS(compressions); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GBytes) packed = fixture_compress(plain, compressions[i]);
        g_autoptr(GByteArray) damaged = fixture_copy(packed);

        damaged->data[1] ^= 0x55;
        mf_autofd fd = memory_file(damaged->data, damaged->len);
        MfPacked payload = {fd, 0, damaged->len, compressions[i]};

        g_test_message("%s", compressions[i]);
        g_assert_null(mf_packed_read(&payload, 5000, &error));
        g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    }
}

static void
test_unpacking_into_a_full_file_is_the_hosts_error(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) plain = text_of(5000);
    g_autoptr(GBytes) packed = fixture_compress(plain, "gzip");
    mf_autofd fd = memory_file_of(packed);
    mf_autofd full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    MfPacked payload = {fd, 0, g_bytes_get_size(packed), "gzip"};
    guint64 size = 77;

    g_assert_cmpint(full, >=, 0);
    g_assert_false(mf_packed_unpack(&payload, full, 5000, &size, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_HOST);
    g_assert_cmpuint(size, ==, 77);
}

static void
test_a_peek_gives_the_first_bytes_and_nothing_of_rubbish(void)
{
    g_autoptr(GBytes) plain = text_of(5000);
    g_autoptr(GBytes) packed = fixture_compress(plain, "gzip");
    mf_autofd fd = memory_file_of(packed);
    MfPacked payload = {fd, 0, g_bytes_get_size(packed), "gzip"};
    guint8 head[16];

    g_assert_cmpuint(mf_packed_peek(&payload, head, sizeof(head)), ==, sizeof(head));
    g_assert_cmpmem(head, sizeof(head), g_bytes_get_data(plain, NULL), sizeof(head));
    payload.offset = 7;
    g_assert_cmpuint(mf_packed_peek(&payload, head, sizeof(head)), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/packed/every-compression-is-detected-and-read-back",
                    test_every_compression_is_detected_and_read_back);
    g_test_add_func("/packed/only-the-given-range-of-the-file-is-read",
                    test_only_the_given_range_of_the_file_is_read);
    g_test_add_func("/packed/one-byte-more-than-the-limit-is-an-error",
                    test_one_byte_more_than_the_limit_is_an_error);
    g_test_add_func("/packed/a-stream-that-ends-early-is-an-error",
                    test_a_stream_that_ends_early_is_an_error);
    g_test_add_func("/packed/a-damaged-magic-does-not-pass-the-bytes-through",
                    test_a_damaged_magic_does_not_pass_the_bytes_through);
    g_test_add_func("/packed/unpacking-into-a-full-file-is-the-hosts-error",
                    test_unpacking_into_a_full_file_is_the_hosts_error);
    g_test_add_func("/packed/a-peek-gives-the-first-bytes-and-nothing-of-rubbish",
                    test_a_peek_gives_the_first_bytes_and_nothing_of_rubbish);
    return g_test_run();
}
