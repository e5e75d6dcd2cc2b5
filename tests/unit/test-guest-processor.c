/* SPDX-License-Identifier: Apache-2.0 */
#include <glib.h>

#include "guest/processor.h"

#define TABLE                                                                                      \
    "           CPU0       CPU1       \n"                                                          \
    "  4:          1          0   IO-APIC   4-edge      ttyS0\n"                                   \
    " 25:          0         23   PCI-MSI 16385-edge      virtio0-virtqueues\n"                    \
    " 27:          0        354   PCI-MSI 32769-edge      virtio1-requests\n"                      \
    "129:          0          3   PCI-MSI 49153-edge      virtio11-requests\n"                     \
    "130:          0          3   PCI-MSI 49155-edge      virtio2, virtio3\n"                      \
    "LOC:        641        643   Local timer interrupts\n"

static void
test_an_interrupt_is_found_by_its_whole_name(void)
{
    g_assert_cmpint(mfg_processor_find_interrupt(TABLE, "virtio1-requests"), ==, 27);
    g_assert_cmpint(mfg_processor_find_interrupt(TABLE, "virtio11-requests"), ==, 129);
    g_assert_cmpint(mfg_processor_find_interrupt(TABLE, "ttyS0"), ==, 4);
    g_assert_cmpint(mfg_processor_find_interrupt(TABLE, "requests"), ==, -1);
    g_assert_cmpint(mfg_processor_find_interrupt(TABLE, "virtio2-requests"), ==, -1);
    g_assert_cmpint(mfg_processor_find_interrupt(TABLE, "irtio1-requests"), ==, -1);
}

static void
test_what_has_no_number_is_no_interrupt(void)
{
    g_assert_cmpint(mfg_processor_find_interrupt(TABLE, "interrupts"), ==, -1);
    g_assert_cmpint(mfg_processor_find_interrupt("", "ttyS0"), ==, -1);
    g_assert_cmpint(mfg_processor_find_interrupt("\n\n", "ttyS0"), ==, -1);
    g_assert_cmpint(mfg_processor_find_interrupt("ttyS0", "ttyS0"), ==, -1);
    g_assert_cmpint(mfg_processor_find_interrupt("-1: ttyS0", "ttyS0"), ==, -1);
    g_assert_cmpint(mfg_processor_find_interrupt("99999999999: ttyS0", "ttyS0"), ==, -1);
    g_assert_cmpint(mfg_processor_find_interrupt("7\n: ttyS0", "ttyS0"), ==, -1);
    g_assert_cmpint(mfg_processor_find_interrupt("7: ttyS0", "ttyS0"), ==, 7);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/guest-processor/an-interrupt-is-found-by-its-whole-name",
                    test_an_interrupt_is_found_by_its_whole_name);
    g_test_add_func("/guest-processor/what-has-no-number-is-no-interrupt",
                    test_what_has_no_number_is_no_interrupt);
    return g_test_run();
}
