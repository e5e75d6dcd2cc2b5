/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "guest/json-build.h"
#include "guest/qga.h"

static int
prefix_length(const struct sockaddr *netmask, size_t offset, size_t size)
{
    int length = 0;

    for (size_t i = offset; netmask && i < offset + size; i++)
        length += __builtin_popcount(((const uint8_t *)netmask)[i]);
    return length;
}

/* One address, of IPv4 or IPv6. */
static json_object *
address_object(const struct ifaddrs *entry)
{
    bool is_ipv4 = entry->ifa_addr->sa_family == AF_INET;
    size_t offset =
        is_ipv4 ? offsetof(struct sockaddr_in, sin_addr) : offsetof(struct sockaddr_in6, sin6_addr);
    char text[INET6_ADDRSTRLEN];
    json_object *address = json_object_new_object();

    inet_ntop(entry->ifa_addr->sa_family, (const uint8_t *)entry->ifa_addr + offset, text,
              sizeof(text));
    mfg_json_build_put(&address, "ip-address", json_object_new_string(text));
    mfg_json_build_put(&address, "ip-address-type",
                       json_object_new_string(is_ipv4 ? "ipv4" : "ipv6"));
    mfg_json_build_put(
        &address, "prefix",
        json_object_new_int(prefix_length(entry->ifa_netmask, offset, is_ipv4 ? 4 : 16)));
    return address;
}

static json_object *
addresses_array(const struct ifaddrs *entries, const char *name)
{
    json_object *addresses = json_object_new_array();

    for (const struct ifaddrs *entry = entries; entry; entry = entry->ifa_next)
        if (entry->ifa_addr && strcmp(entry->ifa_name, name) == 0 &&
            (entry->ifa_addr->sa_family == AF_INET || entry->ifa_addr->sa_family == AF_INET6))
            mfg_json_build_append(&addresses, address_object(entry));
    return addresses;
}

static json_object *
statistics_object(const char *name)
{
    static const struct {
        const char *file, *key;
    } counters[] = {
        {"rx_bytes", "rx-bytes"},     {"rx_packets", "rx-packets"}, {"rx_errors", "rx-errs"},
        {"rx_dropped", "rx-dropped"}, {"tx_bytes", "tx-bytes"},     {"tx_packets", "tx-packets"},
        {"tx_errors", "tx-errs"},     {"tx_dropped", "tx-dropped"},
    };
    json_object *statistics = json_object_new_object();

    for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
        char path[128];
        int64_t value = 0;
        FILE *file;

        snprintf(path, sizeof(path), "/sys/class/net/%.16s/statistics/%s", name, counters[i].file);
        file = fopen(path, "re");
        if (file && fscanf(file, "%" SCNd64, &value) != 1)
            value = 0;
        if (file)
            fclose(file);
        mfg_json_build_put(&statistics, counters[i].key, json_object_new_int64(value));
    }
    return statistics;
}

static void
put_hardware_address(json_object **interface, const struct sockaddr_ll *address)
{
    const uint8_t *bytes = address->sll_addr;
    char text[18];

    if (address->sll_halen != 6)
        return;
    snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", bytes[0], bytes[1], bytes[2],
             bytes[3], bytes[4], bytes[5]);
    mfg_json_build_put(interface, "hardware-address", json_object_new_string(text));
}

/* Every interface has exactly one entry of the packet family, address or not. */
static json_object *
interface_object(const struct ifaddrs *entries, const struct ifaddrs *entry)
{
    json_object *interface = json_object_new_object();
    json_object *addresses = addresses_array(entries, entry->ifa_name);

    mfg_json_build_put(&interface, "name", mfg_json_build_text(entry->ifa_name));
    put_hardware_address(&interface, (const struct sockaddr_ll *)entry->ifa_addr);
    if (addresses && json_object_array_length(addresses) == 0)
        json_object_put(addresses);
    else
        mfg_json_build_put(&interface, "ip-addresses", addresses);
    mfg_json_build_put(&interface, "statistics", statistics_object(entry->ifa_name));
    return interface;
}

bool
mfg_qga_get_interfaces(struct mfg_qga_call *call)
{
    struct ifaddrs *entries;

    if (getifaddrs(&entries) < 0)
        return mfg_qga_fail(call, "Cannot list the network interfaces: %s", strerror(errno));
    json_object_put(call->value);
    call->value = json_object_new_array();
    for (const struct ifaddrs *entry = entries; entry; entry = entry->ifa_next)
        if (entry->ifa_addr && entry->ifa_addr->sa_family == AF_PACKET)
            mfg_json_build_append(&call->value, interface_object(entries, entry));
    freeifaddrs(entries);
    return true;
}
