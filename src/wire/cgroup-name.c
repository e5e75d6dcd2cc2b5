/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/cgroup-name.h"

#include <string.h>

static bool
has_parent_part(const char *name, size_t length)
{
    for (size_t start = 0; start < length;) {
        const char *slash = memchr(name + start, '/', length - start);
        size_t end = slash ? (size_t)(slash - name) : length;

        if (end - start == 2 && memcmp(name + start, "..", 2) == 0)
            return true;
        start = end + 1;
    }
    return false;
}

const char *
mf_cgroup_name_problem(const char *name, size_t length, const char **ret_name)
{
    if (memchr(name, '\0', length))
        return "has a NUL byte in it";
    while (length > 0 && *name == '/') {
        name++;
        length--;
    }
    if (length == 0)
        return "is empty";
    if (has_parent_part(name, length))
        return "has '..' among its parts, which leads out of the place for it";
    if (length > MF_CGROUP_NAME_MAX)
        return "is longer than 1024 bytes";
    if (ret_name)
        *ret_name = name;
    return NULL;
}

bool
mf_cgroup_limit_is_known(const char *file, size_t length)
{
    static const char *const known[] = {
        "cpu.max", "cpu.weight", "cpuset.cpus", "io.max", "memory.max", "pids.max",
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strlen(known[i]) == length && memcmp(known[i], file, length) == 0)
            return true;
    return false;
}
