#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What mayfly run refuses: one sentence on stderr, the documented status, nothing left behind.

Nothing here gets as far as a kernel that runs, so all of it takes seconds.
"""

import glob
import os
import shutil
import struct
import subprocess
import time

from harness import KERNELS, MAYFLY, Sandbox, Skip, expect_sentence, kernel, main, test

USAGE, UNAVAILABLE, TIMED_OUT = 2, 69, 124

# A kernel without 9p is refused when it is to be reached by 9p.
OVER_9P = ("--share-type", "9p")


def refused(box, status, pattern, *options, command=("true",), image=None):
    arguments = ["-k", image or kernel("small"), *options, "--", *command]
    expect_sentence(box.run("run", *arguments, timeout=30), status, pattern)
    box.assert_nothing_left()


def refuse_kernel(pattern, make):
    with Sandbox() as box:
        path = os.path.join(box.work, "the kernel")
        make(path)
        refused(box, UNAVAILABLE, "'" + path + "'.*" + pattern, image=path)


def write(path, data, mode=0o644):
    with open(path, "wb") as file:
        file.write(data)
    os.chmod(path, mode)


def fake_qemu(box, text):
    path = os.path.join(box.work, "fake-qemu")
    write(path, ("#!/usr/bin/env python3\n" + text).encode(), 0o755)
    return path


@test
def a_kernel_that_is_missing():
    refuse_kernel("does not exist", lambda path: None)


@test
def a_kernel_name_that_nobody_pulled():
    with Sandbox() as box:
        refused(box, UNAVAILABLE, "'.*no-such-kernel' does not exist.*mayfly kernel list",
                image="no-such-kernel")


@test
def a_kernel_that_may_not_be_read():
    with Sandbox() as box:
        box.become_nobody()
        path = box.copy_kernel()
        os.chmod(path, 0o600)
        refused(box, UNAVAILABLE, path + "' cannot be read: permission denied", image=path)


@test
def a_kernel_that_is_a_directory():
    refuse_kernel("is a directory; name the bzImage, vmlinux or Image itself", os.mkdir)


@test
def a_build_tree_given_as_the_kernel_names_the_image_in_it():
    def make(path):
        os.makedirs(os.path.join(path, "arch", "x86", "boot"))
        write(os.path.join(path, "arch", "x86", "boot", "bzImage"), b"")
    refuse_kernel("is a directory; the image in it is '.*/arch/x86/boot/bzImage'", make)


@test
def a_kernel_that_is_none():
    refuse_kernel("is not a kernel image: it looks like text",
                  lambda path: write(path, b"not a kernel\n"))


@test
def a_kernel_that_is_empty():
    refuse_kernel("is empty", lambda path: write(path, b""))


@test
def a_program_given_as_the_kernel():
    refuse_kernel("is not a kernel image: it looks like a program",
                  lambda path: shutil.copy("/bin/true", path))


@test
def a_package_given_as_the_kernel():
    packages = glob.glob(os.path.join(KERNELS, "packages", "*.deb"))
    if not packages:
        raise Skip("MAYFLY_TEST_KERNELS has no packages")
    with Sandbox() as box:
        refused(box, UNAVAILABLE, "it looks like a Debian package; 'mayfly kernel add' takes",
                image=packages[0])


@test
def a_kernel_of_another_architecture():
    header = bytearray(64)
    struct.pack_into("<Q", header, 16, 8192)
    header[56:60] = b"ARM\x64"
    refuse_kernel("is for aarch64 and the machine is x86_64.*--arch aarch64",
                  lambda path: write(path, bytes(header) + bytes(8192)))


@test
def a_kernel_that_is_truncated():
    with open(kernel("small"), "rb") as file:
        whole = file.read()
    for size in (len(whole) - 4096, len(whole) // 2, 4096):
        refuse_kernel("is truncated: its headers announce at least [0-9]+ bytes and it has "
                      f"{size}\\.", lambda path, end=size: write(path, whole[:end]))


@test
def a_kernel_whose_payload_is_damaged():
    with open(kernel("small"), "rb") as file:
        whole = bytearray(file.read())
    middle = len(whole) // 2
    whole[middle:middle + 64] = bytes(64)
    refuse_kernel("is damaged: ", lambda path: write(path, bytes(whole)))


@test
def a_kernel_without_9p_names_the_options_it_lacks():
    with Sandbox() as box:
        refused(box, UNAVAILABLE, "cannot mount a 9p root: CONFIG_NET_9P, CONFIG_NET_9P_VIRTIO and "
                "CONFIG_9P_FS are not set and no module '9pnet', '9pnet_virtio' or '9p' is in .*"
                "built in or as modules", *OVER_9P, image=kernel("cloud"))


@test
def qemu_that_is_missing():
    with Sandbox() as box:
        refused(box, UNAVAILABLE, "QEMU '/no/such' was not found", "--qemu", "/no/such")


@test
def qemu_that_is_too_old():
    with Sandbox() as box:
        path = fake_qemu(box, """
