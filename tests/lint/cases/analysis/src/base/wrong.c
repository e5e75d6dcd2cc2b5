#include <stdlib.h>

int
wrong(void)
{
    int numbers[4];
    int *p = malloc(sizeof(*p));

    numbers[4] = 1;
    free(p);
    return *p + numbers[0];
}
