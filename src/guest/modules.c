/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/modules.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest/log.h"

/* What the kernel means by the errno of finit_module(). */
static const char *
explain(int error)
{
    switch (error) {
    case ENOENT:
        return "it needs a symbol that no module loaded before it has";
    case ENOEXEC:
        return "it was built for another kernel";
    case ENOKEY:
    case EKEYREJECTED:
        return "the kernel requires modules to be signed with a key that it knows";
    case EPERM:
        return "the kernel does not allow modules to be loaded";
    default:
        return strerror(error);
    }
}

static void
load(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        mfg_log("the module '%s' cannot be read: %s", path, strerror(errno));
        return;
    }
    /* EEXIST: built in, or loaded already. */
    if (syscall(SYS_finit_module, fd, "", 0) != 0 && errno != EEXIST)
        mfg_log("the module '%s' cannot be loaded: %s", path, explain(errno));
    close(fd);
    unlink(path);
}

void
mfg_modules_load(const char *list)
{
    FILE *file = fopen(list, "re");
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length;

    if (!file) {
        if (errno != ENOENT)
            mfg_log("the list of modules '%s' cannot be read: %s", list, strerror(errno));
        return;
    }
    while ((length = getline(&line, &capacity, file)) > 0) {
        if (line[length - 1] == '\n')
            line[--length] = '\0';
        if (length > 0)
            load(line);
    }
    free(line);
    fclose(file);
    unlink(list);
}
