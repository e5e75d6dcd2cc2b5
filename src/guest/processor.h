/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * On which processor a command starts. To wait for a file of the host's is to be woken by the root
 * device's interrupt; where the kernel delivers that to another processor, the two wait for each
 * other's locks, and under emulation also for QEMU's one lock, which makes an answer take up to
 * three times as long. So a command starts where its files come in, and init stays elsewhere, which
 * lets both go on at once.
 *
 * Nobody is bound to a processor by this: all may run on all of them, and the scheduler moves them
 * when it sees a reason to.
 */

/* As init, before the ready point: finds the processor of the root device's interrupt, and moves to
 * another one. Does nothing where there is no such device, or only one processor, or where the
 * kernel was told to keep some of them free. */
void mfg_processor_prepare(void);

/* In a child that is to become a command: moves there, if it is elsewhere. */
void mfg_processor_move(void);

/* Pure: the number of the interrupt that 'interrupts', the text of /proc/interrupts, calls 'name'
 * and nothing else; -1 for none. */
int mfg_processor_find_interrupt(const char *interrupts, const char *name);
