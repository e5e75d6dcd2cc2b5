/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/upper.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* Makes 'upper' as 'lower' is. */
static bool
make_like(const char *lower, const char *upper)
{
    struct stat status;

    if (lstat(lower, &status) != 0)
        return errno == ENOENT && (mkdir(upper, 0755) == 0 || errno == EEXIST);
    if (!S_ISDIR(status.st_mode) || listxattr(lower, NULL, 0) > 0)
        return false;
    if (mkdir(upper, 0700) != 0)
        return errno == EEXIST;
    /* Not by mkdir(2): the umask takes from the mode, and a new owner too. */
    return chown(upper, status.st_uid, status.st_gid) == 0 &&
           chmod(upper, status.st_mode & 07777) == 0;
}

void
mfg_upper_make_dirs(const char *lower, const char *upper, const char *path)
{
    char from[PATH_MAX], to[PATH_MAX];

    for (const char *end = path; *end;) {
        end += strspn(end, "/");
        end += strcspn(end, "/");

        int length = (int)(end - path);
        if ((size_t)snprintf(from, sizeof from, "%s%.*s", lower, length, path) >= sizeof from ||
            (size_t)snprintf(to, sizeof to, "%s%.*s", upper, length, path) >= sizeof to ||
            !make_like(from, to))
            return;
    }
}
