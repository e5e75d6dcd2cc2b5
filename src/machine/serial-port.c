/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/serial-port.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/child.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/tempdir.h"
#include "wire/fd-transport.h"

#define NAME "port"

typedef struct {
    int read;
    int write;
} Pipe;

static void
close_pipe(Pipe *pipe)
{
    mf_fd_clear(&pipe->read);
    mf_fd_clear(&pipe->write);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Pipe, close_pipe)

static gboolean
open_pipe(Pipe *pipe)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return FALSE;
    *pipe = (Pipe){ends[0], ends[1]};
    return TRUE;
}

static gboolean
link_end(int directory, const char *name, int number)
{
    g_autofree char *target = g_strdup_printf("/proc/self/fd/%d", number);

    return symlinkat(target, directory, name) == 0;
}

static void
hand(GArray *handed, int *fd, int target)
{
    MfChildFd entry = {mf_fd_steal(fd), target};

    g_array_append_val(handed, entry);
}

MfTransport *
mf_serial_port_open(const MfSerialPortFds *fds, const char *peer, GArray *handed, char **ret_names,
                    GError **error)
{
    g_autofree char *names = mf_tempdir_make(error);
    g_auto(Pipe) typed = {-1, -1};
    g_auto(Pipe) said = {-1, -1};

    if (!names)
        return NULL;

    mf_autofd directory = open(names, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0 || !link_end(directory, NAME ".in", fds->in) ||
        !link_end(directory, NAME ".out", fds->out) || !open_pipe(&typed) || !open_pipe(&said)) {
        mf_error_set_errno(error, MF_ERROR_HOST, errno, "The pipes to %s cannot be made", peer);
        mf_tempdir_remove(names);
        return NULL;
    }
    /* Where that is too much for this user, what a pipe is at first has to do. */
    fcntl(said.write, F_SETPIPE_SZ, (int)MF_SERIAL_PORT_AHEAD);
    hand(handed, &typed.read, fds->in);
    hand(handed, &said.write, fds->out);
    hand(handed, &directory, fds->names);
    *ret_names = g_steal_pointer(&names);
    return mf_fd_transport_new_pipes(mf_fd_steal(&said.read), mf_fd_steal(&typed.write), peer);
}

void
mf_serial_port_add_to_argv(const MfSerialPortFds *fds, const char *id, MfArgv *argv)
{
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d/" NAME, fds->names);

    mf_argv_add_option(argv, "-chardev", "pipe", "id", id, "path", path, NULL);
}
