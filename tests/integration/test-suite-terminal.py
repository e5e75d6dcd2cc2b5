#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mayfly test with real VMs in a real terminal (tmux). What the report looks like in every other
way is tested with a recorded suite: tests/report/test-terminal.py."""

import json
import os
import re
import shutil
import sys

from harness import MAYFLY, Sandbox, Skip, kernel, main, test

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.append(os.path.join(SOURCE, "tests", "report"))
sys.dont_write_bytecode = True

import terminal as tmux  # noqa: E402

# Booting VMs on a busy machine, and not only drawing.
tmux.PATIENCE = 200

COLUMNS, ROWS = 80, 24

TARGETS = {
    "passes": "command = 'echo all is well'\n",
    "fails": "command = 'echo first; echo last >&2; exit 3'\n",
    "hangs": "command = 'echo waiting; sleep 600'\ntimeout = '8s'\n",
}


def in_terminal(box, *options):
    config = os.path.join(box.work, "mayfly.toml")
    with open(config, "w") as file:
        for name, keys in TARGETS.items():
            file.write(f"[[target]]\nname = '{name}'\n"
                       f"kernel = {json.dumps(kernel('small'))}\n{keys}")
    environment = {name: box.env[name] for name in ("TMPDIR", "MAYFLY_CACHE_DIR",
                                                    "MAYFLY_TEST_MARK")}
    return tmux.Terminal([MAYFLY, "test", "-c", config, "-j", "3", *options], COLUMNS, ROWS,
                         **environment)


def assert_fits(screen):
    lines = screen.rstrip("\n").split("\n")
    assert len(lines) <= ROWS and all(len(line) < COLUMNS for line in lines), screen


@test
def three_targets_run_and_end_on_a_terminal():
    if not shutil.which("tmux"):
        raise Skip("tmux is not installed")
    with Sandbox() as box, in_terminal(box) as terminal:
        running = terminal.wait_for_text("RUN   hangs: execution")
        assert_fits(running)
        assert re.search(r"(?m)^[0-3] of 3 finished(, \d not passed)?, \d running, \d", running), \
            running
        shown = terminal.wait_for_text("| waiting")
        assert re.search(r"RUN   hangs: execution [^\n]*\n( +\| [^\n]*\n)* +\| waiting\n", shown), \
            shown
        assert_fits(shown)

        assert terminal.wait_for_end() == 2
        everything = terminal.everything()
        for outcome, name, rest in (("PASS", "passes", ""),
                                    ("FAIL", "fails", r"\n +The command exited with status 3\."),
                                    ("FAIL", "hangs",
                                     r"\n +The command did not end within 8s\.")):
            line = rf"(?m)^{outcome}  \[\d/3\] {name} \([\d.]+m?s?[\d.]*s\){rest}$"
            assert re.search(line, everything), everything
        # The failures with what they wrote, the pass without.
        for text in (r" stdout:\n +\| first\n +stderr:\n +\| last\n", r" stdout:\n +\| waiting\n"):
            assert re.search(text, everything), everything
        assert "all is well" not in everything, everything
        assert re.search(r"(?m)^3 targets: 1 passed, 2 failed in [\dms.]+\.$", everything), \
            everything

        # Nothing is left of what was only shown while they ran, and the terminal is as before.
        assert "RUN   " not in everything and " running, " not in everything, everything
        modes = [terminal.ask(name) for name in ("cursor_flag", "alternate_on", "insert_flag",
                                                 "wrap_flag")]
        assert modes == ["1", "0", "0", "1"], modes


@test
def ctrl_c_on_a_terminal_ends_them_and_tells_how_far_they_came():
    if not shutil.which("tmux"):
        raise Skip("tmux is not installed")
    with Sandbox() as box, in_terminal(box, "-f", "hangs", "--set", "timeout=0") as terminal:
        terminal.wait_for_text("| waiting")
        terminal.type("C-c")
        assert terminal.wait_for_end() == 130
        everything = terminal.everything()
        assert re.search(r"(?m)^ERROR \[1/1\] hangs ", everything), everything
        assert "Ended by signal 2" in everything, everything
        assert "RUN   " not in everything and " running, " not in everything, everything


if __name__ == "__main__":
    main()
