# SPDX-License-Identifier: Apache-2.0
"""The verbs and their options in roff."""

from __future__ import annotations

import re

from manual import escape


def full_sentence(text: str) -> str:
    """As escape() of the manual of the config file, for a text that may end with a parenthesis."""
    return escape(text if text.endswith(".") else text + ".")


def italic(text: str) -> str:
    """Names of what is to be filled in stand out from words that are written as they are."""
    return re.sub(r"[A-Z_]{2,}|(?<![A-Za-z])N(?![A-Za-z])", r"\\fI\g<0>\\fR", escape(text))


def describe_option(option: dict) -> dict:
    names = [f"\\fB\\-{option['short']}\\fR"] if option["short"] else []
    names.append(f"\\fB\\-\\-{escape(option['long'])}\\fR")
    value = f" {italic(option['value'])}" if option["value"] else ""
    return {"names": ", ".join(names) + value, "help": full_sentence(option["help"])}


def describe_paragraphs(text: str | None) -> list[dict]:
    """Paragraphs are filled anew; an example keeps its line."""
    paragraphs = []
    for paragraph in (text or "").split("\n\n"):
        words = " ".join(paragraph.split())
        example = re.match(r"Example: ?(.*)", words)
        if words:
            paragraphs.append({"text": escape(example[1] if example else words),
                               "example": bool(example)})
    return paragraphs


def describe_for_page(verbs: list[dict]) -> dict:
    """The options of 'mayfly run' are not repeated for verbs that have them: those say so."""
    run = next(verb["options"] for verb in verbs if verb["name"] == "run")
    described = []
    for verb in verbs:
        shared = verb["name"] != "run" and verb["options"] == run
        described.append({
            "name": escape(verb["name"]),
            "operands": italic(verb["operands"]),
            "summary": escape(verb["summary"]),
            "takes_options": bool(verb["options"]),
            "options": [] if shared else [describe_option(option) for option in verb["options"]],
            "paragraphs": describe_paragraphs(verb["description"]),
        })
    return {"verbs": described}
