/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "wire/transport.h"

/*
 * A transport over a descriptor of this process: a stream socket, or one end of a pipe (which then
 * only reads or only writes); or over the ends of two pipes. It lives on the default main context
 * and never blocks.
 */
#define MF_TYPE_FD_TRANSPORT (mf_fd_transport_get_type())
G_DECLARE_FINAL_TYPE(MfFdTransport, mf_fd_transport, MF, FD_TRANSPORT, GObject)

/* Takes 'fd' over and makes it non-blocking and close-on-exec. 'peer' names the other side in
 * messages: "QEMU's monitor". Connect to the signals before the main loop runs again. Writing to a
 * pipe needs SIGPIPE ignored; sockets do not. Only local sockets carry descriptors.
 *
 * "closed" has MF_ERROR_LOST. After a failed write what can still be read is delivered first. */
MfTransport *mf_fd_transport_new(int fd, const char *peer);

/* The same over two pipes: what comes is read from 'read_fd', and what is sent is written to
 * 'write_fd'. The end of what comes is the end of both. */
MfTransport *mf_fd_transport_new_pipes(int read_fd, int write_fd, const char *peer);
