#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Copies of a saved machine: each is right, no two are alike, and none changes what was saved."""

import json
import os
import time

from harness import Skip, expect, kernel, main, sha256, test
from warmbox import Warm, was_restored, was_saved

SOAK = bool(os.environ.get("MAYFLY_TEST_SOAK"))

# Says what has to differ from copy to copy, then the clocks; and makes marks that must be only in
# the copy that made them.
PROBE = os.path.abspath(os.environ.get("MAYFLY_COPY_PROBE", "build/tests/integration/copy-probe"))
NAMES = ("uuid", "boot id", "urandom", "getrandom", "random bytes of a new program")
# Longer than the boot of any saved machine took.
UPTIME_MAX = 600


def check_copy(out, err, started):
    """The lines that a restored copy has written, which ran between 'started' and now."""
    assert b"restored" in err and b"saved the machine" not in err, err
    lines = out.decode().splitlines()
    now, uptime = float(lines[len(NAMES)]), float(lines[len(NAMES) + 1])
    assert started - 1 <= now <= time.time() + 1, (started, now)
    assert 0 < uptime < UPTIME_MAX, uptime
    return lines


def run_copies(box, command, in_sequence, at_once, times):
    said = []
    for _ in range(in_sequence):
        started = time.time()
        result = box.run(*command)
        expect(result, 0)
        said.append(check_copy(result.out, result.err, started))
    for _ in range(times):
        started = time.time()
        processes = [box.start(*command) for _ in range(at_once)]
        for process in processes:
            out, err = process.communicate(timeout=60 + 20 * at_once)
            assert process.returncode == 0, err
            said.append(check_copy(out, err, started))
    return said


def check_copies(in_sequence, at_once, times=1):
    with Warm() as box:
        command = ("run", "-v", "-k", kernel("small"), "--", PROBE)
        first = box.run(*command)
        expect(first, 0)
        assert was_saved(first) and was_restored(first), first
        ram = os.path.join(box.only(), "ram")
        before = sha256(ram)
        said = run_copies(box, command, in_sequence, at_once, times)
        for index, name in enumerate(NAMES):
            values = [lines[index] for lines in said]
            values.append(first.out.decode().splitlines()[index])
            assert len(set(values)) == len(values), f"{name} repeats: {values}"
        assert sha256(ram) == before, "a copy reached the saved memory"
        box.assert_nothing_left()
        left = sorted(name[64:] for name in os.listdir(box.warm))
        assert left == ["", ".lock"], left


@test
def six_copies_three_at_once_are_right_and_different_as_a_soak_sees_of_a_hundred():
    check_copies(in_sequence=3, at_once=3)


@test
def a_report_has_the_boot_id_of_its_own_copy():
    with Warm() as box:
        ids = []
        for name in ("one.json", "other.json"):
            result = box.run("run", "-k", kernel("small"), "--report", f"json={name}", "--", "cat",
                             "/proc/sys/kernel/random/boot_id")
            expect(result, 0)
            ids.append(json.loads(box.read(name))["cases"][0]["boot_id"])
            assert result.out.decode() == ids[-1] + "\n", (result.out, ids)
        assert ids[0] != ids[1], ids


@test
def a_hundred_copies_sixteen_at_once_are_right_and_different_and_leave_the_memory_as_it_was():
    if not SOAK:
        raise Skip("it takes minutes: make soak runs it, and the test before it in small")
    check_copies(in_sequence=52, at_once=16, times=3)


if __name__ == "__main__":
    main()
