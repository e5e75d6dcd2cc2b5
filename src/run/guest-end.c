/* SPDX-License-Identifier: Apache-2.0 */
#include "run/guest-end.h"

#include <signal.h>
#include <sys/wait.h>

gboolean
mf_guest_end_is_panic(MfMachine *machine)
{
    return mf_machine_has_panicked(machine) ||
           mf_machine_get_end(machine) == MF_MACHINE_END_PANIC ||
           mf_console_contains(mf_machine_get_console(machine), MF_PANIC_WORDS);
}

gboolean
mf_guest_end_is_by_host(MfMachine *machine)
{
    static const int ending[] = {SIGHUP, SIGINT, SIGQUIT, SIGKILL, SIGTERM};
    gboolean by_host = mf_machine_get_end(machine) == MF_MACHINE_END_HOST;
    gboolean complained;
    int status;

    if (!mf_machine_get_exit(machine, &status, &complained) || !WIFSIGNALED(status))
        return by_host;
    for (gsize i = 0; i < G_N_ELEMENTS(ending); i++)
        by_host = by_host || WTERMSIG(status) == ending[i];
    return by_host;
}

char *
mf_guest_end_describe_panic(MfMachine *machine, MfPhase phase)
{
    g_autofree char *words = mf_console_find_line(mf_machine_get_console(machine), MF_PANIC_WORDS);

    return g_strdup_printf("The guest's kernel panicked during %s%s%s", mf_phase_name(phase),
                           words ? ": " : ".", words ? words : "");
}

MfVerdict
mf_guest_end_judge(MfMachine *machine, MfPhase phase, const GError *error, char **ret_message)
{
    MfMachineEnd end = mf_machine_get_end(machine);

    if (mf_guest_end_is_panic(machine)) {
        *ret_message = mf_guest_end_describe_panic(machine, phase);
        return MF_VERDICT_CRASHED;
    }
    if (end == MF_MACHINE_END_POWEROFF || end == MF_MACHINE_END_RESET) {
        *ret_message =
            g_strdup_printf("The guest %s during %s.",
                            end == MF_MACHINE_END_POWEROFF ? "powered itself off" : "rebooted",
                            mf_phase_name(phase));
        return MF_VERDICT_FAILED;
    }
    *ret_message = g_strdup(error->message);
    return mf_verdict_from_error(error);
}
