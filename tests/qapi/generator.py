#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tries out the parts of the generator that write: templates, layout, names, and the program."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GENERATOR = ROOT / "qapi" / "gen"
sys.path[:0] = [str(GENERATOR), str(ROOT / "tests")]
sys.dont_write_bytecode = True

import tap  # noqa: E402
from emit import c_member, camel, sentence, snake, write_if_changed  # noqa: E402
from layout import COLUMNS, lay_out  # noqa: E402
from template import Template, TemplateError  # noqa: E402


def render(text: str, **values) -> str:
    """What a template makes of its values."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "t.in")
        path.write_text(text, encoding="utf-8")
        Path(directory, "part.in").write_text("<${x}>\n", encoding="utf-8")
        return Template(path).render(values)


def render_error(text: str, **values) -> str:
    try:
        return f"rendered {render(text, **values)!r}"
    except TemplateError as error:
        return str(error).rpartition("/")[2]


def run(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-B", str(GENERATOR), *arguments], capture_output=True,
                          text=True, timeout=60, check=False)


class GeneratorTest(unittest.TestCase):
    def test_holes_take_attributes_and_entries(self) -> None:
        self.assertEqual(render("${a.b} ${c}$x{}\n", a={"b": 1}, c="two"), "1 two$x{}\n")

    def test_values_are_not_expanded_again(self) -> None:
        self.assertEqual(render("${a}\n", a="${b}"), "${b}\n")

    def test_loops_repeat_and_may_be_empty(self) -> None:
        text = "%for x in a\n- ${x.n}\n%for y in x.in\n  ${y}\n%end\n%end\nend\n"
        self.assertEqual(render(text, a=[{"n": 1, "in": "ab"}, {"n": 2, "in": ""}]),
               "- 1\n  a\n  b\n- 2\nend\n")
        self.assertEqual(render(text, a=[]), "end\n")

    def test_conditions_choose_one_side(self) -> None:
        text = "%if x\nyes\n%else\nno\n%end\n%if not x\nnone\n%end\n"
        self.assertEqual(render(text, x="x"), "yes\n")
        self.assertEqual(render(text, x=""), "no\nnone\n")

    def test_the_side_not_chosen_is_not_looked_at(self) -> None:
        text = "%if x\n${missing}\n%for y in missing\n%end\n%include missing\n%end\n"
        self.assertEqual(render(text, x=0), "\n")

    def test_includes_see_the_loop(self) -> None:
        self.assertEqual(render("%for x in a\n%include part.in\n%end\n", a=[1, 2]), "<1>\n<2>\n")

    def test_bad_templates_are_refused_with_their_line(self) -> None:
        self.assertEqual(render_error("a\n${b.c}\n", b={}), "t.in:2: nothing is called 'b.c'")
        self.assertEqual(render_error("%for x in y\n", y=[1]), "t.in:1: '%end' is missing")
        self.assertEqual(render_error("a\n%if x\n%else\n", x=1), "t.in:2: '%end' is missing")
        self.assertEqual(render_error("a\n%end\n"), "t.in:2: '%end' or '%else' without a beginning")
        self.assertEqual(render_error("%loop\n%end\n"), "t.in:1: '%loop' is no directive")

    def test_long_signatures_are_packed_below_the_bracket(self) -> None:
        head = "void a_function_with_a_rather_long_name_that_goes_on("
        line = head + "first argument, second argument, third argument, fourth argument);"
        expected = [head + "first argument, second argument,",
                    " " * len(head) + "third argument, fourth argument);"]
        self.assertEqual(lay_out(line).splitlines(), expected)

    def test_a_return_type_stands_alone_when_that_costs_no_line(self) -> None:
        name = "name_" * 12
        self.assertEqual(lay_out(f"AVeryLongTypeName *{name}(first argument, second argument);"),
                         f"AVeryLongTypeName *\n{name}(first argument, second argument);\n")

    def test_nested_brackets_stay_together(self) -> None:
        call = "    call(" + ", ".join(f"f(x, {i}, {{a, b}})" for i in range(8)) + ");"
        lines = lay_out(call).splitlines()
        self.assertGreater(len(lines), 1)
        for line in lines:
            opened = line.startswith("    call") - line.endswith(";")
            self.assertEqual(line.count("(") - line.count(")"), opened)
            self.assertLessEqual(len(line), COLUMNS)

    def test_comments_are_broken_between_words(self) -> None:
        for length in range(80, 120):
            text = "x" * (length - 60) + " word" * 12
            lines = lay_out(f"    /* {text} */").splitlines()
            self.assertEqual(" ".join(" ".join(lines).replace(" * ", " ").split()), f"/* {text} */")
            self.assertLessEqual(max(map(len, lines)), COLUMNS)

    def test_parts_are_one_empty_line_apart(self) -> None:
        self.assertEqual(lay_out("\n\na\n\n\n\nb\n\n\n"), "a\n\nb\n")

    def test_names_follow_the_style(self) -> None:
        for name, expected in (("StatusInfo", "status_info"), ("OsInfo", "os_info"),
                               ("IPAddress", "ip_address"), ("query-status", "query_status"),
                               ("STOP", "stop")):
            self.assertEqual(snake(name), expected)
        for name, expected in (("query-status", "QueryStatus"), ("device_del", "DeviceDel"),
                               ("GUEST_PANICKED", "GuestPanicked")):
            self.assertEqual(camel(name), expected)
        for name, expected in (("buf-b64", "buf_b64"), ("default", "default_"), ("unix", "unix_")):
            self.assertEqual(c_member(name), expected)

    def test_comments_cannot_be_ended_by_documentation(self) -> None:
        self.assertEqual(sentence("all of\n\n*/ it", "7.2"), "All of * / it. Since 7.2.")

    def test_unchanged_files_are_not_written(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory, "file")
            write_if_changed(path, "one\n")
            os.utime(path, (1, 1))
            write_if_changed(path, "one\n")
            self.assertEqual(path.stat().st_mtime, 1)
            write_if_changed(path, "two\n")
            self.assertEqual(path.read_text(encoding="utf-8"), "two\n")

    def test_the_program_refuses_a_bad_schema_and_writes_nothing(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            schema, output = Path(directory, "bad.json"), Path(directory, "test-types.h")
            schema.write_text("{ 'pragma': { 'prefix': 'test' } }\n{ 'event': 'GONE' }\n",
                              encoding="utf-8")
            result = run(str(schema), "--templates", str(ROOT / "templates" / "c"), "--output",
                         str(output))
            self.assertEqual((result.returncode, result.stdout), (1, ""))
            self.assertEqual(result.stderr, f"{schema}:2: 'GONE' is not documented\n")
            self.assertFalse(output.exists())

    def test_the_program_names_a_schema_that_is_not_there(self) -> None:
        result = run("missing.json")
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, "^missing.json:1: the file cannot be read: ")


if __name__ == "__main__":
    tap.main()
