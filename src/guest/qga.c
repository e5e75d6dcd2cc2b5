/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/qga.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "guest/json-build.h"
#include "guest/splitter.h"

static bool run_sync(struct mfg_qga_call *call);
static bool run_ping(struct mfg_qga_call *call);
static bool run_info(struct mfg_qga_call *call);

static const struct mfg_qga_command commands[] = {
    {"guest-sync", run_sync, {{"id", MFG_QGA_INT}}},
    {"guest-sync-delimited", run_sync, {{"id", MFG_QGA_INT}}, .delimited = true},
    {"guest-ping", run_ping},
    {"guest-info", run_info},
    {"guest-exec",
     mfg_qga_exec,
     {{"path", MFG_QGA_STRING},
      {"arg", MFG_QGA_STRINGS, true},
      {"env", MFG_QGA_STRINGS, true},
      {"input-data", MFG_QGA_STRING, true},
      {"capture-output", MFG_QGA_ALTERNATE, true}}},
    {"guest-exec-status", mfg_qga_exec_status, {{"pid", MFG_QGA_INT}}},
    {"guest-file-open",
     mfg_qga_file_open,
     {{"path", MFG_QGA_STRING}, {"mode", MFG_QGA_STRING, true}}},
    {"guest-file-read", mfg_qga_file_read, {{"handle", MFG_QGA_INT}, {"count", MFG_QGA_INT, true}}},
    {"guest-file-write",
     mfg_qga_file_write,
     {{"handle", MFG_QGA_INT}, {"buf-b64", MFG_QGA_STRING}, {"count", MFG_QGA_INT, true}}},
    {"guest-file-seek",
     mfg_qga_file_seek,
     {{"handle", MFG_QGA_INT}, {"offset", MFG_QGA_INT}, {"whence", MFG_QGA_ALTERNATE}}},
    {"guest-file-flush", mfg_qga_file_flush, {{"handle", MFG_QGA_INT}}},
    {"guest-file-close", mfg_qga_file_close, {{"handle", MFG_QGA_INT}}},
    {"guest-get-time", mfg_qga_get_time},
    {"guest-set-time", mfg_qga_set_time, {{"time", MFG_QGA_INT, true}}},
    {"guest-get-osinfo", mfg_qga_get_osinfo},
    {"guest-get-host-name", mfg_qga_get_host_name},
    {"guest-get-vcpus", mfg_qga_get_vcpus},
    {"guest-network-get-interfaces", mfg_qga_get_interfaces},
    {"guest-shutdown", mfg_qga_shutdown, {{"mode", MFG_QGA_STRING, true}}, .silent = true},
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

bool
mfg_qga_fail(struct mfg_qga_call *call, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(call->reason, sizeof(call->reason), format, arguments);
    va_end(arguments);
    return false;
}

json_object *
mfg_qga_get(const struct mfg_qga_call *call, const char *name)
{
    json_object *value = NULL;

    if (call->arguments)
        json_object_object_get_ex(call->arguments, name, &value);
    return value;
}

int64_t
mfg_qga_int(const struct mfg_qga_call *call, const char *name, int64_t fallback)
{
    json_object *value = mfg_qga_get(call, name);

    return value ? json_object_get_int64(value) : fallback;
}

const char *
mfg_qga_string(const struct mfg_qga_call *call, const char *name)
{
    json_object *value = mfg_qga_get(call, name);

    return value ? json_object_get_string(value) : NULL;
}

static bool
run_sync(struct mfg_qga_call *call)
{
    json_object_put(call->value);
    call->value = json_object_new_int64(mfg_qga_int(call, "id", 0));
    return true;
}

static bool
run_ping(struct mfg_qga_call *call)
{
    return true;
}

static bool
run_info(struct mfg_qga_call *call)
{
    json_object *list = json_object_new_array();

    for (size_t i = 0; i < N_COMMANDS; i++) {
        json_object *item = json_object_new_object();

        mfg_json_build_put(&item, "name", json_object_new_string(commands[i].name));
        mfg_json_build_put(&item, "enabled", json_object_new_boolean(true));
        mfg_json_build_put(&item, "success-response", json_object_new_boolean(!commands[i].silent));
        mfg_json_build_append(&list, item);
    }
    mfg_json_build_put(&call->value, "version", json_object_new_string(MF_VERSION));
    mfg_json_build_put(&call->value, "supported_commands", list);
    return true;
}

/* A JSON integer that an int64_t holds. json-c would saturate others, and coerce other types. */
static bool
is_int64(json_object *value)
{
    return json_object_is_type(value, json_type_int) &&
           (json_object_get_int64(value) != INT64_MAX ||
            json_object_get_uint64(value) == INT64_MAX);
}

/* A string without NUL, as everything here that takes one is a C string in the end. */
static bool
is_string(json_object *value)
{
    return json_object_is_type(value, json_type_string) &&
           strlen(json_object_get_string(value)) == (size_t)json_object_get_string_len(value);
}

static bool
check_strings(struct mfg_qga_call *call, const char *name, json_object *value)
{
    if (!json_object_is_type(value, json_type_array))
        return mfg_qga_fail(call, "The argument '%s' must be an array of strings", name);
    for (size_t i = 0; i < json_object_array_length(value); i++)
        if (!is_string(json_object_array_get_idx(value, i)))
            return mfg_qga_fail(call, "The element %zu of '%s' must be a string without NUL", i,
                                name);
    return true;
}

static bool
check_value(struct mfg_qga_call *call, const struct mfg_qga_parameter *parameter,
            json_object *value)
{
    switch (parameter->kind) {
    case MFG_QGA_INT:
        return is_int64(value) ||
               mfg_qga_fail(call, "The argument '%s' must be a 64-bit integer", parameter->name);
    case MFG_QGA_STRING:
        return is_string(value) ||
               mfg_qga_fail(call, "The argument '%s' must be a string without NUL",
                            parameter->name);
    case MFG_QGA_STRINGS:
        return check_strings(call, parameter->name, value);
    case MFG_QGA_ALTERNATE:
        /* Of which kind it is looks at who takes it; null would look like none there. */
        return value || mfg_qga_fail(call, "The argument '%s' must not be null", parameter->name);
    }
    return false;
}

static const struct mfg_qga_parameter *
find_parameter(const struct mfg_qga_command *command, const char *name)
{
    for (int i = 0; i < MFG_QGA_PARAMETERS_MAX && command->parameters[i].name; i++)
        if (strcmp(command->parameters[i].name, name) == 0)
            return &command->parameters[i];
    return NULL;
}

static bool
check_arguments(struct mfg_qga_call *call, const struct mfg_qga_command *command)
{
    for (int i = 0; i < MFG_QGA_PARAMETERS_MAX && command->parameters[i].name; i++) {
        const struct mfg_qga_parameter *parameter = &command->parameters[i];

        if (!parameter->optional &&
            (!call->arguments ||
             !json_object_object_get_ex(call->arguments, parameter->name, NULL)))
            return mfg_qga_fail(call, "The argument '%s' of %s is missing", parameter->name,
                                command->name);
    }
    if (!call->arguments)
        return true;
    json_object_object_foreach (call->arguments, name, value) {
        const struct mfg_qga_parameter *parameter = find_parameter(command, name);

        if (!parameter)
            return mfg_qga_fail(call, "%s has no argument '%s'", command->name, name);
        if (!check_value(call, parameter, value))
            return false;
    }
    return true;
}

static json_object *
error_object(const char *class, const char *text)
{
    json_object *error = json_object_new_object(), *answer = json_object_new_object();

    mfg_json_build_put(&error, "class", json_object_new_string(class));
    mfg_json_build_put(&error, "desc", mfg_json_build_text(text));
    mfg_json_build_put(&answer, "error", error);
    return answer;
}

struct mfg_qga_answer
mfg_qga_parse_error(const char *problem)
{
    char text[MFG_QGA_REASON_SIZE];

    snprintf(text, sizeof(text), "The request is not a JSON value: %s", problem);
    return (struct mfg_qga_answer){error_object("GenericError", text), false};
}

/* The text as JSON, to its end; NULL, with *ret_problem, when it is not. */
static json_object *
parse(const char *text, size_t length, const char **ret_problem)
{
    struct json_tokener *tokener = json_tokener_new_ex(MFG_SPLITTER_DEPTH_MAX + 1);
    json_object *value;
    enum json_tokener_error error;

    *ret_problem = "there is no memory to read it";
    if (!tokener)
        return NULL;
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    value = json_tokener_parse_ex(tokener, text, (int)length);
    error = json_tokener_get_error(tokener);
    /* A word is complete only for who knows that nothing follows. */
    if (error == json_tokener_continue) {
        value = json_tokener_parse_ex(tokener, "", 1);
        error = json_tokener_get_error(tokener);
    }
    json_tokener_free(tokener);
    *ret_problem = error == json_tokener_success ? NULL : json_tokener_error_desc(error);
    return value;
}

/* Whether that is a request; sets *ret_name and call->arguments. */
static bool
check_request(struct mfg_qga_call *call, json_object *request, const char **ret_name)
{
    *ret_name = NULL;
    if (!json_object_is_type(request, json_type_object))
        return mfg_qga_fail(call, "A request must be a JSON object");
    json_object_object_foreach (request, name, value) {
        if (strcmp(name, "execute") == 0) {
            if (!is_string(value))
                return mfg_qga_fail(call, "The member 'execute' of a request must be a string");
            *ret_name = json_object_get_string(value);
        } else if (strcmp(name, "arguments") == 0) {
            if (!json_object_is_type(value, json_type_object))
                return mfg_qga_fail(call, "The member 'arguments' of a request must be an object");
            call->arguments = value;
        } else if (strcmp(name, "id") != 0) {
            return mfg_qga_fail(call, "A request has no member '%s'", name);
        }
    }
    return *ret_name || mfg_qga_fail(call, "A request must have a member 'execute'");
}

static const struct mfg_qga_command *
find_command(const char *name)
{
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

/* Runs the command and takes its result out of the call. */
static struct mfg_qga_answer
run(struct mfg_qga_call *call, const struct mfg_qga_command *command)
{
    struct mfg_qga_answer answer = {.delimited = command->delimited};

    call->value = json_object_new_object();
    if (!check_arguments(call, command) || !command->run(call)) {
        answer.delimited = false;
        answer.object = error_object("GenericError", call->reason);
    } else if (!command->silent) {
        answer.object = json_object_new_object();
        mfg_json_build_put(&answer.object, "return", call->value);
        call->value = NULL;
        if (!answer.object)
            answer.object = error_object("GenericError", "There is no memory for the answer");
    }
    json_object_put(call->value);
    call->value = NULL;
    return answer;
}

static struct mfg_qga_answer
dispatch(struct mfg_agent *agent, json_object *request)
{
    struct mfg_qga_call call = {.agent = agent};
    const struct mfg_qga_command *command;
    const char *name;

    if (!check_request(&call, request, &name))
        return (struct mfg_qga_answer){error_object("GenericError", call.reason), false};
    command = find_command(name);
    if (!command) {
        mfg_qga_fail(&call, "There is no command '%s'", name);
        return (struct mfg_qga_answer){error_object("CommandNotFound", call.reason), false};
    }
    return run(&call, command);
}

struct mfg_qga_answer
mfg_qga_handle(struct mfg_agent *agent, const char *text, size_t length)
{
    const char *problem;
    json_object *request = parse(text, length, &problem), *id;
    struct mfg_qga_answer answer;

    if (problem)
        return mfg_qga_parse_error(problem);
    answer = dispatch(agent, request);
    if (answer.object && json_object_is_type(request, json_type_object) &&
        json_object_object_get_ex(request, "id", &id))
        json_object_object_add(answer.object, "id", json_object_get(id));
    json_object_put(request);
    return answer;
}
