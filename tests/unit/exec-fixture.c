/* SPDX-License-Identifier: Apache-2.0 */
#include "exec-fixture.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"

#define RECORD "record"

static gboolean
on_readable(int fd, GIOCondition condition, gpointer data)
{
    GByteArray *all = data;
    guint8 chunk[65536];
    ssize_t n = read(fd, chunk, sizeof(chunk));

    if (n > 0)
        g_byte_array_append(all, chunk, (guint)n);
    return G_SOURCE_CONTINUE;
}

static void
open_output(ExecFixture *self, int fd)
{
    int ends[2];

    g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
    self->reader[fd] = ends[0];
    self->out_fd[fd] = ends[1];
    self->stdio->output[fd] = mf_output_new(ends[1]);
    self->read[fd] = g_byte_array_new();
    exec_fixture_set_reading(self, fd, TRUE);
}

void
exec_fixture_set_up(ExecFixture *self, gconstpointer unused)
{
    g_autoptr(MfTransport) transport = NULL;

    self->agent = peer_new(&transport);
    self->qga = mf_qga_new(transport);
    self->guest = stream_peer_new(&self->stream);
    self->stdio = g_new0(MfStdio, 1);
    self->cancellable = g_cancellable_new();
    self->in_fd = -1;
    for (int fd = 1; fd <= 2; fd++)
        open_output(self, fd);
}

void
exec_fixture_tear_down(ExecFixture *self, gconstpointer unused)
{
    stream_peer_settle();
    if (self->exec)
        g_assert_finalize_object(self->exec);
    g_assert_finalize_object(self->stream);
    stream_peer_free(self->guest);
    g_assert_finalize_object(self->qga);
    peer_free(self->agent);
    mf_stdio_free(self->stdio);
    for (int fd = 1; fd <= 2; fd++) {
        g_clear_handle_id(&self->reader_source[fd], g_source_remove);
        mf_fd_clear(&self->reader[fd]);
        mf_fd_clear(&self->out_fd[fd]);
        g_byte_array_unref(self->read[fd]);
    }
    mf_fd_clear(&self->in_fd);
    g_clear_object(&self->cancellable);
    g_clear_error(&self->error);
}

void
exec_fixture_set_input(ExecFixture *self, gconstpointer bytes, gsize size)
{
    self->in_fd = memfd_create("input", MFD_CLOEXEC);
    g_assert_cmpint(self->in_fd, >=, 0);
    g_assert_true(mf_fd_write_all(self->in_fd, bytes, size, NULL));
    g_assert_cmpint(lseek(self->in_fd, 0, SEEK_SET), ==, 0);
    self->stdio->input = mf_input_new(self->in_fd, MF_FRAME_CHUNK_MAX);
}

void
exec_fixture_expect_start(ExecFixture *self)
{
    peer_expect_exec(self->agent, EXEC_START_ARGUMENTS);
}

void
exec_fixture_expect_question(ExecFixture *self)
{
    peer_expect_exec_status(self->agent);
}

void
exec_fixture_answer(ExecFixture *self, const char *answer)
{
    peer_return(self->agent, answer);
    peer_play(self->agent);
}

void
exec_fixture_expect_status(ExecFixture *self, const char *answer)
{
    exec_fixture_expect_question(self);
    peer_return(self->agent, answer);
}

static void
on_returned(GObject *source, GAsyncResult *result, gpointer data)
{
    ExecFixture *self = data;

    g_assert_cmpuint(++self->returns, ==, 1);
    g_assert_cmpint(mf_exec_run_finish(MF_EXEC(source), result, &self->exit, &self->error), ==,
                    self->error == NULL);
}

void
exec_fixture_run(ExecFixture *self)
{
    g_autoptr(GBytes) record = g_bytes_new_static(RECORD, strlen(RECORD));

    if (!self->exec)
        self->exec = mf_exec_stream_new(self->qga, self->stream, self->stdio, record);
    mf_exec_set_limit(self->exec, self->limit_ms);
    mf_exec_run_async(self->exec, self->cancellable, on_returned, self);
}

void
exec_fixture_await(ExecFixture *self)
{
    while (self->returns == 0)
        g_main_context_iteration(NULL, TRUE);
    stream_peer_settle();
}

void
exec_fixture_set_reading(ExecFixture *self, int fd, gboolean reading)
{
    g_clear_handle_id(&self->reader_source[fd], g_source_remove);
    if (reading)
        self->reader_source[fd] =
            g_unix_fd_add(self->reader[fd], G_IO_IN, on_readable, self->read[fd]);
}

void
exec_fixture_close_reader(ExecFixture *self, int fd)
{
    exec_fixture_set_reading(self, fd, FALSE);
    mf_fd_clear(&self->reader[fd]);
}

void
exec_fixture_say_ends(ExecFixture *self)
{
    stream_peer_say_text(self->guest, MF_FRAME_SOUT, "");
    stream_peer_say_text(self->guest, MF_FRAME_SERR, "");
}

void
exec_fixture_say_exit(ExecFixture *self, int number)
{
    stream_peer_say_u32(self->guest, MF_FRAME_EXCX, (guint32)number);
}

void
exec_fixture_mark(gpointer fixture)
{
    ((ExecFixture *)fixture)->marked_us = g_get_monotonic_time();
}

gint64
exec_fixture_since_mark_ms(const ExecFixture *self)
{
    return (g_get_monotonic_time() - self->marked_us) / 1000;
}

void
exec_fixture_assert_exit(ExecFixture *self, int status, int signal_number, const char *out,
                         const char *err)
{
    g_assert_cmpuint(self->returns, ==, 1);
    g_assert_no_error(self->error);
    g_assert_cmpint(self->exit.status, ==, status);
    g_assert_cmpint(self->exit.signal_number, ==, signal_number);
    g_assert_cmpmem(self->read[1]->data, self->read[1]->len, out, strlen(out));
    g_assert_cmpmem(self->read[2]->data, self->read[2]->len, err, strlen(err));
}

void
exec_fixture_assert_error(ExecFixture *self, int code)
{
    g_assert_cmpuint(self->returns, ==, 1);
    g_assert_error(self->error, MF_ERROR, code);
}
