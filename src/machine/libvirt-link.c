/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/libvirt-link.h"

#include "base/error.h"
#include "machine/libvirt-uri.h"

/* A host that says nothing for that long, asked that many times, is gone. */
#define KEEPALIVE_S     5
#define KEEPALIVE_COUNT 3

void
mf_libvirt_set_error(GError **error, int code, const char *format, ...)
{
    virErrorPtr last = virGetLastError();
    g_autofree char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, MF_ERROR, code, "%s: %s.", text,
                last && last->message ? last->message : "no reason was given");
}

static void
clear(gpointer data)
{
    MfLibvirtLink *self = data;

    if (self->domain)
        virDomainFree(self->domain);
    if (self->connection)
        virConnectClose(self->connection);
    g_free(self->uri);
}

MfLibvirtLink *
mf_libvirt_link_ref(MfLibvirtLink *self)
{
    return g_atomic_rc_box_acquire(self);
}

void
mf_libvirt_link_unref(MfLibvirtLink *self)
{
    g_atomic_rc_box_release_full(self, clear);
}

MfLibvirtLink *
mf_libvirt_link_open(const char *uri, GError **error)
{
    g_autoptr(MfLibvirtLink) self = g_atomic_rc_box_new0(MfLibvirtLink);
    const char *type;

    self->uri = g_strdup(uri);
    self->connection = virConnectOpen(uri);
    if (!self->connection) {
        g_autoptr(GError) failure = NULL;
        const char *advice = mf_libvirt_uri_advise(uri);

        mf_libvirt_set_error(&failure, MF_ERROR_HOST, "There is no connection to libvirt at '%s'",
                             uri);
        g_set_error(error, MF_ERROR, MF_ERROR_HOST, "%s%s%s", failure->message, advice ? " " : "",
                    advice ? advice : "");
        return NULL;
    }
    type = virConnectGetType(self->connection);
    if (g_strcmp0(type, "QEMU") != 0) {
        g_set_error(error, MF_ERROR, MF_ERROR_HOST,
                    "libvirt runs no QEMU at '%s' but %s: connect to a URI such as "
                    "'qemu:///session'.",
                    uri, type ? type : "something that has no name");
        return NULL;
    }
    /* Where this is not to be had there is no network in between that could fall silent. */
    virConnectSetKeepAlive(self->connection, KEEPALIVE_S, KEEPALIVE_COUNT);
    return g_steal_pointer(&self);
}

gboolean
mf_libvirt_link_create(MfLibvirtLink *self, const char *xml, GError **error)
{
    self->domain = virDomainCreateXML(self->connection, xml,
                                      VIR_DOMAIN_START_PAUSED | VIR_DOMAIN_START_AUTODESTROY);
    if (self->domain)
        return TRUE;
    mf_libvirt_set_error(error, MF_ERROR_LAUNCH, "libvirt at '%s' did not start the machine",
                         self->uri);
    return FALSE;
}

gboolean
mf_libvirt_link_find(MfLibvirtLink *self, const char *name, GError **error)
{
    int state = VIR_DOMAIN_NOSTATE;

    self->domain = virDomainLookupByName(self->connection, name);
    if (!self->domain || virDomainGetState(self->domain, &state, NULL, 0) < 0) {
        mf_libvirt_set_error(error, MF_ERROR_CONFIG, "There is no domain '%s' to be found at '%s'",
                             name, self->uri);
        return FALSE;
    }
    if (state == VIR_DOMAIN_RUNNING)
        return TRUE;
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                "The domain '%s' at '%s' does not run: start it first ('virsh start').", name,
                self->uri);
    return FALSE;
}

/* Whether the last call failed only because the domain is gone. */
static gboolean
is_gone(void)
{
    virErrorPtr last = virGetLastError();

    return last && (last->code == VIR_ERR_NO_DOMAIN || last->code == VIR_ERR_OPERATION_INVALID);
}

gboolean
mf_libvirt_link_destroy(MfLibvirtLink *self, GError **error)
{
    if (virDomainDestroyFlags(self->domain, VIR_DOMAIN_DESTROY_GRACEFUL) == 0 || is_gone() ||
        virDomainDestroyFlags(self->domain, VIR_DOMAIN_DESTROY_DEFAULT) == 0 || is_gone())
        return TRUE;
    mf_libvirt_set_error(error, MF_ERROR_LOST, "libvirt at '%s' did not end the machine",
                         self->uri);
    return FALSE;
}
