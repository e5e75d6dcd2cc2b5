#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Programs in the guest that tell mayfly of their scenario: the watchdog, metrics, a log, snapshots."""

import os
import re

from harness import Sandbox, expect, expect_sentence, kernel, main, test

TELL = r"""
set -e
mayfly-guest frame start
mayfly-guest frame log "a line"
mayfly-guest frame metric ops 12.5 --unit 1/s --polarity higher
mayfly-guest frame snapshot console >/mnt/mayfly/console
mayfly-guest frame snapshot state before
mayfly-guest frame snapshot memory
if mayfly-guest frame snapshot memory; then exit 9; fi
if setpriv --reuid 65534 --clear-groups mayfly-guest frame snapshot watch; then exit 8; fi
mayfly-guest frame end
echo all done
"""


@test
def a_guest_tells_of_its_scenario_and_gets_the_snapshots_it_is_allowed():
    with Sandbox() as box:
        result = box.run("run", "-k", kernel("small"), "--memory", "256M", "--watchdog", "60s",
                         "--snapshots", "2", "--crash-dir", "kept", "--", TELL)
        expect(result, 0, out=b"snapshot-1.state\nsnapshot-2.kdump\nall done\n",
               err=r"^a line\n.*All snapshots that this run allows are taken\..*"
                   r"mayfly cannot watch for a change of memory\..*"
                   r"The machine's state that the guest asked for \(tag 'before'\) is in '[^']*kept/"
                   r"snapshots/snapshot-1\.state'\..*memory that the guest asked for is in '[^']*kept/"
                   r"snapshots/snapshot-2\.kdump' \(kdump, .*asked for, 1 were beyond the 2 ")
        directory = os.path.join(box.work, "kept", "snapshots")
        assert sorted(os.listdir(directory)) == ["snapshot-1.state", "snapshot-2.kdump"]
        with open(os.path.join(directory, "snapshot-1.state")) as file:
            assert re.search(r"# info registers -a\n.*\bRIP=", file.read(), re.S)
        with open(os.path.join(directory, "snapshot-2.kdump"), "rb") as file:
            assert file.read(12) == b"makedumpfile" and os.fstat(file.fileno()).st_size > 1 << 20
        assert re.fullmatch(rb"The console is at byte \d+\.\n", box.read("console"))


@test
def a_scenario_that_does_not_end_is_killed_by_its_watchdog_and_a_pause_does_not_count():
    with Sandbox() as box:
        result = box.run("run", "-k", kernel("small"), "--watchdog", "3s",
                         "--teardown", "echo cleaned up", "--",
                         "mayfly-guest frame start; mayfly-guest frame pause; sleep 4; "
                         "mayfly-guest frame resume; echo going on; sleep 600")
        expect(result, 124, out=b"going on\n",
               err=r"cleaned up\n.*mayfly: The scenario did not end within 3s, its watchdog's time: "
                   r"it was running, [7-9]\.\d+s|\d\ds")


@test
def the_program_is_in_the_path_whatever_the_root_is():
    with Sandbox() as box:
        empty = box.make("empty")
        own = box.make("own")
        for name in ("dev", "mnt", "proc", "run", "sys", "tmp"):
            os.mkdir(os.path.join(own, name))
        for root, mode in ((empty, "overlay"), (own, "ro"), (own, "rw")):
            result = box.run("run", "-k", kernel("small"), "--root", root, "--root-mode", mode,
                             "--workdir", "/", "--", "mayfly-guest", "frame", "log", mode)
            expect(result, 0, out=b"", err=f"^{mode}\n$")
        assert not os.listdir(empty) and not os.listdir(os.path.join(own, "run"))


@test
def a_wrong_number_of_snapshots_or_watchdog_is_refused():
    with Sandbox() as box:
        for words, pattern in ((("--snapshots", "1001"), "1001"), (("--snapshots", "x"), "'x'"),
                               (("--watchdog", "soon"), "'soon'")):
            expect_sentence(box.run("run", *words, "--", "true"), 2, pattern)


if __name__ == "__main__":
    main()
