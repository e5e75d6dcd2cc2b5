#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The completions, asked as the shells ask them: BASH FISH ZSH, the scripts."""

import json
import os
import pathlib
import pty
import re
import select
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import tap  # noqa: E402

BASH, FISH, ZSH = (str(pathlib.Path(path).resolve()) for path in sys.argv[1:4])
del sys.argv[1:4]
VERBS = json.loads(pathlib.Path(os.environ["MAYFLY_SYNTAX"]).read_text(encoding="utf-8"))

# What stands in for mayfly in the shells: its kernels and personas are always the same.
FAKE = ("#!/bin/sh\ncase $1 in\nkernel) printf 'NAME RELEASE\\ndebian/6.1 6.1\\n' ;;\n"
        "persona) printf 'some-laptop  A laptop\\nyours  Another\\n' ;;\nesac\n")
FORMATS = ["json=", "junit=", "metrics=", "tap="]
PULLED = ["debian", "oci://", "ubuntu", "ubuntu-mainline"]


class ShellTest(unittest.TestCase):
    shell = "sh"

    @classmethod
    def setUpClass(cls):
        if not shutil.which(cls.shell):
            raise unittest.SkipTest(f"there is no {cls.shell} on this host")

    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.place = pathlib.Path(self.directory.name)
        for name in ("bin", "work", "work/data"):
            (self.place / name).mkdir()
        (self.place / "work" / "debug.log").touch()
        fake = self.place / "bin" / "mayfly"
        fake.write_text(FAKE, encoding="utf-8")
        fake.chmod(0o755)

    def run_shell(self, *arguments):
        path = f"{self.place / 'bin'}:{os.environ['PATH']}"
        done = subprocess.run([self.shell, *arguments], cwd=self.place / "work", timeout=60, text=True,
                              capture_output=True, check=False, env={**os.environ, "PATH": path,
                                                                     "HOME": self.directory.name})
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.splitlines()


class BashTest(ShellTest):
    shell = "bash"

    def complete(self, *words):
        """What bash offers for the last of 'words'."""
        script = (f"source {shlex.quote(BASH)}; COMP_WORDS=(mayfly {shlex.join(words)}); "
                  f"COMP_CWORD={len(words)}; _mayfly; printf '%s\\n' \"${{COMPREPLY[@]}}\"")
        return sorted(line for line in self.run_shell("--norc", "-c", script) if line)

    def test_verbs_are_completed(self):
        tops = list(dict.fromkeys(verb["name"].split()[0] for verb in VERBS))
        self.assertEqual(self.complete(""), sorted([*tops, "help", "--help", "--version"]))
        self.assertEqual(self.complete("kern"), ["kernel"])
        self.assertEqual(self.complete("kernel", "re"), ["remove"])

    def test_every_option_of_every_verb_is_completed(self):
        for verb in VERBS:
            offered = self.complete(*verb["name"].split(), "--")
            wanted = {"--" + option["long"] for option in verb["options"]}
            self.assertEqual(set(offered), wanted | {"--help"}, verb["name"])

    def test_values_are_completed_by_what_the_option_takes(self):
        self.assertEqual(self.complete("run", "--root-mode", "o"), ["overlay"])
        self.assertEqual(self.complete("run", "--root-mode", "=", "r"), ["ro", "rw"])
        self.assertEqual(self.complete("run", "--root-mode", "="), ["overlay", "ro", "rw"])
        self.assertEqual(self.complete("run", "-k", "de"), ["debian/6.1", "debug.log"])
        self.assertEqual(self.complete("run", "-r", "d"), ["data"])
        self.assertEqual(self.complete("test", "-c", "d"), ["data", "debug.log"])
        self.assertEqual(self.complete("run", "--timeout", ""), [])

    def test_a_report_is_its_format_and_then_a_file(self):
        for words in (["--report"], ["--report", "="]):
            self.assertEqual(self.complete("report", "merge", *words, ""), FORMATS)
            self.assertEqual(self.complete("report", "merge", *words, "ju"), ["junit="])
            self.assertEqual(self.complete("report", "merge", *words, "json", "="), ["data", "debug.log"])
            self.assertEqual(self.complete("report", "merge", *words, "json", "=", "deb"), ["debug.log"])
            self.assertEqual(self.complete("test", *words, "json", "=", "x", "--filt"), ["--filter"])

    def test_a_pull_begins_with_one_of_what_can_be_pulled(self):
        self.assertEqual(self.complete("kernel", "pull", ""), PULLED)
        self.assertEqual(self.complete("kernel", "pull", "deb"), ["debian"])

    def test_personas_are_completed_where_one_is_named(self):
        self.assertEqual(self.complete("run", "--persona", "s"), ["some-laptop"])
        self.assertEqual(self.complete("persona", "show", "y"), ["yours"])

    def test_help_is_followed_by_a_verb_and_no_more(self):
        self.assertEqual(self.complete("help", "kern"), ["kernel"])
        self.assertEqual(self.complete("help", "kernel", "re"), ["remove"])
        self.assertEqual(self.complete("help", "run", ""), [])
        self.assertNotIn("help", self.complete("help", ""))

    def test_the_words_of_the_command_are_not_options_of_mayfly(self):
        self.assertEqual(self.complete("run", "ls", "--ker"), [])
        self.assertEqual(self.complete("run", "ls", "deb"), ["debug.log"])
        self.assertEqual(self.complete("run", "--", "ls", "deb"), ["debug.log"])
        self.assertIn("bash", self.complete("run", "--", "bas"))
        self.assertIn("--kernel", self.complete("run", "--env", "ls", "--ker"))

    def test_kernels_are_completed_where_one_is_named(self):
        self.assertIn("debian/6.1", self.complete("kernel", "remove", ""))


