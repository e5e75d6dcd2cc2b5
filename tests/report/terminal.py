# SPDX-License-Identifier: Apache-2.0
"""A real terminal for tests: one window of a tmux server of its own."""

import os
import pathlib
import shlex
import shutil
import subprocess
import tempfile
import time

CONFIGURATION = """
set -g history-limit 20000
set -g default-terminal screen
set -g status off
"""

# Keeps the terminal as the program left it. Ctrl-C is for the program.
KEEPER = 'trap : INT; status=$1; shift; "$@"; echo $? >"$status.new"; mv "$status.new" "$status"; ' \
         'exec cat'

# For things that take milliseconds, on a machine that does a lot else.
PATIENCE = 60


class Terminal:
    """Runs 'argv' in a terminal of so many columns and rows; a context manager."""

    def __init__(self, argv, columns, rows, **environment):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix='mayfly-'))
        configuration = self.directory / 'tmux.conf'
        configuration.write_text(CONFIGURATION, encoding='ascii')
        self.base = ['tmux', '-u', '-S', str(self.directory / 'socket'), '-f', str(configuration)]
        self.env = {name: value for name, value in os.environ.items()
                    if not name.startswith(('GITHUB_', 'TMUX')) and name != 'NO_COLOR'}
        self.env.update(LC_ALL='C.UTF-8', TERM='xterm')
        settings = [f'{name}={value}' for name, value in environment.items()]
        self.status = self.directory / 'status'
        self.tmux('new-session', '-d', '-x', str(columns), '-y', str(rows),
                  shlex.join(['sh', '-c', KEEPER, 'sh', str(self.status), 'env', *settings, *argv]))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tmux('kill-server', check=False)
        shutil.rmtree(self.directory)

    def tmux(self, *arguments, check=True):
        done = subprocess.run([*self.base, *arguments], env=self.env, check=False, text=True,
                              encoding='utf-8', stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)
        if check and done.returncode != 0:
            raise AssertionError(f'tmux {arguments[0]}: {done.stderr}')
        return done.stdout

    def resize(self, columns, rows):
        self.tmux('resize-window', '-x', str(columns), '-y', str(rows))

    def type(self, *keys):
        self.tmux('send-keys', *keys)

    def screen(self, *options):
        """What is seen now."""
        return self.tmux('capture-pane', '-p', *options)

    def everything(self):
        """All lines so far, those that have scrolled away too, as they were before they were
        broken, without space at their ends."""
        text = self.tmux('capture-pane', '-p', '-J', '-S', '-')
        return '\n'.join(line.rstrip() for line in text.rstrip().split('\n'))

    def ask(self, variable):
        """The value of a variable of tmux."""
        return self.tmux('display-message', '-p', '#{' + variable + '}').strip()

    def wait_for(self, condition, what):
        """The first true value of 'condition'."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            value = condition()
            if value:
                return value
            time.sleep(0.02)
        raise AssertionError(f'{what} did not happen within {PATIENCE} s; the screen was:\n'
                             f'{self.screen()}')

    def wait_for_text(self, text):
        """What is seen once the text has come; on a slow host it may have scrolled away again."""
        return self.wait_for(lambda: text in self.screen('-S', '-') and self.screen(), f'{text!r}')

    def wait_for_end(self):
        """The exit status of the program, as a shell has it."""
        self.wait_for(self.status.exists, 'the end of the program')
        return int(self.status.read_text(encoding='ascii'))
