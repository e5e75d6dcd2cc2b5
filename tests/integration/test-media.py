#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What boots, and by which firmware: BIOS and UEFI, Secure Boot, disks, discs, directories; and how a
guest that runs no command ends. The Q- numbers are of the behaviours of a runner of bootable images
that mayfly's users may come from."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import time

import media
from harness import Sandbox, expect, expect_sentence, kernel, main, test

BOOT_TIMEOUT = "220s"  # on a busy machine
RUNS = b"mayfly: the boot sector runs"
EFI_RUNS = "mayfly: the EFI program runs"


def snapshot(directory):
    """What is in a directory: names, contents, modes and times."""
    found = {}
    for parent, _, names in sorted(os.walk(directory)):
        for path in [parent, *(os.path.join(parent, name) for name in names)]:
            status = os.lstat(path)
            content = b""
            if os.path.isfile(path):
                with open(path, "rb") as file:
                    content = hashlib.sha256(file.read()).digest()
            found[path] = (content, status.st_mode, status.st_mtime_ns, status.st_size)
    return found


def run_bare(box, *options, **others):
    return box.run("run", "--timeout", BOOT_TIMEOUT, *options, **others)


def read_until(process, text):
    """What the process writes up to that text, which is the last it writes for now."""
    said = b""
    while text not in said:
        chunk = process.stdout.read(4096)
        assert chunk, process.communicate()
        said += chunk
    return said


def boot_directory(box, *options, program=None):
    """Boots the EFI program from a directory, which stays as it was."""
    program = program or media.make_efi_program(box.work)
    directory = media.make_boot_directory(box.work, program)
    before = snapshot(directory)
    result = run_bare(box, "--fat", directory, "--uefi", *options)
    assert snapshot(directory) == before, "the directory was written to"
    shutil.rmtree(directory)
    return result


@test
def q_3_a_disk_under_a_bios_ends_with_the_exit_code_that_is_expected():
    with Sandbox() as box:
        disk = media.make_disk(box.work, value=0x10)
        result = run_bare(box, "--image", disk, "--success-exit-code", "33")
        expect(result, 0)
        assert RUNS in result.out, result


@test
def q_4_another_exit_code_is_a_failure_and_both_are_told():
    with Sandbox() as box:
        disk = media.make_disk(box.work, value=0x11)
        result = run_bare(box, "--image", disk, "--success-exit-code", "33")
        expect(result, 35, err=r"exit status 35 \(it wrote 0x11\), where 33 \(0x10\) was expected")


@test
def q_4_without_the_key_there_is_no_device_and_the_guest_goes_on():
    with Sandbox() as box:
        disk = media.make_disk(box.work, value=0x10)
        process = box.start("run", "--image", disk, "--bare")
        said = read_until(process, RUNS + b"\r\n")
        time.sleep(1)
        assert process.poll() is None, said
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        assert process.returncode == 130, process.returncode


@test
def q_5_a_guest_that_hangs_is_ended_in_its_time_and_that_is_no_exit():
    with Sandbox() as box:
        disk = media.make_disk(box.work)
        started = time.monotonic()
        result = box.run("run", "--timeout", "1500ms", "--image", disk, "--success-exit-code", "33")
        expect(result, 124, err="The guest did not end within 1.5s")
        assert 1.5 <= time.monotonic() - started < 10, time.monotonic() - started


@test
def q_7_what_is_typed_reaches_a_guest_without_agent():
    with Sandbox() as box:
        disk = media.make_disk(box.work, value=0x10, echo=True)
        process = box.start("run", "--timeout", BOOT_TIMEOUT, "--image", disk,
                            "--success-exit-code", "33", stdin=subprocess.PIPE)
        read_until(process, RUNS + b"\r\n")  # the BIOS takes what is typed before
        out, err = process.communicate(b"hello, \x01guest\n", timeout=60)
        assert (process.returncode, out) == (0, b"hello, \x01guest\n"), err


@test
def q_9_the_qemu_that_is_configured_is_the_one_that_is_asked():
    with Sandbox() as box:
        disk = media.make_disk(box.work, value=0x10)
        for qemu, status, pattern in (("/no/such/qemu", 69, "/no/such/qemu"),
                                      ("false", 69, "QEMU did not start: it exited with status 1")):
            result = run_bare(box, "--image", disk, "--success-exit-code", "1", "--qemu", qemu)
            expect(result, status, out=b"", err=pattern)


