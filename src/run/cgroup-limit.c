/* SPDX-License-Identifier: Apache-2.0 */
#include "run/cgroup-limit.h"

/* In microseconds: what a kernel takes for cpu.max. */
#define QUOTA_MIN  1000
#define PERIOD_MIN 1000
#define PERIOD_MAX 1000000

#define CPUS "(all|(N|[0-9]+)(-(N|[0-9]+)(:[0-9]+/[0-9]+)?)?)"

typedef struct {
    const char *file;
    const char *form;                                   /* a GRegex of the whole value */
    gboolean (*is_good)(GMatchInfo *match, guint cpus); /* what the form does not say; or NULL */
    const char *expected;
} Limit;

/* The group of that name as a number; 'fallback' when it is not there. */
static guint64
fetch_number(GMatchInfo *match, const char *group, guint64 fallback)
{
    g_autofree char *text = g_match_info_fetch_named(match, group);

    return text && *text ? g_ascii_strtoull(text, NULL, 10) : fallback;
}

static gboolean
is_good_time(GMatchInfo *match, guint cpus)
{
    guint64 period = fetch_number(match, "period", PERIOD_MIN);

    return fetch_number(match, "quota", QUOTA_MIN) >= QUOTA_MIN && period >= PERIOD_MIN &&
           period <= PERIOD_MAX;
}

/* Of a list as the kernel reads it; 'N' is the last one. */
static guint64
read_cpu(const char *text, const char **ret_end, guint cpus)
{
    if (*text == 'N') {
        *ret_end = text + 1;
        return cpus - 1;
    }
    return g_ascii_strtoull(text, (char **)ret_end, 10);
}

/* "3", "0-3", "0-N:1/2" or "all". */
static gboolean
is_good_range(const char *item, guint cpus)
{
    const char *end;
    guint64 first = read_cpu(item, &end, cpus);
    guint64 last = *end == '-' ? read_cpu(end + 1, &end, cpus) : first;

    return first <= last && last < cpus;
}

static gboolean
is_good_list(GMatchInfo *match, guint cpus)
{
    g_auto(GStrv) items = g_strsplit(g_match_info_get_string(match), ",", -1);

    for (char **item = items; *item; item++)
        if (!is_good_range(*item, cpus))
            return FALSE;
    return TRUE;
}

static const Limit limits[] = {
    {"cpu.max", "(max|(?<quota>[0-9]+))( +(?<period>[0-9]+))?", is_good_time,
     "microseconds of processor time, at least 1000, or \"max\", and the microseconds that they "
     "are of, 1000 to 1000000, such as \"20000 100000\""},
    {"cpuset.cpus", CPUS "(," CPUS ")*", is_good_list,
     "processors that the machine has, such as \"0-1\" or \"0,2\""},
    {"io.max", "[0-9]+:[0-9]+( +[rw](bps|iops)=(max|0*[1-9][0-9]*))+", NULL,
     "a device and its rates, rbps, wbps, riops and wiops, such as \"8:0 rbps=1048576\""},
    {"memory.max", "max|(0[xX][0-9a-fA-F]+|[0-9]+)[KMGTPEkmgtpe]?", NULL,
     "bytes, with K, M, G or T for more, or \"max\", such as \"64M\""},
};

char *
mf_cgroup_limit_find_flaw(const char *file, const char *value, guint cpus)
{
    for (gsize i = 0; i < G_N_ELEMENTS(limits); i++) {
        const Limit *limit = &limits[i];
        g_autofree char *pattern = g_strdup_printf("\\A(?:%s)\\z", limit->form);
        g_autoptr(GRegex) regex = NULL;
        g_autoptr(GMatchInfo) match = NULL;

        if (!g_str_equal(limit->file, file))
            continue;
        regex = g_regex_new(pattern, 0, 0, NULL);
        if (g_regex_match(regex, value, 0, &match) &&
            (!limit->is_good || limit->is_good(match, cpus)))
            return NULL;
        return g_strdup(limit->expected);
    }
    return NULL;
}
