# SPDX-License-Identifier: Apache-2.0
"""unittest with TAP on stdout, for meson: call tap.main() at the end of a test file.

A test's name in the report is its method's, so a method says the behaviour that it pins.
Arguments select tests by a part of their names.
"""

import sys
import unittest


class TapResult(unittest.TestResult):
    """One TAP line per test, with the reason of a failure as comments below it."""

    def _line(self, word, test, remark=''):
        name = ' '.join(test.id().split('.')[1:])
        print(f'{word} {self.testsRun} - {name}{remark}', flush=True)

    def addSuccess(self, test):
        super().addSuccess(test)
        self._line('ok', test)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._line('ok', test, f' # SKIP {reason}')

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._report(test, self.failures)

    def addError(self, test, err):
        super().addError(test, err)
        self._report(test, self.errors)

    def _report(self, test, reasons):
        self._line('not ok', test)
        for line in reasons[-1][1].splitlines():
            print(f'# {line}', flush=True)


def _flatten(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from _flatten(test)
        else:
            yield test


def main():
    module = sys.modules['__main__']
    tests = list(_flatten(unittest.defaultTestLoader.loadTestsFromModule(module)))
    if sys.argv[1:]:
        tests = [test for test in tests if any(part in test.id() for part in sys.argv[1:])]
    print(f'1..{len(tests)}', flush=True)
    result = TapResult()
    unittest.TestSuite(tests).run(result)
    sys.exit(0 if tests and result.wasSuccessful() else 1)
