static void
one_line_more(int a)
{
    one();
    two();
    three();
    four();
    five();
    six();
    seven();
}

int
one_block_more(void)
{
    while (a) {
        for (;;) {
            if (b) {
                do { if (c) { d(); } } while (e);
            }
        }}
}
