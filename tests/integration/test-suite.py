#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mayfly test: many targets side by side, each with its own end, and what is kept of them."""

import json
import os
import re
import shutil
import signal
import sys
import time
import xml.etree.ElementTree

from harness import Sandbox, expect, expect_sentence, kernel, main, release, test

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.append(os.path.join(SOURCE, "tests", "report"))
sys.dont_write_bytecode = True

from schema import Schema  # noqa: E402

# What targets need besides a command; the small kernel is the one that boots soonest.
SLEEP = "echo up; sleep 600"


def target(name, command, flavour="small", **keys):
    lines = [f"[[target]]", f"name = {json.dumps(name)}", f"command = {json.dumps(command)}",
             f"kernel = {json.dumps(kernel(flavour))}"]
    return "\n".join(lines + [f"{key} = {value}" for key, value in keys.items()]) + "\n"


def write(sandbox, *targets, name="mayfly.toml"):
    return sandbox.write(name, "\n".join(targets))


def run(sandbox, *options, **kwargs):
    """Runs the suite; its result, and its cases of the JSON report by their names."""
    report = os.path.join(sandbox.directory, "report.json")
    result = sandbox.run("test", "--report", "json=" + report, *options, **kwargs)
    with open(report) as file:
        document = json.load(file)
    result.document = document
    result.cases = {case["name"]: case for case in document["cases"]}
    return result


def outcomes(result):
    return {name: case["outcome"] for name, case in result.cases.items()}


@test
def targets_over_three_kernels_run_side_by_side_and_the_status_counts_the_failures():
    with Sandbox() as sandbox:
        write(sandbox,
              target("generic", "uname -r"),
              target("modular", "test $(cat /proc/sys/kernel/ostype) = Linux", "generic"),
              target("virtiofs", "exit 3", "cloud"),
              target("signal", "kill -SEGV $$"),
              target("wanted", "exit 5", expect="{status = 5}"))
        result = run(sandbox, "-j", "3")
        expect(result, 2)
        assert outcomes(result) == {"generic": "pass", "modular": "pass", "virtiofs": "fail",
                                    "signal": "fail", "wanted": "pass"}, result.cases
        assert result.cases["virtiofs"]["status"] == 3
        assert result.cases["signal"]["signal"] == 11
        assert result.document["jobs"] == 3


@test
def twenty_four_targets_over_three_kernels_use_four_jobs_well_and_all_reports_agree():
    flavours = [("small", {"init": "'script'", "no_initramfs": "true"})] * 2
    flavours += [("cloud", {})] * 4 + [("generic", {})] * 18
    with Sandbox() as sandbox:
        write(sandbox, *[target(f"number {i}", f"uname -r; exit {i % 3}", flavour, **keys)
                         for i, (flavour, keys) in enumerate(flavours)])
        files = {kind: os.path.join(sandbox.directory, kind) for kind in ("junit", "tap")}
        result = run(sandbox, "-j", "4",
                     *[f"--report={kind}={path}" for kind, path in files.items()], timeout=600)
        expect(result, 16)
        for i, (flavour, _) in enumerate(flavours):
            case = result.cases[f"number {i}"]
            assert (case["verdict"], case["status"]) == ("exited", i % 3), case
            assert case["output"]["stdout"]["tail"] == released(flavour) + "\n", case

        wall = result.document["duration_us"]
        ideal = sum(case["duration_us"] for case in result.cases.values()) / 4
        print(f"# {wall / 1e6:.1f} s, {wall / ideal:.2f} of what four jobs can do")
        assert wall <= 1.2 * ideal, f"{wall / 1e6:.1f} s instead of {ideal / 1e6:.1f} s"

        with open(os.path.join(SOURCE, "data", "mayfly-result.schema.json")) as file:
            Schema(json.load(file)).validate(result.document)
        expected = {name: word == "pass" for name, word in outcomes(result).items()}
        suite = xml.etree.ElementTree.parse(files["junit"]).getroot()
        assert {case.get("name"): case.find("failure") is None
                for case in suite.iter("testcase")} == expected
        assert sum(expected.values()) == 24 - result.status
        with open(files["tap"]) as file:
            points = re.findall(r"^(not )?ok \d+ - (.*)$", file.read(), re.M)
        assert {name: not failed for failed, name in points} == expected