class FishTest(ShellTest):
    shell = "fish"

    def complete(self, line):
        """The words that fish offers at the end of 'line'."""
        lines = self.run_shell("--no-config", "-c",
                               f"source {shlex.quote(FISH)}; complete -C {shlex.quote(line)}")
        return [text.split("\t")[0] for text in lines]

    def test_the_script_is_understood(self):
        self.run_shell("-n", FISH)

    def test_verbs_are_completed(self):
        self.assertEqual(self.complete("mayfly kern"), ["kernel"])
        self.assertEqual(self.complete("mayfly kernel re"), ["remove"])

    def test_every_option_of_every_verb_is_completed(self):
        for verb in VERBS:
            offered = {text.rstrip("=") for text in self.complete(f"mayfly {verb['name']} --")}
            wanted = {"--" + option["long"] for option in verb["options"]}
            self.assertEqual(offered, wanted | {"--help"}, verb["name"])

    def test_values_are_completed_by_what_the_option_takes(self):
        self.assertEqual(self.complete("mayfly run --root-mode o"), ["overlay"])
        self.assertIn("debian/6.1", self.complete("mayfly run -k deb"))
        self.assertEqual(sorted(self.complete("mayfly kernel pull ")), PULLED)
        self.assertEqual(self.complete("mayfly run --persona s"), ["some-laptop"])
        self.assertEqual(sorted(self.complete("mayfly report merge --report ")), FORMATS)
        self.assertEqual(self.complete("mayfly report merge --report json=deb"), ["json=debug.log"])

    def test_help_is_followed_by_a_verb(self):
        self.assertEqual(self.complete("mayfly help kern"), ["kernel"])
        self.assertEqual(self.complete("mayfly help kernel re"), ["remove"])
        self.assertEqual(self.complete("mayfly hel"), ["help"])


class ZshTest(ShellTest):
    shell = "zsh"

    def test_the_script_is_understood(self):
        self.run_shell("-f", "-n", ZSH)

    def start_on_a_terminal(self, command):
        """The shell with a terminal, which is returned, and a command typed there."""
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        path = f"{self.place / 'bin'}:{os.environ['PATH']}"
        shell = subprocess.Popen([self.shell, "-f", "-i"], cwd=self.place / "work",
                                 stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
                                 env={**os.environ, "PATH": path, "TERM": "xterm",
                                      "HOME": self.directory.name})
        os.close(theirs)
        self.addCleanup(shell.wait)
        self.addCleanup(shell.kill)
        os.write(ours, command.encode() + b"\r")
        return ours

    def await_text(self, terminal, text):
        seen = ""
        deadline = time.monotonic() + 30
        while text not in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]", "", seen):
            left = deadline - time.monotonic()
            ready = left > 0 and select.select([terminal], [], [], left)[0]
            self.assertTrue(ready, f"'{text}' is not in {seen!r}")
            seen += os.read(terminal, 4096).decode(errors="replace")

    def test_what_is_typed_is_completed_on_a_terminal(self):
        """What is awaited is not in what was typed, so that an echo is not enough."""
        lines = {"mayfly kern": "kernel ", "mayfly kernel remo": "remove ",
                 "mayfly test --durat": "--durations=", "mayfly run --root-mode ov": "overlay ",
                 "mayfly run --net=us": "user ", "mayfly doctor --js": "--json ",
                 "mayfly run -k debi": "debian/6.1", "mayfly run -- unshar": "unshare ",
                 "mayfly help kernel remo": "remove ", "mayfly persona show some-": "some-laptop ",
                 "mayfly test --report ju": "junit=", "mayfly test --report junit=debu": "debug.log ",
                 "mayfly kernel pull oc": "oci://"}
        terminal = self.start_on_a_terminal(
            f"fpath=({shlex.quote(str(pathlib.Path(ZSH).parent))} $fpath); autoload -Uz compinit; "
            "compinit -u -D; bindkey '^I' complete-word; PS1='rea''dy> '")
        self.await_text(terminal, "ready> ")
        for line, completed in lines.items():
            # Ctrl-U takes back what was there before.
            os.write(terminal, b"\x15" + line.encode() + b"\t")
            self.await_text(terminal, completed)

    def test_every_option_of_every_verb_is_specified(self):
        """_arguments is replaced by a function that prints the specifications it is given."""
        for verb in VERBS:
            function = "_mayfly_" + verb["name"].replace(" ", "_")
            script = (f"_mayfly() {{ :; }}; compdef() {{ :; }}; words=(mayfly run); CURRENT=9; "
                      f"_call_function() {{ :; }}; source {shlex.quote(ZSH)}; "
                      f"_arguments() {{ print -rl -- \"$@\"; }}; {function}")
            specifications = self.run_shell("-f", "-c", script)
            for option in verb["options"]:
                name = "--" + option["long"] + ("=" if option["value"] else "")
                found = [text for text in specifications if text.split(")")[-1].lstrip("*")
                         .startswith(name + "[") or f"{name}[" in text]
                self.assertTrue(found, f"{verb['name']} {name} in {specifications}")


if __name__ == "__main__":
    tap.main()
