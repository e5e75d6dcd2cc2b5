#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mayfly run --image: disk images that boot a system of their own, with its own qemu-ga.

MAYFLY_TEST_IMAGES is the directory that tools/test-images.sh prints.
"""

import os
import shutil
import subprocess
import time

import media
from harness import (Sandbox, Skip, expect, expect_sentence, free_port, main, receive_line, sha256,
                     test)

IMAGES = os.environ.get("MAYFLY_TEST_IMAGES", "")
OVMF = "/usr/share/ovmf/OVMF.fd"
OVMF_VARS = "/usr/share/OVMF/OVMF_VARS_4M.fd"
ROOT_OFFSET = 33 << 20  # of the second partition: tools/test-images.sh
BOOT_TIMEOUT = "220s"   # on a busy machine


def image(name):
    path = os.path.join(IMAGES, name + ".img")
    if not os.path.exists(path):
        raise Skip(f"no '{name}.img' in MAYFLY_TEST_IMAGES='{IMAGES}'")
    return path


def run_image(box, path, *arguments, **options):
    return box.run("run", "--boot-timeout", BOOT_TIMEOUT, "--image", path, *arguments, **options)


def need_virtiofsd(result):
    if b"virtiofsd" in result.err:
        raise Skip("no virtiofsd that works here: " + repr(result.err))


def take_root(box, path):
    """The file system that is the image's root, in a file of its own."""
    root = os.path.join(box.directory, "root.fs")
    with open(path, "rb") as source, open(root, "wb") as target:
        source.seek(ROOT_OFFSET)
        shutil.copyfileobj(source, target)
    return root


def with_init(box, text):
    """A copy of the BIOS image whose system does this instead of starting its agent."""
    path, script = shutil.copy(image("bios"), box.directory), os.path.join(box.directory, "init")
    root = take_root(box, path)
    with open(script, "w") as file:
        file.write("#!/bin/busybox sh\n" + text)
    os.chmod(script, 0o755)
    subprocess.run(["/sbin/debugfs", "-w", "-f", "-", root], check=True, capture_output=True,
                   input=f"rm /sbin/init\nwrite {script} /sbin/init\n".encode())
    with open(root, "rb") as source, open(path, "r+b") as target:
        target.seek(ROOT_OFFSET)
        shutil.copyfileobj(source, target)
    return path


def read_root(box, path, name):
    """A file of the image's root, without booting it."""
    root = take_root(box, path)
    # What was synced may still be in the journal only.
    subprocess.run(["/sbin/e2fsck", "-p", root], stdout=subprocess.DEVNULL)
    return subprocess.run(["/sbin/debugfs", "-R", "cat " + name, root], capture_output=True).stdout


@test
def a_bios_image_runs_a_command_with_exact_streams_and_status():
    data = os.urandom(300_000)
    with Sandbox() as box:
        path = image("bios")
        before = sha256(path)
        result = run_image(box, path, "--", "sh", "-c",
                           'cat; printf "%s|" "$@" >&2; echo x >/marker; sync; '
                           "cat /etc/os-release >&2; exit 42", "sh", "a b", "$HOME", input=data)
        expect(result, 42, out=data, err='^a b\\|\\$HOME\\|NAME="mayfly test image"\n')
        assert sha256(path) == before, "an image that is not writable was written to"


@test
def the_caller_s_directory_and_mounts_are_in_an_image_that_keeps_what_was_written():
    with Sandbox() as box:
        given, taken = box.make("given"), box.make("ta ken")
        path = shutil.copy(image("bios"), box.directory)
        with open(os.path.join(given, "file"), "w") as file:
            file.write("given\n")
        result = run_image(box, path, "--image-writable", "--mount", given + ":/tmp/ro", "--mount",
                           f"rw:{taken}:/srv/new dir", "-e", "EXTRA=1", "--",
                           "echo kept >/kept; pwd; cat /tmp/ro/file; echo x >/tmp/ro/x || echo refused; "
                           "echo taken >'/srv/new dir/file'; echo 1 >/mnt/mayfly/one; "
                           "cat /mnt/vmtest/one; echo $HOME $EXTRA ${MAYFLY_TEST_MARK-none}")
        expect(result, 0, out=b"/mnt/mayfly\ngiven\nrefused\n1\n/root 1 none\n", err="Read-only")
        assert os.listdir(given) == ["file"]
        assert os.listdir(taken) == ["file"] and os.listdir(box.work) == ["one"]
        assert read_root(box, path, "/kept") == b"kept\n"


