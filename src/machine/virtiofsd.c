/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/virtiofsd.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/tempdir.h"

#define PROGRAM     "virtiofsd"
#define SOCKET_NAME "virtiofs"

/* Open files of the daemon, which keeps one for everything that the guest has in its cache. Kernels
 * allow a little more by default. */
#define FD_LIMIT 1000000

/* Outside PATH: Debian 13 and Fedora, Arch, Debian 12 and Ubuntu 22.04. */
static const char *const places[] = {
    "/usr/libexec/virtiofsd",
    "/usr/lib/virtiofsd",
    "/usr/lib/qemu/virtiofsd",
};

static gboolean
contains(GMappedFile *file, const char *text)
{
    return memmem(g_mapped_file_get_contents(file), g_mapped_file_get_length(file), text,
                  strlen(text)) != NULL;
}

gboolean
mf_virtiofsd_probe(const char *path, MfVirtiofsdFacts *ret_facts)
{
    g_autoptr(GMappedFile) file = g_mapped_file_new(path, FALSE, NULL);

    if (!file)
        return FALSE;
    *ret_facts = (MfVirtiofsdFacts){.legacy = !contains(file, "shared-dir")};
    if (ret_facts->legacy)
        return TRUE;
    /* Words of its help, since the name of the option alone can be in any program. */
    ret_facts->read_only = contains(file, "Prevent the guest from making modifications");
    ret_facts->no_submounts = contains(file, "no-announce-submounts");
    return TRUE;
}

/* Takes 'path' when this user can run it; notes in *legacy that one was there that root could. */
static gboolean
is_usable(const char *path, gboolean *legacy)
{
    MfVirtiofsdFacts facts;

    if (access(path, X_OK) < 0 || !mf_virtiofsd_probe(path, &facts))
        return FALSE;
    if (!facts.legacy || geteuid() == 0)
        return TRUE;
    *legacy = TRUE;
    return FALSE;
}

/* The first of those that this user can run, NULL when there is none. */
static char *
find_usable(gboolean *legacy)
{
    g_autofree char *path = g_find_program_in_path(PROGRAM);

    if (path && is_usable(path, legacy))
        return g_steal_pointer(&path);
    for (gsize i = 0; i < G_N_ELEMENTS(places); i++)
        if (is_usable(places[i], legacy))
            return g_strdup(places[i]);
    return NULL;
}

char *
mf_virtiofsd_find(GError **error)
{
    const char *requested = g_getenv(MF_VIRTIOFSD_ENV);
    gboolean legacy = FALSE;

    if (requested) {
        g_autofree char *path = g_find_program_in_path(requested);

        if (path && is_usable(path, &legacy))
            return g_steal_pointer(&path);
    } else {
        char *path = find_usable(&legacy);

        if (path)
            return path;
    }

    if (legacy)
        g_set_error(error, MF_ERROR, MF_ERROR_HOST,
                    "The only virtiofsd here is the one of QEMU 7, which works for root only: "
                    "install the newer one (package virtiofsd, from Debian 13 and Ubuntu 24.04 "
                    "on).");
    else if (requested)
        g_set_error(error, MF_ERROR, MF_ERROR_HOST,
                    "virtiofsd '%s' (from " MF_VIRTIOFSD_ENV ") was not found, or is not a program "
                    "that this user may run.",
                    requested);
    else
        g_set_error(error, MF_ERROR, MF_ERROR_HOST,
                    "virtiofsd was not found: install it (package virtiofsd; on Debian 12 and "
                    "Ubuntu 22.04 qemu-system-common), or name it in " MF_VIRTIOFSD_ENV ".");
    return NULL;
}

/* In "/" there is nothing to be kept in, and the daemon cannot make "/" its own root. */
static gboolean
is_everything(const MfShare *share)
{
    return g_str_equal(share->host_path, "/");
}

/* 'path' as a value after -o, where a backslash takes the meaning from a comma. */
static char *
escape_path(const char *path)
{
    GString *text = g_string_new(NULL);

    for (; *path; path++) {
        if (*path == ',' || *path == '\\')
            g_string_append_c(text, '\\');
        g_string_append_c(text, *path);
    }
    return g_string_free(text, FALSE);
}

static void
add_legacy_options(MfArgv *argv, const MfShare *share)
{
    g_autofree char *source = escape_path(share->host_path);

    mf_argv_add(argv, "-o");
    mf_argv_addf(argv, "source=%s", source);
    mf_argv_add_many(argv, "-o", "cache=auto,xattr,log_level=warn", NULL);
    mf_argv_add(argv, "-o");
    mf_argv_addf(argv, "sandbox=%s", is_everything(share) ? "chroot" : "namespace");
    /* It would rather end than have less than it wants. */
    mf_argv_add(argv, "--rlimit-nofile=0");
}

