/* SPDX-License-Identifier: Apache-2.0 */
#include "package-fixture.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>

#define ARCHIVE_MAX (4U << 20)

static void
add_item(struct archive *writer, const FixtureItem *item)
{
    struct archive_entry *entry = archive_entry_new();
    gsize size = item->content ? strlen(item->content) : 0;
    const void *content = item->bytes ? g_bytes_get_data(item->bytes, &size) : item->content;

    archive_entry_set_pathname(entry, item->name);
    archive_entry_set_filetype(entry, item->type ? item->type : AE_IFREG);
    archive_entry_set_perm(entry, 0600);
    archive_entry_set_size(entry, (la_int64_t)size);
    if (item->symlink)
        archive_entry_set_symlink(entry, item->symlink);
    if (item->hardlink)
        archive_entry_set_hardlink(entry, item->hardlink);
    g_assert_cmpint(archive_write_header(writer, entry), ==, ARCHIVE_OK);
    if (size)
        g_assert_cmpint(archive_write_data(writer, content, size), ==, (int)size);
    archive_entry_free(entry);
}

/* An archive of 'items' (up to a NULL name) in memory. */
static GBytes *
pack(int format, int filter, const FixtureItem *items)
{
    g_autofree char *buffer = g_malloc(ARCHIVE_MAX);
    struct archive *writer = archive_write_new();
    size_t used = 0;

    g_assert_cmpint(archive_write_set_format(writer, format), ==, ARCHIVE_OK);
    g_assert_cmpint(archive_write_add_filter(writer, filter), ==, ARCHIVE_OK);
    g_assert_cmpint(archive_write_open_memory(writer, buffer, ARCHIVE_MAX, &used), ==, ARCHIVE_OK);
    for (const FixtureItem *item = items; item->name; item++)
        add_item(writer, item);
    g_assert_cmpint(archive_write_close(writer), ==, ARCHIVE_OK);
    archive_write_free(writer);
    return g_bytes_new(buffer, used);
}

static void
add_member(struct archive *ar, const char *name, GBytes *content)
{
    struct archive_entry *entry = archive_entry_new();
    gsize size;
    const void *bytes = g_bytes_get_data(content, &size);

    archive_entry_set_pathname(entry, name);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_size(entry, (la_int64_t)size);
    g_assert_cmpint(archive_write_header(ar, entry), ==, ARCHIVE_OK);
    g_assert_cmpint(archive_write_data(ar, bytes, size), ==, (int)size);
    archive_entry_free(entry);
}

void
fixture_write_deb(const char *path, int filter, const char *data_name, const FixtureItem *items)
{
    static const FixtureItem control[] = {
        {"./", AE_IFDIR},
        {"./control", 0, FIXTURE_CONTROL},
        {NULL},
    };
    g_autoptr(GBytes) format = g_bytes_new_static("2.0\n", 4);
    g_autoptr(GBytes) control_tar = pack(ARCHIVE_FORMAT_TAR_GNUTAR, ARCHIVE_FILTER_GZIP, control);
    g_autoptr(GBytes) data_tar = pack(ARCHIVE_FORMAT_TAR_GNUTAR, filter, items);
    struct archive *ar = archive_write_new();

    g_assert_cmpint(archive_write_set_format_ar_svr4(ar), ==, ARCHIVE_OK);
    g_assert_cmpint(archive_write_open_filename(ar, path), ==, ARCHIVE_OK);
    add_member(ar, "debian-binary", format);
    add_member(ar, "control.tar.gz", control_tar);
    add_member(ar, data_name, data_tar);
    g_assert_cmpint(archive_write_close(ar), ==, ARCHIVE_OK);
    archive_write_free(ar);
}

/* The lead and an empty header, as far as a reader of the payload looks at them. */
void
fixture_write_rpm(const char *path, const FixtureItem *items)
{
    static const char header[] = "\x8e\xad\xe8\x01\0\0\0\0\0\0\0\0\0\0\0\0";
    g_autoptr(GBytes) payload = pack(ARCHIVE_FORMAT_CPIO_SVR4_NOCRC, ARCHIVE_FILTER_XZ, items);
    g_autoptr(GByteArray) rpm = g_byte_array_new();
    guint8 lead[96] = {0xed, 0xab, 0xee, 0xdb, 3};
    gsize size;

    const guint8 *bytes = g_bytes_get_data(payload, &size);
    g_byte_array_append(rpm, lead, sizeof(lead));
    g_byte_array_append(rpm, (const guint8 *)header, 16);
    g_byte_array_append(rpm, bytes, (guint)size);
    g_assert_true(g_file_set_contents(path, (const char *)rpm->data, rpm->len, NULL));
}
