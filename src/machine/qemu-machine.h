/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine/machine.h"

/*
 * A machine that is a QEMU process of mayfly's own: a child, with socketpairs as its channels, and
 * the daemons of its shares beside it. The kernel kills them all when mayfly dies.
 */
#define MF_TYPE_QEMU_MACHINE (mf_qemu_machine_get_type())
G_DECLARE_FINAL_TYPE(MfQemuMachine, mf_qemu_machine, MF, QEMU_MACHINE, MfMachine)

/* Starts QEMU for 'spec', and a daemon for each virtiofs share. MF_ERROR_HOST when one of them
 * cannot be executed. */
MfMachine *mf_qemu_machine_launch(const MfSpec *spec, GError **error);
