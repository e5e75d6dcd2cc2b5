/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine/distro.h"
#include "machine/host.h"

/*
 * Whether this host can run VMs, and what would make it do so better: facts that others gather
 * (doctor-facts.h), and a pure function that judges them.
 */

/* A QEMU on this host. */
typedef struct {
    char *path;      /* owned; NULL when there is none */
    char *version;   /* owned; "7.2.17"; NULL when it did not say */
    char *complaint; /* owned; why not, a sentence; or NULL */
} MfDoctorQemu;

/* A kernel that '-k' can name. */
typedef struct {
    char *name;            /* owned; as '-k' takes it */
    char *problem;         /* owned; why it cannot run, a sentence; NULL when it can */
    gboolean needs_daemon; /* has no 9p, but virtiofs: runs with virtiofsd only */
    gboolean unexamined;   /* there was no time for it */
} MfDoctorKernel;

typedef struct {
    MfDistro distro;
    MfArch arch; /* of this host */
    MfDoctorQemu qemus[MF_N_ARCHS];
    gboolean no_9p; /* QEMU for this host's architecture was built without it */
    MfKvmFacts kvm;
    gboolean guests[MF_N_ARCHS];    /* for which mayfly-guest is inside this program */
    MfDoctorKernel *default_kernel; /* owned; NULL when there is none */
    char *no_default;               /* owned; why there is none, a sentence; or NULL */
    GPtrArray *kernels;             /* owned; of MfDoctorKernel: all others */
    char *virtiofsd;                /* owned; its path; NULL when there is none to be used */
    char *no_virtiofsd;             /* owned; why not, a sentence; or NULL */
    char *uefi;                     /* owned; path of the firmware; or NULL */
    gboolean has_secure_boot;       /* the architecture, for firmware that checks signatures */
    char *secure_boot;              /* owned; path of that, with Microsoft's keys; or NULL */
    char *swtpm;                    /* owned; its path; or NULL */
    char *no_swtpm;                 /* owned; why not, a sentence; or NULL */
    guint64 memory;                 /* bytes that are free for VMs; G_MAXUINT64: nothing says */
    guint64 guest_memory;           /* bytes of a guest that does not say how much it wants */
    char *cache;                    /* owned; the directory */
    char *no_cache;                 /* owned; why nothing can be kept there, a sentence; or NULL */
    guint64 cache_free;             /* bytes that are free on its file system */
    guint64 warm_size, warm_max;    /* bytes of the saved machines, and their limit */
    char *no_libarchive;            /* owned; why it is of no use here, a sentence; or NULL */
    char *no_libcurl;               /* likewise */
    gboolean has_libvirt;           /* compiled in */
    char *no_libvirt;               /* owned; why that is of no use here, a sentence; or NULL */
    char *libvirt_daemon;           /* owned; path of one that this host has; or NULL */
} MfDoctorFacts;

MfDoctorKernel *mf_doctor_kernel_new(const char *name);
void mf_doctor_kernel_free(MfDoctorKernel *self);

/* Nothing found yet, on this program's architecture. */
MfDoctorFacts *mf_doctor_facts_new(void);
void mf_doctor_facts_free(MfDoctorFacts *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfDoctorFacts, mf_doctor_facts_free)

typedef enum {
    MF_DOCTOR_PASS,
    MF_DOCTOR_WARN, /* mayfly works, but not all of it, or slowly */
    MF_DOCTOR_FAIL, /* nothing can be run */
} MfDoctorVerdict;

const char *mf_doctor_verdict_name(MfDoctorVerdict verdict); /* "pass", "warn", "fail" */

/* What came of one question. */
typedef struct {
    const char *id; /* static; for programs: it stays the same */
    char *subject;  /* owned; for people */
    MfDoctorVerdict verdict;
    char *message; /* owned; a sentence */
    char *remedy;  /* owned; what to do, beginning with a verb, without a full stop; or NULL */
} MfDoctorCheck;

/* An array of MfDoctorCheck, owned by the caller: the same questions in the same order, except that
 * there is one for each kernel, and none where an answer would mean nothing. */
GPtrArray *mf_doctor_examine(const MfDoctorFacts *facts);

/* The worst of them. */
MfDoctorVerdict mf_doctor_judge(const GPtrArray *checks);

/* What to do first: the first remedy of what failed, else of a warning; NULL when there is nothing
 * to do. Borrowed from 'checks'. */
const MfDoctorCheck *mf_doctor_next(const GPtrArray *checks);
