/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/argv.h"

/* How directories get into the guest. A run has one way for all of its shares. */
typedef enum {
    MF_SHARE_AUTO, /* 9p where the kernel has it, else virtiofs where the host has its daemon */
    MF_SHARE_9P,
    MF_SHARE_VIRTIOFS,
} MfShareType;

const char *mf_share_type_name(MfShareType type);
gboolean mf_share_type_parse(const char *text, MfShareType *ret_type, GError **error);

/* A directory of the host that the guest can mount by a tag. */
typedef struct {
    char *id;         /* owned; QEMU's name for it */
    char *tag;        /* owned; the guest mounts by it */
    char *host_path;  /* owned; absolute */
    char *guest_path; /* owned; absolute; NULL for the root and other special shares */
    gboolean writable;
} MfShare;

/* Paths are copied; 'host_path' is made absolute against the current directory. */
MfShare *mf_share_new(const char *id, const char *tag, const char *host_path,
                      const char *guest_path, gboolean writable);

/* One that the guest mounts at 'guest_path'; 'index' makes id and tag unique. */
MfShare *
mf_share_new_mount(guint index, const char *host_path, const char *guest_path, gboolean writable);
void mf_share_free(MfShare *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfShare, mf_share_free)

/*
 * Reads a --mount value, "[ro|rw:]HOST[:GUEST]": read-only unless "rw:"; the guest path is
 * absolute and defaults to the host path made absolute. A colon inside a host path is written
 * "\:". 'index' makes id and tag unique. MF_ERROR_CONFIG when the host directory is missing or the
 * text is not of that form.
 */
MfShare *mf_share_parse(const char *text, guint index, GError **error);

/* For QEMU to serve by itself, over 9p. 'virtio' is how such devices are attached: "pci", "ccw".
 * 'ioeventfd' is the device's option of that name; NULL for QEMU's default. */
void mf_share_add_9p_to_argv(const MfShare *self, const char *virtio, const char *ioeventfd,
                             MfArgv *argv);

/* For a daemon to serve, at the other end of the descriptor 'fd' that QEMU inherits. */
void mf_share_add_virtiofs_to_argv(const MfShare *self, const char *virtio, int fd, MfArgv *argv);
