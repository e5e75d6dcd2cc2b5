#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every report names the same outcome for the same case: all of them are made of one recorded
suite (tests/unit/report-fixture.c), read back, and compared.

MAYFLY_REPLAY is the program that plays the suite, MAYFLY_SOURCE the root of the sources.
"""

import base64
import collections
import copy
import html
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

SOURCE = pathlib.Path(os.environ['MAYFLY_SOURCE'])
sys.path.append(str(SOURCE / 'tests'))
sys.dont_write_bytecode = True

import tap  # noqa: E402

from schema import Invalid, Schema  # noqa: E402

REPLAY = os.environ['MAYFLY_REPLAY']

QUOTES = ('"quotes" \'and\' <tags> & a | pipe, `ticks` #hash %25 \\ back\nnewline\ttab: '
          'caf\u00e9 \u6f22\u5b57')
EXPECTED = {
    'passes': 'pass',
    'exits with 3': 'fail',
    'is killed': 'fail',
    'hangs': 'fail',
    'panics': 'fail',
    'has no VM': 'error',
    'is skipped': 'skip',
    'passes when retried': 'pass',
    'writes what no format likes': 'fail',
    QUOTES: 'fail',
    'floods': 'fail',
    'was not started': 'not-run',
}
# As they are in one line.
IN_ONE_LINE = {re.sub(r'[\n\t]', ' ', name): outcome for name, outcome in EXPECTED.items()}


def replay(*arguments, **environment):
    """The standard output of a replay, as bytes."""
    env = {name: value for name, value in os.environ.items()
           if not name.startswith('GITHUB_') and name != 'NO_COLOR'}
    return subprocess.run([REPLAY, *arguments], env=env | environment, check=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE).stdout


class Tap:
    """A TAP 13 stream with TAP 14's sub-tests, read as strictly as the specifications have it."""

    def __init__(self, text):
        self.lines = text.removesuffix('\n').split('\n')
        assert self._take() == 'TAP version 13'
        self.plan = self._read_plan('')
        self.points = []
        self.bail_out = None
        while self.lines:
            assert self.bail_out is None, 'nothing follows a bail out'
            if self.lines[0].startswith('Bail out! '):
                self.bail_out = self._take().removeprefix('Bail out! ')
                continue
            if self.lines[0].startswith('# '):
                self.points[-1]['notes'].append(self._take().removeprefix('# '))
                continue
            nested = self._read_nested()
            point = self._read_point('')
            assert 'name' in point['yaml'], 'every target has its facts'
            self.points.append(point | {'nested': nested})

    def _take(self):
        return self.lines.pop(0)

    def _read_plan(self, indent):
        return int(re.fullmatch(indent + r'1\.\.(\d+)', self._take()).group(1))

    def _read_nested(self):
        if not self.lines[0].startswith('    # Subtest: '):
            return None
        self._take()
        return [self._read_point('    ') for _ in range(self._read_plan('    '))]

    def _read_point(self, indent):
        line = self._take()
        match = re.fullmatch(indent + r'(ok|not ok) (\d+) - ((?:[^#\\]|\\.)*?)'
                             r'(?: # (SKIP|TO' r'DO)(?: (.*))?)?', line)
        assert match, line
        return {
            'ok': match.group(1) == 'ok',
            'number': int(match.group(2)),
            'description': re.sub(r'\\(.)', r'\1', match.group(3)),
            'directive': match.group(4),
            'skip': match.group(5),
            'yaml': self._read_yaml(indent + '  '),
            'notes': [],
        }

    def _read_yaml(self, indent):
        values = {}
        if not self.lines or self.lines[0] != indent + '---':
            return values
        self._take()
        while self.lines[0] != indent + '...':
            key, value = re.fullmatch(indent + r'(\w+): (.*)', self._take()).groups()
            values[key] = json.loads(value)
        self._take()
        return values


