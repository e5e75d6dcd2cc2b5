/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static int
open_slave(int master)
{
    char path[64];

    if (grantpt(master) < 0 || unlockpt(master) < 0)
        return -1;
    errno = ptsname_r(master, path, sizeof(path));
    return errno ? -1 : open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

bool
mfg_terminal_open(uint16_t rows, uint16_t columns, int *ret_master, int *ret_slave)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    int slave = master < 0 ? -1 : open_slave(master);

    if (slave < 0) {
        int saved = errno;

        if (master >= 0)
            close(master);
        errno = saved;
        return false;
    }
    mfg_terminal_resize(master, rows, columns);
    *ret_master = master;
    *ret_slave = slave;
    return true;
}

void
mfg_terminal_resize(int master, uint16_t rows, uint16_t columns)
{
    struct winsize size = {.ws_row = rows, .ws_col = columns};

    ioctl(master, TIOCSWINSZ, &size);
}

int
mfg_terminal_end_of_input(int master, bool at_line_start, uint8_t ret_bytes[2])
{
    struct termios settings;

    if (tcgetattr(master, &settings) < 0 || !(settings.c_lflag & ICANON))
        return 0;
    ret_bytes[0] = ret_bytes[1] = settings.c_cc[VEOF];
    /* In the middle of a line the first one only hands that line over. */
    return at_line_start ? 1 : 2;
}
