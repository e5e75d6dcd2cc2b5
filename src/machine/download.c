/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/download.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cache.h"
#include "base/error.h"
#include "base/fd.h"
#include "machine/peek.h"

/* How often the server is asked, and how long after a broken transfer; twice as long each time. */
#define ATTEMPTS_MAX 5
#define PAUSE_MS     100

/* What nobody came back for is removed after so long (seconds). */
#define STALE_AFTER (7 * 24 * 3600)

/* One step of the check reads so much. */
#define CHECK_BYTES (4U << 20)

/* Between opening a file and locking it another process may remove it. */
#define OPEN_ATTEMPTS 8

struct MfDownload {
    char *path;   /* owned */
    char *shown;  /* owned */
    char *sha256; /* owned */
    int fd;       /* locked */
    guint64 size; /* 0 when not known */
    guint64 max;
    guint64 have; /* bytes at the start of the file that were fetched */
    gboolean kept;
};

/* One run: the data of its task. */
typedef struct {
    MfDownload *download; /* borrowed */
    MfHttp *http;         /* borrowed */
    char *url;            /* owned */
    char *authorization;  /* owned */
    MfDownloadProgressFunc progress;
    gpointer progress_data;
    guint attempts, status;
    gboolean resumed; /* not all of it came with the last answer */
    GChecksum *sum;   /* owned; while checking */
    guint64 checked;
} Run;

static void
run_free(Run *self)
{
    g_clear_pointer(&self->sum, g_checksum_free);
    g_free(self->url);
    g_free(self->authorization);
    g_free(self);
}

/* Opens and locks the file at 'path'; -1 with errno, EWOULDBLOCK when another process has it. */
static int
open_locked(const char *path, int flags)
{
    for (int attempt = 0; attempt < OPEN_ATTEMPTS; attempt++) {
        mf_autofd fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | flags, 0600);

        if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
            return -1;
        if (mf_fd_is_named(fd, path))
            return mf_fd_steal(&fd);
    }
    errno = EAGAIN;
    return -1;
}

static void
sweep(const char *section)
{
    g_autoptr(GDir) directory = g_dir_open(section, 0, NULL);
    gint64 now = g_get_real_time() / G_USEC_PER_SEC;
    const char *name;

    while (directory && (name = g_dir_read_name(directory))) {
        g_autofree char *path = g_build_filename(section, name, NULL);
        mf_autofd fd = -1;
        struct stat status;

        if (stat(path, &status) < 0 || now - status.st_mtime < STALE_AFTER)
            continue;
        fd = open_locked(path, 0);
        if (fd >= 0)
            unlink(path);
    }
}

MfDownload *
mf_download_new(const char *sha256, guint64 size, guint64 max, const char *shown, GError **error)
{
    g_autoptr(MfDownload) self = g_new0(MfDownload, 1);
    g_autofree char *section = mf_cache_dir("downloads", error);
    struct stat status;

    self->fd = -1;
    if (!section)
        return NULL;
    sweep(section);
    self->path = g_build_filename(section, sha256, NULL);
    self->sha256 = g_strdup(sha256);
    self->shown = g_strdup(shown);
    self->size = size;
    self->max = size ? size : max;
    self->fd = open_locked(self->path, O_CREAT);
    if (self->fd < 0 && errno == EWOULDBLOCK) {
        g_set_error(error, MF_ERROR, MF_ERROR_HOST,
                    "The %s is being fetched by another mayfly: wait for that, then try again.",
                    shown);
        return NULL;
    }
    if (self->fd < 0 || fstat(self->fd, &status) < 0) {
        mf_error_set_errno(error, MF_ERROR_HOST, errno, "The cache file '%s' cannot be opened",
                           self->path);
        return NULL;
    }
    self->have = (guint64)status.st_size;
    return g_steal_pointer(&self);
}

void
mf_download_free(MfDownload *self)
{
    if (!self)
        return;
    if (self->fd >= 0 && (!self->kept || self->have == 0))
        unlink(self->path);
    mf_fd_clear(&self->fd);
    g_free(self->path);
    g_free(self->shown);
    g_free(self->sha256);
    g_free(self);
}

