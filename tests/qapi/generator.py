#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tries out the parts of the generator that write: templates, layout, names, and the program."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GENERATOR = ROOT / "qapi" / "gen"
sys.path.insert(0, str(GENERATOR))
sys.dont_write_bytecode = True

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


def expect(found, expected) -> None:
    if found != expected:
        raise AssertionError(f"expected {expected!r}, found {found!r}")


def test_holes_take_attributes_and_entries() -> None:
    expect(render("${a.b} ${c}$x{}\n", a={"b": 1}, c="two"), "1 two$x{}\n")


def test_values_are_not_expanded_again() -> None:
    expect(render("${a}\n", a="${b}"), "${b}\n")


def test_loops_repeat_and_may_be_empty() -> None:
    text = "%for x in a\n- ${x.n}\n%for y in x.in\n  ${y}\n%end\n%end\nend\n"
    expect(render(text, a=[{"n": 1, "in": "ab"}, {"n": 2, "in": ""}]),
           "- 1\n  a\n  b\n- 2\nend\n")
    expect(render(text, a=[]), "end\n")


def test_conditions_choose_one_side() -> None:
    text = "%if x\nyes\n%else\nno\n%end\n%if not x\nnone\n%end\n"
    expect(render(text, x="x"), "yes\n")
    expect(render(text, x=""), "no\nnone\n")


def test_the_side_not_chosen_is_not_looked_at() -> None:
    expect(render("%if x\n${missing}\n%for y in missing\n%end\n%include missing\n%end\n", x=0),
           "\n")


def test_includes_see_the_loop() -> None:
    expect(render("%for x in a\n%include part.in\n%end\n", a=[1, 2]), "<1>\n<2>\n")


def test_bad_templates_are_refused_with_their_line() -> None:
    expect(render_error("a\n${b.c}\n", b={}), "t.in:2: nothing is called 'b.c'")
    expect(render_error("%for x in y\n", y=[1]), "t.in:1: '%end' is missing")
    expect(render_error("a\n%if x\n%else\n", x=1), "t.in:2: '%end' is missing")
    expect(render_error("a\n%end\n"), "t.in:2: '%end' or '%else' without a beginning")
    expect(render_error("%loop\n%end\n"), "t.in:1: '%loop' is no directive")


def test_long_signatures_are_packed_below_the_bracket() -> None:
    arguments = ["first argument", "second argument", "third argument", "fourth argument"]
    line = f"void a_function_with_a_rather_long_name_that_goes_on({', '.join(arguments)});"
    indent = " " * line.index("first")
    expect(lay_out(line), "void a_function_with_a_rather_long_name_that_goes_on("
           f"first argument, second argument,\n{indent}third argument, fourth argument);\n")


def test_a_return_type_stands_alone_when_that_costs_no_line() -> None:
    name = "name_" * 12
    expect(lay_out(f"AVeryLongTypeName *{name}(first argument, second argument);"),
           f"AVeryLongTypeName *\n{name}(first argument, second argument);\n")


def test_nested_brackets_stay_together() -> None:
    call = "    call(" + ", ".join(f"f(x, {i}, {{a, b}})" for i in range(8)) + ");"
    for line in lay_out(call).splitlines():
        expect(line.count("("), line.count(")") + line.startswith("    call") - line.endswith(";"))
        expect(len(line) <= COLUMNS, True)


def test_comments_are_broken_between_words() -> None:
    for length in range(80, 120):
        text = "x" * (length - 60) + " word" * 12
        lines = lay_out(f"    /* {text} */").splitlines()
        expect(" ".join(" ".join(lines).replace(" * ", " ").split()), f"/* {text} */")
        expect(max(map(len, lines)) <= COLUMNS, True)


def test_parts_are_one_empty_line_apart() -> None:
    expect(lay_out("\n\na\n\n\n\nb\n\n\n"), "a\n\nb\n")


def test_names_follow_the_style() -> None:
    expect([snake(name) for name in ("StatusInfo", "OsInfo", "IPAddress", "query-status", "STOP")],
           ["status_info", "os_info", "ip_address", "query_status", "stop"])
    expect([camel(name) for name in ("query-status", "GUEST_PANICKED", "device_del")],
           ["QueryStatus", "GuestPanicked", "DeviceDel"])
    expect([c_member(name) for name in ("buf-b64", "default", "unix")],
           ["buf_b64", "default_", "unix_"])


def test_comments_cannot_be_ended_by_documentation() -> None:
    expect(sentence("all of\n\n*/ it", "7.2"), "All of * / it. Since 7.2.")


def test_unchanged_files_are_not_written() -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "file")
        write_if_changed(path, "one\n")
        os.utime(path, (1, 1))
        write_if_changed(path, "one\n")
        expect(path.stat().st_mtime, 1)
        write_if_changed(path, "two\n")
        expect(path.read_text(encoding="utf-8"), "two\n")


def run(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-B", str(GENERATOR), *arguments], capture_output=True,
                          text=True, timeout=60, check=False)


def test_the_program_refuses_a_bad_schema_and_writes_nothing() -> None:
    with tempfile.TemporaryDirectory() as directory:
        schema, output = Path(directory, "bad.json"), Path(directory, "test-types.h")
        schema.write_text("{ 'pragma': { 'prefix': 'test' } }\n{ 'event': 'GONE' }\n",
                          encoding="utf-8")
        result = run(str(schema), "--templates", str(ROOT / "templates" / "c"), "--output",
                     str(output))
        expect((result.returncode, result.stdout, result.stderr),
               (1, "", f"{schema}:2: 'GONE' is not documented\n"))
        expect(output.exists(), False)


def test_the_program_names_a_schema_that_is_not_there() -> None:
    result = run("missing.json")
    expect((result.returncode, result.stderr.partition(":1: ")[0]), (1, "missing.json"))


def main() -> int:
    tests = [(name, test) for name, test in globals().items() if name.startswith("test_")]
    failed = 0
    print(f"1..{len(tests)}")
    for number, (name, test) in enumerate(tests, 1):
        name = name.removeprefix("test_").replace("_", "-")
        try:
            test()
            print(f"ok {number} {name}")
        except AssertionError as error:
            failed += 1
            print(f"not ok {number} {name}\n# {error}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
