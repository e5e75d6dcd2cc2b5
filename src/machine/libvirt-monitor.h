/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * The monitor of a domain's QEMU, as the peer of a line caller (wire/line-caller.h). The connection
 * to it is libvirt's, which passes on commands that it does not have to know, and has negotiated
 * everything already.
 */

/* One command of QMP's, and its reply; 'link' is the MfLibvirtLink of the domain. Blocks. Owned by
 * the caller. */
char *mf_libvirt_monitor_answer(const char *line, gpointer link);
