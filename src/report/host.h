/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* Where and with what a report was made. */
typedef struct {
    char *mayfly; /* owned; its version */
    char *name;   /* owned; the host's */
    char *kernel; /* owned; "Linux 6.1.0-56-amd64" */
    char *arch;   /* owned */
    guint cpus;   /* that this process may use */
} MfReportHost;

/* This one. */
MfReportHost *mf_report_host_new(void);
void mf_report_host_free(MfReportHost *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfReportHost, mf_report_host_free)
