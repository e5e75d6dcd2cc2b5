/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/rtc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "guest/agent.h"
#include "guest/json-build.h"
#include "guest/power.h"
#include "guest/qga.h"

#define NS_PER_S 1000000000LL

bool
mfg_qga_get_time(struct mfg_qga_call *call)
{
    struct timespec now;

    if (clock_gettime(CLOCK_REALTIME, &now) < 0)
        return mfg_qga_fail(call, "Cannot read the clock: %s", strerror(errno));
    json_object_put(call->value);
    call->value = json_object_new_int64((int64_t)now.tv_sec * NS_PER_S + now.tv_nsec);
    return true;
}

static int
open_hardware_clock(void)
{
    int fd = open("/dev/rtc0", O_RDWR | O_CLOEXEC);

    return fd < 0 ? open("/dev/rtc", O_RDWR | O_CLOEXEC) : fd;
}

/* The hardware clock, which is in UTC. Returns false with errno. */
static bool
read_hardware_clock(time_t *ret_time)
{
    struct rtc_time now = {0};
    int fd = open_hardware_clock();
    bool good = fd >= 0 && ioctl(fd, RTC_RD_TIME, &now) == 0;
    struct tm fields = {.tm_sec = now.tm_sec,
                        .tm_min = now.tm_min,
                        .tm_hour = now.tm_hour,
                        .tm_mday = now.tm_mday,
                        .tm_mon = now.tm_mon,
                        .tm_year = now.tm_year};
    int saved = errno;

    if (fd >= 0)
        close(fd);
    *ret_time = timegm(&fields);
    errno = saved;
    return good;
}

/* Best effort: without it the clock is right all the same, until the next boot. */
static void
write_hardware_clock(time_t time)
{
    struct tm fields;
    int fd = gmtime_r(&time, &fields) ? open_hardware_clock() : -1;

    if (fd < 0)
        return;
    ioctl(fd, RTC_SET_TIME,
          &(struct rtc_time){.tm_sec = fields.tm_sec,
                             .tm_min = fields.tm_min,
                             .tm_hour = fields.tm_hour,
                             .tm_mday = fields.tm_mday,
                             .tm_mon = fields.tm_mon,
                             .tm_year = fields.tm_year});
    close(fd);
}

bool
mfg_qga_set_time(struct mfg_qga_call *call)
{
    bool given = mfg_qga_get(call, "time") != NULL;
    int64_t ns = mfg_qga_int(call, "time", 0);
    struct timespec time = {.tv_sec = (time_t)(ns / NS_PER_S), .tv_nsec = (long)(ns % NS_PER_S)};

    if (ns < 0)
        return mfg_qga_fail(call, "The time is %lld ns, which is before 1970", (long long)ns);
    if (!given && !read_hardware_clock(&time.tv_sec))
        return mfg_qga_fail(call, "Cannot read the hardware clock: %s", strerror(errno));
    if (clock_settime(CLOCK_REALTIME, &time) < 0)
        return mfg_qga_fail(call, "Cannot set the clock: %s", strerror(errno));
    if (given)
        write_hardware_clock(time.tv_sec);
    return true;
}

/* The value of a line of os-release(5), unquoted in place. */
static char *
unquote(char *value)
{
    char quote = *value == '"' || *value == '\'' ? *value : '\0';
    char *to = value, *from = value + (quote != '\0');

    for (; *from && *from != '\n' && *from != quote; from++) {
        if (quote == '"' && *from == '\\' && from[1])
            from++;
        *to++ = *from;
    }
    *to = '\0';
    return value;
}

