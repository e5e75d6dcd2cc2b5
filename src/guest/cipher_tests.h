/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

/*
 * The host boots the kernel with MF_KERNEL_ARG_NO_CIPHER_TESTS, since the self-tests of the
 * built-in ciphers are a fifth of a boot under software emulation. That must not reach what is run
 * in the guest: a cipher that is loaded later, or tcrypt, would pass untested.
 */

/* Switches the tests on for everything that comes, unless the user's own kernel arguments speak of
 * them too. To be called once /proc and /sys are mounted. */
void mfg_cipher_tests_resume(void);

/* Whether a kernel command line names the parameter a second time. */
bool mfg_cipher_tests_are_asked_for(const char *command_line);
