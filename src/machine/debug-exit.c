/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/debug-exit.h"

#include <string.h>
#include <sys/wait.h>

#include "base/error.h"

#define STATUS_MAX 255u

guint
mf_debug_exit_get_status(guint32 value)
{
    return (value << 1 | 1) & STATUS_MAX;
}

gboolean
mf_debug_exit_check(MfArch arch, gint64 status, GError **error)
{
    if (arch != MF_ARCH_X86_64) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "A guest for %s cannot end QEMU with an exit status of its own: the device "
                    "isa-debug-exit is x86_64's only.",
                    mf_arch_name(arch));
        return FALSE;
    }
    if (status > 0 && status <= STATUS_MAX && status % 2 == 1)
        return TRUE;
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                "No guest can end QEMU with the exit status %" G_GINT64_FORMAT
                ": isa-debug-exit makes 2 * V + 1 of the value V that it is written, an odd number "
                "from 1 to 255.",
                status);
    return FALSE;
}

void
mf_debug_exit_add_to_argv(MfArgv *argv)
{
    mf_argv_add(argv, "-device");
    mf_argv_addf(argv, "isa-debug-exit,iobase=%#x,iosize=0x4", MF_DEBUG_EXIT_PORT);
}

char *
mf_debug_exit_judge(guint success, int wait_status)
{
    guint status;

    if (!WIFEXITED(wait_status))
        return g_strdup_printf("QEMU was killed by signal %d (%s), where the exit status %u was "
                               "expected.",
                               WTERMSIG(wait_status), strsignal(WTERMSIG(wait_status)), success);
    status = (guint)WEXITSTATUS(wait_status);
    if (status == success)
        return NULL;
    if (status % 2 == 0)
        return g_strdup_printf("The machine ended with the exit status %u and without a value from "
                               "the guest, where %u was expected: the guest has to write %#x to "
                               "port %#x.",
                               status, success, success / 2, MF_DEBUG_EXIT_PORT);
    return g_strdup_printf("The guest ended with the exit status %u (it wrote %#x), where %u (%#x) "
                           "was expected.",
                           status, status / 2, success, success / 2);
}
