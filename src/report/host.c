/* SPDX-License-Identifier: Apache-2.0 */
#include "report/host.h"

#include <sys/utsname.h>

#include "config.h"
#include "machine/host.h"

MfReportHost *
mf_report_host_new(void)
{
    MfReportHost *self = g_new0(MfReportHost, 1);
    struct utsname names;

    uname(&names);
    self->mayfly = g_strdup(MF_VERSION);
    self->name = g_utf8_make_valid(names.nodename, -1);
    self->kernel = g_strdup_printf("%s %s", names.sysname, names.release);
    self->arch = g_strdup(names.machine);
    self->cpus = mf_host_count_cpus();
    return self;
}

void
mf_report_host_free(MfReportHost *self)
{
    if (!self)
        return;
    g_free(self->mayfly);
    g_free(self->name);
    g_free(self->kernel);
    g_free(self->arch);
    g_free(self);
}