@test
def a_disc_boots_under_a_bios():
    with Sandbox() as box:
        disc = media.make_disc(box.work, value=0x10)
        before = snapshot(disc)
        result = run_bare(box, "--iso", disc, "--success-exit-code", "33")
        expect(result, 0)
        assert RUNS in result.out and b"DVD/CD" in result.out, result
        assert snapshot(disc) == before


@test
def a_disc_of_a_system_that_says_its_landmark_passes():
    with Sandbox() as box:
        disc = media.make_disc(box.work)
        expect(run_bare(box, "--iso", disc, "--expect", "Booting from DVD/CD", "--expect",
                        "boot sector runs"), 0)
        result = box.run("run", "--timeout", "3s", "--iso", disc, "--expect", "something else")
        expect(result, 124)


@test
def a_firmware_that_finds_nothing_to_boot_does_not_wait_for_the_end_of_time():
    with Sandbox() as box:
        blank = os.path.join(box.work, "blank")
        with open(blank, "wb") as file:
            file.truncate(1 << 20)
        result = run_bare(box, "--image", blank, "--success-exit-code", "33")
        expect(result, 69, err='found nothing to boot in the image .*"No bootable device')


@test
def t_7_a_directory_with_an_efi_program_reaches_its_landmark_and_stays_as_it_was():
    with Sandbox() as box:
        result = boot_directory(box, "--expect", EFI_RUNS, "--expect",
                                "made Success, changed Success")
        expect(result, 0)
        assert b"SecureBoot=0" in result.out, result


@test
def the_uefi_shell_runs_a_directory_s_script():
    media.firmware("OVMF_CODE_4M.fd")
    with Sandbox() as box:
        directory = box.make("shell")
        with open(os.path.join(directory, "startup.nsh"), "w") as file:
            file.write("@echo -off\r\necho the script runs\r\nreset -s\r\n")
        result = run_bare(box, "--fat", directory, "--uefi", "--expect", "UEFI Interactive Shell",
                          "--expect", "the script runs")
        expect(result, 0)


def write_secure_boot_scenario(box, program, more):
    """Passes when the firmware refuses to start the program, and fails when that runs."""
    directory = media.make_boot_directory(box.work, program)
    box.write("mayfly.toml", f"""
        [[target]]
        name = "refused"
        fat = {json.dumps(directory)}
        uefi = true
        timeout = "{BOOT_TIMEOUT}"
        {more}
        [[target.console]]
        expect = ["failed to load Boot0001 .*: (Access Denied|Security Violation)"]
        timeout = "{BOOT_TIMEOUT}"
        fail_on = ["{EFI_RUNS}"]
        """)


@test
def secure_boot_refuses_an_unsigned_program_and_the_scenario_proves_it():
    variables = media.firmware("OVMF_VARS_4M.snakeoil.fd")
    with Sandbox() as box:
        program = media.make_efi_program(box.work)
        write_secure_boot_scenario(box, program, 'secure_boot = "custom"\n'
                                   f"secure_boot_vars = {json.dumps(variables)}")
        expect(box.run("test"), 0)


@test
def the_scenario_fails_where_secure_boot_is_off():
    with Sandbox() as box:
        write_secure_boot_scenario(box, media.make_efi_program(box.work), "")
        result = box.run("test")
        expect(result, 125)
        assert EFI_RUNS.encode() in result.out + result.err, result


@test
def secure_boot_boots_what_the_keys_of_ones_own_have_signed():
    variables = media.firmware("OVMF_VARS_4M.snakeoil.fd")
    with Sandbox() as box:
        before = snapshot(variables)
        signed = media.sign(media.make_efi_program(box.work))
        result = boot_directory(box, "--secure-boot", "custom", "--secure-boot-vars", variables,
                                "--success-exit-code", "33", program=signed)
        expect(result, 0)
        assert b"SecureBoot=1 SetupMode=0" in result.out, result
        assert snapshot(variables) == before, "the keys' file was written to"


@test
def microsofts_keys_refuse_what_others_have_signed():
    media.firmware("OVMF_VARS_4M.ms.fd")
    with Sandbox() as box:
        signed = media.sign(media.make_efi_program(box.work))
        result = boot_directory(box, "--secure-boot", "ms", "--success-exit-code", "33",
                                program=signed)
        expect(result, 69, err="with Secure Boot, only what its keys have signed boots")
        assert EFI_RUNS.encode() not in result.out, result


