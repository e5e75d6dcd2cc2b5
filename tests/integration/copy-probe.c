/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What test-warm-copies.py runs in each copy of a saved machine. Static, and one program: a shell
 * with a program for each line would take longer than all the rest of the run. A line each: the
 * kernel's random UUID and boot id, and random bytes of /dev/urandom, of getrandom() and of those
 * that the kernel gives to a new program; then the seconds since 1970 and since the boot. Ends with
 * 1 when it finds its own mark on the root or in the memory of the system.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

/* As many as AT_RANDOM has. */
#define RANDOM_SIZE 16

static int
complain(const char *what)
{
    fprintf(stderr, "copy-probe: %s: %s\n", what, strerror(errno));
    return 1;
}

static int
print_line_of(const char *path)
{
    char line[256];
    FILE *file = fopen(path, "re");
    int failed = !file || !fgets(line, sizeof(line), file) || fputs(line, stdout) == EOF;

    if (file)
        fclose(file);
    return failed && complain(path);
}

static void
print_bytes(const unsigned char *bytes)
{
    for (int i = 0; i < RANDOM_SIZE; i++)
        printf("%02x", bytes[i]);
    printf("\n");
}

static int
print_random(void)
{
    unsigned char bytes[RANDOM_SIZE];
    int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);

    if (fd < 0 || read(fd, bytes, sizeof(bytes)) != sizeof(bytes))
        return complain("/dev/urandom");
    close(fd);
    print_bytes(bytes);
    if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
        return complain("getrandom");
    print_bytes(bytes);
    print_bytes((const unsigned char *)getauxval(AT_RANDOM));
    return 0;
}

static int
print_clock(clockid_t clock)
{
    struct timespec now;

    if (clock_gettime(clock, &now) < 0)
        return complain("clock_gettime");
    printf("%lld.%09ld\n", (long long)now.tv_sec, now.tv_nsec);
    return 0;
}

/* No other copy's. */
static int
make_mark(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0)
        return complain(path);
    close(fd);
    return 0;
}

int
main(void)
{
    return print_line_of("/proc/sys/kernel/random/uuid") ||
           print_line_of("/proc/sys/kernel/random/boot_id") || print_random() ||
           print_clock(CLOCK_REALTIME) || print_clock(CLOCK_BOOTTIME) || make_mark("/mark") ||
           make_mark("/run/mark");
}
