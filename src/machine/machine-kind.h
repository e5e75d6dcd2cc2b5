/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine/machine.h"

/* For those who derive from MfMachine: the kinds of machine, each by another way to have QEMU. */

/* The machine's end of a channel, which may come to be connected later. 'transport' is taken. */
void mf_machine_take_channel(MfMachine *self, MfChannel channel, MfTransport *transport);

/* Starts the clients on the channels, which are all there. A machine that is 'held' still talks QMP
 * when its guest has ended. */
void mf_machine_start_talking(MfMachine *self, gboolean held);

/* Tells everybody, once, that the machine is of no more use: what is pending fails with 'error'.
 * Nobody is told of a machine that is being stopped. */
void mf_machine_report_end(MfMachine *self, const GError *error);

gboolean mf_machine_is_opened(MfMachine *self);
gboolean mf_machine_is_stopping(MfMachine *self);
gboolean mf_machine_has_ended(MfMachine *self);
