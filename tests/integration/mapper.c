/* SPDX-License-Identifier: Apache-2.0 */
/* Of test-run-steps.py: writes to a file through a mapping that it neither syncs nor takes away,
 * says so by making a second file, and stays. */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096

int
main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    int fd = open(argv[1], O_RDWR);
    char *mapping = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (mapping == MAP_FAILED)
        return 1;
    memcpy(mapping + PAGE, "hello", 5);
    if (open(argv[2], O_WRONLY | O_CREAT, 0644) < 0)
        return 1;
    pause();
    return 0;
}
