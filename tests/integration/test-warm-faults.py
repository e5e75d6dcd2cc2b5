#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Saved machines and what can go wrong with them: every run still gives the right result."""

import glob
import hashlib
import os
import re
import shutil
import signal
import time

from harness import expect, kernel, main, patient_test, test
from warmbox import Warm, fill_disk, small_disk, was_restored, was_saved


def damage(path, how):
    size = os.path.getsize(path)
    with open(path, "r+b") as file:
        if how == "truncate":
            file.truncate(size // 2)
        else:
            file.seek(size // 2)
            byte = file.read(1)[0]
            file.seek(size // 2)
            file.write(bytes([byte ^ 1]))


@test
def damage_to_a_saved_machine_never_reaches_a_run():
    with Warm() as box:
        box.expect_right()
        for name, how in (("state", "truncate"), ("state", "flip"), ("ram", "truncate"),
                          ("ram", "flip")):
            damage(os.path.join(box.only(), name), how)
            result = box.expect_right()
            assert b"saved machine is removed" in result.err, result
            assert was_saved(result), result


@test
def a_state_that_qemu_refuses_ends_in_a_cold_boot():
    with Warm() as box:
        box.expect_right()
        directory = box.only()
        path = os.path.join(directory, "state")
        with open(path, "r+b") as file:
            file.truncate(1000)
        with open(path, "rb") as file:
            sum = hashlib.sha256(file.read()).hexdigest()
        manifest = os.path.join(directory, "manifest.json")
        with open(manifest) as file:
            text = file.read()
        text = re.sub(r'("state":\s*{\s*"size":\s*)\d+(,\s*"sha256":\s*")[0-9a-f]+',
                      rf"\g<1>1000\g<2>{sum}", text)
        with open(manifest, "w") as file:
            file.write(text)
        result = box.expect_right()
        assert b"this run boots" in result.err, result
        assert not was_restored(result) and not box.saved(), result
        assert was_saved(box.expect_right())


def has_got_to(box, name):
    """Whether the machine is being saved as far as that file, or is saved."""
    return any(os.path.getsize(path) for path in glob.glob(os.path.join(box.warm, "*", name))
               if os.path.exists(path))


@test
def a_killed_builder_leaves_nothing_that_is_trusted():
    with Warm() as box:
        process = box.start("run", "-k", kernel("small"), "--", "true")
        deadline = time.monotonic() + 60
        while not glob.glob(os.path.join(box.warm, "*.building", "ram")):
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert not box.saved()
        result = box.expect_right()
        assert was_saved(result), result
        assert not glob.glob(os.path.join(box.warm, "*.building"))


def took(log, phase):
    """The milliseconds that a phase took."""
    return float(re.search(rf"{phase} took ([0-9.]+) ms".encode(), log).group(1))


@test
def two_first_runs_share_one_saved_machine():
    with Warm() as box:
        # Each unpacks the kernel and makes the initramfs; they still mean the same machine.
        box.forget_kernels()
        processes = [box.start("run", "-vv", "-k", kernel("small"), "--timeline", f"{n}.svg", "--",
                               "echo right") for n in range(2)]
        ended = [process.communicate(timeout=200) + (process.returncode,) for process in processes]
        assert [(out, status) for out, _, status in ended] == [(b"right\n", 0)] * 2
        assert sum(b"saved the machine" in err for _, err, _ in ended) == 1, ended
        assert sum(b"Another run is saving" in err for _, err, _ in ended) == 1, ended
        assert all(b"restored" in err for _, err, _ in ended), ended
        box.only()
        # The one that waited says so, and does not call it the launch of QEMU.
        waited = [err for _, err, _ in ended if b"waiting took" in err]
        assert len(waited) == 1, ended
        assert took(waited[0], "waiting") > took(waited[0], "launch"), waited
        assert sum(">waiting<" in open(os.path.join(box.work, f"{n}.svg")).read()
                   for n in range(2)) == 1


@test
def a_builder_killed_at_any_point_of_saving_leaves_nothing_that_is_trusted():
    for name in ("state", "manifest.json"):
        with Warm() as box:
            process = box.start("run", "-k", kernel("small"), "--", "echo right")
            while process.poll() is None and not has_got_to(box, name):
                time.sleep(0.001)
            process.kill()
            process.communicate()
            # Killed between two writes or behind the last: what is there is whole, or not there.
            there = len(box.saved())
            result = box.expect_right()
            assert was_restored(result) and was_saved(result) == (not there), (name, result)
            assert not glob.glob(os.path.join(box.warm, "*.building"))
            box.only()


@test
def an_interrupted_first_run_leaves_nothing():
    with Warm() as box:
        process = box.start("run", "-k", kernel("small"), "--", "true")
        while not glob.glob(os.path.join(box.warm, "*.building", "ram")):
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
        assert process.returncode == 128 + signal.SIGTERM
        assert not os.listdir(box.warm), os.listdir(box.warm)


@test
def a_cache_that_cannot_be_written_means_a_cold_boot():
    with Warm() as box:
        with open(box.warm, "w"):
            pass
        result = box.expect_right()
        assert not was_restored(result) and b"this run boots" in result.err, result
        assert b"is removed" not in result.err, result


@test
def a_disk_that_fills_up_while_a_machine_is_saved_means_a_cold_boot():
    with Warm() as box, small_disk(box, "300M"):
        options = ("run", "-v", "-m", "256M", "-k", kernel("small"), "--", "echo right")
        process = box.start(*options)
        while process.poll() is None and not glob.glob(os.path.join(box.warm, "*.building", "ram")):
            time.sleep(0.001)
        filler = fill_disk(box)
        out, err = process.communicate(timeout=200)
        assert (process.returncode, out) == (0, b"right\n"), err
        assert b"this run boots" in err and b"restored" not in err, err
        assert not box.saved()
        # What it took is free again, and with room for it a machine is saved.
        os.remove(filler)
        result = box.run(*options)
        expect(result, 0, out=b"right\n")
        assert was_saved(result), result


@test
def a_disk_without_room_for_the_memory_means_a_cold_boot():
    with Warm() as box, small_disk(box, "100M"):
        result = box.expect_right(options=["-m", "256M"])
        assert b"has no room" in result.err and not was_restored(result), result
        assert not os.listdir(box.warm), os.listdir(box.warm)


class OwnQemu:
    """A program in QEMU's place, which can be another one from one run to the next."""

    def __init__(self, box):
        self.path = os.path.join(box.directory, "qemu-system-x86_64")
        self.options = ["--qemu", self.path]
        self.replace()

    def replace(self, line=""):
        temporary = self.path + ".new"
        with open(temporary, "w") as file:
            file.write(f'#!/bin/sh\n{line}\nexec {shutil.which("qemu-system-x86_64")} "$@"\n')
        os.chmod(temporary, 0o755)
        os.rename(temporary, self.path)


@test
def a_qemu_that_was_replaced_restores_nothing_of_the_one_before():
    with Warm() as box:
        qemu = OwnQemu(box)
        assert was_saved(box.expect_right(options=qemu.options))
        assert was_restored(box.expect_right(options=qemu.options))
        qemu.replace()
        result = box.expect_right(options=qemu.options)
        assert was_saved(result) and len(box.saved()) == 2, result


@test
def a_qemu_of_another_version_under_the_same_identity_restores_nothing():
    with Warm() as box:
        box.expect_right()
        manifest = os.path.join(box.only(), "manifest.json")
        with open(manifest) as file:
            text = file.read()
        with open(manifest, "w") as file:
            file.write(re.sub(r'("qemu-version":\s*")[^"]+', r"\g<1>6.1.0", text))
        result = box.expect_right()
        assert b"another version of QEMU saved it" in result.err, result
        assert not was_restored(result) and not box.saved(), result


@patient_test
def a_qemu_that_hangs_instead_of_restoring_ends_in_a_cold_boot():
    with Warm() as box:
        qemu = OwnQemu(box)
        # Known by its identity: it hangs when a file tells it to, and is the same program before.
        hang = os.path.join(box.directory, "hang")
        qemu.replace(f'case "$*" in *-incoming*) [ -e {hang} ] && exec sleep 1000;; esac')
        assert was_saved(box.expect_right(options=qemu.options))
        with open(hang, "w"):
            pass
        result = box.expect_right(options=qemu.options)
        assert b"this run boots" in result.err and not was_restored(result), result
        assert not box.saved()


if __name__ == "__main__":
    main()
