#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mayfly doctor: on this host, and on hosts that are made up of a PATH and a root. No VM is started."""

import json
import os
import pathlib
import resource
import shutil
import sys

from harness import Sandbox, Skip, expect, expect_sentence, kernel, main, test

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "tests" / "report"))
from schema import Schema  # pylint: disable=wrong-import-position

SCHEMA = Schema(json.loads((SOURCE / "data" / "mayfly-doctor.schema.json").read_text()))
QUICK = 0.5


class Host(Sandbox):
    """A host with nothing but what a test puts into its PATH and its root."""

    def __init__(self):
        super().__init__()
        self.root = self.make("root")
        self.bin = self.make("bin")
        self.env["MAYFLY_CACHE_DIR"] = self.make("cache")
        self.env["PATH"] = self.bin
        self.env["MAYFLY_VIRTIOFSD"] = "no-such-virtiofsd"

    def script(self, name, text):
        path = os.path.join(self.bin, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\n" + text)
        os.chmod(path, 0o755)

    def file(self, name, text=""):
        path = os.path.join(self.root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def distribution(self, name):
        self.file("etc/os-release", f"ID={name}\n")

    def examine(self, status):
        """The checks by their ids (of kernels, the last one), and the document."""
        result = self.run("doctor", "--json", "--root", self.root)
        expect(result, status)
        assert result.err == b"", repr(result)
        document = json.loads(result.out)
        SCHEMA.validate(document)
        return {check["id"]: check for check in document["checks"]}, document


@test
def this_host_is_examined_quickly_and_by_the_schema():
    if not shutil.which("qemu-system-x86_64"):
        raise Skip("no QEMU")
    with Sandbox() as box:
        box.run("doctor")  # Whatever is read for the first time is in memory then.
        result = box.run("doctor", "--json")
        expect(result, 0)
        document = json.loads(result.out)
        SCHEMA.validate(document)
        # Time of the processor, its QEMUs' included: other work on the host does not count.
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        expect(box.run("doctor"), 0)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        assert seconds < QUICK, f"it took {seconds:.2f} s"
        checks = {check["id"]: check for check in document["checks"]}
        assert checks["qemu"]["verdict"] == "pass", checks["qemu"]
        assert checks["9p"]["verdict"] == "pass", checks["9p"]
        assert checks["guest"]["verdict"] == "pass", checks["guest"]


@test
def a_host_without_qemu_fails_with_the_package_of_its_distribution():
    for name, command in (("debian", "apt install qemu-system-x86"),
                          ("fedora", "dnf install qemu-system-x86"),
                          ("arch", "pacman -S qemu-system-x86"),
                          ("opensuse-leap", "zypper install qemu-x86")):
        with Host() as host:
            host.distribution(name)
            checks, document = host.examine(1)
            assert checks["qemu"]["verdict"] == "fail", checks
            assert checks["qemu"]["remedy"] == command, checks
            assert document["verdict"] == "fail" and document["next"] == command, document


@test
def what_is_missing_beside_qemu_is_a_warning_and_no_failure():
    with Host() as host:
        host.distribution("debian")
        host.script("qemu-system-x86_64", "echo QEMU emulator version 8.1.2\n")
        checks, document = host.examine(0)
        assert "8.1.2" in checks["qemu"]["message"], checks
        assert document["verdict"] == "warn", document
        assert checks["9p"]["verdict"] == "warn", checks
        for part, package in (("virtiofsd", "virtiofsd"), ("uefi", "ovmf"), ("secure-boot", "ovmf"),
                              ("swtpm", "swtpm")):
            assert checks[part]["verdict"] == "warn", checks[part]
            assert checks[part]["remedy"] == "apt install " + package, checks[part]


@test
def what_is_there_is_found():
    with Host() as host:
        host.script("qemu-system-x86_64", 'case $1 in -device) echo name "\\"virtio-9p-pci\\"," ;;\n'
                    "*) echo QEMU emulator version 8.1.2 ;; esac\n")
        host.script("qemu-system-s390x", "echo QEMU emulator version 9.9.9\n")
        host.script("swtpm", "")
        host.file("usr/share/OVMF/OVMF_CODE_4M.fd")
        host.file("usr/share/OVMF/OVMF_VARS_4M.fd")
        host.file("boot/vmlinuz-6.1.0-broken", "this is no kernel")
        checks, _ = host.examine(0)
        assert checks["uefi"]["verdict"] == "pass", checks
        assert checks["secure-boot"]["verdict"] == "warn", checks
        assert checks["swtpm"]["verdict"] == "pass", checks
        assert checks["9p"]["verdict"] == "pass", checks
        assert "s390x (QEMU 9.9.9" in checks["architectures"]["message"], checks
        assert checks["kernel"]["verdict"] == "warn", checks
        assert "vmlinuz-6.1.0-broken" in checks["kernel"]["message"], checks


@test
def a_swtpm_that_is_named_and_not_there_is_missed_by_its_name():
    with Host() as host:
        host.script("qemu-system-x86_64", "echo QEMU emulator version 8.1.2\n")
        host.script("swtpm", "")
        host.env["MAYFLY_SWTPM"] = "/no/such/swtpm"
        checks, _ = host.examine(0)
        assert checks["swtpm"]["verdict"] == "warn", checks
        assert "'/no/such/swtpm' (from MAYFLY_SWTPM)" in checks["swtpm"]["message"], checks
        host.env["MAYFLY_SWTPM"] = os.path.join(host.bin, "swtpm")
        assert host.examine(0)[0]["swtpm"]["verdict"] == "pass"


@test
def kernels_are_called_as_they_are_named_and_what_they_lack_is_told():
    with Host() as host:
        host.script("qemu-system-x86_64", "echo QEMU emulator version 8.1.2\n")
        for flavour in ("generic", "cloud"):
            result = host.run("kernel", "add", kernel(flavour), "--name", "test/" + flavour,
                              env={**host.env, "PATH": os.environ["PATH"]})
            expect(result, 0, out=f"test/{flavour}\n".encode())
        # What was read of a kernel is kept, so that there is more time for the next one.
        for _ in range(5):
            checks, document = host.examine(0)
            said = "\n".join(check["message"] for check in document["checks"])
            if "was not examined" not in said:
                break
        assert "'test/generic' has what mayfly needs." in said, said
        assert "Kernel 'test/cloud' has virtiofs and no 9p, and there is no virtiofsd." in said, said
        assert checks["default-kernel"]["verdict"] == "pass", checks


@test
def a_qemu_that_is_old_or_fails_or_answers_nonsense_is_a_failure():
    for script, message in (("echo QEMU emulator version 6.2.0\n", "version 6.2.0"),
                            ("echo broken >&2; exit 3\n", "broken"),
                            ("echo hello\n", "does not answer as QEMU does")):
        with Host() as host:
            host.script("qemu-system-x86_64", script)
            checks, _ = host.examine(1)
            assert message in checks["qemu"]["message"], checks["qemu"]


@test
def a_qemu_that_hangs_is_a_failure_in_the_end():
    with Host() as host:
        silence = os.path.join(host.root, "silence")
        os.mkfifo(silence)
        host.script("qemu-system-x86_64", f"read -r word <{silence}\n")
        checks, _ = host.examine(1)
        assert "did not end" in checks["qemu"]["message"], checks["qemu"]


@test
def a_cache_that_cannot_be_made_is_a_failure():
    with Host() as host:
        host.script("qemu-system-x86_64", "echo QEMU emulator version 8.1.2\n")
        host.file("taken")
        host.env["MAYFLY_CACHE_DIR"] = os.path.join(host.root, "taken", "cache")
        checks, document = host.examine(1)
        assert checks["cache"]["verdict"] == "fail", checks
        assert "MAYFLY_CACHE_DIR" in document["next"], document


@test
def the_text_has_a_line_for_each_check_and_ends_with_what_to_do():
    with Host() as host:
        host.distribution("fedora")
        result = host.run("doctor", "--root", host.root)
        expect(result, 1)
        lines = result.out.decode().splitlines()
        assert lines[0].startswith("FAIL  QEMU "), lines
        assert lines[1].strip() == "-> dnf install qemu-system-x86", lines
        assert lines[-1] == ("mayfly does not work here. Next, for QEMU: "
                             "dnf install qemu-system-x86."), lines


@test
def a_wrong_use_is_one_sentence():
    with Host() as host:
        expect_sentence(host.run("doctor", "me"), 2, "'me'")
        expect_sentence(host.run("doctor", "--jsn"), 2, "--jsn")
        expect_sentence(host.run("doctor", "--root", "/no/such"), 2, "no directory '/no/such'")


if __name__ == "__main__":
    main()