class Reports(unittest.TestCase):
    """The files of one replay."""

    @classmethod
    def setUpClass(cls):
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix='mayfly-'))
        cls.addClassCleanup(shutil.rmtree, cls.directory)
        specs = [f'--report={kind}={cls.directory / kind}' for kind in ('json', 'junit', 'tap')]
        replay('--silent', *[part for spec in specs for part in spec.split('=', 1)])
        cls.json = json.loads((cls.directory / 'json').read_text(encoding='utf-8'))
        cls.junit = xml.etree.ElementTree.parse(cls.directory / 'junit').getroot()
        cls.tap = Tap((cls.directory / 'tap').read_text(encoding='utf-8'))

    def junit_cases(self):
        """The test cases of the JUnit report, each with its properties as a dictionary."""
        for case in self.junit.find('testsuite[@name="mayfly"]').iter('testcase'):
            yield case, {item.get('name'): item.get('value') for item in case.iter('property')}

    def tap_by_name(self):
        return {point['yaml']['name']: point for point in self.tap.points}


class Outcomes(Reports):
    def test_json_names_each_outcome(self):
        self.assertEqual({case['name']: case['outcome'] for case in self.json['cases']}, EXPECTED)
        counts = dict(self.json['counts'])
        self.assertEqual(counts.pop('total'), len(EXPECTED))
        for outcome, count in counts.items():
            self.assertEqual(count, list(EXPECTED.values()).count(outcome), outcome)

    def test_junit_names_each_outcome(self):
        found = {}
        for case, properties in self.junit_cases():
            elements = [child.tag for child in case if child.tag in ('failure', 'error', 'skipped')]
            self.assertLessEqual(len(elements), 1)
            word = {'failure': 'fail', 'error': 'error'}.get(elements[0]) if elements else 'pass'
            if elements == ['skipped']:
                self.assertIn(properties['outcome'], ('skip', 'not-run'))
                word = properties['outcome']
            self.assertEqual(properties['outcome'], word)
            found[case.get('name')] = word
        self.assertEqual(found, EXPECTED)

    def test_junit_counts_what_it_has(self):
        for element in [self.junit, *self.junit.iter('testsuite')]:
            self.assertEqual(int(element.get('tests')), len(list(element.iter('testcase'))))
            for name, tag in ('failures', 'failure'), ('errors', 'error'), ('skipped', 'skipped'):
                self.assertEqual(int(element.get(name)), len(list(element.iter(tag))), name)

    def test_tap_names_each_outcome(self):
        self.assertEqual(self.tap.plan, len(EXPECTED))
        self.assertEqual([point['number'] for point in self.tap.points],
                         list(range(1, len(EXPECTED) + 1)))
        found = {}
        for point in self.tap.points:
            outcome = point['yaml']['outcome']
            good = {'pass': (True, False), 'fail': (False, False), 'error': (False, False),
                    'skip': (True, True), 'not-run': (True, True)}[outcome]
            self.assertEqual((point['ok'], point['skip'] is not None), good, point)
            found[point['yaml']['name']] = outcome
        self.assertEqual(found, EXPECTED)
        self.assertEqual({point['description'] for point in self.tap.points}, set(IN_ONE_LINE))
        self.assertEqual(self.tap.bail_out, self.json['interrupted'])

    def assert_lines_name_outcomes(self, text):
        """Of the lines that a person reads, those that begin with an outcome's word."""
        found = {}
        for word, name in re.findall(r'^(?:::group::)?(PASS|FAIL|ERROR|SKIP) +\[ *\d+/12\] (.*?)'
                                     r'(?: \([^()]*\))?$', text, re.M):
            found[name] = word.lower()
        # What was not run is only counted.
        expected = {name: outcome for name, outcome in IN_ONE_LINE.items() if outcome != 'not-run'}
        self.assertEqual(found, expected)
        self.assertIn('12 targets: 2 passed, 7 failed, 1 could not be judged, 1 skipped, '
                      '1 not run', text)

    def test_the_plain_log_names_each_outcome(self):
        for policy in 'on-failure', 'live', 'never':
            self.assert_lines_name_outcomes(replay('--output', policy).decode('utf-8'))

    def test_githubs_log_names_each_outcome(self):
        text = replay(GITHUB_ACTIONS='true').decode('utf-8')
        self.assert_lines_name_outcomes(text.replace('%25', '%'))
        annotated = re.findall(r'^::error file=[^,]*,line=\d+,title=([^/]*?)::', text, re.M)
        self.assertEqual(len(annotated), 8)

    def test_githubs_summary_names_each_outcome(self):
        summary = self.directory / 'summary.md'
        replay(GITHUB_ACTIONS='true', GITHUB_STEP_SUMMARY=str(summary))
        found = {}
        targets = summary.read_text(encoding='utf-8').split('### Metrics')[0]
        for line in targets.splitlines():
            if not line.startswith('| ') or line.startswith('| Outcome'):
                continue
            cells = line.removeprefix('| ').removesuffix(' |').split(' | ')
            self.assertEqual(len(cells), 4, line)
            name = re.sub(r'&#(\d+);', lambda match: chr(int(match.group(1))), cells[1])
            found[name] = cells[0].strip('*')
        self.assertEqual(found, IN_ONE_LINE)


