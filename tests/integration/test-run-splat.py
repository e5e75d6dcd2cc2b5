#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the guest's kernel complains of is part of the verdict, whatever the command did."""

import os

from harness import Sandbox, expect, kernel, main, test

# Has a program killed for want of memory, by a limit of its own.
STARVE = ("echo +memory >/sys/fs/cgroup/cgroup.subtree_control; mkdir /sys/fs/cgroup/poor && "
          "echo 8M >/sys/fs/cgroup/poor/memory.max && "
          "sh -c 'echo $$ >/sys/fs/cgroup/poor/cgroup.procs; head -c 64M /dev/zero | tail' >/dev/null; "
          "exit 3")

# The words of an oops that the command survives, said where the kernel says its own.
OOPS = ("for line in 'BUG: kernel NULL pointer dereference, address: 0000000000000008' "
        "'Oops: 0000 [#1] PREEMPT SMP' 'RIP: 0010:probe_read+0x4/0x20 [probe]' "
        "'---[ end trace 0000000000000000 ]---'; do echo \"$line\" >/dev/kmsg; done; echo survived")


@test
def a_process_killed_for_want_of_memory_is_told_and_the_status_kept():
    with Sandbox() as box:
        result = box.run("run", "-k", kernel(), "--", STARVE)
        expect(result, 3, err="The guest's kernel warned: .* invoked oom-killer:")


@test
def the_same_fails_the_run_by_rule():
    with Sandbox() as box:
        result = box.run("run", "-k", kernel(), "--splat", "fail", "--", STARVE)
        expect(result, 125, err="invoked oom-killer:")
        assert b"Call Trace:" in result.err, "the report is not shown"


@test
def an_oops_that_the_command_survives_still_fails_the_run():
    with Sandbox() as box:
        result = box.run("run", "-k", kernel(), "--", OOPS)
        expect(result, 125, out=b"survived\n",
               err="says that it is broken: BUG: kernel NULL pointer dereference")
        assert b"probe_read+0x4" in result.err, "the report is not shown"


@test
def a_pattern_allows_what_is_known():
    with Sandbox() as box:
        with open(os.path.join(box.work, "known"), "w") as file:
            file.write("# fixed upstream\nNULL pointer dereference, address: 0+8\n")
        result = box.run("run", "-k", kernel(), "--splat-allow", "known", "--", OOPS)
        expect(result, 0, out=b"survived\n")
        assert result.err == b"", result.err


@test
def a_missing_file_of_patterns_fails_before_anything_runs():
    with Sandbox() as box:
        result = box.run("run", "-k", kernel(), "--splat-allow", "missing", "--", "touch ran")
        assert result.status != 0 and b"missing" in result.err, result
        assert not os.path.exists(os.path.join(box.work, "ran"))


if __name__ == "__main__":
    main()
