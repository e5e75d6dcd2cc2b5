/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine/doctor.h"

/* What 'mayfly doctor' prints of its checks (of MfDoctorCheck): complete texts, owned by the
 * caller.
 */

/* Increased when something that was there is gone or means something else. */
#define MF_DOCTOR_JSON_VERSION 1

/* A line for each check, with what to do below it, and what to do first at the end. */
char *mf_report_doctor_text(const GPtrArray *checks);

/* The document that data/mayfly-doctor.schema.json describes. */
char *mf_report_doctor_json(const GPtrArray *checks, MfDistro distro);
