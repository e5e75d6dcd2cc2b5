/* SPDX-License-Identifier: Apache-2.0 */
#include "dispatch-fixture.h"

#include <string.h>

static void
on_entry(const struct mf_frame *frame, gpointer data)
{
    Played *played = data;
    char tag[5] = {(char)(frame->type >> 24), (char)(frame->type >> 16), (char)(frame->type >> 8),
                   (char)frame->type};

    g_string_append_printf(played->entries, "%s%s ", frame->crc_ok ? "" : "!", tag);
}

static void
on_ready(gpointer data)
{
    ((Played *)data)->ready++;
}

static void
on_configured(const char *reason, const char *boot_id, gpointer data)
{
    g_string_append_printf(((Played *)data)->configured, "<%s%s%s>", reason ? reason : "all set",
                           boot_id ? " " : "", boot_id ? boot_id : "");
}

static void
on_output(int fd, const guint8 *bytes, gsize size, gpointer data)
{
    g_string_append_printf(((Played *)data)->outputs, "%d:%.*s ", fd, (int)size,
                           (const char *)bytes);
}

static void
on_held(gpointer data)
{
    ((Played *)data)->held++;
}

static void
on_acked(guint32 bytes, gpointer data)
{
    ((Played *)data)->acked_calls++;
    ((Played *)data)->acked += bytes;
}

static void
on_exited(int number, gpointer data)
{
    ((Played *)data)->exits++;
    ((Played *)data)->number = number;
}

static void
on_kernel_log(const guint8 *text, gsize size, gpointer data)
{
    g_string_append_len(((Played *)data)->log, (const char *)text, (gssize)size);
}

static void
on_scheduler_died(gpointer data)
{
    ((Played *)data)->deaths++;
}

static void
on_kernel_address(gpointer data)
{
    ((Played *)data)->addresses++;
}

static void
on_requested(const MfSnapshotRequest *request, gpointer data)
{
    g_string_append_printf(((Played *)data)->requests, "%u:%u:%s ", request->id, request->kind,
                           request->tag);
}

static void
on_moved(gpointer data)
{
    g_string_append(((Played *)data)->told, "moved ");
}

static void
on_metric(const guint8 *json, gsize size, gpointer data)
{
    g_string_append_len(((Played *)data)->told, (const char *)json, (gssize)size);
}

static void
on_log(const guint8 *text, gsize size, gpointer data)
{
    g_string_append_printf(((Played *)data)->told, "<%.*s>", (int)size, (const char *)text);
}

static const MfDispatchSinks sinks = {
    .entry = on_entry,
    .ready = on_ready,
    .configured = on_configured,
    .output = on_output,
    .held = on_held,
    .acked = on_acked,
    .exited = on_exited,
    .kernel_log = on_kernel_log,
    .scheduler_died = on_scheduler_died,
    .kernel_address = on_kernel_address,
    .requested = on_requested,
    .moved = on_moved,
    .metric = on_metric,
    .log = on_log,
};

void
played_set_up(Played *played, gconstpointer unused)
{
    played->dispatch = (MfDispatch){.sinks = &sinks, .data = played};
    played->entries = g_string_new(NULL);
    played->requests = g_string_new(NULL);
    played->outputs = g_string_new(NULL);
    played->configured = g_string_new(NULL);
    played->log = g_string_new(NULL);
    played->told = g_string_new(NULL);
}

void
played_tear_down(Played *played, gconstpointer unused)
{
    g_string_free(played->entries, TRUE);
    g_string_free(played->requests, TRUE);
    g_string_free(played->outputs, TRUE);
    g_string_free(played->configured, TRUE);
    g_string_free(played->log, TRUE);
    g_string_free(played->told, TRUE);
}

void
play_at(Played *played, guint32 type, gconstpointer payload, gsize length, gboolean good,
        guint64 now_ns)
{
    const struct mf_frame frame = {.type = type,
                                   .crc_ok = good,
                                   .pad_ok = true,
                                   .payload = length ? payload : (const guint8 *)"",
                                   .length = length};

    mf_dispatch_frame(&played->dispatch, &frame, now_ns);
}

void
play(Played *played, guint32 type, const char *payload, gboolean good)
{
    play_at(played, type, payload, strlen(payload), good, 0);
}

void
play_u32(Played *played, guint32 type, guint32 value, gboolean good)
{
    guint8 payload[4];

    mf_frame_put_u32(payload, value);
    play_at(played, type, payload, sizeof(payload), good, 0);
}

void
play_time(Played *played, guint32 type, guint64 now_ns)
{
    play_at(played, type, "", 0, GOOD, now_ns);
}

void
play_u64(Played *played, guint32 type, guint64 value, gsize length, gboolean good)
{
    guint8 payload[24] = {0};

    mf_frame_put_u32(payload, (guint32)value);
    mf_frame_put_u32(payload + 4, (guint32)(value >> 32));
    g_assert_cmpuint(length, <=, sizeof(payload));
    play_at(played, type, payload, length, good, 0);
}

void
play_request_as(Played *played, guint32 type, guint32 id, guint32 kind, const char *tag,
                gsize length, gboolean good)
{
    guint8 payload[80] = {0};

    g_assert_cmpuint(length, <=, sizeof(payload));
    mf_frame_put_u32(payload, id);
    mf_frame_put_u32(payload + 4, kind);
    memcpy(payload + 8, tag, MIN(strlen(tag), 72));
    play_at(played, type, payload, length, good, 0);
}

void
play_request(Played *played, guint32 id, guint32 kind, const char *tag, gsize length, gboolean good)
{
    play_request_as(played, MF_FRAME_SNRQ, id, kind, tag, length, good);
}

void
played_assert_no_effect(const Played *played)
{
    const MfDispatch fresh = {.sinks = &sinks, .data = (gpointer)played};

    g_assert_cmpstr(played->entries->str, ==, "");
    g_assert_cmpstr(played->requests->str, ==, "");
    g_assert_cmpstr(played->outputs->str, ==, "");
    g_assert_cmpstr(played->configured->str, ==, "");
    g_assert_cmpstr(played->log->str, ==, "");
    g_assert_cmpstr(played->told->str, ==, "");
    g_assert_cmpuint(played->ready + played->deaths + played->addresses, ==, 0);
    g_assert_cmpuint(played->acked_calls + played->exits + played->held, ==, 0);
    g_assert_cmpmem(&played->dispatch, sizeof(fresh), &fresh, sizeof(fresh));
}
