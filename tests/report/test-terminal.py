#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The report of a running suite, in a real terminal (tmux).

MAYFLY_REPLAY plays a recorded suite in its own time, or faster: tests/report/replay.c.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import unicodedata
import unittest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
sys.dont_write_bytecode = True

import tap  # noqa: E402

from terminal import Terminal  # noqa: E402

REPLAY = os.environ['MAYFLY_REPLAY']
# About eight seconds.
PLAY = [REPLAY, '--speed', '4']
SUMMARY = '12 targets: 2 passed, 7 failed,'
COLOUR = '\033['


def width(line):
    """Columns of a line, by another table than the one that is tested."""
    return sum(0 if unicodedata.combining(character) else
               2 if unicodedata.east_asian_width(character) in 'WF' else 1 for character in line)


def as_words(text):
    """Text as its words, for a terminal shows tabs as spaces."""
    return [line.split() for line in text.rstrip().split('\n')]


@unittest.skipUnless(shutil.which('tmux'), 'tmux is not installed')
class OnATerminal(unittest.TestCase):
    def plain(self, *arguments):
        env = {name: value for name, value in os.environ.items() if not name.startswith('GITHUB_')}
        return subprocess.run([REPLAY, *arguments], env=env, check=True, text=True,
                              encoding='utf-8', stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE).stdout

    def assert_nothing_is_left(self, terminal):
        """Of the block that shows what runs, and of modes of the terminal."""
        everything = terminal.everything()
        self.assertNotIn('RUN   ', everything)
        self.assertNotIn(' running, ', everything)
        self.assertEqual(self.modes(terminal), '1 0 0 1')

    @staticmethod
    def modes(terminal):
        return ' '.join(terminal.ask(name) for name in ('cursor_flag', 'alternate_on',
                                                        'insert_flag', 'wrap_flag'))

    def assert_plays(self, terminal, columns):
        shown = terminal.wait_for_text('| all is well')
        self.assertRegex(shown, r'RUN   passes: (setup|execution) \d+')
        self.assertRegex(shown, r'(?m)^\d+ of 12 finished, 2 running, \d+s$')
        for line in re.findall(r'(?m)^(?:RUN  |      \|).*', shown):
            self.assertLess(width(line.rstrip()), columns)

    def assert_ends_as_the_plain_log(self, terminal):
        self.assertEqual(terminal.wait_for_end(), 0)
        self.assert_nothing_is_left(terminal)
        self.assertEqual(as_words(terminal.everything()), as_words(self.plain()))

    def test_at_80_by_24_and_at_200_by_50(self):
        with Terminal(PLAY, 80, 24) as small, Terminal(PLAY, 200, 50) as large:
            self.assert_plays(small, 80)
            self.assert_plays(large, 200)
            self.assert_ends_as_the_plain_log(small)
            self.assert_ends_as_the_plain_log(large)

    def test_elapsed_time_moves_without_events(self):
        with Terminal([REPLAY, '--speed', '1'], 80, 24) as terminal:
            terminal.wait_for_text('RUN   passes: execution')
            terminal.wait_for_text('0 of 12 finished, 2 running, 2s')
            terminal.type('C-c')
            terminal.wait_for_end()

    def test_colours_are_used_and_end(self):
        with Terminal(PLAY, 80, 24) as terminal:
            terminal.wait_for_text('PASS  [ 1/12]')
            shown = terminal.screen('-e', '-S', '-')
            self.assertIn(COLOUR, shown)
            self.assertRegex(shown, r'\033\[32mPASS\033\[(39m|0m|m)')

    def test_no_color_is_honoured(self):
        with Terminal(PLAY, 80, 24, NO_COLOR='1') as terminal:
            terminal.wait_for_text('PASS  [ 1/12]')
            shown = terminal.screen('-e')
            self.assertIn('RUN   ', shown)
            self.assertNotIn(COLOUR, shown)

    def test_a_dumb_terminal_and_a_pipe_get_the_plain_log(self):
        piped = ['sh', '-c', f'{REPLAY} --speed 4 | cat']
        with Terminal(PLAY, 80, 24, TERM='dumb') as dumb, Terminal(piped, 80, 24) as pipe:
            for terminal in (dumb, pipe):
                self.assertNotIn('RUN   ', terminal.wait_for_text('PASS  [ 1/12]'))
            self.assertNotIn(COLOUR, pipe.screen('-e'))
            for terminal in (dumb, pipe):
                self.assert_ends_as_the_plain_log(terminal)

    def test_a_window_that_is_resized_meanwhile_has_no_remains(self):
        sizes = [(50, 20), (200, 50), (34, 30), (120, 24), (60, 24), (61, 40), (40, 40), (80, 24)]
        # A window in use: tmux counts the empty rows of a fresh one, and scrolls away what is
        # above them when lines below become longer.
        script = f'seq 100; {REPLAY} --speed 2'
        with Terminal(['sh', '-c', script], 120, 30) as terminal:
            for columns, rows in sizes:
                terminal.wait_for(lambda: ' running, ' in terminal.everything(), 'a block')
                terminal.resize(columns, rows)
                terminal.wait_for(lambda: (terminal.ask('pane_width'), terminal.ask('pane_height'))
                                  == (str(columns), str(rows)), 'the new size')
                terminal.wait_for(lambda: self.block_fits(terminal, columns), 'a block that fits')
            self.assertEqual(terminal.wait_for_end(), 0)
            self.assert_nothing_is_left(terminal)
            used = ''.join(f'{number}\n' for number in range(1, 101))
            self.assertEqual(as_words(terminal.everything()), as_words(used + self.plain()))

    @staticmethod
    def block_fits(terminal, columns):
        lines = [line.rstrip() for line in terminal.screen().rstrip().split('\n')]
        return ' running, ' in lines[-1] and width(lines[-1]) < columns

    def test_live_output_scrolls_by_with_its_names(self):
        with Terminal([*PLAY, '--output', 'live'], 80, 24) as terminal:
            terminal.wait_for_text('exits with 3 | two')
            self.assertEqual(terminal.wait_for_end(), 0)
            self.assert_nothing_is_left(terminal)

    def test_an_interrupted_report_leaves_the_terminal_as_it_was(self):
        with Terminal(PLAY, 80, 24) as terminal:
            terminal.wait_for_text('PASS  [ 1/12]')
            terminal.type('C-c')
            self.assertEqual(terminal.wait_for_end(), 0)
            self.assert_nothing_is_left(terminal)
            self.assertIn(SUMMARY, terminal.everything())

    def test_a_killed_one_leaves_neither_colours_nor_a_hidden_cursor(self):
        script = f'{REPLAY} --speed 4 & echo pid=$!; wait'
        with Terminal(['sh', '-c', script], 80, 24) as terminal:
            terminal.wait_for_text('PASS  [ 1/12]')
            pid = re.search(r'(?m)^pid=(\d+)', terminal.everything()).group(1)
            os.kill(int(pid), 9)
            terminal.wait_for_end()
            terminal.type('echoed')
            terminal.wait_for_text('echoed')
            self.assertRegex(terminal.screen('-e'), r'(?m)^echoed')
            self.assertEqual(self.modes(terminal), '1 0 0 1')


if __name__ == '__main__':
    tap.main()
