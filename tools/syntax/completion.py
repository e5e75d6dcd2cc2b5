# SPDX-License-Identifier: Apache-2.0
"""The verbs and their options as completion scripts of bash, zsh and fish need them."""

from __future__ import annotations

import re
import shlex

# What is completed where one of these is asked for.
FILES = {"FILE", "PATH", "HOST"}
DIRECTORIES = {"DIR", "DIRECTORY"}
CHOICES = re.compile(r"[a-z0-9.-]+(\|[a-z0-9.-]+)+$")
# "json|tap=FILE": one of the words, and what follows any of them.
JOINED = re.compile(r"([a-z-]+(?:\|[a-z-]+)*)([=:])[A-Z]")
# "debian|ubuntu[/VERSION]|oci://NAME": what each of several begins with.
BEGINNING = re.compile(r"[a-z-]+(?:://)?")


def find_beginnings(value: str) -> list[str]:
    """The words that a value of this form begins with, or none."""
    joined = JOINED.match(value)
    if joined:
        return [word + joined[2] for word in joined[1].split("|")]
    found = [BEGINNING.match(part) for part in value.split("|")]
    return [match[0] for match in found if match] if all(found) else []


def find_kind(value: str, verb: str) -> tuple[str, list[str]]:
    """What completes a value: "files", "directories", "kernels", "personas", "words", "beginnings" (of
    words, and files behind a "="), "command" or "nothing"; and the words."""
    names = set(re.findall(r"[A-Z]+", value))
    if CHOICES.match(value):
        return "words", value.split("|")
    if find_beginnings(value):
        return "beginnings", find_beginnings(value)
    if "ID" in names:
        return "personas", []
    if verb.startswith("kernel") and "NAME" in names or "KERNEL" in names:
        return "kernels", []
    if "COMMAND" in names:
        return "command", []
    if names & FILES:
        return "files", []
    if names & DIRECTORIES:
        return "directories", []
    return "nothing", []


# What each shell does for these, behind the words.
ZSH_ACTIONS = {"files": "_files", "directories": "_files -/", "kernels": "_mayfly_kernels",
               "personas": "_mayfly_personas", "command": "_command_names -e", "nothing": " "}
FISH_ACTIONS = {"files": "-r -F", "directories": "-x -a '(__fish_complete_directories)'",
                "kernels": "-r -F -a '(__mayfly_kernels)'",
                "personas": "-r -F -a '(__mayfly_personas)'",
                "command": "-x -a '(__fish_complete_subcommand)'", "nothing": "-x"}


def zsh_text(text: str) -> str:
    """Text of a specification of _arguments."""
    return re.sub(r"([\[\]\\:])", r"\\\1", text)


def zsh_value(value: str, kind: str, words: list[str]) -> str:
    if kind == "beginnings":
        action = f" _mayfly_beginnings {zsh_text(' '.join(words))}"
    else:
        action = f"({' '.join(words)})" if words else ZSH_ACTIONS[kind]
    return f":{zsh_text(value)}:{action}"


def zsh_operands(value: str, kind: str, words: list[str]) -> str:
    """The words behind a command are completed as that command's."""
    if not value:
        return ""
    specs = ["*" + zsh_value(value, kind, words)]
    if kind == "command":
        specs = ["(-)1" + zsh_value(value, kind, words), "*::arguments:_normal"]
    return " ".join(shlex.quote(spec) for spec in specs)


def zsh_option(option: dict, kind: str, words: list[str]) -> str:
    """A specification of _arguments, quoted for the shell."""
    long, short = "--" + option["long"], option["short"]
    value = zsh_value(option["value"], kind, words) if option["value"] else ""
    text = f"[{zsh_text(option['help'])}]{value}"
    names = [long + ("=" if option["value"] else "")]
    names += [f"-{short}" + ("+" if option["value"] else "")] if short else []
    if option["several"]:
        return " ".join(shlex.quote("*" + name + text) for name in names)
    excluded = f"(-{short} {long})" if short else ""
    return " ".join(shlex.quote(excluded + name + text) for name in names)


def fish_quote(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def fish_action(kind: str, words: list[str]) -> str:
    if kind == "beginnings":
        return "-x -a " + fish_quote(f"(__mayfly_beginnings {' '.join(words)})")
    return "-x -a " + fish_quote(" ".join(words)) if words else FISH_ACTIONS[kind]


def fish_option(option: dict, kind: str, words: list[str]) -> str:
    """The arguments of 'complete' behind its condition."""
    parts = ["-l " + option["long"]]
    if option["short"]:
        parts.append("-s " + option["short"])
    if option["value"]:
        parts.append(fish_action(kind, words))
    return " ".join(parts + ["-d " + fish_quote(option["help"])])


def describe_option(option: dict, verb: str, shell: str) -> dict:
    kind, words = find_kind(option["value"] or "", verb)
    names = ["--" + option["long"]] + (["-" + option["short"]] if option["short"] else [])
    described = {"names": " ".join(names), "patterns": " | ".join(names),
                 "takes_value": bool(option["value"]), "kind": kind, "choices": " ".join(words)}
    if shell == "zsh":
        described["spec"] = zsh_option(option, kind, words)
    if shell == "fish":
        described["spec"] = fish_option(option, kind, words)
    return described


def describe_verb(verb: dict, shell: str) -> dict:
    options = [describe_option(option, verb["name"], shell) for option in verb["options"]]
    kind, words = find_kind(verb["operands"], verb["name"])
    group, _, name = verb["name"].rpartition(" ")
    return {
        "name": verb["name"],
        "word": name,
        "group": group,
        "function": "_mayfly_" + verb["name"].replace(" ", "_"),
        "options": options,
        "valued": [option for option in options if option["takes_value"]],
        "words": " ".join(option["names"] for option in options),
        "operand_kind": kind,
        "operand_choices": " ".join(words),
        "operand_spec": zsh_operands(verb["operands"], kind, words),
        "operand_action": fish_action(kind, words),
        "summary": fish_quote(verb["summary"].rstrip(".")),
        "described": shlex.quote(f"{name}:{zsh_text(verb['summary'].rstrip('.'))}"),
    }


def describe_for_shell(verbs: list[dict], shell: str) -> dict:
    """Verbs of two words, such as "kernel pull", are in a group."""
    described = [describe_verb(verb, shell) for verb in verbs]
    groups = {verb["group"]: {"name": verb["group"], "function": "_mayfly_" + verb["group"],
                              "verbs": [other for other in described
                                        if other["group"] == verb["group"]]}
              for verb in described if verb["group"]}
    for group in groups.values():
        group["words"] = " ".join(verb["word"] for verb in group["verbs"])
    top = list(dict.fromkeys(verb["name"].split()[0] for verb in described))
    return {"verbs": described, "groups": list(groups.values()), "top": " ".join(top),
            "tops": [verb for verb in described if not verb["group"]]}
