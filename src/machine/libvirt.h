/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine/machine.h"

/*
 * Machines that are domains of libvirt's, and the agents of domains that are there already. This is
 * all that the rest of mayfly knows of libvirt; where mayfly is built without it, each function
 * that needs it fails with MF_ERROR_HOST and says so.
 *
 * The libraries are loaded when a connection is first opened: who needs none does not pay for them.
 */

/* Whether this mayfly was built with it. */
gboolean mf_libvirt_is_built_in(void);

/* Loads what it needs of libvirt's, which this host may not have: MF_ERROR_HOST. From the main
 * thread; no connection is opened. */
gboolean mf_libvirt_load(GError **error);

/* Has the libvirt of 'spec->connect' create a transient domain that is gone with the connection,
 * and so with mayfly. Returns at once; mf_machine_open_async() tells what came of it. */
MfMachine *mf_libvirt_launch(const MfSpec *spec, GError **error);

/* The XML of such a domain, with a name of its own. Owned by the caller. */
char *mf_libvirt_describe(const MfSpec *spec);

/* Opens the way to the guest agent of the domain 'name' at 'uri', which has to run, and to answer.
 * MF_ERROR_HOST, MF_ERROR_CONFIG for a domain that is not there, MF_ERROR_GUEST for an agent that
 * does not answer. */
void mf_libvirt_open_agent_async(const char *uri, const char *name, GAsyncReadyCallback callback,
                                 gpointer user_data);

/* A transport for the agent's protocol, owned by the caller. It is "closed" when the domain, the
 * agent or the connection is gone. */
MfTransport *mf_libvirt_open_agent_finish(GAsyncResult *result, GError **error);
