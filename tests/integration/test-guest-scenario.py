#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""'mayfly-guest frame' on this machine, without a VM: the door that 'mayfly-guest exec' keeps, and
what the host, played by this test, gets through it.

The program is $MAYFLY_GUEST.
"""

import json
import os
import pathlib
import shlex
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import tap
from streampeer import DEADLINE, Listener, encode, record

PROGRAM = os.environ['MAYFLY_GUEST']
SCENARIO = 0xffffffff
MEMORY, WATCH, STATE, CONSOLE = 1, 2, 3, 4
OK, FAILED = 1, 2
CLIENTS_MAX = 16
REQUESTS_MAX = 4


def parse(message):
    tag, length, _, _ = struct.unpack_from('<4sIII', message)
    return tag[::-1], message[16:16 + length]


def request(number, kind=CONSOLE, tag=b''):
    return encode(b'SNRQ', struct.pack('<II64s', number, kind, tag))


class Door(unittest.TestCase):
    """'exec' with a command that lasts until its standard input ends."""

    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix='mayfly-')
        self.addCleanup(self.directory.cleanup)
        os.chmod(self.directory.name, 0o755)
        self.path = os.path.join(self.directory.name, 'door')

    def start(self, text='cat >/dev/null'):
        listener = Listener(self.directory.name)
        self.process = subprocess.Popen(
            [PROGRAM, 'exec', '--stream', listener.path, '--scenario', self.path],
            stdin=subprocess.PIPE)
        self.process.stdin.write(record(shell=text, env={
            'PATH': os.environ['PATH'], 'FRAME': f'{PROGRAM} frame --socket {self.path}'}))
        self.process.stdin.close()
        self.peer = listener.accept()
        listener.close()
        self.addCleanup(self.stop)

    def stop(self):
        self.peer.sock.close()
        try:
            self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def play(self, text):
        """Runs the text to its end; its $FRAME is the program. The frames that came of it."""
        self.start(text)
        self.peer.feed(b'')
        self.peer.finish()
        return self.peer.others

    def connect(self):
        deadline = time.monotonic() + DEADLINE
        client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.addCleanup(client.close)
        while not os.path.exists(self.path):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        client.connect(self.path)  # which one with a timeout does not wait for
        client.settimeout(DEADLINE)
        return client

    def answer(self, client):
        kind, payload = parse(client.recv(4096))
        self.assertEqual((kind, len(payload)), (b'SNRP', 72))
        number, status, reason = struct.unpack('<II64s', payload)
        return number, status, reason.rstrip(b'\0').decode()

    def ask(self, client, message):
        client.send(message)
        return self.answer(client)

    def host_frame(self):
        self.peer.run_until(lambda: self.peer.others)
        return self.peer.others.pop(0)


class Verbs(Door):
    def test_marks_of_a_scenario_arrive_in_order_ahead_of_the_exit(self):
        frames = self.play('for verb in start pause resume end; do $FRAME $verb || exit 9; done')
        self.assertEqual(self.peer.exit, 0)
        self.assertEqual([kind for kind, _ in frames], [b'SCST', b'SCPP', b'SCRR', b'SCEN'])
        self.assertEqual([payload for _, payload in frames[:3]], [b'', b'', b''])

    def test_an_end_tells_the_time_since_the_start(self):
        frames = self.play('$FRAME end; $FRAME start; sleep 0.3; $FRAME end')
        elapsed = [struct.unpack('<Q', payload)[0] for kind, payload in frames if kind == b'SCEN']
        self.assertEqual(elapsed[0], 0)
        self.assertTrue(300 <= elapsed[1] < DEADLINE * 1000, elapsed)

    def test_a_metric_is_json_with_the_scenario_s_index(self):
        frames = self.play("$FRAME metric 'a \"b\" ä' 1.5e3 --polarity lower --unit us && "
                           "$FRAME metric plain -0.25")
        metrics = []
        for kind, payload in frames:
            self.assertEqual((kind, payload[:4]), (b'PMET', struct.pack('<I', SCENARIO)))
            metrics.append(json.loads(payload[4:])['metric'])
        self.assertEqual(metrics, [
            {'name': 'a "b" ä', 'value': 1500.0, 'unit': 'us', 'polarity': 'lower'},
            {'name': 'plain', 'value': -0.25, 'unit': '', 'polarity': ''}])

    def test_a_log_is_its_words_as_a_line_or_all_of_the_standard_input(self):
        frames = self.play('$FRAME log two "wo  rds"; seq 2000 | $FRAME log')
        text = b''.join(payload for kind, payload in frames if kind == b'SCLG')
        self.assertEqual(text, b'two wo  rds\n' + b''.join(b'%d\n' % i for i in range(1, 2001)))

    def test_a_snapshot_prints_the_reason_and_exits_by_the_status(self):
        self.start('cat >/dev/null; $FRAME snapshot memory; echo $?; $FRAME snapshot console '
                   'my-tag; echo $?; $FRAME snapshot state; echo $?')
        self.peer.feed(b'')
        for kind, tag, status, reason in ((MEMORY, b'', FAILED, b'no room'),
                                          (CONSOLE, b'my-tag', OK, b'byte 17'),
                                          (STATE, b'', OK, b'')):
            sent, payload = self.host_frame()
            number, got, text = struct.unpack('<II64s', payload)
            self.assertEqual((sent, got, text.rstrip(b'\0')), (b'SNRQ', kind, tag))
            self.peer.send(b'SNRP', struct.pack('<II64s', number, status, reason))
        self.peer.finish()
        self.assertEqual(self.peer.out, b'1\nbyte 17\n0\n0\n')
        self.assertEqual(self.peer.err, b'mayfly-guest: mayfly did not do it: no room\n')

    def test_a_wrong_command_line_is_one_sentence_and_status_2(self):
        for words in ([], ['begin'], ['start', 'now'], ['metric'], ['metric', 'x'],
                      ['metric', 'x', 'nan'], ['metric', 'x', 'inf'], ['metric', 'x', '1,5'],
                      ['metric', 'x', ''], ['metric', '', '1'], ['metric', 'x' * 129, '1'],
                      ['metric', 'x', '1', '--unit'], ['metric', 'x', '1', '--unit', 'u' * 65],
                      ['metric', 'x', '1', '--polarity', 'up'], ['metric', 'x', '1', 'us'],
                      ['snapshot'], ['snapshot', 'disk'], ['snapshot', 'state', 'x' * 65],
                      ['snapshot', 'state', 'a', 'b'], ['log', 'x' * 4096], ['--socket']):
            done = subprocess.run([PROGRAM, 'frame', *words], capture_output=True, text=True,
                                  stdin=subprocess.DEVNULL, timeout=DEADLINE)
            self.assertEqual((done.returncode, done.stdout), (2, ''), words)
            self.assertRegex(done.stderr, r"^mayfly-guest: [^\n]+'mayfly-guest --help'[^\n]+\n$")

    def test_without_a_host_it_says_what_it_looked_for_and_exits_1(self):
        done = subprocess.run([PROGRAM, 'frame', '--socket', self.path, 'start'],
                              capture_output=True, text=True, timeout=DEADLINE)
        self.assertEqual((done.returncode, done.stdout), (1, ''))
        self.assertRegex(done.stderr, f"^mayfly-guest: cannot reach mayfly by the socket "
                                      f"'{self.path}' \\(No such file or directory\\)[^\n]*\n$")

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which('setpriv'), 'needs root and setpriv')
    def test_any_user_of_the_guest_may_send_frames(self):
        program = shutil.copy(PROGRAM, self.directory.name)
        frames = self.play('setpriv --reuid=65534 --regid=65534 --clear-groups '
                           f'{shlex.quote(program)} frame --socket {self.path} log hello')
        self.assertEqual((self.peer.exit, frames), (0, [(b'SCLG', b'hello\n')]))


class Hostile(Door):
    def test_only_frames_of_a_scenario_pass_and_only_in_their_form(self):
        self.start()
        client = self.connect()
        torn = bytearray(encode(b'SCLG', b'text'))
        torn[8] ^= 0xff
        for message in (b'x', b'\0' * 16, encode(b'SCST')[:15], encode(b'SCST') + b'x', bytes(torn),
                        encode(b'EXCX', b'\0' * 4), encode(b'SRDY'), encode(b'CONR', b'\0'),
                        encode(b'SOUT', b'forged'), encode(b'SCDX', b'\0' * 4),
                        encode(b'SNRP', b'\0' * 72), encode(b'RAWO', b'\0' * 8),
                        encode(b'SCST', b'1'), encode(b'SCEN', b'\0' * 8), encode(b'SCLG'),
                        encode(b'SCLG', b'x' * 4097), encode(b'SCLG', b'x' * 100_000),
                        encode(b'PMET', struct.pack('<I', 0) + b'{}'),
                        encode(b'PMET', struct.pack('<I', SCENARIO)), encode(b'PMET', b'\xff'),
                        encode(b'SNRQ', b'\1' * 71), encode(b'SNRQ', b'\1' * 73),
                        request(0), request(1, kind=0)):
            number, status, reason = self.ask(client, message)
            self.assertEqual((number, status), (0, FAILED), message[:40])
            self.assertRegex(reason, r'^[A-Z].*\.$')
        self.assertEqual(self.ask(client, encode(b'SCLG', b'x' * 4096)), (0, OK, ''))
        self.assertEqual(self.host_frame(), (b'SCLG', b'x' * 4096))
        self.assertEqual(self.peer.others, [])

    def test_answers_go_to_who_asked_whatever_ids_they_use(self):
        self.start()
        clients = [self.connect() for _ in range(REQUESTS_MAX)]
        for client in clients:
            client.send(request(7))
        numbers = [struct.unpack('<I', self.host_frame()[1][:4])[0] for _ in clients]
        self.assertEqual(len(set(numbers)), REQUESTS_MAX)
        for forged in (0, 99, *numbers):
            self.peer.send(b'SNRP', struct.pack('<II64s', forged, OK, b'answer %d' % forged))
        self.peer.feed(b'', end=False)
        self.peer.turn(1)
        self.assertEqual({self.answer(client) for client in clients},
                         {(7, OK, f'answer {number}') for number in numbers})

    def test_a_flood_of_requests_is_refused_beyond_four_that_wait(self):
        self.start()
        waiting = [self.connect() for _ in range(REQUESTS_MAX)]
        for client in waiting:
            client.send(request(1))
        for _ in waiting:
            self.host_frame()
        for _ in range(50):
            self.assertEqual(self.ask(self.connect(), request(1))[:2], (0, FAILED))
        self.assertEqual(self.ask(self.connect(), encode(b'SCST')), (0, OK, ''))
        self.assertEqual(self.host_frame(), (b'SCST', b''))

    def test_clients_that_say_nothing_do_not_keep_others_out(self):
        self.start()
        silent = [self.connect() for _ in range(3 * CLIENTS_MAX)]
        self.assertEqual(self.ask(self.connect(), encode(b'SCST')), (0, OK, ''))
        self.assertEqual(silent[0].recv(1), b'')  # shown out

    def test_a_host_that_does_not_read_makes_clients_wait_and_loses_nothing(self):
        self.start()
        count, chunk, sent = 400, b'y' * 4096, []

        def flood():
            client = self.connect()
            for _ in range(count):
                sent.append(self.ask(client, encode(b'SCLG', chunk)))

        flooding = threading.Thread(target=flood)
        flooding.start()
        before = -1
        while before != len(sent):
            before = len(sent)
            time.sleep(0.3)
        self.assertLess(len(sent), count)
        self.peer.run_until(lambda: len(self.peer.others) == count)
        flooding.join(DEADLINE)
        self.assertEqual(self.peer.others, [(b'SCLG', chunk)] * count)

    def test_a_flood_of_frames_does_not_stop_the_command_s_output(self):
        self.start('yes | head -c 20000000')
        stop = threading.Event()

        def flood():
            client = self.connect()
            try:
                while not stop.is_set():
                    self.ask(client, encode(b'SCLG', b'z' * 4096))
            except (OSError, struct.error):
                pass

        threads = [threading.Thread(target=flood) for _ in range(4)]
        for thread in threads:
            thread.start()
        self.peer.feed(b'')
        self.peer.finish()
        stop.set()
        self.peer.sock.close()
        for thread in threads:
            thread.join(DEADLINE)
        self.assertEqual((self.peer.exit, len(self.peer.out)), (0, 20_000_000))
        self.assertTrue(self.peer.others)

    def test_a_client_that_leaves_before_its_answer_is_nobody_s_loss(self):
        self.start()
        client = self.connect()
        client.send(request(1))
        _, payload = self.host_frame()
        client.close()
        self.peer.send(b'SNRP', payload[:4] + struct.pack('<I64s', OK, b'late'))
        self.assertEqual(self.ask(self.connect(), encode(b'SCST')), (0, OK, ''))
        self.assertEqual(self.host_frame(), (b'SCST', b''))

    def test_the_door_is_gone_with_the_program(self):
        self.play('true')
        self.process.wait(DEADLINE)
        self.assertFalse(os.path.exists(self.path))


if __name__ == '__main__':
    tap.main()
