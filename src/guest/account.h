/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Who a command runs as, from the guest's own files. They are read directly: a static program has
 * no name service switch, and a root directory need not have a C library at all.
 */
#define MFG_ACCOUNT_GROUPS_MAX 256
#define MFG_ACCOUNT_NAME_MAX   255

struct mfg_account {
    uid_t uid;
    gid_t gid;
    gid_t groups[MFG_ACCOUNT_GROUPS_MAX];
    size_t n_groups;
};

/* Finds "USER" or "USER:GROUP", each a name or a number, in files of the forms of passwd(5) and
 * group(5). Without a group it is the user's own, and the supplementary ones are those that list
 * the user; with a group it is that one alone. A number needs no entry: without one the group is 0.
 * A name of digits only is a number. Returns false with one sentence in 'reason'. */
bool mfg_account_find(const char *spec, const char *passwd_path, const char *group_path,
                      struct mfg_account *ret_account, char *reason, size_t reason_size);

/* Becomes that account, for good. Returns false with errno. */
bool mfg_account_assume(const struct mfg_account *account);
