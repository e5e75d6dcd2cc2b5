/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/log.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static int kernel_log = -1;

void
mfg_log_to_kernel(void)
{
    if (kernel_log < 0)
        kernel_log = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
}

void
mfg_log(const char *format, ...)
{
    /* The kernel takes at most 1024 bytes a record less its prefix, and one record a write. */
    char line[976];
    int prefix = snprintf(line, sizeof line, "%smayfly-guest: ", kernel_log < 0 ? "" : "<3>");
    va_list arguments;

    va_start(arguments, format);
    int text = vsnprintf(line + prefix, sizeof line - (size_t)prefix - 1, format, arguments);
    va_end(arguments);
    if (text < 0)
        return;

    size_t length = (size_t)(prefix + text);
    if (length > sizeof line - 2)
        length = sizeof line - 2;
    line[length++] = '\n';

    /* There is nobody to tell when the log itself cannot be written. */
    ssize_t written = write(kernel_log < 0 ? STDERR_FILENO : kernel_log, line, length);
    (void)written;
}
