#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The agent of $MAYFLY_GUEST on a unix socket, without a VM, side by side with the real qemu-ga.

What both must answer alike is a table that each of them is put through; the rest is ours alone.
"""

import base64
import json
import os
import pathlib
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import tap
from streampeer import Listener, record

PROGRAM = os.environ['MAYFLY_GUEST']
SANITIZED = os.environ.get('MAYFLY_SANITIZED') == '1'
QEMU_GA = shutil.which('qemu-ga', path=os.environ['PATH'] + ':/usr/sbin:/sbin')
SELF = '/run/mayfly/mayfly-guest'
CAPTURE_MAX = 16 << 20
SEED = 20240607


def encode64(data):
    return base64.b64encode(data).decode()


class Client:
    """A client that takes the answers of an agent apart, line by line."""

    def __init__(self, path, deadline=30):
        end = time.monotonic() + deadline
        while True:
            self.sock = socket.socket(socket.AF_UNIX)
            try:
                self.sock.connect(path)
                break
            except OSError:
                self.sock.close()
                if time.monotonic() > end:
                    raise
                time.sleep(0.01)
        self.sock.settimeout(deadline)
        self.buffer = bytearray()

    def send(self, data):
        self.sock.sendall(data)

    def line(self):
        start = 0
        while (end := self.buffer.find(b'\n', start)) < 0:
            start = len(self.buffer)
            data = self.sock.recv(1 << 20)
            if not data:
                raise ConnectionError('the agent hung up')
            self.buffer += data
        line = bytes(self.buffer[:end])
        del self.buffer[:end + 1]
        return line

    def ask(self, request):
        """One request, as an object or as text; returns the answer as an object."""
        if not isinstance(request, (bytes, str)):
            request = json.dumps(request)
        self.send((request if isinstance(request, bytes) else request.encode()) + b'\n')
        return json.loads(self.line())

    def call(self, name, **arguments):
        """Runs a command; returns its result."""
        answer = self.ask({'execute': name, 'arguments':
                           {key.replace('_', '-'): value for key, value in arguments.items()}})
        if 'error' in answer:
            raise AgentError(answer['error'])
        return answer['return']

    def sync(self, number):
        """As libvirt does it: drops everything up to the delimited answer."""
        self.send(b'\xff' + json.dumps({'execute': 'guest-sync-delimited',
                                        'arguments': {'id': number}}).encode() + b'\n')
        while True:
            line = self.line()
            if b'\xff' in line:
                return json.loads(line[line.rindex(b'\xff') + 1:])['return']

    def status(self, pid, deadline=60):
        """Asks until the program has ended."""
        end = time.monotonic() + deadline
        while not (status := self.call('guest-exec-status', pid=pid))['exited']:
            assert time.monotonic() < end, f'{pid} did not end'
            time.sleep(0.002)
        return status

    def run(self, path, *arguments, **options):
        options.setdefault('capture_output', True)
        return self.status(self.call('guest-exec', path=path, arg=list(arguments),
                                     **options)['pid'])

    def close(self):
        self.sock.close()


class AgentError(Exception):
    def __init__(self, error):
        super().__init__(f"{error['class']}: {error['desc']}")
        self.kind = error['class']
        self.text = error['desc']


class AgentProcess:
    def __init__(self, command, path):
        self.path = path
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL)

    def close(self):
        """A sanitizer's verdict is in the status."""
        self.process.terminate()
        status = self.process.wait(30)
        assert status == 0, f'the agent ended with {status}'


class RealAgentProcess(AgentProcess):
    def close(self):
        """qemu-ga stops its main loop from within the signal's handler, which waits for ever if
        the signal finds that loop with its lock taken, as it has when a client just hung up."""
        self.process.kill()
        self.process.wait()


def start_ours(directory, *options):
    path = os.path.join(directory, 'agent')
    return AgentProcess([PROGRAM, 'agent', '--socket', path, *options], path)


def start_real(directory):
    path = os.path.join(directory, 'real')
    return RealAgentProcess([QEMU_GA, '-m', 'unix-listen', '-p', path, '-t', directory,
                             '-f', os.path.join(directory, 'pid')], path)


class AgentTest(unittest.TestCase):
    """A fresh agent of ours, and a client of it."""

    start = staticmethod(start_ours)

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix='mayfly-')
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        self.agent = self.start(self.directory)
        self.addCleanup(self.agent.close)
        self.client = self.connect()

    def connect(self):
        client = Client(self.agent.path)
        self.addCleanup(client.close)
        return client


