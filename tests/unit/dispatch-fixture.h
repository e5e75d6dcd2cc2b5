/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "run/dispatch.h"

/* Frames played to a dispatcher whose sinks write down what they are given. */

#define TORN FALSE
#define GOOD TRUE

/* What came out of the sinks; the texts are one letter or number per call, with a space behind. */
typedef struct {
    MfDispatch dispatch;
    GString *entries;  /* tags, "!" before those with a wrong checksum */
    GString *requests; /* ids */
    GString *outputs;  /* fd and text */
    GString *configured;
    GString *log;
    GString *told; /* "moved ", metrics as they are, logs in <> */
    guint ready, deaths, addresses, acked_calls, exits, held;
    guint64 acked;
    int number;
} Played;

void played_set_up(Played *played, gconstpointer unused);
void played_tear_down(Played *played, gconstpointer unused);

/* One frame; with an integer for its payload; without one, at a time; with the first 'length' bytes
 * of a u64 and zeros; with the first 'length' bytes of a snapshot request. */
void play_at(Played *played, guint32 type, gconstpointer payload, gsize length, gboolean good,
             guint64 now_ns);
void play(Played *played, guint32 type, const char *payload, gboolean good);
void play_u32(Played *played, guint32 type, guint32 value, gboolean good);
void play_time(Played *played, guint32 type, guint64 now_ns);
void play_u64(Played *played, guint32 type, guint64 value, gsize length, gboolean good);
void play_request(Played *played, guint32 id, guint32 kind, const char *tag, gsize length,
                  gboolean good);

void play_request_as(Played *played, guint32 type, guint32 id, guint32 kind, const char *tag,
                     gsize length, gboolean good);

/* No sink was called, and the state is as it was at first. */
void played_assert_no_effect(const Played *played);
