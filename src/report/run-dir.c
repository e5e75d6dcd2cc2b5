/* SPDX-License-Identifier: Apache-2.0 */
#include "report/run-dir.h"

#include <string.h>

#include "base/fd.h"
#include "report/json.h"
#include "report/timeline.h"
#include "suite/run-dir.h"
#include "wire/json.h"

struct _MfReportRunDir {
    GError *error; /* owned; the first one */
};

MfReportRunDir *
mf_report_run_dir_new(void)
{
    return g_new0(MfReportRunDir, 1);
}

void
mf_report_run_dir_free(MfReportRunDir *self)
{
    if (!self)
        return;
    g_clear_error(&self->error);
    g_free(self);
}

static void
write_file(MfReportRunDir *self, const char *directory, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(directory, name, NULL);

    if (!self->error)
        mf_file_replace(path, text, strlen(text), 0666, &self->error);
}

void
mf_report_run_dir_feed(const MfEvent *event, gpointer data)
{
    MfReportRunDir *self = data;
    const char *directory = event->kind == MF_EVENT_CASE_FINISHED ? event->outcome->run_dir : NULL;

    if (!directory)
        return;

    const MfCase *kase = g_ptr_array_index(event->cases, event->index);
    g_autoptr(json_object) document = mf_report_json_case(kase, event->outcome);
    g_autofree char *text = mf_json_to_text(document);
    write_file(self, directory, MF_RUN_DIR_RESULT, text);
    if (event->outcome->result) {
        g_autofree char *picture = mf_timeline_to_svg(kase->name, event->outcome->result);

        write_file(self, directory, MF_RUN_DIR_TIMELINE, picture);
    }
}

gboolean
mf_report_run_dir_close(MfReportRunDir *self, GError **error)
{
    if (!self->error)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&self->error));
    return FALSE;
}