static void
put_os_release(json_object **value)
{
    static const struct {
        const char *variable, *name;
    } names[] = {
        {"ID", "id"},
        {"NAME", "name"},
        {"PRETTY_NAME", "pretty-name"},
        {"VERSION", "version"},
        {"VERSION_ID", "version-id"},
        {"VARIANT", "variant"},
        {"VARIANT_ID", "variant-id"},
    };
    FILE *file = fopen("/etc/os-release", "re");
    char line[1024];

    if (!file)
        file = fopen("/usr/lib/os-release", "re");
    if (!file)
        return;
    while (fgets(line, sizeof(line), file)) {
        size_t length = strcspn(line, "=");

        for (size_t i = 0; line[length] && i < sizeof(names) / sizeof(names[0]); i++)
            if (strlen(names[i].variable) == length && memcmp(line, names[i].variable, length) == 0)
                mfg_json_build_put(value, names[i].name,
                                   mfg_json_build_text(unquote(line + length + 1)));
    }
    fclose(file);
}

bool
mfg_qga_get_osinfo(struct mfg_qga_call *call)
{
    struct utsname name;

    if (uname(&name) < 0)
        return mfg_qga_fail(call, "Cannot read the kernel's name: %s", strerror(errno));
    mfg_json_build_put(&call->value, "kernel-release", mfg_json_build_text(name.release));
    mfg_json_build_put(&call->value, "kernel-version", mfg_json_build_text(name.version));
    mfg_json_build_put(&call->value, "machine", mfg_json_build_text(name.machine));
    put_os_release(&call->value);
    return true;
}

bool
mfg_qga_get_host_name(struct mfg_qga_call *call)
{
    struct utsname name;

    if (uname(&name) < 0)
        return mfg_qga_fail(call, "Cannot read the host name: %s", strerror(errno));
    mfg_json_build_put(&call->value, "host-name", mfg_json_build_text(name.nodename));
    return true;
}

static json_object *
vcpu_object(unsigned int id)
{
    char path[80];
    FILE *file;
    /* A processor that cannot be taken offline has no such file. */
    int online = '1', can_offline;
    json_object *vcpu = json_object_new_object();

    snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/online", id);
    file = fopen(path, "re");
    can_offline = file != NULL;
    if (file) {
        online = fgetc(file);
        fclose(file);
    }
    mfg_json_build_put(&vcpu, "logical-id", json_object_new_int64(id));
    mfg_json_build_put(&vcpu, "online", json_object_new_boolean(online == '1'));
    mfg_json_build_put(&vcpu, "can-offline", json_object_new_boolean(can_offline));
    return vcpu;
}

bool
mfg_qga_get_vcpus(struct mfg_qga_call *call)
{
    DIR *directory = opendir("/sys/devices/system/cpu");
    const struct dirent *entry;

    if (!directory)
        return mfg_qga_fail(call, "Cannot read /sys/devices/system/cpu: %s", strerror(errno));
    json_object_put(call->value);
    call->value = json_object_new_array();
    while ((entry = readdir(directory))) {
        unsigned int id;
        int end = 0;

        if (sscanf(entry->d_name, "cpu%u%n", &id, &end) == 1 && !entry->d_name[end])
            mfg_json_build_append(&call->value, vcpu_object(id));
    }
    closedir(directory);
    return true;
}

bool
mfg_qga_shutdown(struct mfg_qga_call *call)
{
    static const char *const names[] = {
        [MFG_POWER_OFF] = "powerdown", [MFG_POWER_REBOOT] = "reboot", [MFG_POWER_HALT] = "halt"};
    const char *mode = mfg_qga_string(call, "mode");
    int how = mode ? -1 : MFG_POWER_OFF;

    for (int i = 0; mode && i < 3; i++)
        if (strcmp(mode, names[i]) == 0)
            how = i;
    if (how < 0)
        return mfg_qga_fail(call, "The mode '%s' is not one of halt, powerdown and reboot", mode);
    if (!call->agent->is_init)
        return mfg_qga_fail(call, "This agent is not the init of its machine, and does not shut "
                                  "it down");
    mfg_power_end((enum mfg_power)how);
    return mfg_qga_fail(call, "Cannot shut the machine down: %s", strerror(errno));
}
