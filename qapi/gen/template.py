# SPDX-License-Identifier: Apache-2.0
"""Text with holes.

    ${item.name}            the value of an attribute or of a dictionary's entry
    %for item in items      once for each; %end closes it
    %if item.flag           when it is true, or neither empty nor None; %if not, %else, %end
    %include name           another template, in its place

Only lines that start with '%' are directives, and they leave no line behind.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Iterator

HOLE = re.compile(r"\$\{([\w.]+)\}")
FOR = re.compile(r"%for (\w+) in ([\w.]+)$")
IF = re.compile(r"%if (not )?([\w.]+)$")
INCLUDE = re.compile(r"%include ([\w.-]+)$")


class TemplateError(Exception):
    """A template that cannot be filled in."""


class Template:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines = path.read_text(encoding="utf-8").splitlines()
        self.at = 0

    def render(self, values: dict[str, Any]) -> str:
        self.at = 0
        lines = list(self._render_block(dict(values), active=True))
        if self.at < len(self.lines):
            raise self._error("'%end' or '%else' without a beginning")
        return "\n".join(lines) + "\n"

    def _error(self, message: str) -> TemplateError:
        return TemplateError(f"{self.path}:{min(self.at, len(self.lines) - 1) + 1}: {message}")

    def _look_up(self, path: str, values: dict[str, Any]) -> Any:
        value: Any = values
        for name in path.split("."):
            try:
                value = value[name] if isinstance(value, dict) else getattr(value, name)
            except (KeyError, AttributeError) as error:
                raise self._error(f"nothing is called '{path}'") from error
        return value

    def _fill(self, line: str, values: dict[str, Any]) -> str:
        return HOLE.sub(lambda hole: str(self._look_up(hole[1], values)), line)

    def _render_block(self, values: dict[str, Any], active: bool) -> Iterator[str]:
        """The lines up to this block's %else or %end, which is left to the caller. An inactive
        block is stepped over and yields nothing."""
        while self.at < len(self.lines) and self.lines[self.at] not in ("%else", "%end"):
            line = self.lines[self.at]
            if not line.startswith("%"):
                if active:
                    yield from self._fill(line, values).split("\n")
                self.at += 1
            elif match := FOR.match(line):
                yield from self._render_for(match, values, active)
            elif match := IF.match(line):
                yield from self._render_if(match, values, active)
            elif match := INCLUDE.match(line):
                if active:
                    yield from Template(self.path.parent / match[1]).render(values).split("\n")[:-1]
                self.at += 1
            else:
                raise self._error(f"'{line}' is no directive")

    def _close(self, opened: int) -> None:
        if self.at >= len(self.lines) or self.lines[self.at] != "%end":
            self.at = opened
            raise self._error("'%end' is missing")
        self.at += 1

    def _render_for(self, match: re.Match[str], values: dict[str, Any],
                    active: bool) -> Iterator[str]:
        opened = self.at
        items = list(self._look_up(match[2], values)) if active else []
        for item in items:
            self.at = opened + 1
            yield from self._render_block(values | {match[1]: item}, active)
        if not items:
            self.at = opened + 1
            yield from self._render_block(values, active=False)
        self._close(opened)

    def _render_if(self, match: re.Match[str], values: dict[str, Any],
                   active: bool) -> Iterator[str]:
        opened = self.at
        holds = active and bool(self._look_up(match[2], values)) != bool(match[1])
        self.at += 1
        yield from self._render_block(values, active and holds)
        if self.at < len(self.lines) and self.lines[self.at] == "%else":
            self.at += 1
            yield from self._render_block(values, active and not holds)
        self._close(opened)
