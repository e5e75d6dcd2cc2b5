/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <netinet/in.h>
#include <stdint.h>
#include <time.h>

#include "guest/reason.h"

/*
 * The CONF record, read and checked before anything is done. Strings are borrowed from the record.
 */
#define MFG_CONF_MOUNTS_MAX  64
#define MFG_CONF_ENTROPY_MAX 512
#define MFG_CONF_TAG_MAX     36 /* of virtiofs; 9p has 32 */

enum mfg_root_mode {
    MFG_ROOT_OVERLAY, /* read-only share, what is written goes to memory */
    MFG_ROOT_RO,
    MFG_ROOT_RW,
};

struct mfg_conf_mount {
    const char *type; /* "9p" or "virtiofs" */
    bool read_only;
    char tag[MFG_CONF_TAG_MAX + 1];
    const char *path;
};

struct mfg_conf_net {
    struct in_addr address, netmask, gateway;
    char name_server[INET_ADDRSTRLEN];
};

struct mfg_conf {
    bool script;
    bool rehearse;
    const char *root_type; /* "9p" or "virtiofs" */
    enum mfg_root_mode root_mode;
    const char *cache;    /* of a 9p root */
    const char *modules;  /* NULL: leave /lib/modules alone */
    const char *hostname; /* NULL: as it is */
    bool has_net;
    struct mfg_conf_net net;
    bool has_time;
    struct timespec time;
    size_t entropy_size;
    uint8_t entropy[MFG_CONF_ENTROPY_MAX];
    size_t n_mounts;
    struct mfg_conf_mount mounts[MFG_CONF_MOUNTS_MAX];
};

/* False with the sentence for a malformed record, an unknown key or a value out of range. */
bool mfg_conf_read(const char *record, size_t size, struct mfg_conf *ret_conf,
                   const struct mfg_reason *reason);
