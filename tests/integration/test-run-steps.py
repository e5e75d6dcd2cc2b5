#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What runs in the guest before and after the command: setup, teardown, and what reaches the host."""

import os
import re
import shutil
import subprocess
import time

from harness import Sandbox, Skip, expect, expect_sentence, kernel, main, patient_test, test

MAPPER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "mapper.c")


def run(box, *words, **options):
    return box.run("run", "-k", kernel("small"), *words, **options)


def run_bare(box, *words, **options):
    """Without mayfly-guest: the root's own qemu-ga runs everything."""
    if not shutil.which("qemu-ga", path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
        raise Skip("the host's root, which is the guest's here, has no qemu-ga")
    return run(box, "--no-initramfs", *words, **options)


@test
def setup_and_teardown_surround_the_command_and_leave_it_its_input_and_output():
    with Sandbox() as box:
        result = run(box, "--setup", "echo one; cat; echo two >&2", "--setup", "echo three",
                     "--teardown", "echo five; cat", "--teardown", "echo six >&2", "--",
                     "echo four >&2; echo out; cat", input=b"typed\n")
        expect(result, 0, out=b"out\ntyped\n")
        assert result.err == b"one\ntwo\nthree\nfour\nfive\nsix\n", result


@test
def they_are_root_in_the_commands_directory_and_environment():
    with Sandbox() as box:
        text = 'echo "$(id -u) $WHAT $PWD"'
        result = run(box, "--user", "1234", "-e", "WHAT=a b", "--setup", text, "--teardown", text,
                     "--", text)
        expect(result, 0, out=f"1234 a b {box.work}\n".encode())
        assert result.err == f"0 a b {box.work}\n".encode() * 2, result


@test
def a_failed_setup_is_named_and_the_command_does_not_run():
    with Sandbox() as box:
        result = run(box, "--setup", "exit 3", "--setup", "touch /mnt/mayfly/second",
                     "--teardown", "touch /mnt/mayfly/torn-down", "--", "touch /mnt/mayfly/ran")
        expect_sentence(result, 69, r"The setup command 'exit 3' exited with status 3\.$")
        assert os.listdir(box.work) == ["torn-down"], os.listdir(box.work)


@test
def teardown_follows_a_command_that_failed_died_or_was_timed_out():
    with Sandbox() as box:
        for command, status, words in (("exit 5", 5, ()), ("kill -SEGV $$", 139, ()),
                                       ("sleep 60", 124, ("--timeout", "3s"))):
            result = run(box, *words, "--teardown", "echo after", "--", command)
            expect(result, status, out=b"", err="after")


@test
def a_failed_teardown_fails_a_run_that_passed_and_no_other():
    with Sandbox() as box:
        words = ("--teardown", "exit 4", "--teardown", "echo cleaned", "--")
        said = r"cleaned\nmayfly: The teardown command 'exit 4' exited with status 4\."
        expect(run(box, *words, "echo good"), 69, out=b"good\n", err=said)
        expect(run(box, *words, "exit 7"), 7, out=b"", err=said)


@patient_test
def the_timeout_holds_for_each_of_them():
    with Sandbox() as box:
        result = run(box, "--timeout", "7s", "--setup", "sleep 60", "--teardown", "echo after",
                     "--", "echo never")
        expect(result, 124, out=b"", err=r"after\nmayfly: The setup command 'sleep 60' did not end "
                                         r"within 7s\.")
        result = run(box, "--timeout", "7s", "--teardown", "sleep 60", "--", "echo good")
        expect(result, 124, out=b"good\n", err="The teardown command 'sleep 60' did not end within "
                                               "7s")
        # Each by itself: together they take longer.
        expect(run(box, "--timeout", "7s", "--setup", "sleep 2.5", "--teardown", "sleep 2.5", "--",
                   "sleep 2.5"), 0)


@test
def the_boot_timeout_ends_when_the_setup_starts():
    with Sandbox() as box:
        started = time.monotonic()
        expect(run(box, "--", "true"), 0)
        boot = time.monotonic() - started
        result = run(box, "--boot-timeout", f"{int(boot) + 5}s", "--setup",
                     f"sleep {int(boot) + 6}", "--", "echo good")
        expect(result, 0, out=b"good\n")


@test
def a_panic_in_the_teardown_is_no_pass():
    with Sandbox() as box:
        result = run(box, "--teardown", "echo c >/proc/sysrq-trigger", "--", "echo good")
        expect(result, 125, out=b"good\n", err="The guest.s kernel panicked during")


@test
def a_guest_that_powers_off_in_the_setup_is_told_so():
    with Sandbox() as box:
        result = run(box, "--setup", "echo o >/proc/sysrq-trigger; sleep 60", "--", "echo never")
        expect(result, 69, out=b"", err="The guest powered itself off during setup")


@test
def what_the_setup_left_behind_does_not_write_into_the_commands_output():
    with Sandbox() as box:
        result = run(box, "--setup", "(while :; do echo noise; sleep 0.1; done) & echo up", "--",
                     "sleep 2; echo good")
        expect(result, 0, out=b"good\n")
        assert re.fullmatch(rb"(noise\n)*up\n(noise\n)*", result.err), result


@test
def without_mayfly_guest_a_setup_that_fails_and_a_command_that_is_timed_out_are_told_too():
    with Sandbox() as box:
        result = run_bare(box, "--setup", "exit 3", "--", "echo never")
        expect(result, 69, out=b"", err="The setup command 'exit 3' exited with status 3")
        result = run_bare(box, "--timeout", "3s", "--teardown", "echo after", "--", "sleep 60")
        expect(result, 124, out=b"", err=r"after\nmayfly: The command did not end within 3s\.$")


@test
def artifacts_are_copied_out_under_their_names():
    with Sandbox() as box:
        result = run(box, "--artifact", "out/*.log", "--artifact", "/var/tree", "--artifact",
                     "a name, with *", "--artifact", "none.*", "--artifacts-dir",
                     os.path.join(box.directory, "copied"), "--",
                     "mkdir -p out /var/tree/deep; echo 1 >out/1.log; echo x >out/2.txt; "
                     "head -c 3000000 /dev/zero >out/3.log; echo 4 >/var/tree/deep/four; "
                     "echo 5 >'a name, with all'; exit 3")
        expect(result, 3, out=b"", err=r"^mayfly: No file in the guest matches the artifact "
                                       r"'none\.\*'\.$")
        copied = os.path.join(box.directory, "copied")
        found = {os.path.relpath(os.path.join(place, name), copied)
                 for place, _, names in os.walk(copied) for name in names}
        assert found == {"out/1.log", "out/3.log", "var/tree/deep/four", "a name, with all"}, found
        with open(os.path.join(copied, "out/3.log"), "rb") as file:
            assert file.read() == bytes(3000000)


@patient_test
def artifacts_are_copied_after_a_timeout_and_the_teardown():
    with Sandbox() as box:
        result = run(box, "--timeout", "9s", "--teardown", "echo late >teardown.txt", "--artifact",
                     "*.txt", "--", "echo early >command.txt; sleep 60")
        expect(result, 124)
        assert sorted(os.listdir(os.path.join(box.work, "artifacts"))) == [
            "command.txt", "teardown.txt"], result


@test
def an_artifact_that_is_no_file_or_hides_behind_a_link_takes_nothing_of_the_host():
    with Sandbox() as box:
        outside = box.make("outside")
        os.mkdir(os.path.join(box.work, "artifacts"))
        os.symlink(outside, os.path.join(box.work, "artifacts", "way"))
        result = run(box, "--artifact", "way/*", "--artifact", "pipe", "--artifact", "/dev/zero",
                     "--", "mkdir way; echo x >way/in; mkfifo pipe")
        expect(result, 0, err="The artifact 'way/in' cannot be written")
        assert os.listdir(outside) == [], os.listdir(outside)
        assert os.listdir(os.path.join(box.work, "artifacts")) == ["way"]


@test
def a_pattern_that_leads_out_of_its_directory_is_refused():
    with Sandbox() as box:
        expect_sentence(run(box, "--artifact", "../x", "--", "true"), 69,
                        r"The pattern '\.\./x' for artifacts cannot be used: it has '\.\.' in it\.")


def map_in_the_background(box):
    """A program that writes to 'mapped' through a mapping, which is still there at the end."""
    subprocess.run(["cc", "-static", "-O1", "-o", os.path.join(box.work, "mapper"), MAPPER], check=True)
    with open(os.path.join(box.work, "mapped"), "wb") as file:
        file.truncate(8192)
    return ("cd /mnt/mayfly; ./mapper mapped written </dev/null >/dev/null 2>&1 & "
            "while ! test -e /mnt/mayfly/written; do sleep 0.1; done")


@test
def what_is_written_through_a_mapping_is_on_the_host():
    with Sandbox() as box:
        expect(run(box, "--", map_in_the_background(box)), 0)
        assert box.read("mapped")[4096:4101] == b"hello"


@test
def without_mayfly_guest_they_run_too_what_was_mapped_is_written_and_artifacts_are_copied():
    with Sandbox() as box:
        result = run_bare(box, "--setup", "echo one; echo two >&2; cat", "--teardown", "echo four",
                          "--artifact", "out/*", "--",
                          "echo out; echo three >&2; cat; mkdir out; echo 1 >out/one; "
                          + map_in_the_background(box), input=b"typed\n")
        expect(result, 0, out=b"out\ntyped\n")
        assert result.err == b"one\ntwo\nthree\nfour\n", result
        assert box.read("artifacts/out/one") == b"1\n"
        assert box.read("mapped")[4096:4101] == b"hello"


@test
def what_the_teardown_writes_through_a_mapping_is_on_the_host():
    with Sandbox() as box:
        expect(run(box, "--teardown", map_in_the_background(box), "--", "true"), 0)
        assert box.read("mapped")[4096:4101] == b"hello"


if __name__ == "__main__":
    main()