def released(flavour):
    """What uname -r says in a test kernel."""
    if flavour != "small":
        return release(flavour)
    with open(kernel(flavour), "rb") as file:
        image = file.read(65536)
    offset = int.from_bytes(image[0x20e:0x210], "little") + 0x200
    return image[offset:image.index(b"\0", offset)].split()[0].decode()


@test
def a_vm_that_dies_panics_hangs_or_floods_hurts_only_its_own_target():
    with Sandbox() as sandbox:
        marked = sandbox.make("marked")
        write(sandbox,
              target("panics", "echo c > /proc/sysrq-trigger; sleep 60"),
              target("dies", "touch /mnt/mayfly/up; sleep 600", vm=f"{{mounts = {{'/data' = {{host_path = '{marked}'}}}}}}"),
              target("hangs", SLEEP, timeout="'3s'"),
              target("floods-console", "timeout 3 yes > /dev/console; echo done"),
              target("floods-stdout", "head -c 200M /dev/zero"),
              target("good", "sleep 2; echo good"))
        process = sandbox.start("test", "-j", "3", "--report",
                                "json=" + os.path.join(sandbox.directory, "report.json"))
        peak, killed = 0, False
        deadline = time.monotonic() + 180
        while process.poll() is None and time.monotonic() < deadline:
            peak = max(peak, resident(process.pid))
            if not killed and os.path.exists(os.path.join(sandbox.work, "up")):
                killed = kill_qemu(sandbox, marked)
            time.sleep(0.05)
        assert process.poll() == 3, f"status {process.poll()}: {process.stdout.read()[-2000:]!r}"
        assert killed, "the target whose QEMU was to be killed was not seen"
        with open(os.path.join(sandbox.directory, "report.json")) as file:
            cases = {case["name"]: case for case in json.load(file)["cases"]}
        found = {name: (case["outcome"], case["verdict"]) for name, case in cases.items()}
        assert found == {"panics": ("fail", "crashed"), "dies": ("error", "failed"),
                         "hangs": ("fail", "timeout"), "floods-console": ("pass", "exited"),
                         "floods-stdout": ("pass", "exited"), "good": ("pass", "exited")}, found
        assert cases["floods-stdout"]["output"]["stdout"]["bytes"] == 200 << 20
        assert cases["good"]["output"]["stdout"]["tail"] == "good\n"
        assert peak < 64 << 20, f"mayfly had {peak >> 20} MiB in memory"


def resident(pid):
    """The most memory that the process had so far, in bytes."""
    try:
        with open(f"/proc/{pid}/status") as file:
            return int(re.search(r"VmHWM:\s+(\d+)", file.read()).group(1)) * 1024
    except (OSError, AttributeError):
        return 0


def kill_qemu(sandbox, path):
    """Kills the QEMU that shares 'path'."""
    for pid, name in sandbox.processes():
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                if name.startswith("qemu") and path.encode() in file.read():
                    os.kill(pid, signal.SIGKILL)
                    return True
        except OSError:
            continue
    return False


@test
def what_is_kept_of_a_target_is_in_a_directory_of_its_own():
    with Sandbox() as sandbox:
        write(sandbox, target("two streams", "echo out; echo err >&2; echo heard > /dev/kmsg; exit 7"),
              target("plain", "cat | wc -c"))
        directory = os.path.join(sandbox.directory, "kept")
        result = run(sandbox, "--run-dir", directory)
        expect(result, 1, err=re.escape(directory))

        case = result.cases["two streams"]
        assert case["run_dir"] == os.path.join(directory, case["id"]), case["run_dir"]
        assert sorted(os.listdir(case["run_dir"])) == ["console.log", "qemu.args", "result.json",
                                                       "stderr", "stdout", "timeline.svg"]
        assert read(case, "stdout") == "out\n"
        assert read(case, "stderr") == "err\n"
        assert "heard" in read(case, "console.log")
        assert "-nodefaults" in read(case, "qemu.args")
        assert json.loads(read(case, "result.json"))["status"] == 7
        # Nobody gives a target anything to read.
        assert read(result.cases["plain"], "stdout") == "0\n"


def read(case, name):
    with open(os.path.join(case["run_dir"], name)) as file:
        return file.read()


