/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib-object.h>

#include "machine/libvirt-link.h"

/*
 * What libvirt has to say of a domain by itself, and of the connection. It says it on the default
 * main context, to an owner that is not kept alive by that, and not told any more when it is gone.
 */
typedef struct _MfLibvirtEvents MfLibvirtEvents;

typedef struct {
    void (*stopped)(gpointer owner, const char *how); /* the domain is gone: "was destroyed" */
    void (*lost)(gpointer owner, const char *how);    /* the connection is: "it was closed" */
    void (*agent)(gpointer owner, gboolean connected);
    void (*monitor)(gpointer owner, const char *name, const char *data); /* QMP's; JSON or NULL */
} MfLibvirtEars;

/* Blocks, and may be called from any thread. 'ears' is static, 'link' referenced. MF_ERROR_LAUNCH.
 */
MfLibvirtEvents *mf_libvirt_events_new(MfLibvirtLink *link, const MfLibvirtEars *ears,
                                       GObject *owner, GError **error);

/* Nothing new is said from here on, and the connection is held by no event. Blocks, from any
 * thread. */
void mf_libvirt_events_stop(MfLibvirtEvents *self);

/* After mf_libvirt_events_stop(). */
void mf_libvirt_events_free(MfLibvirtEvents *self);
