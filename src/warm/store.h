/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * The saved machines of the cache, in its section "warm". A machine is a directory named after its
 * key's id:
 *
 *     <id>/ram            the guest's memory; sparse
 *     <id>/state          the devices' state, as QEMU's migration writes it
 *     <id>/overlay        what the boot wrote to its disk, as a qcow2 above the image; of a machine
 *                         that has such a disk
 *     <id>/console        what the guest said on its console while it booted
 *     <id>/stream         the beginning of a frame whose rest is in the devices' state
 *     <id>/manifest.json  identity and checksums of these files
 *     <id>.building/      the same, unfinished: whoever holds the lock makes it
 *     <id>.lock           locked by flock() while somebody saves this machine, or removes it
 *     <id>.refused        why QEMU would not save this machine, so that nobody tries again
 *
 * A machine appears by a rename, when it is complete and QEMU has let go of its files.
 */
#define MF_WARM_RAM      "ram"
#define MF_WARM_STATE    "state"
#define MF_WARM_OVERLAY  "overlay"
#define MF_WARM_CONSOLE  "console"
#define MF_WARM_STREAM   "stream"
#define MF_WARM_MANIFEST "manifest.json"
#define MF_WARM_BUILDING ".building"
#define MF_WARM_LOCK     ".lock"
#define MF_WARM_REFUSED  ".refused"

/* More than any of the files but memory and overlay has: the devices' state is less than a
 * megabyte.
 */
#define MF_WARM_FILE_MAX (64u << 20)

#define MF_WARM_REFUSAL_SECONDS (24 * 60 * 60)

#define MF_WARM_DEFAULT_MAX (G_GUINT64_CONSTANT(4) << 30)

/* "<cache>/warm/<id><suffix>", with the directory made. Owned by the caller. MF_ERROR_HOST. */
char *mf_warm_store_path(const char *id, const char *suffix, GError **error);

/* The same, with nothing made: NULL where nothing was ever saved. */
char *mf_warm_store_find_path(const char *id, const char *suffix);

/* Locks a machine for saving or removing it. Returns the descriptor, whose closing unlocks it; or
 * -1: with *ret_busy when somebody else holds it, else with MF_ERROR_HOST. */
int mf_warm_store_lock(const char *id, gboolean *ret_busy, GError **error);

/* Whether somebody holds that lock. */
gboolean mf_warm_store_is_locked(const char *id);

/* Remembers for MF_WARM_REFUSAL_SECONDS that QEMU refuses to save this machine, and recalls it:
 * NULL when it does not. Owned by the caller. */
void mf_warm_store_refuse(const char *id, const char *reason);
char *mf_warm_store_get_refusal(const char *id);

/* Removes the machine, and with it whatever was left of attempts to save it; nothing while somebody
 * saves it. MF_ERROR_HOST when that is not allowed. */
gboolean mf_warm_store_remove(const char *id, GError **error);

/* Removes what an attempt to save it has left, and the lock, which the caller holds; a machine that
 * was saved before stays, with its lock. */
void mf_warm_store_discard(const char *id);

/* A saved machine, or one that is being saved (then 'busy'), or what is left of one ('broken'). */
typedef struct {
    char *id;     /* owned */
    char *label;  /* owned; what it was saved for; NULL when nothing says */
    guint64 size; /* bytes on the disk */
    gint64 used;  /* when it was saved or restored last; microseconds since 1970 */
    gboolean busy, broken;
} MfWarmItem;

/* All of them, the one used last first: an array of MfWarmItem. MF_ERROR_HOST. */
GPtrArray *mf_warm_store_list(GError **error);

/* Notes that a machine was used now. */
void mf_warm_store_touch(const char *id);

/* Removes what is broken or left over, refusals that have had their time, and machines, the one
 * used longest ago first, until at most 'max' bytes are left. 'keep' (may be NULL) stays, and so
 * does what is being saved. MF_ERROR_HOST with the first one that cannot be removed; the others
 * are. */
gboolean mf_warm_store_prune(guint64 max, const char *keep, GError **error);

/* $MAYFLY_WARM_MAX (a size; a bare number is MiB), or the default. MF_ERROR_CONFIG,
 * whose message names the variable. */
gboolean mf_warm_store_get_max(guint64 *ret_max, GError **error);
