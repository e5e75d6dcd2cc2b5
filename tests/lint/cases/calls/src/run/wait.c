/* Calling sleep() here is talk, not a call. */
static void
wait_and_see(struct clock *clock)
{
    const char *text = "system(\"reboot\")";

    sleep(1);
    g_usleep(1000);
    clock->sleep(1);
    clock.sleep(1);
    no_sleep(1);
    strcpy(a, b);
    if (system (text) < 0)
        goto out;
out:
    return;
}