@test
def a_target_is_tried_again_and_what_failed_is_kept_aside():
    with Sandbox() as sandbox:
        write(sandbox, target("flaky", "echo attempt; test -e /mnt/mayfly/flag && exit 0; "
                                       "touch /mnt/mayfly/flag; echo first; exit 9"))
        directory = os.path.join(sandbox.directory, "kept")
        result = run(sandbox, "--retries", "2", "--run-dir", directory)
        expect(result, 0)
        case = result.cases["flaky"]
        assert case["attempts"] == 2, case
        assert read(case, "stdout") == "attempt\n"
        assert read(case, "attempt-1/stdout") == "attempt\nfirst\n"


@test
def fail_fast_starts_no_target_after_one_that_failed():
    with Sandbox() as sandbox:
        write(sandbox, target("one", "true"), target("two", "false"), target("three", "true"))
        result = run(sandbox, "-j", "1", "--fail-fast")
        expect(result, 1)
        assert outcomes(result) == {"one": "pass", "two": "fail", "three": "not-run"}
        assert "'two'" in result.document["interrupted"]


@test
def failed_runs_what_did_not_pass_last_time():
    with Sandbox() as sandbox:
        write(sandbox, target("good", "true"),
              target("bad", "test -e /mnt/mayfly/fixed"), target("worse", "exit 2"))
        expect(run(sandbox), 2)
        open(os.path.join(sandbox.work, "fixed"), "w").close()
        result = run(sandbox, "--failed")
        expect(result, 1)
        assert outcomes(result) == {"bad": "pass", "worse": "fail"}
        assert list(run(sandbox, "--failed").cases) == ["worse"]


@test
def ctrl_c_once_ends_every_target_in_order_and_reports():
    with Sandbox() as sandbox:
        write(sandbox, target("a", SLEEP), target("b", SLEEP), target("c", "true"))
        report = os.path.join(sandbox.directory, "report.json")
        process = start_and_await(sandbox, report, [b"a | up", b"b | up"])
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        seconds = time.monotonic() - started
        assert process.returncode == 130, (process.returncode, err)
        assert seconds < 10, f"it took {seconds:.1f} s"
        assert b"interrupt" in out.lower(), out
        with open(report) as file:
            document = json.load(file)
        assert [case["outcome"] for case in document["cases"]] == ["error", "error", "not-run"]
        assert "Interrupt" in document["interrupted"]
        sandbox.assert_nothing_left()


@test
def ctrl_c_twice_kills_and_leaves_nothing():
    with Sandbox() as sandbox:
        write(sandbox, target("a", SLEEP), target("b", SLEEP, init="'script'"))
        report = os.path.join(sandbox.directory, "report.json")
        process = start_and_await(sandbox, report, [b"a | up", b"b | up"])
        # Two that cannot become one on the way.
        process.send_signal(signal.SIGSTOP)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGCONT)
        started = time.monotonic()
        _, err = process.communicate(timeout=60)
        assert process.returncode == 143, (process.returncode, err)
        assert time.monotonic() - started < 3
        assert b"Killed" in err, err
        sandbox.assert_nothing_left()


@test
def a_signal_that_comes_twice_at_once_ends_every_target_in_order():
    """As from timeout(1), which signals its child and then the group that is in."""
    with Sandbox() as sandbox:
        started = os.path.join(sandbox.work, "started")
        stubborn = os.path.join(sandbox.work, "stubborn-qemu")
        with open(stubborn, "w") as file:
            file.write("#!/usr/bin/env python3\nimport signal, time\n"
                       "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
                       f"open({started!r}, 'w').close()\ntime.sleep(600)\n")
        os.chmod(stubborn, 0o755)
        write(sandbox, target("a", "true", qemu_command=json.dumps(stubborn)))
        report = os.path.join(sandbox.directory, "report.json")
        process = sandbox.start("test", "--report", "json=" + report)
        deadline = time.monotonic() + 60
        while not os.path.exists(started):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 143, (process.returncode, err)
        assert b"Killed" not in err, err
        with open(report) as file:
            assert [case["outcome"] for case in json.load(file)["cases"]] == ["error"]


