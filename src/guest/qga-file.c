/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest/agent.h"
#include "guest/base64.h"
#include "guest/json-build.h"
#include "guest/qga.h"

/* As QEMU's agent has them. */
#define HANDLE_FIRST       1000
#define READ_COUNT_DEFAULT 4096
#define READ_COUNT_MAX     (48 << 20)

/* Files that clients can have open at the same time. */
#define FILES_MAX 256

struct mfg_qga_file {
    struct mfg_qga_file *next; /* owned */
    int64_t handle;
    int fd; /* owned */
};

static const struct {
    const char *names[3];
    int flags;
} modes[] = {
    {{"r", "rb"}, O_RDONLY},
    {{"w", "wb"}, O_WRONLY | O_CREAT | O_TRUNC},
    {{"a", "ab"}, O_WRONLY | O_CREAT | O_APPEND},
    {{"r+", "rb+", "r+b"}, O_RDWR},
    {{"w+", "wb+", "w+b"}, O_RDWR | O_CREAT | O_TRUNC},
    {{"a+", "ab+", "a+b"}, O_RDWR | O_CREAT | O_APPEND},
};

static bool
find_mode(const char *name, int *ret_flags)
{
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        for (int k = 0; k < 3 && modes[i].names[k]; k++) {
            if (strcmp(modes[i].names[k], name) == 0) {
                *ret_flags = modes[i].flags;
                return true;
            }
        }
    }
    return false;
}

static struct mfg_qga_file **
find_file(struct mfg_qga_call *call)
{
    int64_t handle = mfg_qga_int(call, "handle", -1);
    struct mfg_qga_file **link = &call->agent->files.first;

    while (*link && (*link)->handle != handle)
        link = &(*link)->next;
    if (*link)
        return link;
    mfg_qga_fail(call, "There is no open file with the handle %lld", (long long)handle);
    return NULL;
}

static void
free_file(struct mfg_qga_files *files, struct mfg_qga_file **link)
{
    struct mfg_qga_file *file = *link;

    *link = file->next;
    close(file->fd);
    free(file);
    files->count--;
}

void
mfg_qga_files_clear(struct mfg_qga_files *files)
{
    while (files->first)
        free_file(files, &files->first);
}

bool
mfg_qga_file_open(struct mfg_qga_call *call)
{
    struct mfg_qga_files *files = &call->agent->files;
    const char *path = mfg_qga_string(call, "path"), *mode = mfg_qga_string(call, "mode");
    struct mfg_qga_file *file;
    int flags;

    if (!find_mode(mode ? mode : "r", &flags))
        return mfg_qga_fail(call, "The mode '%s' is not one of fopen(3)", mode);
    if (files->count >= FILES_MAX)
        return mfg_qga_fail(call, "Cannot open '%s': %d files are open already", path, FILES_MAX);
    file = calloc(1, sizeof(*file));
    if (!file)
        return mfg_qga_fail(call, "Cannot open '%s': there is no memory", path);
    /* Non-blocking: a FIFO without a peer must not stop the agent. */
    file->fd = open(path, flags | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0666);
    if (file->fd < 0) {
        free(file);
        return mfg_qga_fail(call, "Cannot open '%s': %s", path, strerror(errno));
    }
    file->handle = HANDLE_FIRST + files->next_handle++;
    file->next = files->first;
    files->first = file;
    files->count++;
    json_object_put(call->value);
    call->value = json_object_new_int64(file->handle);
    return true;
}

