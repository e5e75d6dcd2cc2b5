/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <json.h>

/*
 * The result of an earlier suite, as "mayfly test --report json=FILE" wrote it; its description is
 * data/mayfly-result.schema.json.
 */

/* The version of that description which is written and read. */
#define MF_RESULT_FILE_VERSION 1

/* Larger files are refused. A suite of 1,000 cases, each with all the output that is kept of it,
 * has 200 MiB. */
#define MF_RESULT_FILE_MAX (G_GUINT64_CONSTANT(512) << 20)

/* The longest time that a result may tell of, in microseconds: a century. With it, a moment and
 * what is reckoned from both stay far from the end of 64 bits, whoever wrote the file. */
#define MF_RESULT_FILE_TIME_MAX (36525 * G_TIME_SPAN_DAY)

/* Reads 'path'. *ret_document (owned by the caller) is NULL for JSON that is something else, such
 * as the result of one case. MF_ERROR_HOST: it cannot be read; MF_ERROR_CONFIG: it is no JSON, or
 * of another version. */
gboolean mf_result_file_load(const char *path, json_object **ret_document, GError **error);
