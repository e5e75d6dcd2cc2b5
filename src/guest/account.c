/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/account.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* All of 'text' as a user or group number; -1 as one means "no change" to the kernel. */
static bool
read_number(const char *text, unsigned int *ret_number)
{
    unsigned long long number;

    if (!*text || strspn(text, "0123456789") != strlen(text))
        return false;
    errno = 0;
    number = strtoull(text, NULL, 10);
    if (errno || number >= UINT_MAX)
        return false;
    *ret_number = (unsigned int)number;
    return true;
}

/* The entry for that name, or for that number when 'name' is one. 'ret_name' gets the entry's own
 * name. */
static bool
find_user(const char *name, const char *path, struct mfg_account *account, char *ret_name)
{
    unsigned int number = UINT_MAX;
    bool is_number = read_number(name, &number), found = false;
    FILE *file = fopen(path, "re");
    const struct passwd *entry;

    while (file && !found && (entry = fgetpwent(file))) {
        found = is_number ? entry->pw_uid == number : strcmp(entry->pw_name, name) == 0;
        if (found) {
            account->uid = entry->pw_uid;
            account->gid = entry->pw_gid;
            snprintf(ret_name, MFG_ACCOUNT_NAME_MAX + 1, "%s", entry->pw_name);
        }
    }
    if (file)
        fclose(file);
    if (!found && is_number) {
        account->uid = number;
        account->gid = 0;
        *ret_name = '\0';
    }
    return found || is_number;
}

static bool
find_group(const char *name, const char *path, gid_t *ret_gid)
{
    FILE *file;
    const struct group *entry;
    bool found = false;

    if (read_number(name, ret_gid))
        return true;
    file = fopen(path, "re");
    while (file && !found && (entry = fgetgrent(file))) {
        found = strcmp(entry->gr_name, name) == 0;
        if (found)
            *ret_gid = entry->gr_gid;
    }
    if (file)
        fclose(file);
    return found;
}

static bool
lists(const struct group *entry, const char *name)
{
    for (char **member = entry->gr_mem; *member; member++)
        if (strcmp(*member, name) == 0)
            return true;
    return false;
}

static void
find_supplementary(const char *name, const char *path, struct mfg_account *account)
{
    FILE *file = *name ? fopen(path, "re") : NULL;
    const struct group *entry;

    while (file && account->n_groups < MFG_ACCOUNT_GROUPS_MAX && (entry = fgetgrent(file)))
        if (entry->gr_gid != account->gid && lists(entry, name))
            account->groups[account->n_groups++] = entry->gr_gid;
    if (file)
        fclose(file);
}

bool
mfg_account_find(const char *spec, const char *passwd_path, const char *group_path,
                 struct mfg_account *ret_account, char *reason, size_t reason_size)
{
    struct mfg_account account = {0};
    char user[MFG_ACCOUNT_NAME_MAX + 1], own_name[MFG_ACCOUNT_NAME_MAX + 1];
    size_t length = strcspn(spec, ":");
    const char *group = spec[length] ? spec + length + 1 : NULL;

    if (length == 0 || length > MFG_ACCOUNT_NAME_MAX || (group && !*group)) {
        snprintf(reason, reason_size,
                 "the user '%s' is not of the form USER or USER:GROUP, names or numbers", spec);
        return false;
    }
    memcpy(user, spec, length);
    user[length] = '\0';
    if (!find_user(user, passwd_path, &account, own_name)) {
        snprintf(reason, reason_size, "there is no user '%s' in the guest's %s", user, passwd_path);
        return false;
    }
    if (group && !find_group(group, group_path, &account.gid)) {
        snprintf(reason, reason_size, "there is no group '%s' in the guest's %s", group,
                 group_path);
        return false;
    }
    if (!group)
        find_supplementary(own_name, group_path, &account);
    *ret_account = account;
    return true;
}

bool
mfg_account_assume(const struct mfg_account *account)
{
    return setgroups(account->n_groups, account->groups) == 0 &&
           setresgid(account->gid, account->gid, account->gid) == 0 &&
           setresuid(account->uid, account->uid, account->uid) == 0;
}
