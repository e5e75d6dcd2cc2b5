/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/bug.h>
#include <linux/init.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/smp.h>
#include <linux/string.h>

/*
 *     insmod mayfly_crash.ko fault=oops|warn|hang
 *
 * Gives the kernel that loads it a fault that no program outside of it can: what mayfly's tests
 * look for. It never stays loaded.
 */
static char *fault = "oops";
module_param(fault, charp, 0);
MODULE_PARM_DESC(fault, "oops, warn or hang");

/* On every processor: none takes an interrupt any more. */
static void
stand_still(void *unused)
{
    local_irq_disable();
    for (;;)
        cpu_relax();
}

static noinline void
write_to_nowhere(void)
{
    WRITE_ONCE(*(int *)8, 0);
}

static int __init
mayfly_crash_init(void)
{
    if (strcmp(fault, "oops") == 0)
        write_to_nowhere();
    else if (strcmp(fault, "warn") == 0)
        WARN(1, "mayfly's test has a warning\n");
    else if (strcmp(fault, "hang") == 0)
        on_each_cpu(stand_still, NULL, 0);
    return -ENODEV;
}
module_init(mayfly_crash_init);

MODULE_DESCRIPTION("faults for mayfly's tests");
MODULE_LICENSE("Apache-2.0");
