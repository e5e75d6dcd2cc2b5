# SPDX-License-Identifier: Apache-2.0
"""'mayfly kernel' against the distribution's own package client, with a real kernel package.

Usage: test-kernel-verb.py MAYFLY [NAME...]
"""

import json
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..'))
import tap  # noqa: E402

PROGRAM = sys.argv.pop(1)

# The smallest kernel that Debian has.
WANTED = 'debian/cloud'
NAME = re.compile(r'debian/[0-9][A-Za-z0-9.+~-]*-cloud-[a-z0-9]+\n')

# A pull takes seconds; the rest is for a slow mirror.
PULL_TIMEOUT = 600


def why_not():
    """Why this host cannot pull, or None."""
    release = {}
    if os.path.exists('/etc/os-release'):
        with open('/etc/os-release', encoding='utf-8') as lines:
            release = dict(line.strip().split('=', 1) for line in lines if '=' in line)
    if release.get('ID', '').strip('"') != 'debian' or not shutil.which('apt-get'):
        return 'this host is not Debian'
    if not any(os.path.exists(os.path.join(where, 'depmod'))
               for where in ('/usr/sbin', '/sbin', '/usr/bin')):
        return 'this host has no depmod (package kmod)'
    listed = subprocess.run(['apt-cache', '--names-only', 'search', '^linux-image-cloud-'],
                            capture_output=True, check=True)
    if not listed.stdout.strip():
        return "apt's package index has no cloud kernel: run 'apt-get update'"
    return None


