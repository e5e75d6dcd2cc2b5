/* SPDX-License-Identifier: Apache-2.0 */
#include "run/splat.h"

#include <string.h>

/* Shortened logs in the form of Linux 6.1, one string a kind. */
#define WARNING_AT(time, cpu, address)                                                             \
    "[   " time "] ------------[ cut here ]------------\n"                                         \
    "[   " time "] WARNING: CPU: " cpu " PID: 71 at drivers/misc/probe.c:123 probe_it+0x1f/0x40\n" \
    "[   " time "] Modules linked in: probe(OE)\n"                                                 \
    "[   " time "] RIP: 0010:probe_it+0x1f/0x40 [probe]\n"                                         \
    "[   " time "] RSP: 0018:" address " EFLAGS: 00010246\n"                                       \
    "[   " time "] Call Trace:\n"                                                                  \
    "[   " time "]  <TASK>\n"                                                                      \
    "[   " time "]  ? __warn+0x7d/0xe0\n"                                                          \
    "[   " time "]  probe_write+0x52/0x90 [probe]\n"                                               \
    "[   " time "]  vfs_write+0xc3/0x2e0\n"                                                        \
    "[   " time "]  </TASK>\n"                                                                     \
    "[   " time "] ---[ end trace 0000000000000000 ]---\n"

static const char oops_log[] =
    "[    8.100000] BUG: kernel NULL pointer dereference, address: 0000000000000010\n"
    "[    8.100100] #PF: supervisor read access in kernel mode\n"
    "[    8.100200] PGD 0 P4D 0 \n"
    "[    8.100300] Oops: 0000 [#1] PREEMPT SMP NOPTI\n"
    "[    8.100400] CPU: 1 PID: 99 Comm: sh Tainted: G           OE      6.1.0 #1\n"
    "[    8.100500] RIP: 0010:probe_read+0x4/0x20 [probe]\n"
    "[    8.100600] Call Trace:\n"
    "[    8.100700]  <TASK>\n"
    "[    8.100800]  ? __die+0x20/0x70\n"
    "[    8.100900]  vfs_read+0xb0/0x2f0\n"
    "[    8.101000]  </TASK>\n"
    "[    8.101100] CR2: 0000000000000010\n"
    "[    8.101200] ---[ end trace 0000000000000000 ]---\n"
    "[    8.101300] RIP: 0010:probe_read+0x4/0x20 [probe]\n";

static const char panic_log[] =
    "[    9.000000] sysrq: Trigger a crash\n"
    "[    9.000100] Kernel panic - not syncing: sysrq triggered crash\n"
    "[    9.000200] CPU: 0 PID: 80 Comm: sh Not tainted 6.1.0-56-amd64 #1  Debian\n"
    "[    9.000300] Call Trace:\n"
    "[    9.000400]  <TASK>\n"
    "[    9.000500]  dump_stack_lvl+0x44/0x5c\n"
    "[    9.000600]  panic+0x118/0x2ed\n"
    "[    9.000700]  sysrq_handle_crash+0x16/0x20\n"
    "[    9.000800]  </TASK>\n"
    "[    9.000900] Kernel Offset: disabled\n"
    "[    9.001000] ---[ end Kernel panic - not syncing: sysrq triggered crash ]---\n";

static const char kasan_log[] =
    "[    5.000000] ==================================================================\n"
    "[    5.000100] BUG: KASAN: slab-out-of-bounds in probe_copy+0x45/0x60 [probe]\n"
    "[    5.000200] Write of size 1 at addr ffff888003e9a080 by task sh/80\n"
    "[    5.000300] \n"
    "[    5.000400] Call Trace:\n"
    "[    5.000500]  <TASK>\n"
    "[    5.000600]  kasan_report+0xab/0xe0\n"
    "[    5.000700]  probe_copy+0x45/0x60 [probe]\n"
    "[    5.000800]  </TASK>\n"
    "[    5.000900] Allocated by task 80:\n"
    "[    5.001000] >ffff888003e9a080: fc fc fc fc\n"
    "[    5.001100] ==================================================================\n"
    "[    5.001200] Disabling lock debugging due to kernel taint\n";

static const char lockdep_log[] =
    "[    5.000000] ======================================================\n"
    "[    5.000100] WARNING: possible circular locking dependency detected\n"
    "[    5.000200] 6.1.0 #1 Not tainted\n"
    "[    5.000300] ------------------------------------------------------\n"
    "[    5.000400] sh/80 is trying to acquire lock:\n"
    "[    5.000500] stack backtrace:\n"
    "[    5.000600] Call Trace:\n"
    "[    5.000700]  <TASK>\n"
    "[    5.000800]  probe_lock+0x30/0x50\n"
    "[    5.000900]  </TASK>\n";

