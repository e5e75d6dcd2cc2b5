#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lets every lint find what it is for.

cases/CHECK/ is a small source tree with mistakes (and lookalikes that are none), and
cases/CHECK/expected is what the check of that name has to print about it. With --record the
expected files are written instead of compared.
"""

import difflib
import pathlib
import sys

import lint

CASES = pathlib.Path(__file__).resolve().parent / 'cases'

# Small enough for cases that a reader can take in.
lint.FILE_LINES = 30
lint.FUNCTION_LINES = 6


def run_case(number, check, record):
    """One test case; True if the check printed what was expected."""
    expected = CASES / check / 'expected'
    try:
        output = '\n'.join(lint.findings(check, lint.Tree(CASES / check))) + '\n'
    except lint.MissingTool as error:
        print(f'ok {number} - {check} # SKIP {error}')
        return True
    if record:
        expected.write_text(output, encoding='utf-8')
    wanted = expected.read_text(encoding='utf-8')
    same = output == wanted and wanted.strip() != ''
    print(f'{"ok" if same else "not ok"} {number} - {check} finds the mistakes of its case')
    if not same:
        for line in difflib.unified_diff(wanted.splitlines(), output.splitlines(),
                                         'expected', 'printed', lineterm=''):
            print(f'# {line}')
    return same


def main():
    record = '--record' in sys.argv[1:]
    print(f'1..{len(lint.CHECKS)}')
    results = [run_case(number, check, record) for number, check in enumerate(lint.CHECKS, 1)]
    sys.exit(0 if all(results) else 1)


if __name__ == '__main__':
    main()