static void
add_options(MfArgv *argv, const MfVirtiofsdFacts *facts, const MfShare *share, gboolean root)
{
    mf_argv_add_many(argv, "--shared-dir", share->host_path, "--cache", "auto", "--xattr",
                     "--log-level", "warn", NULL);
    /* Without root it has no namespace to put itself in, and no more rights than its user. */
    mf_argv_add_many(argv, "--sandbox",
                     !root                  ? "none"
                     : is_everything(share) ? "chroot"
                                            : "namespace",
                     NULL);
    if (facts->no_submounts)
        mf_argv_add(argv, "--no-announce-submounts");
    if (facts->read_only && !share->writable)
        mf_argv_add(argv, "--readonly");
}

MfArgv *
mf_virtiofsd_to_argv(const char *path, const MfVirtiofsdFacts *facts, const MfShare *share,
                     gboolean root)
{
    MfArgv *argv = mf_argv_new(path);

    mf_argv_addf(argv, "--fd=%d", MF_VIRTIOFSD_FD);
    if (facts->legacy)
        add_legacy_options(argv, share);
    else
        add_options(argv, facts, share, root);
    return argv;
}

/* Binds to, listens on and connects to a name in 'directory', whatever the length of its path. */
static gboolean
connect_in(const char *directory, int listening, int connection)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    mf_autofd place = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (place < 0)
        return FALSE;
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" SOCKET_NAME,
                   place);
    const struct sockaddr *name = (const struct sockaddr *)&address;
    return bind(listening, name, sizeof(address)) == 0 && listen(listening, 1) == 0 &&
           connect(connection, name, sizeof(address)) == 0;
}

/* The daemon takes a socket to accept its connection from; ours is waiting in there already. The
 * name of the socket is needed for no longer than this takes. */
static gboolean
make_sockets(int *ret_listening, int *ret_connection, GError **error)
{
    mf_autofd listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    mf_autofd connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_autofree char *directory = mf_tempdir_make(error);

    if (!directory)
        return FALSE;

    gboolean connected = connect_in(directory, listening, connection);
    int reason = errno;
    mf_tempdir_remove(directory);
    if (!connected) {
        mf_error_set_errno(error, MF_ERROR_HOST, reason,
                           "The socket for virtiofsd cannot be made in '%s'", directory);
        return FALSE;
    }
    *ret_listening = mf_fd_steal(&listening);
    *ret_connection = mf_fd_steal(&connection);
    return TRUE;
}

/* In the child: as many open files as it may have, which for root is what it asks for. */
static int
raise_fd_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return errno;

    struct rlimit more = {.rlim_cur = FD_LIMIT, .rlim_max = MAX(limit.rlim_max, FD_LIMIT)};
    if (setrlimit(RLIMIT_NOFILE, &more) == 0)
        return 0;
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? 0 : errno;
}

/* In the child: nothing can be written to from its mount namespace, besides. */
static int
make_everything_read_only(void)
{
    struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY};
    int failed = raise_fd_limit();

    if (failed)
        return failed;
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &read_only, sizeof(read_only)) < 0)
        return errno;
    return 0;
}

static MfChild *
spawn(const MfArgv *argv, int listening, gboolean protect, const char *directory, GError **error)
{
    const MfChildFd handed = {.fd = listening, .target = MF_VIRTIOFSD_FD};
    MfChild *child = NULL;

    if (protect)
        child = mf_child_spawn_prepared(argv, &handed, 1, make_everything_read_only, NULL);
    if (!child) {
        child = mf_child_spawn_prepared(argv, &handed, 1, raise_fd_limit, error);
        if (child && protect)
            g_info("virtiofsd cannot be kept from writing to '%s': only the guest's own mount is "
                   "read-only.",
                   directory);
    }
    return child;
}

MfDaemon *
mf_virtiofsd_start(const char *path, const MfShare *share, int *ret_connection, GError **error)
{
    mf_autofd listening = -1;
    mf_autofd connection = -1;
    MfVirtiofsdFacts facts;

    if (!mf_virtiofsd_probe(path, &facts)) {
        g_set_error(error, MF_ERROR, MF_ERROR_HOST, "'%s' cannot be read.", path);
        return NULL;
    }
    if (!make_sockets(&listening, &connection, error))
        return NULL;

    g_autoptr(MfArgv) argv = mf_virtiofsd_to_argv(path, &facts, share, geteuid() == 0);
    MfChild *child =
        spawn(argv, listening, !share->writable && !facts.read_only, share->host_path, error);
    if (!child)
        return NULL;

    g_autofree char *role =
        g_strdup_printf("virtiofsd, which serves '%s' to the guest,", share->host_path);
    *ret_connection = mf_fd_steal(&connection);
    return mf_daemon_new(child, role, NULL);
}