class Facts(Reports):
    def test_status_signal_and_phase_agree(self):
        points = self.tap_by_name()
        for case, (_, properties) in zip(self.json['cases'], self.junit_cases()):
            yaml = points[case['name']]['yaml']
            for key in 'verdict', 'status', 'signal', 'phase', 'accel':
                value = case[key]
                self.assertEqual(yaml.get(key), value, case['name'])
                self.assertEqual(properties.get(key), None if value is None else str(value))
            self.assertEqual(yaml['attempts'], case['attempts'])
            self.assertEqual(properties.get('attempts', '0'), str(case['attempts']))

    def test_the_accelerator_is_the_one_in_use(self):
        for case in self.json['cases']:
            ran = case['outcome'] not in ('skip', 'not-run')
            self.assertEqual(case['accel'], 'tcg' if ran else None, case['name'])
            self.assertEqual(case['target']['accel'], 'auto', case['name'])

    def test_notes_are_in_each(self):
        noted = {case['name']: case['notes'] for case in self.json['cases'] if case['notes']}
        self.assertEqual(set(noted), {'passes when retried', 'exits with 3'})
        in_one_line = {name: [note.replace('\n', ' ') for note in notes]
                       for name, notes in noted.items()}
        points = self.tap_by_name()
        for element, _ in self.junit_cases():
            notes = [item.get('value') for item in element.iter('property')
                     if item.get('name') == 'note']
            self.assertEqual(notes, noted.get(element.get('name'), []))
        for name, point in points.items():
            self.assertEqual(point['notes'], in_one_line.get(name, []))
        for policy in 'on-failure', 'live', 'never':
            shown = re.findall(r'^ +Note: (.*)$', replay('--output', policy).decode('utf-8'), re.M)
            self.assertEqual(sorted(shown), sorted(sum(in_one_line.values(), [])))
        annotated = re.findall(r'^::notice file=[^,]*,line=\d+,title=(.*?)::(.*)$',
                               replay(GITHUB_ACTIONS='true').decode('utf-8'), re.M)
        self.assertEqual({name: [note.replace('%0A', '\n').replace('%25', '%')]
                          for name, note in annotated}, noted)

    def test_timings_of_each_phase_are_in_each(self):
        points = self.tap_by_name()
        for case, (element, properties) in zip(self.json['cases'], self.junit_cases()):
            for phase, duration in (case['phases_us'] or {}).items():
                self.assertEqual(points[case['name']]['yaml']['phases_us'][phase], duration)
                self.assertEqual(properties[f'phase.{phase}.us'], str(duration))
            seconds = (case['duration_us'] or 0) / 1e6
            self.assertAlmostEqual(float(element.get('time')), seconds, places=3)
        self.assertTrue(any(case['phases_us'] for case in self.json['cases']))

    def test_json_has_the_marks_of_each_run(self):
        for case in self.json['cases']:
            names = None if case['marks'] is None else [mark['name'] for mark in case['marks']]
            ran = case['outcome'] not in ('skip', 'not-run')
            self.assertEqual(names, ['QEMU launched', 'kernel'] if ran else None, case['name'])

    def test_reasons_are_the_same_words(self):
        points = self.tap_by_name()
        for case, (element, _) in zip(self.json['cases'], self.junit_cases()):
            verdicts = [child.get('message') for child in element if child.get('message')]
            self.assertEqual(points[case['name']]['yaml'].get('reason'), case['reason'])
            if case['reason'] is not None:
                self.assertEqual(verdicts, [case['reason']])

    def test_the_panic_comes_with_the_consoles_last_lines(self):
        case = next(case for case in self.json['cases'] if case['name'] == 'panics')
        element = next(element for element, _ in self.junit_cases()
                       if element.get('name') == 'panics')
        for text in (case['evidence'], element.find('failure').text,
                     self.tap_by_name()['panics']['yaml']['console'], replay().decode('utf-8')):
            self.assertIn('---[ end Kernel panic ]---', text)

    def test_json_has_output_that_is_no_utf8_exactly(self):
        case = next(case for case in self.json['cases']
                    if case['name'] == 'writes what no format likes')
        stdout = case['output']['stdout']
        exact = base64.b64decode(stdout['tail_base64'], validate=True)
        self.assertEqual(len(exact), stdout['bytes'])
        self.assertIn(b'caf\xc3\xa9 \xff\xfe nul:\0:', exact)
        self.assertIn('caf\u00e9 \ufffd\ufffd nul:\ufffd:', stdout['tail'])

    def test_a_flood_is_counted_and_its_end_is_kept(self):
        case = next(case for case in self.json['cases'] if case['name'] == 'floods')
        stdout = case['output']['stdout']
        self.assertEqual(stdout['bytes'], 1 << 20)
        self.assertEqual(len(stdout['tail'].encode()), 64 << 10)
        element = next(element for element, _ in self.junit_cases()
                       if element.get('name') == 'floods')
        shown = element.find('system-out').text
        self.assertTrue(shown.startswith('[the last 64.0 KiB of 1.0 MiB]\n'), shown[:80])


