#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What an installation puts where, below a DESTDIR: test-install.py BUILD_DIRECTORY."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import tap  # noqa: E402

BUILD = sys.argv.pop(1)

FILES = (
    "bin/mayfly",
    "libexec/mayfly/mayfly-guest",
    "share/bash-completion/completions/mayfly",
    "share/fish/vendor_completions.d/mayfly.fish",
    "share/man/man1/mayfly.1",
    "share/man/man5/mayfly.toml.5",
    "share/man/man8/mayfly-guest.8",
    "share/mayfly/mayfly-compare.schema.json",
    "share/mayfly/mayfly-doctor.schema.json",
    "share/mayfly/mayfly-grid.schema.json",
    "share/mayfly/mayfly-result.schema.json",
    "share/zsh/site-functions/_mayfly",
)


class InstallTest(unittest.TestCase):
    def test_everything_is_installed_below_the_destdir_and_the_program_runs_there(self):
        options = {option["name"]: option["value"] for option in json.loads(subprocess.run(
            ["meson", "introspect", "--buildoptions", BUILD], capture_output=True, check=True,
            timeout=60).stdout)}
        with tempfile.TemporaryDirectory() as destination:
            done = subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--destdir",
                                   destination], capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            prefix = pathlib.Path(destination + options["prefix"])
            found = {str(path.relative_to(prefix)) for path in prefix.rglob("*") if path.is_file()}
            self.assertEqual(found, set(FILES))
            shown = subprocess.run([prefix / "bin" / "mayfly", "--version"], capture_output=True,
                                   text=True, timeout=60, check=True)
            self.assertRegex(shown.stdout, r"^mayfly \d")


if __name__ == "__main__":
    tap.main()
