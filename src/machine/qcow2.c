/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/qcow2.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "machine/peek.h"

#define MAGIC            "QFI\xfb"
#define VERSION          3
#define HEAD_SIZE        104
#define BACKING_MAX      1023      /* bytes; of QEMU */
#define INCOMPATIBLE_OUT (1u << 2) /* the content is in an external file */

/* Where the fields are. */
#define AT_VERSION          4
#define AT_BACKING_OFFSET   8
#define AT_BACKING_SIZE     16
#define AT_CLUSTER_BITS     20
#define AT_SIZE             24
#define AT_L1_ENTRIES       36
#define AT_L1_OFFSET        40
#define AT_REFCOUNTS_OFFSET 48
#define AT_REFCOUNTS_SIZE   56
#define AT_INCOMPATIBLE     72
#define AT_REFCOUNT_ORDER   96
#define AT_HEAD_SIZE        100

/* What is made here: clusters of 64 KiB, QEMU's usual ones, whose reference counts have 16 bits. */
#define CLUSTER_BITS   16
#define CLUSTER        (1u << CLUSTER_BITS)
#define REFCOUNT_ORDER 4
#define SECTOR         512
/* What one entry of the first table stands for, and how many QEMU takes. */
#define L1_REACH ((guint64)CLUSTER * (CLUSTER / 8))
#define L1_MAX   ((32u << 20) / 8)

/* The clusters of an empty image: the head, the table of reference counts, a block of those, and
 * the first table. */
enum { CLUSTER_HEAD, CLUSTER_REFCOUNTS, CLUSTER_REFCOUNT_BLOCK, CLUSTER_L1 };

void
mf_qcow2_head_clear(MfQcow2Head *self)
{
    g_clear_pointer(&self->backing, g_free);
}

/* FALSE with errno. */
static gboolean
read_backing(int fd, const guint8 *head, char **ret_backing)
{
    guint64 offset = mf_peek_be64(head + AT_BACKING_OFFSET);
    guint32 size = mf_peek_be32(head + AT_BACKING_SIZE);
    char name[BACKING_MAX + 1] = "";
    gssize had = 0;

    *ret_backing = NULL;
    if (offset == 0)
        return TRUE;
    if (size <= BACKING_MAX)
        had = mf_peek_read(fd, name, size, offset);
    if (had < 0)
        return FALSE;
    *ret_backing = g_strndup(name, had == (gssize)size ? size : 0);
    return TRUE;
}

gboolean
mf_qcow2_read_head(int fd, gboolean *ret_is_qcow2, MfQcow2Head *ret_head)
{
    guint8 head[HEAD_SIZE] = {0};
    gssize size = mf_peek_read(fd, head, sizeof(head), 0);
    char *backing;

    if (size < 0)
        return FALSE;
    *ret_is_qcow2 = size > AT_L1_ENTRIES && memcmp(head, MAGIC, strlen(MAGIC)) == 0;
    *ret_head = (MfQcow2Head){0};
    if (!*ret_is_qcow2)
        return TRUE;
    if (!read_backing(fd, head, &backing))
        return FALSE;
    ret_head->size = mf_peek_be64(head + AT_SIZE);
    ret_head->backing = backing;
    /* Of version 2 there are no such bits. */
    ret_head->external = mf_peek_be32(head + AT_VERSION) >= VERSION &&
                         (mf_peek_be64(head + AT_INCOMPATIBLE) & INCOMPATIBLE_OUT) != 0;
    return TRUE;
}

static gboolean
write_at(int fd, const guint8 *data, gsize size, guint64 cluster, GError **error)
{
    if (mf_poke_write(fd, data, size, cluster * CLUSTER))
        return TRUE;
    mf_error_set_errno(error, MF_ERROR_HOST, errno, "An empty disk image cannot be written");
    return FALSE;
}

static gboolean
write_head(int fd, guint64 size, guint32 l1_entries, GError **error)
{
    guint8 head[HEAD_SIZE] = MAGIC;

    mf_poke_be32(head + AT_VERSION, VERSION);
    mf_poke_be32(head + AT_CLUSTER_BITS, CLUSTER_BITS);
    mf_poke_be64(head + AT_SIZE, size);
    mf_poke_be32(head + AT_L1_ENTRIES, l1_entries);
    mf_poke_be64(head + AT_L1_OFFSET, (guint64)CLUSTER_L1 * CLUSTER);
    mf_poke_be64(head + AT_REFCOUNTS_OFFSET, (guint64)CLUSTER_REFCOUNTS * CLUSTER);
    mf_poke_be32(head + AT_REFCOUNTS_SIZE, 1);
    mf_poke_be32(head + AT_REFCOUNT_ORDER, REFCOUNT_ORDER);
    mf_poke_be32(head + AT_HEAD_SIZE, HEAD_SIZE);
    return write_at(fd, head, sizeof(head), CLUSTER_HEAD, error);
}

/* All clusters are in use once. */
static gboolean
write_refcounts(int fd, guint64 clusters, GError **error)
{
    guint8 table[8];
    guint16 counts[CLUSTER_L1 + L1_MAX * 8 / CLUSTER];

    g_assert(clusters <= G_N_ELEMENTS(counts));
    for (guint64 i = 0; i < clusters; i++)
        counts[i] = GUINT16_TO_BE(1);
    mf_poke_be64(table, (guint64)CLUSTER_REFCOUNT_BLOCK * CLUSTER);
    return write_at(fd, table, sizeof(table), CLUSTER_REFCOUNTS, error) &&
           write_at(fd, (const guint8 *)counts, clusters * sizeof(*counts), CLUSTER_REFCOUNT_BLOCK,
                    error);
}

gboolean
mf_qcow2_write_empty(int fd, guint64 size, GError **error)
{
    guint64 l1_entries = size / L1_REACH + (size % L1_REACH != 0);
    guint64 clusters = CLUSTER_L1 + (l1_entries * 8 + CLUSTER - 1) / CLUSTER;

    if (size == 0 || l1_entries > L1_MAX) {
        g_set_error(error, MF_ERROR, MF_ERROR_HOST,
                    "A disk of %" G_GUINT64_FORMAT " bytes cannot have a qcow2 image.", size);
        return FALSE;
    }
    size += SECTOR - 1;
    size -= size % SECTOR;
    /* The first table is all zeros, which a file reads as where nothing was written. */
    if (ftruncate(fd, (off_t)(clusters * CLUSTER)) < 0) {
        mf_error_set_errno(error, MF_ERROR_HOST, errno, "An empty disk image cannot be made");
        return FALSE;
    }
    return write_head(fd, size, (guint32)l1_entries, error) && write_refcounts(fd, clusters, error);
}