class Cache(unittest.TestCase):
    """A test with an empty cache of its own."""

    def setUp(self):
        reason = why_not()
        if reason:
            self.skipTest(reason)
        self.directory = tempfile.mkdtemp(prefix='mayfly-test-')
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        os.chmod(self.directory, 0o755)
        self.cache = os.path.join(self.directory, 'cache')
        self.program = [PROGRAM, 'kernel']
        self.environment = {**os.environ, 'MAYFLY_CACHE_DIR': self.cache,
                            'G_DEBUG': 'fatal-criticals'}

    def start(self, *arguments):
        return subprocess.Popen([*self.program, *arguments], env=self.environment, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run_verb(self, *arguments, status=0):
        process = self.start(*arguments)
        output, errors = process.communicate(timeout=PULL_TIMEOUT)
        self.assertEqual(process.returncode, status, f'{arguments}: {errors}')
        return output, errors

    def entries(self):
        """The names in the catalog's directory, hidden ones included."""
        section = os.path.join(self.cache, 'kernels')
        return sorted(os.listdir(section)) if os.path.isdir(section) else []

    def check_kernel(self, name):
        """What list and info say of a pulled cloud kernel."""
        listed = json.loads(self.run_verb('list', '--json')[0])
        self.assertEqual([entry['name'] for entry in listed], [name])
        self.assertEqual(listed[0]['source'], 'debian')
        self.assertEqual('debian/' + listed[0]['release'], name)
        self.assertGreater(listed[0]['size'], 20 << 20)

        info = json.loads(self.run_verb('info', '--json', name)[0])
        self.assertEqual(info['path'], listed[0]['image'])
        self.assertEqual(info['release'], listed[0]['release'])
        self.assertTrue(os.path.exists(os.path.join(info['modules'], 'modules.dep')))
        self.assertEqual(info['options']['VIRTIO_FS'], 'module')
        self.assertEqual(info['options']['DEVTMPFS'], 'built-in')
        self.assertEqual(info['options']['9P_FS'], 'missing')
        self.assertEqual(info['root'], 'virtiofs')


class Pull(Cache):
    def test_a_pulled_kernel_is_listed_described_found_again_and_removed_and_verbose_says_each_step(self):
        output, errors = self.run_verb('pull', '-v', WANTED)
        self.assertRegex(output, NAME)
        steps = [line.split()[1] for line in errors.splitlines()]
        self.assertEqual(steps, ['Asking', 'Downloading', 'Unpacking', 'Indexing', 'The'])
        name = output.strip()
        self.check_kernel(name)
        self.assertEqual(self.entries(), [name.replace('/', '@')])

        table = self.run_verb('list')[0].splitlines()
        self.assertEqual(table[0].split(), ['NAME', 'RELEASE', 'ARCH', 'SIZE', 'SOURCE'])
        self.assertTrue(table[1].startswith(name + '  '))
        self.assertEqual(table[0].index('RELEASE'), len(name) + 2)

        # The same package again is not fetched again: the entry stays the one it was.
        before = os.stat(os.path.join(self.cache, 'kernels', self.entries()[0])).st_ino
        self.assertEqual(self.run_verb('pull', WANTED), (output, ''))
        after = os.stat(os.path.join(self.cache, 'kernels', self.entries()[0])).st_ino
        self.assertEqual(before, after)

        # A name that is given twice is removed once.
        self.run_verb('remove', name, name)
        self.assertEqual(self.entries(), [])

    def test_an_ordinary_user_can_pull(self):
        if os.geteuid() != 0:
            self.skipTest('not root: every other test is run as an ordinary user')
        if not shutil.which('setpriv'):
            self.skipTest('this host has no setpriv')
        nobody = pwd.getpwnam('nobody')
        # The build directory may be closed to others.
        copy = shutil.copy(PROGRAM, self.directory)
        os.chmod(copy, 0o755)
        os.chown(self.directory, nobody.pw_uid, nobody.pw_gid)
        self.program = ['setpriv', f'--reuid={nobody.pw_uid}', f'--regid={nobody.pw_gid}',
                        '--clear-groups', copy, 'kernel']
        self.environment['HOME'] = '/nonexistent'

        output, errors = self.run_verb('pull', WANTED)
        self.assertRegex(output, NAME)
        self.assertEqual(errors, '')
        self.check_kernel(output.strip())
        self.assertEqual(os.stat(os.path.join(self.cache, 'kernels')).st_uid, nobody.pw_uid)

    def interrupt_at(self, step, number):
        """Sends the signal when the step is announced; what is left then is looked at."""
        process = self.start('pull', '-v', WANTED)
        for line in process.stderr:
            if step in line:
                process.send_signal(number)
                break
        process.communicate(timeout=30)
        return process.returncode

    def test_an_interrupted_pull_leaves_nothing(self):
        for step, number in (('Asking', signal.SIGINT), ('Downloading', signal.SIGTERM),
                             ('Unpacking', signal.SIGHUP)):
            self.assertEqual(self.interrupt_at(step, number), 128 + number, step)
            self.assertEqual(self.entries(), [], step)

    def test_what_a_killed_pull_left_is_gone_after_the_next(self):
        self.assertEqual(self.interrupt_at('Unpacking', signal.SIGKILL), -signal.SIGKILL)
        left = self.entries()
        self.assertEqual(len(left), 1)
        self.assertTrue(left[0].startswith('.new-'))
        self.assertEqual(json.loads(self.run_verb('list', '--json')[0]), [])
        self.assertEqual(self.interrupt_at('Unpacking', signal.SIGINT), 128 + signal.SIGINT)
        self.assertEqual(self.entries(), [])

    def test_a_killed_pull_takes_apt_with_it(self):
        process = self.start('pull', '-v', WANTED)
        process.stderr.readline()
        children = f'/proc/{process.pid}/task/{process.pid}/children'
        child = None
        while not child:
            with open(children, encoding='ascii') as pids:
                child = pids.read().split()[:1]
        process.kill()
        process.communicate()
        deadline = time.monotonic() + 5
        while os.path.exists(f'/proc/{child[0]}') and time.monotonic() < deadline:
            time.sleep(0.01)
        self.assertFalse(os.path.exists(f'/proc/{child[0]}'))


class Refusals(Cache):
    def check(self, arguments, status, *parts):
        output, errors = self.run_verb(*arguments, status=status)
        self.assertEqual(output, '')
        self.assertEqual(errors.count('\n'), 1, errors)
        self.assertTrue(errors.startswith('mayfly: '))
        for part in parts:
            self.assertIn(part, errors)
        self.assertEqual(self.entries(), [])

    def test_wrong_use_is_one_sentence_and_status_2(self):
        self.check(['pul'], 2, "'pul' is not something that 'mayfly kernel' can do (did you mean "
                               "'pull'?); 'mayfly kernel --help'")
        self.check(['list', 'x'], 2, "'mayfly kernel list' does not know what to do with 'x'")
        self.check(['info'], 2, "'mayfly kernel info' needs an image, or the name of a kernel")
        self.check(['pull', '--frobnicate'], 2, '--frobnicate', '--help')
        self.check(['pull', 'windows'], 2, "'windows'", 'debian/6.1')
        self.check(['pull', 'debian/2.6'], 2, "'debian/2.6'", 'apt-get update')
        self.check(['info', 'nonsense'], 2, "'nonsense'", 'list')
        self.check(['remove', 'nonsense'], 2, "'nonsense'")
        self.check(['add', '/nonexistent'], 2, "'/nonexistent'")
        self.check(['add', '/dev/null'], 2, "'/dev/null'")
        self.check(['add', '--name', '../x', '/dev/null'], 2, "'../x'")

    def test_a_verb_that_is_missing_is_told_by_a_list_of_all(self):
        output, errors = self.run_verb(status=2)
        self.assertEqual(output, '')
        listed = [line.split()[0] for line in errors.splitlines() if line.startswith('  ')]
        self.assertEqual(listed, ['list', 'pull', 'add', 'build', 'info', 'remove'])

    def test_an_empty_package_index_asks_for_an_update(self):
        lists = os.path.join(self.directory, 'lists')
        os.makedirs(os.path.join(lists, 'partial'))
        settings = os.path.join(self.directory, 'apt.conf')
        with open(settings, 'w', encoding='ascii') as file:
            file.write(f'Dir::State::lists "{lists}";\nDir::Cache "{self.directory}";\n')
        self.environment['APT_CONFIG'] = settings
        self.check(['pull', 'debian'], 69, "run 'apt-get update'")

    def test_a_mirror_that_does_not_answer_is_named(self):
        settings = os.path.join(self.directory, 'apt.conf')
        with open(settings, 'w', encoding='ascii') as file:
            file.write('Acquire::http::Proxy "http://127.0.0.1:9";\n'
                       'Acquire::https::Proxy "http://127.0.0.1:9";\nAcquire::Retries "0";\n')
        self.environment['APT_CONFIG'] = settings
        self.check(['pull', WANTED], 69, 'apt could not fetch the kernel', 'Failed to fetch')

    def test_a_cache_that_cannot_be_written_is_named(self):
        self.environment['MAYFLY_CACHE_DIR'] = '/dev/null/cache'
        self.check(['list'], 69, '/dev/null/cache', 'MAYFLY_CACHE_DIR')


if __name__ == '__main__':
    tap.main()
