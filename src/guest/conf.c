/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/conf.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "wire/guest-protocol.h"
#include "wire/record.h"

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

static const char *const share_types[] = {"9p", "virtiofs"};
static const char *const cache_modes[] = {"none", "loose", "fscache", "mmap"};

/* The entry of 'words' that is 'text', NULL when none is. */
static const char *
one_of(const char *text, const char *const *words, size_t n_words)
{
    for (size_t i = 0; i < n_words; i++) {
        if (strcmp(text, words[i]) == 0)
            return words[i];
    }
    return NULL;
}

static bool
read_init(struct mfg_conf *conf, const char *value)
{
    conf->script = strcmp(value, "script") == 0;
    return conf->script || strcmp(value, "agent") == 0;
}

static bool
read_root(struct mfg_conf *conf, const char *value)
{
    conf->root_type = one_of(value, share_types, N_ELEMENTS(share_types));
    return conf->root_type != NULL;
}

static bool
read_root_mode(struct mfg_conf *conf, const char *value)
{
    if (strcmp(value, "overlay") == 0)
        conf->root_mode = MFG_ROOT_OVERLAY;
    else if (strcmp(value, "ro") == 0)
        conf->root_mode = MFG_ROOT_RO;
    else if (strcmp(value, "rw") == 0)
        conf->root_mode = MFG_ROOT_RW;
    else
        return false;
    return true;
}

static bool
read_cache(struct mfg_conf *conf, const char *value)
{
    conf->cache = one_of(value, cache_modes, N_ELEMENTS(cache_modes));
    return conf->cache != NULL;
}

/* Takes the text up to the next comma; NULL when there is none or it does not fit. */
static const char *
take_field(const char *at, char *ret_field, size_t size)
{
    const char *comma = strchr(at, ',');

    if (!comma || comma == at || (size_t)(comma - at) >= size)
        return NULL;
    memcpy(ret_field, at, (size_t)(comma - at));
    ret_field[comma - at] = '\0';
    return comma + 1;
}

static bool
read_mount(struct mfg_conf *conf, const char *value)
{
    char type[sizeof "virtiofs"], access[sizeof "ro"];

    if (conf->n_mounts == MFG_CONF_MOUNTS_MAX)
        return false;

    struct mfg_conf_mount *mount = &conf->mounts[conf->n_mounts];
    const char *at = take_field(value, type, sizeof type);
    at = at ? take_field(at, access, sizeof access) : NULL;
    at = at ? take_field(at, mount->tag, sizeof mount->tag) : NULL;
    if (!at || *at != '/' || strlen(at) >= PATH_MAX)
        return false;

    mount->type = one_of(type, share_types, N_ELEMENTS(share_types));
    mount->read_only = strcmp(access, "ro") == 0;
    mount->path = at;
    conf->n_mounts++;
    return mount->type && (mount->read_only || strcmp(access, "rw") == 0);
}

static bool
read_modules(struct mfg_conf *conf, const char *value)
{
    conf->modules = value;
    return *value == '/' || strncmp(value, "tag:", 4) == 0;
}

static bool
read_hostname(struct mfg_conf *conf, const char *value)
{
    conf->hostname = value;
    return *value != '\0' && strlen(value) <= HOST_NAME_MAX;
}

static bool
take_address(const char *text, struct in_addr *ret_address)
{
    return inet_pton(AF_INET, text, ret_address) == 1;
}

