#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mayfly persona, and mayfly test --grid: scenarios on personas, as a table and as a page in a real
browser."""

import html.parser
import json
import os
import pathlib
import shutil
import subprocess
import sys

from harness import Sandbox, Skip, expect, expect_sentence, kernel, main, test

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "tests" / "report"))
from schema import Invalid, Schema  # noqa: E402

SCHEMA = Schema(json.loads((SOURCE / "data" / "mayfly-grid.schema.json").read_text()))

HOSTILE = "<img src=x onerror=\"document.title='owned'\"> | \u202e&amp; <script>1</script>"

DRY = f"""\
[[target]]
name = "boot"
kernel = "k"
command = "true"
tags = ["scenario"]

[[target]]
name = '''{HOSTILE}'''
kernel = "k"
command = "true"
tags = ["quick", "scenario"]

[[target]]
name = "no scenario"
kernel = "k"
command = "true"
"""


class Project(Sandbox):
    """A directory with a config file, and no personas of the user's."""

    def __init__(self, config):
        super().__init__()
        self.env["XDG_CONFIG_HOME"] = self.make("config")
        self.write("mayfly.toml", config)

    def read_grid(self):
        """The cells of grid.json, which keeps to its schema, by persona and scenario."""
        document = json.loads(self.read("grid.json"))
        SCHEMA.validate(document)
        return {(cell["persona_id"], cell["scenario_name"]): cell for cell in document["cells"]}


@test
def personas_are_listed_with_their_places():
    with Project(DRY) as box:
        box.write("personas/mine.toml", "id = 'mine'\nname = 'My own'\n[hardware]\n")
        result = box.run("persona", "list")
        expect(result, 0)
        lines = result.out.decode().splitlines()
        assert any(line.startswith("mine ") and "My own" in line and box.work in line
                   for line in lines), result
        assert sum("(in mayfly itself)" in line for line in lines) >= 6, result
        listed = json.loads(box.run("persona", "list", "--json").out)
        assert [persona["id"] for persona in listed] == sorted(line.split()[0] for line in lines)


@test
def a_wrong_persona_fails_the_check_with_its_place():
    with Project(DRY) as box:
        expect(box.run("persona", "check"), 0)
        path = box.write("personas/bad.toml", "id = 'bad'\nname = 'Bad'\n[hardware]\ncolour = 1\n")
        expect_sentence(box.run("persona", "check", "personas/bad.toml"), 78,
                        r"bad\.toml:4:1: There is no key 'hardware\.colour'")
        results = json.loads(box.run("persona", "check", "--json", "bad", "qemu-pc").out)
        assert [result["good"] for result in results] == [False, True], results
        assert path in results[0]["message"], results


@test
def an_unknown_persona_is_answered_with_the_one_that_is_meant():
    with Project(DRY) as box:
        expect_sentence(box.run("persona", "show", "qemu-p"), 2, "did you mean 'qemu-pc'")
        expect_sentence(box.run("run", "--persona", "qemu-p", "--", "true"), 2,
                        "did you mean 'qemu-pc'")
        expect_sentence(box.run("test", "--persona", "qemu-p"), 78, "did you mean 'qemu-pc'")


@test
def a_dry_run_shows_every_cell_and_runs_none():
    with Project(DRY) as box:
        result = box.run("test", "--grid", "--dry-run", "--persona", "qemu-pc", "--persona",
                         "qemu-q35", "--report", "grid-json=grid.json", "--report",
                         "grid-markdown=grid.md")
        expect(result, 0)
        assert b"PERSONA" in result.out, result
        cells = box.read_grid()
        assert set(cells) == {(persona, scenario) for persona in ("qemu-pc", "qemu-q35")
                              for scenario in ("boot", HOSTILE)}, sorted(cells)
        assert all((cell["result"], cell["reason"], cell["duration_ms"]) == ("SKIP", "dry-run", 0)
                   for cell in cells.values()), cells
        assert "| qemu-pc | SKIP 0ms | SKIP 0ms |" in box.read("grid.md").decode()


@test
def the_schema_of_a_grid_finds_mistakes():
    for mistake in ({"schema_version": 2}, {"tool": "other"}, {"cells": [{"result": "PASS"}]},
                    {"extra": 1}):
        document = json.loads((SOURCE / "tests" / "golden" / "report-grid.json").read_text())
        SCHEMA.validate(document)
        try:
            SCHEMA.validate({**document, **mistake})
        except Invalid:
            continue
        raise AssertionError(f"{mistake} was not found")


