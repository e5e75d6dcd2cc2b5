/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * virtio-serial ports, found by the name that the host gave them.
 */

/* Opens the port for reading and writing, close-on-exec and non-blocking. As PID 1 it waits for the
 * kernel to announce the port, at most ten seconds; in a system that is already up the port is
 * there or it is not. Returns -1 with errno (ENOENT: no such port) and logs nothing. */
int mfg_ports_open(const char *name);