# Requests and what an agent says to them: a result exactly, or the class of an error.
INT_MAX, INT_MIN = (1 << 63) - 1, -(1 << 63)
ALIKE = [
    ('{"execute":"guest-ping"}', {}),
    ('{"execute":"guest-ping","arguments":{}}', {}),
    ('{"execute":"guest-sync","arguments":{"id":1234}}', 1234),
    ('{"execute":"guest-sync","arguments":{"id":%d}}' % INT_MAX, INT_MAX),
    ('{"execute":"guest-sync","arguments":{"id":%d}}' % INT_MIN, INT_MIN),
    ('{"execute":"guest-sync","arguments":{"id":%d}}' % (INT_MAX + 1), 'GenericError'),
    ('{"execute":"guest-sync","arguments":{"id":%d}}' % (1 << 64), 'GenericError'),
    ('{"execute":"guest-sync","arguments":{"id":"1"}}', 'GenericError'),
    ('{"execute":"guest-sync","arguments":{"id":1.0}}', 'GenericError'),
    ('{"execute":"guest-sync","arguments":{"id":true}}', 'GenericError'),
    ('{"execute":"guest-sync","arguments":{"id":null}}', 'GenericError'),
    ('{"execute":"guest-sync","arguments":{"id":[1]}}', 'GenericError'),
    ('{"execute":"guest-sync","arguments":{}}', 'GenericError'),
    ('{"execute":"guest-sync"}', 'GenericError'),
    ('{"execute":"guest-ping","arguments":{"x":1}}', 'GenericError'),
    ('{"execute":"guest-ping","arguments":[]}', 'GenericError'),
    ('{"execute":"guest-ping","extra":1}', 'GenericError'),
    ('{"execute":5}', 'GenericError'),
    ('{"arguments":{}}', 'GenericError'),
    ('[]', 'GenericError'),
    ('5', 'GenericError'),
    ('"x"', 'GenericError'),
    ('null', 'GenericError'),
    ('true', 'GenericError'),
    ('garbage', 'GenericError'),
    ('}', 'GenericError'),
    ('{"execute":"guest-ping",}', 'GenericError'),
    ('{"execute":"guest-ping', 'GenericError'),
    ('{"execute":"no-such-command"}', 'CommandNotFound'),
    ('{"execute":"GUEST-PING"}', 'CommandNotFound'),
    ('{"execute":""}', 'CommandNotFound'),
    ('{"execute":"guest-exec"}', 'GenericError'),
    ('{"execute":"guest-exec","arguments":{"path":5}}', 'GenericError'),
    ('{"execute":"guest-exec","arguments":{"path":"true","arg":"x"}}', 'GenericError'),
    ('{"execute":"guest-exec","arguments":{"path":"true","arg":["a",1]}}', 'GenericError'),
    ('{"execute":"guest-exec","arguments":{"path":"true","env":[null]}}', 'GenericError'),
    ('{"execute":"guest-exec","arguments":{"path":"true","bogus":1}}', 'GenericError'),
    ('{"execute":"guest-exec","arguments":{"path":"true","input-data":"!!"}}', 'GenericError'),
    ('{"execute":"guest-exec","arguments":{"path":"true","capture-output":5}}', 'GenericError'),
    ('{"execute":"guest-exec","arguments":{"path":"true","capture-output":null}}', 'GenericError'),
    ('{"execute":"guest-exec","arguments":{"path":"/no/such"}}', 'GenericError'),
    ('{"execute":"guest-exec","arguments":{"path":"no-such-program"}}', 'GenericError'),
    ('{"execute":"guest-exec","arguments":{"path":"/etc"}}', 'GenericError'),
    ('{"execute":"guest-exec","arguments":{"path":"/etc/passwd"}}', 'GenericError'),
    ('{"execute":"guest-exec-status","arguments":{"pid":999999999}}', 'GenericError'),
    ('{"execute":"guest-exec-status","arguments":{"pid":"x"}}', 'GenericError'),
    ('{"execute":"guest-exec-status"}', 'GenericError'),
    ('{"execute":"guest-set-time","arguments":{"time":-5}}', 'GenericError'),
    ('{"execute":"guest-set-time","arguments":{"time":"x"}}', 'GenericError'),
    ('{"execute":"guest-shutdown","arguments":{"mode":"bogus"}}', 'GenericError'),
    ('{"execute":"guest-shutdown","arguments":{"mode":5}}', 'GenericError'),
    ('{"execute":"guest-file-open","arguments":{"path":"/no/such"}}', 'GenericError'),
    ('{"execute":"guest-file-open","arguments":{"path":"/dev/null","mode":"z"}}', 'GenericError'),
    ('{"execute":"guest-file-open","arguments":{"path":"/dev/null","mode":1}}', 'GenericError'),
    ('{"execute":"guest-file-read","arguments":{"handle":99}}', 'GenericError'),
    ('{"execute":"guest-file-write","arguments":{"handle":99,"buf-b64":""}}', 'GenericError'),
    ('{"execute":"guest-file-write","arguments":{"handle":99}}', 'GenericError'),
    ('{"execute":"guest-file-seek","arguments":{"handle":99,"offset":0,"whence":0}}',
     'GenericError'),
    ('{"execute":"guest-file-flush","arguments":{"handle":99}}', 'GenericError'),
    ('{"execute":"guest-file-close","arguments":{"handle":99}}', 'GenericError'),
]


