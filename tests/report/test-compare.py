#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""'mayfly compare' as it is called: on results that the recorded suite gives, changed here.

MAYFLY is the program, MAYFLY_REPLAY plays the suite, MAYFLY_SOURCE is the root of the sources.
"""

import copy
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ['MAYFLY_SOURCE'])
sys.path.append(str(SOURCE / 'tests'))
sys.dont_write_bytecode = True

import tap  # noqa: E402

from schema import Schema  # noqa: E402

MAYFLY = os.environ['MAYFLY']


def run(*words):
    return subprocess.run([MAYFLY, 'compare', *words], check=False, text=True, timeout=60,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


class CompareTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.base = json.loads(subprocess.run(
            [os.environ['MAYFLY_REPLAY'], '--silent', '--report', 'json=-'], check=True,
            stdout=subprocess.PIPE, timeout=60).stdout)
        cls.base['interrupted'] = None

    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix='mayfly-')
        self.addCleanup(scratch.cleanup)
        self.directory = pathlib.Path(scratch.name)
        self.old = self.write('old.json', self.base)

    def write(self, name, document):
        path = self.directory / name
        path.write_text(json.dumps(document), encoding='utf-8')
        return str(path)

    def scaled(self, name, factor):
        """The result with the values of fio's metric 'name' that many times as large."""
        document = copy.deepcopy(self.base)
        for payload in document['cases'][0]['payloads']:
            for metric in payload['metrics']:
                if metric['name'] == name:
                    metric['value'] *= factor
        return self.write('new.json', document)

    def test_the_same_result_is_the_same_in_each_metric(self):
        done = run('--fail-on-worse', self.old, self.old)
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        self.assertTrue(done.stdout.endswith(
            '4 metrics: 4 same. 1 more has neither unit nor polarity (--all shows it).\n'))
        self.assertTrue(run('--all', self.old, self.old).stdout.endswith('5 metrics: 5 same.\n'))

    def test_what_is_worse_fails_only_where_that_was_asked_for(self):
        new = self.scaled('iops', 0.9)
        done = run(self.old, new)
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        self.assertRegex(done.stdout, r'passes +fio\.iops +1000\.5 \+- 10\.5 1/s '
                                      r'+900\.45 \+- 9\.45 1/s +-10\.0 % +worse\n')
        self.assertEqual(run('--fail-on-worse', self.old, new).returncode, 1)
        self.assertEqual(run('--fail-on-worse', new, self.old).returncode, 0)
        self.assertIn(' better\n', run(new, self.old).stdout)

    def test_a_threshold_hides_what_is_less(self):
        new = self.scaled('iops', 0.9)
        for threshold in '11', '11%', '10.5':
            done = run('--fail-on-worse', '--threshold', threshold, self.old, new)
            self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(run('--fail-on-worse', '--threshold=9', self.old, new).returncode, 1)

    def test_a_metric_that_is_gone_fails_too(self):
        document = copy.deepcopy(self.base)
        for payload in document['cases'][0]['payloads']:
            payload['metrics'] = []
        done = run('--fail-on-worse', self.old, self.write('new.json', document))
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r'fio\.iops .* - +missing\n')

    def test_a_metric_that_one_repetition_lost_fails_too(self):
        document = copy.deepcopy(self.base)
        lost = document['cases'][0]['payloads'][1]
        lost['metrics'] = [metric for metric in lost['metrics'] if metric['name'] != 'iops']
        new = self.write('new.json', document)
        done = run('--fail-on-worse', self.old, new)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r'fio\.iops .*\(2 of 3\) .* partial\n')
        self.assertEqual(run('--fail-on-worse', new, self.old).returncode, 0)

    def test_a_target_of_one_side_is_said(self):
        document = copy.deepcopy(self.base)
        del document['cases'][0]
        new = self.write('new.json', document)
        done = run('--fail-on-worse', self.old, new)
        self.assertEqual(done.returncode, 1)
        self.assertIn("Only the old result has the target 'passes'.\n", done.stdout)
        self.assertIn("Only the new result has the target 'passes'.\n", run(new, self.old).stdout)

    def test_json_keeps_to_its_schema(self):
        path = SOURCE / 'data' / 'mayfly-compare.schema.json'
        schema = Schema(json.loads(path.read_text(encoding='utf-8')))
        document = copy.deepcopy(self.base)
        document['cases'] = document['cases'][1:]
        for words in ((self.old, self.old), (self.old, self.scaled('iops', 0.5)),
                      (self.old, self.write('less.json', document)),
                      (self.write('less.json', document), self.old)):
            schema.validate(json.loads(run('--json', *words).stdout))
        changes = json.loads(run('--json', self.old, self.scaled('iops', 0.5)).stdout)
        iops = next(metric for metric in changes['metrics'] if metric['name'] == 'iops')
        self.assertEqual(iops, {
            'target': 'passes', 'payload': 'fio', 'name': 'iops', 'unit': '1/s',
            'polarity': 'higher', 'verdict': 'worse', 'change': -0.5, 'noise': 15.75,
            'old': {'median': 1000.5, 'spread': 10.5, 'repetitions': 3,
                    'values': [1000.5, 1010, 990]},
            'new': {'median': 500.25, 'spread': 5.25, 'repetitions': 3,
                    'values': [500.25, 505, 495]}})
        self.assertIs(changes['worse'], True)

    def test_markdown_is_a_table(self):
        text = run('--markdown', self.old, self.scaled('iops', 1.5)).stdout
        self.assertTrue(text.startswith('### Comparison\n\n4 metrics: 3 same, 1 better.'), text)
        self.assertIn('| passes | fio.iops | 1000.5 +- 10.5 1/s | 1500.75 +- 15.75 1/s | +50.0 % | '
                      'better |\n', text)
        self.assertEqual({line.count('|') for line in text.splitlines()
                          if line.startswith('|')}, {7})

    def test_a_result_of_before_there_were_payloads_can_be_compared(self):
        document = copy.deepcopy(self.base)
        for case in document['cases']:
            del case['payloads'], case['metrics']
        done = run(self.write('before.json', document), self.old)
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        self.assertIn('4 metrics: 4 new.', done.stdout)

    def test_what_cannot_be_compared_is_said_in_one_sentence(self):
        broken = copy.deepcopy(self.base)
        broken['cases'][0]['payloads'][0]['metrics'][0]['value'] = 'fast'
        for words, status, message in (
                ((), 2, 'needs two results'),
                ((self.old,), 2, 'needs two results'),
                ((self.old, self.old, 'more'), 2, "does not know what to do with 'more'"),
                (('--json', '--markdown', self.old, self.old), 2, 'choose one'),
                (('--threshold', '-1', self.old, self.old), 2, "'-1' is no threshold"),
                (('--threshold', 'x', self.old, self.old), 2, "'x' is no threshold"),
                (('--threshold', '0x10', self.old, self.old), 2, "'0x10' is no threshold"),
                (('--threshold', '5%%', self.old, self.old), 2, "'5%%' is no threshold"),
                (('--threshold', '', self.old, self.old), 2, "'' is no threshold"),
                ((self.old, str(self.directory / 'absent')), 69, 'absent'),
                ((self.old, self.write('other.json', {})), 2, 'is not the result of a suite'),
                ((self.write('broken.json', broken), self.old), 2,
                 "member 'cases[0].payloads[0].metrics[0].value' is the string 'fast'")):
            done = run(*words)
            self.assertEqual(done.returncode, status, (words, done.stderr))
            self.assertIn(message, done.stderr)
            self.assertEqual(done.stderr.count('\n'), 1, done.stderr)
            self.assertEqual(done.stdout, '')


if __name__ == '__main__':
    tap.main()
