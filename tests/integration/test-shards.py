#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A suite that is shared out to several hosts and merged again. No VM is started: its targets'
kernels are missing, which makes each a skip, or an error; or their QEMU is none."""

import collections
import json
import os
import pathlib
import re
import resource
import subprocess
import sys
import xml.etree.ElementTree

from harness import Sandbox, Skip, expect, expect_sentence, main, test

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "tests" / "report"))
from schema import Schema  # noqa: E402

SCHEMA = Schema(json.loads((SOURCE / "data" / "mayfly-result.schema.json").read_text()))
TARGETS = 12
# Of what the scheduler costs: runs of a turn, and turns.
RUNS = 300
TURNS = 3
SYSTEMS = ("CI_NODE_", "BUILDKITE_", "CIRCLE_NODE_", "JOB_COMPLETION_", "SLURM_ARRAY_", "MAYFLY_SHARD",
           "GITHUB_")


class Project(Sandbox):
    def __init__(self, targets=TARGETS):
        super().__init__()
        self.env = {name: value for name, value in self.env.items() if not name.startswith(SYSTEMS)}
        self.env["MAYFLY_CACHE_DIR"] = self.make("cache")
        self.names = [f"t{number}" for number in range(targets)]
        self.write("mayfly.toml", "".join(
            f'[[target]]\nname = "{name}"\nkernel = "no-such"\ncommand = "true"\n'
            for name in self.names))
        os.mkdir(os.path.join(self.work, "results"))

    def path(self, name):
        return os.path.join(self.work, name)

    def load(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            document = json.load(file)
        SCHEMA.validate(document)
        return document

    def run_shard(self, shard, name, *arguments, status=0, env=None):
        expect(self.run("test", "--skip-missing", "--shard", shard, "--report", f"json={name}",
                        *arguments, env={**self.env, **(env or {})}), status)
        return self.load(name)

    def run_all(self, count, *arguments):
        for index in range(1, count + 1):
            self.run_shard(f"{index}/{count}", f"results/{index}.json", *arguments,
                           status=self.status_of(index, count))

    def status_of(self, index, count):
        """All are skipped: 77, but for a shard that has nothing."""
        listed = self.run("test", "--shard", f"{index}/{count}", "--list").out.split()
        return 77 if listed else 0


@test
def shards_carry_which_they_are_and_merge_into_all_targets_once():
    with Project() as box:
        box.run_all(3)
        shards = [box.load(f"results/{index}.json")["shard"] for index in (1, 2, 3)]
        suite = shards[0]["suite"]
        assert re.fullmatch("sha256:[0-9a-f]{64}", suite), suite
        assert shards == [{"index": index, "count": 3, "targets": TARGETS, "suite": suite}
                          for index in (1, 2, 3)], shards
        expect(box.run("report", "merge", "--report", "json=all.json", "--report", "junit=all.xml",
                       "results"), 0, out=b"12 targets: 12 skipped\n")
        merged = box.load("all.json")
        assert [case["name"] for case in merged["cases"]] == box.names, merged["cases"]
        assert merged["interrupted"] is None and merged["shard"] is None, merged
        assert merged["counts"]["skip"] == TARGETS, merged["counts"]
        suite = xml.etree.ElementTree.parse(box.path("all.xml")).getroot()
        assert [case.get("name") for case in suite.iter("testcase")] == box.names


@test
def a_merged_result_is_on_the_standard_output_unless_told_otherwise():
    with Project() as box:
        box.run_all(2)
        result = box.run("report", "merge", "results/2.json", "results/1.json")
        expect(result, 0)
        document = json.loads(result.out)
        SCHEMA.validate(document)
        assert len(document["shards"]) == 2, document["shards"]


@test
def a_job_of_github_has_the_whole_in_its_log_and_its_summary():
    with Project() as box:
        box.run_all(3)
        os.unlink(box.path("results/2.json"))
        box.write("sum.md", "before\n")
        env = {**box.env, "GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": box.path("sum.md")}
        for arguments, stream in ((["--report", "junit=all.xml"], "out"), ([], "err")):
            result = box.run("report", "merge", *arguments, "results", env=env)
            expect(result, 69)
            log = getattr(result, stream).decode()
            assert "\n::error title=mayfly::The result of shard 2 of 3 is missing.\n" in log, log
            assert re.search(r"8 skipped.* in ", log), log
        assert json.loads(result.out)["kind"] == "suite"
        with open(box.path("sum.md"), encoding="utf-8") as file:
            before, first, second = file.read().split("### mayfly\n")
        assert before == "before\n" and first.count("| skip | t") == second.count("| skip | t") == 8
        assert "The result of shard 2 of 3 is missing." in first, first


@test
def a_shard_that_is_missing_is_told_and_the_rest_is_written():
    with Project() as box:
        box.run_all(3)
        os.unlink(box.path("results/2.json"))
        result = box.run("report", "merge", "--report", "json=all.json", "--report", "junit=all.xml",
                         "results")
        expect(result, 69, err=r"^mayfly: The result of shard 2 of 3 is missing\.\n$")
        root = xml.etree.ElementTree.parse(box.path("all.xml")).getroot()
        errors = [case.get("name") for case in root.iter("testcase") if case.find("error") is not None]
        assert errors == ["shard 2 of 3"], errors
        for element in (root, root.find("testsuite")):
            assert element.get("errors") == "1", element.attrib
            assert int(element.get("tests")) == len(list(root.iter("testcase"))), element.attrib
        assert box.load("all.json")["interrupted"] == "The result of shard 2 of 3 is missing."


@test
def a_shard_that_is_there_twice_is_refused_and_nothing_is_written():
    with Project() as box:
        box.run_all(2)
        box.run_shard("2/2", "results/again.json", status=77)
        expect_sentence(box.run("report", "merge", "--report", "json=all.json", "results"), 2,
                        "are both shard 2 of 2")
        assert not os.path.exists(box.path("all.json"))


@test
def a_shard_of_another_config_is_refused_though_it_has_as_many_targets():
    with Project() as box:
        box.run_all(2)
        text = pathlib.Path(box.path("mayfly.toml")).read_text(encoding="utf-8")
        box.write("mayfly.toml", text.replace('"t11"', '"x11"'))
        index = next(index for index in (1, 2)
                     if b"x11" in box.run("test", "--shard", f"{index}/2", "--list").out)
        box.run_shard(f"{index}/2", f"results/{index}.json", status=77)
        expect_sentence(box.run("report", "merge", "results"), 2,
                        "the suites that they are shards of have different targets")


@test
def a_suite_that_does_not_start_leaves_the_reports_of_an_earlier_one():
    with Project() as box:
        box.write("result.json", "of last week")
        report = ("--report", "json=result.json")
        expect(box.run("test", *report, "--report", "json=no-such-directory/x.json"), 69)
        expect(box.run("test", *report, "-f", "no-such"), 4)
        assert pathlib.Path(box.path("result.json")).read_text(encoding="utf-8") == "of last week"


@test
def results_are_found_in_directories_among_other_files():
    with Project() as box:
        box.run_all(2)
        os.makedirs(box.path("results/a/b"))
        os.rename(box.path("results/1.json"), box.path("results/a/b/result.json"))
        box.write("results/a/notes.txt", "not JSON")
        box.write("results/a/other.json", '{"kind": "case"}')
        expect(box.run("report", "merge", "--report", "json=all.json", "results"), 0)
        box.write("results/a/cut.json", '{"kind": "suite", "ca')
        expect_sentence(box.run("report", "merge", "results"), 2, "cut.json' is not a result")


@test
def a_shard_without_targets_has_a_result_too():
    with Project(targets=1) as box:
        box.run_all(3)
        expect(box.run("report", "merge", "results"), 0)
        counts = sorted(len(box.load(f"results/{index}.json")["cases"]) for index in (1, 2, 3))
        assert counts == [0, 0, 1], counts


@test
def auto_is_what_the_ci_system_says():
    with Project() as box:
        for variables, shard in (
                ({"CI_NODE_INDEX": "2", "CI_NODE_TOTAL": "3"}, "2/3"),
                ({"JOB_COMPLETION_INDEX": "0", "MAYFLY_SHARDS": "4"}, "1/4"),
                ({"SLURM_ARRAY_TASK_ID": "5", "SLURM_ARRAY_TASK_COUNT": "3",
                  "SLURM_ARRAY_TASK_MIN": "3"}, "3/3")):
            auto = box.run("test", "--shard", "auto", "--list", env={**box.env, **variables})
            expect(auto, 0, out=box.run("test", "--shard", shard, "--list").out)
            assert auto.out
        expect_sentence(box.run("test", "--shard", "auto", "--list"), 2,
                        re.escape("Nothing says which shard this is: of MAYFLY_SHARD_INDEX"))


@test
def durations_of_an_earlier_run_balance_the_shards():
    with Project() as box:
        expect(box.run("test", "--skip-missing", "--report", "json=before.json"), 77)
        before = box.load("before.json")
        for case in before["cases"]:
            case["attempts"] = 1
            case["duration_us"] = 9000000 if case["name"] == "t7" else 1000000
        box.write("before.json", json.dumps(before))
        parts = [box.run("test", "--shard", f"{index}/2", "--durations", "before.json",
                         "--list").out.decode().split() for index in (1, 2)]
        seconds = [sum(9 if name == "t7" else 1 for name in part) for part in parts]
        assert seconds == [10, 10], parts
        assert collections.Counter(sum(parts, [])) == collections.Counter(box.names), parts


@test
def what_is_wrong_is_one_sentence():
    with Project() as box:
        box.write("none.json", "{}")
        for arguments, status, pattern in (
                (["test", "--durations", "none.json"], 2, "--durations is about shards"),
                (["test", "--shard", "1/2", "--durations", "none.json"], 2,
                 "'none.json' is not the result of a suite"),
                (["test", "--shard", "1/2", "--durations", "gone.json"], 69, "gone.json"),
                (["report", "merge"], 2, "needs the results"),
                (["report", "merge", "gone.json"], 69, "gone.json"),
                (["report", "merge", "none.json"], 2, "'none.json' is not the result of a suite"),
                (["report", "merge", "results"], 2, "There is no result to merge")):
            expect_sentence(box.run(*arguments), status, pattern)
        box.run_all(1)
        expect_sentence(box.run("report", "merge", "--report", "svg=x", "results"), 2, "'svg'")
        expect_sentence(box.run("report", "merge", "--report", "json=-", "--report", "tap=-",
                                "results"), 2, "Only one report")


class Machines(Project):
    """Targets whose machines start and end at once: of a hundred, one fails."""

    def __init__(self, targets):
        super().__init__(targets)
        qemu = os.environ.get("MAYFLY_FAKE_QEMU")
        if not qemu:
            raise Skip("MAYFLY_FAKE_QEMU does not name the QEMU of this test")
        self.env["MAYFLY_FAKE_QEMU_LOG"] = self.path("started")
        self.write("drive-0", "x" * 512)
        drives = [f"drive-{'bad-' if number % 100 == 50 else ''}{number}"
                  for number in range(targets)]
        for drive in drives[1:]:
            os.link(self.path("drive-0"), self.path(drive))
        self.write("mayfly.toml", "".join(
            f'[[target]]\nname = "{name}"\nimage = "{drive}"\nqemu_command = "{qemu}"\n'
            "success_exit_code = 33\n" for name, drive in zip(self.names, drives)))
        self.drives = drives

    def processor_time(self, *arguments, status):
        """The seconds of the processor that mayfly itself takes, without those of its children."""
        process = self.start(*arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        with open(f"/proc/{process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        assert process.wait() == status, (arguments, process.returncode)
        return sum(int(field) for field in fields[11:13]) / os.sysconf("SC_CLK_TCK")


@test
def a_thousand_targets_across_eight_shards_are_each_run_once():
    with Machines(1000) as box:
        seconds = 0
        for index in range(1, 9):
            failed = sum("bad" in box.drives[int(name[1:])] for name in box.run(
                "test", "--shard", f"{index}/8", "--list").out.decode().split())
            seconds += box.processor_time("test", "--shard", f"{index}/8", "--report",
                                          f"json=results/{index}.json", status=failed)
        with open(box.path("started"), encoding="ascii") as file:
            started = file.read().split()
        assert sorted(started) == sorted(box.drives), collections.Counter(started).most_common(3)
        result = box.run("report", "merge", "--report", "json=all.json", "results")
        expect(result, 10, out=b"1000 targets: 990 passed, 10 failed\n")
        cases = box.load("all.json")["cases"]
        assert [case["name"] for case in cases] == box.names
        failed = [case["name"] for case in cases if case["outcome"] == "fail"]
        assert failed == [f"t{number}" for number in range(50, 1000, 100)], failed
        # With its machine: a process, its sockets, its directory, QMP.
        assert seconds < 10.0, f"mayfly itself took {seconds:.2f} s for 1000 targets"
        print(f"# mayfly itself took {seconds:.2f} s for 1000 targets and their machines")


@test
def the_scheduler_costs_less_than_a_millisecond_a_target():
    """What a suite takes beyond what its machines do by themselves: each is run once more without
    one. Time of the processor, and the least of some turns, so that the host's load counts little."""
    lone = os.environ.get("MAYFLY_LONE_RUNS")
    if not lone:
        raise Skip("MAYFLY_LONE_RUNS does not name the program that runs without a suite")
    with Machines(RUNS) as box:
        mayfly, suite, alone = box.program, [], []
        bad = sum("bad" in drive for drive in box.drives)
        for _ in range(TURNS):
            box.program = mayfly
            suite.append(box.processor_time("test", "--report", "json=all.json", status=bad))
            box.program = [lone]
            alone.append(box.processor_time(os.environ["MAYFLY_FAKE_QEMU"], box.path("drive-0"),
                                            str(RUNS), status=0))
        with open(box.path("started"), encoding="ascii") as file:
            assert len(file.read().split()) == 2 * TURNS * RUNS
        cost = (min(suite) - min(alone)) / RUNS
        print(f"# the scheduler takes {1e6 * cost:.0f} us a target, its machine "
              f"{1e6 * min(alone) / RUNS:.0f} us of mayfly's time")
        assert cost < 0.001, (suite, alone)


@test
def a_target_costs_less_than_a_millisecond_beside_its_machine():
    with Project(targets=1000) as box:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        expect(box.run("test", "--skip-missing", "--report", "json=all.json"), 77)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        # Time of the processor: other work on the host does not count.
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        assert seconds < 1.0, f"1000 targets took {seconds:.2f} s"


if __name__ == "__main__":
    main()
