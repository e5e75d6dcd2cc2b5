# SPDX-License-Identifier: Apache-2.0
"""A checked schema as text, for people and for tests/qapi."""

from __future__ import annotations

from schema import Member, Schema


def describe_member(member: Member) -> str:
    mark = "*" if member.optional else ""
    shape = f": {member.shape}" if member.shape else ""
    since = f" since {member.since}" if member.since else ""
    notes = f" from {member.range[0]} to {member.range[1]}" if member.range else ""
    notes += f" by {member.key}" if member.key else ""
    notes += f" to {member.value}" if member.value else ""
    notes += f" else {member.default_json}" if member.default else ""
    return f"    {mark}{member.name}{shape}{notes}{since} -- {member.doc!r}"


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
