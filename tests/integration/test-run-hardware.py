#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mayfly run on a machine that says of itself what it is told to, and that has a TPM."""

import os
import shutil
import subprocess
import time

from harness import Sandbox, Skip, expect, expect_sentence, kernel, main, patient_test, test

FIELDS = {
    "bios_vendor": "Bios & Söhne",
    "bios_version": "1.0, \"beta\"",
    "bios_date": "03/15/2024",
    "bios_release": "4.11",
    "sys_vendor": "Acme, Inc.",
    "product_name": "Standard PC (Q35 + ICH9, 2009)",
    "product_version": "`id`; $(id) | 'x' \\n %s",
    "product_serial": ",,=,file=/etc/passwd",
    "product_uuid": "00112233-4455-6677-8899-aabbccddeeff",
    "product_family": "機械 🦋 \u202eabc\u202c",
    "board_name": "\ufeffBOM",
    "board_asset_tag": "  two spaces around  ",
    "chassis_vendor": "\"quoted\"",
    "chassis_serial": "x" * 255,
}


OVMF = "/usr/share/OVMF/OVMF_CODE_4M.fd"


def swtpm():
    if not shutil.which("swtpm"):
        raise Skip("there is no swtpm")
    if not os.path.exists(OVMF):
        raise Skip("there is no UEFI firmware")


@test
def the_guest_reads_exactly_what_the_machine_says_of_itself_also_from_a_saved_machine():
    with Sandbox() as box:
        box.env["MAYFLY_CACHE_DIR"] = box.make("cache")
        options = [word for field, text in FIELDS.items()
                   for word in ("--smbios", f"{field}={text}")]
        script = "cd /sys/class/dmi/id && cat " + " ".join(FIELDS)
        expected = "".join(text + "\n" for text in FIELDS.values()).encode()
        words = ("run", "-v", "-k", kernel(), *options, "--", script)
        expect(box.run(*words), 0, out=expected, err="This run has saved the machine")
        expect(box.run(*words), 0, out=expected, err="This run is a copy of a saved machine")
        options[-1] = "chassis_serial=another"
        expect(box.run("run", "-v", "-k", kernel(), *options, "--",
                       "cat /sys/class/dmi/id/chassis_serial"), 0, out=b"another\n",
               err="This run has saved the machine")


# What the guest has of its TPM.
SHOW_TPM = "cat /sys/class/tpm/tpm0/tpm_version_major && ls /dev/tpm0 && ls /sys/class/tpm"


@test
def a_tpm_2_0_is_visible_in_the_guest():
    swtpm()
    with Sandbox() as box:
        result = box.run("run", "-v", "-k", kernel(), "--tpm", "2.0", "--", SHOW_TPM)
        expect(result, 0, out=b"2\n/dev/tpm0\ntpm0\n",
               err="No saved machine is used: the state of a TPM is in swtpm")


@test
def t_6_a_tpm_1_2_is_visible_in_the_guest_and_a_swtpm_that_dies_ends_the_run_with_the_reason():
    swtpm()
    with Sandbox() as box:
        process = box.start("run", "-k", kernel(), "--tpm", "1.2", "--",
                            SHOW_TPM + " && echo up; read line", stdin=subprocess.PIPE)
        shown = b"".join(process.stdout.readline() for _ in range(4))
        assert shown == b"1\n/dev/tpm0\ntpm0\nup\n", (shown, process.communicate())
        for pid, name in box.processes():
            if name == "swtpm":
                os.kill(pid, 9)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 69, (process.returncode, err)
        assert b"swtpm, which is the guest's TPM, was killed by signal 9" in err, err


@test
def a_kernel_without_a_driver_for_the_tpm_is_named():
    with Sandbox() as box:
        expect_sentence(box.run("run", "-k", kernel("small"), "--tpm", "2.0", "--", "true"), 69,
                        "cannot use the machine's TPM: CONFIG_TCG_TPM and CONFIG_TCG_CRB are not "
                        "set")


@test
def a_missing_swtpm_is_named_with_its_package():
    with Sandbox() as box:
        box.env["PATH"] = box.make("bin")
        qemu = shutil.which("qemu-system-x86_64")
        expect_sentence(box.run("run", "-k", kernel(), "-q", qemu, "--tpm", "2.0", "--", "true"),
                        69, r"needs swtpm, which was not found: install it \(package swtpm\)")


def write_swtpm(box, script):
    path = os.path.join(box.work, "swtpm")
    with open(path, "w") as file:
        file.write("#!/bin/sh\n" + script)
    os.chmod(path, 0o755)
    box.env["MAYFLY_SWTPM"] = path


@test
def a_swtpm_that_ends_before_the_guest_starts_is_the_reason():
    with Sandbox() as box:
        write_swtpm(box, "echo no luck >&2; exit 3\n")
        expect_sentence(box.run("run", "-k", kernel(), "--tpm", "2.0", "--", "true"), 69,
                        "swtpm, which is the guest's TPM, exited with status 3: no luck")


@patient_test
def t_6_a_swtpm_that_never_answers_is_waited_for_no_longer_than_the_boot_may_take():
    with Sandbox() as box:
        write_swtpm(box, "exec sleep 600\n")
        result = box.run("run", "-k", kernel(), "--tpm", "2.0", "--boot-timeout", "4s", "--",
                         "true", timeout=60)
        expect(result, 124, out=b"", err="mayfly: ")
        assert result.seconds < 20, result


@test
def a_killed_mayfly_takes_its_swtpm_along_and_the_next_removes_its_state():
    swtpm()
    with Sandbox() as box:
        process = box.start("run", "-k", kernel(), "--tpm", "2.0", "--", "sleep 600")
        deadline = time.monotonic() + 60
        while not {"swtpm", "qemu-system-x86"} <= {name for _, name in box.processes()}:
            assert process.poll() is None and time.monotonic() < deadline, process.communicate()
            time.sleep(0.02)
        process.kill()
        process.communicate(timeout=10)
        assert os.listdir(box.tmp), "nobody is left to remove the TPM's state"
        # Boots nothing, but needs a directory for its scripts.
        expect(box.run("run", "-k", kernel(), "--init", "script", "--print-qemu", "--", "true"), 0)
        box.assert_nothing_left()


if __name__ == "__main__":
    main()
