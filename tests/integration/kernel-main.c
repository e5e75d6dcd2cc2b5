/* SPDX-License-Identifier: Apache-2.0 */
/* The verb 'mayfly kernel' by itself: the tests of the catalog need nothing else of the program. */
#include <locale.h>

#include "cli/kernel.h"

int
main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    return mf_cli_kernel(argc, argv);
}
