/* The type stands on a line of its own, and the indent is four. */
int untidy(void)
{
  return 1;
}
