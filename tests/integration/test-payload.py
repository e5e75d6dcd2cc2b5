#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Targets that run payloads: their steps, how they end, and what is told of them."""

import json
import os
import signal
import time

from harness import Sandbox, expect, kernel, main, test

# Says that it is up, and waits for its signal.
SERVER = "trap 'echo served; exit 7' USR1; echo up >/tmp/up; while :; do sleep 0.1; done"
# A daemon out of reach of groups and sessions, whose name says whose it is.
DAEMON = "setsid -f sleep 31415.9; echo before; sleep 600"
LEFT = "! grep -az '3141[5]' /proc/[0-9]*/cmdline"


def write(box, *targets):
    box.write("mayfly.toml", "".join(
        f"[[target]]\nname = {json.dumps(name)}\nkernel = {json.dumps(kernel('small'))}\n"
        f"boot_timeout = '60s'\n{keys}\n{tables}\n" for name, keys, tables in targets))


def payload(name, command, **keys):
    lines = ["[[target.payload]]", f"name = {json.dumps(name)}", f"command = {json.dumps(command)}"]
    return "\n".join(lines + [f"{key} = {value}" for key, value in keys.items()]) + "\n"


def steps(*texts):
    return "".join(f"[[target.step]]\n{text}\n" for text in texts)


def run(box, *options):
    """Runs the suite; its result, with the cases of the JSON report by their names."""
    report = os.path.join(box.directory, "report.json")
    result = box.run("test", "--report", "json=" + report, *options)
    with open(report, encoding="utf-8") as file:
        result.cases = {case["name"]: case for case in json.load(file)["cases"]}
    return result


def told(case):
    """The payloads of a case, as (name, how it ended)."""
    return [(one["name"], one["status"]) for one in case["payloads"]]


STEPPED = ("stepped", "repeat = 2\nsetup = ['echo one >/tmp/count']\nexpect.stdout_match = '^served$'",
           payload("server", SERVER, check="[{ exit_code = 7 }]") +
           payload("client", ["sh", "-c", 'until [ -e /tmp/up ]; do sleep 0.05; done; rm /tmp/up; '
                              'echo "{\\"asked\\": $1, \\"as\\": \\"$WHO\\"}"', "client"],
                   args='["5"]', env="{ WHO = 'ann' }", output="'json'",
                   metric="[{ name = 'asked', unit = '1', polarity = 'higher' }]",
                   check="[{ metric = 'asked', range = [5, 5] }]") +
           payload("idle", "sleep 600") +
           steps("spawn = 'server'", "spawn = 'idle'", "run = 'client'",
                 "signal = 'server'\nsend = 'USR1'", "wait = 'server'\ntimeout = '30s'",
                 "kill = 'idle'"))

LIMITED = ("limited", f"teardown = [{json.dumps(LEFT)}]",
           payload("daemon", DAEMON, timeout="'4s'") + payload("after", "echo after"))

JUDGED = ("judged", "",
          payload("slow", "echo '{\"iops\": 50}'; echo noise >&2", output="'json'",
                  check="[{ metric = 'iops', min = 100 }, { metric = 'lost', exists = true }]") +
          payload("wordy", "head -c 17825792 /dev/zero | tr '\\0' x", cgroup="'wordy'") +
          payload("missing", ["/no/such/program"]))

LEFT_OVER = ("left over", "",
             payload("server", "sleep 600") + payload("client", "exit 0") +
             steps("spawn = 'server'", "run = 'client'"))

BACKGROUND = ("background", "", payload("server", "sleep 600", background="true") +
              payload("client", "exit 0"))

OVERDUE = ("overdue", "timeout = '2s'", payload("server", "echo up; sleep 600", background="true") +
           payload("client", "echo partial; sleep 600") + payload("never", "echo never"))


@test
def payloads_run_by_their_steps_and_what_they_come_to_is_in_the_report():
    with Sandbox() as box:
        write(box, STEPPED, LIMITED, JUDGED, LEFT_OVER, BACKGROUND, OVERDUE)
        result = run(box, "-j", "2")
        expect(result, 4)
        case = result.cases["stepped"]
        assert case["outcome"] == "pass", case
        assert told(case) == [("client", 0), ("server", 7), ("idle", 137)] * 2, case
        assert case["output"]["stdout"]["tail"] == '{"asked": 5, "as": "ann"}\nserved\n' * 2, case
        first = case["payloads"][0]
        assert first["metrics"] == [{"name": "asked", "value": 5, "unit": "1",
                                     "polarity": "higher", "stream": "stdout"}], first
        assert [one["repetition"] for one in case["payloads"]] == [0, 0, 0, 1, 1, 1], case
        assert case["payloads"][2]["killed"] and case["payloads"][2]["passed"], case

        check_limited(result.cases["limited"])
        check_judged(result.cases["judged"])

        case = result.cases["left over"]
        server = case["payloads"][1]
        assert server["not_collected"] and server["killed"] and not server["passed"], case
        assert "no step has waited for it" in case["reason"], case

        case = result.cases["background"]
        assert case["outcome"] == "pass" and told(case) == [("client", 0), ("server", 137)], case

        case = result.cases["overdue"]
        assert (case["verdict"], case["outcome"]) == ("timeout", "fail"), case
        assert sorted(told(case)) == [("client", 137), ("server", 137)], case
        assert "partial" in case["output"]["stdout"]["tail"], case


def check_limited(case):
    """P-15, P-14: what a payload wrote before its time was over is kept, nothing of it is left."""
    daemon, after = case["payloads"]
    assert (case["outcome"], case["status"]) == ("fail", 124), case
    assert daemon["timed_out"] and daemon["signal"] == 9, daemon
    assert daemon["stdout"]["tail"] == "before\n" and after["passed"], case
    assert "teardown" not in case["reason"], case


def check_judged(case):
    slow, wordy, missing = case["payloads"]
    assert (case["outcome"], case["status"]) == ("fail", 1), case
    assert len(slow["details"]) == 2 and "below minimum 100" in slow["details"][0], slow
    assert slow["stderr"]["tail"] == "noise\n", slow
    assert wordy["stdout"]["bytes"] == 17 << 20 and wordy["stdout"]["discarded"] == 1 << 20, wordy
    assert any("'wordy' wrote 17" in note for note in case["notes"]), case["notes"]
    usage = [one for one in wordy["metrics"] if one["name"] == "cgroup.cpu.stat.usage_usec"]
    assert wordy["passed"] and usage and usage[0]["value"] > 0, wordy
    assert not missing["passed"] and "/no/such/program" in missing["details"][0], missing
    assert "below minimum 100" in case["reason"] and "Payload 'missing'" in case["reason"], case


@test
def ctrl_c_ends_payloads_with_what_came_of_them():
    with Sandbox() as box:
        write(box, ("t", "", payload("first", "echo first") +
                    payload("second", "echo up; echo up >/mnt/mayfly/up; sleep 600")))
        report = os.path.join(box.directory, "report.json")
        process = box.start("test", "--report", "json=" + report)
        deadline = time.monotonic() + 120
        while not os.path.exists(os.path.join(box.work, "up")) and time.monotonic() < deadline:
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        with open(report, encoding="utf-8") as file:
            case = json.load(file)["cases"][0]
        first, second = case["payloads"]
        assert case["verdict"] == "cancelled" and first["passed"], case
        assert second["status"] is None and not second["passed"], case


if __name__ == "__main__":
    main()
