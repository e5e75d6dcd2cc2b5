/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands for a QEMU whose guest ends at once with the exit status 33, as by isa-debug-exit: it
 * speaks QMP on the descriptor that mayfly gives it, and nothing else. It appends the name of its
 * drive, "drive-...", to the file that MAYFLY_FAKE_QEMU_LOG names: who counts the lines knows which
 * machines were started. With "bad" in that name the exit status is 35.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define QMP_FD 3

static const char greeting[] = "{\"QMP\": {\"version\": {\"qemu\": {\"major\": 8, \"minor\": 2, "
                               "\"micro\": 0}, \"package\": \"\"}, \"capabilities\": []}}\r\n";
static const char off[] = "{\"event\": \"SHUTDOWN\", \"timestamp\": {\"seconds\": 1, "
                          "\"microseconds\": 0}, \"data\": {\"guest\": true, \"reason\": "
                          "\"guest-shutdown\"}}\r\n";

static void
say(const char *text)
{
    if (write(QMP_FD, text, strlen(text)) < 0)
        exit(3);
}

/* The name of the drive, up to the end of its path or of the option. */
static const char *
find_drive(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        char *name = strstr(argv[i], "/drive-");

        if (name) {
            name[1 + strcspn(name + 1, ",\"/")] = '\0';
            return name + 1;
        }
    }
    return "none";
}

/* One line, appended whole. */
static void
note(const char *drive)
{
    const char *path = getenv("MAYFLY_FAKE_QEMU_LOG");
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644) : -1;

    if (fd >= 0 && dprintf(fd, "%s\n", drive) < 0)
        exit(3);
}

int
main(int argc, char **argv)
{
    const char *drive = find_drive(argc, argv);
    FILE *commands = fdopen(QMP_FD, "r");
    char line[65536];

    note(drive);
    say(greeting);
    while (commands && fgets(line, sizeof(line), commands)) {
        const char *id = strstr(line, "\"id\":");
        char reply[256];

        snprintf(reply, sizeof(reply), "{\"return\": {}, \"id\": %d}\r\n",
                 id ? atoi(id + strlen("\"id\":")) : 0);
        say(reply);
        if (strstr(line, "\"cont\"")) {
            say(off);
            return strstr(drive, "bad") ? 35 : 33;
        }
        if (strstr(line, "\"quit\""))
            return 0;
    }
    return 1;
}
