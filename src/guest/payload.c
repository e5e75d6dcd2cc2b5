/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/payload.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest/cgroup-stat.h"
#include "guest/clock.h"
#include "guest/descendants.h"
#include "guest/ends.h"
#include "guest/payload-record.h"
#include "guest/spawn.h"
#include "wire/guest-protocol.h"

/* What was killed is gone a moment later, and what forks meanwhile needs another look; the looks
 * are this far apart, and there is an end to them. */
#define SWEEP_INTERVAL_MS 10
#define SWEEPS_MAX        200

/* Looks at those who are being stopped, until they are killed in any case. */
#define FREEZES_MAX 50

/* How long an output stays open, once all is swept, for somebody else who holds its pipe. */
#define LINGER_MS 1000

bool
mfg_payload_is_running(const struct mfg_payload *payload)
{
    return payload->child.pid != 0;
}

/* Whether it has exited without our having been told yet. */
static bool
has_ended(const struct mfg_payload *payload)
{
    struct pollfd poll_fd = {.fd = payload->pid_fd, .events = POLLIN};
    siginfo_t info = {0};

    if (!payload->child.pid)
        return true;
    if (payload->pid_fd >= 0)
        return poll(&poll_fd, 1, 0) == 1;
    return waitid(P_PID, (id_t)payload->child.pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid != 0;
}

void
mfg_payload_signal(struct mfg_payload *payload, int number)
{
    pid_t pid = payload->child.pid;

    if (!pid)
        return;
    /* Right after the fork there may be no group yet, but the process is there. */
    if (payload->parent_group || (kill(-pid, number) < 0 && errno == ESRCH))
        kill(pid, number);
}

/* Whether another payload is or may be in the control group, so that it cannot be killed whole. */
static bool
shares_cgroup(const struct mfg_payload *payload)
{
    for (const struct mfg_payload *other = payload->place->first; other; other = other->next)
        if (other != payload && mfg_cgroup_overlaps(&other->cgroup, &payload->cgroup))
            return true;
    return false;
}

/* Kills whom it finds. Returns whether there was somebody: then it has to look again. */
static bool
kill_once(struct mfg_payload *payload)
{
    struct mfg_children *children = payload->place->children;
    struct mfg_descent descent = {
        .leader = payload->child.pid,
        .session = payload->session,
        .since = MFG_DESCENT_NO_ORPHANS,
    };
    bool is_apart = payload->cgroup.fd >= 0 && !shares_cgroup(payload), found;

    if (is_apart)
        mfg_cgroup_kill(&payload->cgroup);
    else if (payload->place->first == payload && !payload->next)
        /* Nobody else can have left those who are nobody's. */
        descent.since = payload->since;
    else if (descent.leader && payload->freezes++ < FREEZES_MAX &&
             mfg_descendants_signal(children, &descent, SIGSTOP) > 0)
        /* Only once all stand still does nobody lose the parents by which he is known. */
        return true;
    found = mfg_descendants_signal(children, &descent, SIGKILL) > 0;
    mfg_payload_signal(payload, SIGKILL);
    return found || (is_apart && mfg_cgroup_is_populated(&payload->cgroup));
}

static void
tell(struct mfg_payload *payload)
{
    payload->place->changed(payload->place->data);
}

static void
finish_outputs(void *data)
{
    struct mfg_payload *payload = data;

    for (int i = 0; i < 2; i++)
        mfg_raw_output_finish(&payload->outputs[i]);
    tell(payload);
}

static void
sweep(void *data)
{
    struct mfg_payload *payload = data;
    struct mfg_loop *loop = payload->place->loop;

    if (kill_once(payload) && payload->sweeps++ < SWEEPS_MAX) {
        mfg_timer_start(&payload->sweep, loop, SWEEP_INTERVAL_MS, sweep, payload);
        return;
    }
    payload->swept = payload->exited;
    if (!payload->swept)
        return;
    mfg_timer_start(&payload->sweep, loop, LINGER_MS, finish_outputs, payload);
    tell(payload);
}

static void
start_sweep(struct mfg_payload *payload)
{
    payload->sweeps = payload->freezes = 0;
    sweep(payload);
}

static void
on_exited(void *data, pid_t pid, int status)
{
    struct mfg_payload *payload = data;

    payload->ended_us = mfg_clock_us();
    payload->exited = true;
    payload->status = status;
    mfg_timer_stop(&payload->deadline);
    /* It is not reaped yet, so that its group is still its own. */
    if (!payload->parent_group)
        kill(-pid, SIGKILL);
    start_sweep(payload);
}

static void
on_deadline(void *data)
{
    struct mfg_payload *payload = data;

    if (has_ended(payload))
        return;
    payload->timed_out = true;
    start_sweep(payload);
}

void
mfg_payload_kill(struct mfg_payload *payload)
{
    if (!payload->timed_out && !has_ended(payload))
        payload->killed = true;
    if (!payload->swept)
        start_sweep(payload);
}

static void
on_filled(void *data)
{
    tell(data);
}

/* One whose number this is from before has no members any more, or the kernel had not given it. */
static void
claim_session(struct mfg_payload *payload)
{
    for (struct mfg_payload *other = payload->place->first; other; other = other->next)
        if (other->session == payload->child.pid)
            other->session = 0;
    payload->session = payload->parent_group ? 0 : payload->child.pid;
}

static bool
open_ends(struct mfg_ends *ends)
{
    return mfg_ends_open_null(ends, 0) && mfg_ends_open_pipe(ends, 1) &&
           mfg_ends_open_pipe(ends, 2);
}

static pid_t
spawn(const struct mfg_payload *payload, const struct mfg_payload_record *record,
      const struct mfg_ends *ends)
{
    struct mfg_spawn spawn = {
        .argv = record->exec.argv,
        .shell = record->exec.shell,
        .envp = record->exec.envp,
        .path = record->exec.path,
        .workdir = record->exec.workdir,
        .user = record->exec.user,
        .fds = {ends->its[0], ends->its[1], ends->its[2]},
        .cgroup_fd = payload->cgroup.fd,
        .parent_group = record->parent_group,
    };

    return mfg_spawn(&spawn);
}

/* Runs it with its streams. Returns false with errno. */
static bool
launch(struct mfg_payload *payload, const struct mfg_payload_record *record)
{
    struct mfg_payload_place *place = payload->place;
    struct mfg_ends ends = MFG_ENDS_NONE;
    pid_t pid = open_ends(&ends) ? spawn(payload, record, &ends) : -1;

    if (pid < 0) {
        mfg_ends_clear(&ends);
        return false;
    }
    mfg_children_add(place->children, &payload->child, pid, on_exited, payload);
    claim_session(payload);
    payload->pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
    payload->since = mfg_descendants_start_of(pid);
    for (int i = 0; i < 2; i++)
        mfg_raw_output_open(&payload->outputs[i], place->loop, place->stream,
                            mfg_ends_take(&ends, i + 1), payload->index, i + 1, on_filled, payload);
    mfg_ends_clear(&ends);
    if (record->timeout_ms > 0)
        mfg_timer_start(&payload->deadline, place->loop, record->timeout_ms, on_deadline, payload);
    return true;
}

/* Returns false with a sentence in 'reason'. */
static bool
make_cgroup(struct mfg_payload *payload, const struct mfg_payload_record *record,
            const struct mfg_reason *reason)
{
    if (!record->cgroup) {
        mfg_cgroup_make(&payload->cgroup);
        return true;
    }
    payload->is_measured = true;
    if (!mfg_cgroup_make_named(&payload->cgroup, record->cgroup, reason))
        return false;
    for (const char **limit = record->limits; *limit; limit++)
        if (!mfg_cgroup_limit(&payload->cgroup, *limit, reason))
            return false;
    return true;
}

static unsigned int
count(const struct mfg_payload_place *place)
{
    unsigned int n = 0;

    for (const struct mfg_payload *payload = place->first; payload; payload = payload->next)
        n++;
    return n;
}

/* Returns false with a sentence in 'reason'. */
static bool
start(struct mfg_payload *payload, const struct mfg_payload_record *record,
      const struct mfg_reason *reason)
{
    if (count(payload->place) >= MFG_PAYLOADS_MAX)
        return mfg_fail(reason,
                        "cannot start the payload: there are %u already, which is the most "
                        "at a time",
                        MFG_PAYLOADS_MAX);
    if (!make_cgroup(payload, record, reason))
        return false;
    payload->parent_group = record->parent_group;
    payload->started_us = mfg_clock_us();
    if (launch(payload, record))
        return true;
    if (!record->cgroup && payload->cgroup.fd >= 0) {
        /* Nobody has asked for one: without it its descendants are found another way. */
        mfg_cgroup_clear(&payload->cgroup);
        if (launch(payload, record))
            return true;
    }
    if (record->cgroup)
        return mfg_fail(reason,
                        "cannot start the payload in the cgroup '%s' by '%s/cgroup.procs': "
                        "%s",
                        record->cgroup, payload->cgroup.path, strerror(errno));
    return mfg_fail(reason, "cannot start the payload: %s", strerror(errno));
}

bool
mfg_payload_start(struct mfg_payload_place *place, uint32_t index, const char *data, size_t size)
{
    struct mfg_payload *payload = calloc(1, sizeof(*payload));
    struct mfg_payload_record record = {0};
    struct mfg_reason reason;

    if (!payload)
        return false;
    payload->place = place;
    payload->index = index;
    payload->pid_fd = payload->cgroup.fd = -1;
    payload->since = MFG_DESCENT_NO_ORPHANS;
    payload->outputs[0].fd = payload->outputs[1].fd = -1;
    reason = (struct mfg_reason){payload->error, sizeof(payload->error)};
    if (mfg_payload_record_parse(data, size, &record, &reason) && start(payload, &record, &reason))
        payload->error[0] = '\0';
    mfg_payload_record_clear(&record);
    payload->next = place->first;
    place->first = payload;
    return true;
}

bool
mfg_payload_is_complete(const struct mfg_payload *payload)
{
    if (*payload->error)
        return true;
    return payload->swept && (!mfg_stream_is_open(payload->place->stream) ||
                              (payload->outputs[0].ended && payload->outputs[1].ended));
}

void
mfg_payload_describe(const struct mfg_payload *payload, struct mfg_payload_end *ret_end)
{
    *ret_end = (struct mfg_payload_end){
        .error = *payload->error ? payload->error : NULL,
        .status = payload->status,
        .timed_out = payload->timed_out,
        .killed = payload->killed,
        .duration_us = payload->ended_us - payload->started_us,
    };
    for (int i = 0; i < 2; i++) {
        ret_end->bytes[i] = payload->outputs[i].bytes;
        ret_end->kept[i] = payload->outputs[i].kept;
    }
    if (payload->is_measured && payload->cgroup.fd >= 0)
        ret_end->cgroup = mfg_cgroup_stat_read(payload->cgroup.fd);
}

static void
unlink_from_place(struct mfg_payload *payload)
{
    struct mfg_payload **link = &payload->place->first;

    while (*link != payload)
        link = &(*link)->next;
    *link = payload->next;
}

/* What could not be told apart from the other's, that one has to clean up. */
static void
leave_to(const struct mfg_payload *payload, struct mfg_payload *heir)
{
    if (mfg_cgroup_overlaps(&payload->cgroup, &heir->cgroup))
        mfg_cgroup_bequeath(&payload->cgroup, &heir->cgroup);
    if (payload->since < heir->since)
        heir->since = payload->since;
}

void
mfg_payload_free(struct mfg_payload *payload)
{
    /* There is no time to stop anybody first. */
    payload->freezes = FREEZES_MAX;
    if (mfg_payload_is_running(payload))
        kill_once(payload);
    mfg_children_remove(payload->place->children, &payload->child);
    mfg_timer_stop(&payload->deadline);
    mfg_timer_stop(&payload->sweep);
    for (int i = 0; i < 2; i++)
        mfg_raw_output_clear(&payload->outputs[i]);
    if (payload->pid_fd >= 0)
        close(payload->pid_fd);
    unlink_from_place(payload);
    for (struct mfg_payload *other = payload->place->first; other; other = other->next)
        leave_to(payload, other);
    mfg_cgroup_clear(&payload->cgroup);
    free(payload);
}
