/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/fat-image.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/copy.h"
#include "base/error.h"
#include "base/fd.h"
#include "machine/fat-tree.h"
#include "machine/peek.h"

/* Microsoft's "FAT: General Overview of On-Disk Format" 1.03 has all of the offsets below. */
#define SECTOR_SIZE         512u
#define CLUSTER_SIZE        4096u
#define SECTORS_PER_CLUSTER (CLUSTER_SIZE / SECTOR_SIZE)
#define RESERVED_SECTORS    32u
#define BACKUP_SECTOR       6u
#define FATS                2u
#define ENTRY_SIZE          4u
#define FIRST_CLUSTER       2u
#define LAST_OF_FILE        0x0fffffffu
#define MEDIA               0xf8u

/* With fewer than 65525 clusters it would not be FAT32. */
#define MIN_CLUSTERS 65536u

#define PARTITION_TABLE    446u
#define PARTITION_TYPE_EFI 0xefu

#define ATTRIBUTE_LABEL     0x08u
#define ATTRIBUTE_DIRECTORY 0x10u
#define ATTRIBUTE_LONG_NAME 0x0fu
#define LAST_LONG_PIECE     0x40u

#define LABEL  "MAYFLY     "
#define SERIAL 0x4d61f1e5u

/* The years that a record can tell. */
#define FIRST_YEAR 1980
#define LAST_YEAR  2107

typedef struct {
    int fd;           /* borrowed; of the image */
    guint32 *fat;     /* owned; an entry of each cluster in use, in the image's byte order */
    guint32 used;     /* clusters, with the two that there are not */
    guint32 clusters; /* in all */
    guint32 fat_sectors;
} Image;

static gboolean
write_at(Image *self, const void *data, gsize size, guint64 offset, GError **error)
{
    if (mf_poke_write(self->fd, data, size, offset))
        return TRUE;
    mf_error_set_errno(error, MF_ERROR_HOST, errno, "The FAT image cannot be written");
    return FALSE;
}

static guint64
get_place(const Image *self, guint32 cluster)
{
    guint64 sectors = RESERVED_SECTORS + (guint64)FATS * self->fat_sectors +
                      (guint64)(cluster - FIRST_CLUSTER) * SECTORS_PER_CLUSTER;

    return MF_FAT_PARTITION_OFFSET + sectors * SECTOR_SIZE;
}

static guint32
count_clusters(const MfFatNode *node)
{
    return (guint32)((node->size + CLUSTER_SIZE - 1) / CLUSTER_SIZE);
}

/* Gives the node and what is below it their clusters, each in one piece. */
static void
lay_out(Image *self, MfFatNode *node)
{
    guint32 n = count_clusters(node);

    node->cluster = n > 0 ? self->used : 0;
    self->used += n;
    for (guint i = 0; node->children && i < node->children->len; i++)
        lay_out(self, node->children->pdata[i]);
}

static void
chain(Image *self, const MfFatNode *node)
{
    guint32 n = count_clusters(node);

    for (guint32 i = 0; i < n; i++)
        self->fat[node->cluster + i] =
            GUINT32_TO_LE(i + 1 < n ? node->cluster + i + 1 : LAST_OF_FILE);
    for (guint i = 0; node->children && i < node->children->len; i++)
        chain(self, node->children->pdata[i]);
}

/* The master boot record: one partition, and no code. */
static gboolean
write_partitions(Image *self, guint32 sectors, GError **error)
{
    guint8 sector[SECTOR_SIZE] = {0};
    guint8 *entry = sector + PARTITION_TABLE;

    entry[4] = PARTITION_TYPE_EFI;
    mf_poke_le32(entry + 8, MF_FAT_PARTITION_OFFSET / SECTOR_SIZE);
    mf_poke_le32(entry + 12, sectors);
    /* Whoever reads cylinders is told that they do not reach. */
    memcpy(entry + 1, "\xfe\xff\xff", 3);
    memcpy(entry + 5, "\xfe\xff\xff", 3);
    mf_poke_le16(sector + 510, 0xaa55);
    return write_at(self, sector, sizeof(sector), 0, error);
}

