/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <libvirt-glib/libvirt-glib-event.h>
#include <libvirt/libvirt-qemu.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

/*
 * libvirt's libraries, loaded when a connection is first opened, as libarchive is when it is needed
 * (see lazy-archive.h): what they bring with them would cost every start of mayfly.
 *
 * Include this instead of the libraries' headers, and call mf_lazy_libvirt_load() before the first
 * call.
 */
#define MF_LAZY_LIBVIRT_FUNCTIONS(X)                                                               \
    X(virConnectClose)                                                                             \
    X(virConnectDomainEventDeregisterAny)                                                          \
    X(virConnectDomainEventRegisterAny)                                                            \
    X(virConnectGetType)                                                                           \
    X(virConnectGetVersion)                                                                        \
    X(virConnectOpen)                                                                              \
    X(virConnectRef)                                                                               \
    X(virConnectRegisterCloseCallback)                                                             \
    X(virConnectSetKeepAlive)                                                                      \
    X(virConnectUnregisterCloseCallback)                                                           \
    X(virDomainCreateXML)                                                                          \
    X(virDomainDestroyFlags)                                                                       \
    X(virDomainFree)                                                                               \
    X(virDomainGetState)                                                                           \
    X(virDomainLookupByName)                                                                       \
    X(virDomainOpenChannel)                                                                        \
    X(virDomainOpenConsole)                                                                        \
    X(virDomainRef)                                                                                \
    X(virDomainResume)                                                                             \
    X(virGetLastError)                                                                             \
    X(virGetLastErrorCode)                                                                         \
    X(virGetLastErrorMessage)                                                                      \
    X(virSetErrorFunc)                                                                             \
    X(virStreamAbort)                                                                              \
    X(virStreamEventAddCallback)                                                                   \
    X(virStreamEventRemoveCallback)                                                                \
    X(virStreamEventUpdateCallback)                                                                \
    X(virStreamFinish)                                                                             \
    X(virStreamFree)                                                                               \
    X(virStreamNew)                                                                                \
    X(virStreamRecv)                                                                               \
    X(virStreamSend)

#define MF_LAZY_LIBVIRT_QEMU_FUNCTIONS(X)                                                          \
    X(virConnectDomainQemuMonitorEventDeregister)                                                  \
    X(virConnectDomainQemuMonitorEventRegister)                                                    \
    X(virDomainQemuAgentCommand)                                                                   \
    X(virDomainQemuMonitorCommand)

#define MF_LAZY_LIBVIRT_GLIB_FUNCTIONS(X) X(gvir_event_register)

typedef struct {
#define MEMBER(name) __typeof__(name) *name;
    MF_LAZY_LIBVIRT_FUNCTIONS(MEMBER)
    MF_LAZY_LIBVIRT_QEMU_FUNCTIONS(MEMBER)
    MF_LAZY_LIBVIRT_GLIB_FUNCTIONS(MEMBER)
#undef MEMBER
} MfLazyLibvirt;

extern MfLazyLibvirt mf_lazy_libvirt;

/* Loads the libraries, once, and lets libvirt have its events from the default main context. From
 * the main thread. MF_ERROR_HOST when this host does not have them. */
gboolean mf_lazy_libvirt_load(GError **error);

/* The table's own file needs the names as they are. */
#ifndef MF_LAZY_LIBRARY_TABLE
#define virConnectClose                    mf_lazy_libvirt.virConnectClose
#define virConnectDomainEventDeregisterAny mf_lazy_libvirt.virConnectDomainEventDeregisterAny
#define virConnectDomainEventRegisterAny   mf_lazy_libvirt.virConnectDomainEventRegisterAny
#define virConnectGetType                  mf_lazy_libvirt.virConnectGetType
#define virConnectGetVersion               mf_lazy_libvirt.virConnectGetVersion
#define virConnectOpen                     mf_lazy_libvirt.virConnectOpen
#define virConnectRef                      mf_lazy_libvirt.virConnectRef
#define virConnectRegisterCloseCallback    mf_lazy_libvirt.virConnectRegisterCloseCallback
#define virConnectSetKeepAlive             mf_lazy_libvirt.virConnectSetKeepAlive
#define virConnectUnregisterCloseCallback  mf_lazy_libvirt.virConnectUnregisterCloseCallback
#define virDomainCreateXML                 mf_lazy_libvirt.virDomainCreateXML
#define virDomainDestroyFlags              mf_lazy_libvirt.virDomainDestroyFlags
#define virDomainFree                      mf_lazy_libvirt.virDomainFree
#define virDomainGetState                  mf_lazy_libvirt.virDomainGetState
#define virDomainLookupByName              mf_lazy_libvirt.virDomainLookupByName
#define virDomainOpenChannel               mf_lazy_libvirt.virDomainOpenChannel
#define virDomainOpenConsole               mf_lazy_libvirt.virDomainOpenConsole
#define virDomainRef                       mf_lazy_libvirt.virDomainRef
#define virDomainResume                    mf_lazy_libvirt.virDomainResume
#define virGetLastError                    mf_lazy_libvirt.virGetLastError
#define virGetLastErrorCode                mf_lazy_libvirt.virGetLastErrorCode
#define virGetLastErrorMessage             mf_lazy_libvirt.virGetLastErrorMessage
#define virSetErrorFunc                    mf_lazy_libvirt.virSetErrorFunc
#define virStreamAbort                     mf_lazy_libvirt.virStreamAbort
#define virStreamEventAddCallback          mf_lazy_libvirt.virStreamEventAddCallback
#define virStreamEventRemoveCallback       mf_lazy_libvirt.virStreamEventRemoveCallback
#define virStreamEventUpdateCallback       mf_lazy_libvirt.virStreamEventUpdateCallback
#define virStreamFinish                    mf_lazy_libvirt.virStreamFinish
#define virStreamFree                      mf_lazy_libvirt.virStreamFree
#define virStreamNew                       mf_lazy_libvirt.virStreamNew
#define virStreamRecv                      mf_lazy_libvirt.virStreamRecv
#define virStreamSend                      mf_lazy_libvirt.virStreamSend
#define virConnectDomainQemuMonitorEventDeregister                                                 \
    mf_lazy_libvirt.virConnectDomainQemuMonitorEventDeregister
#define virConnectDomainQemuMonitorEventRegister                                                   \
    mf_lazy_libvirt.virConnectDomainQemuMonitorEventRegister
#define virDomainQemuAgentCommand   mf_lazy_libvirt.virDomainQemuAgentCommand
#define virDomainQemuMonitorCommand mf_lazy_libvirt.virDomainQemuMonitorCommand
#define gvir_event_register         mf_lazy_libvirt.gvir_event_register
#endif
