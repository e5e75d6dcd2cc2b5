/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/frame-verb.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guest/channel.h"
#include "guest/json-build.h"
#include "guest/log.h"
#include "wire/frame.h"
#include "wire/guest-protocol.h"

#define STATUS_FAILED 1
#define STATUS_USAGE  2

/* Of a metric. */
#define NAME_MAX_BYTES 128
#define UNIT_MAX_BYTES 64

/* The request's id; a connection has one at a time. */
#define REQUEST_ID 1

/* A connection, and the message that is made up for it. */
struct door {
    const char *path;
    int fd;
    uint8_t message[MF_FRAME_HEADER_SIZE + MF_SCENARIO_PAYLOAD_MAX];
};

static int
fail_usage(const char *problem)
{
    mfg_log("%s; 'mayfly-guest --help' shows what there is", problem);
    return STATUS_USAGE;
}

/* By the first message. */
static bool
enter(struct door *door)
{
    if (door->fd >= 0)
        return true;
    door->fd = mfg_channel_connect(door->path, SOCK_SEQPACKET);
    if (door->fd >= 0)
        return true;
    mfg_log("cannot reach mayfly by the socket '%s' (%s): is this the guest of a run, with its own "
            "/run?",
            door->path, strerror(errno));
    return false;
}

/* Waits for the answer. Says why when it is not that all is well; else what it says, if it does, on
 * standard output. */
static int
take_answer(const struct door *door)
{
    uint8_t message[MF_FRAME_HEADER_SIZE + MF_SNAPSHOT_MESSAGE_SIZE];
    char reason[MF_SNAPSHOT_TEXT_SIZE + 1] = {0};
    struct mf_frame frame;
    size_t at = 0;
    ssize_t n;

    do
        n = recv(door->fd, message, sizeof(message), 0);
    while (n < 0 && errno == EINTR);
    if (n <= 0 || !mf_frame_parse(message, (size_t)n, sizeof(message), &at, &frame) ||
        frame.type != MF_FRAME_SNRP || frame.length != MF_SNAPSHOT_MESSAGE_SIZE || !frame.crc_ok) {
        mfg_log("mayfly gave no answer to the frame");
        return STATUS_FAILED;
    }
    memcpy(reason, frame.payload + MF_SNAPSHOT_TEXT_AT, MF_SNAPSHOT_TEXT_SIZE);
    if (mf_frame_get_u32(frame.payload + 4) != MF_SNAPSHOT_OK) {
        mfg_log("mayfly did not do it: %s", *reason ? reason : "it gave no reason.");
        return STATUS_FAILED;
    }
    if (*reason && (puts(reason) == EOF || fflush(stdout) == EOF)) {
        mfg_log("cannot write the answer: %m");
        return STATUS_FAILED;
    }
    return 0;
}

/* Sends what is behind the header of the door's message. */
static int
send_frame(struct door *door, uint32_t type, size_t length)
{
    mf_frame_encode_header(door->message, type, door->message + MF_FRAME_HEADER_SIZE, length);
    if (!enter(door))
        return STATUS_FAILED;
    if (send(door->fd, door->message, MF_FRAME_HEADER_SIZE + length, MSG_NOSIGNAL) < 0) {
        mfg_log("cannot send the frame: %m");
        return STATUS_FAILED;
    }
    return take_answer(door);
}

static int
send_mark(struct door *door, uint32_t type, char **arguments)
{
    return *arguments ? fail_usage("this frame has no arguments") : send_frame(door, type, 0);
}

static int
run_start(struct door *door, char **arguments)
{
    return send_mark(door, MF_FRAME_SCST, arguments);
}

static int
run_pause(struct door *door, char **arguments)
{
    return send_mark(door, MF_FRAME_SCPP, arguments);
}

static int
run_resume(struct door *door, char **arguments)
{
    return send_mark(door, MF_FRAME_SCRR, arguments);
}

static int
run_end(struct door *door, char **arguments)
{
    return send_mark(door, MF_FRAME_SCEN, arguments);
}

static bool
parse_number(const char *text, double *ret_number)
{
    char *end;

    *ret_number = strtod(text, &end);
    return *text && !*end && isfinite(*ret_number);
}

static bool
parse_metric_options(char **arguments, const char **ret_unit, const char **ret_polarity)
{
    for (; *arguments; arguments += 2) {
        if (!arguments[1])
            return false;
        if (strcmp(arguments[0], "--unit") == 0)
            *ret_unit = arguments[1];
        else if (strcmp(arguments[0], "--polarity") == 0)
            *ret_polarity = arguments[1];
        else
            return false;
    }
    return true;
}

static int
send_metric(struct door *door, const char *name, double value, const char *unit,
            const char *polarity)
{
    uint8_t *payload = door->message + MF_FRAME_HEADER_SIZE;
    json_object *document = json_object_new_object(), *metric = json_object_new_object();
    size_t length = 0;

    mfg_json_build_put(&metric, "name", mfg_json_build_text(name));
    mfg_json_build_put(&metric, "value", json_object_new_double(value));
    mfg_json_build_put(&metric, "unit", mfg_json_build_text(unit));
    mfg_json_build_put(&metric, "polarity", mfg_json_build_text(polarity));
    mfg_json_build_put(&document, "metric", metric);

    const char *text =
        document ? json_object_to_json_string_length(document, JSON_C_TO_STRING_PLAIN, &length)
                 : NULL;
    /* Two words fit with much room to spare, whatever their bytes become in JSON. */
    if (!text || 4 + length > MF_SCENARIO_PAYLOAD_MAX) {
        mfg_log("there is no memory for the metric");
        json_object_put(document);
        return STATUS_FAILED;
    }
    mf_frame_put_u32(payload, MF_SCENARIO_INDEX);
    memcpy(payload + 4, text, length);
    json_object_put(document);
    return send_frame(door, MF_FRAME_PMET, 4 + length);
}

