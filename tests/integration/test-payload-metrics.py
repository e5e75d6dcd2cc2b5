#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What payloads measure, from their output in the guest to the comparison of two results."""

import json

from harness import Sandbox, expect, kernel, main, test

CONFIG = """
[[target]]
name = "bench"
kernel = {kernel}
repeat = 3

[[target.check]]
metric = "turns"
range = [1, 3]

[[target.payload]]
name = "work"
command = {command}
output = "json"
metric = [{{ name = "jobs.0.iops", unit = "1/s", polarity = "higher" }}]
check = [{{ metric = "jobs.0.iops", min = 50 }}]

[[target]]
name = "broken"
kernel = {kernel}

[[target.check]]
metric = "turns"
min = 1

[[target.payload]]
name = "cut"
command = {cut}
output = "json"

[[target.payload]]
name = "low"
command = {low}
output = "json"
check = [{{ metric = "iops", min = 50 }}, {{ metric = "lat", exists = true }}]
"""


def run(box, name, iops):
    """The result of a suite whose benchmark has those values, one for each repetition."""
    values = " ".join(str(value) for value in iops)
    turn = f"n=$(cat turns 2>/dev/null || echo 0); echo $((n + 1)) >turns; set -- {values}; " \
           "mayfly-guest frame metric turns $((n + 1)); shift $n; echo starting up; " \
           "echo \"{\\\"jobs\\\": [{\\\"iops\\\": $1}]}\""
    words = {"command": turn, "kernel": kernel("small"), "cut": "echo '{\"iops\": 5'",
             "low": "echo '{\"iops\": 5}'"}
    box.write("mayfly.toml", CONFIG.format(**{key: json.dumps(text) for key, text in words.items()}))
    return box.run("test", "--report", f"json={name}", "--report", f"metrics={name}.md")


@test
def values_of_repetitions_reach_the_reports_and_their_comparison():
    with Sandbox() as box:
        good = run(box, "good.json", [100, 102, 98])
        expect(good, 1)
        text = good.out.decode()
        assert "      work.jobs.0.iops: 100 +- 2 1/s\n" in text, text
        assert ("      - cut\n        | The payload's stdout has JSON that cannot be used. ',' or '}' is "
                "expected, but the text ends after 11 bytes.\n") in text, text
        assert ("      - low\n        | The metric 'iops' = 5 is below minimum 50.\n"
                "        | The metric 'lat' was not found in payload output.\n") in text, text
        # A scenario's metric, of any program in the guest, is held to bounds of the target's own.
        assert "The metric 'turns' was not told of by the scenario." in text, text
        assert "'turns' =" not in text, text

        cases = {case["name"]: case for case in json.loads(box.read("good.json"))["cases"]}
        assert cases["bench"]["outcome"] == "pass", cases["bench"]["reason"]
        assert cases["broken"]["outcome"] == "fail"
        assert [(one["repetition"], [metric["value"] for metric in one["metrics"]])
                for one in cases["bench"]["payloads"]] == [(0, [100]), (1, [102]), (2, [98])]
        assert b"| bench | work | jobs.0.iops | 100 | 2 | 3 | 1/s | higher |\n" in box.read("good.json.md")

        run(box, "slow.json", [80, 82, 78])
        expect(box.run("compare", "good.json", "slow.json"), 0)
        worse = box.run("compare", "--fail-on-worse", "good.json", "slow.json")
        expect(worse, 1)
        assert b"-20.0 %  worse\n" in worse.out, worse.out
        expect(box.run("compare", "--fail-on-worse", "slow.json", "good.json"), 0)


if __name__ == "__main__":
    main()
