/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/payload-record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "wire/cgroup-name.h"
#include "wire/guest-protocol.h"
#include "wire/record.h"

/* More than any set of limits has: io.max has one for each disk. */
#define LIMITS_MAX 256

struct filling {
    struct mfg_payload_record *record;
    size_t n_limits;
};

/* A hundred years: what is longer is a mistake, and would overflow. */
#define TIMEOUT_MAX_MS (100 * 366 * INT64_C(86400000))

static bool
read_timeout(const char *value, int64_t *ret_timeout_ms)
{
    long long number;

    if (!*value || strspn(value, "0123456789") != strlen(value))
        return false;
    errno = 0;
    number = strtoll(value, NULL, 10);
    if (errno || number < 1 || number > TIMEOUT_MAX_MS)
        return false;
    *ret_timeout_ms = number;
    return true;
}

static bool
add_limit(struct filling *filling, const char *value)
{
    const char *equals = strchr(value, '=');

    if (!equals || !equals[1] || !mf_cgroup_limit_is_known(value, (size_t)(equals - value)) ||
        filling->n_limits == LIMITS_MAX)
        return false;
    filling->record->limits[filling->n_limits++] = value;
    return true;
}

static bool
read_field(void *data, const char *key, size_t length, const char *value)
{
    struct filling *filling = data;
    struct mfg_payload_record *record = filling->record;

    if (mf_record_key_is(key, length, MF_PAYLOAD_TIMEOUT))
        return read_timeout(value, &record->timeout_ms);
    if (mf_record_key_is(key, length, MF_PAYLOAD_LIMIT))
        return add_limit(filling, value);
    if (mf_record_key_is(key, length, MF_PAYLOAD_PARENT_PGRP))
        return record->parent_group = strcmp(value, "1") == 0;
    if (!mf_record_key_is(key, length, MF_PAYLOAD_CGROUP))
        return false;
    record->cgroup = *value ? value : NULL;
    return true;
}

static bool
check(const struct mfg_payload_record *record, const struct mfg_reason *reason)
{
    const struct mfg_exec_record *exec = &record->exec;
    const char *problem = NULL;

    if (exec->login || exec->tty || exec->streams[0] || exec->streams[1] || exec->streams[2])
        return mfg_fail(reason, "the payload record asks for a terminal or for streams, of which a "
                                "payload has only its two outputs");
    if (record->cgroup)
        problem = mf_cgroup_name_problem(record->cgroup, strlen(record->cgroup), NULL);
    if (problem)
        return mfg_fail(reason, "the cgroup name '%.200s' %s", record->cgroup, problem);
    if (record->limits[0] && !record->cgroup)
        return mfg_fail(reason, "the payload record has the limit '%.200s' but no cgroup for it",
                        record->limits[0]);
    return true;
}

bool
mfg_payload_record_parse(const char *data, size_t size, struct mfg_payload_record *ret_record,
                         const struct mfg_reason *reason)
{
    struct mfg_payload_record record = {.limits = calloc(LIMITS_MAX + 1, sizeof(char *))};
    struct filling filling = {.record = &record};
    bool good = false;

    if (!record.limits)
        mfg_fail(reason, "there is no memory for the payload record");
    else if (size > MF_PAYLOAD_RECORD_MAX)
        mfg_fail(reason, "the payload record has %zu bytes, and may have %u", size,
                 MF_PAYLOAD_RECORD_MAX);
    else
        good = mfg_exec_record_parse_with(data, size, read_field, &filling, &record.exec,
                                          reason->text, reason->size) &&
               check(&record, reason);
    if (!good) {
        mfg_payload_record_clear(&record);
        return false;
    }
    *ret_record = record;
    return true;
}

void
mfg_payload_record_clear(struct mfg_payload_record *record)
{
    mfg_exec_record_clear(&record->exec);
    free(record->limits);
    *record = (struct mfg_payload_record){0};
}
