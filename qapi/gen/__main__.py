# SPDX-License-Identifier: Apache-2.0
"""python3 qapi/gen SCHEMA [--templates DIR --output FILE...]: checks a schema and writes C from it.

Without outputs it prints what it understood, which is what tests/qapi compares.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from check import check
from describe import describe
from emit import emit
from parse import Position, SchemaError, parse_file
from template import TemplateError


def main() -> int:
    parser = argparse.ArgumentParser(prog="qapi-gen",
                                     description="Checks a schema and writes C from it.")
    parser.add_argument("schema")
    parser.add_argument("--templates", type=Path, help="where the templates of C are")
    parser.add_argument("--output", type=Path, action="append", default=[], help="a file to write")
    options = parser.parse_args()
    if options.output and not options.templates:
        parser.error("--output needs --templates")

    try:
        schema = check(parse_file(options.schema), Position(options.schema, 1))
        if options.output:
            emit(schema, options.templates, options.output)
        else:
            print(describe(schema))
    except (SchemaError, TemplateError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
