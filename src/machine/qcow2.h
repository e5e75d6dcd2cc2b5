/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * The header of qcow2 images (QEMU's docs/interop/qcow2.txt): as much as it takes to know what an
 * image is made of, and to make an empty one.
 */
typedef struct {
    guint64 size;      /* bytes, of the disk */
    char *backing;     /* owned; what the header names as the image below; NULL for none */
    gboolean external; /* its content is in yet another file */
} MfQcow2Head;

/* FALSE, with errno, when the file cannot be read; *ret_is_qcow2 is whether there is a head at all.
 * A name of a backing image that is longer than QEMU takes, or beyond the file, counts as one that
 * is empty. */
gboolean mf_qcow2_read_head(int fd, gboolean *ret_is_qcow2, MfQcow2Head *ret_head);
void mf_qcow2_head_clear(MfQcow2Head *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MfQcow2Head, mf_qcow2_head_clear)

/* Makes an image in the empty file 'fd', of 'size' bytes rounded up to whole sectors, with nothing
 * in it. It names no backing image: whoever opens it has to. MF_ERROR_HOST. */
gboolean mf_qcow2_write_empty(int fd, guint64 size, GError **error);
