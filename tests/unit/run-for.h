/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

static gboolean
run_for_on_over(gpointer over)
{
    *(gboolean *)over = TRUE;
    return G_SOURCE_REMOVE;
}

/* Lets the main loop run for that long. */
static void
run_for(guint ms)
{
    gboolean over = FALSE;

    g_timeout_add(ms, run_for_on_over, &over);
    while (!over)
        g_main_context_iteration(NULL, TRUE);
}