class Subtests(Reports):
    """What the targets consist of themselves, as (status, name, message)."""

    def setUp(self):
        self.expected = {}
        for case in self.json['cases']:
            if case['subtests'] is not None:
                self.expected[case['name']] = [(test['status'], test['name'], test['message'])
                                               for test in case['subtests']['tests']]

    def test_json_counts_what_it_has(self):
        self.assertEqual(set(self.expected), {'passes', 'exits with 3'})
        for case in self.json['cases']:
            for status, count in (case['subtests'] or {}).get('counts', {}).items():
                found = [test for test in self.expected[case['name']] if test[0] == status]
                self.assertEqual(len(found), count, status)
        statuses = {test[0] for tests in self.expected.values() for test in tests}
        self.assertEqual(statuses, {'pass', 'fail', 'skip', 'todo'})

    def test_junit_has_a_suite_for_each_target_that_has_some(self):
        found = {}
        for suite in self.junit.iter('testsuite'):
            if suite.get('name') == 'mayfly':
                continue
            found[suite.get('name')] = [self._read_junit(case) for case in suite.iter('testcase')]
            self.assertEqual({case.get('classname') for case in suite.iter('testcase')},
                             {suite.get('name')})
        self.assertEqual(found, {
            name: [('skip' if status == 'todo' else status, test, message or
                    (None if status == 'pass' else status)) for status, test, message in tests]
            for name, tests in self.expected.items()})

    @staticmethod
    def _read_junit(case):
        elements = {child.tag: child.get('message') for child in case}
        status = {'failure': 'fail', 'skipped': 'skip'}.get(next(iter(elements), None), 'pass')
        return status, case.get('name'), next(iter(elements.values()), None)

    def test_tap_nests_them(self):
        found = {}
        for point in self.tap.points:
            if point['nested'] is None:
                continue
            self.assertEqual([test['number'] for test in point['nested']],
                             list(range(1, len(point['nested']) + 1)))
            found[point['yaml']['name']] = [self._read_tap(test) for test in point['nested']]
        self.assertEqual(found, self.expected)

    @staticmethod
    def _read_tap(test):
        status = {'SKIP': 'skip', None: 'pass' if test['ok'] else 'fail'}.get(test['directive'], 'todo')
        return status, test['description'], test['skip'] or test['yaml'].get('message')

    def failures(self):
        return [(name, test, message) for name, tests in self.expected.items()
                for status, test, message in tests if status == 'fail']

    def test_the_plain_log_counts_them_and_lists_what_failed(self):
        text = replay().decode('utf-8')
        self.assertIn('passes (3.2s, 4 sub-tests)\n', text)
        self.assertIn('exits with 3 (4.2s, 2 of 3 sub-tests failed)\n', text)
        for _, test, message in self.failures():
            self.assertIn(f'      - {test}\n', text)
            for line in (message or '').splitlines():
                self.assertIn(f'        | {line}\n', text)

    def test_github_annotates_each_that_failed(self):
        def unescape(value):
            return re.sub('%([0-9A-F]{2})', lambda match: chr(int(match.group(1), 16)), value)

        text = replay(GITHUB_ACTIONS='true').decode('utf-8')
        found = [(unescape(title), unescape(message)) for title, message in
                 re.findall(r'^::error file=[^,]*,line=\d+,title=(.*?)::(.*)$', text, re.M)]
        for name, test, message in self.failures():
            self.assertIn((f'{name}/{test}', message or 'The sub-test failed.'), found)


