# SPDX-License-Identifier: Apache-2.0
"""The members of a schema as keys of a file: what a manual page lists, in roff."""

from __future__ import annotations

from dataclasses import dataclass, field

from schema import Alternate, Enum, Member, Schema, Struct, Type

# What people call a type, alone and several of it.
NOUNS = {
    "bool": ("true or false", "booleans"),
    "int": ("integer", "integers"),
    "number": ("number", "numbers"),
    "str": ("text", "texts"),
    "word": ("text", "texts"),
    "path": ("path", "paths"),
    "regex": ("regular expression", "regular expressions"),
    "bytes": ("size", "sizes"),
    "duration": ("duration", "durations"),
    "signal": ("signal", "signals"),
    "any": ("table", "tables"),
}


@dataclass
class Key:
    """A key of the file; 'values' are the texts that it can be, when they are few."""

    name: str
    type: str
    default: str
    doc: str
    values: list[dict[str, str]] = field(default_factory=list)


def escape(text: str) -> str:
    """Text that roff shows as it is."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    return "\\&" + text if text.startswith(".") else text


def full_sentence(text: str) -> str:
    text = " ".join(text.split())
    text = text[:1].upper() + text[1:]
    return escape(text if text.endswith(".") else text + ".")


def find_struct(kind: Type) -> Struct | None:
    return kind if isinstance(kind, Struct) else None


def name_type(member: Member) -> str:
    kind, struct = member.shape.type, find_struct(member.shape.type)
    if member.value:
        shapes = {other.name: other.shape for other in struct.members}
        return f"table of {NOUNS[shapes[member.value].type.name][1]}"
    if struct:
        several = "table of tables" if member.key else "array of tables"
        return several if member.shape.array else "table"
    if isinstance(kind, Alternate):
        return " or ".join("array of " + NOUNS[branch.shape.type.name][1] if branch.shape.array
                           else NOUNS[branch.shape.type.name][0] for branch in kind.branches)
    if isinstance(kind, Enum):
        return "array of texts" if member.shape.array else "text"
    if member.range:
        return f"integer from {member.range[0]} to {member.range[1]}"
    return f"array of {NOUNS[kind.name][1]}" if member.shape.array else NOUNS[kind.name][0]


def make_key(prefix: str, member: Member) -> Key:
    default = member.default_json if not find_struct(member.shape.type) else ""
    key = Key(escape(prefix + member.name), escape(name_type(member)), escape(default),
              full_sentence(member.doc))
    if isinstance(member.shape.type, Enum):
        key.values = [{"name": escape(value.name), "doc": full_sentence(value.doc)}
                      for value in member.shape.type.values]
    return key


def list_keys(prefix: str, struct: Struct, skipped: str = "") -> list[Key]:
    """The keys of a table, each followed by those of the table that it is."""
    keys = []
    for member in struct.members:
        if member.name == skipped:
            continue
        keys.append(make_key(prefix, member))
        inner = find_struct(member.shape.type)
        if inner and not member.value:
            mark = '."KEY"' if member.key else "[]" if member.shape.array else ""
            keys += list_keys(f"{prefix}{member.name}{mark}.", inner, member.key)
    return keys


def list_sections(schema: Schema) -> list[dict]:
    """The tables that are no part of another one, each with all of its keys."""
    inner = {member.shape.type for struct in schema.structs for member in struct.members}
    return [{"title": struct.name.upper(), "doc": full_sentence(struct.doc), "keys": list_keys("", struct)}
            for struct in schema.structs if struct not in inner]
