/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/libvirt-uri.h"

#include <string.h>

#include "base/error.h"

gboolean
mf_libvirt_uri_is_remote(const char *uri)
{
    g_autoptr(GUri) parsed = g_uri_parse(uri, G_URI_FLAGS_NONE, NULL);

    return parsed && g_uri_get_host(parsed) && *g_uri_get_host(parsed) &&
           !g_str_has_suffix(g_uri_get_scheme(parsed), "+unix");
}

gboolean
mf_libvirt_uri_check(const char *uri, GError **error)
{
    if (*uri)
        return TRUE;
    g_set_error_literal(error, MF_ERROR, MF_ERROR_CONFIG,
                        "The URI of the libvirt to connect to is empty: expected one such as "
                        "'qemu:///session'.");
    return FALSE;
}

const char *
mf_libvirt_uri_advise(const char *uri)
{
    g_autoptr(GUri) parsed = g_uri_parse(uri, G_URI_FLAGS_NONE, NULL);

    if (!parsed || mf_libvirt_uri_is_remote(uri) || g_uri_get_query(parsed) ||
        !g_str_has_prefix(g_uri_get_scheme(parsed), "qemu"))
        return NULL;
    if (g_str_equal(g_uri_get_path(parsed), "/session"))
        return "The daemon of a session is started when it is needed, if it is there: libvirtd or "
               "virtqemud, of the package libvirt-daemon (Debian) or libvirt-daemon-driver-qemu "
               "(Fedora).";
    if (g_str_equal(g_uri_get_path(parsed), "/system"))
        return "Start its daemon, libvirtd or virtqemud ('systemctl start libvirtd'), of the "
               "package libvirt-daemon-system (Debian) or libvirt-daemon-driver-qemu (Fedora); who "
               "is not root has to be in the group 'libvirt'.";
    return NULL;
}

/* libvirt would have QEMU make memory of no bytes, which that refuses. */
static gboolean
has_empty_node(const MfSpec *spec)
{
    for (guint i = 0; i < spec->numa->len; i++)
        if (((const MfNumaNode *)g_ptr_array_index(spec->numa, i))->memory == 0)
            return TRUE;
    return FALSE;
}

/* What nobody but a QEMU of mayfly's own can be given. */
static gboolean
check_parts(const MfSpec *spec, GError **error)
{
    const struct {
        gboolean wanted;
        const char *what;
    } parts[] = {
        {spec->share_type == MF_SHARE_VIRTIOFS, "share directories over virtiofs, which libvirt "
                                                "does not export read-only: share them over "
                                                "9p, with a kernel that has it"},
        {has_empty_node(spec), "have a NUMA node without memory"},
        {spec->held || spec->screen, "keep what is left of a crash (--on-crash)"},
        {spec->debug_exit, "tell how a bare guest ended QEMU (--success-exit-code)"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
        if (!parts[i].wanted)
            continue;
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "A machine that libvirt starts cannot %s. Run it without --connect.",
                    parts[i].what);
        return FALSE;
    }
    return TRUE;
}

/* What would be made on the other host, where nobody asks for it. */
static gboolean
check_ends(const MfSpec *spec, GError **error)
{
    const char *what = spec->forwards->len > 0 ? "Ports of this host (--forward)"
                       : spec->qmp_socket      ? "A QMP socket on this host (--qmp-socket)"
                                               : NULL;

    if (!what)
        return TRUE;
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                "%s cannot lead into a machine that '%s' starts on another one. Leave that out, or "
                "connect to a libvirt of this host.",
                what, spec->connect);
    return FALSE;
}

static gboolean
is_below(const char *path, const char *directory)
{
    gsize length = strlen(directory);

    while (length > 0 && directory[length - 1] == '/')
        length--;
    return strncmp(path, directory, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

static gboolean
check_path(const MfSpec *spec, const char *const *shared, const char *what, const char *path,
           GError **error)
{
    for (; path && shared && *shared; shared++)
        if (is_below(path, *shared))
            return TRUE;
    if (!path)
        return TRUE;
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                "The %s '%s' is on this host, and '%s' starts the machine on another one: if the "
                "path leads to the same files there, say so with --shared-path.",
                what, path, spec->connect);
    return FALSE;
}

/* The shares first: they are what people name. */
static gboolean
check_paths(const MfSpec *spec, const char *const *shared, GError **error)
{
    for (guint i = 0; i < spec->shares->len; i++) {
        const MfShare *share = g_ptr_array_index(spec->shares, i);

        if (!check_path(spec, shared, "directory", share->host_path, error))
            return FALSE;
    }
    for (guint i = 0; i < spec->disks->len; i++) {
        const MfDisk *disk = g_ptr_array_index(spec->disks, i);

        if (!check_path(spec, shared, "disk", disk->path, error))
            return FALSE;
    }
    return check_path(spec, shared, "kernel", spec->kernel, error) &&
           check_path(spec, shared, "initramfs", spec->initrd, error) &&
           check_path(spec, shared, "firmware", spec->bios, error) &&
           (!spec->firmware || (check_path(spec, shared, "firmware", spec->firmware->code, error) &&
                                check_path(spec, shared, "firmware", spec->firmware->vars, error)));
}

gboolean
mf_libvirt_check_spec(const MfSpec *spec, const char *const *shared, GError **error)
{
    return check_parts(spec, error) &&
           (!mf_libvirt_uri_is_remote(spec->connect) ||
            (check_ends(spec, error) && check_paths(spec, shared, error)));
}
