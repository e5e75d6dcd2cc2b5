/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "run/stdio.h"
#include "wire/transport.h"

/* More than this (bytes) of what the guest said is not kept for who reads slowly. */
#define MF_SERIAL_LINK_QUEUE_MAX (1u << 20)

/*
 * Joins the serial port of a guest that has no command to the streams that a command would have:
 * what the guest says goes to the standard output as it comes, byte for byte, and the standard
 * input is what is typed there, as fast as the guest reads it.
 */
#define MF_TYPE_SERIAL_LINK (mf_serial_link_get_type())
G_DECLARE_FINAL_TYPE(MfSerialLink, mf_serial_link, MF, SERIAL_LINK, GObject)

/* 'serial', the machine's end of the port, is referenced; 'stdio' is borrowed for the object's
 * life. Nothing is typed before mf_serial_link_open(). */
MfSerialLink *mf_serial_link_new(MfTransport *serial, MfStdio *stdio);

/* From here on the guest gets what is typed. */
void mf_serial_link_open(MfSerialLink *self);

/* What the guest said and nobody has read yet, bytes. Beyond MF_SERIAL_LINK_QUEUE_MAX the guest has
 * to wait. */
gsize mf_serial_link_get_queued(MfSerialLink *self);

/* Signals:
 *   "flushed" ()              all that the guest said so far is read, or nobody reads any more
 *   "failed"  (GError *error) what it said cannot be written, or what is to be typed not be read:
 *                             MF_ERROR_HOST */
