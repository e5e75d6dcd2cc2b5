#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs that share one process, as those of a suite do."""

import os
import subprocess

from harness import Sandbox, kernel, main, test


# Valgrind keeps so many bytes of what was freed, to catch who still uses it: fewer than the process
# may grow by.
VALGRIND = ("valgrind", "--quiet", "--error-exitcode=99", "--leak-check=full",
            "--show-leak-kinds=definite,indirect", "--errors-for-leak-kinds=definite,indirect",
            "--freelist-vol=500000")


def run_twenty(*under):
    with Sandbox() as box:
        done = subprocess.run([*under, os.environ["MAYFLY_SOAK_RUNS"], kernel(), "20"], env=box.env,
                              cwd=box.work, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=600, check=False)
        assert done.returncode == 0, done.stdout.decode()
        box.assert_nothing_left()


@test
def twenty_runs_leave_no_memory_and_no_descriptor_behind():
    run_twenty()


@test
def valgrind_finds_neither_leaks_nor_errors_in_twenty_runs():
    run_twenty(*VALGRIND)


if __name__ == "__main__":
    main()
