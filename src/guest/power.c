/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/power.h"

#include <signal.h>
#include <sys/reboot.h>
#include <unistd.h>

void
mfg_power_end(enum mfg_power how)
{
    static const int commands[] = {
        [MFG_POWER_OFF] = RB_POWER_OFF,
        [MFG_POWER_REBOOT] = RB_AUTOBOOT,
        [MFG_POWER_HALT] = RB_HALT_SYSTEM,
    };

    sync();
    reboot(commands[how]);
}

bool
mfg_power_of_signal(int number, enum mfg_power *ret_how)
{
    if (number == SIGUSR2 || number == SIGRTMIN + 4)
        *ret_how = MFG_POWER_OFF;
    else if (number == SIGTERM || number == SIGINT || number == SIGRTMIN + 5)
        *ret_how = MFG_POWER_REBOOT;
    else if (number == SIGUSR1 || number == SIGRTMIN + 3)
        *ret_how = MFG_POWER_HALT;
    else
        return false;
    return true;
}
