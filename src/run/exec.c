/* SPDX-License-Identifier: Apache-2.0 */
#include "run/exec.h"

G_DEFINE_ABSTRACT_TYPE(MfExec, mf_exec, G_TYPE_OBJECT)

static void
mf_exec_class_init(MfExecClass *class)
{
}

static void
mf_exec_init(MfExec *self)
{
}

void
mf_exec_run_async(MfExec *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                  gpointer user_data)
{
    MF_EXEC_GET_CLASS(self)->run_async(self, cancellable, callback, user_data);
}

gboolean
mf_exec_run_finish(MfExec *self, GAsyncResult *result, MfExit *ret_exit, GError **error)
{
    return MF_EXEC_GET_CLASS(self)->run_finish(self, result, ret_exit, error);
}

gboolean
mf_exec_signal(MfExec *self, int signal_number)
{
    MfExecClass *class = MF_EXEC_GET_CLASS(self);

    return class->signal && class->signal(self, signal_number);
}

gboolean
mf_exec_kill(MfExec *self, guint grace_ms)
{
    MfExecClass *class = MF_EXEC_GET_CLASS(self);

    return class->kill && class->kill(self, grace_ms);
}
