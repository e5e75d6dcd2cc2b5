/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine/spec.h"

/*
 * A spec as a domain of libvirt's: templates/libvirt/domain.xml.in with its holes filled. A pure
 * function, as the QEMU command line is; what a domain has no words for is in it as arguments for
 * QEMU (mf_spec_add_rest_to_argv()). 'name' is the domain's. Owned by the caller.
 *
 * Each device has an address on the machine's own bus: where libvirt chooses, each is behind a port
 * of its own, which the guest has to find first. The lowest slots are left to devices that come as
 * arguments.
 */
char *mf_libvirt_domain_to_xml(const MfSpec *spec, const char *name);

/* A name that no other domain has: "mayfly-" and a number. It is short, since it is in the path of
 * sockets, which may not be long. Owned by the caller. */
char *mf_libvirt_domain_make_name(void);
