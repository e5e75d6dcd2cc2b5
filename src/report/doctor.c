/* SPDX-License-Identifier: Apache-2.0 */
#include "report/doctor.h"

#include "config.h"
#include "wire/json.h"

/* Before the message of a check: the verdict and the gaps. */
#define VERDICT_WIDTH 4

static const char *const headings[] = {
    [MF_DOCTOR_PASS] = "PASS",
    [MF_DOCTOR_WARN] = "WARN",
    [MF_DOCTOR_FAIL] = "FAIL",
};

static int
widest_subject(const GPtrArray *checks)
{
    int width = 0;

    for (guint i = 0; i < checks->len; i++) {
        const MfDoctorCheck *check = checks->pdata[i];

        width = MAX(width, (int)g_utf8_strlen(check->subject, -1));
    }
    return width;
}

static void
append_next(GString *text, const GPtrArray *checks)
{
    const MfDoctorCheck *next = mf_doctor_next(checks);

    switch (mf_doctor_judge(checks)) {
    case MF_DOCTOR_PASS:
        g_string_append(text, "Everything is there.\n");
        break;
    case MF_DOCTOR_WARN:
        g_string_append(text, "mayfly works here, with less than it could have.");
        break;
    case MF_DOCTOR_FAIL:
        g_string_append(text, "mayfly does not work here.");
        break;
    }
    if (next)
        g_string_append_printf(text, " Next, for %s: %s.\n", next->subject, next->remedy);
    else if (mf_doctor_judge(checks) != MF_DOCTOR_PASS)
        g_string_append_c(text, '\n');
}

char *
mf_report_doctor_text(const GPtrArray *checks)
{
    GString *text = g_string_new(NULL);
    int width = widest_subject(checks);

    for (guint i = 0; i < checks->len; i++) {
        const MfDoctorCheck *check = checks->pdata[i];
        int padding = width - (int)g_utf8_strlen(check->subject, -1);

        g_string_append_printf(text, "%s  %s%*s  %s\n", headings[check->verdict], check->subject,
                               padding, "", check->message);
        if (check->remedy)
            g_string_append_printf(text, "%*s  %*s  -> %s\n", VERDICT_WIDTH, "", width, "",
                                   check->remedy);
    }
    g_string_append_c(text, '\n');
    append_next(text, checks);
    return g_string_free(text, FALSE);
}

static json_object *
check_to_json(const MfDoctorCheck *check)
{
    json_object *object = json_object_new_object();

    json_object_object_add(object, "id", mf_json_new_text(check->id));
    json_object_object_add(object, "subject", mf_json_new_text(check->subject));
    json_object_object_add(object, "verdict",
                           mf_json_new_text(mf_doctor_verdict_name(check->verdict)));
    json_object_object_add(object, "message", mf_json_new_text(check->message));
    json_object_object_add(object, "remedy", mf_json_new_text(check->remedy));
    return object;
}

char *
mf_report_doctor_json(const GPtrArray *checks, MfDistro distro)
{
    g_autoptr(json_object) document = json_object_new_object();
    json_object *array = json_object_new_array();
    const MfDoctorCheck *next = mf_doctor_next(checks);

    for (guint i = 0; i < checks->len; i++)
        json_object_array_add(array, check_to_json(checks->pdata[i]));
    json_object_object_add(document, "schema_version", json_object_new_int(MF_DOCTOR_JSON_VERSION));
    json_object_object_add(document, "kind", mf_json_new_text("doctor"));
    json_object_object_add(document, "mayfly", mf_json_new_text(MF_VERSION));
    json_object_object_add(document, "distribution", mf_json_new_text(mf_distro_name(distro)));
    json_object_object_add(document, "verdict",
                           mf_json_new_text(mf_doctor_verdict_name(mf_doctor_judge(checks))));
    json_object_object_add(document, "next", mf_json_new_text(next ? next->remedy : NULL));
    json_object_object_add(document, "checks", array);
    return mf_json_to_text(document);
}
