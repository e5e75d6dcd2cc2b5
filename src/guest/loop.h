/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

/*
 * The one loop of the guest program: descriptors and timers, one thread, nothing that blocks.
 * Watches and timers are members of their users' structures; they may be changed, removed and added
 * from inside any callback.
 */

#define MFG_LOOP_BATCH 32

struct mfg_loop {
    int epoll_fd;
    bool quit;
    struct mfg_timer *timers; /* borrowed; the armed ones */
    struct epoll_event batch[MFG_LOOP_BATCH];
    int batch_size;
};

struct mfg_watch {
    struct mfg_loop *loop; /* borrowed; NULL when not added */
    int fd;                /* borrowed */
    uint32_t events;
    void (*func)(void *data, uint32_t events);
    void *data;
};

struct mfg_timer {
    struct mfg_timer *next;
    struct mfg_loop *loop; /* borrowed; NULL when not armed */
    int64_t due_ms;
    void (*func)(void *data);
    void *data;
};

/* Returns false with errno when the kernel gives no epoll descriptor. */
bool mfg_loop_init(struct mfg_loop *loop);
void mfg_loop_clear(struct mfg_loop *loop);

/* Runs until mfg_loop_quit(), or until *until is true, if that is given. */
void mfg_loop_run(struct mfg_loop *loop, const bool *until);
void mfg_loop_quit(struct mfg_loop *loop);

/* Calls func(data, events) while 'fd' has any of 'events' (EPOLLIN, EPOLLOUT, EPOLLET) or hung up.
 * Returns false with errno. The watch must be removed before the descriptor is closed. */
bool mfg_watch_add(struct mfg_watch *watch, struct mfg_loop *loop, int fd, uint32_t events,
                   void (*func)(void *data, uint32_t events), void *data);

/* What to wait for from now on. With 0 the descriptor is not looked at at all, so that one that
 * hung up cannot keep the loop busy. */
void mfg_watch_set(struct mfg_watch *watch, uint32_t events);

/* Does nothing when the watch is not added. */
void mfg_watch_remove(struct mfg_watch *watch);

/* Calls func(data) once, 'delay_ms' from now; arms the timer anew when it was armed. */
void mfg_timer_start(struct mfg_timer *timer, struct mfg_loop *loop, int64_t delay_ms,
                     void (*func)(void *data), void *data);
void mfg_timer_stop(struct mfg_timer *timer);
