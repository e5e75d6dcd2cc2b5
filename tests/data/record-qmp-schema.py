#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Records what a QEMU says about its own QMP.

    record-qmp-schema.py [QEMU] > query-qmp-schema-X.Y.json

The recording is the reply to query-qmp-schema, one entity per line, so that two of them can be
compared.
"""

import json
import subprocess
import sys

MACHINE = ["-nodefaults", "-display", "none", "-S", "-machine", "none", "-qmp", "stdio"]
COMMANDS = ["qmp_capabilities", "query-qmp-schema", "quit"]


def main() -> int:
    qemu = sys.argv[1] if len(sys.argv) > 1 else "qemu-system-x86_64"
    request = "".join(json.dumps({"execute": command}) + "\n" for command in COMMANDS)
    run = subprocess.run([qemu, *MACHINE], input=request, capture_output=True, text=True,
                         timeout=60, check=True)
    replies = [json.loads(line) for line in run.stdout.splitlines()]
    schema = next(reply["return"] for reply in replies if isinstance(reply.get("return"), list))
    lines = (json.dumps(entity, separators=(",", ":")) for entity in schema)
    print("[\n" + ",\n".join(lines) + "\n]")
    return 0


if __name__ == "__main__":
    sys.exit(main())