@test
def a_command_in_an_image_can_have_a_terminal_and_end_by_a_signal():
    with Sandbox() as box:
        expect(run_image(box, image("bios"), "-t", "--user", "nobody", "--",
                         "tty; id -un; kill -SEGV $$"), 139, out=b"/dev/pts/0\r\nnobody\r\n")


@test
def a_uefi_image_boots_by_uefi_and_leaves_the_firmware_s_variables_alone():
    if not os.path.exists(OVMF_VARS):
        raise Skip("no OVMF on this host")
    with Sandbox() as box:
        before = sha256(OVMF_VARS)
        result = run_image(box, image("uefi"), "--uefi", "--", "ls -d /sys/firmware/efi")
        expect(result, 0, out=b"/sys/firmware/efi\n")
        assert sha256(OVMF_VARS) == before


@test
def a_qcow2_image_boots_by_firmware_that_was_named_and_has_a_second_disk():
    if not shutil.which("qemu-img") or not os.path.exists(OVMF):
        raise Skip("no qemu-img or no OVMF on this host")
    with Sandbox() as box:
        path = os.path.join(box.work, "a,b")
        subprocess.run(["qemu-img", "convert", "-O", "qcow2", image("uefi"), path], check=True)
        before = sha256(path)
        disk = os.path.join(box.work, "disk")
        with open(disk, "wb") as file:
            file.write(b"second disk" + bytes(1 << 20))
        result = run_image(box, path, "--bios", OVMF, "--disk", disk, "--",
                           "ls -d /sys/firmware/efi; echo x >/x; sync; head -c 11 /dev/vdb")
        expect(result, 0, out=b"/sys/firmware/efi\nsecond disk")
        assert sha256(path) == before


@test
def two_runs_of_one_image_at_once_do_not_see_each_other():
    with Sandbox() as box:
        words = ("run", "--boot-timeout", BOOT_TIMEOUT, "--image", image("bios"), "--",
                 "ls /mine; echo x >/mine; echo up; read line; cat /mine")
        first, second = (box.start(*words, stdin=subprocess.PIPE) for _ in range(2))
        for process in (first, second):
            assert process.stdout.readline() == b"up\n", process.communicate()
        for process in (first, second):
            out, err = process.communicate(b"\n", timeout=60)
            assert (process.returncode, out) == (0, b"x\n"), err
            assert b"/mine: No such file" in err, err


@test
def an_image_has_the_processors_memory_and_forwarded_port_it_is_given_and_its_panic_is_told_as_one():
    with Sandbox() as box:
        port = free_port()
        process = box.start("run", "--boot-timeout", BOOT_TIMEOUT, "--image", image("bios"),
                            "-p", "3", "-m", "400M", "--forward", f"tcp:{port}:77", "--",
                            'nproc; sed -n "s/^MemTotal: *\\([0-9]\\).* kB/\\1/p" /proc/meminfo; '
                            "echo from the image | busybox nc -l -p 77; "
                            "echo before; sleep 1; echo c >/proc/sysrq-trigger; sleep 60")
        assert process.stdout.readline() == b"3\n", process.communicate()
        assert process.stdout.readline() == b"3\n", process.communicate()
        assert receive_line(port) == b"from the image\n"
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out) == (125, b"before\n"), err
        assert b"mayfly: The guest's kernel panicked during execution" in err, err


@test
def an_image_that_cannot_mount_shares_runs_the_command_without_them_and_keeps_what_it_wrote():
    data = os.urandom(100_000)
    with Sandbox() as box:
        path = shutil.copy(image("bios"), box.directory)
        result = run_image(box, path, "--image-writable", "--share-type", "virtiofs", "--",
                           "echo kept >/kept; pwd >&2; cat; exit 3", input=data)
        need_virtiofsd(result)
        expect(result, 3, out=data, err="cannot mount shares.*unknown filesystem type 'virtiofs'.*\n/\n")
        assert read_root(box, path, "/kept") == b"kept\n"


