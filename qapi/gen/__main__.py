# SPDX-License-Identifier: Apache-2.0
"""python3 qapi/gen SCHEMA [--templates DIR --output FILE...]: checks a schema and writes C from it.

Without outputs it prints what it understood, which is what tests/qapi compares.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from check import check
from emit import emit
from parse import Position, SchemaError, parse_file
from schema import Member, Schema
from template import TemplateError


def describe_member(member: Member) -> str:
    mark = "*" if member.optional else ""
    shape = f": {member.shape}" if member.shape else ""
    since = f" since {member.since}" if member.since else ""
    return f"    {mark}{member.name}{shape}{since} -- {member.doc!r}"


def describe(schema: Schema) -> str:
    """Everything a schema says, one thing a line."""
    lines = [f"prefix {schema.prefix}"]
    groups = [("enum", schema.enums, "values"), ("struct", schema.structs, "members"),
              ("alternate", schema.alternates, "branches"), ("command", schema.commands, "members"),
              ("event", schema.events, "members")]
    for kind, definitions, members in groups:
        for definition in definitions:
            lines.append(f"{kind} {definition.name} since {definition.since} -- {definition.doc!r}")
            lines += [describe_member(member) for member in getattr(definition, members)]
            data = getattr(definition, "data", None)
            lines += [f"    data {data.name}"] if data else []
    for command in schema.commands:
        notes = [f"returns {command.returns} -- {command.returns_doc!r}"] if command.returns else []
        notes += ["silent"] if not command.answers else []
        notes += ["passes-fd"] if command.passes_fd else []
        lines += [f"command {command.name} {note}" for note in notes]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog="qapi-gen",
                                     description="Checks a schema and writes C from it.")
    parser.add_argument("schema")
    parser.add_argument("--templates", type=Path, help="where the templates of C are")
    parser.add_argument("--output", type=Path, action="append", default=[], help="a file to write")
    options = parser.parse_args()
    if options.output and not options.templates:
        parser.error("--output needs --templates")

    try:
        schema = check(parse_file(options.schema), Position(options.schema, 1))
        if options.output:
            emit(schema, options.templates, options.output)
        else:
            print(describe(schema))
    except (SchemaError, TemplateError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
