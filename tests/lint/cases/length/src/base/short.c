/* At every limit: a body of six lines and four blocks in each other. */
static const char *brace = "{{{{{{";

static void
at_the_limits(void)
{
    while (a) {
        for (;;) {
            if (b) { /* { */
                do { c(); } while (d);
            }
        }}
}
