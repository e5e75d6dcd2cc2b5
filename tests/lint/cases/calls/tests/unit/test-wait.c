/* Only the product is looked at. */
static void
test(void)
{
    sleep(1);
}
