/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/*
 * The only file of the root that test-run-arch.py gives to a guest of another architecture. Prints
 * the machine, then, by its first argument:
 *
 *     exit STATUS    copies standard input to standard output, and ends so
 *     panic          crashes the kernel, a second later: what is in a pipe then is lost with it
 */
int
main(int argc, char **argv)
{
    struct utsname name;
    char buffer[4096];
    ssize_t n;

    uname(&name);
    dprintf(STDOUT_FILENO, "%s %s\n", name.machine, name.release);
    if (argc > 1 && strcmp(argv[1], "panic") == 0) {
        int trigger = open("/proc/sysrq-trigger", O_WRONLY);

        sleep(1);
        if (trigger < 0 || write(trigger, "c", 1) < 0)
            perror("/proc/sysrq-trigger");
        return 1;
    }
    while ((n = read(STDIN_FILENO, buffer, sizeof(buffer))) > 0)
        if (write(STDOUT_FILENO, buffer, (size_t)n) != n)
            return 1;
    return argc > 2 ? atoi(argv[2]) : 0;
}
