/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

#include "suite/case.h"

/* What 'mayfly test --list' prints of cases (of MfCase): complete texts, with the newline of their
 * last line, owned by the caller. */

/* A case's name a line; behind a tab "skipped: " and why, where that is known beforehand. */
char *mf_list_text(const GPtrArray *cases);

/* An array of objects: name, id, tags, file, line, kernel, image, arch, skip_reason. What a case
 * has none of is null. */
char *mf_list_json(const GPtrArray *cases);

/* The matrix of a GitHub job on one line: {"include":[{"name","id","filter","kernel","arch"}]};
 * 'mayfly test -f "$filter"' runs that case alone. Kernel is "" for the default one. */
char *mf_list_github(const GPtrArray *cases);
