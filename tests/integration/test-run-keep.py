#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What 'mayfly run' keeps of a run in a directory."""

import json
import os
import re
import shutil
import sys

from harness import Sandbox, expect, expect_sentence, kernel, main, test

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.append(os.path.join(SOURCE, "tests", "report"))
sys.dont_write_bytecode = True

from schema import Schema  # noqa: E402

FILES = ["console.log", "qemu.args", "result.json", "stderr", "stdout", "timeline.svg"]


def read(directory, name):
    with open(os.path.join(directory, name), "rb") as file:
        return file.read()


def listed(directory):
    return sorted(name for name in os.listdir(directory) if not name.startswith("."))


@test
def a_run_is_kept_in_the_directory_that_is_named():
    with Sandbox() as box:
        words = ("run", "--run-dir", "kept", "-k", kernel("small"), "--")
        result = box.run(*words[:-1], "--report", "json=suite.json", "--report", "junit=suite.xml",
                         "--report", "tap=suite.tap", "--", "echo to the output; echo to the error >&2; exit 3")
        expect(result, 3, out=b"to the output\n", err="^to the error\n$")
        kept = os.path.join(box.work, "kept")
        assert listed(kept) == FILES, os.listdir(kept)
        assert read(kept, "stdout") == b"to the output\n"
        assert read(kept, "stderr") == b"to the error\n"
        assert b"Linux version" in read(kept, "console.log")
        assert b"-kernel" in read(kept, "qemu.args")
        assert b"<svg" in read(kept, "timeline.svg")
        document = json.loads(read(kept, "result.json"))
        with open(os.path.join(SOURCE, "data", "mayfly-result.schema.json")) as file:
            Schema(json.load(file)).validate(document)
        assert (document["outcome"], document["status"]) == ("fail", 3), document
        assert document["run_dir"] == kept and document["target"]["command"].startswith("echo")

        # The reports are those of a suite with this one target.
        suite = json.loads(read(box.work, "suite.json"))
        with open(os.path.join(SOURCE, "data", "mayfly-result.schema.json")) as file:
            Schema(json.load(file)).validate(suite)
        assert suite["cases"][0]["output"] == document["output"], suite
        assert suite["cases"][0]["status"] == 3 and suite["counts"]["fail"] == 1, suite
        assert read(box.work, "suite.tap").startswith(b"TAP version "), read(box.work, "suite.tap")
        assert b"\nnot ok 1 - " in read(box.work, "suite.tap"), read(box.work, "suite.tap")
        assert b'failures="1"' in read(box.work, "suite.xml"), read(box.work, "suite.xml")

        # The next one replaces it.
        expect(box.run(*words, "true"), 0, out=b"", err="^$")
        assert listed(kept) == FILES and read(kept, "stdout") == b""
        assert json.loads(read(kept, "result.json"))["outcome"] == "pass"


@test
def a_run_is_kept_in_a_new_directory_that_is_told():
    with Sandbox() as box:
        result = box.run("run", "--keep", "-k", kernel("small"), "--qemu", "false", "--", "true")
        expect(result, 69, out=b"")
        kept = re.search(r"output and result are in '(.*)'\.", result.err.decode()).group(1)
        assert kept.startswith(box.tmp), kept
        assert json.loads(read(kept, "result.json"))["phase"] == "launch"
        shutil.rmtree(kept)


@test
def a_run_that_had_no_machine_is_in_its_reports_too():
    with Sandbox() as box:
        words = ("run", "-k", kernel("small"), "--qemu", "false", "--report")
        expect(box.run(*words, "json=suite.json", "--", "true"), 69, out=b"",
               err="^mayfly: [^\n]*\n$")
        assert json.loads(read(box.work, "suite.json"))["cases"][0]["outcome"] == "error"
        expect(box.run(*words, "tap=none/suite.tap", "--", "true"), 69, out=b"")
        expect_sentence(box.run(*words, "json=-", "--", "true"), 2, "is the command's: name a file")
        expect_sentence(box.run(*words, "grid-json=grid.json", "--", "true"), 2, "this is one run")
        expect_sentence(box.run(*words, "xml=suite.xml", "--", "true"), 2,
                        "no report of the kind 'xml'")
        assert listed(box.work) == ["suite.json"], listed(box.work)


@test
def a_directory_with_other_files_is_refused_before_anything_runs():
    with Sandbox() as box:
        box.write("mine", "")
        result = box.run("run", "--run-dir", ".", "-k", kernel("small"), "--", "echo ran")
        expect_sentence(result, 2, "has other files in it")
        assert os.listdir(box.work) == ["mine"]


if __name__ == "__main__":
    main()
