/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/ports.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guest/clock.h"

#define PORTS_DIR    "/sys/class/virtio-ports"
#define WAIT_MS      10000
#define NAME_MAX_LEN 128

/* Whether the port 'entry' of the class directory is called 'name'. The attribute appears only when
 * the host has sent the name, a moment after the port itself. */
static bool
is_called(int class_fd, const char *entry, const char *name)
{
    char path[NAME_MAX + sizeof "/name"], text[NAME_MAX_LEN + 1];

    snprintf(path, sizeof path, "%s/name", entry);
    int fd = openat(class_fd, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;

    ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    if (length <= 0)
        return false;
    text[length] = '\0';
    text[strcspn(text, "\n")] = '\0';
    return strcmp(text, name) == 0;
}

static int
open_device(const char *entry)
{
    char path[NAME_MAX + sizeof "/dev/"];

    snprintf(path, sizeof path, "/dev/%s", entry);
    return open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

/* The port as it is now; -1 with ENOENT when there is none of that name yet. */
static int
open_now(const char *name)
{
    DIR *class = opendir(PORTS_DIR);
    int fd = -1, error = ENOENT;

    if (!class)
        return -1;
    for (struct dirent *entry = readdir(class); entry; entry = readdir(class)) {
        if (entry->d_name[0] == '.' || !is_called(dirfd(class), entry->d_name, name))
            continue;
        fd = open_device(entry->d_name);
        error = errno;
        break;
    }
    closedir(class);
    errno = error;
    return fd;
}

/* The kernel's announcements of devices. */
static int
open_uevents(void)
{
    struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = 1};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);

    if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Waits until something about any device has changed; false when the deadline passed. */
static bool
await_uevent(int uevents, int64_t deadline)
{
    struct pollfd poll_fd = {.fd = uevents, .events = POLLIN};
    char message[4096];
    int64_t left = deadline - mfg_clock_ms();

    if (left <= 0 || poll(&poll_fd, 1, (int)left) <= 0)
        return false;
    /* Many devices come at once: one look at the ports serves for all that is queued. */
    while (recv(uevents, message, sizeof message, 0) > 0)
        ;
    return true;
}

int
mfg_ports_open(const char *name)
{
    if (getpid() != 1)
        return open_now(name);

    /* Listening comes before looking, so that no port can appear in between. */
    int uevents = open_uevents();
    int64_t deadline = mfg_clock_ms() + WAIT_MS;
    int fd = open_now(name);

    while (fd < 0 && errno == ENOENT && uevents >= 0) {
        if (!await_uevent(uevents, deadline)) {
            errno = ENOENT;
            break;
        }
        fd = open_now(name);
    }
    if (uevents >= 0) {
        int error = errno;

        close(uevents);
        errno = error;
    }
    return fd;
}