static gboolean
write_boot_sectors(Image *self, guint32 sectors, GError **error)
{
    guint8 boot[SECTOR_SIZE] = {0xeb, 0x58, 0x90}, info[SECTOR_SIZE] = {0};

    memcpy(boot + 3, "MAYFLY  ", 8);
    mf_poke_le16(boot + 11, SECTOR_SIZE);
    boot[13] = SECTORS_PER_CLUSTER;
    mf_poke_le16(boot + 14, RESERVED_SECTORS);
    boot[16] = FATS;
    boot[21] = MEDIA;
    mf_poke_le16(boot + 24, 63); /* sectors of a track, and heads: of use to nobody, but never 0 */
    mf_poke_le16(boot + 26, 255);
    mf_poke_le32(boot + 28, MF_FAT_PARTITION_OFFSET / SECTOR_SIZE);
    mf_poke_le32(boot + 32, sectors);
    mf_poke_le32(boot + 36, self->fat_sectors);
    mf_poke_le32(boot + 44, FIRST_CLUSTER);
    mf_poke_le16(boot + 48, 1);
    mf_poke_le16(boot + 50, BACKUP_SECTOR);
    boot[64] = 0x80;
    boot[66] = 0x29;
    mf_poke_le32(boot + 67, SERIAL);
    memcpy(boot + 71, LABEL, 11);
    memcpy(boot + 82, "FAT32   ", 8);
    mf_poke_le16(boot + 510, 0xaa55);

    mf_poke_le32(info, 0x41615252);
    mf_poke_le32(info + 484, 0x61417272);
    mf_poke_le32(info + 488, self->clusters + FIRST_CLUSTER - self->used);
    mf_poke_le32(info + 492, self->used);
    mf_poke_le32(info + 508, 0xaa550000);

    for (guint copy = 0; copy <= BACKUP_SECTOR; copy += BACKUP_SECTOR) {
        guint64 place = MF_FAT_PARTITION_OFFSET + (guint64)copy * SECTOR_SIZE;

        if (!write_at(self, boot, sizeof(boot), place, error) ||
            !write_at(self, info, sizeof(info), place + SECTOR_SIZE, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
write_fats(Image *self, const MfFatNode *root, GError **error)
{
    self->fat = g_new0(guint32, self->used);
    self->fat[0] = GUINT32_TO_LE(0x0fffff00u | MEDIA);
    self->fat[1] = GUINT32_TO_LE(LAST_OF_FILE);
    chain(self, root);
    for (guint copy = 0; copy < FATS; copy++) {
        guint64 sector = RESERVED_SECTORS + (guint64)copy * self->fat_sectors;

        if (!write_at(self, self->fat, (gsize)self->used * ENTRY_SIZE,
                      MF_FAT_PARTITION_OFFSET + sector * SECTOR_SIZE, error))
            return FALSE;
    }
    return TRUE;
}

/* A record's date and time: of Greenwich, since the image is to be the same everywhere. */
static void
put_time(guint8 *record, gint64 seconds)
{
    time_t when = (time_t)seconds;
    struct tm parts = {0};
    guint16 date, clock;

    gmtime_r(&when, &parts);
    if (parts.tm_year + 1900 < FIRST_YEAR || parts.tm_year + 1900 > LAST_YEAR)
        parts = (struct tm){.tm_year = FIRST_YEAR - 1900, .tm_mday = 1};
    date = (guint16)((parts.tm_year + 1900 - FIRST_YEAR) << 9 | (parts.tm_mon + 1) << 5 |
                     parts.tm_mday);
    clock = (guint16)(parts.tm_hour << 11 | parts.tm_min << 5 | parts.tm_sec / 2);
    mf_poke_le16(record + 14, clock);
    mf_poke_le16(record + 16, date);
    mf_poke_le16(record + 18, date);
    mf_poke_le16(record + 22, clock);
    mf_poke_le16(record + 24, date);
}

/* 'node' gives the time, and what the record leads to; 'name' is what it is called. */
static void
put_record(guint8 *record, const void *name, const MfFatNode *node, guint32 cluster)
{
    memcpy(record, name, MF_FAT_SHORT_NAME);
    record[11] = node->children ? ATTRIBUTE_DIRECTORY : 0;
    put_time(record, node->written);
    mf_poke_le16(record + 20, (guint16)(cluster >> 16));
    mf_poke_le16(record + 26, (guint16)cluster);
    mf_poke_le32(record + 28, node->children ? 0 : (guint32)node->size);
}

static guint8
sum_up(const guint8 short_name[MF_FAT_SHORT_NAME])
{
    guint8 sum = 0;

    for (guint i = 0; i < MF_FAT_SHORT_NAME; i++)
        sum = (guint8)((sum >> 1 | sum << 7) + short_name[i]);
    return sum;
}

/* One piece of a long name; what is beyond its end is a zero, and then all ones. */
static void
put_long_piece(guint8 *record, const MfFatNode *node, guint piece)
{
    static const guint8 places[MF_FAT_LONG_PIECE] = {1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};

    record[0] = (guint8)(piece + 1);
    record[11] = ATTRIBUTE_LONG_NAME;
    record[13] = sum_up(node->short_name);
    for (guint i = 0; i < MF_FAT_LONG_PIECE; i++) {
        guint at = piece * MF_FAT_LONG_PIECE + i;

        mf_poke_le16(record + places[i], at < node->long_length    ? node->long_name[at]
                                         : at == node->long_length ? 0
                                                                   : 0xffff);
    }
}

/* All records of a node in its directory: the pieces of its long name, the last one first. Returns
 * where they end. */
static guint8 *
put_node(guint8 *at, const MfFatNode *node)
{
    guint pieces = mf_fat_node_count_records(node) - 1;

    for (guint piece = pieces; piece-- > 0; at += MF_FAT_RECORD_SIZE) {
        put_long_piece(at, node, piece);
        if (piece + 1 == pieces)
            at[0] |= LAST_LONG_PIECE;
    }
    put_record(at, node->short_name, node, node->cluster);
    return at + MF_FAT_RECORD_SIZE;
}

static gboolean
write_directory(Image *self, const MfFatNode *node, const MfFatNode *parent, GError **error)
{
    g_autofree guint8 *records = g_malloc0(node->size);
    guint8 *at = records;

    if (parent) {
        /* The root is 0 to those in it. */
        guint32 above = parent->cluster == FIRST_CLUSTER ? 0 : parent->cluster;

        put_record(at, ".          ", node, node->cluster);
        put_record(at + MF_FAT_RECORD_SIZE, "..         ", parent, above);
        at += 2 * MF_FAT_RECORD_SIZE;
    } else {
        memcpy(at, LABEL, MF_FAT_SHORT_NAME);
        at[11] = ATTRIBUTE_LABEL;
        put_time(at, node->written);
        at += MF_FAT_RECORD_SIZE;
    }
    for (guint i = 0; i < node->children->len; i++)
        at = put_node(at, node->children->pdata[i]);
    return write_at(self, records, node->size, get_place(self, node->cluster), error);
}

static gboolean
write_file(Image *self, const MfFatNode *node, GError **error)
{
    guint64 size = 0;

    /* An empty file has no place. */
    if (node->size == 0)
        return TRUE;
    if (!mf_copy_file(node->path, self->fd, (off_t)get_place(self, node->cluster), node->size,
                      &size, error))
        return FALSE;
    if (size == node->size)
        return TRUE;
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG, "'%s' has changed while it was copied.",
                node->path);
    return FALSE;
}

static gboolean
write_node(Image *self, const MfFatNode *node, const MfFatNode *parent, GError **error)
{
    if (!node->children)
        return write_file(self, node, error);
    if (!write_directory(self, node, parent, error))
        return FALSE;
    for (guint i = 0; i < node->children->len; i++)
        if (!write_node(self, node->children->pdata[i], node, error))
            return FALSE;
    return TRUE;
}

static gboolean
write_image(Image *self, MfFatNode *root, GError **error)
{
    guint64 end;
    guint32 sectors;

    self->used = FIRST_CLUSTER;
    lay_out(self, root);
    self->clusters = MAX(MIN_CLUSTERS, self->used + self->used / 2);
    self->fat_sectors =
        ((self->clusters + FIRST_CLUSTER) * ENTRY_SIZE + SECTOR_SIZE - 1) / SECTOR_SIZE;
    end = get_place(self, self->clusters + FIRST_CLUSTER);
    sectors = (guint32)((end - MF_FAT_PARTITION_OFFSET) / SECTOR_SIZE);
    if (ftruncate(self->fd, (off_t)end) < 0) {
        mf_error_set_errno(error, MF_ERROR_HOST, errno, "The FAT image cannot be made");
        return FALSE;
    }
    return write_partitions(self, sectors, error) && write_boot_sectors(self, sectors, error) &&
           write_fats(self, root, error) && write_node(self, root, NULL, error);
}

gboolean
mf_fat_image_make(const char *source, const char *directory, const char *name, char **ret_path,
                  GError **error)
{
    g_autoptr(MfFatNode) root = mf_fat_tree_read(source, error);
    g_autofree char *path = NULL;
    mf_autofd fd = root ? mf_create_private_file(directory, name, &path, error) : -1;
    Image image = {.fd = fd};
    gboolean good = fd >= 0 && write_image(&image, root, error);

    g_free(image.fat);
    if (good)
        *ret_path = g_steal_pointer(&path);
    return good;
}
