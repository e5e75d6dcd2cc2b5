#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What boots, and by which firmware: UEFI, Secure Boot, discs, directories."""

import hashlib
import os

from harness import Sandbox, Skip, expect, expect_sentence, kernel, main, test

OVMF = "/usr/share/OVMF/"
BOOT_TIMEOUT = "220s"  # on a busy machine


def firmware(name):
    path = OVMF + name
    if not os.path.exists(path):
        raise Skip(f"no '{path}' on this host")
    return path


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).digest()


@test
def a_kernel_boots_by_uefi_with_variables_of_its_own():
    variables = firmware("OVMF_VARS_4M.fd")
    with Sandbox() as box:
        before = sha256(variables)
        result = box.run("run", "--uefi", "--boot-timeout", BOOT_TIMEOUT, "-k", kernel(), "--",
                         "mount -t efivarfs none /sys/firmware/efi/efivars; "
                         "printf '\\7\\0\\0\\0x' >/sys/firmware/efi/efivars/"
                         "Mayfly-8be4df61-93ca-11d2-aa0d-00e098032b8c && echo written")
        expect(result, 0, out=b"written\n")
        assert sha256(variables) == before


@test
def what_the_firmware_cannot_boot_is_refused_before_anything_starts():
    with Sandbox() as box:
        directory = box.make("directory")
        for options, pattern in (
                (("--fat", directory), "has nothing that a BIOS could boot: .*boots with --uefi"),
                (("--fat", directory + "/x", "--uefi"), "cannot be used: No such file"),
                (("--iso", directory), "The image .* cannot be read: Is a directory"),
                (("--iso", "absent"), "absent' cannot be read: No such file"),
                (("--uefi", "-k", kernel(), "--secure-boot", "ms", "--machine", "pc"),
                 "machine 'pc' cannot have Secure Boot, whose firmware needs a q35"),
                (("--uefi", "-k", kernel(), "--secure-boot", "custom", "--secure-boot-vars", "absent"),
                 "variables of the firmware, 'absent', cannot be read: No such file")):
            expect_sentence(box.run("run", *options, "--", "true"), 69, pattern)


if __name__ == "__main__":
    main()
