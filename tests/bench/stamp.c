/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes down when it was started, and is started twice to time mayfly's own work:
 *
 *     stamp --exec MAYFLY ARG...     turns into mayfly
 *     stamp QEMU-ARG...              is what mayfly takes for QEMU
 *
 * Each start appends a line, nanoseconds of the monotonic clock, to the file named like the program
 * itself with ".stamps" after it. The last line minus the first is the time that mayfly needed from
 * its exec to QEMU's. No environment and no argument is used for the name: mayfly may change both.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int
append_stamp(const struct timespec *now)
{
    char path[PATH_MAX + sizeof(".stamps")];
    ssize_t length = readlink("/proc/self/exe", path, PATH_MAX);
    FILE *stamps;

    if (length < 0)
        return -1;
    memcpy(path + length, ".stamps", sizeof(".stamps"));

    stamps = fopen(path, "ae");
    if (!stamps)
        return -1;
    fprintf(stamps, "%lld\n", now->tv_sec * 1000000000LL + now->tv_nsec);
    return fclose(stamps);
}

int
main(int argc, char **argv)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    if (append_stamp(&now) < 0) {
        perror("stamp");
        return 1;
    }
    if (argc > 2 && strcmp(argv[1], "--exec") == 0) {
        execv(argv[2], argv + 2);
        perror(argv[2]);
    }
    return 1;
}
