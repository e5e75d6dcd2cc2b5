# SPDX-License-Identifier: Apache-2.0
"""python3 tools/syntax SYNTAX --template FILE --output FILE: fills a template with what mayfly's verbs
understand, as 'mayfly syntax' prints it. What the template's name ends in says how text is written
in it: .1 for a manual page, else a shell's language.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "qapi" / "gen"))

from completion import describe_for_shell  # noqa: E402
from page import describe_for_page  # noqa: E402
from template import Template, TemplateError  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(prog="syntax", description="Fills a template with the options.")
    parser.add_argument("syntax", type=Path)
    parser.add_argument("--template", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()

    verbs = json.loads(options.syntax.read_text(encoding="utf-8"))
    kind = Path(options.template.stem).suffix
    values = describe_for_page(verbs) if kind == ".1" else describe_for_shell(verbs, kind[1:])
    try:
        text = Template(options.template).render(values)
    except TemplateError as error:
        print(error, file=sys.stderr)
        return 1
    options.output.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