class Alike:
    """The tests that any agent of this protocol passes; mixed into one class for each agent."""

    def test_results_and_error_classes_are_those_of_the_protocol(self):
        for request, expected in ALIKE:
            answer = self.client.ask(request)
            if isinstance(expected, str):
                self.assertEqual(answer.get('error', {}).get('class'), expected, request)
                self.assertTrue(answer['error']['desc'])
                self.assertEqual(set(answer), {'error'})
            else:
                self.assertEqual(answer, {'return': expected}, request)

    def test_ids_are_echoed_in_results_and_errors(self):
        for number in (5, 'x', None, {'a': [1, None]}, -1.5):
            for name in ('guest-ping', 'no-such-command', 'guest-sync'):
                answer = self.client.ask({'execute': name, 'id': number})
                self.assertEqual(answer['id'], number)
                self.assertIn('error' if name != 'guest-ping' else 'return', answer)

    def test_a_delimited_sync_works_after_garbage(self):
        for number, garbage in enumerate((b'', b'garbage', b'{"execute":"guest-pi', b'{"a":[1,',
                                          b'"\\', b'\xff\xff', b'\x00\x01', b'}}}]]',
                                          b'{"execute":"guest-ping"}\n', b'nul', b'-')):
            self.client.send(garbage)
            self.assertEqual(self.client.sync(1000 + number), 1000 + number)
            self.assertEqual(self.client.call('guest-ping'), {})

    def test_a_delimited_answer_begins_with_the_byte_and_others_do_not(self):
        self.client.send(b'{"execute":"guest-sync-delimited","arguments":{"id":7}}\n')
        self.assertEqual(self.client.line()[:1], b'\xff')
        self.client.send(b'{"execute":"guest-sync","arguments":{"id":7}}\n')
        self.assertEqual(json.loads(self.client.line()), {'return': 7})

    def test_requests_need_no_line_ends(self):
        self.client.send(b'{"execute":"guest-ping","id":1}{"execute":"guest-ping","id":2}')
        self.assertEqual([json.loads(self.client.line())['id'] for _ in range(2)], [1, 2])

    def test_a_request_may_come_in_pieces_and_over_lines(self):
        for piece in (b'{"exec', b'ute"\r\n:', b' "guest-ping"\n', b'}'):
            self.client.send(piece)
            time.sleep(0.01)
        self.assertEqual(json.loads(self.client.line()), {'return': {}})

    def test_output_status_and_truncation_are_told_once_after_the_end(self):
        status = self.client.run('sh', '-c', 'echo out; echo err >&2; exit 3')
        self.assertEqual(status, {'exited': True, 'exitcode': 3,
                                  'out-data': encode64(b'out\n'), 'out-truncated': False,
                                  'err-data': encode64(b'err\n'), 'err-truncated': False})
        self.assertEqual(self.client.run('true'), {'exited': True, 'exitcode': 0})
        pid = self.client.call('guest-exec', path='sleep', arg=['.3'])['pid']
        self.assertEqual(self.client.call('guest-exec-status', pid=pid), {'exited': False})
        self.assertEqual(self.client.status(pid), {'exited': True, 'exitcode': 0})
        with self.assertRaises(AgentError) as raised:
            self.client.call('guest-exec-status', pid=pid)
        self.assertEqual(raised.exception.kind, 'GenericError')

    def test_output_of_others_is_waited_for_before_the_end_is_told(self):
        status = self.client.run('sh', '-c', '(sleep .3; echo late) 2>/dev/null & echo early')
        self.assertEqual(status, {'exited': True, 'exitcode': 0, 'out-truncated': False,
                                  'out-data': encode64(b'early\nlate\n')})

    def test_a_signal_is_told_instead_of_an_exit_code(self):
        for number in (1, 6, 9, 15):
            self.assertEqual(self.client.run('sh', '-c', f'ulimit -c 0; kill -{number} $$'),
                             {'exited': True, 'signal': number})

    def test_input_environment_and_arguments_are_passed_exactly(self):
        data = bytes(range(256)) * 1000
        status = self.client.run('cat', input_data=encode64(data))
        self.assertEqual(base64.b64decode(status['out-data']), data)
        status = self.client.run('/usr/bin/env', env=['A=b c', 'Z='])
        self.assertEqual(base64.b64decode(status['out-data']), b'A=b c\nZ=\n')
        status = self.client.run('printf', '%s|', '', 'ü "$x"', '\n')
        self.assertEqual(base64.b64decode(status['out-data']).decode(), '|ü "$x"|\n|')

    def test_what_is_not_captured_goes_nowhere(self):
        self.assertEqual(self.client.run('sh', '-c', 'echo out; echo err >&2',
                                         capture_output=False), {'exited': True, 'exitcode': 0})

    def test_16_mib_are_kept_and_the_rest_is_read_and_dropped(self):
        for size, truncated in ((CAPTURE_MAX, False), (CAPTURE_MAX + 1, True),
                                (CAPTURE_MAX + 1_000_000, True)):
            status = self.client.run('head', '-c', str(size), '/dev/zero')
            self.assertEqual(status['exitcode'], 0)
            self.assertEqual(len(base64.b64decode(status['out-data'])), CAPTURE_MAX)
            self.assertEqual(status['out-truncated'], truncated)

    def test_files_are_written_read_sought_and_closed(self):
        path = os.path.join(self.directory, 'file')
        client = self.client
        handle = client.call('guest-file-open', path=path, mode='w+')
        self.assertEqual(client.call('guest-file-write', handle=handle,
                                     buf_b64=encode64(b'hello world'))['count'], 11)
        self.assertEqual(client.call('guest-file-write', handle=handle, count=1,
                                     buf_b64=encode64(b'!?'))['count'], 1)
        with self.assertRaises(AgentError):
            client.call('guest-file-write', handle=handle, buf_b64=encode64(b'!'), count=2)
        for whence in ('set', 0):
            self.assertEqual(client.call('guest-file-seek', handle=handle, offset=6,
                                         whence=whence)['position'], 6)
        self.assertEqual(client.call('guest-file-read', handle=handle, count=2),
                         {'count': 2, 'buf-b64': encode64(b'wo'), 'eof': False})
        self.assertEqual(client.call('guest-file-read', handle=handle),
                         {'count': 4, 'buf-b64': encode64(b'rld!'), 'eof': True})
        self.assertEqual(client.call('guest-file-seek', handle=handle, offset=-2,
                                     whence='end')['position'], 10)
        self.assertEqual(client.call('guest-file-seek', handle=handle, offset=-1,
                                     whence=1)['position'], 9)
        for bad in ({'offset': -100, 'whence': 0}, {'offset': 0, 'whence': 9},
                    {'offset': 0, 'whence': 'middle'}, {'offset': 0, 'whence': []}):
            with self.assertRaises(AgentError):
                client.call('guest-file-seek', handle=handle, **bad)
        for count in (-1, (48 << 20) + 1):
            with self.assertRaises(AgentError):
                client.call('guest-file-read', handle=handle, count=count)
        self.assertEqual(client.call('guest-file-flush', handle=handle), {})
        self.assertEqual(client.call('guest-file-close', handle=handle), {})
        with self.assertRaises(AgentError):
            client.call('guest-file-close', handle=handle)
        self.assertEqual(pathlib.Path(path).read_bytes(), b'hello world!')

    def test_each_mode_of_fopen_works(self):
        path = os.path.join(self.directory, 'file')
        for mode in ('w', 'wb', 'a', 'ab', 'r', 'rb', 'r+', 'rb+', 'r+b', 'w+', 'wb+', 'w+b',
                     'a+', 'ab+', 'a+b'):
            handle = self.client.call('guest-file-open', path=path, mode=mode)
            self.client.call('guest-file-close', handle=handle)

    def test_the_next_client_is_served_after_a_hang_up(self):
        for _ in range(3):
            self.client.send(b'{"execute":"guest-')
            self.client.close()
            self.client = self.connect()
            self.assertEqual(self.client.sync(42), 42)
            self.assertEqual(self.client.call('guest-ping'), {})


