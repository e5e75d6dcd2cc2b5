/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What mayfly's libraries cost before a line of mayfly runs: linked with all that mayfly loads at
 * its start, this writes its peak resident size in bytes, and ends.
 */
#include <stdio.h>

int
main(void)
{
    FILE *status = fopen("/proc/self/status", "re");
    char line[256];
    long kilobytes = -1;

    if (!status)
        return 1;
    while (kilobytes < 0 && fgets(line, sizeof(line), status))
        (void)sscanf(line, "VmHWM: %ld kB", &kilobytes);
    fclose(status);
    printf("%ld\n", kilobytes * 1024);
    return kilobytes < 0;
}
