#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The manual pages, as groff shows them, beside what the programs themselves say: PAGE GUEST_PAGE."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import tap  # noqa: E402

PAGE, GUEST_PAGE = sys.argv[1:3]
del sys.argv[1:3]
MAYFLY = os.environ["MAYFLY"]
VERBS = json.loads(pathlib.Path(os.environ["MAYFLY_SYNTAX"]).read_text(encoding="utf-8"))


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def render(page):
    return run("groff", "-man", "-ww", "-Tutf8", "-Kutf8", "-P-cbou", "-rHY=0", page)


def help_of(verb):
    return run(MAYFLY, *verb["name"].split(), "--help")


class VerbsTest(unittest.TestCase):
    def test_every_verb_that_help_lists_is_described(self):
        status, text, _ = run(MAYFLY, "--help")
        listed = re.findall(r"^  (\w+) +\w", text.split("Verbs:")[1].split("Options:")[0], re.M)
        self.assertEqual(status, 0)
        self.assertGreater(len(listed), 4)
        self.assertEqual(listed, list(dict.fromkeys(verb["name"].split()[0] for verb in VERBS)))

    def test_every_verb_of_two_words_is_described(self):
        for group in {verb["name"].split()[0] for verb in VERBS if " " in verb["name"]}:
            text = run(MAYFLY, group, "--help")[1].split("Verbs:")[1].split("\n\n")[0]
            listed = re.findall(r"^  (\w+)\b", text, re.M)
            self.assertEqual([f"{group} {name}" for name in listed],
                             [verb["name"] for verb in VERBS if verb["name"].split()[0] == group])

    def test_help_shows_every_option_of_its_verb_and_no_other(self):
        for verb in VERBS:
            status, text, error = help_of(verb)
            self.assertEqual((status, error), (0, ""), verb["name"])
            if "Options:" not in text:
                self.assertEqual(verb["options"], [], verb["name"])
                continue
            shown = set(re.findall(r"^  (?:-\w, )?--([\w-]+)", text, re.M)) - {"help"}
            self.assertEqual(shown, {option["long"] for option in verb["options"]}, verb["name"])

    def test_every_option_says_what_it_does(self):
        for verb in VERBS:
            for option in verb["options"]:
                self.assertTrue(option["help"], f"{verb['name']} --{option['long']}")


@unittest.skipUnless(shutil.which("groff"), "there is no groff on this host")
class PageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.status, text, cls.error = render(PAGE)
        cls.sections = {name.lower(): " ".join(body.split()) for name, body in
                        re.findall(r"^(\S.*)\n((?:(?: .*)?\n)+)", text + "\n", re.M)}

    def test_the_page_is_shown_without_a_warning(self):
        self.assertEqual((self.status, self.error), (0, ""))

    def test_every_option_is_in_the_section_of_its_verb_with_its_value_and_sentence(self):
        run_options = next(verb["options"] for verb in VERBS if verb["name"] == "run")
        for verb in VERBS:
            section = self.sections["mayfly " + verb["name"]]
            if verb["name"] != "run" and verb["options"] == run_options:
                self.assertIn("Its options are those of 'mayfly run'.", section)
                continue
            for option in verb["options"]:
                names = f"-{option['short']}, " if option["short"] else ""
                names += "--" + option["long"] + (" " + option["value"] if option["value"] else "")
                self.assertIn(names + " " + " ".join(option["help"].split()), section)

    def test_every_verb_is_in_the_synopsis(self):
        for verb in VERBS:
            self.assertIn("mayfly " + verb["name"], self.sections["synopsis"])

    def test_every_exit_status_is_on_the_page(self):
        header = pathlib.Path(__file__).resolve().parents[2] / "src" / "cli" / "cli.h"
        statuses = re.findall(r"MF_EXIT_(?!SIGNAL)\w+ = (\d+)", header.read_text(encoding="utf-8"))
        self.assertGreater(len(statuses), 7)
        for status in statuses:
            self.assertRegex(self.sections["exit status"], rf"(^|\s){status}\s")

    def test_every_variable_that_is_no_key_of_the_config_file_is_on_the_page(self):
        source = pathlib.Path(__file__).resolve().parents[2] / "src"
        text = (source / "suite" / "setting.c").read_text(encoding="utf-8")
        listed = re.findall(r'"(\w+)"', re.search(r"other_variables\[\] = \{(.*?)\};", text, re.S)[1])
        read = {name for path in source.rglob("*.c")
                for name in re.findall(r'getenv\("(MAYFLY_\w+)"', path.read_text(encoding="utf-8"))}
        self.assertGreater(len(listed), 2)
        for name in {*listed, *read}:
            self.assertIn(name, self.sections["environment"])


@unittest.skipUnless(shutil.which("groff"), "there is no groff on this host")
class GuestPageTest(unittest.TestCase):
    def test_the_page_is_shown_without_a_warning_and_has_what_help_has(self):
        status, text, error = render(GUEST_PAGE)
        words = " ".join(text.split())
        self.assertEqual((status, error), (0, ""))
        usage = run(os.environ["MAYFLY_GUEST"], "--help")[1]
        options = set(re.findall(r"--[a-z]+", usage))
        self.assertGreater(len(options), 3)
        for option in options:
            self.assertRegex(words, rf"{option}( SOCKET)? [A-Z]")
        for verb in re.findall(r"^  ([a-z]+) ", usage, re.M):
            self.assertRegex(words, rf" {verb} [A-Z]")


if __name__ == "__main__":
    tap.main()
