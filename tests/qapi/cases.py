#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every way to write a schema, and every way to get one wrong.

    tests/qapi/cases.py [--update]

A case is NAME.json in cases/ with what the generator says of it: NAME.out when it accepts it,
NAME.err when it does not. --update writes those anew: read the difference before it is committed.
"""

import argparse
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "qapi" / "gen"))
sys.dont_write_bytecode = True

from check import check  # noqa: E402
from describe import describe  # noqa: E402
from parse import Position, SchemaError, parse_file  # noqa: E402


def run_case(schema: str) -> dict[str, str]:
    """What the generator says: one text, by the suffix of the file that it belongs in."""
    try:
        return {".out": describe(check(parse_file(schema), Position(schema, 1))) + "\n"}
    except SchemaError as error:
        return {".err": f"{error}\n"}


def read_expected(schema: Path) -> dict[str, str]:
    files = [schema.with_suffix(suffix) for suffix in (".out", ".err")]
    return {file.suffix: file.read_text(encoding="utf-8") for file in files if file.exists()}


def update(schema: Path, found: dict[str, str]) -> None:
    for suffix in (".out", ".err"):
        schema.with_suffix(suffix).unlink(missing_ok=True)
    for suffix, text in found.items():
        schema.with_suffix(suffix).write_text(text, encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--update", action="store_true", help="write what is expected anew")
    options = parser.parse_args()

    os.chdir(HERE / "cases")
    schemas = sorted(Path(".").glob("*.json"))
    failed = 0
    print(f"1..{len(schemas)}")
    for number, schema in enumerate(schemas, 1):
        found = run_case(str(schema))
        if options.update:
            update(schema, found)
        expected = read_expected(schema)
        ok = found == expected
        failed += not ok
        print(f"{'ok' if ok else 'not ok'} {number} {schema.stem}")
        if not ok:
            print(f"# expected {expected!r}\n# found {found!r}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
