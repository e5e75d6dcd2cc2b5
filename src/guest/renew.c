/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/renew.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "guest/setup.h"
#include "wire/guest-protocol.h"

/* Entropy in hexadecimal digits, a time, and their keys. */
#define RECORD_MAX 4096
#define REASON_MAX 512

/* All of standard input, as far as it fits: one byte more than a record may have tells that it does
 * not. -1 with errno. */
static ssize_t
read_input(char *buffer, size_t size)
{
    size_t had = 0;

    while (had < size) {
        ssize_t n = read(STDIN_FILENO, buffer + had, size - had);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        had += (size_t)n;
    }
    return (ssize_t)had;
}

int
mfg_renew_main(void)
{
    char record[RECORD_MAX + 1], reason[REASON_MAX];
    ssize_t size = read_input(record, sizeof(record));

    if (size < 0 || size > RECORD_MAX) {
        fprintf(stderr, "The record on standard input cannot be read: %s.\n",
                strerror(size < 0 ? errno : EFBIG));
        return 1;
    }
    if (!mfg_setup_renew(record, (size_t)size, reason, sizeof(reason))) {
        fprintf(stderr, "%s\n", reason);
        return 1;
    }
    /* Without it a run would find, below the share of that name, what no cold boot has. */
    if (umount2(MF_GUEST_TOOLS, MNT_DETACH) == 0)
        return 0;
    fprintf(stderr, "'" MF_GUEST_TOOLS "' cannot be unmounted: %s.\n", strerror(errno));
    return 1;
}
