/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/rpc.h"

#include "base/error.h"
#include "base/parse.h"
#include "base/source.h"

struct MfRpc {
    MfRpcAbandonedFunc abandoned;
    gpointer data; /* borrowed */
    guint64 last_id;
    GQueue calls; /* owned; of Call, the oldest first */
};

typedef struct {
    MfRpc *rpc; /* borrowed */
    guint64 id;
    GTask *task;           /* owned */
    char *what;            /* owned */
    guint timeout_ms;      /* of the deadline */
    GSource *deadline;     /* owned, or NULL */
    GSource *cancellation; /* owned, or NULL */
} Call;

MfRpc *
mf_rpc_new(MfRpcAbandonedFunc abandoned, gpointer data)
{
    MfRpc *self = g_new0(MfRpc, 1);

    self->abandoned = abandoned;
    self->data = data;
    g_queue_init(&self->calls);
    return self;
}

void
mf_rpc_free(MfRpc *self)
{
    if (!self)
        return;
    g_assert(g_queue_is_empty(&self->calls));
    g_free(self);
}

/* Calls are few, and replies mostly come in order: the head is the one. */
static Call *
find(MfRpc *self, guint64 id)
{
    for (GList *at = self->calls.head; at; at = at->next)
        if (((Call *)at->data)->id == id)
            return at->data;
    return NULL;
}

/* The one exit. The caller lets the task return, after everything that the table's owner must know
 * has been said: the task's callback may call anything. */
static GTask *
leave(Call *call)
{
    GTask *task = g_steal_pointer(&call->task);

    g_queue_remove(&call->rpc->calls, call);
    mf_source_clear(&call->deadline);
    mf_source_clear(&call->cancellation);
    g_free(call->what);
    g_free(call);
    return task;
}

/* Takes ownership of 'error'. */
static void
abandon(Call *call, GError *error)
{
    MfRpc *self = call->rpc;
    guint64 id = call->id;
    g_autoptr(GTask) task = leave(call);

    self->abandoned(id, self->data);
    g_task_return_error(task, error);
}

static gboolean
on_deadline(gpointer data)
{
    Call *call = data;
    g_autofree char *duration = mf_format_duration(call->timeout_ms);

    abandon(call, g_error_new(MF_ERROR, MF_ERROR_TIMEOUT, "%s was not answered within %s.",
                              call->what, duration));
    return G_SOURCE_REMOVE;
}

static gboolean
on_cancelled(GCancellable *cancellable, gpointer data)
{
    Call *call = data;

    abandon(call, g_error_new(MF_ERROR, MF_ERROR_CANCELLED, "%s was cancelled.", call->what));
    return G_SOURCE_REMOVE;
}

guint64
mf_rpc_enter(MfRpc *self, GTask *task, const char *what)
{
    g_autoptr(GTask) owned = task;
    GCancellable *cancellable = g_task_get_cancellable(task);

    /* Else a cancellable that fires while the task returns would replace the result. */
    g_task_set_check_cancellable(task, FALSE);
    if (g_cancellable_is_cancelled(cancellable)) {
        g_task_return_new_error(task, MF_ERROR, MF_ERROR_CANCELLED, "%s was cancelled.", what);
        return 0;
    }

    Call *call = g_new0(Call, 1);
    call->rpc = self;
    call->id = ++self->last_id;
    call->task = g_steal_pointer(&owned);
    call->what = g_strdup(what);
    call->cancellation = mf_source_add_cancelled(cancellable, on_cancelled, call);
    g_queue_push_tail(&self->calls, call);
    return call->id;
}

void
mf_rpc_set_deadline(MfRpc *self, guint64 id, guint timeout_ms)
{
    Call *call = find(self, id);

    mf_source_clear(&call->deadline);
    call->timeout_ms = timeout_ms;
    if (timeout_ms == 0)
        return;
    call->deadline = g_timeout_source_new(timeout_ms);
    g_source_set_callback(call->deadline, on_deadline, call, NULL);
    g_source_attach(call->deadline, NULL);
}

gboolean
mf_rpc_is_live(MfRpc *self, guint64 id)
{
    return find(self, id) != NULL;
}

static void
free_value(gpointer value)
{
    json_object_put(value);
}

void
mf_rpc_succeed(MfRpc *self, guint64 id, json_object *value)
{
    g_autoptr(GTask) task = leave(find(self, id));

    g_task_return_pointer(task, value, free_value);
}

void
mf_rpc_fail(MfRpc *self, guint64 id, GError *error)
{
    g_autoptr(GTask) task = leave(find(self, id));

    g_task_return_error(task, error);
}

/* One by one from the head: a callback may run the main loop, and so end others. */
void
mf_rpc_fail_all(MfRpc *self, const GError *reason)
{
    while (!g_queue_is_empty(&self->calls)) {
        g_autoptr(GTask) task = leave(g_queue_peek_head(&self->calls));

        g_task_return_error(task, g_error_copy(reason));
    }
}

gboolean
mf_rpc_finish(GAsyncResult *result, json_object **ret_value, GError **error)
{
    g_autoptr(GError) failure = NULL;
    json_object *value = g_task_propagate_pointer(G_TASK(result), &failure);

    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    if (ret_value)
        *ret_value = value;
    else
        json_object_put(value);
    return TRUE;
}

GBytes *
mf_rpc_request(const char *command, json_object *arguments, guint64 id)
{
    g_autoptr(json_object) request = json_object_new_object();

    json_object_object_add(request, "execute", json_object_new_string(command));
    if (arguments)
        json_object_object_add(request, "arguments", arguments);
    if (id)
        json_object_object_add(request, "id", json_object_new_int64((gint64)id));

    const char *text = json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN |
                                                                   JSON_C_TO_STRING_NOSLASHESCAPE);
    GString *line = g_string_new(text);
    g_string_append_c(line, '\n');
    return g_string_free_to_bytes(line);
}

/* The other side is not trusted with the terminal that will show its words. */
static void
append_printable(GString *line, const char *text)
{
    for (const char *at = text; *at && line->len + 4 <= MF_RPC_ERROR_TEXT_MAX;
         at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);

        g_string_append_unichar(line, g_unichar_iscntrl(c) ? ' ' : c);
    }
}

GError *
mf_rpc_remote_error(const MfJson *error)
{
    const char *class, *desc;
    GError *failure = NULL;

    if (!mf_json_get_string(error, "class", &class, &failure) ||
        !mf_json_get_string(error, "desc", &desc, &failure))
        return failure;

    g_autoptr(GString) text = g_string_new(NULL);
    append_printable(text, class);
    append_printable(text, ": ");
    append_printable(text, desc);
    return g_error_new_literal(MF_ERROR, MF_ERROR_REMOTE, text->str);
}