/* "<address>/<prefix length>,<gateway>,<name server>" */
static bool
read_net(struct mfg_conf *conf, const char *value)
{
    char interface[INET_ADDRSTRLEN + sizeof "/32"], gateway[INET_ADDRSTRLEN];
    struct in_addr name_server;
    const char *at = take_field(value, interface, sizeof interface);
    char *slash = at ? strchr(interface, '/') : NULL;
    char *end = NULL;

    at = slash ? take_field(at, gateway, sizeof gateway) : NULL;
    if (!at || strlen(at) >= sizeof conf->net.name_server || !isdigit((unsigned char)slash[1]))
        return false;
    *slash = '\0';

    unsigned long prefix = strtoul(slash + 1, &end, 10);
    if (*end != '\0' || prefix < 1 || prefix > 32)
        return false;
    conf->net.netmask.s_addr = htonl(UINT32_MAX << (32 - prefix));
    memcpy(conf->net.name_server, at, strlen(at) + 1);
    conf->has_net = true;
    return take_address(interface, &conf->net.address) &&
           take_address(gateway, &conf->net.gateway) && take_address(at, &name_server);
}

static bool
read_rehearse(struct mfg_conf *conf, const char *value)
{
    conf->rehearse = strcmp(value, "yes") == 0;
    return conf->rehearse || strcmp(value, "no") == 0;
}

static bool
read_time(struct mfg_conf *conf, const char *value)
{
    size_t seconds = strspn(value, "0123456789");

    if (seconds == 0 || seconds > 12 || value[seconds] != '.' ||
        strspn(value + seconds + 1, "0123456789") != 9 || value[seconds + 10] != '\0')
        return false;
    conf->time.tv_sec = strtoll(value, NULL, 10);
    conf->time.tv_nsec = strtol(value + seconds + 1, NULL, 10);
    conf->has_time = true;
    return true;
}

static int
hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    return isxdigit((unsigned char)digit) ? tolower((unsigned char)digit) - 'a' + 10 : -1;
}

static bool
read_entropy(struct mfg_conf *conf, const char *value)
{
    size_t length = strlen(value);

    if (length == 0 || length % 2 != 0 || length / 2 > sizeof conf->entropy)
        return false;
    for (size_t i = 0; i < length / 2; i++) {
        int high = hex_digit(value[2 * i]), low = hex_digit(value[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        conf->entropy[i] = (uint8_t)(high << 4 | low);
    }
    conf->entropy_size = length / 2;
    return true;
}

static const struct {
    const char *key;
    bool (*read)(struct mfg_conf *conf, const char *value);
} fields[] = {
    {MF_CONF_INIT, read_init},           {MF_CONF_ROOT, read_root},
    {MF_CONF_ROOT_MODE, read_root_mode}, {MF_CONF_9P_CACHE, read_cache},
    {MF_CONF_MOUNT, read_mount},         {MF_CONF_MODULES, read_modules},
    {MF_CONF_HOSTNAME, read_hostname},   {MF_CONF_TIME, read_time},
    {MF_CONF_ENTROPY, read_entropy},     {MF_CONF_NET, read_net},
    {MF_CONF_REHEARSE, read_rehearse},
};

static bool
read_field(struct mfg_conf *conf, const char *key, size_t key_length, const char *value,
           const struct mfg_reason *reason)
{
    for (size_t i = 0; i < N_ELEMENTS(fields); i++) {
        if (!mf_record_key_is(key, key_length, fields[i].key))
            continue;
        if (fields[i].read(conf, value))
            return true;
        return mfg_fail(reason, "The guest was sent '%s' for '%s', which it does not understand.",
                        value, fields[i].key);
    }
    return mfg_fail(reason, "The guest was sent the field '%.*s', which it does not know.",
                    (int)(key_length < 64 ? key_length : 64), key);
}

bool
mfg_conf_read(const char *record, size_t size, struct mfg_conf *ret_conf,
              const struct mfg_reason *reason)
{
    const char *key, *value;
    size_t key_length, at = 0;

    *ret_conf = (struct mfg_conf){
        .root_type = share_types[0],
        .root_mode = MFG_ROOT_OVERLAY,
        .cache = "mmap",
    };
    while (mf_record_next(record, size, &at, &key, &key_length, &value)) {
        if (!read_field(ret_conf, key, key_length, value, reason))
            return false;
    }
    if (at != size)
        return mfg_fail(reason, "The guest was sent a malformed configuration (at byte %zu).", at);
    return true;
}
