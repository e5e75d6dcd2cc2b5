#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is asked of a console: landmarks, prompts and answers, what must not be said, and sub-tests;
in guests with a command, and in those that have nothing of mayfly's in them."""

import json
import os

import initramfs
from harness import Sandbox, expect, kernel, main, patient_test, test


def write(box, text, script=None, flavour="small"):
    """A suite of one target 't', which is 'text'; bare with 'script' as its /init, if there is one."""
    lines = ["[[target]]", 'name = "t"', f"kernel = {json.dumps(kernel(flavour))}"]
    if script is not None:
        lines.append(f"initramfs = {json.dumps(initramfs.make(box.work, script))}")
    box.write("mayfly.toml", "\n".join(lines) + "\n" + text)


def run(box):
    """The result, with the case of the JSON report, and its sub-tests as (status, name)."""
    report = os.path.join(box.directory, "report.json")
    result = box.run("test", "--report", "json=" + report)
    with open(report, encoding="utf-8") as file:
        result.case = json.load(file)["cases"][0]
    told = result.case["subtests"]
    result.subtests = told and [(one["status"], one["name"]) for one in told["tests"]]
    return result


def expect_reason(result, status, outcome, *parts):
    expect(result, status)
    assert result.case["outcome"] == outcome, result.case
    for part in parts:
        assert part in (result.case["reason"] or ""), result.case["reason"]


@test
def a_stock_kernels_landmarks_are_met_in_their_order():
    with Sandbox() as box:
        write(box, """command = "echo ready >/dev/ttyS0"
            [[target.console]]
            expect = ["Linux version 6", "Run /init as init process"]
            [[target.console]]
            expect = ["^ready$"]
            timeout = "20s"
            """, flavour="generic")
        expect_reason(run(box), 0, "pass")


@test
def a_command_that_passes_is_no_pass_without_the_landmark():
    with Sandbox() as box:
        write(box, """command = "echo two >/dev/ttyS0; echo one >/dev/ttyS0"
            console = [{ expect = ["^one$", "^two$"] }]
            """)
        result = run(box)
        expect_reason(result, 1, "fail", "'^two$' (landmark 2 of 2)")
        assert result.case["verdict"] == "exited" and result.case["status"] == 0


@test
def a_bare_guest_passes_when_all_landmarks_are_met_and_is_stopped():
    with Sandbox() as box:
        write(box, """console = [{ expect = ["Linux version", "Run /init", "^up$"] }]""",
              "echo up; sleep 1000")
        result = run(box)
        expect_reason(result, 0, "pass")
        assert result.case["target"]["command"] is None


@test
def a_bare_guest_without_landmarks_passes_when_it_ends():
    with Sandbox() as box:
        write(box, """console = [{ fail_on = ["BUG:"] }]""", "poweroff -f")
        expect_reason(run(box), 0, "pass")


@test
def a_bare_guest_that_ends_before_its_landmark_fails():
    with Sandbox() as box:
        write(box, """console = [{ expect = ["^up$", "Linux version"] }]""", "echo up; poweroff -f")
        expect_reason(run(box), 1, "fail", "The guest powered itself off",
                      "'Linux version' (landmark 2 of 2)")


@test
def a_landmark_in_the_last_words_needs_no_end_of_line():
    with Sandbox() as box:
        # The last thing that happens is the exit itself: a kernel would say that it goes.
        write(box, """success_exit_code = 33
            console = [{ expect = ["^that is all$"] }]""",
              r"printf 'that is all'; sleep 1; printf '\020' | dd of=/dev/port bs=1 seek=244")
        expect_reason(run(box), 0, "pass")


@test
def a_late_landmark_is_a_timeout_with_the_last_lines():
    with Sandbox() as box:
        write(box, """console = [{ expect = ["^up$"], timeout = "60s" },
                                 { expect = ["never said"], timeout = "1s" }]""",
              "echo up; echo the last words; sleep 1000")
        result = run(box)
        expect_reason(result, 124, "fail", "did not say 'never said' (landmark 2 of 2) within 1s")
        assert result.case["evidence"].endswith("the last words"), result.case["evidence"]


@patient_test
def a_bare_guest_has_the_targets_time_in_all():
    with Sandbox() as box:
        write(box, """timeout = "5s"
            console = [{ expect = ["never said"] }]""", "sleep 1000")
        expect_reason(run(box), 124, "fail", "did not end within 5s")


@test
def what_must_not_be_said_ends_the_run_at_once():
    with Sandbox() as box:
        write(box, """console = [{ expect = ["never said"], fail_on = ["cor+upted"] }]""",
              "echo the file is corrupted; sleep 1000")
        result = run(box)
        expect_reason(result, 125, "fail", "'cor+upted'", "the file is corrupted")
        assert result.seconds < 60, result


@test
def what_must_not_be_said_ends_a_command_too():
    with Sandbox() as box:
        write(box, """command = "echo it broke >/dev/kmsg; sleep 1000"
            console = [{ fail_on = ["it broke"] }]""")
        expect_reason(run(box), 125, "fail", "it broke")


