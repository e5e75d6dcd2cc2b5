/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest/agent.h"
#include "guest/base64.h"
#include "guest/capture.h"
#include "guest/ends.h"
#include "guest/json-build.h"
#include "guest/qga.h"
#include "guest/spawn.h"
#include "wire/guest-protocol.h"

/* Programs that run or whose end nobody has asked for. Beyond that the oldest end is forgotten: a
 * client that never asks must not stop the others. */
#define PROGRAMS_MAX 128

struct mfg_qga_program {
    struct mfg_qga_program *next; /* owned */
    struct mfg_child child;
    pid_t pid;
    bool is_command; /* the one with streams, which mfg_command looks after */
    bool exited;
    int status;
    struct mfg_feed input;
    struct mfg_capture output, error;
};

/* Which streams to keep. */
struct captures {
    bool output, error, merged;
};

static bool
read_captures(struct mfg_qga_call *call, struct captures *ret_captures)
{
    static const struct {
        const char *name;
        struct captures captures;
    } modes[] = {
        {"none", {false, false, false}},  {"stdout", {true, false, false}},
        {"stderr", {false, true, false}}, {"separated", {true, true, false}},
        {"merged", {true, false, true}},
    };
    json_object *value = mfg_qga_get(call, "capture-output");

    *ret_captures = (struct captures){false, false, false};
    if (!value)
        return true;
    if (json_object_is_type(value, json_type_boolean)) {
        ret_captures->output = ret_captures->error = json_object_get_boolean(value);
        return true;
    }
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        if (json_object_is_type(value, json_type_string) &&
            strcmp(json_object_get_string(value), modes[i].name) == 0) {
            *ret_captures = modes[i].captures;
            return true;
        }
    }
    return mfg_qga_fail(call, "The argument 'capture-output' must be a boolean, \"none\", "
                              "\"stdout\", \"stderr\", \"separated\" or \"merged\"");
}

/* Strings of an argument as a NULL-terminated array behind 'first', if that is given. The array is
 * malloc'd, the strings are borrowed. Returns NULL without memory. */
static char **
string_array(json_object *list, const char *first)
{
    size_t n = list ? json_object_array_length(list) : 0, at = 0;
    char **strings = calloc(n + 2, sizeof(*strings));

    if (!strings)
        return NULL;
    if (first)
        strings[at++] = (char *)first;
    for (size_t i = 0; i < n; i++)
        strings[at++] = (char *)json_object_get_string(json_object_array_get_idx(list, i));
    return strings;
}

static void
free_program(struct mfg_agent *agent, struct mfg_qga_program **link)
{
    struct mfg_qga_program *program = *link;

    *link = program->next;
    if (program->child.pid)
        mfg_children_remove(agent->children, &program->child);
    mfg_feed_clear(&program->input);
    mfg_capture_clear(&program->output);
    mfg_capture_clear(&program->error);
    free(program);
    agent->programs.count--;
}

void
mfg_qga_programs_clear(struct mfg_agent *agent)
{
    while (agent->programs.first)
        free_program(agent, &agent->programs.first);
}

/* All output has to be there when the end is told; as with QEMU's agent that includes what others
 * write who hold the pipes open. */
static bool
is_finished(const struct mfg_qga_program *program)
{
    return program->exited && !mfg_capture_is_open(&program->output) &&
           !mfg_capture_is_open(&program->error);
}

/* Makes room for one more. Returns false when all of them still run. */
static bool
make_room(struct mfg_agent *agent)
{
    struct mfg_qga_program **oldest = NULL;

    if (agent->programs.count < PROGRAMS_MAX)
        return true;
    for (struct mfg_qga_program **link = &agent->programs.first; *link; link = &(*link)->next)
        if (is_finished(*link))
            oldest = link;
    if (oldest)
        free_program(agent, oldest);
    return oldest != NULL;
}

/* A reused pid is the new program's alone. */
static void
forget_pid(struct mfg_agent *agent, pid_t pid)
{
    struct mfg_qga_program **link = &agent->programs.first;

    while (*link && (*link)->pid != pid)
        link = &(*link)->next;
    if (*link)
        free_program(agent, link);
}

static bool
add_program(struct mfg_qga_call *call, struct mfg_qga_program *program, pid_t pid)
{
    struct mfg_qga_programs *programs = &call->agent->programs;

    forget_pid(call->agent, pid);
    program->pid = pid;
    program->next = programs->first;
    programs->first = program;
    programs->count++;
    mfg_json_build_put(&call->value, "pid", json_object_new_int64(pid));
    return true;
}

static void
on_exit_status(void *data, pid_t pid, int status)
{
    struct mfg_qga_program *program = data;

    program->exited = true;
    program->status = status;
}

void
mfg_qga_programs_note_command(struct mfg_agent *agent, int status)
{
    for (struct mfg_qga_program *program = agent->programs.first; program; program = program->next)
        if (program->is_command && !program->exited)
            on_exit_status(program, program->pid, status);
}

static bool
make_end(struct mfg_ends *ends, int stream, bool wanted)
{
    return wanted ? mfg_ends_open_pipe(ends, stream) : mfg_ends_open_null(ends, stream);
}

static bool
make_ends(bool has_input, const struct captures *captures, struct mfg_ends *ends)
{
    if (!make_end(ends, 0, has_input) || !make_end(ends, 1, captures->output))
        return false;
    if (!captures->merged)
        return make_end(ends, 2, captures->error);
    ends->its[2] = fcntl(ends->its[1], F_DUPFD_CLOEXEC, 3);
    return ends->its[2] >= 0;
}

