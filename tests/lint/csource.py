# SPDX-License-Identifier: Apache-2.0
"""As much of C's grammar as the lints need: comments, literals, includes and function bodies.

The layout that clang-format enforces does the rest: only a function's braces stand alone in the
first column.
"""

import dataclasses
import re

INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')
TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


@dataclasses.dataclass
class Function:
    """A function definition: where its body starts, the body's lines, its deepest block."""
    name: str
    line: int
    length: int
    depth: int


def includes(lines):
    """[(line number, header, whether in angle brackets)]"""
    found = []
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if match:
            found.append((number, match.group(2), match.group(1) == '<'))
    return found


def code(text):
    """The text without comments and the contents of literals, line for line."""
    def blank(match):
        token = match.group(0)
        if token[0] == '/':
            return re.sub(r'[^\n]', ' ', token)
        return token[0] + ' ' * (len(token) - 2) + token[-1]
    return TOKEN.sub(blank, text)


def functions(text):
    """All function definitions of a file."""
    found = []
    lines = code(text).splitlines()
    start = None
    for number, line in enumerate(lines, 1):
        if line == '{':
            start = number
        elif line == '}' and start:
            body = lines[start:number - 1]
            found.append(Function(_name(lines[:start - 1]), start, len(body), _depth(body)))
            start = None
    return found


def _name(before):
    """The name of the function whose declarator ends the given lines."""
    for line in reversed(before):
        match = re.match(r'(\w+)\(', line)
        if match:
            return match.group(1)
    return '?'


def _depth(body):
    """How many blocks inside the function are open at once, at most."""
    depth = deepest = 0
    for character in re.sub(r'[^{}]', '', '\n'.join(body)):
        depth += 1 if character == '{' else -1
        deepest = max(deepest, depth)
    return deepest
