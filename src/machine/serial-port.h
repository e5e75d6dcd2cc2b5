/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

#include "base/argv.h"
#include "wire/transport.h"

/* What the guest may be ahead of mayfly, in bytes, where this user may have so large a pipe. */
#define MF_SERIAL_PORT_AHEAD (1u << 20)

/* Under which numbers QEMU inherits the ends of the two pipes, and the directory that names them.
 */
typedef struct {
    int in;
    int out;
    int names;
} MfSerialPortFds;

/*
 * Two pipes behind the guest's serial port, for what is typed there and for what the guest says.
 * QEMU writes byte by byte, and a guest waits for a port that does not take its next byte for some
 * milliseconds only, then goes on without it: a kernel's console for 10. A pipe holds as many such
 * writes as it has bytes, where a socket is full after 277 of them (Linux 6.1, its usual 208 KiB).
 *
 * QEMU opens pipes by name, '<path>.in' and '<path>.out': links in a directory of mode 0700, whose
 * descriptor it inherits, so that its command line does not depend on the moment. *ret_names is
 * that directory, owned by the caller, who removes it when QEMU has opened them.
 *
 * Returns mayfly's ends, and adds QEMU's to 'handed' (of MfChildFd, whose descriptors are then the
 * caller's). MF_ERROR_HOST, with nothing left behind and nothing added.
 */
MfTransport *mf_serial_port_open(const MfSerialPortFds *fds, const char *peer, GArray *handed,
                                 char **ret_names, GError **error);

/* QEMU's character device of them. */
void mf_serial_port_add_to_argv(const MfSerialPortFds *fds, const char *id, MfArgv *argv);
