/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command that make bench runs inside the VM: does one thing, at the least cost a program can
 * have, so that what is measured is what lies around it. Static: nothing but this file is read.
 *
 *     probe nothing          ends at once
 *     probe leave            writes a line and ends at once
 *     probe sleep SECONDS    writes a line, sleeps, and writes another
 *     probe zeros BYTES      writes zeros
 *     probe lines BYTES      writes short lines
 *     probe count            writes a line when the first input comes, and at its end how much it
 * was
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE "0123456789 a short line as a program would log it\n"

/* As large as a pipe, and as cat's. */
static char buffer[64 << 10];

static int
say(const char *text)
{
    return write(STDOUT_FILENO, text, strlen(text)) < 0;
}

static int
nap(unsigned seconds)
{
    if (say("asleep\n"))
        return 1;
    sleep(seconds);
    return say("awake\n");
}

/* BYTES of the buffer, over and over. */
static int
pour(size_t left, size_t size)
{
    while (left > 0) {
        ssize_t written = write(STDOUT_FILENO, buffer, left < size ? left : size);

        if (written < 0)
            return 1;
        left -= (size_t)written;
    }
    return 0;
}

static int
pour_lines(size_t bytes)
{
    size_t size = sizeof(buffer) - sizeof(buffer) % (sizeof(LINE) - 1);

    for (size_t at = 0; at < size; at += sizeof(LINE) - 1)
        memcpy(buffer + at, LINE, sizeof(LINE) - 1);
    return pour(bytes, size);
}

static int
count(void)
{
    char answer[32];
    size_t total = 0;
    ssize_t got;

    while ((got = read(STDIN_FILENO, buffer, sizeof(buffer))) > 0) {
        if (total == 0 && say("reading\n"))
            return 1;
        total += (size_t)got;
    }
    snprintf(answer, sizeof(answer), "%zu\n", total);
    return got < 0 || say(answer);
}

int
main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    unsigned long number = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;

    if (strcmp(what, "nothing") == 0)
        return 0;
    if (strcmp(what, "leave") == 0)
        return say("leaving\n");
    if (strcmp(what, "sleep") == 0)
        return nap((unsigned)number);
    if (strcmp(what, "zeros") == 0)
        return pour(number, sizeof(buffer));
    if (strcmp(what, "lines") == 0)
        return pour_lines(number);
    if (strcmp(what, "count") == 0)
        return count();
    fprintf(stderr, "probe: '%s' is none of the things to do\n", what);
    return 2;
}
