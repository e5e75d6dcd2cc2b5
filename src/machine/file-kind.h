/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* What a file that is no kernel looks like by its first bytes, as the end of the sentence "it
 * looks like ..." with the advice that fits; NULL when they tell nothing. For messages only. */
const char *mf_file_kind_describe(const guint8 *head, gsize size);
