/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/kmsg.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "guest/log.h"

/* A kernel that says more than this many frames before it pauses for once does not stop talking. */
#define PASSES_MAX 64

/* A record is "<priority>,<sequence>,<microseconds>,<flags>[,...];<text>\n" and then lines of
 * properties, each beginning with a space. In the text the kernel writes what is not printable
 * ASCII, and the backslash, as \xHH. */

static int
hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that an escape at 'text' stands for, if it is one that a log may show as it is: line
 * ends, tabs, the backslash and what is beyond ASCII. Others stay escaped: they could drive a
 * terminal. Returns -1 for them. */
static int
shown_byte(const char *text, size_t left)
{
    int high, low, byte;

    if (left < 4 || text[0] != '\\' || text[1] != 'x')
        return -1;
    high = hex_value(text[2]);
    low = hex_value(text[3]);
    byte = high * 16 + low;
    if (high < 0 || low < 0)
        return -1;
    return byte == '\n' || byte == '\t' || byte == '\\' || byte >= 0x80 ? byte : -1;
}

size_t
mfg_kmsg_format(const char *record, size_t size, char *line, size_t line_size)
{
    char head[128];
    const char *text = memchr(record, ';', size), *end;
    size_t length, head_length = text ? (size_t)(text - record) : 0;
    uint64_t us;
    int n;

    if (!text || head_length >= sizeof(head))
        return 0;
    memcpy(head, record, head_length);
    head[head_length] = '\0';
    if (sscanf(head, "%*u,%*u,%" SCNu64 ",", &us) != 1)
        return 0;
    text++;
    end = memchr(text, '\n', size - head_length - 1);
    if (!end)
        end = record + size;
    n = snprintf(line, line_size, "[%5" PRIu64 ".%06" PRIu64 "] ", us / 1000000, us % 1000000);
    if (n < 0 || (size_t)n + (size_t)(end - text) + 1 > line_size)
        return 0;
    length = (size_t)n;
    while (text < end) {
        int byte = shown_byte(text, (size_t)(end - text));

        line[length++] = byte < 0 ? *text : (char)byte;
        text += byte < 0 ? 1 : 4;
    }
    line[length++] = '\n';
    return length;
}

/* Appends what one read gives. Returns false when there is nothing more for now. */
static bool
read_record(struct mfg_kmsg *kmsg, char *lines, size_t capacity, size_t *length)
{
    static const char gap[] = "[ mayfly-guest: the kernel dropped messages here: its log was read "
                              "too late ]\n";
    char record[MFG_KMSG_RECORD_MAX];
    ssize_t n = read(kmsg->fd, record, sizeof(record));

    if (n < 0 && errno == EPIPE) {
        memcpy(lines + *length, gap, sizeof(gap) - 1);
        *length += sizeof(gap) - 1;
        return true;
    }
    if (n <= 0)
        return n < 0 && errno == EINTR;
    *length += mfg_kmsg_format(record, (size_t)n, lines + *length, capacity - *length);
    return true;
}

static void
tell_caught_up(struct mfg_kmsg *kmsg)
{
    void (*caught_up)(void *data) = kmsg->caught_up;

    kmsg->caught_up = NULL;
    if (caught_up)
        caught_up(kmsg->data);
}

/* Sends one frame of what is there. Returns false when there is nothing more for now, or no room.
 */
static bool
pass_on(struct mfg_kmsg *kmsg)
{
    char *lines = (char *)mfg_stream_reserve(kmsg->stream);
    size_t length = 0;
    bool more = true;

    if (!lines) {
        mfg_watch_set(&kmsg->watch, 0);
        return false;
    }
    /* A line is longer than its record by less than the time stamp. */
    while (more && length + MFG_KMSG_RECORD_MAX + 64 <= MF_FRAME_CHUNK_MAX)
        more = read_record(kmsg, lines, MF_FRAME_CHUNK_MAX, &length);
    if (length > 0)
        mfg_stream_commit(kmsg->stream, MF_FRAME_DMSG, length);
    if (!more || ++kmsg->passes >= PASSES_MAX)
        tell_caught_up(kmsg);
    return more;
}

static void
on_readable(void *data, uint32_t events)
{
    pass_on(data);
}

void
mfg_kmsg_flush(struct mfg_kmsg *kmsg)
{
    for (unsigned int passes = 0; kmsg->fd >= 0 && passes < PASSES_MAX; passes++)
        if (!pass_on(kmsg))
            return;
}

void
mfg_kmsg_open(struct mfg_kmsg *kmsg, struct mfg_loop *loop, struct mfg_stream *stream,
              void (*caught_up)(void *data), void *data)
{
    *kmsg = (struct mfg_kmsg){
        .stream = stream,
        .fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC),
        .caught_up = caught_up,
        .data = data,
    };
    if (kmsg->fd < 0 || !mfg_watch_add(&kmsg->watch, loop, kmsg->fd, EPOLLIN, on_readable, kmsg)) {
        mfg_log("cannot read the kernel's log: %m");
        mfg_kmsg_close(kmsg);
        tell_caught_up(kmsg);
    }
}

void
mfg_kmsg_close(struct mfg_kmsg *kmsg)
{
    mfg_watch_remove(&kmsg->watch);
    if (kmsg->fd >= 0)
        close(kmsg->fd);
    kmsg->fd = -1;
}

void
mfg_kmsg_resume(struct mfg_kmsg *kmsg)
{
    if (kmsg->fd >= 0)
        mfg_watch_set(&kmsg->watch, EPOLLIN);
}
