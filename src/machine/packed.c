/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/packed.h"

#include <errno.h>
#include <zlib.h>

#include "base/error.h"
#include "base/fd.h"
#include "machine/lazy-archive.h"
#include "machine/peek.h"

#define READ_SIZE    (256 * 1024)
#define GZIP_TRAILER 8 /* CRC-32 and size of the content */

typedef struct {
    const MfPacked *payload;
    guint64 at; /* relative to the payload */
    guint8 buffer[READ_SIZE];
} Source;

typedef gboolean (*Sink)(gpointer target, const void *data, gsize size, GError **error);

typedef struct archive ArchiveReader;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ArchiveReader, archive_read_free)

/* libarchive answers ARCHIVE_WARN when it would run a program for the filter: a kernel image is no
 * reason to run one, and it may not be installed. */
static gboolean
enable_filter(struct archive *reader, const char *compression)
{
    const struct {
        const char *compression;
        int (*enable)(struct archive *);
    } filters[] = {
        {"xz", archive_read_support_filter_xz},       {"lz4", archive_read_support_filter_lz4},
        {"zstd", archive_read_support_filter_zstd},   {"gzip", archive_read_support_filter_gzip},
        {"bzip2", archive_read_support_filter_bzip2}, {"lzma", archive_read_support_filter_lzma},
        {"lzo", archive_read_support_filter_lzop},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(filters); i++) {
        if (g_str_equal(filters[i].compression, compression))
            return filters[i].enable(reader) == ARCHIVE_OK;
    }
    return FALSE;
}

gboolean
mf_packed_is_supported(const char *compression)
{
    g_autoptr(ArchiveReader) reader = mf_lazy_archive_load(NULL) ? archive_read_new() : NULL;

    return reader && enable_filter(reader, compression);
}

static la_ssize_t
read_source(struct archive *reader, void *data, const void **ret_buffer)
{
    Source *source = data;
    const MfPacked *payload = source->payload;
    gsize size = (gsize)MIN(payload->length - source->at, READ_SIZE);
    gssize n = mf_peek_read(payload->fd, source->buffer, size, payload->offset + source->at);

    if (n < 0) {
        archive_set_error(reader, errno, "reading failed: %s", g_strerror(errno));
        return -1;
    }
    source->at += (guint64)n;
    *ret_buffer = source->buffer;
    return n;
}

/* The stream is damaged, or shorter than its own format says. */
static void
set_damaged(const MfPacked *payload, struct archive *reader, GError **error)
{
    const char *reason = archive_error_string(reader);
    MfErrorCode code = archive_errno(reader) == ENOMEM ? MF_ERROR_HOST : MF_ERROR_CONFIG;

    g_set_error(error, MF_ERROR, code,
                "The %s stream of %" G_GUINT64_FORMAT " bytes cannot be decompressed (%s).",
                payload->compression, payload->length, reason ? reason : "its start is damaged");
}

static ArchiveReader *
open_reader(Source *source, GError **error)
{
    const MfPacked *payload = source->payload;
    struct archive_entry *entry;

    if (!mf_lazy_archive_load(error))
        return NULL;

    g_autoptr(ArchiveReader) reader = archive_read_new();
    if (!reader) {
        g_set_error(error, MF_ERROR, MF_ERROR_HOST, "There is no memory for decompression.");
        return NULL;
    }
    if (!enable_filter(reader, payload->compression)) {
        g_set_error(error, MF_ERROR, MF_ERROR_HOST,
                    "The libarchive of this host cannot decompress %s.", payload->compression);
        return NULL;
    }
    archive_read_support_format_raw(reader);
    /* Without its magic a stream would pass through the raw format unchanged. */
    if (archive_read_open(reader, source, NULL, read_source, NULL) != ARCHIVE_OK ||
        archive_read_next_header(reader, &entry) != ARCHIVE_OK ||
        archive_filter_code(reader, 0) == ARCHIVE_FILTER_NONE) {
        set_damaged(payload, reader, error);
        return NULL;
    }
    return g_steal_pointer(&reader);
}

/* libarchive leaves gzip's own check of its content to the caller. */
static gboolean
check_gzip(const MfPacked *payload, guint32 crc, guint64 size, GError **error)
{
    guint8 trailer[GZIP_TRAILER];

    if (payload->length < GZIP_TRAILER ||
        mf_peek_read(payload->fd, trailer, sizeof(trailer),
                     payload->offset + payload->length - GZIP_TRAILER) != GZIP_TRAILER ||
        mf_peek_le32(trailer) != crc || mf_peek_le32(trailer + 4) != (guint32)size) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "The checksum of the gzip stream is not that of its content.");
        return FALSE;
    }
    return TRUE;
}

static gboolean
drain(const MfPacked *self, guint64 max, Sink sink, gpointer target, guint64 *ret_size,
      GError **error)
{
    g_autofree Source *source = g_new0(Source, 1);
    gboolean is_gzip = g_str_equal(self->compression, "gzip");
    uLong crc = crc32(0, NULL, 0);
    guint64 total = 0;

    source->payload = self;
    g_autoptr(ArchiveReader) reader = open_reader(source, error);
    if (!reader)
        return FALSE;

    for (;;) {
        const void *block;
        size_t size;
        la_int64_t offset;
        int result = archive_read_data_block(reader, &block, &size, &offset);

        if (result == ARCHIVE_EOF)
            break;
        if (result != ARCHIVE_OK) {
            set_damaged(self, reader, error);
            return FALSE;
        }
        total += size;
        if (total > max) {
            g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                        "The %s stream decompresses to more than %" G_GUINT64_FORMAT " bytes.",
                        self->compression, max);
            return FALSE;
        }
        if (is_gzip)
            crc = crc32_z(crc, block, size);
        if (!sink(target, block, size, error))
            return FALSE;
    }
    if (is_gzip && !check_gzip(self, (guint32)crc, total, error))
        return FALSE;
    *ret_size = total;
    return TRUE;
}

static gboolean
write_to_fd(gpointer target, const void *data, gsize size, GError **error)
{
    return mf_fd_write_all(*(const int *)target, data, size, error);
}

gboolean
mf_packed_unpack(const MfPacked *self, int out_fd, guint64 max, guint64 *ret_size, GError **error)
{
    return drain(self, max, write_to_fd, &out_fd, ret_size, error);
}

static gboolean
append_to_array(gpointer target, const void *data, gsize size, GError **error)
{
    g_byte_array_append(target, data, (guint)size);
    return TRUE;
}

GBytes *
mf_packed_read(const MfPacked *self, gsize max, GError **error)
{
    g_autoptr(GByteArray) content = g_byte_array_new();
    guint64 size;

    if (!drain(self, MIN(max, G_MAXINT), append_to_array, content, &size, error))
        return NULL;
    return g_byte_array_free_to_bytes(g_steal_pointer(&content));
}

gsize
mf_packed_peek(const MfPacked *self, guint8 *buffer, gsize size)
{
    g_autofree Source *source = g_new0(Source, 1);

    source->payload = self;
    g_autoptr(ArchiveReader) reader = open_reader(source, NULL);
    if (!reader)
        return 0;

    la_ssize_t n = archive_read_data(reader, buffer, size);
    return n < 0 ? 0 : (gsize)n;
}
