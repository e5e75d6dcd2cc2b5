/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The program as PID 1 of the initramfs: up to the ready point, then CONF, then whatever the host
 * asks for. Returns only when the machine is of no use; the kernel panics then, and the last line
 * in its log says why.
 */
int mfg_init_main(void);
