/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/reason.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

bool
mfg_fail(const struct mfg_reason *reason, const char *format, ...)
{
    int saved_errno = errno;
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(reason->text, reason->size, format, arguments);
    va_end(arguments);
    errno = saved_errno;
    return false;
}