static int
run_metric(struct door *door, char **arguments)
{
    const char *unit = "", *polarity = "";
    double value;

    if (!arguments[0] || !arguments[1])
        return fail_usage("a metric has a name and a value");
    if (!parse_metric_options(arguments + 2, &unit, &polarity))
        return fail_usage("behind a metric's value are '--unit UNIT' and '--polarity "
                          "higher|lower' only");
    if (!*arguments[0] || strlen(arguments[0]) > NAME_MAX_BYTES || strlen(unit) > UNIT_MAX_BYTES)
        return fail_usage("the name of a metric has 1 to 128 bytes, and its unit at most 64");
    if (!parse_number(arguments[1], &value))
        return fail_usage("the value of a metric is a finite number");
    if (*polarity && strcmp(polarity, "higher") != 0 && strcmp(polarity, "lower") != 0)
        return fail_usage("what is better of a metric is 'higher' or 'lower'");
    return send_metric(door, arguments[0], value, unit, polarity);
}

static int
run_snapshot(struct door *door, char **arguments)
{
    static const struct {
        const char *name;
        uint32_t kind;
    } kinds[] = {
        {"memory", MF_SNAPSHOT_MEMORY},
        {"state", MF_SNAPSHOT_STATE},
        {"console", MF_SNAPSHOT_CONSOLE},
        {"watch", MF_SNAPSHOT_WATCH},
    };
    uint8_t *payload = door->message + MF_FRAME_HEADER_SIZE;
    size_t i = 0;

    while (i < sizeof(kinds) / sizeof(kinds[0]) && arguments[0] &&
           strcmp(arguments[0], kinds[i].name) != 0)
        i++;
    if (!arguments[0] || i == sizeof(kinds) / sizeof(kinds[0]))
        return fail_usage("a snapshot is of 'memory', 'state' or 'console'");
    if (arguments[1] && (arguments[2] || strlen(arguments[1]) > MF_SNAPSHOT_TEXT_SIZE))
        return fail_usage("behind the kind of a snapshot is one tag, of at most 64 bytes");
    memset(payload, 0, MF_SNAPSHOT_MESSAGE_SIZE);
    mf_frame_put_u32(payload, REQUEST_ID);
    mf_frame_put_u32(payload + 4, kinds[i].kind);
    if (arguments[1])
        memcpy(payload + MF_SNAPSHOT_TEXT_AT, arguments[1], strlen(arguments[1]));
    return send_frame(door, MF_FRAME_SNRQ, MF_SNAPSHOT_MESSAGE_SIZE);
}

/* All of standard input, in pieces. */
static int
log_input(struct door *door)
{
    for (;;) {
        ssize_t n =
            read(STDIN_FILENO, door->message + MF_FRAME_HEADER_SIZE, MF_SCENARIO_PAYLOAD_MAX);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            mfg_log("cannot read what is to be logged: %m");
        if (n <= 0)
            return n < 0 ? STATUS_FAILED : 0;

        int status = send_frame(door, MF_FRAME_SCLG, (size_t)n);
        if (status)
            return status;
    }
}

/* The words as a line, or standard input. */
static int
run_log(struct door *door, char **arguments)
{
    char *line = (char *)door->message + MF_FRAME_HEADER_SIZE;
    size_t length = 0;

    if (!*arguments)
        return log_input(door);
    for (; *arguments; arguments++) {
        size_t word = strlen(*arguments);

        if (length + word + 1 > MF_SCENARIO_PAYLOAD_MAX)
            return fail_usage(
                "a line of a log has at most 4095 bytes; more goes to standard input");
        memcpy(line + length, *arguments, word);
        length += word;
        line[length++] = arguments[1] ? ' ' : '\n';
    }
    return send_frame(door, MF_FRAME_SCLG, length);
}

static int
run_verb(struct door *door, const char *name, char **arguments)
{
    static const struct {
        const char *name;
        int (*run)(struct door *door, char **arguments);
    } verbs[] = {
        {"start", run_start}, {"pause", run_pause},   {"resume", run_resume},
        {"end", run_end},     {"metric", run_metric}, {"snapshot", run_snapshot},
        {"log", run_log},
    };

    for (size_t i = 0; name && i < sizeof(verbs) / sizeof(verbs[0]); i++)
        if (strcmp(name, verbs[i].name) == 0)
            return verbs[i].run(door, arguments);
    return fail_usage("a frame is one of start, pause, resume, end, metric, snapshot and log");
}

int
mfg_frame_verb_main(char **arguments)
{
    struct door door = {.path = MF_GUEST_SCENARIO, .fd = -1};
    int status;

    if (*arguments && strcmp(*arguments, "--socket") == 0) {
        if (!arguments[1])
            return fail_usage("'--socket' needs a path");
        door.path = arguments[1];
        arguments += 2;
    }
    status = run_verb(&door, *arguments, *arguments ? arguments + 1 : arguments);
    if (door.fd >= 0)
        close(door.fd);
    return status;
}
