# SPDX-License-Identifier: Apache-2.0
"""Turns what is written in a schema into what it means, or says what is wrong with it."""

from __future__ import annotations

import re

from parse import Doc, Expression, Position, SchemaError, Value
from schema import (BUILTINS, INTEGERS, Alternate, Command, Definition, Enum, Event, Member, Schema,
                    Shape, Struct, Type)

# What an expression may say beside its name: 'key!' must be there.
KEYS = {
    "enum": ["data!"],
    "struct": ["data!"],
    "alternate": ["data!"],
    "command": ["data", "returns", "success-response"],
    "event": ["data"],
}
TYPE_KINDS = {"enum": Enum, "struct": Struct, "alternate": Alternate}
JSON_OF_KIND = {"enum": "string", "struct": "object", "alternate": "any"}

NAMES = {
    "type": (r"[A-Z][A-Za-z0-9]*", "words like 'StatusInfo'"),
    "command": (r"[a-z][a-z0-9]*([-_][a-z0-9]+)*", "lower-case words joined by '-'"),
    "event": (r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*", "upper-case words joined by '_'"),
    "member": (r"[a-z][a-z0-9]*([-_][a-z0-9]+)*", "lower-case words joined by '-'"),
    "value": (r"[a-z0-9]+([-_.][a-z0-9]+)*", "lower-case words joined by '-'"),
    "prefix": (r"[a-z]+", "one lower-case word"),
}
RESERVED_SUFFIXES = ("Arguments", "Event", "Kind")
UNKNOWN = "unknown"
# What a member may say beside its type, when it is written as an object.
MEMBER_KEYS = ("type", "default", "range", "key", "value")
RANGE = re.compile(r"(\d+)\.\.(\d+)")
VERSION = re.compile(r"\d+\.\d+")
MEMBER_SINCE = re.compile(r"\s*\(since ([^()]*)\)$")


def with_article(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def check_name(role: str, name: str, position: Position) -> None:
    pattern, rule = NAMES[role]
    if not re.fullmatch(pattern, name):
        raise SchemaError(position,
                          f"'{name}' is no name for {with_article(role)}: expected {rule}")


def check_version(owner: str, text: str, position: Position) -> str:
    if not VERSION.fullmatch(text):
        raise SchemaError(position, f"'{owner}' is since '{text}', which is no version like '7.2'")
    return text


def expect(value: Value, kind: type, what: str) -> Value:
    if not isinstance(value.data, kind):
        names = {str: "a string", list: "an array", dict: "an object", bool: "true or false"}
        raise SchemaError(value.position, f"{what} must be {names[kind]}")
    return value


class Checker:
    """Checks one file's expressions, first for their form, then against each other."""

    def __init__(self, expressions: list[Expression]) -> None:
        self.expressions = expressions
        self.schema = Schema()
        self.types: dict[str, Type] = dict(BUILTINS)
        self.names: dict[str, Position] = {}
        self.passes_fd: list[Value] = []
        self.defaults: list[Member] = []
        self.tables: list[tuple[Member, Value]] = []

    def check(self, position: Position) -> Schema:
        pending = []
        for expression in self.expressions:
            if "pragma" in expression.items:
                self._check_pragma(expression)
            else:
                kind = self._check_form(expression)
                pending.append((kind, expression, self._declare(kind, expression)))
        if not self.schema.prefix:
            raise SchemaError(position, "the pragma 'prefix' is missing")
        for kind, expression, definition in pending:
            getattr(self, f"_fill_{kind}")(definition, expression)
        self._check_passes_fd()
        for member, value in self.tables:
            self._check_table(member, value)
        for member in self.defaults:
            self._check_default(member)
        return self.schema

    # Expressions and their documentation

    def _check_pragma(self, expression: Expression) -> None:
        if expression.doc or len(expression.items) > 1:
            raise SchemaError(expression.position, "a pragma stands alone and has no documentation")
        pragma = expect(expression.items["pragma"], dict, "a pragma")
        for key, value in pragma.data.items():
            if key == "prefix":
                self.schema.prefix = expect(value, str, "'prefix'").data
                check_name("prefix", self.schema.prefix, value.position)
            elif key == "passes-fd":
                self.passes_fd = [expect(name, str, "the name of a command")
                                  for name in expect(value, list, "'passes-fd'").data]
            else:
                raise SchemaError(value.position, f"'{key}' is no pragma")

    @staticmethod
    def _check_form(expression: Expression) -> str:
        kinds = [key for key in expression.items if key in KEYS]
        if len(kinds) != 1:
            raise SchemaError(expression.position,
                              f"expected exactly one of {', '.join(KEYS)}, pragma")
        kind = kinds[0]
        expect(expression.items[kind], str, f"the name of the {kind}")
        allowed = {key.rstrip("!") for key in KEYS[kind]}
        for key, value in expression.items.items():
            if key != kind and key not in allowed:
                raise SchemaError(value.position, f"'{key}' is no key of {with_article(kind)}")
        for key in KEYS[kind]:
            if key.endswith("!") and key[:-1] not in expression.items:
                raise SchemaError(expression.position, f"this {kind} lacks '{key[:-1]}'")
        return kind

    def _declare(self, kind: str, expression: Expression) -> Definition:
        name = expression.items[kind].data
        position = expression.items[kind].position
        check_name("type" if kind in TYPE_KINDS else kind, name, position)
        if name in BUILTINS or name in self.names:
            where = f" at line {self.names[name].line}" if name in self.names else ""
            raise SchemaError(position, f"'{name}' is already defined{where}")
        self.names[name] = position
        doc = self._check_doc(name, expression)
        common = {"name": name, "position": position, "doc": doc.body.text,
                  "since": doc.tags["Since"].text}
        if kind == "command":
            return Command(**common)
        if kind == "event":
            return Event(**common)
        if name.endswith(RESERVED_SUFFIXES):
            raise SchemaError(position, f"'{name}' ends like a generated type: "
                                        f"{', '.join(RESERVED_SUFFIXES)} are reserved")
        definition = TYPE_KINDS[kind](json=JSON_OF_KIND[kind], **common)
        self.types[name] = definition
        return definition

    @staticmethod
    def _check_doc(name: str, expression: Expression) -> Doc:
        doc = expression.doc
        if not doc:
            raise SchemaError(expression.position, f"'{name}' is not documented")
        if doc.name != name:
            raise SchemaError(doc.position,
                              f"documentation of '{doc.name}' stands ahead of '{name}'")
        if "Since" not in doc.tags:
            raise SchemaError(doc.position, f"'{name}' does not say 'Since: VERSION'")
        since = doc.tags["Since"]
        check_version(name, since.text, since.position)
        return doc

    # Members

    def _document(self, name: str, value: Value, doc: Doc) -> Member:
        if name not in doc.members:
            raise SchemaError(value.position, f"'{doc.name}' does not document '@{name}'")
        section = doc.members[name]
        since = MEMBER_SINCE.search(section.text)
        version = check_version(name, since[1], section.position) if since else ""
        return Member(name, value.position, MEMBER_SINCE.sub("", section.text), version)

    def _check_members(self, data: Value, doc: Doc, allow_optional: bool = True) -> list[Member]:
        members = []
        spellings: dict[str, str] = {}
        for key, value in data.data.items():
            name = key.removeprefix("*")
            check_name("member", name, value.position)
            spelling = name.replace("-", "_")
            if spellings.get(spelling) == name:
                raise SchemaError(value.position, f"'{name}' is given twice")
            if spelling in spellings:
                raise SchemaError(value.position,
                                  f"'{name}' and '{spellings[spelling]}' are the same in C")
            spellings[spelling] = name
            member = self._document(name, value, doc)
            member.optional = key.startswith("*")
            if isinstance(value.data, dict):
                self._fill_member(member, value)
            else:
                member.shape = self._resolve(value)
            if member.optional and not allow_optional:
                raise SchemaError(value.position, f"'{key}' cannot be optional here")
            members.append(member)
        self._check_no_others(doc, [member.name for member in members])
        return members

    def _fill_member(self, member: Member, value: Value) -> None:
        """A member that says more than its type."""
        for key, item in value.data.items():
            if key not in MEMBER_KEYS:
                raise SchemaError(item.position, f"'{key}' is no key of a member")
        if "type" not in value.data:
            raise SchemaError(value.position, f"'{member.name}' lacks 'type'")
        member.shape = self._resolve(value.data["type"])
        if "range" in value.data:
            member.range = self._check_range(member, value.data["range"])
        for key in ("key", "value"):
            if key in value.data:
                setattr(member, key, expect(value.data[key], str, f"'{key}'").data)
                self.tables.append((member, value.data[key]))
        if "default" in value.data:
            if not member.optional:
                raise SchemaError(value.position,
                                  f"'{member.name}' has a default and is not optional")
            member.default = value.data["default"]
            self.defaults.append(member)

    @staticmethod
    def _check_range(member: Member, value: Value) -> tuple[int, int]:
        match = RANGE.fullmatch(expect(value, str, "a range").data)
        if not match or int(match[1]) >= int(match[2]):
            raise SchemaError(value.position, f"'{value.data}' is no range like '1..255'")
        if member.shape.array or member.shape.type.name not in INTEGERS:
            raise SchemaError(value.position, f"'{member.name}' is no integer to have a range")
        return int(match[1]), int(match[2])

    def _check_table(self, member: Member, value: Value) -> None:
        """An array that is written as a table: its elements' members are the keys and values."""
        struct = member.shape.type
        if not member.shape.array or not isinstance(struct, Struct):
            raise SchemaError(value.position,
                              f"'{member.name}' is no array of a struct to be a table")
        if not member.key:
            raise SchemaError(value.position, f"'{member.name}' has a 'value' and no 'key'")
        named = [other for other in struct.members if other.name == value.data]
        if not named or (value.data == member.key and named[0].shape.json != "string"):
            raise SchemaError(value.position, f"'{struct.name}' has no member '{value.data}' that "
                                              "could be it")
        if value.data == member.value and len(struct.members) != 2:
            raise SchemaError(value.position,
                              f"'{struct.name}' has members beside a key and a value")

    def _check_default(self, member: Member) -> None:
        value, shape = member.default, member.shape
        if shape.array:
            for element in expect(value, list, f"the default of '{member.name}'").data:
                expect(element, str, f"an element of the default of '{member.name}'")
        elif isinstance(shape.type, Struct):
            if expect(value, dict, f"the default of '{member.name}'").data:
                raise SchemaError(value.position, "the default of a struct is '{}': what its "
                                                  "members have")
        elif shape.type.name == "bool":
            expect(value, bool, f"the default of '{member.name}'")
        else:
            self._check_default_text(member, expect(value, str, f"the default of '{member.name}'"))

    @staticmethod
    def _check_default_text(member: Member, value: Value) -> None:
        kind = member.shape.type
        if isinstance(kind, Enum) and all(value.data != one.name for one in kind.values):
            raise SchemaError(value.position, f"'{kind.name}' has no value '{value.data}'")
        if kind.name in INTEGERS:
            low, high = member.range or (0, 2**63 - 1)
            if not value.data.isdigit() or not low <= int(value.data) <= high:
                raise SchemaError(value.position,
                                  f"'{value.data}' is no integer from {low} to {high}")
        elif isinstance(kind, Alternate) or kind.name in ("any", "number", "size"):
            raise SchemaError(value.position, f"'{member.name}' can have no default")

    @staticmethod
    def _check_no_others(doc: Doc, names: list[str]) -> None:
        for name, section in doc.members.items():
            if name not in names:
                raise SchemaError(section.position,
                                  f"'{doc.name}' documents '@{name}', which it does not have")

    @staticmethod
    def _check_no_returns(doc: Doc) -> None:
        if "Returns" in doc.tags:
            raise SchemaError(doc.tags["Returns"].position,
                              f"'{doc.name}' documents what it does not return")

    def _resolve(self, value: Value) -> Shape:
        if isinstance(value.data, list):
            if len(value.data) != 1:
                raise SchemaError(value.position, "an array has the form ['Type']")
            element = expect(value.data[0], str, "an array's element type")
            return Shape(self._find_type(element), array=True)
        return Shape(self._find_type(expect(value, str, "a type")))

    def _find_type(self, value: Value) -> Type:
        if value.data not in self.types:
            raise SchemaError(value.position, f"there is no type '{value.data}'")
        return self.types[value.data]

    # Kinds of definitions, once all types are known

    def _fill_enum(self, enum: Enum, expression: Expression) -> None:
        doc = expression.doc
        data = expect(expression.items["data"], list, "the values of an enum")
        if not data.data:
            raise SchemaError(data.position, f"'{enum.name}' has no values")
        for value in data.data:
            name = expect(value, str, "the value of an enum").data
            check_name("value", name, value.position)
            if name == UNKNOWN:
                raise SchemaError(value.position,
                                  f"'{UNKNOWN}' stands for the values that a schema does not name")
            if any(other.name == name for other in enum.values):
                raise SchemaError(value.position, f"'{enum.name}' has the value '{name}' twice")
            enum.values.append(self._document(name, value, doc))
        self._check_no_others(doc, [value.name for value in enum.values])
        self._check_no_returns(doc)
        self.schema.enums.append(enum)

    def _fill_struct(self, struct: Struct, expression: Expression) -> None:
        data = expect(expression.items["data"], dict, "the data of a struct")
        struct.members = self._check_members(data, expression.doc)
        if not struct.members:
            raise SchemaError(data.position, f"'{struct.name}' has no members")
        self._check_no_returns(expression.doc)
        self.schema.structs.append(struct)

    def _fill_alternate(self, alternate: Alternate, expression: Expression) -> None:
        data = expect(expression.items["data"], dict, "the data of an alternate")
        alternate.branches = self._check_members(data, expression.doc, allow_optional=False)
        if len(alternate.branches) < 2:
            raise SchemaError(data.position, f"'{alternate.name}' has less than two branches")
        seen: dict[str, str] = {}
        for branch in alternate.branches:
            json = branch.shape.json
            if json == "any":
                raise SchemaError(branch.position,
                                  f"'{branch.name}' can be any JSON: nothing tells it apart")
            if json in seen:
                raise SchemaError(branch.position,
                                  f"'{branch.name}' and '{seen[json]}' are both JSON's {json}")
            seen[json] = branch.name
        self._check_no_returns(expression.doc)
        self.schema.alternates.append(alternate)

    def _fill_data(self, definition: Command | Event, expression: Expression) -> None:
        doc = expression.doc
        data = expression.items.get("data")
        if data and isinstance(data.data, dict):
            definition.members = self._check_members(data, doc)
            return
        self._check_no_others(doc, [])
        if not data:
            return
        struct = self._find_type(expect(data, str, "'data', unless it is an object,"))
        if not isinstance(struct, Struct):
            raise SchemaError(data.position, f"'{struct.name}' is no struct")
        definition.data = struct

    def _fill_command(self, command: Command, expression: Expression) -> None:
        doc = expression.doc
        self._fill_data(command, expression)
        if "returns" in expression.items:
            command.returns = self._resolve(expression.items["returns"])
            if "Returns" not in doc.tags:
                raise SchemaError(doc.position, f"'{command.name}' does not say 'Returns: ...'")
            command.returns_doc = doc.tags["Returns"].text
        else:
            self._check_no_returns(doc)
        answers = expression.items.get("success-response")
        if answers:
            command.answers = expect(answers, bool, "'success-response'").data
            if not command.answers and command.returns:
                raise SchemaError(answers.position,
                                  f"'{command.name}' cannot return without a response")
        self.schema.commands.append(command)

    def _fill_event(self, event: Event, expression: Expression) -> None:
        self._fill_data(event, expression)
        self._check_no_returns(expression.doc)
        self.schema.events.append(event)

    def _check_passes_fd(self) -> None:
        commands = {command.name: command for command in self.schema.commands}
        for name in self.passes_fd:
            if name.data not in commands:
                raise SchemaError(name.position, f"there is no command '{name.data}'")
            commands[name.data].passes_fd = True


def check(expressions: list[Expression], position: Position) -> Schema:
    """The schema; 'position' is where an error belongs that is in no expression."""
    return Checker(expressions).check(position)
