# SPDX-License-Identifier: Apache-2.0
"""Reads a schema's text: what is written where, not yet what it means.

The language is QEMU's: a sequence of objects in single-quoted JSON, '#' comments, and documentation
between two lines '##' ahead of the object that it describes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Position:
    """A line of a file."""

    path: str
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


class SchemaError(Exception):
    """What is wrong with a schema, and where."""

    def __init__(self, position: Position, message: str) -> None:
        super().__init__(f"{position}: {message}")


@dataclass
class Value:
    """A JSON value: str, bool, list of Value, or dict of str to Value."""

    position: Position
    data: str | bool | list[Value] | dict[str, Value]


@dataclass
class Section:
    """One paragraph group of a documentation block."""

    position: Position
    text: str = ""


@dataclass
class Doc:
    """A documentation block: '@name:', text, '@member: ...', 'Returns: ...', 'Since: ...'."""

    position: Position
    name: str
    body: Section
    members: dict[str, Section] = field(default_factory=dict)
    tags: dict[str, Section] = field(default_factory=dict)


@dataclass
class Expression:
    """One top-level object, with the documentation ahead of it."""

    position: Position
    items: dict[str, Value]
    doc: Doc | None


TOKEN = re.compile(r"(?P<skip>[ \n]+|#[^\n]*)|'[^'\n]*'|\w+|[][{}:,]")
DOC_NAME = re.compile(r"@([\w-]+):$")
DOC_MEMBER = re.compile(r"@([\w.-]+):(?: +(.*))?$")
DOC_TAG = re.compile(r"(Returns|Since):(?: +(.*))?$")


class DocParser:
    """Takes one documentation block apart, line by line."""

    def __init__(self, position: Position, lines: list[str]) -> None:
        self.position = position
        self.lines = lines

    def parse(self) -> Doc:
        first = DOC_NAME.match(self._text(0)) if self.lines else None
        if not first:
            raise SchemaError(self._at(0), "documentation starts with a line '# @name:'")
        doc = Doc(self.position, first[1], Section(self._at(0)))
        section = doc.body
        for index in range(1, len(self.lines)):
            text = self._text(index)
            section = self._start_section(doc, index, text) or self._add(section, text)
        for section in (doc.body, *doc.members.values(), *doc.tags.values()):
            section.text = section.text.strip()
            if not section.text:
                raise SchemaError(section.position,
                                  f"'{doc.name}' has an empty piece of documentation")
        return doc

    def _at(self, index: int) -> Position:
        return Position(self.position.path, self.position.line + 1 + index)

    def _text(self, index: int) -> str:
        line = self.lines[index]
        if line == "#":
            return ""
        if not line.startswith("# "):
            raise SchemaError(self._at(index), "a line of documentation starts with '# '")
        return line[2:]

    def _start_section(self, doc: Doc, index: int, text: str) -> Section | None:
        for pattern, sections in ((DOC_MEMBER, doc.members), (DOC_TAG, doc.tags)):
            match = pattern.match(text)
            if not match:
                continue
            if match[1] in sections:
                raise SchemaError(self._at(index), f"'{doc.name}' documents '{match[1]}' twice")
            sections[match[1]] = Section(self._at(index), match[2] or "")
            return sections[match[1]]
        return None

    @staticmethod
    def _add(section: Section, text: str) -> Section:
        if text:
            section.text += text.strip() if section.text.endswith("\n") else " " + text.strip()
        elif not section.text.endswith("\n"):
            section.text += "\n\n"
        return section


class Parser:
    """Takes one schema file apart."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text if text.endswith("\n") else text + "\n"
        self.offset = 0
        self.token = ""
        self.start = 0

    def parse(self) -> list[Expression]:
        expressions = []
        doc = None
        self._advance()
        while self.token:
            if self.token == "##":
                self._check_used(doc)
                doc = self._parse_doc()
                continue
            position = self._position()
            if self.token != "{":
                raise self._error("expected '{'")
            expressions.append(Expression(position, self._parse_object().data, doc))
            doc = None
        self._check_used(doc)
        return expressions

    @staticmethod
    def _check_used(doc: Doc | None) -> None:
        if doc:
            raise SchemaError(doc.position,
                              f"nothing follows the documentation of '{doc.name}'")

    def _position(self) -> Position:
        return Position(self.path, self.text.count("\n", 0, self.start) + 1)

    def _error(self, message: str) -> SchemaError:
        found = f"'{self.token.strip(chr(39))}'" if self.token else "the end of the file"
        return SchemaError(self._position(), f"{message}, not {found}")

    def _advance(self) -> None:
        """Goes on to the next token: self.token, empty at the end of the file."""
        while self.offset < len(self.text):
            self.start = self.offset
            if self._at_doc_line():
                self.token = "##"
                return
            match = TOKEN.match(self.text, self.offset)
            if not match:
                raise SchemaError(self._position(), self._explain_stray())
            self.offset = match.end()
            if match.lastgroup != "skip":
                self.token = match[0]
                return
        self.start = self.offset
        self.token = ""

    def _at_doc_line(self) -> bool:
        at_line_start = self.offset == 0 or self.text[self.offset - 1] == "\n"
        return at_line_start and self.text.startswith("##\n", self.offset)

    def _explain_stray(self) -> str:
        stray = self.text[self.offset]
        if stray == "'":
            return "a string does not end on its line"
        if stray == '"':
            return "strings are written in single quotes"
        return f"stray character {ascii(stray)}"

    def _parse_doc(self) -> Doc:
        position = self._position()
        begin = self.offset + len("##\n")
        end = self.text.find("\n##\n", begin - 1)
        if end < 0:
            raise SchemaError(position, "documentation is not closed by a line '##'")
        lines = self.text[begin:end].split("\n") if end >= begin else []
        doc = DocParser(position, lines).parse()
        self.offset = end + len("\n##\n")
        self._advance()
        return doc

    def _parse_value(self) -> Value:
        position = self._position()
        if self.token == "{":
            return self._parse_object()
        if self.token == "[":
            return self._parse_array()
        if self.token.startswith("'"):
            return Value(position, self._parse_string())
        if self.token in ("true", "false"):
            value = Value(position, self.token == "true")
            self._advance()
            return value
        raise self._error("expected a string, an object, an array, true or false")

    def _parse_string(self) -> str:
        text = self.token[1:-1]
        if "\\" in text or not text.isascii() or not text.isprintable():
            raise SchemaError(self._position(), "a string is printable ASCII without a backslash")
        self._advance()
        return text

    def _parse_object(self) -> Value:
        result = Value(self._position(), {})
        self._advance()
        while self.token != "}":
            if not self.token.startswith("'"):
                raise self._error("expected a name in single quotes" if result.data else
                                  "expected a name in single quotes or '}'")
            position = self._position()
            key = self._parse_string()
            if key in result.data:
                raise SchemaError(position, f"'{key}' is given twice")
            if self.token != ":":
                raise self._error(f"expected ':' after '{key}'")
            self._advance()
            result.data[key] = self._parse_value()
            self._end_item("}")
        self._advance()
        return result

    def _parse_array(self) -> Value:
        result = Value(self._position(), [])
        self._advance()
        while self.token != "]":
            result.data.append(self._parse_value())
            self._end_item("]")
        self._advance()
        return result

    def _end_item(self, closing: str) -> None:
        if self.token == closing:
            return
        if self.token != ",":
            raise self._error(f"expected ',' or '{closing}'")
        comma = self._position()
        self._advance()
        if self.token == closing:
            raise SchemaError(comma, f"',' before '{closing}'")


def parse_file(path: str) -> list[Expression]:
    """Reads a schema; messages call it 'path' too."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise SchemaError(Position(path, 1), f"the file cannot be read: {error}") from error
    return Parser(path, text).parse()
