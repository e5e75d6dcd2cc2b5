/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * How a payload ended, as the JSON of its PMET frame (wire/guest-protocol.h).
 */
struct mfg_payload_end {
    const char *error; /* borrowed; it could not be started: nothing else counts. Or NULL */
    int status;        /* 0 to 255, or minus the signal that killed it */
    bool timed_out, killed;
    int64_t duration_us;
    uint64_t bytes[2], kept[2]; /* of the two outputs */
    json_object *cgroup;        /* owned; statistics, or NULL */
};

/* Writes the text, without a NUL, and frees what 'end' owns. Returns its length, which is within
 * 'size': statistics for which there is no room are left out. 'size' is at least
 * MFG_PAYLOAD_REPORT_MIN. */
size_t mfg_payload_report_write(struct mfg_payload_end *end, char *into, size_t size);

#define MFG_PAYLOAD_REPORT_MIN 4096
