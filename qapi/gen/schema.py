# SPDX-License-Identifier: Apache-2.0
"""What a schema means: types, commands and events, all names resolved."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from parse import Position, Value


@dataclass(eq=False)
class Type:
    """Anything a member can be. 'json' is the kind of JSON value that it is written as."""

    name: str
    json: str


@dataclass(eq=False)
class Definition:
    """What all documented items have in common."""

    name: str
    position: Position
    doc: str
    since: str


@dataclass
class Shape:
    """A type, or an array of it."""

    type: Type
    array: bool = False

    @property
    def json(self) -> str:
        return "array" if self.array else self.type.json

    def __str__(self) -> str:
        return f"[{self.type.name}]" if self.array else self.type.name


@dataclass
class Member:
    """A member of an object, a value of an enumeration (no shape), or a branch of an alternate."""

    name: str
    position: Position
    doc: str
    since: str
    shape: Shape | None = None
    optional: bool = False
    default: Value | None = None  # what an optional member is when it is absent
    range: tuple[int, int] | None = None
    key: str = ""  # of an array: the element's member that is the key of a table
    value: str = ""  # then, if the table has plain values: the member that they are

    @property
    def default_json(self) -> str:
        """The default as the config file has it, in JSON; empty when there is none."""
        if not self.default:
            return ""
        if isinstance(self.default.data, list):
            return json.dumps([element.data for element in self.default.data])
        is_text = isinstance(self.default.data, str) and self.shape.type.name not in INTEGERS
        return json.dumps(self.default.data) if is_text else str(self.default.data).lower()


@dataclass(eq=False)
class Enum(Definition, Type):
    values: list[Member] = field(default_factory=list)


@dataclass(eq=False)
class Struct(Definition, Type):
    members: list[Member] = field(default_factory=list)


@dataclass(eq=False)
class Alternate(Definition, Type):
    """One of several types, told apart by the kind of JSON value."""

    branches: list[Member] = field(default_factory=list)


@dataclass(eq=False)
class Command(Definition):
    members: list[Member] = field(default_factory=list)
    data: Struct | None = None  # the type that 'members' come from, when it has a name
    returns: Shape | None = None
    returns_doc: str = ""
    answers: bool = True  # False: there is no reply unless it fails
    passes_fd: bool = False


@dataclass(eq=False)
class Event(Definition):
    members: list[Member] = field(default_factory=list)
    data: Struct | None = None


@dataclass
class Schema:
    prefix: str = ""
    enums: list[Enum] = field(default_factory=list)
    structs: list[Struct] = field(default_factory=list)
    alternates: list[Alternate] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)


INTEGERS = ("int", "uint64")

# Those of the second list are texts in the config file, read as qapi/config.json says. An alternate
# could not tell some of them apart.
BUILTINS = {
    builtin.name: builtin
    for builtin in (Type("bool", "boolean"), Type("int", "number"), Type("uint64", "number"),
                    Type("size", "number"), Type("number", "number"), Type("str", "string"),
                    Type("any", "any"),
                    Type("word", "string"), Type("path", "string"), Type("regex", "string"),
                    Type("bytes", "any"), Type("duration", "any"), Type("signal", "any"))
}
