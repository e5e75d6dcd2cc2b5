/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "peer.h"
#include "run/exec-stream.h"
#include "stream-peer.h"

/* An MfExecStream between a scripted guest (frames on one socket, the agent's lines on another) and
 * the pipes of a caller. */
typedef struct {
    Peer *agent;
    MfQga *qga;
    StreamPeer *guest;
    MfStream *stream;
    MfStdio *stdio;
    MfExec *exec; /* owned; an MfExecStream, unless there is another one before it is run */
    GCancellable *cancellable;
    int in_fd;           /* the host's standard input, borrowed by 'stdio'; or -1 */
    int out_fd[3];       /* the host's outputs, likewise; indexes 1 and 2 */
    int reader[3];       /* the caller's ends of those; -1 when closed */
    GByteArray *read[3]; /* what the caller has read */
    guint reader_source[3];
    gint64 limit_ms; /* of the command, set before exec_fixture_run() */
    guint returns;
    MfExit exit;
    GError *error;
    gint64 marked_us; /* when exec_fixture_mark() was called */
} ExecFixture;

/* Without standard input; its reader of outputs reads. */
void exec_fixture_set_up(ExecFixture *self, gconstpointer unused);
void exec_fixture_tear_down(ExecFixture *self, gconstpointer unused);

/* Gives the command 'size' bytes of standard input, then its end; before exec_fixture_run(). */
void exec_fixture_set_input(ExecFixture *self, gconstpointer bytes, gsize size);

/* The agent's script: a sync, and a guest-exec with pid 7 for an answer; a question for its status,
 * and the answer. */
void exec_fixture_expect_start(ExecFixture *self);
void exec_fixture_expect_status(ExecFixture *self, const char *answer);

#define EXEC_START_ARGUMENTS                                                                       \
    "{\"path\": \"/run/mayfly/mayfly-guest\", \"arg\": [\"exec\"], \"input-data\": \"cmVjb3Jk\"}"
#define EXEC_RUNNING      "{\"exited\": false}"
#define EXEC_EXITED(n)    "{\"exited\": true, \"exitcode\": " #n "}"
#define EXEC_SIGNALLED(n) "{\"exited\": true, \"signal\": " #n "}"

/* The same in two: in the script, nothing answers the question until it is told to. */
void exec_fixture_expect_question(ExecFixture *self);
void exec_fixture_answer(ExecFixture *self, const char *answer);

/* Starts the command; runs the main loop until it has completed. */
void exec_fixture_run(ExecFixture *self);
void exec_fixture_await(ExecFixture *self);

/* Whether the caller reads that output; closing its end for good. */
void exec_fixture_set_reading(ExecFixture *self, int fd, gboolean reading);
void exec_fixture_close_reader(ExecFixture *self, int fd);

/* The guest says both ends of output; the end by frame. */
void exec_fixture_say_ends(ExecFixture *self);
void exec_fixture_say_exit(ExecFixture *self, int number);

void exec_fixture_mark(gpointer fixture);
gint64 exec_fixture_since_mark_ms(const ExecFixture *self);

/* The command has completed, once: with this end and these outputs; or with this error. */
void exec_fixture_assert_exit(ExecFixture *self, int status, int signal_number, const char *out,
                              const char *err);
void exec_fixture_assert_error(ExecFixture *self, int code);