static void
feed(MfSplatScanner *scanner, const char *log)
{
    g_auto(GStrv) lines = g_strsplit(log, "\n", -1);

    for (char **line = lines; *line; line++)
        if (line[1])
            mf_splat_scanner_feed(scanner, *line);
}

static MfSplatScanner *
scan(const char *log)
{
    MfSplatScanner *scanner = mf_splat_scanner_new();

    feed(scanner, log);
    mf_splat_scanner_finish(scanner);
    return scanner;
}

static const MfSplat *
get(MfSplatScanner *scanner, guint index)
{
    const GPtrArray *splats = mf_splat_scanner_get_splats(scanner);

    g_assert_cmpuint(splats->len, >, index);
    return g_ptr_array_index(splats, index);
}

static void
assert_only(MfSplatScanner *scanner, MfSplatKind kind, const char *title)
{
    g_assert_cmpuint(mf_splat_scanner_get_splats(scanner)->len, ==, 1);
    g_assert_cmpint(get(scanner, 0)->kind, ==, kind);
    g_assert_cmpstr(get(scanner, 0)->title, ==, title);
}

static void
test_warning_has_its_trace_and_ends_with_it(void)
{
    g_autoptr(MfSplatScanner) scanner =
        scan(WARNING_AT("7.100000", "1", "ffffb0") "[    7.200000] eth0: link is up\n");

    assert_only(scanner, MF_SPLAT_WARNING,
                "WARNING: CPU: 1 PID: 71 at drivers/misc/probe.c:123 probe_it+0x1f/0x40");
    g_assert_nonnull(strstr(get(scanner, 0)->report, "vfs_write+0xc3"));
    g_assert_null(strstr(get(scanner, 0)->report, "link is up"));
}

static void
test_same_fault_on_another_cpu_at_another_time_is_counted_once(void)
{
    g_autoptr(MfSplatScanner) scanner =
        scan(WARNING_AT("7.100000", "1", "ffffb0") WARNING_AT("99.500000", "0", "ffffd8"));

    g_assert_cmpuint(mf_splat_scanner_get_splats(scanner)->len, ==, 1);
    g_assert_cmpuint(get(scanner, 0)->count, ==, 2);
    g_assert_cmpuint(strlen(get(scanner, 0)->fingerprint), ==, 16);
}

static void
test_same_words_from_another_place_are_another_fault(void)
{
    static const char other[] =
        "[    8.100000] BUG: kernel NULL pointer dereference, address: 0000000000000020\n"
        "[    8.100300] Oops: 0000 [#1] PREEMPT SMP NOPTI\n"
        "[    8.100500] RIP: 0010:probe_seek+0x4/0x20 [probe]\n"
        "[    8.101200] ---[ end trace 0000000000000000 ]---\n";
    g_autoptr(MfSplatScanner) scanner = scan(oops_log);

    feed(scanner, other);
    mf_splat_scanner_finish(scanner);
    g_assert_cmpuint(mf_splat_scanner_get_splats(scanner)->len, ==, 2);
    g_assert_cmpstr(get(scanner, 0)->fingerprint, !=, get(scanner, 1)->fingerprint);
}

static void
test_oops_is_one_report_with_its_counter(void)
{
    g_autoptr(MfSplatScanner) scanner = scan(oops_log);

    assert_only(scanner, MF_SPLAT_OOPS,
                "BUG: kernel NULL pointer dereference, address: 0000000000000010");
    g_assert_nonnull(strstr(get(scanner, 0)->report, "Oops: 0000 [#1]"));
    g_assert_nonnull(strstr(get(scanner, 0)->report, "vfs_read+0xb0"));
}

static void
test_panic_after_oops_is_a_splat_of_its_own(void)
{
    g_autoptr(MfSplatScanner) scanner = scan(oops_log);

    feed(scanner, "[    8.2] Kernel panic - not syncing: Fatal exception\n");
    mf_splat_scanner_finish(scanner);
    g_assert_cmpuint(mf_splat_scanner_get_splats(scanner)->len, ==, 2);
    g_assert_cmpint(get(scanner, 1)->kind, ==, MF_SPLAT_PANIC);
}

static void
test_panic_has_its_trace(void)
{
    g_autoptr(MfSplatScanner) scanner = scan(panic_log);

    assert_only(scanner, MF_SPLAT_PANIC, "Kernel panic - not syncing: sysrq triggered crash");
    g_assert_nonnull(strstr(get(scanner, 0)->report, "sysrq_handle_crash+0x16"));
    g_assert_null(strstr(get(scanner, 0)->report, "Trigger a crash"));
}