class OursAlike(Alike, AgentTest):
    pass


@unittest.skipUnless(QEMU_GA, 'qemu-ga is not installed')
class RealAlike(Alike, AgentTest):
    start = staticmethod(start_real)


@unittest.skipUnless(QEMU_GA, 'qemu-ga is not installed')
class SameFacts(AgentTest):
    """What both agents read from the same machine."""

    def setUp(self):
        super().setUp()
        real = start_real(self.directory)
        self.addCleanup(real.close)
        self.real = Client(real.path)
        self.addCleanup(self.real.close)

    def assert_same(self, name, key):
        self.assertEqual(sorted(self.client.call(name), key=key),
                         sorted(self.real.call(name), key=key))

    def test_osinfo_and_host_name_are_the_same(self):
        for name in ('guest-get-osinfo', 'guest-get-host-name'):
            self.assertEqual(self.client.call(name), self.real.call(name))

    def test_vcpus_are_the_same(self):
        self.assert_same('guest-get-vcpus', lambda cpu: cpu['logical-id'])

    def test_interfaces_and_their_addresses_are_the_same(self):
        def facts(client):
            interfaces = client.call('guest-network-get-interfaces')
            for interface in interfaces:
                interface.pop('statistics', None)
            return sorted(interfaces, key=lambda interface: interface['name'])

        self.assertEqual(facts(self.client), facts(self.real))

    def test_times_are_the_same(self):
        before = self.real.call('guest-get-time')
        ours = self.client.call('guest-get-time')
        self.assertLessEqual(before, ours)
        self.assertLessEqual(ours, self.real.call('guest-get-time'))

    def test_every_command_of_ours_is_one_of_the_real_agent(self):
        ours, real = ({item['name']: item for item in client.call('guest-info')
                       ['supported_commands']} for client in (self.client, self.real))
        for name, item in ours.items():
            self.assertEqual(item['success-response'], real[name]['success-response'])


