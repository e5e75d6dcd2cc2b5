/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/network.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/route.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/log.h"
#include "wire/guest-protocol.h"

#define INTERFACES_DIR "/sys/class/net"
#define RESOLV_CONF    "/etc/resolv.conf"
#define OWN_RESOLV     MF_GUEST_TOOLS "/resolv.conf"

/* The interface that stands for a device: virtual ones, such as the loopback, have none. */
static bool
find_interface(char name[IFNAMSIZ])
{
    DIR *directory = opendir(INTERFACES_DIR);
    bool found = false;

    if (!directory)
        return false;
    for (struct dirent *entry = readdir(directory); entry && !found; entry = readdir(directory)) {
        char device[IFNAMSIZ + sizeof "/device"];

        if (entry->d_name[0] == '.' || strlen(entry->d_name) >= IFNAMSIZ)
            continue;
        snprintf(name, IFNAMSIZ, "%.*s", IFNAMSIZ - 1, entry->d_name);
        snprintf(device, sizeof device, "%s/device", name);
        found = faccessat(dirfd(directory), device, F_OK, 0) == 0;
    }
    closedir(directory);
    return found;
}

static void
put_address(struct sockaddr *where, struct in_addr address)
{
    struct sockaddr_in internet = {.sin_family = AF_INET, .sin_addr = address};

    memcpy(where, &internet, sizeof internet);
}

static bool
configure(int fd, char name[IFNAMSIZ], const struct mfg_conf_net *net)
{
    struct ifreq request = {0};
    struct rtentry route = {.rt_flags = RTF_UP | RTF_GATEWAY, .rt_dev = name};
    struct in_addr any = {.s_addr = htonl(INADDR_ANY)};

    memcpy(request.ifr_name, name, IFNAMSIZ);
    put_address(&request.ifr_addr, net->address);
    if (ioctl(fd, SIOCSIFADDR, &request) != 0)
        return false;
    put_address(&request.ifr_netmask, net->netmask);
    if (ioctl(fd, SIOCSIFNETMASK, &request) != 0 || ioctl(fd, SIOCGIFFLAGS, &request) != 0)
        return false;
    request.ifr_flags |= IFF_UP;
    if (ioctl(fd, SIOCSIFFLAGS, &request) != 0)
        return false;
    put_address(&route.rt_dst, any);
    put_address(&route.rt_genmask, any);
    put_address(&route.rt_gateway, net->gateway);
    return ioctl(fd, SIOCADDRT, &route) == 0;
}

static bool
write_resolv_conf(const char *path, const char *name_server)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
    bool good = fd >= 0 && dprintf(fd, "nameserver %s\n", name_server) > 0;

    if (fd >= 0)
        close(fd);
    return good;
}

/* A link usually leads into /run, which is not the host's here. */
static void
set_name_server(const struct mfg_conf *conf)
{
    bool good;

    if (conf->root_mode == MFG_ROOT_OVERLAY) {
        mkdir("/etc", 0755);
        unlink(RESOLV_CONF);
        good = write_resolv_conf(RESOLV_CONF, conf->net.name_server);
    } else {
        good = write_resolv_conf(OWN_RESOLV, conf->net.name_server) &&
               mount(OWN_RESOLV, RESOLV_CONF, NULL, MS_BIND, NULL) == 0;
    }
    if (!good)
        mfg_log("cannot provide '%s', so that names may not be looked up: %m", RESOLV_CONF);
}

bool
mfg_network_set_up(const struct mfg_conf *conf, const struct mfg_reason *reason)
{
    char name[IFNAMSIZ];

    if (!conf->has_net)
        return true;
    if (!find_interface(name))
        return mfg_fail(reason, "The guest finds no network interface for the machine's network "
                                "device: does its kernel lack CONFIG_VIRTIO_NET?");

    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool good = fd >= 0 && configure(fd, name, &conf->net);
    if (!good)
        mfg_fail(reason, "The guest cannot set up its network interface '%s': %s.", name,
                 strerror(errno));
    if (fd >= 0)
        close(fd);
    if (good)
        set_name_server(conf);
    return good;
}
