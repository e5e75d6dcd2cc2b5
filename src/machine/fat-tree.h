/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * A directory of the host as a FAT file system can have it: what is in it, with its sizes, and the
 * names that each thing gets there. Symbolic links are followed.
 */

#define MF_FAT_SHORT_NAME  11
#define MF_FAT_LONG_PIECE  13 /* UTF-16 units of a name in one record */
#define MF_FAT_RECORD_SIZE 32 /* bytes, of which a directory is made */

/* What is in a tree in all, and how deep it is: a link that leads upwards ends there. */
#define MF_FAT_CONTENT_MAX (G_GUINT64_CONSTANT(8) << 30)
#define MF_FAT_DEPTH_MAX   32

/* Of FAT itself. */
#define MF_FAT_FILE_MAX      G_MAXUINT32
#define MF_FAT_DIRECTORY_MAX 65536 /* records */

typedef struct {
    char *path;     /* owned; on the host */
    guint64 size;   /* bytes; of a directory, its records */
    gint64 written; /* seconds since 1970 */

    guint8 short_name[MF_FAT_SHORT_NAME]; /* as in a record: padded, without a dot */
    gunichar2 *long_name;                 /* owned; NULL where the short one says it all */
    guint long_length;                    /* UTF-16 units */

    GPtrArray *children; /* owned; of MfFatNode, sorted by name; NULL for a file */
    guint32 cluster;     /* for who lays the tree out: where it begins */
} MfFatNode;

/* Reads the tree below 'path'. MF_ERROR_CONFIG when something in it cannot be read, or cannot be in
 * a FAT file system: what is neither a file nor a directory, too large, too deep, or has a name
 * that FAT has not, or not beside another one. */
MfFatNode *mf_fat_tree_read(const char *path, GError **error);
void mf_fat_node_free(MfFatNode *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfFatNode, mf_fat_node_free)

/* How many records the node has in its parent's directory. */
guint mf_fat_node_count_records(const MfFatNode *self);
