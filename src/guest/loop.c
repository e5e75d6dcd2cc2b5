/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/loop.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <unistd.h>

#include "guest/clock.h"
#include "guest/log.h"

bool
mfg_loop_init(struct mfg_loop *loop)
{
    *loop = (struct mfg_loop){.epoll_fd = epoll_create1(EPOLL_CLOEXEC)};
    return loop->epoll_fd >= 0;
}

void
mfg_loop_clear(struct mfg_loop *loop)
{
    if (loop->epoll_fd >= 0)
        close(loop->epoll_fd);
    loop->epoll_fd = -1;
}

void
mfg_loop_quit(struct mfg_loop *loop)
{
    loop->quit = true;
}

bool
mfg_watch_add(struct mfg_watch *watch, struct mfg_loop *loop, int fd, uint32_t events,
              void (*func)(void *data, uint32_t events), void *data)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};

    if (events && epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
        return false;
    *watch =
        (struct mfg_watch){.loop = loop, .fd = fd, .events = events, .func = func, .data = data};
    return true;
}

void
mfg_watch_set(struct mfg_watch *watch, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};
    int operation = EPOLL_CTL_MOD;

    if (!watch->loop || watch->events == events)
        return;
    if (!events)
        operation = EPOLL_CTL_DEL;
    else if (!watch->events)
        operation = EPOLL_CTL_ADD;
    if (epoll_ctl(watch->loop->epoll_fd, operation, watch->fd, &event) < 0) {
        mfg_log("cannot wait for descriptor %d: %m", watch->fd);
        return;
    }
    watch->events = events;
}

void
mfg_watch_remove(struct mfg_watch *watch)
{
    struct mfg_loop *loop = watch->loop;

    if (!loop)
        return;
    mfg_watch_set(watch, 0);
    /* It may have an event that has not been delivered yet. */
    for (int i = 0; i < loop->batch_size; i++)
        if (loop->batch[i].data.ptr == watch)
            loop->batch[i].data.ptr = NULL;
    watch->loop = NULL;
}

void
mfg_timer_start(struct mfg_timer *timer, struct mfg_loop *loop, int64_t delay_ms,
                void (*func)(void *data), void *data)
{
    mfg_timer_stop(timer);
    *timer = (struct mfg_timer){
        .next = loop->timers,
        .loop = loop,
        .due_ms = mfg_clock_ms() + delay_ms,
        .func = func,
        .data = data,
    };
    loop->timers = timer;
}

void
mfg_timer_stop(struct mfg_timer *timer)
{
    struct mfg_timer **link;

    if (!timer->loop)
        return;
    for (link = &timer->loop->timers; *link != timer; link = &(*link)->next)
        ;
    *link = timer->next;
    timer->loop = NULL;
}

static struct mfg_timer *
next_timer(struct mfg_loop *loop)
{
    struct mfg_timer *next = loop->timers;

    for (struct mfg_timer *timer = next; timer; timer = timer->next)
        if (timer->due_ms < next->due_ms)
            next = timer;
    return next;
}

static int
time_to_wait(struct mfg_loop *loop)
{
    struct mfg_timer *timer = next_timer(loop);
    int64_t left;

    if (!timer)
        return -1;
    left = timer->due_ms - mfg_clock_ms();
    if (left < 0)
        return 0;
    return left < INT_MAX ? (int)left : INT_MAX;
}

static void
run_due_timers(struct mfg_loop *loop)
{
    struct mfg_timer *timer;
    int64_t now = mfg_clock_ms();

    while ((timer = next_timer(loop)) && timer->due_ms <= now) {
        mfg_timer_stop(timer);
        timer->func(timer->data);
    }
}

static void
deliver(struct mfg_loop *loop)
{
    for (int i = 0; i < loop->batch_size; i++) {
        struct mfg_watch *watch = loop->batch[i].data.ptr;

        if (watch && watch->events)
            watch->func(watch->data, loop->batch[i].events);
    }
    loop->batch_size = 0;
}

void
mfg_loop_run(struct mfg_loop *loop, const bool *until)
{
    while (!loop->quit && !(until && *until)) {
        int n = epoll_wait(loop->epoll_fd, loop->batch, MFG_LOOP_BATCH, time_to_wait(loop));

        if (n < 0 && errno != EINTR) {
            mfg_log("cannot wait for events: %m");
            return;
        }
        loop->batch_size = n < 0 ? 0 : n;
        deliver(loop);
        run_due_timers(loop);
    }
}