def start_and_await(sandbox, report, wanted):
    process = sandbox.start("test", "-j", "2", "--output", "live", "--report", "json=" + report)
    out = b""
    deadline = time.monotonic() + 180
    os.set_blocking(process.stdout.fileno(), False)
    while not all(text in out for text in wanted):
        out += process.stdout.read() or b""
        assert process.poll() is None and time.monotonic() < deadline, out
        time.sleep(0.02)
    os.set_blocking(process.stdout.fileno(), True)
    return process


@test
def one_target_gives_its_own_status():
    with Sandbox() as sandbox:
        write(sandbox, target("twelve", "exit 12"), target("crash", "kill -ABRT $$"))
        expect(sandbox.run("test", "-f", "^twelve$"), 12)
        expect(sandbox.run("test", "-f", "crash"), 134)


@test
def a_target_with_artifacts_is_kept_without_being_asked_for():
    with Sandbox() as sandbox:
        write(sandbox, target("maker", "echo made", artifacts="['/tmp/results/*.log']"),
              target("plain", "true"))
        result = run(sandbox, "-f", "maker")
        expect(result, 0, err="are in '")
        assert read(result.cases["maker"], "stdout") == "made\n"
        # Which files it has none of is worth knowing, and no failure.
        notes = result.cases["maker"]["notes"]
        assert len(notes) == 1 and "/tmp/results/*.log" in notes[0], notes
        assert f"Note: {notes[0]}".encode() in result.out, result.out
        assert result.cases["maker"]["accel"] in ("kvm", "tcg"), result.cases["maker"]
        shutil.rmtree(os.path.dirname(result.cases["maker"]["run_dir"]))
        result = run(sandbox, "-f", "plain")
        expect(result, 0, err="^$")
        assert result.cases["plain"]["run_dir"] is None


@test
def a_host_that_lacks_something_skips_the_target_with_the_reason():
    with Sandbox() as sandbox:
        write(sandbox, target("needs", "true", requires="{commands = ['no-such-program']}"),
              target("gone", "true").replace("small", "nowhere"))
        result = run(sandbox, "-f", "needs")
        expect(result, 0)
        assert result.cases["needs"]["outcome"] == "skip"
        assert "no-such-program" in result.cases["needs"]["reason"]
        expect(run(sandbox, "--skip-missing"), 77)
        result = run(sandbox)
        expect(result, 1)
        assert outcomes(result) == {"needs": "skip", "gone": "error"}


@test
def what_cannot_be_run_is_one_clear_sentence():
    with Sandbox() as sandbox:
        expect_sentence(sandbox.run("test"), 78, r"mayfly\.toml")
        expect_sentence(sandbox.run("test", "-c", sandbox.work), 78, "directory")
        expect_sentence(sandbox.run("test", "-c", "missing.toml"), 78, "missing.toml")
        write(sandbox, target("twice", "true"), target("twice", "false"))
        expect_sentence(sandbox.run("test"), 78, r"mayfly\.toml:7:8: .*'twice'.*mayfly\.toml:2:8")
        write(sandbox, target("one", "true"))
        expect_sentence(sandbox.run("test", "-f", "other"), 4, "matches")
        expect_sentence(sandbox.run("test", "--failed"), 4, "none has been run")
        expect_sentence(sandbox.run("test", "-f", "("), 2, r"'\('")
        expect_sentence(sandbox.run("test", "-j", "0"), 2, "jobs")
        expect_sentence(sandbox.run("test", "one"), 2, "-f")
        expect_sentence(sandbox.run("test", "--shard", "2/2"), 0, "Shard 2 of 2")
        expect_sentence(sandbox.run("test", "--run-dir", sandbox.work), 2, "other files")


@test
def as_vmtest_it_reads_vmtest_toml_and_nothing_selected_is_fine():
    with Sandbox() as sandbox:
        link = os.path.join(sandbox.directory, "vmtest")
        os.symlink(sandbox.program[0], link)
        sandbox.program = [link]
        write(sandbox, target("one", "exit 12"), name="vmtest.toml")
        write(sandbox, "nonsense")
        expect(sandbox.run(), 12)
        expect(sandbox.run("-f", "other"), 0)
        expect(sandbox.run("-c", "vmtest.toml", "true"), 2, err="exclude each other")
        expect(sandbox.run("-k", kernel("small"), "echo", "'a  b'", "$((1 + 1))"), 0, b"a  b 2\n")


if __name__ == "__main__":
    main()
