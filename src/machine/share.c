/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/share.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/parse.h"
#include "wire/guest-protocol.h"

static const char *const types[] = {"auto", "9p", "virtiofs", NULL};

const char *
mf_share_type_name(MfShareType type)
{
    return types[type];
}

gboolean
mf_share_type_parse(const char *text, MfShareType *ret_type, GError **error)
{
    guint index;

    if (!mf_parse_choice(text, "a way to share directories", types, &index, error))
        return FALSE;
    *ret_type = (MfShareType)index;
    return TRUE;
}

MfShare *
mf_share_new(const char *id, const char *tag, const char *host_path, const char *guest_path,
             gboolean writable)
{
    MfShare *self = g_new0(MfShare, 1);

    self->id = g_strdup(id);
    self->tag = g_strdup(tag);
    self->host_path = g_canonicalize_filename(host_path, NULL);
    self->guest_path = g_strdup(guest_path);
    self->writable = writable;
    return self;
}

MfShare *
mf_share_new_mount(guint index, const char *host_path, const char *guest_path, gboolean writable)
{
    g_autofree char *id = g_strdup_printf("mount%u", index);
    g_autofree char *tag = g_strdup_printf(MF_TAG_MOUNT "%u", index);

    return mf_share_new(id, tag, host_path, guest_path, writable);
}

void
mf_share_free(MfShare *self)
{
    if (!self)
        return;
    g_free(self->id);
    g_free(self->tag);
    g_free(self->host_path);
    g_free(self->guest_path);
    g_free(self);
}

/* Splits at the first colon without a backslash before it; unescapes the first part. */
static char *
take_host_path(const char *text, const char **ret_rest)
{
    GString *path = g_string_new(NULL);

    for (; *text && *text != ':'; text++) {
        if (text[0] == '\\' && text[1] == ':')
            text++;
        g_string_append_c(path, *text);
    }
    *ret_rest = *text == ':' ? text + 1 : NULL;
    return g_string_free(path, FALSE);
}

static gboolean
check_directory(const char *text, const char *path, gboolean writable, GError **error)
{
    struct stat status;
    int reason = 0;

    if (stat(path, &status) < 0)
        reason = errno;
    else if (!S_ISDIR(status.st_mode))
        reason = ENOTDIR;
    else if (access(path, writable ? R_OK | W_OK | X_OK : R_OK | X_OK) < 0)
        reason = errno;
    if (reason == 0)
        return TRUE;
    mf_error_set_errno(error, MF_ERROR_CONFIG, reason, "The mount '%s' cannot share '%s'", text,
                       path);
    return FALSE;
}

MfShare *
mf_share_parse(const char *text, guint index, GError **error)
{
    const char *rest = text;
    gboolean writable = g_str_has_prefix(text, "rw:");

    if (writable || g_str_has_prefix(text, "ro:"))
        rest += 3;

    const char *guest = NULL;
    g_autofree char *host = take_host_path(rest, &guest);
    if (*host == '\0' || (guest && *guest != '/')) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "'%s' is not a mount: expected [ro:|rw:]HOST_DIRECTORY[:/GUEST/PATH].", text);
        return NULL;
    }
    if (!check_directory(text, host, writable, error))
        return NULL;

    g_autofree char *host_path = g_canonicalize_filename(host, NULL);
    g_autofree char *guest_path = g_canonicalize_filename(guest ? guest : host_path, "/");
    if (g_str_equal(guest_path, "/")) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "The mount '%s' would hide the root: choose a guest path other than '/', or "
                    "use --root.",
                    text);
        return NULL;
    }
    return mf_share_new_mount(index, host_path, guest_path, writable);
}

void
mf_share_add_9p_to_argv(const MfShare *self, const char *virtio, const char *ioeventfd,
                        MfArgv *argv)
{
    mf_argv_add_option(argv, "-fsdev", "local", "id", self->id, "path", self->host_path,
                       "security_model", "none", "multidevs", "remap", "readonly",
                       self->writable ? NULL : "on", NULL);

    g_autofree char *device = g_strconcat("virtio-9p-", virtio, NULL);
    mf_argv_add_option(argv, "-device", device, "fsdev", self->id, "mount_tag", self->tag,
                       "ioeventfd", ioeventfd, NULL);
}

void
mf_share_add_virtiofs_to_argv(const MfShare *self, const char *virtio, int fd, MfArgv *argv)
{
    g_autofree char *number = g_strdup_printf("%d", fd);
    g_autofree char *device = g_strconcat("vhost-user-fs-", virtio, NULL);

    mf_argv_add_option(argv, "-chardev", "socket", "id", self->id, "fd", number, NULL);
    mf_argv_add_option(argv, "-device", device, "chardev", self->id, "tag", self->tag, NULL);
}
