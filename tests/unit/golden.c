/* SPDX-License-Identifier: Apache-2.0 */
#include "golden.h"

#include <glib.h>

void
golden_assert(const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(g_getenv("MAYFLY_GOLDEN_DIR"), name, NULL);
    g_autofree char *expected = NULL;
    g_autoptr(GError) error = NULL;

    if (g_getenv("MAYFLY_REGENERATE")) {
        g_file_set_contents(path, text, -1, &error);
        g_assert_no_error(error);
        return;
    }
    g_file_get_contents(path, &expected, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(text, ==, expected);
}
