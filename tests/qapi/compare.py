#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares qapi/qmp.json with what a real QEMU said of itself, and tries the comparison out.

    tests/qapi/compare.py [--update]

The schema must hold for the recorded QEMU: every command, event, argument, member and value is
there, with a type that fits and optional where it must be. The wrong schemas in recorded/ must be
found out; what is found is in NAME.out beside each, which --update writes anew.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "qapi" / "gen"))
sys.dont_write_bytecode = True

from check import check  # noqa: E402
from parse import Position, SchemaError, parse_file  # noqa: E402
from schema import Alternate, Enum, Member, Schema, Shape, Struct, Type  # noqa: E402

RECORDING = ROOT / "tests" / "data" / "query-qmp-schema-7.2.json"
RECORDED_VERSION = (7, 2)
JSON_OF_BUILTIN = {"bool": "boolean", "int": "int", "uint64": "int", "size": "int",
                   "number": "number", "str": "string"}


def is_newer(since: str) -> bool:
    """Whether something is only in a QEMU after the recorded one."""
    return bool(since) and tuple(map(int, since.split("."))) > RECORDED_VERSION


class Comparison:
    """Collects what in a schema does not hold for a recording."""

    def __init__(self, recording: list[dict]) -> None:
        self.entities = {entity["name"]: entity for entity in recording}
        self.findings: list[str] = []
        self.seen: set[tuple] = set()

    def compare(self, schema: Schema) -> list[str]:
        for kind, definitions in (("command", schema.commands), ("event", schema.events)):
            for definition in definitions:
                entity = self.entities.get(definition.name)
                if is_newer(definition.since):
                    continue
                if not entity or entity["meta-type"] != kind:
                    self._find(definition.position, f"QEMU has no {kind} '{definition.name}'")
                    continue
                members = definition.data.members if definition.data else definition.members
                self._compare_object(definition, members, entity["arg-type"], kind == "command")
                if kind == "command":
                    self._compare_returns(definition, entity["ret-type"])
        return self.findings

    def _find(self, position: Position, message: str) -> None:
        finding = f"{Path(position.path).name}:{position.line}: {message}"
        if finding not in self.findings:
            self.findings.append(finding)

    def _compare_returns(self, command, theirs: str) -> None:
        if command.returns:
            self._compare_shape(command.returns, theirs, command.position,
                                f"what '{command.name}' returns", sent=False)
        elif self.entities[theirs].get("members") != []:
            self._find(command.position, f"'{command.name}' returns something")

    def _compare_object(self, owner, members: list[Member], theirs: str, sent: bool) -> None:
        if (owner.name, theirs, sent) in self.seen:
            return
        self.seen.add((owner.name, theirs, sent))
        known = {member["name"]: member for member in self.entities[theirs]["members"]}
        for member in members:
            label = f"'{member.name}' of '{owner.name}'"
            if is_newer(member.since):
                continue
            if member.name not in known:
                self._find(member.position, f"QEMU has no {label}")
                continue
            optional = "default" in known[member.name]
            if optional and not member.optional and not sent:
                self._find(member.position, f"{label} may be absent")
            if member.optional and not optional and sent:
                self._find(member.position, f"{label} must be sent")
            self._compare_shape(member.shape, known[member.name]["type"], member.position, label,
                                sent)
        if sent:
            ours = {member.name for member in members}
            for name, member in known.items():
                if name not in ours and "default" not in member:
                    self._find(owner.position, f"'{owner.name}' does not send '{name}'")

    def _compare_shape(self, shape: Shape, theirs: str, position: Position, label: str,
                       sent: bool) -> None:
        entity = self.entities[theirs]
        if shape.type.name == "any" and not shape.array:
            return
        if entity["meta-type"] == "alternate" and not isinstance(shape.type, Alternate):
            self._compare_branches(shape, entity, position, label, sent)
        elif shape.array != (entity["meta-type"] == "array"):
            self._find(position, f"{label} is {self._describe(entity)}")
        elif shape.array:
            self._compare_shape(Shape(shape.type), entity["element-type"], position,
                                f"an element of {label}", sent)
        else:
            self._compare_type(shape.type, entity, position, label, sent)

    def _compare_branches(self, shape: Shape, entity: dict, position: Position, label: str,
                          sent: bool) -> None:
        """A value that may be one of several may be sent as one of them, not read as one."""
        trials = []
        for branch in entity["members"]:
            trial = Comparison(list(self.entities.values()))
            trial._compare_shape(shape, branch["type"], position, label, sent)
            trials.append(trial.findings)
        if not sent or all(trials):
            self._find(position, f"{label} is {self._describe(entity)}")

    def _compare_type(self, ours: Type, entity: dict, position: Position, label: str,
                      sent: bool) -> None:
        kind = entity["meta-type"]
        if isinstance(ours, Enum) and kind == "enum":
            values = {value["name"] for value in entity["members"]}
            for value in ours.values:
                if value.name not in values and not is_newer(value.since):
                    self._find(value.position, f"QEMU has no '{value.name}' in '{ours.name}'")
        elif isinstance(ours, Struct) and kind == "object":
            self._compare_object(ours, ours.members, entity["name"], sent)
        elif kind != "builtin" or JSON_OF_BUILTIN.get(ours.name) != entity["json-type"]:
            self._find(position, f"{label} is {self._describe(entity)}")

    @staticmethod
    def _describe(entity: dict) -> str:
        what = entity["json-type"] if entity["meta-type"] == "builtin" else entity["meta-type"]
        return f"{'an' if what[0] in 'aeiou' else 'a'} {what} in QEMU, which does not fit"


def compare_file(path: str, recording: list[dict]) -> str:
    try:
        schema = check(parse_file(path), Position(path, 1))
    except SchemaError as error:
        return f"{error}\n"
    return "".join(f"{finding}\n" for finding in Comparison(recording).compare(schema))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--update", action="store_true", help="write what is expected anew")
    options = parser.parse_args()

    recording = json.loads(RECORDING.read_text(encoding="utf-8"))
    os.chdir(HERE / "recorded")
    results = [("qmp-json-holds-for-qemu-7-2", "",
                compare_file(str(ROOT / "qapi" / "qmp.json"), recording))]
    for schema in sorted(Path(".").glob("*.json")):
        found = compare_file(str(schema), recording)
        if options.update:
            schema.with_suffix(".out").write_text(found, encoding="utf-8")
        results.append((schema.stem, schema.with_suffix(".out").read_text(encoding="utf-8"), found))

    failed = 0
    print(f"1..{len(results)}")
    for number, (name, expected, found) in enumerate(results, 1):
        failed += found != expected
        print(f"{'ok' if found == expected else 'not ok'} {number} {name}")
        if found != expected:
            print("".join(f"# expected {line}\n" for line in expected.splitlines())
                  + "".join(f"# found {line}\n" for line in found.splitlines()), end="")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
