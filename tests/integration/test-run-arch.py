#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mayfly run for other architectures than this host's: a real aarch64 kernel under software
emulation over a root of one static program, and QEMU's own word on every machine."""

import json
import os
import re
import shlex
import shutil
import socket
import subprocess

from harness import Sandbox, Skip, expect, expect_sentence, kernel, main, release, test

CROSS_GCC = "aarch64-linux-gnu-gcc"
PROBE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "arch-probe.c")
GUESTS = os.environ.get("MAYFLY_GUEST_ARCHS", "").split(",")
N_CHANNELS = 7


def need_qemu(arch):
    if not shutil.which("qemu-system-" + arch):
        raise Skip(f"no qemu-system-{arch}")


def run_arm(box, *words, options=(), **others):
    """The probe as the only file of the guest's root."""
    need_qemu("aarch64")
    image = kernel("arm64")
    if not shutil.which(CROSS_GCC):
        raise Skip("no " + CROSS_GCC)
    if "aarch64" not in GUESTS:
        raise Skip("this mayfly was built without a guest program for aarch64")
    root = os.path.join(box.directory, "root")
    if not os.path.isdir(root):
        os.mkdir(root)
        subprocess.run([CROSS_GCC, "-static", "-O1", "-o", root + "/probe", PROBE], check=True)
    return box.run("run", "-a", "aarch64", "-k", image, "-r", root, *options, "--", "/probe",
                   *words, **others)


def uname():
    return f"aarch64 {release('arm64')}\n".encode()


@test
def a_stock_arm64_kernel_runs_a_static_program_with_its_streams_and_status():
    with Sandbox() as box:
        data = os.urandom(100000)
        result = run_arm(box, "exit", "42", options=("--cold",), input=data)
        expect(result, 42, out=uname() + data)
        assert result.err == b"", f"unasked-for words: {result!r}"
        assert os.listdir(os.path.join(box.directory, "root")) == ["probe"], "the root was written"


@test
def a_saved_arm64_machine_is_restored_and_a_panic_of_its_kernel_is_a_crash():
    with Sandbox() as box:
        box.env["MAYFLY_CACHE_DIR"] = box.make("cache")
        expect(run_arm(box, "exit", "3", options=("-v",)), 3, out=uname(),
               err="has saved the machine")
        expect(run_arm(box, "exit", "4", options=("-v",)), 4, out=uname(), err="was restored")
        expect(run_arm(box, "panic"), 125, out=uname(),
               err="kernel panicked during execution: Kernel panic - not syncing: sysrq")


@test
def a_kernel_of_another_architecture_is_refused_in_one_sentence():
    with Sandbox() as box:
        need_qemu("aarch64")
        result = box.run("run", "-a", "aarch64", "-k", kernel("small"), "--", "true")
        expect_sentence(result, 69, "is for x86_64 and the machine is aarch64. Use a kernel for "
                        "aarch64, or ask for the other machine with '--arch x86_64'")
        result = box.run("run", "-k", kernel("arm64"), "--", "true")
        expect_sentence(result, 69, "is for aarch64 and the machine is x86_64. .*--arch aarch64")


@test
def a_guest_program_that_was_not_built_is_named_with_what_to_do():
    with Sandbox() as box:
        need_qemu("s390x")
        result = box.run("run", "-a", "s390x", "-k", write_image(box, "s390x"), "--", "true")
        expect_sentence(result, 69, "built without a guest program for s390x.*'--no-initramfs'")


def write_image(box, arch):
    """The least that passes for a kernel of that architecture."""
    image = bytearray(0x11000)
    if arch == "aarch64":
        image[56:60] = b"ARM\x64"
    elif arch == "riscv64":
        image[48:53] = b"RISCV"
    else:
        image[0x10008:0x1000e] = b"S390EP"
    path = os.path.join(box.directory, "Image-" + arch)
    with open(path, "wb") as file:
        file.write(image)
    return path


def ask_qemu(argv):
    """Starts the machine, stopped, and returns QMP's answer about the architecture."""
    pairs = [socket.socketpair() for _ in range(N_CHANNELS)]
    # The descriptors are where mayfly puts them: from 3 on, in order.
    script = "".join(f"exec {3 + i}<&{100 + i} {100 + i}<&-; " for i in range(N_CHANNELS))
    for i, (_, theirs) in enumerate(pairs):
        os.dup2(theirs.fileno(), 100 + i, inheritable=True)
        theirs.close()
    try:
        process = subprocess.Popen(["bash", "-c", script + 'exec "$@"', "qemu", *argv, "-S"],
                                   pass_fds=range(100, 100 + N_CHANNELS), stderr=subprocess.PIPE)
    finally:
        for i in range(N_CHANNELS):
            os.close(100 + i)
    pairs[0][0].sendall(b'{"execute": "qmp_capabilities"}{"execute": "query-target", "id": 1}'
                        b'{"execute": "quit"}')
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    lines = [json.loads(line) for line in pairs[0][0].makefile()]
    for ours, _ in pairs:
        ours.close()
    answers = [line["return"]["arch"] for line in lines if line.get("id") == 1]
    assert process.returncode == 0 and answers and err == b"", (process.returncode, lines, err)
    return answers[0]


def name_pipes(box, word):
    """The same argument where it names the console's pipes by what mayfly hands over."""
    match = re.search(r",path=/proc/self/fd/\d+/(.*)", word)
    if not match:
        return word
    path = os.path.join(box.make("pipes"), match[1])
    os.mkfifo(path + ".in")
    os.mkfifo(path + ".out")
    return f"{word[:match.start()]},path={path}"


@test
def qemu_accepts_the_machine_of_each_architecture():
    for arch in ("aarch64", "riscv64", "s390x"):
        need_qemu(arch)
        with Sandbox() as box:
            result = box.run("run", "-a", arch, "-k", write_image(box, arch), "--no-initramfs",
                             "--print-qemu", "--", "true")
            expect(result, 0)
            argv = shlex.split(result.out.decode().replace("\\\n", ""))
            # The share of the scripts is gone with the mayfly that printed this.
            gone = next(i for i, word in enumerate(argv) if word.startswith("local,id=run,"))
            argv = argv[:gone - 1] + argv[gone + 3:]
            assert ask_qemu([name_pipes(box, word) for word in argv]) == arch


if __name__ == "__main__":
    main()
