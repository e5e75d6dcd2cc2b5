/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/daemon.h"

#include <signal.h>
#include <sys/wait.h>

#include "base/tempdir.h"

struct MfDaemon {
    MfChild *child;  /* owned */
    char *role;      /* owned */
    char *directory; /* owned; or NULL */
};

MfDaemon *
mf_daemon_new(MfChild *child, const char *role, char *directory)
{
    MfDaemon *self = g_new0(MfDaemon, 1);

    self->child = child;
    self->role = g_strdup(role);
    self->directory = directory;
    return self;
}

void
mf_daemon_free(MfDaemon *self)
{
    if (!self)
        return;
    /* Also where somebody still waits for its end: it is of no use to anybody. */
    mf_child_signal(self->child, SIGKILL);
    g_object_unref(self->child);
    mf_tempdir_remove(self->directory);
    g_free(self->directory);
    g_free(self->role);
    g_free(self);
}

MfChild *
mf_daemon_get_child(MfDaemon *self)
{
    return self->child;
}

gboolean
mf_daemon_has_failed(MfDaemon *self)
{
    if (!mf_child_has_exited(self->child))
        return FALSE;

    int status = mf_child_get_wait_status(self->child);
    return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

char *
mf_daemon_describe_end(MfDaemon *self)
{
    g_autofree char *how = mf_child_describe(self->child);
    g_autofree char *words = mf_child_get_stderr_tail(self->child);

    return g_strdup_printf("%s %s%s%s", self->role, how, *words ? ": " : ".", words);
}