@test
def an_image_that_powers_itself_off_while_it_boots_is_told_of():
    with Sandbox() as box:
        result = run_image(box, media.make_disk(box.work, power_off=True), "--", "true")
        expect(result, 69, out=b"", err="mayfly: The guest powered itself off during boot")


@test
def an_agent_that_may_not_execute_is_told_of():
    with Sandbox() as box:
        path = with_init(box, "mount -t proc proc /proc\nmount -t sysfs sys /sys\n"
                         "mount -t tmpfs run /run\nmodprobe virtio_console\n"
                         "until [ -e /dev/vport*p1 ]; do sleep 0.1; done\n"
                         "exec qemu-ga --method=virtio-serial --path=$(echo /dev/vport*p1) "
                         "--statedir=/run --blacklist=guest-exec\n")
        result = run_image(box, path, "--", "true")
        expect(result, 69, out=b"", err="guest-exec among the commands.*has been disabled")


@test
def an_image_for_uefi_is_refused_without_it():
    with Sandbox() as box:
        result = box.run("run", "--image", image("uefi"), "--", "true")
        expect_sentence(result, 69, "has nothing that a BIOS could boot: .*boots with --uefi")


@test
def a_firmware_that_finds_nothing_to_boot_ends_the_run():
    with Sandbox() as box:
        blank = os.path.join(box.work, "blank")
        with open(blank, "wb") as file:
            file.truncate(1 << 20)
        result = run_image(box, blank, "--", "true")
        expect(result, 69, out=b"", err=r'found nothing to boot in the image .* \("No bootable device.*with --uefi')
        if os.path.exists(OVMF_VARS):
            result = run_image(box, image("bios"), "--uefi", "--", "true")
            expect(result, 69, out=b"", err="found nothing to boot in the image .* boots without --uefi")


@test
def an_image_whose_agent_is_silent_is_a_timeout_that_says_what_is_missing():
    with Sandbox() as box:
        started = time.monotonic()
        result = box.run("run", "--cold", "--boot-timeout", "2s", "--image", image("bios"), "--",
                         "true")
        expect(result, 124, out=b"", err="No guest agent of the image .* answered within 2s: .*qemu-ga")
        assert time.monotonic() - started < 8


@test
def what_is_no_image_is_named():
    with Sandbox() as box:
        vmdk = os.path.join(box.work, "vmdk")
        with open(vmdk, "wb") as file:
            file.write(b"KDMV" + bytes(1020))
        for options, pattern in ((("absent",), "absent' cannot be read: No such file"),
                                 ((vmdk,), "is VMDK, and mayfly takes raw and qcow2"),
                                 ((vmdk.replace("vmdk", "."),), "Is a directory")):
            expect_sentence(box.run("run", "--image", *options, "--", "true"), 69, pattern)
        result = box.run("run", "--image", image("bios"), "--bios", "absent", "--", "true")
        expect_sentence(result, 69, "firmware 'absent' cannot be read")


@test
def options_that_do_not_fit_an_image_are_usage_errors():
    with Sandbox() as box:
        for options, pattern in ((("--image-writable",), "--image-writable is about an image"),
                                 (("--iso", "x", "--image-writable"), "is about an image"),
                                 (("--image", ""), "name is empty"),
                                 (("--fat", ""), "name is empty"),
                                 (("--iso", "x", "--fat", "y"), "--iso and --fat are both given"),
                                 (("--iso", "x", "-k", "y"), "--kernel does not go together with --iso"),
                                 (("--secure-boot", "on"), "'on' is not a mode of Secure Boot"),
                                 (("--secure-boot", "ms"), "--secure-boot ms .* add --uefi"),
                                 (("--uefi", "--bios", "x", "--secure-boot", "ms"), "without --bios"),
                                 (("--uefi", "--secure-boot", "custom"), "with --secure-boot-vars"),
                                 (("--uefi", "--secure-boot-vars", "x"), "for --secure-boot custom only"),
                                 (("--image", "x", "-k", "y"), "--kernel does not go together"),
                                 (("--image", "x", "--kaslr"), "--kaslr does not go together"),
                                 (("--image", "x", "-r", "/"), "--root does not go together")):
            expect_sentence(box.run("run", *options, "--", "true"), 2, pattern)


if __name__ == "__main__":
    main()
