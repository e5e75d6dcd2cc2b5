/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/boot.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/cipher_tests.h"
#include "guest/kernelfs.h"
#include "guest/log.h"
#include "guest/modules.h"
#include "guest/root.h"
#include "wire/guest-protocol.h"

/* Of a file that is copied; more than the guest program has. */
#define COPY_CHUNK (64 << 20)

/* The kernel opens the console for init only where the initramfs has a node for it. Descriptors 0
 * to 2 must be something, or the first file opened becomes standard output. */
static void
open_standard_streams(void)
{
    int fd = open("/dev/console", O_RDWR | O_NOCTTY);

    if (fd < 0)
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO)
        fd = dup(fd);
    if (fd > STDERR_FILENO)
        close(fd);
}

static void
bring_loopback_up(void)
{
    struct ifreq request = {.ifr_name = "lo"};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    /* A kernel without CONFIG_INET has no loopback to miss. */
    if (fd < 0)
        return;
    if (ioctl(fd, SIOCGIFFLAGS, &request) == 0) {
        request.ifr_flags |= IFF_UP;
        if (ioctl(fd, SIOCSIFFLAGS, &request) != 0)
            mfg_log("cannot bring the loopback interface up: %s", strerror(errno));
    }
    close(fd);
}

static bool
copy_file(const char *from, const char *to)
{
    int source = open(from, O_RDONLY | O_CLOEXEC);
    int target = source < 0 ? -1 : open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    bool copied = false;

    if (target >= 0) {
        ssize_t count;

        do {
            count = sendfile(target, source, NULL, COPY_CHUNK);
        } while (count > 0);
        copied = count == 0;
    }

    int error = errno;
    if (source >= 0)
        close(source);
    if (target >= 0)
        close(target);
    errno = error;
    return copied;
}

/* The initramfs is out of sight once a root is mounted over it, and MF_GUEST_SELF is where the
 * program can be executed from by then. */
static void
copy_self(void)
{
    mkdir(MF_GUEST_TOOLS, 0755);
    if (!copy_file("/proc/self/exe", MF_GUEST_SELF))
        mfg_log("cannot copy the guest program to '%s': %s", MF_GUEST_SELF, strerror(errno));
}

bool
mfg_boot_prepare(void)
{
    umask(022);
    if (!mfg_kernelfs_mount_dev())
        return false;
    open_standard_streams();
    mfg_log_to_kernel();
    mfg_modules_load(MF_INITRAMFS_MODULES);
    if (!mfg_kernelfs_mount_all())
        return false;
    mfg_cipher_tests_resume();
    bring_loopback_up();
    copy_self();
    mfg_root_prepare();
    return true;
}