void
mf_download_keep(MfDownload *self)
{
    self->kept = TRUE;
}

const char *
mf_download_get_path(MfDownload *self)
{
    return self->path;
}

static void request(GTask *task);

static gboolean
on_body(const void *data, gsize size, guint64 position, gpointer user_data, GError **error)
{
    Run *self = g_task_get_task_data(user_data);
    MfDownload *download = self->download;

    if (!mf_poke_write(download->fd, data, size, position)) {
        mf_error_set_errno(error, MF_ERROR_HOST, errno,
                           "The %s cannot be written to the cache (MAYFLY_CACHE_DIR names another)",
                           download->shown);
        return FALSE;
    }
    download->have = position + size;
    if (self->progress)
        self->progress(download->have, self->progress_data);
    return TRUE;
}

static gboolean
set_if_cancelled(GTask *task, GError **error)
{
    Run *self = g_task_get_task_data(task);

    if (!g_cancellable_is_cancelled(g_task_get_cancellable(task)))
        return FALSE;
    g_set_error(error, MF_ERROR, MF_ERROR_CANCELLED, "Fetching the %s was cancelled.",
                self->download->shown);
    return TRUE;
}

static gboolean
forget(MfDownload *self, GError **error)
{
    self->have = 0;
    if (ftruncate(self->fd, 0) == 0)
        return TRUE;
    mf_error_set_errno(error, MF_ERROR_HOST, errno, "The cache file '%s' cannot be written",
                       self->path);
    return FALSE;
}

/* All is read: whether it is what was asked for. What was put together of several answers may be
 * of two different files; that gets another chance. */
static void
conclude_check(GTask *task)
{
    Run *self = g_task_get_task_data(task);
    MfDownload *download = self->download;
    const char *sum = g_checksum_get_string(self->sum);
    GError *error = NULL;

    if (g_str_equal(sum, download->sha256)) {
        g_task_return_boolean(task, TRUE);
    } else if (!self->resumed || self->attempts >= ATTEMPTS_MAX) {
        g_task_return_new_error(task, MF_ERROR, MF_ERROR_PROTOCOL,
                                "The %s is refused: its SHA-256 is %s where %s is expected.",
                                download->shown, sum, download->sha256);
    } else if (!forget(download, &error)) {
        g_task_return_error(task, error);
    } else {
        request(g_object_ref(task));
    }
}

static gboolean
on_check(gpointer data)
{
    GTask *task = data;
    Run *self = g_task_get_task_data(task);
    g_autofree guchar *block = g_malloc(CHECK_BYTES);
    GError *error = NULL;
    ssize_t n;

    if (set_if_cancelled(task, &error)) {
        g_task_return_error(task, error);
        return G_SOURCE_REMOVE;
    }
    n = pread(self->download->fd, block, CHECK_BYTES, (off_t)self->checked);
    if (n < 0) {
        mf_error_set_errno(&error, MF_ERROR_HOST, errno, "The cache file '%s' cannot be read",
                           self->download->path);
        g_task_return_error(task, error);
        return G_SOURCE_REMOVE;
    }
    if (n > 0) {
        g_checksum_update(self->sum, block, n);
        self->checked += (guint64)n;
        return G_SOURCE_CONTINUE;
    }
    conclude_check(task);
    return G_SOURCE_REMOVE;
}

/* Takes the task. */
static void
check(GTask *task)
{
    Run *self = g_task_get_task_data(task);
    MfDownload *download = self->download;
    GError *error = NULL;

    if (download->size && download->have != download->size) {
        g_task_return_new_error(task, MF_ERROR, MF_ERROR_PROTOCOL,
                                "The %s is refused: the server sent %" G_GUINT64_FORMAT
                                " of its %" G_GUINT64_FORMAT " bytes.",
                                download->shown, download->have, download->size);
        g_object_unref(task);
        return;
    }
    if (ftruncate(download->fd, (off_t)download->have) < 0) {
        mf_error_set_errno(&error, MF_ERROR_HOST, errno, "The cache file '%s' cannot be written",
                           download->path);
        g_task_return_error(task, error);
        g_object_unref(task);
        return;
    }
    g_clear_pointer(&self->sum, g_checksum_free);
    self->sum = g_checksum_new(G_CHECKSUM_SHA256);
    self->checked = 0;
    g_idle_add_full(G_PRIORITY_DEFAULT_IDLE, on_check, task, g_object_unref);
}