static void
test_sanitizer_report_ends_at_its_delimiter(void)
{
    g_autoptr(MfSplatScanner) scanner = scan(kasan_log);

    assert_only(scanner, MF_SPLAT_KASAN,
                "BUG: KASAN: slab-out-of-bounds in probe_copy+0x45/0x60 [probe]");
    g_assert_nonnull(strstr(get(scanner, 0)->report, "Allocated by task 80"));
    g_assert_null(strstr(get(scanner, 0)->report, "Disabling lock debugging"));
}

static void
test_lockdep_report_has_its_trace(void)
{
    g_autoptr(MfSplatScanner) scanner = scan(lockdep_log);

    assert_only(scanner, MF_SPLAT_LOCKDEP,
                "WARNING: possible circular locking dependency detected");
    g_assert_nonnull(strstr(get(scanner, 0)->report, "probe_lock+0x30"));
}

static void
test_every_kind_is_known_by_its_first_line(void)
{
    static const struct {
        const char *line;
        int kind;
    } lines[] = {
        {"[ 1.0] general protection fault, probably for non-canonical address 0xdead: 0000 [#1] "
         "SMP",
         MF_SPLAT_OOPS},
        {"[ 1.0] BUG: unable to handle page fault for address: ffffc90000000000", MF_SPLAT_OOPS},
        {"[ 1.0] Unable to handle kernel NULL pointer dereference at virtual address 0",
         MF_SPLAT_OOPS},
        {"[ 1.0] Internal error: Oops - BUG: 00000000f2000800 [#1] SMP", MF_SPLAT_OOPS},
        {"[ 1.0] kernel BUG at mm/slub.c:435!", MF_SPLAT_BUG},
        {"[ 1.0] BUG: sleeping function called from invalid context at mm/slab.h:1", MF_SPLAT_BUG},
        {"[ 1.0] BUG: scheduling while atomic: sh/80/0x00000002", MF_SPLAT_BUG},
        {"[ 1.0] BUG: KFENCE: use-after-free read in probe+0x1/0x2", MF_SPLAT_KFENCE},
        {"[ 1.0] BUG: KCSAN: data-race in a / b", MF_SPLAT_KCSAN},
        {"[ 1.0] UBSAN: shift-out-of-bounds in lib/x.c:12:3", MF_SPLAT_UBSAN},
        {"[ 1.0] WARNING: suspicious RCU usage", MF_SPLAT_LOCKDEP},
        {"[ 1.0] WARNING: HARDIRQ-safe -> HARDIRQ-unsafe lock order detected", MF_SPLAT_LOCKDEP},
        {"[ 1.0] [ BUG: Invalid wait context ]", MF_SPLAT_LOCKDEP},
        {"[ 1.0] watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [sh:80]", MF_SPLAT_SOFT_LOCKUP},
        {"[ 1.0] NMI watchdog: Watchdog detected hard LOCKUP on cpu 0", MF_SPLAT_HARD_LOCKUP},
        {"[ 1.0] rcu: INFO: rcu_preempt self-detected stall on CPU", MF_SPLAT_RCU_STALL},
        {"[ 1.0] rcu: INFO: rcu_sched detected stalls on CPUs/tasks:", MF_SPLAT_RCU_STALL},
        {"[ 1.0] INFO: task sh:80 blocked for more than 120 seconds.", MF_SPLAT_HUNG_TASK},
        {"[ 1.0] sh invoked oom-killer: gfp_mask=0x100cca, order=0", MF_SPLAT_OOM},
        {"[ 1.0] WARNING: mm/slub.c:4 at kfree+0x1/0x2, CPU#0: sh/80", MF_SPLAT_WARNING},
        {"<4>[    1.000000][  T80] WARNING: CPU: 0 PID: 1 at a.c:1 f+0x1/0x2", MF_SPLAT_WARNING},
        {"WARNING: CPU: 0 PID: 1 at a.c:1 f+0x1/0x2", MF_SPLAT_WARNING},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autoptr(MfSplatScanner) scanner = mf_splat_scanner_new();

        g_test_message("%s", lines[i].line);
        g_assert_cmpint(mf_splat_scanner_feed(scanner, lines[i].line), ==, lines[i].kind);
    }
}

