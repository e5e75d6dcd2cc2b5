/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * The numbers in a JSON document that a payload wrote, in one pass and without a tree of it: the
 * document may have 16 MiB and whoever wrote it may be hostile, so that memory is used for the
 * numbers alone, and nothing recurses.
 *
 * A number's name is the way to it, joined by dots, with elements by their index:
 * "jobs.0.read.iops". What is no number is skipped, and so is a number alone, which has no name. A
 * member that occurs twice is two metrics. An integer beyond 2^53 loses its last digits.
 */

/* Containers around a number: what is nested deeper is left out. */
#define MF_METRIC_DEPTH_MAX 64

/* The first region of 'text' that may be a document: from the first '{' or '[' to the bracket that
 * closes it, whatever brackets of the other kind and strings are between. FALSE when there is none,
 * or it does not close; *ret_start is then that bracket, or 'size'. */
gboolean mf_metric_json_find(const char *text, gsize size, gsize *ret_start, gsize *ret_length);

/* Appends the numbers of a document, with 'prefix' before their names, as found in stream 'fd'.
 * Strict JSON, but bytes in strings that are no UTF-8 are replaced. A subtree deeper than
 * MF_METRIC_DEPTH_MAX is left out, and a metric MF_METRIC_TRUNCATED is added, once, that has the
 * depth; then *ret_truncated is TRUE.
 *
 * Fails with MF_ERROR_PROTOCOL and appends nothing when it is malformed or ends too early, when a
 * number is beyond a double, and beyond the limits of run/metric.h. The message counts bytes from
 * 'text'. */
gboolean mf_metric_json_read(const char *text, gsize size, const char *prefix, int fd,
                             GPtrArray *metrics, gboolean *ret_truncated, GError **error);

/* Appends the numbers of the document that 'text' is, but for white space around it, else of the
 * first region of it. TRUE without any when there is no bracket at all. Fails as above, and also,
 * with what it did append, when something was left out. */
gboolean
mf_metric_json_extract(const char *text, gsize size, int fd, GPtrArray *metrics, GError **error);
