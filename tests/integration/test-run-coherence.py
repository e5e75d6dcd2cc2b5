#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the guest sees of files that the host changes meanwhile, with the default cache of each
way to have a root: the new content or the old, never a mixture, an error or a crash."""

import os
import shutil
import subprocess

from harness import Sandbox, kernel, main, test

LINE = b"a line of the log, long enough that pages are crossed somewhere in the middle of it\n"
LINES = 500


class Talk:
    """A command in the guest that waits for a line of its input between its steps."""

    def __init__(self, box, script, *options):
        self.process = box.start("run", "-k", kernel(), *options, "--", script,
                                 stdin=subprocess.PIPE)

    def hear(self):
        return self.process.stdout.readline()

    def say(self):
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()

    def end(self):
        out, err = self.process.communicate(timeout=120)
        assert self.process.returncode == 0, (self.process.returncode, out[-300:], err[-2000:])
        return out


def make_root(box):
    """A small root that tests may change, with a directory of files in it."""
    root = box.make("root")
    for name in ("bin", "proc", "dev", "sys", "run", "mnt", "tmp", "data"):
        os.mkdir(os.path.join(root, name))
    for name in ("sh", "cat", "head", "ls", "wc"):
        shutil.copy("/bin/busybox", os.path.join(root, "bin", name))
    return root, os.path.join(root, "data")


def write(path, data, mode="wb"):
    with open(path, mode) as file:
        file.write(data)


def replace(path, data):
    write(path + ".new", data)
    os.rename(path + ".new", path)


def each_root_mode(check):
    for mode in ("overlay", "ro", "rw"):
        with Sandbox() as box:
            root, data = make_root(box)
            try:
                check(box, data, ("-r", root, "--root-mode", mode))
            except AssertionError as error:
                raise AssertionError(f"with --root-mode {mode}: {error}") from error


@test
def a_file_that_the_host_replaces_is_read_without_an_error():
    def check(box, data, options):
        path = os.path.join(data, "file")
        write(path, b"first\n")
        talk = Talk(box, "exec 3</data/file; cat /data/file; read x; "
                         "cat /data/file && cat <&3", *options)
        assert talk.hear() == b"first\n"
        replace(path, b"other\n")
        talk.say()
        # By name the old file or the new one; the descriptor stays with the file that it is of.
        text = talk.end()
        assert text in (b"first\nfirst\n", b"other\nfirst\n"), text
    each_root_mode(check)


@test
def a_file_that_the_host_appends_to_is_not_torn():
    def check(box, data, options):
        path = os.path.join(data, "log")
        write(path, LINE * LINES)
        talk = Talk(box, "wc -l </data/log; read x; cat /data/log", *options)
        assert talk.hear().strip() == str(LINES).encode()
        write(path, LINE * LINES, "ab")
        talk.say()
        text = talk.end()
        assert text == LINE * (len(text) // len(LINE)), f"torn: {len(text)} bytes"
        assert LINES <= len(text) // len(LINE) <= 2 * LINES, len(text)
    each_root_mode(check)


@test
def a_file_that_the_host_rewrites_in_place_shows_the_new_content_or_the_old():
    def check(box, data, options):
        path = os.path.join(data, "file")
        old, new = b"old\n" * (1 << 20), b"new\n" * (1 << 18)
        write(path, old)
        # Its size and its first pages are known to the guest when it changes, the others are not.
        talk = Talk(box, "ls -l /data/file >/dev/null; head -n 1 /data/file; read x; "
                         "cat /data/file", *options)
        assert talk.hear() == b"old\n"
        write(path, new)
        talk.say()
        text = talk.end()
        assert text in (old, new), f"{len(text)} bytes, {text.count(b'new')} new, " \
                                   f"{text.count(b'old')} old, {text.count(bytes(1))} zeros"
    each_root_mode(check)


@test
def files_that_the_host_makes_and_removes_do_no_harm():
    def check(box, data, options):
        for number in range(50):
            write(os.path.join(data, f"old{number}"), b"x")
        talk = Talk(box, "ls /data | wc -l; read x; ls /data >/dev/null; "
                         "cat /data/old1 2>/dev/null; cat /data/made && echo up", *options)
        assert talk.hear().strip() == b"50"
        for number in range(50):
            os.unlink(os.path.join(data, f"old{number}"))
        write(os.path.join(data, "made"), b"made\n")
        talk.say()
        assert talk.end().endswith(b"made\nup\n")
    each_root_mode(check)


@test
def what_the_host_writes_to_a_share_is_seen():
    with Sandbox() as box:
        path = os.path.join(box.work, "file")
        write(path, b"first\n")
        talk = Talk(box, "cat file; read x; cat file")
        assert talk.hear() == b"first\n"
        replace(path, b"second\n")
        talk.say()
        assert talk.end() == b"second\n"


if __name__ == "__main__":
    main()