/* Spawns the program. Returns the pid, or -1 with errno. */
static pid_t
spawn(struct mfg_qga_call *call, const struct mfg_ends *ends)
{
    json_object *env = mfg_qga_get(call, "env");
    char **argv = string_array(mfg_qga_get(call, "arg"), mfg_qga_string(call, "path"));
    char **envp = env ? string_array(env, NULL) : NULL;
    struct mfg_spawn request = {
        .argv = argv,
        .envp = envp,
        .path = getenv("PATH"),
        .fds = {ends->its[0], ends->its[1], ends->its[2]},
        .cgroup_fd = -1,
    };
    pid_t pid = -1;

    errno = ENOMEM;
    if (argv && (envp || !env))
        pid = mfg_spawn_checked(&request);

    int saved = errno;
    free(argv);
    free(envp);
    errno = saved;
    return pid;
}

/* Takes over 'input' (malloc), which may be NULL. */
static bool
start_program(struct mfg_qga_call *call, uint8_t *input, size_t input_size)
{
    struct mfg_agent *agent = call->agent;
    struct mfg_ends ends = MFG_ENDS_NONE;
    struct mfg_qga_program *program = NULL;
    struct captures captures;
    pid_t pid = -1;

    if (!read_captures(call, &captures)) {
        free(input);
        return false;
    }
    if (make_ends(input != NULL, &captures, &ends))
        pid = spawn(call, &ends);
    if (pid > 0)
        program = calloc(1, sizeof(*program));
    if (!program) {
        mfg_qga_fail(call, "Cannot execute '%s': %s", mfg_qga_string(call, "path"),
                     strerror(errno));
        mfg_ends_clear(&ends);
        free(input);
        return false;
    }
    mfg_children_add(agent->children, &program->child, pid, on_exit_status, program);
    mfg_feed_open(&program->input, agent->loop, mfg_ends_take(&ends, 0), input, input_size);
    mfg_capture_open(&program->output, agent->loop, mfg_ends_take(&ends, 1));
    mfg_capture_open(&program->error, agent->loop, mfg_ends_take(&ends, 2));
    mfg_ends_clear(&ends);
    return add_program(call, program, pid);
}

/* The command with streams runs in this process: one process less to start, and its pid is the one
 * that the client gets. */
static bool
start_command(struct mfg_qga_call *call, const uint8_t *record, size_t size)
{
    struct mfg_qga_program *program = calloc(1, sizeof(*program));
    pid_t pid = -1;

    mfg_qga_fail(call, "There is no memory for a command");
    if (program)
        pid = mfg_command_start(call->agent->command, (const char *)record, size, call->reason,
                                sizeof(call->reason));
    if (pid < 0) {
        free(program);
        return false;
    }
    program->is_command = true;
    program->input.fd = program->output.fd = program->error.fd = -1;
    return add_program(call, program, pid);
}

static bool
asks_for_command(const struct mfg_qga_call *call)
{
    json_object *arg = mfg_qga_get(call, "arg");

    return call->agent->command && strcmp(mfg_qga_string(call, "path"), MF_GUEST_SELF) == 0 &&
           arg && json_object_array_length(arg) == 1 &&
           strcmp(json_object_get_string(json_object_array_get_idx(arg, 0)), "exec") == 0;
}

bool
mfg_qga_exec(struct mfg_qga_call *call)
{
    json_object *text = mfg_qga_get(call, "input-data");
    uint8_t *input = NULL;
    size_t size = 0;
    bool good;

    if (!make_room(call->agent))
        return mfg_qga_fail(call, "Cannot execute '%s': %d programs run already",
                            mfg_qga_string(call, "path"), PROGRAMS_MAX);
    if (text && !mfg_base64_decode(json_object_get_string(text),
                                   (size_t)json_object_get_string_len(text), &input, &size))
        return mfg_qga_fail(call, "The argument 'input-data' is not base64");
    if (!asks_for_command(call))
        return start_program(call, input, size);
    good = start_command(call, input, size);
    free(input);
    return good;
}

static void
put_output(json_object **value, struct mfg_capture *capture, const char *data_name,
           const char *truncated_name)
{
    size_t size;
    uint8_t *data = mfg_capture_take(capture, &size);

    if (size == 0) {
        free(data);
        return;
    }
    mfg_json_build_put(value, data_name, mfg_json_build_base64(data, size));
    mfg_json_build_put(value, truncated_name, json_object_new_boolean(capture->truncated));
}

bool
mfg_qga_exec_status(struct mfg_qga_call *call)
{
    int64_t pid = mfg_qga_int(call, "pid", 0);
    struct mfg_qga_program **link = &call->agent->programs.first;

    while (*link && (*link)->pid != pid)
        link = &(*link)->next;
    if (!*link)
        return mfg_qga_fail(call,
                            "No program with the pid %lld was started, or its end was told before",
                            (long long)pid);

    struct mfg_qga_program *program = *link;
    bool finished = is_finished(program);

    mfg_json_build_put(&call->value, "exited", json_object_new_boolean(finished));
    if (!finished)
        return true;
    if (program->status < 0)
        mfg_json_build_put(&call->value, "signal", json_object_new_int(-program->status));
    else
        mfg_json_build_put(&call->value, "exitcode", json_object_new_int(program->status));
    put_output(&call->value, &program->output, "out-data", "out-truncated");
    put_output(&call->value, &program->error, "err-data", "err-truncated");
    free_program(call->agent, link);
    return true;
}