static void
test_harmless_lines_are_none(void)
{
    static const char *const lines[] = {
        "[ 1.0] Spectre V2 : WARNING: Unprivileged eBPF is enabled with eIBRS on",
        "[ 1.0] WARNING: something that a program says",
        "[ 1.0] INFO: task scheduler is ready",
        "[ 1.0] kernel BUGs are reported to the vendor",
        "[ 1.0] UBSAN is enabled",
        "[ 1.0] random: crng init done",
        "[ 1.0] acpi PNP0A08:00: _OSC: OS supports [ExtendedConfig ASPM]",
        "",
        "[",
        "[   ]",
        "<",
        "================",
        "Call Trace:",
    };
    g_autoptr(MfSplatScanner) scanner = mf_splat_scanner_new();

    for (gsize i = 0; i < G_N_ELEMENTS(lines); i++)
        g_assert_cmpint(mf_splat_scanner_feed(scanner, lines[i]), ==, -1);
    mf_splat_scanner_finish(scanner);
    g_assert_cmpuint(mf_splat_scanner_get_splats(scanner)->len, ==, 0);
}

static void
test_report_ends_when_time_goes_on(void)
{
    g_autoptr(MfSplatScanner) scanner = scan("[    1.000000] BUG: Bad page state in process sh\n"
                                             "[    1.000100] page:0000 refcount:1\n"
                                             "[   60.000000] something else, a minute later\n");

    g_assert_cmpstr(get(scanner, 0)->report, ==,
                    "[    1.000000] BUG: Bad page state in process sh\n"
                    "[    1.000100] page:0000 refcount:1");
}

static void
test_report_is_bounded_at_its_caps(void)
{
    g_autoptr(MfSplatScanner) scanner = mf_splat_scanner_new();
    g_autofree char *wide = g_strnfill(4000, 'x');

    mf_splat_scanner_feed(scanner, "BUG: something bad");
    for (guint i = 1; i < MF_SPLAT_LINES_MAX; i++) {
        g_assert_cmpuint(mf_splat_scanner_get_splats(scanner)->len, ==, 0);
        mf_splat_scanner_feed(scanner, wide);
    }
    g_assert_cmpuint(mf_splat_scanner_get_splats(scanner)->len, ==, 1);
    g_assert_cmpuint(strlen(get(scanner, 0)->report), <=, MF_SPLAT_REPORT_MAX);
    g_assert_cmpuint(strlen(get(scanner, 0)->report), >, MF_SPLAT_REPORT_MAX - 4002);
}

static void
test_more_faults_than_the_cap_are_counted_with_the_last(void)
{
    g_autoptr(MfSplatScanner) scanner = mf_splat_scanner_new();

    for (guint i = 0; i < MF_SPLATS_MAX + 10; i++) {
        g_autofree char *name = g_strnfill(i + 1, 'f');
        g_autofree char *line = g_strdup_printf("BUG: KASAN: bad thing in %s", name);

        mf_splat_scanner_feed(scanner, line);
        mf_splat_scanner_finish(scanner);
    }
    g_assert_cmpuint(mf_splat_scanner_get_splats(scanner)->len, ==, MF_SPLATS_MAX);
    g_assert_cmpuint(get(scanner, MF_SPLATS_MAX - 1)->count, ==, 11);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/splat/warning-has-its-trace-and-ends-with-it",
                    test_warning_has_its_trace_and_ends_with_it);
    g_test_add_func("/splat/same-fault-on-another-cpu-at-another-time-is-counted-once",
                    test_same_fault_on_another_cpu_at_another_time_is_counted_once);
    g_test_add_func("/splat/same-words-from-another-place-are-another-fault",
                    test_same_words_from_another_place_are_another_fault);
    g_test_add_func("/splat/oops-is-one-report-with-its-counter",
                    test_oops_is_one_report_with_its_counter);
    g_test_add_func("/splat/panic-after-oops-is-a-splat-of-its-own",
                    test_panic_after_oops_is_a_splat_of_its_own);
    g_test_add_func("/splat/panic-has-its-trace", test_panic_has_its_trace);
    g_test_add_func("/splat/sanitizer-report-ends-at-its-delimiter",
                    test_sanitizer_report_ends_at_its_delimiter);
    g_test_add_func("/splat/lockdep-report-has-its-trace", test_lockdep_report_has_its_trace);
    g_test_add_func("/splat/every-kind-is-known-by-its-first-line",
                    test_every_kind_is_known_by_its_first_line);
    g_test_add_func("/splat/harmless-lines-are-none", test_harmless_lines_are_none);
    g_test_add_func("/splat/report-ends-when-time-goes-on", test_report_ends_when_time_goes_on);
    g_test_add_func("/splat/report-is-bounded-at-its-caps", test_report_is_bounded_at_its_caps);
    g_test_add_func("/splat/more-faults-than-the-cap-are-counted-with-the-last",
                    test_more_faults_than_the_cap_are_counted_with_the_last);
    return g_test_run();
}