class Ours(AgentTest):
    def test_info_names_every_command_that_is_served(self):
        info = self.client.call('guest-info')
        self.assertRegex(info['version'], r'^\d+\.\d+\.\d+$')
        for item in info['supported_commands']:
            self.assertTrue(item['enabled'])
            if item['name'] != 'guest-shutdown':
                answer = self.client.ask({'execute': item['name'], 'arguments': {'x-no': 1}})
                self.assertEqual(answer['error']['class'], 'GenericError')

    def test_the_capture_modes_of_qemu_8_1_select_streams(self):
        for mode, out, err in (('none', None, None), ('stdout', b'o\n', None),
                               ('stderr', None, b'e\n'), ('separated', b'o\n', b'e\n'),
                               ('merged', b'o\ne\n', None)):
            status = self.client.run('sh', '-c', 'echo o; echo e >&2', capture_output=mode)
            self.assertEqual(status.get('out-data'), out and encode64(out), mode)
            self.assertEqual(status.get('err-data'), err and encode64(err), mode)
        with self.assertRaises(AgentError):
            self.client.run('true', capture_output='both')

    def test_the_machine_is_not_shut_down_when_the_agent_is_not_its_init(self):
        for arguments in ({}, {'mode': 'powerdown'}, {'mode': 'halt'}, {'mode': 'reboot'}):
            with self.assertRaises(AgentError):
                self.client.call('guest-shutdown', **arguments)

    def test_strings_with_a_nul_are_refused(self):
        for request in (r'{"execute":"guest-exec","arguments":{"path":"true\u0000x"}}',
                        r'{"execute":"guest-exec","arguments":{"path":"true","arg":["\u0000"]}}',
                        r'{"execute":"guest-ping\u0000"}'):
            self.assertEqual(self.client.ask(request)['error']['class'], 'GenericError')

    def test_what_is_not_utf_8_is_refused(self):
        answer = self.client.ask(b'{"execute":"guest-ping\xc3"}')
        self.assertEqual(answer['error']['class'], 'GenericError')

    def test_nesting_is_allowed_to_its_cap_and_refused_past_it(self):
        for depth, key in ((63, 'return'), (64, 'error')):
            request = '{"execute":"guest-ping","id":' + '[' * depth + ']' * depth + '}'
            self.assertIn(key, self.client.ask(request))
            self.assertEqual(self.client.sync(depth), depth)

    def test_a_request_past_its_cap_is_refused_and_the_next_one_served(self):
        frame = len('{"execute":"guest-ping","id":""}')
        for size, key in ((32 << 20, 'return'), ((32 << 20) + 1, 'error')):
            request = '{"execute":"guest-ping","id":"' + 'x' * (size - frame) + '"}'
            self.assertEqual(len(request), size)
            self.assertIn(key, self.client.ask(request))
            self.assertEqual(self.client.call('guest-ping'), {})

    def test_open_files_have_a_cap(self):
        handles = [self.client.call('guest-file-open', path='/dev/null') for _ in range(256)]
        with self.assertRaises(AgentError):
            self.client.call('guest-file-open', path='/dev/null')
        self.client.call('guest-file-close', handle=handles[7])
        self.client.call('guest-file-open', path='/dev/null')

    def test_running_programs_have_a_cap_and_ends_nobody_asked_for_do_not_count(self):
        running = [self.client.call('guest-exec', path='sleep', arg=['60'])['pid']
                   for _ in range(128)]
        try:
            with self.assertRaises(AgentError):
                self.client.call('guest-exec', path='true')
            os.kill(running[0], 9)
            deadline = time.monotonic() + 30
            while True:
                try:
                    self.client.call('guest-exec', path='true')
                    break
                except AgentError:
                    self.assertLess(time.monotonic(), deadline)
            with self.assertRaises(AgentError):
                self.client.call('guest-exec-status', pid=running[0])
        finally:
            for pid in running[1:]:
                os.kill(pid, 9)

    def test_an_answer_nobody_reads_does_not_grow_and_the_rest_is_answered_later(self):
        requests = 200_000
        self.client.sock.settimeout(0.5)
        sent = 0
        data = b'{"execute":"guest-ping"}\n' * requests
        try:
            while sent < len(data):
                sent += self.client.sock.send(data[sent:sent + 65536])
        except TimeoutError:
            pass
        self.assertLess(sent, len(data))
        if not SANITIZED:
            self.assertLess(self.resident_kib(), 4096)
        self.client.sock.settimeout(30)
        whole = sent // len(b'{"execute":"guest-ping"}\n')
        for _ in range(whole):
            self.assertEqual(json.loads(self.client.line()), {'return': {}})

    def resident_kib(self):
        status = pathlib.Path(f'/proc/{self.agent.process.pid}/status').read_text()
        return int(status.split('VmRSS:')[1].split()[0])

    def descriptors(self):
        return len(os.listdir(f'/proc/{self.agent.process.pid}/fd'))

    def test_thousands_of_commands_leak_nothing(self):
        def round_of(count):
            for _ in range(count):
                self.client.run('echo', 'x', input_data=encode64(b'y' * 1000))
                handle = self.client.call('guest-file-open', path='/etc/passwd')
                self.client.call('guest-file-read', handle=handle)
                self.client.call('guest-file-close', handle=handle)
                self.client.call('guest-network-get-interfaces')
                self.client.call('guest-get-osinfo')
                self.client.ask('{"execute":}')
                self.client.sync(1)

        round_of(50)
        resident, descriptors = self.resident_kib(), self.descriptors()
        round_of(100 if SANITIZED else 500)
        self.assertEqual(self.descriptors(), descriptors)
        if not SANITIZED:
            self.assertLess(self.resident_kib() - resident, 256)

    def test_random_requests_do_not_disturb_the_agent(self):
        source = random.Random(SEED)
        seeds = [request.encode() for request, _ in ALIKE
                 if not any(word in request for word in ('shutdown', 'set-time', '"mode"'))]
        for number in range(200):
            data = bytearray()
            for _ in range(100):
                request = bytearray(source.choice(seeds))
                for _ in range(source.randrange(4)):
                    at = source.randrange(len(request))
                    if source.randrange(2):
                        request[at] = source.randrange(256)
                    else:
                        del request[at:at + source.randrange(8)]
                    request = request or bytearray(b' ')
                data += request + b'\n' * source.randrange(2)
            self.client.send(bytes(data))
            self.assertEqual(self.client.sync(number), number)


