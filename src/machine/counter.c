/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/counter.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#include "base/fd.h"

#define CLOCKS "/sys/devices/system/clocksource/clocksource0/available_clocksource"

/* Long enough for an error of a few ten nanoseconds at both ends to be some 0.001 %. */
#define INTERVAL_NS 2000000
#define MIN_MHZ     100
#define MAX_MHZ     10000

typedef struct {
    guint64 cycles;
    guint64 nanoseconds;
} Reading;

gboolean
mf_counter_is_clock(const char *clocks)
{
    g_auto(GStrv) words = g_strsplit_set(clocks, " \n", -1);

    return g_strv_contains((const char *const *)words, "tsc");
}

guint
mf_counter_judge(guint64 cycles, guint64 nanoseconds)
{
    if (nanoseconds == 0 || cycles > G_MAXUINT64 / 1000)
        return 0;

    guint64 mhz = (cycles * 1000 + nanoseconds / 2) / nanoseconds;
    return mhz >= MIN_MHZ && mhz <= MAX_MHZ ? (guint)mhz * 1000 : 0;
}

static gboolean
keeps_time(void)
{
    char clocks[256];
    mf_autofd fd = open(CLOCKS, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, clocks, sizeof(clocks) - 1);

    if (n <= 0)
        return FALSE;
    clocks[n] = '\0';
    return mf_counter_is_clock(clocks);
}

static guint64
read_cycles(void)
{
#if defined(__x86_64__)
    return __rdtsc();
#else
    return 0;
#endif
}

/* Of several tries the one that was interrupted the least. */
static Reading
read_both(void)
{
    Reading best = {0};
    guint64 shortest = G_MAXUINT64;

    for (int i = 0; i < 8; i++) {
        struct timespec now;
        guint64 before = read_cycles();
        clock_gettime(CLOCK_MONOTONIC_RAW, &now);
        guint64 taken = read_cycles() - before;

        if (taken < shortest) {
            shortest = taken;
            best.cycles = before + taken / 2;
            best.nanoseconds = (guint64)now.tv_sec * 1000000000 + (guint64)now.tv_nsec;
        }
    }
    return best;
}

static guint
measure(void)
{
    if (!keeps_time())
        return 0;

    Reading first = read_both(), last;
    do
        last = read_both();
    while (last.nanoseconds - first.nanoseconds < INTERVAL_NS);
    return mf_counter_judge(last.cycles - first.cycles, last.nanoseconds - first.nanoseconds);
}

guint
mf_counter_get_khz(MfArch guest_arch)
{
    static gsize measured;
    static guint khz;

    if (guest_arch != MF_ARCH_X86_64 || mf_arch_native() != guest_arch)
        return 0;
    if (g_once_init_enter(&measured)) {
        khz = measure();
        g_once_init_leave(&measured, 1);
    }
    return khz;
}