import json, socket
peer = socket.socket(fileno=3)
version = {"qemu": {"major": 6, "minor": 0, "micro": 1}, "package": ""}
peer.sendall(json.dumps({"QMP": {"version": version, "capabilities": []}}).encode() + b"\\r\\n")
for line in peer.makefile("r"):
    peer.sendall(json.dumps({"return": {}, "id": json.loads(line)["id"]}).encode() + b"\\r\\n")
    if "quit" in line:
        break
""")
        refused(box, UNAVAILABLE, "QEMU is version 6.0.1, and mayfly needs 7.2 or newer", "--qemu",
                path)


@test
def qemu_that_refuses_its_arguments_is_quoted():
    with Sandbox() as box:
        refused(box, UNAVAILABLE, "QEMU did not start: it exited with status 1: .*-nonsense: "
                "invalid option", "--qemu-arg", "-nonsense")


@test
def qemu_that_exits_at_once():
    with Sandbox() as box:
        refused(box, UNAVAILABLE, "QEMU did not start: it exited with status 3: no luck\n",
                "--qemu", fake_qemu(box, "import sys\nprint('no luck', file=sys.stderr)\n"
                                    "sys.exit(3)\n"))


@test
def qemu_that_is_killed():
    with Sandbox() as box:
        refused(box, UNAVAILABLE, r"QEMU did not start: it was killed by signal 9 \(Killed\)",
                "--qemu", fake_qemu(box, "import os\nos.kill(os.getpid(), 9)\n"))


@test
def qemu_that_speaks_something_else():
    with Sandbox() as box:
        path = fake_qemu(box, "import socket, time\npeer = socket.socket(fileno=3)\n"
                         "peer.sendall(b'HTTP/1.1 400 Bad Request\\r\\n')\ntime.sleep(60)\n")
        refused(box, UNAVAILABLE, "QEMU broke the QMP protocol", "--qemu", path)


@test
def qemu_that_hangs_silently_ends_with_the_boot_timeout():
    with Sandbox() as box:
        path = fake_qemu(box, "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
                         "time.sleep(60)\n")
        started = time.monotonic()
        refused(box, TIMED_OUT, "not ready within 1s: it was still in the launch phase",
                "--qemu", path, "--boot-timeout", "1s")
        assert time.monotonic() - started < 5


@test
def more_memory_than_the_host_has_shows_qemus_words():
    with Sandbox() as box:
        refused(box, UNAVAILABLE, "QEMU did not start: .*memory.*: Cannot allocate memory", "-m",
                "100T")


@test
def a_root_that_cannot_be_used():
    with Sandbox() as box:
        write(os.path.join(box.work, "file"), b"")
        for root, reason in (("/no/such", "No such file or directory"),
                             ("file", "Not a directory")):
            refused(box, UNAVAILABLE, f"The root '.*{root}' cannot be used: {reason}", "-r", root)


@test
def a_root_that_may_not_be_read():
    with Sandbox() as box:
        box.become_nobody()
        root = box.make("root")
        os.chmod(root, 0o700)
        refused(box, UNAVAILABLE, "The root '.*root' cannot be used: Permission denied", "-r",
                root, image=box.copy_kernel())


@test
def values_that_cannot_be_understood():
    with Sandbox() as box:
        write(os.path.join(box.work, "file"), b"")
        for options, pattern in (
                (["-m", "12Q"], "'12Q' is not a size: expected a number"),
                (["-m", "-1"], "'-1' is not a size"),
                (["-m", "1M"], "'1M' is too little memory: a guest needs at least 64M"),
                (["--timeout", "5q"], "'5q' is not a duration: expected seconds or"),
                (["--boot-timeout", ""], "'' is not a duration"),
                (["-p", "0"], "'0' is not a CPU count: expected a number from 1 to 255"),
                (["-p", "many"], "'many' is not a CPU count"),
                (["--mount", "work:relative"], r"is not a mount: expected \[ro:\|rw:\]HOST"),
                (["--mount", "/no/such"], "cannot share '/no/such': No such file"),
                (["--mount", "file:/x"], "cannot share 'file': Not a directory"),
                (["--mount", "/tmp:/"], "would hide the root"),
                (["--mount", "/tmp:/x", "--mount", "/var:/x"], "Two mounts .* guest path '/x'"),
                (["--root-mode", "rx"], "'rx' is not a root mode: expected overlay, ro or rw"),
                (["--init", "systemd"], "'systemd' is not an init: expected agent or script"),
                (["--arch", "vax"], "'vax' is not an architecture: expected x86_64, aarch64"),
                (["--accel", "hvf"], "'hvf' is not an accelerator: expected auto, kvm or tcg"),
                (["-e", "=x"], "'=x' is not a variable: expected NAME or NAME=VALUE"),
                (["--hostname", "x" * 65], "'x+' is not a host name: expected at most 64"),
                (["--workdir", "here"], "'here' is not a directory of the guest: expected a path"),
                (["--kargs", "a\nb"], r"The kernel arguments 'a\\nb' are not one line")):
            refused(box, USAGE, pattern, *options)


@test
def an_option_that_is_misspelt_is_corrected():
    with Sandbox() as box:
        for option, meant in (("--monut=/tmp", "--mount"), ("--memry", "--memory"),
                              ("--time-out", "--timeout")):
            refused(box, USAGE, f"Unknown option {option}: did you mean {meant}\\?", option)
        refused(box, USAGE, "Unknown option --frobnicate \\('mayfly run --help'", "--frobnicate")
        expect_sentence(box.run("run", "-k"), USAGE, "Missing argument for -k")


@test
def no_command_is_a_usage_error():
    with Sandbox() as box:
        refused(box, USAGE, "No command is given: write it after the options", command=())


@test
def an_unknown_verb_is_a_usage_error():
    with Sandbox() as box:
        expect_sentence(box.run("uname"), USAGE, "'uname' is not a verb.*mayfly run -- uname")


@test
def a_cache_directory_that_cannot_be_made():
    with Sandbox() as box:
        place = os.path.join(box.work, "file")
        write(place, b"")
        box.env["MAYFLY_CACHE_DIR"] = place
        refused(box, UNAVAILABLE, "The cache directory '.*/file.*' cannot be made.*"
                "MAYFLY_CACHE_DIR.*: Not a directory")


@test
def a_cache_directory_that_may_not_be_written():
    with Sandbox() as box:
        box.become_nobody()
        cache = box.env["MAYFLY_CACHE_DIR"]
        os.chmod(cache, 0o555)
        refused(box, UNAVAILABLE, f"'{cache}.*MAYFLY_CACHE_DIR.*: Permission denied",
                image=box.copy_kernel())


@test
def a_cache_without_space_keeps_nothing_that_is_cut_short():
    if subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL).returncode != 0:
        raise Skip("no mount namespace can be made here")
    with Sandbox() as box:
        cache = box.env["MAYFLY_CACHE_DIR"] = box.make("cache")
        # An image or a temporary file that is left in there is more than the one sentence.
        box.program = ["unshare", "-m", "sh", "-c",
                       'mount -t tmpfs -o size=1m tmpfs "$0" || exit; "$@"; status=$?; '
                       'find "$0" -type f "(" -path "*/images/*" -o -name "*.??????" ")" >&2; '
                       'exit $status', cache, MAYFLY]
        refused(box, UNAVAILABLE, f"cannot be unpacked into the cache directory '{cache}/.*make "
                "room.*: No space left on device")


if __name__ == "__main__":
    main()
