/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/jobs.h"

#include <string.h>

#include "base/parse.h"
#include "machine/host.h"
#include "suite/case.h"

/* QEMU itself, its buffer of translated code, and a share's daemon: 60 to 110 MiB were measured. */
#define COST_QEMU (128 * MF_MIB)

/* A copy of a saved machine shares what it does not write with the others: 95 MiB in all were
 * measured for an idle one of 1 GiB, where one that has booted has 280. A quarter leaves room for a
 * command. One that boots may fill its memory with the files that it reads. */
#define CLONE_SHARE 4

#define CGROUP_ROOT "/sys/fs/cgroup"

guint64
mf_capacity_parse_meminfo(const char *text)
{
    static const char key[] = "MemAvailable:";
    const char *line = strstr(text, key);

    return line ? g_ascii_strtoull(line + strlen(key), NULL, 10) * 1024 : 0;
}

/* A number in a file of a control group; FALSE for "max" and where there is none. */
static gboolean
read_number(const char *directory, const char *name, guint64 *ret_value)
{
    g_autofree char *path = g_build_filename(directory, name, NULL);
    g_autofree char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL) || !g_ascii_isdigit(*text))
        return FALSE;
    *ret_value = g_ascii_strtoull(text, NULL, 10);
    return TRUE;
}

/* Files that the kernel keeps in memory count as used by a group, and give way to a VM. */
static guint64
cached_by(const char *directory)
{
    g_autofree char *path = g_build_filename(directory, "memory.stat", NULL);
    g_autofree char *text = NULL;
    const char *line;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return 0;
    line = strstr(text, "\ninactive_file ");
    return line ? g_ascii_strtoull(strchr(line, ' '), NULL, 10) : 0;
}

/* What the control group, and every one around it, leaves of the memory. */
static guint64
room_in_cgroups(void)
{
    g_autofree char *text = NULL;
    g_autofree char *directory = NULL;
    guint64 room = G_MAXUINT64;

    if (!g_file_get_contents("/proc/self/cgroup", &text, NULL, NULL) ||
        !g_str_has_prefix(text, "0::/"))
        return room;
    text[strcspn(text, "\n")] = '\0';
    directory = g_build_filename(CGROUP_ROOT, text + strlen("0::"), NULL);
    while (g_str_has_prefix(directory, CGROUP_ROOT)) {
        char *parent = g_path_get_dirname(directory);
        guint64 limit, used;

        if (read_number(directory, "memory.max", &limit) &&
            read_number(directory, "memory.current", &used)) {
            used -= MIN(used, cached_by(directory));
            room = MIN(room, limit - MIN(limit, used));
        }
        g_free(directory);
        directory = parent;
    }
    return room;
}

void
mf_capacity_probe(MfCapacity *ret_capacity)
{
    g_autofree char *text = NULL;
    guint64 available = 0;

    if (g_file_get_contents("/proc/meminfo", &text, NULL, NULL))
        available = mf_capacity_parse_meminfo(text);
    ret_capacity->cpus = mf_host_count_cpus();
    ret_capacity->memory = MIN(available ? available : G_MAXUINT64, room_in_cgroups());
}

guint64
mf_jobs_cost(const GPtrArray *cases)
{
    guint64 highest = COST_QEMU;

    for (guint i = 0; i < cases->len; i++) {
        const MfTarget *target = ((const MfCase *)g_ptr_array_index(cases, i))->target;
        gboolean boots = target->cold || target->image || target->uefi || target->no_initramfs ||
                         target->share_type == MF_SHARE_VIRTIOFS || target->disks->len > 0 ||
                         target->net != MF_NET_NONE || target->numa->len > 0;
        guint64 cost = COST_QEMU + (boots ? target->memory : target->memory / CLONE_SHARE);

        highest = MAX(highest, cost);
    }
    return highest;
}

guint
mf_jobs_choose(const MfCapacity *capacity, guint64 cost, guint n_cases)
{
    guint64 fit = capacity->memory / MAX(cost, 1);
    guint64 jobs = MIN(MIN(fit, capacity->cpus), n_cases);

    return (guint)MAX(jobs, 1);
}
