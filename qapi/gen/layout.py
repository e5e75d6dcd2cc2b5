# SPDX-License-Identifier: Apache-2.0
"""Breaks long lines of generated text the way .clang-format breaks written ones.

This knows brackets, commas and comments, and nothing of what they mean.
"""

from __future__ import annotations

import re
import textwrap

COLUMNS = 100
INDENT = 4
DECLARATION = re.compile(r"(\w[\w ]*?[ *]+)(\w+\(.*\);)$")
COMMENT = re.compile(r"(?P<indent> *)/\* (?P<text>.*) \*/$")
COMMENT_LINE = re.compile(r"(?P<indent>) \* (?P<text>.*)$")
ASSIGNMENT = re.compile(r"( *)([^{ ].* =) (\S+)$")


def split_items(text: str) -> list[str]:
    """Splits at the commas that stand in no bracket."""
    items = [""]
    depth = 0
    for char in text:
        depth += (char in "([{") - (char in ")]}")
        if char == "," and depth == 0:
            items.append("")
        else:
            items[-1] += char
    return [item.strip() for item in items]


def pack(head: str, items: list[str], tail: str) -> list[str]:
    """'head', then as many items a line as fit, below each other."""
    indent = " " * len(head)
    pieces = [item + "," for item in items[:-1]] + [items[-1] + tail]
    lines = [head + pieces[0]]
    for piece in pieces[1:]:
        if len(lines[-1]) + 1 + len(piece) <= COLUMNS:
            lines[-1] += " " + piece
        else:
            lines.append(indent + piece)
    return lines


def break_brackets(line: str) -> list[str]:
    """Breaks what stands in the line's first bracket."""
    opening = re.search(r"[({](?=.)", line)
    if len(line) <= COLUMNS or not opening:
        return [line]
    closing = max(line.rfind(")"), line.rfind("}"))
    inside = line[opening.end():closing]
    return pack(line[:opening.end()], split_items(inside), line[closing:])


def break_declaration(line: str, match: re.Match[str]) -> list[str]:
    """The type of a function gets a line of its own when that costs none."""
    joined = break_brackets(line)
    apart = [match[1].rstrip(), *break_brackets(match[2])]
    return apart if len(apart) <= len(joined) else joined


def break_comment(match: re.Match[str], first: str, last: str) -> list[str]:
    """Breaks a comment, or a line of one, between its words."""
    indent = match["indent"]
    lines = textwrap.wrap(match["text"], COLUMNS - len(indent) - len(" * "),
                          subsequent_indent=re.match(" *", match["text"])[0],
                          break_long_words=False, break_on_hyphens=False)
    if len(indent) + len(" * ") + len(lines[-1]) + len(last) > COLUMNS:
        lines[-1:] = lines[-1].rsplit(" ", 1)
    marks = [first] + [" * "] * (len(lines) - 1)
    lines = [indent + mark + line for mark, line in zip(marks, lines)]
    return lines[:-1] + [lines[-1] + last]


def break_line(line: str) -> list[str]:
    if len(line) <= COLUMNS:
        return [line]
    if match := COMMENT.match(line):
        return break_comment(match, "/* ", " */")
    if match := COMMENT_LINE.match(line):
        return break_comment(match, " * ", "")
    if match := DECLARATION.match(line):
        return break_declaration(line, match)
    if match := ASSIGNMENT.match(line):
        return [match[1] + match[2], match[1] + " " * INDENT + match[3]]
    return break_brackets(line)


def lay_out(text: str) -> str:
    """The text with long lines broken, single empty lines between parts, and none at the end."""
    text = re.sub(r"\n{3,}", "\n\n", text.strip("\n"))
    text = re.sub(r"\n+(\n\})", r"\1", text)
    lines = [broken for line in text.split("\n") for broken in break_line(line)]
    return "\n".join(lines) + "\n"
