/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine/lazy-libvirt.h"

/*
 * A connection to libvirt, and the domain of interest there. What is marked so blocks, and is for
 * other threads than the main one. Counted references, from any thread; with the last one the
 * connection ends, and with that a domain that was created on it.
 */
typedef struct {
    char *uri; /* owned */
    virConnectPtr connection;
    virDomainPtr domain; /* owned; NULL before create or find */
} MfLibvirtLink;

/* Blocks. MF_ERROR_HOST when there is no connection, or when what is there runs no QEMU. */
MfLibvirtLink *mf_libvirt_link_open(const char *uri, GError **error);

/* Blocks. Creates the transient domain 'xml', which does not run yet. MF_ERROR_LAUNCH. */
gboolean mf_libvirt_link_create(MfLibvirtLink *self, const char *xml, GError **error);

/* Blocks. Finds the domain 'name', which has to run. MF_ERROR_CONFIG. */
gboolean mf_libvirt_link_find(MfLibvirtLink *self, const char *name, GError **error);

/* Blocks. Ends the domain, by TERM and then KILL; there may be none any more. FALSE when it may
 * still run, as for want of a connection: MF_ERROR_LOST. */
gboolean mf_libvirt_link_destroy(MfLibvirtLink *self, GError **error);

MfLibvirtLink *mf_libvirt_link_ref(MfLibvirtLink *self);
void mf_libvirt_link_unref(MfLibvirtLink *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfLibvirtLink, mf_libvirt_link_unref)

/* Sets *error to the formatted text, ": ", and the last words of libvirt in this thread. */
void mf_libvirt_set_error(GError **error, int code, const char *format, ...) G_GNUC_PRINTF(3, 4);