static gboolean
on_pause_over(gpointer data)
{
    request(g_object_ref(data));
    return G_SOURCE_REMOVE;
}

/* Takes the task. A cancellation ends the pause. */
static void
try_again_later(GTask *task)
{
    Run *self = g_task_get_task_data(task);
    GCancellable *cancellable = g_task_get_cancellable(task);
    g_autoptr(GSource) pause = g_timeout_source_new(PAUSE_MS << self->attempts);

    if (cancellable) {
        g_autoptr(GSource) cancelled = g_cancellable_source_new(cancellable);

        g_source_set_dummy_callback(cancelled);
        g_source_add_child_source(pause, cancelled);
    }
    g_source_set_callback(pause, on_pause_over, task, g_object_unref);
    g_source_attach(pause, NULL);
}

static GError *
explain_status(Run *self)
{
    return g_error_new(MF_ERROR, MF_ERROR_REMOTE,
                       "The %s cannot be fetched: the server answered '%s' with status %u.",
                       self->download->shown, self->url, self->status);
}

static void
on_answered(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GTask) task = data;
    Run *self = g_task_get_task_data(task);
    GError *error = NULL;
    g_autoptr(MfHttpResponse) response = mf_http_get_finish(result, &error);
    gboolean passing = g_error_matches(error, MF_ERROR, MF_ERROR_LOST);

    self->status = response ? response->status : 0;
    if (response && (self->status == 200 || self->status == 206 ||
                     (self->status == 416 && self->download->have > 0))) {
        check(g_steal_pointer(&task));
        return;
    }
    if (response)
        error = explain_status(self);
    if (passing && self->attempts < ATTEMPTS_MAX) {
        g_error_free(error);
        try_again_later(g_steal_pointer(&task));
        return;
    }
    g_task_return_error(task, error);
}

/* Takes the task. */
static void
request(GTask *task)
{
    Run *self = g_task_get_task_data(task);
    MfDownload *download = self->download;
    GError *error = NULL;

    if (set_if_cancelled(task, &error) ||
        (download->have > download->max && !forget(download, &error))) {
        g_task_return_error(task, error);
        g_object_unref(task);
        return;
    }
    self->resumed = download->have > 0;
    if (download->size && download->have == download->size) {
        check(task);
        return;
    }

    const MfHttpRequest wanted = {
        .url = self->url,
        .authorization = self->authorization,
        .offset = download->have,
        .max = download->max,
        .body = on_body,
        .body_data = task,
    };
    self->attempts++;
    mf_http_get_async(self->http, &wanted, g_task_get_cancellable(task), on_answered, task);
}

void
mf_download_run_async(MfDownload *self, MfHttp *http, const char *url, const char *authorization,
                      MfDownloadProgressFunc progress, gpointer progress_data,
                      GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
    GTask *task = g_task_new(NULL, cancellable, callback, user_data);
    Run *run = g_new0(Run, 1);

    run->download = self;
    run->http = http;
    run->url = g_strdup(url);
    run->authorization = g_strdup(authorization);
    run->progress = progress;
    run->progress_data = progress_data;
    g_task_set_check_cancellable(task, FALSE);
    g_task_set_task_data(task, run, (GDestroyNotify)run_free);
    request(task);
}

gboolean
mf_download_run_finish(GAsyncResult *result, guint *ret_status, GError **error)
{
    Run *self = g_task_get_task_data(G_TASK(result));

    *ret_status = self->status;
    return g_task_propagate_boolean(G_TASK(result), error);
}
