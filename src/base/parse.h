/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * Strict readers of what people type. The whole text must be used; signs, leading or trailing
 * space, empty text and overflow are errors. All fail with MF_ERROR_CONFIG and one sentence that
 * quotes the text and says what is expected.
 */

/* A size in bytes: decimal digits and an optional suffix K, M, G, T (powers of 1024; also KiB,
 * MiB, ... and either case). Without a suffix the number is multiplied by 'unit': 1 for bytes,
 * MF_MIB for QEMU's habit that "-m 512" means mebibytes. */
gboolean mf_parse_size(const char *text, guint64 unit, guint64 *ret_bytes, GError **error);

/* Whether it is a number as above, maybe a larger one than can be held: why mf_parse_size() refuses
 * it is its size alone. */
gboolean mf_parse_is_written_as_size(const char *text);

/* A duration in milliseconds: one or more of number + unit (ms, s, m, h, d) in that spelling,
 * such as "90s", "1m30s", "1.5s", "250ms"; a bare number is seconds, as for timeout(1). "0" is
 * accepted and by convention means no limit. No more than can be counted in nanoseconds too. */
gboolean mf_parse_duration(const char *text, gint64 *ret_ms, GError **error);

/* As mf_parse_is_written_as_size(). */
gboolean mf_parse_is_written_as_duration(const char *text);

/* A decimal number within [min, max]; 'what' names the value in the message ("CPU count"). */
gboolean mf_parse_uint(const char *text, const char *what, guint64 min, guint64 max,
                       guint64 *ret_value, GError **error);

/* The place of 'text' in 'names', whose last is NULL; 'what' names the choice in the message, with
 * its article ("a root mode"). */
gboolean mf_parse_choice(const char *text, const char *what, const char *const *names,
                         guint *ret_index, GError **error);

/* A signal's number: its name, with or without "SIG" and in either case, or the number itself, from
 * 1 to 64. */
gboolean mf_parse_signal(const char *text, int *ret_signal, GError **error);

/* "1.5 GiB" and "2m30s" for people. Owned by the caller. */
char *mf_format_size(guint64 bytes);
char *mf_format_duration(gint64 ms);

/* A number in its shortest form that reads back as the same: "200", "0.1", "NaN". Owned by the
 * caller. */
char *mf_format_number(double number);

#define MF_KIB (G_GUINT64_CONSTANT(1) << 10)
#define MF_MIB (G_GUINT64_CONSTANT(1) << 20)
#define MF_GIB (G_GUINT64_CONSTANT(1) << 30)
