#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mayfly run over roots other than the host's: next to nothing is needed in them."""

import os
import shutil

from harness import Sandbox, Skip, expect, expect_sentence, kernel, main, release, test

BUSYBOX = "/bin/busybox"


def make_root(box, *programs):
    """A root with nothing in it but copies of one static program."""
    if not os.path.exists(BUSYBOX):
        raise Skip("there is no busybox-static on this host")
    root = box.make("root")
    for program in programs:
        path = os.path.join(root, program)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        shutil.copy(BUSYBOX, path)
    return root


def run_in(box, root, *words, flavour="small", options=(), **others):
    return box.run("run", "-k", kernel(flavour), "-r", root, *options, "--", *words, **others)


@test
def a_single_static_program_is_root_enough():
    with Sandbox() as box:
        root = make_root(box, "echo")
        expect(run_in(box, root, "/echo", "just", "this"), 0, out=b"just this\n")
        assert os.listdir(root) == ["echo"], "the guest wrote to the host's root"


@test
def a_shell_command_without_a_shell_is_127_with_a_sentence():
    with Sandbox() as box:
        root = make_root(box, "echo")
        expect(run_in(box, root, "echo hello"), 127, out=b"",
               err="^mayfly-guest: [^\n]*shell text, and the guest has neither bash nor sh")


@test
def a_program_that_a_root_without_a_shell_does_not_have_is_named():
    with Sandbox() as box:
        root = make_root(box, "bin/echo")
        expect(run_in(box, root, "./prog"), 127, out=b"",
               err=r"^mayfly-guest: cannot run '\./prog': there is no such file in the guest\.?$")
        expect(run_in(box, root, "ls"), 127, out=b"",
               err="^mayfly-guest: cannot run 'ls': there is no such program in the guest's PATH")


@test
def a_program_and_its_arguments_need_no_shell():
    with Sandbox() as box:
        root = make_root(box, "bin/basename")
        expect(run_in(box, root, "basename /a/b"), 0, out=b"b\n")


@test
def the_guests_own_file_systems_are_there_whatever_the_root_has():
    with Sandbox() as box:
        root = make_root(box, "bin/sh")
        result = run_in(box, root, "test -d /proc/self && test -c /dev/null && test -d /sys/class "
                        "&& echo x >/tmp/x && echo y >/dev/shm/y && echo z >/run/z && cat /tmp/x "
                        "/dev/shm/y /run/z && pwd")
        expect(result, 0, out=b"x\ny\nz\n/mnt/mayfly\n")
        assert os.listdir(root) == ["bin"], "the guest wrote to the host's root"


@test
def a_read_only_root_without_mount_points_stays_as_it_is():
    with Sandbox() as box:
        root = make_root(box, "bin/sh")
        for name in ("proc", "dev", "sys", "run", "mnt"):
            os.mkdir(os.path.join(root, name))
        before = sorted(os.listdir(root))
        result = run_in(box, root, "echo x >/mnt/mayfly/x && cat x && echo y >/y || echo refused",
                        options=("--root-mode", "ro"))
        expect(result, 0, out=b"x\nrefused\n", err="Read-only file system")
        assert sorted(os.listdir(root)) == before and os.listdir(os.path.join(root, "mnt")) == []
        assert os.path.exists(os.path.join(box.work, "x"))


@test
def a_writable_root_reaches_the_host():
    with Sandbox() as box:
        root = make_root(box, "bin/sh")
        for name in ("proc", "dev", "sys", "run", "mnt"):
            os.mkdir(os.path.join(root, name))
        expect(run_in(box, root, "echo x >/written && mkdir -p /a/b",
                      options=("--root-mode", "rw")), 0, out=b"")
        with open(os.path.join(root, "written")) as file:
            assert file.read() == "x\n"
        assert os.path.isdir(os.path.join(root, "a", "b"))
        assert os.listdir(os.path.join(root, "mnt")) == [], "mount points were left on the host"


@test
def mount_points_are_not_made_on_the_host():
    with Sandbox() as box:
        root = make_root(box, "bin/sh")
        for mode in ("ro", "rw"):
            expect_sentence(run_in(box, root, "true", options=("--root-mode", mode)), 69,
                            "no directory '/mnt/mayfly' to mount on.*make it on the host, or use")
        assert os.listdir(root) == ["bin"], "the guest wrote to the host's root"


@test
def the_kernels_modules_appear_whatever_the_root_is():
    with Sandbox() as box:
        root = make_root(box, "bin/sh")
        place = f"/lib/modules/{release()}"
        result = run_in(box, root, f"test -s {place}/modules.dep && cd {place} && pwd",
                        flavour="generic")
        expect(result, 0, out=place.encode() + b"\n")
        assert os.listdir(root) == ["bin"]


if __name__ == "__main__":
    main()
