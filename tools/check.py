#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs meson's tests and ends with one line a person or a program can read:

    143 passed, 0 failed, 2 skipped

What is counted is the cases inside each test program (TAP), so that one program that dies half
way does not hide behind those that passed. The exit status is 0 only if nothing failed.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys

TOOLS = pathlib.Path(__file__).resolve().parent
CASE = re.compile(r'^(not )?ok\b(?:(?!#).)*(?:#\s*(skip|todo)\b)?', re.IGNORECASE)
BAD = ('FAIL', 'TIMEOUT', 'INTERRUPT', 'ERROR', 'UNEXPECTEDPASS')


def count_cases(record):
    """(passed, failed, skipped) of one line of meson's log."""
    cases = [CASE.match(line) for line in (record.get('stdout') or '').splitlines()]
    cases = [case for case in cases if case]
    skipped = sum(1 for case in cases if case.group(2))
    failed = sum(1 for case in cases if case.group(1) and not case.group(2))
    passed = len(cases) - skipped - failed
    if record['result'] in BAD:
        return passed, max(failed, 1), skipped
    if not cases:
        return (0, 0, 1) if record['result'] == 'SKIP' else (1, 0, 0)
    return passed, failed, skipped


def summarise(log):
    """Adds up the cases of a whole testlog.json."""
    totals = [0, 0, 0]
    with open(log, encoding='utf-8', errors='replace') as lines:
        for line in lines:
            for index, number in enumerate(count_cases(json.loads(line))):
                totals[index] += number
    return totals


def closing_line(passed, failed, skipped):
    line = f'{passed} passed, {failed} failed'
    return line + (f', {skipped} skipped' if skipped else '')


def provide(script, things):
    """The directory that a script of this one makes things for the tests in."""
    found = subprocess.run([TOOLS / script], stdout=subprocess.PIPE, text=True,
                           stdin=subprocess.DEVNULL, check=False)
    if found.returncode != 0:
        sys.exit(f'check: the {things} are missing (see above), so the VM tests cannot run.')
    return found.stdout.strip()


def test_environment():
    """The tests' environment: the caller's and what the VMs boot."""
    return dict(os.environ, MAYFLY_TEST_KERNELS=provide('test-kernels.sh', 'test kernels'),
                MAYFLY_TEST_IMAGES=provide('test-images.sh', 'test images'))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('build', help='the build directory')
    parser.add_argument('--verbose', action='store_true', help='show the output of every test')
    parser.add_argument('meson', nargs='*', help='further arguments for meson test, after --')
    options = parser.parse_args()

    log = pathlib.Path(options.build, 'meson-logs', 'testlog.json')
    log.unlink(missing_ok=True)
    command = ['meson', 'test', '-C', options.build, '--no-rebuild',
               '--verbose' if options.verbose else '--print-errorlogs', *options.meson]
    status = subprocess.run(command, env=test_environment(), stdin=subprocess.DEVNULL,
                            check=False).returncode
    if not log.exists():
        sys.exit(f'check: meson ran no tests (status {status}).')

    passed, failed, skipped = summarise(log)
    if status != 0:
        failed = max(failed, 1)
    print(closing_line(passed, failed, skipped), flush=True)
    sys.exit(1 if failed or not passed else 0)


if __name__ == '__main__':
    main()
