#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Generated C is laid out as clang-format would: format.py STYLE FILE..."""

import shutil
import subprocess
import sys

SKIPPED = 77
VERSION = " version 14."


def main() -> int:
    style, *files = sys.argv[1:]
    if not shutil.which("clang-format"):
        print("skipped: there is no clang-format on this host")
        return SKIPPED
    version = subprocess.run(["clang-format", "--version"], capture_output=True, text=True,
                             check=True).stdout
    if VERSION not in version:
        print("skipped: the style is that of clang-format 14, and this host's is another")
        return SKIPPED
    return subprocess.run(["clang-format", f"--style=file:{style}", "--dry-run", "-Werror", *files],
                          check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
