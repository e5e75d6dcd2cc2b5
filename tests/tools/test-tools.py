#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of the scripts in tools/: a summary that cannot hide a failure, and honest deps."""

import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

TESTS = pathlib.Path(__file__).resolve().parents[1]
TOOLS = TESTS.parent / 'tools'
sys.path.insert(0, str(TESTS))
import tap

spec = importlib.util.spec_from_file_location('check', TOOLS / 'check.py')
check = importlib.util.module_from_spec(spec)
spec.loader.exec_module(check)


def record(result, stdout=''):
    return {'result': result, 'stdout': stdout}


class CountCases(unittest.TestCase):
    def test_every_case_of_a_program_counts(self):
        tap = 'TAP version 13\nok 1 /a\nok 2 - b\n# ok, a remark\nok 3 # SKIP no kvm\n1..3\n'
        self.assertEqual(check.count_cases(record('OK', tap)), (2, 0, 1))

    def test_failed_cases_count_one_by_one(self):
        tap = '1..3\nnot ok 1 /a\nok 2 /b\nnot ok 3 /c\n'
        self.assertEqual(check.count_cases(record('FAIL', tap)), (1, 2, 0))

    def test_a_program_that_dies_after_its_cases_has_failed(self):
        self.assertEqual(check.count_cases(record('ERROR', '1..2\nok 1 /a\nok 2 /b\n')), (2, 1, 0))

    def test_a_timeout_has_failed(self):
        self.assertEqual(check.count_cases(record('TIMEOUT', '1..2\nok 1 /a\n')), (1, 1, 0))

    def test_a_program_without_cases_is_one(self):
        self.assertEqual(check.count_cases(record('OK')), (1, 0, 0))
        self.assertEqual(check.count_cases(record('SKIP')), (0, 0, 1))
        self.assertEqual(check.count_cases(record('FAIL')), (0, 1, 0))

    def test_an_expected_failure_is_not_a_failure(self):
        self.assertEqual(check.count_cases(record('OK', '1..1\nnot ok 1 /a # todo\n')), (0, 0, 1))

    def test_the_closing_line_names_skipped_cases_only_if_there_are_any(self):
        self.assertEqual(check.closing_line(3, 0, 0), '3 passed, 0 failed')
        self.assertEqual(check.closing_line(3, 1, 2), '3 passed, 1 failed, 2 skipped')


class Deps(unittest.TestCase):
    """tools/deps.sh with a PATH on which little is found."""

    def run_deps(self, directory, *names):
        """Runs deps.sh where only the shell's own needs and the given commands exist."""
        for name in ('sh', 'id', 'cat', 'grep', 'sort', 'tr'):
            for place in ('/usr/bin', '/bin'):
                if os.path.exists(f'{place}/{name}') and not (directory / name).exists():
                    (directory / name).symlink_to(f'{place}/{name}')
        for name in names:
            (directory / name).write_text('#!/bin/sh\nexit 1\n', encoding='ascii')
            (directory / name).chmod(0o755)
        text = (TOOLS / 'deps.sh').read_text(encoding='ascii')
        # The host's sbin would make this test depend on what is installed there.
        text = text.replace('PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin', '')
        return subprocess.run(['/bin/sh', '-c', text, 'deps.sh', 'build'], check=False, text=True,
                              env={'PATH': str(directory)}, stdin=subprocess.DEVNULL,
                              capture_output=True)

    def test_other_package_managers_get_a_list_in_their_own_names(self):
        with tempfile.TemporaryDirectory() as directory:
            done = self.run_deps(pathlib.Path(directory), 'dnf', 'meson')
        self.assertEqual(done.returncode, 1)
        self.assertIn('    dnf install ', done.stderr)
        self.assertIn(' json-c-devel ', done.stderr)
        self.assertNotIn(' meson ', done.stderr)

    def test_a_host_without_a_package_manager_gets_a_list(self):
        with tempfile.TemporaryDirectory() as directory:
            done = self.run_deps(pathlib.Path(directory))
        self.assertEqual(done.returncode, 1)
        self.assertIn(' meson ', done.stderr)

    def test_a_failing_installation_fails(self):
        with tempfile.TemporaryDirectory() as directory:
            done = self.run_deps(pathlib.Path(directory), 'apt-get', 'sudo')
        self.assertNotEqual(done.returncode, 0)
        self.assertIn('Installing what is missing: ', done.stdout)
        self.assertIn(' libjson-c-dev ', done.stdout)


class GuestLibs(unittest.TestCase):
    """tools/guest-libs.sh, as the build and a person call it."""

    def run_script(self, cache, *arguments):
        return subprocess.run([TOOLS / 'guest-libs.sh', *arguments], check=False, text=True,
                              env={**os.environ, 'MAYFLY_GUEST_LIBS': cache},
                              stdin=subprocess.DEVNULL, capture_output=True)

    def test_only_a_complete_set_of_libraries_is_found(self):
        with tempfile.TemporaryDirectory() as cache:
            lib = pathlib.Path(cache) / 'aarch64' / 'lib'
            lib.mkdir(parents=True)
            (lib / 'libz.a').touch()
            self.assertEqual(self.run_script(cache, '--find', 'aarch64').returncode, 1)
            (lib / 'libjson-c.a').touch()
            done = self.run_script(cache, '--find', 'aarch64')
        self.assertEqual((done.returncode, done.stdout), (0, f'{cache}/aarch64\n'))

    def test_an_unknown_architecture_is_refused(self):
        with tempfile.TemporaryDirectory() as cache:
            done = self.run_script(cache, 'vax')
            self.assertEqual(os.listdir(cache), ['lock'])
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr, "guest-libs: 'vax' is not aarch64 or riscv64.\n")

    def test_what_is_there_is_not_built_again(self):
        with tempfile.TemporaryDirectory() as cache:
            lib = pathlib.Path(cache) / 'riscv64' / 'lib'
            lib.mkdir(parents=True)
            (lib / 'libz.a').touch()
            (lib / 'libjson-c.a').touch()
            done = self.run_script(cache, 'riscv64')
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, '', ''))


if __name__ == '__main__':
    tap.main()