class CommandStream(unittest.TestCase):
    """Command records run by the agent itself, as in the VM."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix='mayfly-')
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        listener = Listener(directory.name)
        self.addCleanup(listener.close)
        self.agent = start_ours(directory.name, '--stream', listener.path)
        self.addCleanup(self.agent.close)
        self.peer = listener.accept()
        self.addCleanup(self.peer.sock.close)
        self.first = True
        self.client = Client(self.agent.path)
        self.addCleanup(self.client.close)

    def start(self, data):
        pid = self.client.call('guest-exec', path=SELF, arg=['exec'],
                               input_data=encode64(data))['pid']
        if self.first:
            self.first = False
        else:
            self.peer.reset()
        return pid

    def run_record(self, data, stdin=b''):
        """Runs it; the two reports of its end must agree."""
        pid = self.start(data)
        self.peer.feed(stdin)
        self.peer.finish()
        status = self.client.status(pid)
        expected = {'exitcode': self.peer.exit} if self.peer.exit >= 0 else {
            'signal': -self.peer.exit}
        self.assertEqual(status, {'exited': True, **expected})
        return self.peer

    def test_every_status_is_reported_by_frame_and_by_the_agent(self):
        for status in range(256):
            self.assertEqual(self.run_record(record(shell=f'exit {status}')).exit, status)

    def test_streams_belong_to_the_command_one_after_the_other(self):
        for i in range(20):
            peer = self.run_record(record(shell=f'cat; echo {i} >&2'), b'%d' % i * 5000)
            self.assertEqual((peer.out, peer.err), (b'%d' % i * 5000, b'%d\n' % i))

    def test_the_pid_is_the_command_s_own(self):
        pid = self.start(record(shell='echo $$'))
        self.peer.finish()
        self.assertEqual(int(self.peer.out), pid)

    def test_a_second_command_is_refused_while_one_runs(self):
        pid = self.start(record(shell='read line; echo $line'))
        with self.assertRaises(AgentError) as raised:
            self.client.call('guest-exec', path=SELF, arg=['exec'],
                             input_data=encode64(record(['true'])))
        self.assertIn(str(pid), raised.exception.text)
        self.peer.feed(b'line\n')
        self.peer.finish()
        self.assertEqual(self.peer.out, b'line\n')

    def test_a_daemon_of_an_earlier_command_lives_on_and_its_output_is_not_the_next_one_s(self):
        alive = os.path.join(self.directory, 'alive')
        pid = self.start(record(shell=f'''
            (for i in $(seq 10); do echo late || exit; sleep .02; done; : >{alive}
             while [ -e {alive} ]; do echo late; sleep .02; done) &'''))
        self.peer.run_until(lambda: self.peer.exit is not None)
        self.client.status(pid)
        peer = self.run_record(record(shell=f'while ! [ -e {alive} ]; do sleep .02; done; echo mine'))
        self.assertEqual(peer.out, b'mine\n')
        os.unlink(alive)

    def test_bad_records_are_refused_and_the_next_one_runs(self):
        for data in (b'', b'x', b'bogus=1\0'):
            with self.assertRaises(AgentError):
                self.start(data)
        self.assertEqual(self.run_record(record(['echo', 'x'])).out, b'x\n')

    def test_the_agent_answers_while_a_command_writes(self):
        self.start(record(['yes']))
        self.peer.run_until(lambda: len(self.peer.out) > 1 << 20)
        for number in range(100):
            self.assertEqual(self.client.sync(number), number)
        self.peer.send(b'CKIL', b'\0\0\0\0')
        self.peer.finish()
        self.assertIn(self.peer.exit, (-15, -9))

    def test_other_programs_of_the_agent_survive_the_kill_of_a_command(self):
        other = self.client.call('guest-exec', path='sh', arg=['-c', 'sleep 1; exit 5'])['pid']
        self.start(record(shell='trap "" TERM; echo; setsid sleep 60 & wait; sleep 60'))
        self.peer.run_until(lambda: self.peer.out == b'\n')
        self.peer.send(b'CKIL', b'\0\0\0\0')
        self.peer.finish()
        self.assertEqual(self.client.status(other), {'exited': True, 'exitcode': 5})


if __name__ == '__main__':
    tap.main()
