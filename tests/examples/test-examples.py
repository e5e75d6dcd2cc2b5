#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The examples of data/examples: they can be read, and their scripts are run with stand-ins."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "data" / "examples"
sys.path.insert(0, str(ROOT / "tests"))
import tap  # noqa: E402

try:
    import yaml
except ImportError:
    yaml = None


class Stage(unittest.TestCase):
    """A directory with programs of its own in front of PATH."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.place = pathlib.Path(directory.name)
        (self.place / "bin").mkdir()
        self.work = self.place / "work"
        self.work.mkdir()

    def program(self, name, text):
        path = self.place / "bin" / name
        path.write_text("#!/bin/sh\n" + text, encoding="utf-8")
        path.chmod(0o755)

    def run_script(self, *command, **variables):
        env = {"PATH": f"{self.place / 'bin'}:{os.environ['PATH']}", "HOME": str(self.place),
               "RUNNER_TEMP": str(self.place), **variables}
        return subprocess.run(command, cwd=self.work, env=env, capture_output=True, text=True,
                              timeout=60, check=False)

    def calls(self):
        """What 'mayfly' was called with, by the stand-in below."""
        path = self.place / "calls"
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    def record(self, status=0, then=""):
        self.program("mayfly", f'echo "$*" >>"{self.place}/calls"\n{then}\nexit {status}\n')


class Slurm(Stage):
    def test_a_task_runs_its_shard_and_leaves_its_result_and_status(self):
        self.record(3)
        done = self.run_script(str(EXAMPLES / "slurm" / "array.sh"), SLURM_ARRAY_JOB_ID="7",
                               SLURM_ARRAY_TASK_ID="2")
        self.assertEqual((done.returncode, done.stderr), (3, ""))
        self.assertEqual(self.calls(), ["test --shard auto --report json=results/7/shard-2.json"])
        self.assertTrue((self.work / "results" / "7").is_dir())

    def test_a_task_that_is_killed_leaves_no_result_of_an_earlier_one(self):
        self.record(137)
        stale = self.work / "r" / "shard-1.json"
        stale.parent.mkdir()
        stale.write_text("of last week", encoding="utf-8")
        done = self.run_script(str(EXAMPLES / "slurm" / "array.sh"), SLURM_ARRAY_TASK_ID="1", RESULTS="r")
        self.assertEqual((done.returncode, stale.exists()), (137, False))

    def test_durations_of_an_earlier_run_are_used_where_they_are(self):
        self.record()
        (self.work / "before.json").write_text("{}", encoding="utf-8")
        self.run_script(str(EXAMPLES / "slurm" / "array.sh"), SLURM_ARRAY_TASK_ID="1", RESULTS="r")
        self.assertEqual(self.calls(), ["test --shard auto --report json=r/shard-1.json "
                                        "--durations before.json"])


@unittest.skipUnless(yaml, "there is no module yaml on this host")
class Kubernetes(Stage):
    def setUp(self):
        super().setUp()
        text = (EXAMPLES / "kubernetes" / "job.yaml").read_text(encoding="utf-8")
        self.text = text
        self.objects = {entry["kind"]: entry for entry in yaml.safe_load_all(
            text.replace("=/results/", f"={self.place}/results/"))}
        self.job = self.objects["Job"]
        (self.place / "results").mkdir()

    def run_pod(self, status, result=True):
        container = self.job["spec"]["template"]["spec"]["containers"][0]
        report = f"{self.place}/results/shard-3.json"
        then = f'if [ "$1" = doctor ]; then exit 0; fi\n{f"echo x >{report}" if result else ""}'
        self.record(status, then)
        return self.run_script(*container["command"], *container["args"], JOB_COMPLETION_INDEX="3")

    def test_every_pod_knows_how_many_there_are(self):
        spec = self.job["spec"]
        container = spec["template"]["spec"]["containers"][0]
        variables = {entry["name"]: entry["value"] for entry in container["env"]}
        self.assertEqual(spec["completionMode"], "Indexed")
        self.assertEqual(variables["MAYFLY_SHARDS"], str(spec["completions"]))

    def test_results_are_on_a_volume_of_the_manifest_that_can_be_copied_from(self):
        claim, reader = self.objects["PersistentVolumeClaim"], self.objects["Pod"]
        self.assertEqual(claim["spec"]["accessModes"], ["ReadWriteMany"])
        for spec in (reader["spec"], self.job["spec"]["template"]["spec"]):
            claims = [volume["persistentVolumeClaim"]["claimName"] for volume in spec["volumes"]
                      if "persistentVolumeClaim" in volume]
            self.assertEqual(claims, [claim["metadata"]["name"]])
        mount = reader["spec"]["containers"][0]["volumeMounts"][0]["mountPath"]
        self.assertIn(f"#     kubectl cp {reader['metadata']['name']}:{mount} results\n", self.text)

    def test_a_pod_whose_targets_fail_is_complete_for_that_is_a_result(self):
        done = self.run_pod(5)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.calls()[1],
                         f"test --shard auto --report json={self.place}/results/shard-3.json")

    def test_a_pod_without_a_result_or_that_was_ended_has_failed(self):
        self.assertNotEqual(self.run_pod(0, result=False).returncode, 0)
        self.assertNotEqual(self.run_pod(143).returncode, 0)

    def test_a_pod_that_is_killed_leaves_no_result_of_an_earlier_job(self):
        stale = self.place / "results" / "shard-3.json"
        stale.write_text("of last week", encoding="utf-8")
        self.assertNotEqual(self.run_pod(0, result=False).returncode, 0)
        self.assertFalse(stale.exists())

    def test_a_host_on_which_nothing_can_run_fails_the_pod_at_once(self):
        container = self.job["spec"]["template"]["spec"]["containers"][0]
        self.record(1)
        self.assertEqual(self.run_script(*container["command"], *container["args"]).returncode, 1)
        self.assertEqual(self.calls(), ["doctor"])


@unittest.skipUnless(yaml, "there is no module yaml on this host")
class Workflows(Stage):
    def load(self, name):
        return yaml.safe_load((EXAMPLES / name).read_text(encoding="utf-8"))

    def test_every_script_of_every_workflow_is_one_for_the_shell(self):
        scripts = [step["run"] for path in sorted((EXAMPLES / "github").glob("*.yml"))
                   for job in self.load(path)["jobs"].values()
                   for step in job["steps"] if "run" in step]
        gitlab = self.load("gitlab/mayfly.gitlab-ci.yml")
        scripts += [line for name in ("kernels", "report") for line in gitlab[name]["script"]]
        self.assertGreater(len(scripts), 7)
        for script in scripts:
            done = subprocess.run(["bash", "-n", "-c", script], capture_output=True, text=True,
                                  timeout=60, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""), script)
            # What somebody outside can choose is never a part of a script.
            self.assertNotIn("${{ inputs", script)
            self.assertNotIn("${{ matrix.filter", script)

    def test_what_is_given_to_the_action_are_inputs_of_it(self):
        action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
        given = [key for path in (EXAMPLES / "github").glob("*.yml")
                 for job in self.load(path)["jobs"].values() for step in job["steps"]
                 if "/mayfly@" in step.get("uses", "") for key in step["with"]]
        self.assertGreater(len(given), 4)
        self.assertLessEqual(set(given), set(action["inputs"]))

    def test_the_actions_owner_is_to_be_filled_in_and_told_so(self):
        version = re.search(r"version: '([^']*)'", (ROOT / "meson.build").read_text()).group(1)
        texts = [path.read_text(encoding="utf-8") for path in (EXAMPLES / "github").glob("*.yml")]
        texts.append((ROOT / "README.md").read_text(encoding="utf-8"))
        for text in texts:
            self.assertEqual(set(re.findall(r"uses: (\S*/mayfly@\S*)", text)),
                             {f"OWNER/mayfly@v{version}"})
            self.assertRegex(text, r"OWNER (is|put) the account")
            self.assertIn("./", text)

    def uses_of_the_action(self):
        return [step["with"] for path in (EXAMPLES / "github").glob("*.yml")
                for job in self.load(path)["jobs"].values() for step in job["steps"]
                if "/mayfly@" in step.get("uses", "")]

    def test_targets_of_a_config_file_have_their_kernels_pulled_cached_and_their_logs_uploaded(self):
        """The action does all of it where it is given the file; a bare 'mayfly test' does nothing."""
        with_config = [use for use in self.uses_of_the_action() if "config" in use]
        self.assertEqual(len(with_config), 3)
        for use in with_config:
            self.assertEqual(use["pull"], "${{ env.KERNELS }}")
        for name in ("matrix", "shards"):
            workflow = self.load(f"github/{name}.yml")
            self.assertEqual(workflow["env"]["KERNELS"], "ubuntu", "what apt of the runner has")
            for job in workflow["jobs"].values():
                for step in job["steps"]:
                    self.assertNotRegex(step.get("run", ""), "mayfly test (?!--list)")

    def test_the_report_of_shards_is_made_of_what_the_action_uploads(self):
        jobs = self.load("github/shards.yml")["jobs"]
        steps = jobs["report"]["steps"]
        pattern = next(step["with"]["pattern"] for step in steps
                       if "download-artifact" in step.get("uses", ""))
        self.assertEqual(pattern, "mayfly-test-*", "job 'test' of the action's default")
        for shard in ("0", "1"):
            place = self.work / "results" / f"mayfly-test-{shard}"
            (place / "mayfly-run" / "t" / "artifacts").mkdir(parents=True)
            (place / "mayfly-result.json").touch()
            # What a guest wrote is no result, whatever it is called.
            (place / "mayfly-run" / "t" / "artifacts" / "cut.json").write_text("{", encoding="utf-8")
        self.record()
        self.run_script("bash", "-e", "-c", next(step["run"] for step in steps if "run" in step))
        self.assertEqual(self.calls(), ["report merge --report junit=all.xml --report json=all.json "
                                        "results/mayfly-test-0/mayfly-result.json "
                                        "results/mayfly-test-1/mayfly-result.json"])

    def test_every_shard_of_github_is_told_which_it_is(self):
        job = self.load("github/shards.yml")["jobs"]["test"]
        self.assertEqual(job["env"], {"MAYFLY_SHARD_INDEX": "${{ strategy.job-index }}",
                                      "MAYFLY_SHARDS": "${{ strategy.job-total }}"})

    @unittest.skipUnless(shutil.which("git"), "there is no git on this host")
    def test_a_bisection_finds_the_commit_and_skips_what_does_not_build(self):
        steps = self.load("github/bisect.yml")["jobs"]["bisect"]["steps"]
        script = next(step["run"] for step in steps if step.get("name") == "Bisect")
        self.program("make", 'test "$(cat state)" != unbuildable\n')
        self.program("mayfly", '[ "$1" != kernel ] || exit 0\ntest "$(cat state)" = good\n')
        identity = {f"GIT_{who}_{what}": "a@b.c" for who in ("AUTHOR", "COMMITTER")
                    for what in ("NAME", "EMAIL")}
        self.run_script("git", "init", "-q")
        for number, state in enumerate(("good", "good", "unbuildable", "good", "bad", "bad")):
            (self.work / "state").write_text(state, encoding="utf-8")
            (self.work / "number").write_text(str(number), encoding="utf-8")
            self.run_script("git", "add", "-A")
            self.run_script("git", "commit", "-qm", f"commit {number}", **identity)
        done = self.run_script("bash", "-e", "-c", script, GOOD="HEAD~5", BAD="HEAD", COMMAND="x",
                               GITHUB_STEP_SUMMARY=str(self.place / "summary"), **identity)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex((self.place / "summary").read_text(encoding="utf-8"),
                         r"# first bad commit: \[\w+\] commit 4")


class Payloads(Stage):
    """What the programs of data/examples/payloads write becomes metrics. What they once wrote is in
    the directory 'recorded', but for schbench, which Debian does not have: its is written by
    hand, in the form of its second and of its first version."""

    RECORDED = pathlib.Path(__file__).resolve().parent / "recorded"

    def target(self, name):
        text = (EXAMPLES / "payloads" / f"{name}.toml").read_text(encoding="utf-8")
        return tomllib.loads(text)["target"][0]

    def metrics(self, name, program, status=0, recorded=None):
        """The JSON of the example's last payload, whose program writes what it once wrote."""
        shutil.copy(self.RECORDED / f"{recorded or program}.txt", self.place / "output")
        self.program(program, f"cat {self.place}/output\nexit {status}\n")
        done = self.run_script("bash", "-c", self.target(name)["payload"][-1]["command"])
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertEqual(done.stderr, (self.place / "output").read_text(encoding="utf-8"))
        return json.loads(done.stdout)

    def test_mayfly_reads_every_example(self):
        paths = sorted((EXAMPLES / "payloads").glob("*.toml"))
        self.assertEqual([path.stem for path in paths], ["fio", "hackbench", "perf-stat", "schbench",
                                                         "stress-ng", "sysbench"])
        for path in paths:
            done = subprocess.run([os.environ["MAYFLY"], "test", "--config", path, "--list"],
                                  capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertEqual(done.stdout.split()[0], path.stem.split("-stat")[0])

    def test_every_metric_that_is_asked_for_is_one_of_the_program_s(self):
        for name, program in (("stress-ng", "stress-ng"), ("sysbench", "sysbench"),
                              ("hackbench", "hackbench"), ("perf-stat", "perf"),
                              ("schbench", "schbench")):
            payload = self.target(name)["payload"][-1]
            found = self.metrics(name, program)
            for wanted in [*payload["metric"], *payload["check"]]:
                value = found
                for part in wanted.get("name", wanted.get("metric")).split("."):
                    value = value[part]
                self.assertIsInstance(value, (int, float), wanted)

    def test_the_yaml_of_stress_ng_has_a_group_for_each_stressor(self):
        found = self.metrics("stress-ng", "stress-ng")
        self.assertEqual(sorted(found), ["cpu", "switch"])
        self.assertEqual(found["switch"]["bogo-ops"], 22849)
        self.assertEqual(found["cpu"]["bogo-ops-per-second-real-time"], 189.454849)

    def test_what_perf_cannot_count_is_left_out(self):
        self.assertEqual(self.metrics("perf-stat", "perf"), {
            "task-clock": 0.795084, "context-switches": 1, "cpu-migrations": 0, "page-faults": 50})

    def test_the_percentiles_of_schbench_are_named_by_their_group(self):
        found = self.metrics("schbench", "schbench")
        self.assertEqual(found["wakeup"], {"p50": 9, "p90": 13, "p99": 24, "p99_9": 73})
        self.assertEqual(found["request"]["p99"], 3740)
        self.assertEqual(found["rps"]["p50"], 320)

    def test_the_percentiles_of_schbench_s_first_version_have_the_same_names(self):
        found = self.metrics("schbench", "schbench", recorded="schbench-1")
        self.assertEqual(found, {"wakeup": {"p50": 22, "p75": 29, "p90": 34, "p95": 37, "p99": 1090,
                                            "p99_5": 6232, "p99_9": 9744}})

    def test_a_program_that_fails_is_not_hidden_by_what_reads_it(self):
        self.metrics("sysbench", "sysbench", status=3)


if __name__ == "__main__":
    tap.main()