/* Reads until 'size', the end, or what is there now. Returns -1 with errno when nothing came. */
static ssize_t
read_fully(int fd, uint8_t *data, size_t size, bool *ret_at_end)
{
    size_t done = 0;

    *ret_at_end = false;
    while (done < size) {
        ssize_t n = read(fd, data + done, size - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return done ? (ssize_t)done : -1;
        if (n == 0) {
            *ret_at_end = true;
            break;
        }
        done += (size_t)n;
    }
    return (ssize_t)done;
}

bool
mfg_qga_file_read(struct mfg_qga_call *call)
{
    int64_t count = mfg_qga_int(call, "count", READ_COUNT_DEFAULT);
    struct mfg_qga_file **link = find_file(call);
    uint8_t *data;
    bool at_end;
    ssize_t n;

    if (!link)
        return false;
    if (count < 0 || count > READ_COUNT_MAX)
        return mfg_qga_fail(call, "The argument 'count' is %lld, which is not within 0 and %d",
                            (long long)count, READ_COUNT_MAX);
    data = malloc((size_t)count + 1);
    if (!data)
        return mfg_qga_fail(call, "There is no memory to read %lld bytes", (long long)count);
    n = read_fully((*link)->fd, data, (size_t)count, &at_end);
    if (n < 0) {
        free(data);
        return mfg_qga_fail(call, "Cannot read the file: %s", strerror(errno));
    }
    mfg_json_build_put(&call->value, "count", json_object_new_int64(n));
    mfg_json_build_put(&call->value, "buf-b64", mfg_json_build_base64(data, (size_t)n));
    mfg_json_build_put(&call->value, "eof", json_object_new_boolean(at_end));
    return true;
}

static bool
write_fully(int fd, const uint8_t *data, size_t size, size_t *ret_done)
{
    *ret_done = 0;
    while (*ret_done < size) {
        ssize_t n = write(fd, data + *ret_done, size - *ret_done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return *ret_done > 0;
        *ret_done += (size_t)n;
    }
    return true;
}

bool
mfg_qga_file_write(struct mfg_qga_call *call)
{
    struct mfg_qga_file **link = find_file(call);
    json_object *text = mfg_qga_get(call, "buf-b64");
    uint8_t *data;
    size_t size, done;
    int64_t count;
    bool good;

    if (!link)
        return false;
    if (!mfg_base64_decode(json_object_get_string(text), (size_t)json_object_get_string_len(text),
                           &data, &size))
        return mfg_qga_fail(call, "The argument 'buf-b64' is not base64");
    count = mfg_qga_int(call, "count", (int64_t)size);
    if (count < 0 || (size_t)count > size) {
        free(data);
        return mfg_qga_fail(call, "The argument 'count' is %lld, which is not within 0 and %zu",
                            (long long)count, size);
    }
    good = write_fully((*link)->fd, data, (size_t)count, &done);
    free(data);
    if (!good)
        return mfg_qga_fail(call, "Cannot write the file: %s", strerror(errno));
    mfg_json_build_put(&call->value, "count", json_object_new_int64((int64_t)done));
    mfg_json_build_put(&call->value, "eof", json_object_new_boolean(false));
    return true;
}

/* "set", "cur", "end", or 0, 1, 2. */
static bool
read_whence(json_object *value, int *ret_whence)
{
    static const struct {
        const char *name;
        int whence;
    } names[] = {{"set", SEEK_SET}, {"cur", SEEK_CUR}, {"end", SEEK_END}};

    for (int i = 0; i < 3; i++) {
        if ((json_object_is_type(value, json_type_string) &&
             strcmp(json_object_get_string(value), names[i].name) == 0) ||
            (json_object_is_type(value, json_type_int) && json_object_get_int64(value) == i)) {
            *ret_whence = names[i].whence;
            return true;
        }
    }
    return false;
}

bool
mfg_qga_file_seek(struct mfg_qga_call *call)
{
    struct mfg_qga_file **link = find_file(call);
    off_t position;
    int whence;

    if (!link)
        return false;
    if (!read_whence(mfg_qga_get(call, "whence"), &whence))
        return mfg_qga_fail(call,
                            "The argument 'whence' must be \"set\", \"cur\", \"end\", 0, 1 or 2");
    position = lseek((*link)->fd, mfg_qga_int(call, "offset", 0), whence);
    if (position < 0)
        return mfg_qga_fail(call, "Cannot seek in the file: %s", strerror(errno));
    mfg_json_build_put(&call->value, "position", json_object_new_int64(position));
    mfg_json_build_put(&call->value, "eof", json_object_new_boolean(false));
    return true;
}

/* There is nothing to flush: what is written goes to the kernel at once. */
bool
mfg_qga_file_flush(struct mfg_qga_call *call)
{
    return find_file(call) != NULL;
}

bool
mfg_qga_file_close(struct mfg_qga_call *call)
{
    struct mfg_qga_file **link = find_file(call);

    if (!link)
        return false;
    free_file(&call->agent->files, link);
    return true;
}
