/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/payload-report.h"

#include <string.h>

#include "guest/json-build.h"

static void
put_output(json_object **report, const char *name, uint64_t bytes, uint64_t kept)
{
    json_object *output = json_object_new_object();

    mfg_json_build_put(&output, "bytes", json_object_new_uint64(bytes));
    mfg_json_build_put(&output, "discarded", json_object_new_uint64(bytes - kept));
    mfg_json_build_put(report, name, output);
}

static json_object *
build(const struct mfg_payload_end *end)
{
    json_object *report = json_object_new_object();

    if (end->error) {
        mfg_json_build_put(&report, "error", mfg_json_build_text(end->error));
        return report;
    }
    mfg_json_build_put(&report, end->status < 0 ? "signal" : "status",
                       json_object_new_int(end->status < 0 ? -end->status : end->status));
    mfg_json_build_put(&report, "timed-out", json_object_new_boolean(end->timed_out));
    mfg_json_build_put(&report, "killed", json_object_new_boolean(end->killed));
    mfg_json_build_put(&report, "duration-us", json_object_new_int64(end->duration_us));
    put_output(&report, "stdout", end->bytes[0], end->kept[0]);
    put_output(&report, "stderr", end->bytes[1], end->kept[1]);
    if (end->cgroup)
        mfg_json_build_put(&report, "cgroup", json_object_get(end->cgroup));
    return report;
}

/* Copies the text of 'report' if it fits. Returns its length, or 0. */
static size_t
print(json_object *report, char *into, size_t size)
{
    size_t length = 0;
    const char *text =
        report ? json_object_to_json_string_length(report, JSON_C_TO_STRING_PLAIN, &length) : NULL;

    if (!text || length > size)
        return 0;
    memcpy(into, text, length);
    return length;
}

size_t
mfg_payload_report_write(struct mfg_payload_end *end, char *into, size_t size)
{
    static const char failure[] =
        "{\"error\":\"there is no memory in the guest to report how the payload ended\"}";
    json_object *report = build(end);
    size_t length = print(report, into, size);

    if (length == 0 && report && end->cgroup) {
        json_object_object_del(report, "cgroup");
        length = print(report, into, size);
    }
    json_object_put(report);
    json_object_put(end->cgroup);
    end->cgroup = NULL;
    if (length > 0)
        return length;
    memcpy(into, failure, sizeof(failure) - 1);
    return sizeof(failure) - 1;
}
