/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/processor.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wire/guest-protocol.h"

#define DEVICES_DIR "/sys/bus/virtio/drivers/9pnet_virtio"

/* What the driver calls the queue of a share, behind the device's name. */
#define QUEUE "-requests"

/* Of /proc/interrupts, which has a column for each processor. */
#define INTERRUPTS_MAX (256 << 10)

static int near = -1; /* where the root's interrupt goes; -1: not known, or of no use */
static cpu_set_t everywhere;

int
mfg_processor_find_interrupt(const char *interrupts, const char *name)
{
    size_t length = strlen(name);

    for (const char *line = interrupts; *line; line += strcspn(line, "\n"), line += *line != 0) {
        size_t width = strcspn(line, "\n");
        char *end;
        long number = strtol(line, &end, 10);

        if (end > line && end < line + width && *end == ':' && number >= 0 && number <= INT_MAX &&
            width > length && line[width - length - 1] == ' ' &&
            memcmp(line + width - length, name, length) == 0)
            return (int)number;
    }
    return -1;
}

static ssize_t
read_text(int directory, const char *path, char *text, size_t size)
{
    int fd = openat(directory, path, O_RDONLY | O_CLOEXEC);
    size_t length = 0;
    ssize_t n = -1;

    /* What is made up while it is read comes in pieces. */
    while (fd >= 0 && (n = read(fd, text + length, size - 1 - length)) > 0)
        length += (size_t)n;
    if (fd >= 0)
        close(fd);
    text[length] = '\0';
    return n < 0 ? -1 : (ssize_t)length;
}

/* Puts the name of the root's queue, as its interrupt is called, into 'name'. */
static bool
find_queue(char *name, size_t size)
{
    DIR *devices = opendir(DEVICES_DIR);
    bool found = false;

    if (!devices)
        return false;
    for (struct dirent *entry = readdir(devices); entry && !found; entry = readdir(devices)) {
        char path[NAME_MAX + sizeof "/mount_tag"], tag[sizeof MF_TAG_ROOT + 1];

        snprintf(path, sizeof path, "%s/mount_tag", entry->d_name);
        found = read_text(dirfd(devices), path, tag, sizeof tag) > 0 &&
                strcmp(tag, MF_TAG_ROOT) == 0 &&
                (size_t)snprintf(name, size, "%s" QUEUE, entry->d_name) < size;
    }
    closedir(devices);
    return found;
}

/* The processor that gets the root device's interrupts, -1 when that cannot be known. */
static int
find_processor(void)
{
    static char text[INTERRUPTS_MAX];
    char name[NAME_MAX], path[64], *end;

    if (!find_queue(name, sizeof name) ||
        read_text(AT_FDCWD, "/proc/interrupts", text, sizeof text) < 0)
        return -1;
    (void)snprintf(path, sizeof path, "/proc/irq/%d/effective_affinity_list",
                   mfg_processor_find_interrupt(text, name));
    if (read_text(AT_FDCWD, path, text, sizeof text) <= 0)
        return -1;

    long processor = strtol(text, &end, 10);
    return end > text && *end == '\n' && processor >= 0 && processor < CPU_SETSIZE ? (int)processor
                                                                                   : -1;
}

/* Whether this process may run on every processor that the machine can ever have. To be moved and
 * let go again then changes nothing of where it and its children may run. */
static bool
may_run_everywhere(void)
{
    return sched_getaffinity(0, sizeof everywhere, &everywhere) == 0 &&
           CPU_COUNT(&everywhere) == sysconf(_SC_NPROCESSORS_CONF);
}

static void
move_to(const cpu_set_t *processors)
{
    if (sched_setaffinity(0, sizeof *processors, processors) == 0)
        sched_setaffinity(0, sizeof everywhere, &everywhere);
}

void
mfg_processor_prepare(void)
{
    int processor = may_run_everywhere() ? find_processor() : -1;
    cpu_set_t others = everywhere;

    if (processor < 0 || CPU_COUNT(&everywhere) < 2 || !CPU_ISSET(processor, &everywhere))
        return;
    near = processor;
    CPU_CLR(near, &others);
    move_to(&others);
}

void
mfg_processor_move(void)
{
    cpu_set_t now, target;

    /* With two processors, init's child begins on the other one anyway. */
    if (near < 0 || sched_getcpu() == near)
        return;
    /* What has been changed since, by a program or by taking a processor away, stays as it is. */
    if (sched_getaffinity(0, sizeof now, &now) != 0 || !CPU_EQUAL(&now, &everywhere))
        return;
    CPU_ZERO(&target);
    CPU_SET(near, &target);
    move_to(&target);
}