@test
def a_bare_guest_that_panics_crashed():
    with Sandbox() as box:
        write(box, """console = [{ expect = ["never said"] }]""", "echo c >/proc/sysrq-trigger")
        expect_reason(run(box), 125, "fail", "sysrq triggered crash")


@test
def prompts_are_answered_in_their_order():
    with Sandbox() as box:
        write(box, r"""
            [[target.console]]
            expect = ["user is root", "word is geheim!", "^done$"]
            respond = [
              { pattern = "login: $", send = "root\n" },
              { pattern = "Password: $", send = "geheim!\n" },
              { pattern = "# $", send = "echo do''ne\n", times = 1 },
              { pattern = "# $", send = "poweroff -f\n", times = 1 },
            ]
            """, r"""
            printf 'host login: '; read name; echo "user is $name"
            printf 'Password: '; read word; echo "word is $word"
            while printf '# '; read line; do eval "$line"; done
            """)
        expect_reason(run(box), 0, "pass")


@test
def lines_of_the_console_are_sub_tests_and_one_that_fails_fails_the_target():
    with Sandbox() as box:
        write(box, """console = [{ expect = ["^end$"], subtests = "lines" }]""",
              "echo '[PASS] one'; echo '[FAIL] two'; echo '[OK] three'; echo end; sleep 1000")
        result = run(box)
        expect_reason(result, 1, "fail", "1 of 3 sub-tests failed: 'two'.")
        assert result.subtests == [("pass", "one"), ("fail", "two"), ("pass", "three")]
        assert b"- two\n" in result.err + result.out, result
        assert result.case["evidence"].endswith("end"), result.case["evidence"]


@test
def patterns_of_ones_own_make_sub_tests():
    with Sandbox() as box:
        write(box, r"""console = [{ expect = ["^end$"], pass = ['^(\w+): good$'] }]""",
              "echo 'one: good'; echo 'two: bad'; echo end; sleep 1000")
        result = run(box)
        expect_reason(result, 0, "pass")
        assert result.subtests == [("pass", "one")]


@test
def ktap_of_a_commands_output_is_read():
    with Sandbox() as box:
        write(box, r"""
            command = '''
            printf 'TAP version 13\n1..2\n# # Subtest: x\n# 1..2\n# ok 1 a\n# not ok 2 b\n'
            printf 'not ok 1 selftests: net: x # exit=1\nok 2 selftests: net: y # SKIP\n'
            '''
            subtests = "ktap"
            """)
        result = run(box)
        expect_reason(result, 1, "fail", "1 of 3 sub-tests failed: 'selftests: net: x/b'.")
        assert result.subtests == [("pass", "selftests: net: x/a"),
                                   ("fail", "selftests: net: x/b"),
                                   ("skip", "selftests: net: y")]
        assert result.case["status"] == 0


@test
def a_plan_that_promised_more_fails_a_command_that_exits_with_0():
    with Sandbox() as box:
        write(box, r"""
            command = "printf '1..3\nok 1 - a\nok 2 - b\n'"
            subtests = "tap"
            """)
        result = run(box)
        expect_reason(result, 1, "fail", "The plan promised 3 sub-tests, and 2 were told of.")
        assert result.case["subtests"]["counts"]["pass"] == 2


def _says_twice(flavour):
    with Sandbox() as box:
        write(box, r"""
            command = '''
            for line in 'KTAP version 1' '1..2' 'ok 1 a' 'ok 2 b'; do echo "$line" >/dev/kmsg; done
            '''
            kernel_args = "ignore_loglevel"
            console = [{ subtests = "ktap", expect = ["ok 2 b"] }]
            """, flavour=flavour)
        result = run(box)
        expect_reason(result, 0, "pass")
        assert result.subtests == [("pass", "a"), ("pass", "b")], result.subtests


@test
def mayfly_run_reads_sub_tests_too():
    with Sandbox() as box:
        result = box.run("run", "-k", kernel("small"), "--subtests", "tap", "--",
                         "printf '1..2\\nok 1 - a\\nnot ok 2 - b\\n'")
        expect(result, 1, out=b"1..2\nok 1 - a\nnot ok 2 - b\n",
               err="^mayfly: 1 of 2 sub-tests failed: 'b'.\n$")


@test
def what_a_kernel_says_on_its_port_and_in_its_log_is_told_once():
    _says_twice("generic")


@test
def the_same_of_a_kernel_that_does_not_say_the_time():
    _says_twice("small")


@patient_test
def what_a_command_told_before_it_was_ended_is_kept():
    with Sandbox() as box:
        write(box, r"""
            command = "echo '[PASS] one'; sleep 1000"
            timeout = "8s"
            subtests = "lines"
            """)
        result = run(box)
        expect_reason(result, 124, "fail", "did not end within 8s")
        assert result.subtests == [("pass", "one")], result.case


if __name__ == "__main__":
    main()