@test
def in_setup_mode_everything_boots_and_there_are_no_keys():
    media.firmware("OVMF_CODE_4M.secboot.fd")
    with Sandbox() as box:
        result = boot_directory(box, "--secure-boot", "setup", "--success-exit-code", "33")
        expect(result, 0)
        assert b"SecureBoot=0 SetupMode=1" in result.out, result


@test
def q_6_what_a_guest_says_is_captured_and_shown_as_it_comes():
    with Sandbox() as box:
        disk = media.make_disk(box.work, value=0x10)
        box.write("mayfly.toml", f"""
            [[target]]
            name = "disk"
            image = {json.dumps(disk)}
            success_exit_code = 33
            timeout = "{BOOT_TIMEOUT}"
            """)
        result = box.run("test", "--run-dir", "logs", "--output", "live")
        expect(result, 0)
        assert RUNS in result.out + result.err, result
        for name in ("console.log", "stdout"):
            assert RUNS in box.read(f"logs/disk/{name}"), name


@test
def two_guests_of_one_directory_do_not_see_each_other_and_their_program_ends_qemu_with_an_exit_code():
    with Sandbox() as box:
        directory = media.make_boot_directory(box.work, media.make_efi_program(box.work))
        before = snapshot(directory)
        words = ("run", "--timeout", BOOT_TIMEOUT, "--fat", directory, "--uefi",
                 "--success-exit-code", "33")
        for process in [box.start(*words) for _ in range(2)]:
            out, err = process.communicate(timeout=240)
            assert process.returncode == 0, err
            assert b"made Success" in out, out
        assert snapshot(directory) == before, "the directory was written to"


@test
def t_7_a_kernel_boots_by_uefi_with_variables_of_its_own():
    variables = media.firmware("OVMF_VARS_4M.fd")
    with Sandbox() as box:
        before = snapshot(variables)
        result = box.run("run", "--uefi", "--boot-timeout", BOOT_TIMEOUT, "-k", kernel(), "--",
                         "mount -t efivarfs none /sys/firmware/efi/efivars; "
                         "printf '\\7\\0\\0\\0x' >/sys/firmware/efi/efivars/"
                         "Mayfly-5d1c3a55-0b14-4e37-9c1f-1a2b3c4d5e6f && echo written")
        expect(result, 0, out=b"written\n")
        assert snapshot(variables) == before


@test
def a_kernel_without_agent_boots_by_bios_and_by_uefi():
    with Sandbox() as box:
        for options, landmark, by_uefi in (((), "Memory: [0-9]+K/", False),
                                           (("--uefi",), "efi: EFI v", True)):
            result = run_bare(box, "-k", kernel(), *options, "--expect", landmark)
            expect(result, 0)
            assert (b"efi: EFI v" in result.out) == by_uefi, result


@test
def a_kernel_that_is_no_linux_boots_by_multiboot():
    with Sandbox() as box:
        path = media.make_multiboot_kernel(box.work, value=0x10)
        result = run_bare(box, "-k", path, "--success-exit-code", "33", "--kargs", "own")
        expect(result, 0)
        assert b"mayfly: the kernel runs\r\n" in result.out, result
        expect_sentence(box.run("run", "-k", path, "--", "true"), 69, "kernel.elf' is ")


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


@test
def options_that_do_not_fit_a_guest_without_command_are_usage_errors():
    with Sandbox() as box:
        for options, pattern in (
                (("--bare", "--", "true"), "A command is of no use to a guest that runs no command"),
                (("--bare", "--setup", "true"), "--setup is of no use"),
                (("--bare", "-t"), "--tty is of no use"),
                (("--bare", "--boot-timeout", "5s"), "--boot-timeout is of no use"),
                (("--bare", "--subtests", "tap"), "--subtests is of no use"),
                (("--expect", "x", "--mount", "/tmp"), "--mount is of no use"),
                (("--image", "x", "--initramfs", "y"), "--initramfs is of a kernel"),
                (("--image", "x", "--success-exit-code", "0"), "exit status 0: .*an odd number"),
                (("--image", "x", "--success-exit-code", "32"), "exit status 32: .*an odd number"),
                (("--image", "x", "--success-exit-code", "256"), "256"),
                (("--image", "x", "-a", "aarch64", "--success-exit-code", "33"), "x86_64's only")):
            expect_sentence(box.run("run", *options), 2, pattern)


if __name__ == "__main__":
    main()
