/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/exec-record.h"
#include "guest/reason.h"

/*
 * The payload record of wire/guest-protocol.h, read and checked.
 */
struct mfg_payload_record {
    struct mfg_exec_record exec;
    int64_t timeout_ms;  /* 0: none */
    const char *cgroup;  /* borrowed from exec; NULL: one without a name */
    const char **limits; /* owned, NULL-terminated */
    bool parent_group;
};

/* Returns false with one sentence in 'reason'. */
bool mfg_payload_record_parse(const char *data, size_t size, struct mfg_payload_record *ret_record,
                              const struct mfg_reason *reason);
void mfg_payload_record_clear(struct mfg_payload_record *record);
