# SPDX-License-Identifier: Apache-2.0
"""Names and C types of a checked schema, and the files that templates make of them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from layout import lay_out
from manual import list_sections
from schema import Alternate, Command, Definition, Enum, Event, Member, Schema, Shape, Struct, Type
from template import Template

# The C type and the descriptor of each type that every schema has.
C_BUILTINS = {
    "bool": ("gboolean ", "mf_json_type_bool"),
    "int": ("gint64 ", "mf_json_type_int64"),
    "uint64": ("guint64 ", "mf_json_type_uint64"),
    "size": ("guint64 ", "mf_json_type_uint64"),
    "number": ("double ", "mf_json_type_number"),
    "str": ("char *", "mf_json_type_string"),
    "any": ("json_object *", "mf_json_type_any"),
    "word": ("char *", "mf_json_type_word"),
    "path": ("char *", "mf_json_type_path"),
    "regex": ("char *", "mf_json_type_regex"),
    "bytes": ("guint64 ", "mf_json_type_bytes"),
    "duration": ("gint64 ", "mf_json_type_duration"),
    "signal": ("gint64 ", "mf_json_type_signal"),
}
# Names of members that C or its preprocessor has taken.
C_TAKEN = set("""auto break case char const continue default do double else enum extern float for
    goto if inline int long register restrict return short signed sizeof static struct switch
    typedef union unsigned void volatile while asm typeof linux unix i386 stdin stdout stderr""".split())

# A command takes a struct when it has more arguments than this, or an optional one that NULL cannot
# stand for.
ARGUMENTS_MAX = 4


def snake(name: str) -> str:
    """StatusInfo, query-status, GUEST_PANICKED -> status_info, query_status, guest_panicked."""
    name = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    return re.sub(r"([A-Z])([A-Z][a-z])", r"\1_\2", re.sub(r"[-.]", "_", name)).lower()


def camel(name: str) -> str:
    return "".join(word.capitalize() for word in snake(name).split("_"))


def c_member(name: str) -> str:
    spelled = name.replace("-", "_")
    return spelled + "_" if spelled in C_TAKEN else spelled


def sentence(text: str, since: str = "") -> str:
    """Documentation as a comment says it: a capital, a full stop, and the version it needs."""
    text = " ".join(text.replace("*/", "* /").split())
    text = text[:1].upper() + text[1:]
    if not text.endswith((".", "?", ":")):
        text += "."
    return f"{text} Since {since}." if since else text


@dataclass
class Row:
    """A member as templates see it; 'owner' is the C struct that it stands in."""

    owner: str
    name: str
    c_name: str
    doc: str
    c_type: str
    borrowed_type: str
    descriptor: str
    form: str
    has_flag: bool
    table: str  # the initialiser in the table of members
    constant: str = ""


class Emitter:
    """Gives every part of a schema its C names."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.klass = "Mf" + schema.prefix.capitalize()
        self.function = "mf_" + schema.prefix
        self.macro = self.function.upper()

    def values(self) -> dict[str, Any]:
        """What the templates' holes are filled with."""
        commands = [self._command(command) for command in self.schema.commands]
        return {
            "prefix": self.schema.prefix,
            "class": self.klass,
            "function": self.function,
            "macro": self.macro,
            "enums": [self._enum(enum) for enum in self.schema.enums],
            "structs": [self._struct(struct) for struct in self.schema.structs],
            "alternates": [self._alternate(alternate) for alternate in self.schema.alternates],
            "commands": commands,
            "returning": any(command["returns"] for command in commands),
            "silent": any(not command["returns"] for command in commands),
            "events": [self._event(event) for event in self.schema.events],
            "sections": list_sections(self.schema),
        }

    def _names(self, definition: Definition, suffix: str = "") -> dict[str, Any]:
        name = definition.name if isinstance(definition, Type) else camel(definition.name)
        low = snake(definition.name + suffix)
        return {
            "name": definition.name,
            "doc": sentence(definition.doc),
            "since": definition.since,
            "c_name": self.klass + name + suffix,
            "low": low,
            "function": f"{self.function}_{low}",
            "kind": "ALTERNATE" if isinstance(definition, Alternate) else "STRUCT",
            "macro": f"{self.macro}_{low.upper()}",
        }

    def _types(self, shape: Shape) -> tuple[str, str, str]:
        """The C type, the same for a value that is only read, and the name of the descriptor."""
        if shape.type.name in C_BUILTINS:
            c_type, descriptor = C_BUILTINS[shape.type.name]
        else:
            pointer = "" if isinstance(shape.type, Enum) else "*"
            c_type = f"{self.klass}{shape.type.name} {pointer}"
            descriptor = f"{self.function}_{snake(shape.type.name)}_type"
        if not shape.array:
            return c_type, f"const {c_type}" if c_type.endswith("*") else c_type, descriptor
        if shape.type.json == "string" and shape.type.name in C_BUILTINS:
            return "char **", "const char *const *", descriptor
        array = "GPtrArray *" if c_type.endswith("*") else "GArray *"
        return array, f"const {array}", descriptor

    def _elements(self, shape: Shape) -> str:
        """What the type of an array in C does not say: of what."""
        if not shape.array or self._types(shape)[0] == "char **":
            return ""
        return f" Elements: {self._types(Shape(shape.type))[0].strip()}."

    def _row(self, owner: str, member: Member) -> Row:
        c_type, borrowed, descriptor = self._types(member.shape)
        # What has a default is there whenever C reads it.
        optional = member.optional and not member.default
        form = ("OPTIONAL_" if optional else "") + ("ARRAY" if member.shape.array else "")
        form = form.rstrip("_") or "SINGLE"
        doc = sentence(member.doc, member.since) + self._elements(member.shape)
        if optional:
            doc += " Optional."
        has_flag = optional and not c_type.endswith("*")
        place = c_member(member.name)
        fields = [f'"{member.name}"', f"&{descriptor}", f"MF_JSON_{form}",
                  f"offsetof({owner}, {place})"]
        fields += [f"offsetof({owner}, has_{place})"] if has_flag else []
        return Row(owner, member.name, place, doc, c_type, borrowed, descriptor, form, has_flag,
                   f"{{{', '.join(fields + self._extras(member))}}}")

    @staticmethod
    def _extras(member: Member) -> list[str]:
        """What only members of the config file have."""
        extras = [f".fallback = {json.dumps(member.default_json)}"] if member.default else []
        extras += [f".{name} = {limit}" for name, limit in zip(("min", "max"), member.range or ())]
        return extras + [f'.{name} = "{getattr(member, name)}"' for name in ("key", "value")
                         if getattr(member, name)]

    def _enum(self, enum: Enum) -> dict[str, Any]:
        names = self._names(enum)
        names["constants"] = [{"name": value.name, "doc": sentence(value.doc, value.since),
                               "c_name": f"{names['macro']}_{snake(value.name).upper()}"}
                              for value in enum.values]
        return names

    def _struct(self, struct: Struct) -> dict[str, Any]:
        names = self._names(struct)
        names["members"] = [self._row(names["c_name"], member) for member in struct.members]
        return names

    def _alternate(self, alternate: Alternate) -> dict[str, Any]:
        names = self._names(alternate)
        names["members"] = [self._row(names["c_name"], branch) for branch in alternate.branches]
        for row in names["members"]:
            row.constant = f"{names['macro']}_KIND_{row.c_name.upper().rstrip('_')}"
        return names

    def _event(self, event: Event) -> dict[str, Any]:
        names = self._names(event, "Event" if not event.data else "")
        names["constant"] = f"{self.macro}_EVENT_{event.name}"
        names["members"] = [self._row(names["c_name"], member) for member in event.members]
        names["data"] = names["c_name"] if event.members else ""
        if event.data:
            names["data"] = self.klass + event.data.name
        return names

    def _command(self, command: Command) -> dict[str, Any]:
        names = self._names(command, "Arguments")
        names["low"] = snake(command.name)
        names["function"] = f"{self.function}_{names['low']}"
        members = command.data.members if command.data else command.members
        rows = [self._row(names["c_name"], member) for member in members]
        names["arguments_type"] = f"{names['low']}_arguments_type"
        if command.data:
            names["c_name"] = self.klass + command.data.name
            names["arguments_type"] = f"{self.function}_{snake(command.data.name)}_type"
        by_struct = bool(command.data or len(rows) > ARGUMENTS_MAX
                         or any(row.has_flag for row in rows))
        parameters = [(row.borrowed_type, row.c_name) for row in rows]
        if by_struct:
            parameters = [(f"const {names['c_name']} *", "arguments")]
        parameters += [("int ", "fd")] if command.passes_fd else []
        returns = self._returns(command)
        return names | {
            "summary": " ".join([names["doc"], *([returns["doc"]] if returns else [])]),
            "members": [] if command.data else rows,
            "by_struct": by_struct,
            "listed": command.passes_fd or not command.answers or bool(rows and not by_struct),
            "has_arguments": bool(rows),
            "listed_members": rows if not by_struct else [],
            "parameters": "".join(f"{c_type}{name}, " for c_type, name in parameters),
            "answers": command.answers,
            "passes_fd": command.passes_fd,
            "returns": returns,
        }

    def _returns(self, command: Command) -> dict[str, Any] | None:
        if not command.returns:
            return None
        c_type, _, descriptor = self._types(command.returns)
        doc = sentence("Returns " + command.returns_doc) + self._elements(command.returns)
        return {"c_type": c_type, "descriptor": descriptor, "doc": doc,
                "form": "ARRAY" if command.returns.array else "SINGLE"}


def write_if_changed(path: Path, text: str) -> None:
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    path.write_text(text, encoding="utf-8")


def emit(schema: Schema, templates: Path, outputs: list[Path]) -> None:
    """Writes each output from the template of its name without the schema's prefix, as
    qmp-types.h from types.h.in."""
    values = Emitter(schema).values()
    for output in outputs:
        template = Template(templates / (output.name.removeprefix(schema.prefix + "-") + ".in"))
        text = template.render(values)
        write_if_changed(output, lay_out(text) if output.suffix in (".c", ".h") else text)
