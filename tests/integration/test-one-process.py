#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs that share one process, as those of a suite do."""

import os
import subprocess

from harness import Sandbox, kernel, main, test


@test
def twenty_runs_leave_no_memory_and_no_descriptor_behind():
    with Sandbox() as box:
        done = subprocess.run([os.environ["MAYFLY_SOAK_RUNS"], kernel(), "20"], env=box.env,
                              cwd=box.work, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=600, check=False)
        assert done.returncode == 0, done.stdout.decode()
        box.assert_nothing_left()


if __name__ == "__main__":
    main()
