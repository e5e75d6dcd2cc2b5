/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/cgroup-stat.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest/json-build.h"

/* Of one file; what is longer (io.stat with many disks) is cut at a line. All files together stay
 * within the frame that they are sent in. */
#define FILE_MAX 4096

static json_object *
parse_number(const char *text)
{
    char *end;
    uint64_t whole;
    double number;

    if (strspn(text, "0123456789.") != strlen(text) || !*text)
        return NULL;
    errno = 0;
    whole = strtoull(text, &end, 10);
    if (!*end && errno == 0)
        return json_object_new_uint64(whole);
    number = strtod(text, &end);
    return *end ? NULL : json_object_new_double_s(number, text);
}

static void
put_number(json_object **object, const char *key, const char *text)
{
    json_object *number = parse_number(text);

    if (number)
        mfg_json_build_put(object, key, number);
}

/* The rest of a line: one number, or several with names. */
static json_object *
parse_values(char *values)
{
    json_object *object;
    char *next;

    if (!strchr(values, '='))
        return parse_number(values);
    object = json_object_new_object();
    for (char *word = strtok_r(values, " ", &next); word; word = strtok_r(NULL, " ", &next)) {
        char *value = strchr(word, '=');

        if (!value)
            continue;
        *value = '\0';
        put_number(&object, word, value + 1);
    }
    return object;
}

static void
parse_line(json_object **object, char *line)
{
    char *values = strchr(line, ' ');
    json_object *value;

    if (!values)
        return;
    *values = '\0';
    value = parse_values(values + 1);
    if (value)
        mfg_json_build_put(object, line, value);
}

json_object *
mfg_cgroup_stat_parse(const char *text)
{
    char *copy = strdup(text), *next = NULL, *line = copy ? strtok_r(copy, "\n", &next) : NULL;
    json_object *result = NULL;

    if (line && !strchr(line, ' ')) {
        result = parse_number(line);
    } else if (line) {
        result = json_object_new_object();
        for (; line; line = strtok_r(NULL, "\n", &next))
            parse_line(&result, line);
        if (result && json_object_object_length(result) == 0) {
            json_object_put(result);
            result = NULL;
        }
    }
    free(copy);
    return result;
}

/* Returns false when there is no such file, or it has nothing to say. */
static bool
read_file(int directory_fd, const char *name, char text[FILE_MAX])
{
    int fd = openat(directory_fd, name, O_RDONLY | O_CLOEXEC);
    char *last;
    ssize_t n;

    if (fd < 0)
        return false;
    n = read(fd, text, FILE_MAX - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    last = strrchr(text, '\n');
    if (last)
        *last = '\0';
    return n > 0;
}

json_object *
mfg_cgroup_stat_read(int directory_fd)
{
    static const char *const files[] = {
        "cpu.stat",        "cpu.pressure", "memory.current", "memory.peak", "memory.events",
        "memory.pressure", "io.stat",      "io.pressure",    "pids.peak",
    };
    json_object *object = json_object_new_object();
    char text[FILE_MAX];

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        json_object *value =
            read_file(directory_fd, files[i], text) ? mfg_cgroup_stat_parse(text) : NULL;

        if (value)
            mfg_json_build_put(&object, files[i], value);
    }
    return object;
}
