#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The examples of data/examples/payloads with the real programs, in a guest."""

import os
import shutil

from harness import Sandbox, Skip, expect, kernel, main, test

EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "data", "examples",
                        "payloads")


def run(box, name, flavour="small"):
    if not shutil.which(name):
        raise Skip(f"there is no {name} on this host")
    example = shutil.copy(os.path.join(EXAMPLES, f"{name}.toml"), box.work)
    # Each has checks of its metrics.
    expect(box.run("test", "--config", example, "--set", f'kernel="{kernel(flavour)}"'), 0)


@test
def fio_writes_its_own_json():
    with Sandbox() as box:
        run(box, "fio")


@test
def stress_ng_is_held_to_its_share_of_the_processors():
    with Sandbox() as box:
        run(box, "stress-ng", "generic")


@test
def sysbench_and_hackbench_tell_of_their_work_in_text():
    with Sandbox() as box:
        run(box, "sysbench")
        run(box, "hackbench")


if __name__ == "__main__":
    main()
