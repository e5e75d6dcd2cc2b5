/* SPDX-License-Identifier: Apache-2.0 */
#include "run/splat-watch.h"

#include <string.h>

struct _MfSplatWatch {
    MfSplatPolicy *policy;                          /* owned */
    MfSplatScanner *scanners[MF_N_CONSOLE_SOURCES]; /* owned */
};

MfSplatWatch *
mf_splat_watch_new(const MfTarget *target, GError **error)
{
    g_autoptr(MfSplatWatch) self = g_new0(MfSplatWatch, 1);

    self->policy =
        mf_splat_policy_new(target->splat, target->splat_allow, target->splat_deny, error);
    if (!self->policy)
        return NULL;
    for (int source = 0; source < MF_N_CONSOLE_SOURCES; source++)
        self->scanners[source] = mf_splat_scanner_new();
    return g_steal_pointer(&self);
}

void
mf_splat_watch_free(MfSplatWatch *self)
{
    if (!self)
        return;
    mf_splat_policy_free(self->policy);
    for (int source = 0; source < MF_N_CONSOLE_SOURCES; source++)
        mf_splat_scanner_free(self->scanners[source]);
    g_free(self);
}

void
mf_splat_watch_feed(MfSplatWatch *self, MfConsoleSource source, const char *line)
{
    mf_splat_scanner_feed(self->scanners[source], line);
}

gboolean
mf_splat_watch_has_failure(MfSplatWatch *self)
{
    for (int source = 0; source < MF_N_CONSOLE_SOURCES; source++) {
        const GPtrArray *splats;

        mf_splat_scanner_finish(self->scanners[source]);
        splats = mf_splat_scanner_get_splats(self->scanners[source]);
        for (guint i = 0; i < splats->len; i++)
            if (mf_splat_policy_judge(self->policy, splats->pdata[i]) == MF_SPLAT_RULE_FAIL)
                return TRUE;
    }
    return FALSE;
}

/* The one with the same words. Where a call trace is missing the fingerprints differ. */
static MfSplat *
find_title(const GPtrArray *splats, const MfSplat *wanted)
{
    for (guint i = 0; i < splats->len; i++) {
        MfSplat *splat = g_ptr_array_index(splats, i);

        if (splat->kind == wanted->kind && g_str_equal(splat->title, wanted->title))
            return splat;
    }
    return NULL;
}

void
mf_splat_watch_conclude(MfSplatWatch *self, MfResult *result)
{
    GPtrArray *found;

    mf_splat_scanner_finish(self->scanners[MF_CONSOLE_SERIAL]);
    mf_splat_scanner_finish(self->scanners[MF_CONSOLE_KERNEL_LOG]);
    found = mf_splat_scanner_take_splats(self->scanners[MF_CONSOLE_KERNEL_LOG]);

    g_autoptr(GPtrArray) spoken = mf_splat_scanner_take_splats(self->scanners[MF_CONSOLE_SERIAL]);
    while (spoken->len > 0) {
        MfSplat *splat = g_ptr_array_steal_index(spoken, 0);
        MfSplat *same = find_title(found, splat);

        if (!same) {
            g_ptr_array_add(found, splat);
            continue;
        }
        /* The log was cut off by the guest's end, or the serial port was spared the details. */
        if (strlen(splat->report) > strlen(same->report)) {
            g_free(same->report);
            same->report = g_steal_pointer(&splat->report);
        }
        mf_splat_free(splat);
    }
    mf_splat_policy_apply(self->policy, found, result);
}