class Payloads(Reports):
    """What targets ran instead of a command, and the metrics it came to."""

    def setUp(self):
        self.payloads = {case['name']: case['payloads'] for case in self.json['cases']
                         if case['payloads'] is not None}
        self.values = collections.defaultdict(list)
        for case in self.json['cases']:
            for payload in case['payloads'] or []:
                for metric in payload['metrics']:
                    self.values[case['name'], f'{payload["name"]}.{metric["name"]}'].append(metric)
            for metric in case['metrics'] or []:
                if metric['value'] is not None:
                    self.values[case['name'], metric['name']].append(metric)

    def test_json_has_each_invocation_and_its_numbers(self):
        self.assertEqual(set(self.payloads), {'passes', 'exits with 3'})
        self.assertEqual([payload['repetition'] for payload in self.payloads['passes']], [0, 1, 2])
        checked, killed, leftover = self.payloads['exits with 3']
        self.assertEqual((checked['passed'], checked['status'], checked['signal']), (False, 3, None))
        self.assertEqual((killed['status'], killed['signal'], killed['timed_out']), (137, 9, True))
        self.assertEqual(killed['stderr']['discarded'], 84 << 20)
        self.assertEqual((leftover['status'], leftover['duration_us']), (None, None))
        self.assertEqual([metric['value'] for metric in self.values['passes', 'fio.iops']],
                         [1000.5, 1010, 990])
        broken = [metric for case in self.json['cases'] for metric in case['metrics'] or []
                  if metric['name'] == 'broken']
        self.assertEqual([metric['value'] for metric in broken], [None])

    def test_junit_has_the_median_of_each_metric_its_values_and_its_unit(self):
        for element, properties in self.junit_cases():
            expected = {}
            for (case, label), metrics in self.values.items():
                if case != element.get('name'):
                    continue
                values = [metric['value'] for metric in metrics]
                expected[f'metric.{label}'] = f'{statistics.median(values):.15g}'
                if len(values) > 1:
                    expected[f'metric.{label}.values'] = ' '.join(f'{v:.15g}' for v in values)
                if metrics[0]['unit']:
                    expected[f'metric.{label}.unit'] = metrics[0]['unit']
            found = {name: value for name, value in properties.items()
                     if name.startswith('metric.')}
            self.assertEqual(found, expected, element.get('name'))

    def test_tables_have_each_metric_that_somebody_named(self):
        summary = self.directory / 'metrics-summary.md'
        replay(GITHUB_ACTIONS='true', GITHUB_STEP_SUMMARY=str(summary))
        in_summary = summary.read_text(encoding='utf-8')
        alone = replay('--report', 'metrics=-').decode('utf-8')
        marked = {case: case if outcome == 'pass' else f'{case} ({outcome})'
                  for case, outcome in EXPECTED.items()}
        expected = {(marked[case], label) for (case, label), metrics in self.values.items()
                    if metrics[0]['unit'] or metrics[0]['polarity']}
        self.assertIn('exits with 3 (fail)', {case for case, _label in expected})
        for text in in_summary, alone:
            self.assertEqual(self._read_table(text), expected)

    @staticmethod
    def _read_table(text):
        found = set()
        lines = text.split('### Metrics\n\n')[1].splitlines()
        for line in lines[2:2 + lines[2:].index('')]:
            cells = [html.unescape(cell) for cell in
                     line.removeprefix('| ').removesuffix(' |').split(' | ')]
            case, payload, name = cells[0], cells[1].strip(' |'), cells[2]
            found.add((case, f'{payload}.{name}' if payload else name))
        return found

    def test_what_failed_is_in_every_text_with_its_details(self):
        for text in (replay().decode('utf-8'), replay('--output', 'never').decode('utf-8')):
            self.assertIn('      failed payloads:\n      - <b> & | `x`\n', text)
            for payload in self.payloads['exits with 3']:
                for detail in payload['details']:
                    self.assertIn(f'        | {detail.splitlines()[0]}\n', text)
            self.assertIn('      - hog, repetition 2\n', text)
            self.assertNotIn('- leftover', text)
            self.assertIn('      fio.iops: 1000.5 +- 10.5 1/s\n', text)
            self.assertNotIn('unnamed', text)


