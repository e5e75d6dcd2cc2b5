/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine/spec.h"

/* What can be said of a connection, and of a machine that is to be started over it, without it. All
 * are pure functions. */

/* Whether the URI leads to another host, as far as it says: it names a host, and no socket of this
 * one. */
gboolean mf_libvirt_uri_is_remote(const char *uri);

/* Whether it can be one: libvirt itself would take an empty one for whatever its own configuration
 * has as the default. MF_ERROR_CONFIG. */
gboolean mf_libvirt_uri_check(const char *uri, GError **error);

/* What to see to where nobody answers at 'uri', a sentence: the daemon of this host that would;
 * NULL where the URI says itself who it is. */
const char *mf_libvirt_uri_advise(const char *uri);

/* Whether libvirt can start the machine at 'spec->connect'. There is no way for some things to go
 * through it; and what the machine reads has to be there: with a remote host only what is in or
 * below one of the directories 'shared' (absolute paths; or NULL) is the same on both.
 * MF_ERROR_CONFIG. */
gboolean mf_libvirt_check_spec(const MfSpec *spec, const char *const *shared, GError **error);
