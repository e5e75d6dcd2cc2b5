#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The manual page of the config file, as groff shows it: manual.py PAGE."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "qapi" / "gen"), str(ROOT / "tests")]
sys.dont_write_bytecode = True

import tap  # noqa: E402
from check import check  # noqa: E402
from parse import Position, parse_file  # noqa: E402

PAGE = sys.argv.pop(1)
SCHEMA = str(ROOT / "qapi" / "config.json")


@unittest.skipUnless(shutil.which("groff"), "there is no groff on this host")
class ManualTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.result = subprocess.run(
            ["groff", "-man", "-ww", "-Tutf8", "-Kutf8", "-P-cbou", "-rHY=0", PAGE],
            capture_output=True, text=True, encoding="utf-8", timeout=60, check=False)
        cls.words = " ".join(cls.result.stdout.split())

    def test_page_is_shown_without_a_warning(self) -> None:
        self.assertEqual((self.result.returncode, self.result.stderr), (0, ""))

    def test_every_key_and_its_sentence_is_on_the_page(self) -> None:
        schema = check(parse_file(SCHEMA), Position(SCHEMA, 1))
        tables = {member.shape.type.name: member.key for struct in schema.structs
                  for member in struct.members if member.key}
        hidden = {(member.shape.type.name, member.value) for struct in schema.structs
                  for member in struct.members if member.value}
        for struct in schema.structs:
            for member in struct.members:
                if tables.get(struct.name) == member.name or (struct.name, member.name) in hidden:
                    continue
                self.assertRegex(self.words, rf"(^|[ .]){re.escape(member.name)} - ", member.name)
                self.assertIn(" ".join(member.doc.split()), self.words)
        for enum in schema.enums:
            for value in enum.values:
                self.assertIn(f'"{value.name}" {value.doc[0].upper()}{value.doc[1:]}.', self.words)

    def test_defaults_ranges_and_choices_are_on_the_page(self) -> None:
        for text in ('vm.num_cpus - integer from 1 to 255, default 2',
                     'vm.memory - size, default "1G"',
                     'vm.mounts."KEY".writable - true or false, default false',
                     'disks[].path - path', 'env - table of texts',
                     'command - text or array of texts', '"ro" They fail.'):
            self.assertIn(text, self.words)


if __name__ == "__main__":
    tap.main()