class Schemas(Reports):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        path = SOURCE / 'data' / 'mayfly-result.schema.json'
        cls.rules = json.loads(path.read_text(encoding='utf-8'))
        cls.schema = Schema(cls.rules)

    def test_json_keeps_to_its_schema(self):
        self.schema.validate(self.json)
        for case in self.json['cases']:
            self.schema.validate(case)

    def test_another_validator_agrees(self):
        try:
            import jsonschema
        except ImportError:
            self.skipTest('python3-jsonschema is not installed')
        jsonschema.Draft202012Validator.check_schema(self.rules)
        jsonschema.Draft202012Validator(self.rules).validate(self.json)

    def test_the_schema_finds_mistakes(self):
        def changed(change):
            document = copy.deepcopy(self.json)
            change(document)
            return document

        mistakes = [
            lambda suite: suite.pop('counts'),
            lambda suite: suite.update(extra=1),
            lambda suite: suite.update(schema_version=2),
            lambda suite: suite.update(started='yesterday'),
            lambda suite: suite['cases'][0].update(outcome='passed'),
            lambda suite: suite['cases'][0].update(status=True),
            lambda suite: suite['cases'][0].update(status=256),
            lambda suite: suite['cases'][0].update(duration_us=-1),
            lambda suite: suite['cases'][0].update(duration_us=1.5),
            lambda suite: suite['cases'][0]['phases_us'].pop('boot'),
            lambda suite: suite['cases'][0]['output']['stdout'].update(tail=None),
        ]
        for number, mistake in enumerate(mistakes):
            with self.subTest(number), self.assertRaises(Invalid):
                self.schema.validate(changed(mistake))

    def test_the_schema_explains_or_names_every_member(self):
        for name, rules in self.rules['$defs'].items():
            if 'properties' in rules:
                self.assertEqual(set(rules['required']) - set(rules['properties']), set(), name)
                self.assertIs(rules['additionalProperties'], False, name)

    @unittest.skipUnless(shutil.which('xmllint'), 'xmllint is not installed')
    def test_junit_keeps_to_its_schema(self):
        done = subprocess.run(['xmllint', '--noout', '--schema',
                               SOURCE / 'tests' / 'data' / 'junit.xsd', self.directory / 'junit'],
                              check=False, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        self.assertEqual(done.returncode, 0, done.stdout)

    @unittest.skipUnless(shutil.which('xmllint'), 'xmllint is not installed')
    def test_the_picture_of_a_run_is_well_formed(self):
        picture = SOURCE / 'tests' / 'golden' / 'report-timeline.svg'
        done = subprocess.run(['xmllint', '--noout', picture], check=False, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual((done.returncode, done.stdout), (0, ''))

    @unittest.skipUnless(shutil.which('prove'), 'prove is not installed')
    def test_perls_harness_reads_the_same_tap(self):
        # Up to the bail out, which ends every harness.
        text = (self.directory / 'tap').read_text(encoding='utf-8').rsplit('\nBail out! ', 1)[0] + '\n'
        (self.directory / 'plain.tap').write_text(text, encoding='utf-8')
        done = subprocess.run(['prove', '--source', 'File', '--ext', '.tap', '--verbose',
                               self.directory / 'plain.tap'], check=False, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertIn('(less 2 skipped subtests: 2 okay)', done.stdout)
        self.assertIn('Failed tests:  2-5, 8-11\n', done.stdout)
        self.assertNotIn('Parse errors', done.stdout)


if __name__ == '__main__':
    tap.main()
