/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

#include "machine/arch.h"

/* The families of distributions whose package names mayfly knows. */
typedef enum {
    MF_DISTRO_UNKNOWN,
    MF_DISTRO_DEBIAN, /* and Ubuntu */
    MF_DISTRO_FEDORA, /* and the enterprise ones */
    MF_DISTRO_ARCH,
    MF_DISTRO_SUSE,
    MF_N_DISTROS,
} MfDistro;

/* "debian", "fedora", "arch", "opensuse"; NULL for UNKNOWN. Static. */
const char *mf_distro_name(MfDistro distro);

/* By the text of an os-release(5) file: its ID, else what ID_LIKE says it descends from. */
MfDistro mf_distro_parse(const char *os_release);

/* The same of the file below 'root' ("/" but in tests). */
MfDistro mf_distro_detect(const char *root);

/* Programs and files that are in a package of the distribution's. */
typedef enum {
    MF_PART_QEMU, /* the machine emulator of an architecture */
    MF_PART_UEFI, /* its firmware */
    MF_PART_VIRTIOFSD,
    MF_PART_SWTPM,
} MfPart;

/* How to install a part ('arch' matters for QEMU and UEFI): the command of that distribution
 * ("apt install ovmf"), or for UNKNOWN the packages of all of them. NULL when there is no package.
 * Owned by the caller. */
char *mf_distro_install_hint(MfDistro distro, MfPart part, MfArch arch);
