int
right(int a)
{
    return a + 1;
}