@test
def a_grid_is_of_all_personas_and_of_scenarios_only():
    with Project(DRY) as box:
        names = box.run("test", "--grid", "--list").out.decode()
        personas = json.loads(box.run("persona", "list", "--json").out)
        assert len(names.splitlines()) == 2 * len(personas), names
        assert "no scenario" not in names, names
        box.write("mayfly.toml", DRY.replace('"scenario"', '"other"'))
        expect_sentence(box.run("test", "--grid"), 4, "a grid is made of those tagged 'scenario'")


@test
def what_is_about_a_grid_needs_one():
    with Project(DRY) as box:
        for words in (["--dry-run"], ["--report", "grid-html=x"],
                      ["--persona", "qemu-pc", "--persona", "qemu-q35"]):
            expect_sentence(box.run("test", *words), 2, "--grid")


class Page(html.parser.HTMLParser):
    """The table, and the names of all elements, of what a browser made of a page."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.rows, self.title, self._text = set(), [], "", None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.add(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("th", "td", "title"):
            self._text = ""

    def handle_data(self, data):
        if self._text is not None:
            self._text += data

    def handle_endtag(self, tag):
        if tag in ("th", "td"):
            self.rows[-1].append(self._text)
        if tag == "title":
            self.title = self._text
        if tag in ("th", "td", "title"):
            self._text = None


@test
def a_browser_shows_the_page_and_runs_nothing_in_it():
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if not browser:
        raise Skip("there is no chromium")
    with Project(DRY) as box:
        expect(box.run("test", "--grid", "--dry-run", "--persona", "qemu-pc", "--persona",
                       "dell-xps-13-9320", "--report", "grid-html=grid.html"), 0)
        done = subprocess.run(
            [browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
             "--user-data-dir=" + box.make("browser"), "--dump-dom",
             "file://" + os.path.join(box.work, "grid.html")],
            env=dict(box.env, HOME=box.directory), stdin=subprocess.DEVNULL, capture_output=True,
            timeout=150, check=True)
        page = Page(done.stdout.decode())
        assert page.title == "Personas and scenarios", page.title
        assert not page.elements & {"script", "img", "link", "iframe"}, page.elements
        assert page.rows == [["Persona", "boot", HOSTILE],
                             ["qemu-pc", "SKIP 0ms", "SKIP 0ms"],
                             ["dell-xps-13-9320", "SKIP 0ms", "SKIP 0ms"]], page.rows
        shutil.rmtree(box.tmp)
        os.mkdir(box.tmp)


@test
def a_cell_that_fails_fails_the_grid():
    with Project("") as box:
        box.env["MAYFLY_SWTPM"] = "/no/such/swtpm"
        box.write("mayfly.toml", f"""\
[[target]]
name = "good"
kernel = "{kernel("small")}"
command = "test -d /sys"
tags = ["scenario"]
matrix.persona = ["qemu-pc", "one", "tpm"]
[[target]]
name = "bad"
kernel = "{kernel("small")}"
command = "exit 3"
tags = ["scenario"]
persona = "qemu-pc"
""")
        box.write("personas/one.toml",
                  "id = 'one'\nname = 'One'\nskip = ['good']\n[hardware]\nvm.num_cpus = 1\n")
        box.write("personas/tpm.toml", "id = 'tpm'\nname = 'TPM'\n[hardware]\ntpm = '2.0'\n")
        result = box.run("test", "--grid", "--report", "grid-json=grid.json")
        expect(result, 1)
        cells = box.read_grid()
        found = {key: cell["result"] for key, cell in cells.items()}
        assert found == {("qemu-pc", "good"): "PASS", ("one", "good"): "SKIP",
                         ("tpm", "good"): "SKIP", ("qemu-pc", "bad"): "FAIL"}, cells
        assert cells["one", "good"]["reason"] == "The persona 'one' is not for it.", cells
        assert "swtpm" in cells["tpm", "good"]["reason"], cells
        assert cells["qemu-pc", "good"]["duration_ms"] > 0, cells


if __name__ == "__main__":
    main()
