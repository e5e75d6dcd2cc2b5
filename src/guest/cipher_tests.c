/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/cipher_tests.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "guest/log.h"
#include "wire/guest-protocol.h"

#define PARAMETER "/sys/module/cryptomgr/parameters/notests"

/* The kernel itself takes no more. */
#define COMMAND_LINE_MAX 4096

bool
mfg_cipher_tests_are_asked_for(const char *command_line)
{
    const char *first = strstr(command_line, MF_KERNEL_ARG_NO_CIPHER_TESTS);

    return first && strstr(first + 1, MF_KERNEL_ARG_NO_CIPHER_TESTS);
}

static void
read_command_line(char *text, size_t size)
{
    int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, size - 1);

    text[n > 0 ? n : 0] = '\0';
    if (fd >= 0)
        close(fd);
}

void
mfg_cipher_tests_resume(void)
{
    char command_line[COMMAND_LINE_MAX];

    read_command_line(command_line, sizeof(command_line));
    if (mfg_cipher_tests_are_asked_for(command_line))
        return;

    /* Not there in a kernel without these tests. */
    int fd = open(PARAMETER, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (write(fd, "N", 1) != 1)
        mfg_log("cannot write '%s': %m", PARAMETER);
    close(fd);
}
