#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The scripts of the GitHub action, in a faked job: the runner's variables and files, and stand-ins
for the programs that would change the host. What is written for mayfly, the real one reads."""

import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import tomllib
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
ACTION = ROOT / "data" / "github-action"
MAYFLY = os.environ["MAYFLY"]
sys.path.insert(0, str(ROOT / "tests"))
import tap  # noqa: E402

TOOLS = ("bash", "sh", "env", "cat", "sha256sum", "cut", "id", "dirname", "python3", "find", "wc", "rm",
         "mv", "mkdir", "chmod", "sort", "xargs", "tee", "tail", "sed")
RUNNER_FILES = ("GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STEP_SUMMARY")
HOSTILE = 'echo "$HOME" \'a\' `b` \\ {{name}} {{{{ ]]> % é 漢\n\techo "::error::x"; exit 3 # \x7f\n'


class Job(unittest.TestCase):
    """A step of a job: its own PATH, with recorded calls of the programs that are stand-ins."""

    action = ACTION

    def copy_action(self):
        """Has the action with sources of its own, which need no package to be built."""
        self.action = self.place / "action" / "data" / "github-action"
        shutil.copytree(ACTION, self.action)
        deps = self.place / "action" / "tools" / "deps.sh"
        deps.parent.mkdir()
        deps.write_text(f'#!/bin/sh\necho "deps.sh $*" >>"{self.place}/calls"\n', encoding="utf-8")
        deps.chmod(0o755)

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.place = pathlib.Path(directory.name)
        for name in ("bin", "temp", "workspace"):
            (self.place / name).mkdir()
        for name in TOOLS:
            os.symlink(shutil.which(name), self.place / "bin" / name)
        self.env = {"PATH": str(self.place / "bin"), "HOME": str(self.place),
                    "RUNNER_TEMP": str(self.place / "temp"), "RUNNER_OS": "Linux", "RUNNER_ARCH": "X64",
                    "GITHUB_WORKSPACE": str(self.place / "workspace"), "GITHUB_ACTIONS": "true",
                    "MAYFLY_CACHE_DIR": str(self.place / "cache")}
        for name in RUNNER_FILES:
            self.env[name] = str(self.place / name.lower())

    def program(self, name, text=""):
        """A stand-in, which notes how it was called."""
        path = self.place / "bin" / name
        path.write_text(f'#!/bin/sh\nprintf "%s\\n" "{name} $*" >>"{self.place}/calls"\n{text}\n',
                        encoding="utf-8")
        path.chmod(0o755)

    def run_step(self, script, **inputs):
        env = {**self.env, **{"INPUT_" + name.upper(): value for name, value in inputs.items()}}
        return subprocess.run([str(self.action / script)], cwd=self.env["GITHUB_WORKSPACE"], env=env,
                              capture_output=True, text=True, timeout=60, check=False)

    def lines(self, name):
        path = self.place / name
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    def outputs(self):
        return dict(line.split("=", 1) for line in self.lines("github_output"))


class Look(Job):
    def key(self, **inputs):
        (self.place / "github_output").unlink(missing_ok=True)
        done = self.run_step("look.sh", warm_cache="true", **inputs)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return self.outputs().get("program-key")

    def test_a_program_is_kept_for_the_same_sources_and_the_same_runner(self):
        self.copy_action()
        keys = [self.key(), self.key()]
        (self.place / "action" / "main.c").write_text("int main;", encoding="utf-8")
        keys.append(self.key())
        self.env["ImageOS"] = "ubuntu26"
        keys.append(self.key())
        self.assertEqual(keys[0], keys[1])
        self.assertEqual(len(set(keys)), 3, keys)
        self.assertRegex(keys[0], r"^mayfly-program-Linux-X64-[0-9a-f]{16}$")

    def test_a_mayfly_in_the_path_is_not_kept(self):
        self.program("mayfly")
        self.assertIsNone(self.key())

    def test_what_is_yes_or_no_is_true_or_false_in_the_spellings_of_github(self):
        for value in ("true", "True", "FALSE", ""):
            self.key(uefi=value, install_only=value)
        for name in ("uefi", "install_only", "warm_cache"):
            done = self.run_step("look.sh", **{name: "yes"})
            self.assertEqual(done.returncode, 2)
            self.assertEqual(done.stderr, f"::error::The input {name.replace('_', '-')} is 'yes': "
                                          "expected true or false.\n")


class Prepare(Job):
    def setUp(self):
        super().setUp()
        self.env["KVM_DEVICE"] = str(self.place / "kvm")
        (self.place / "kvm").touch()
        for name in ("qemu-system-x86_64", "mayfly", "sudo", "apt-get"):
            self.program(name, 'echo "mayfly 1.2.3"' if name == "mayfly" else "")

    def test_what_is_there_is_neither_installed_nor_built(self):
        done = self.run_step("prepare.sh")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.lines("calls"), ["mayfly doctor", "mayfly --version"])
        self.assertEqual(self.lines("github_path"), [])
        self.assertEqual(self.outputs()["cache"], self.env["RUNNER_TEMP"] + "/mayfly-cache")

    def test_packages_that_are_missing_are_installed(self):
        (self.place / "bin" / "qemu-system-x86_64").unlink()
        self.env["OVMF_DIRECTORY"] = str(self.place / "no-ovmf")
        self.assertEqual(self.run_step("prepare.sh", uefi="true").returncode, 0)
        installed = [line for line in self.lines("calls") if " install " in line]
        self.assertEqual(len(installed), 1, self.lines("calls"))
        self.assertTrue(installed[0].endswith(" qemu-system-x86 ovmf"), installed)

    def test_a_runner_without_apt_is_told_what_to_install(self):
        (self.place / "bin" / "qemu-system-x86_64").unlink()
        (self.place / "bin" / "apt-get").unlink()
        done = self.run_step("prepare.sh")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"^::error::.*qemu-system-x86\n$")

    def test_without_mayfly_it_is_built_and_put_into_the_path_of_later_steps(self):
        (self.place / "bin" / "mayfly").unlink()
        prefix = self.env["RUNNER_TEMP"] + "/mayfly"
        for name in ("ninja", "meson"):
            self.program(name)
        with open(self.place / "bin" / "meson", "a", encoding="utf-8") as file:
            file.write(f'[ "$1" != install ] || {{ mkdir -p {prefix}/bin; printf "#!/bin/sh\\n" '
                       f'>{prefix}/bin/mayfly; chmod +x {prefix}/bin/mayfly; }}\n')
        self.copy_action()
        done = self.run_step("prepare.sh")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.lines("github_path"), [prefix + "/bin"])
        self.assertIn(f"--prefix={prefix} {self.env['RUNNER_TEMP']}/mayfly-build {self.place / 'action'}",
                      "\n".join(self.lines("calls")))
        self.assertEqual(self.outputs()["built"], "true")

    def restore_program(self, text):
        """The mayfly that the cache brought back."""
        (self.place / "bin" / "mayfly").unlink()
        program = pathlib.Path(self.env["RUNNER_TEMP"]) / "mayfly" / "bin" / "mayfly"
        program.parent.mkdir(parents=True)
        program.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        program.chmod(0o755)
        self.copy_action()

    def test_a_mayfly_from_the_cache_is_used_as_it_is(self):
        self.restore_program("echo mayfly 1.2.3")
        self.assertEqual(self.run_step("prepare.sh").returncode, 0)
        self.assertEqual(self.lines("calls"), [])
        self.assertNotIn("built", self.outputs())
        self.assertEqual(self.lines("github_path"), [self.env["RUNNER_TEMP"] + "/mayfly/bin"])

    def test_a_mayfly_from_the_cache_that_does_not_start_gets_its_libraries(self):
        self.restore_program(f'[ -e "{self.place}/calls" ]')
        self.assertEqual(self.run_step("prepare.sh").returncode, 0)
        self.assertEqual(self.lines("calls"), ["deps.sh run"])
        self.assertNotIn("built", self.outputs())

    def test_later_steps_of_the_job_have_the_same_cache(self):
        self.run_step("prepare.sh")
        self.assertEqual(self.lines("github_env"), ["MAYFLY_CACHE_DIR=" + self.outputs()["cache"]])

    def test_a_config_file_can_have_targets_for_uefi(self):
        self.env["OVMF_DIRECTORY"] = str(self.place / "no-ovmf")
        (self.place / "workspace" / "my.toml").touch()
        self.run_step("prepare.sh", config="my.toml")
        self.assertTrue([line for line in self.lines("calls") if line.endswith(" ovmf")])

    def test_a_cache_is_for_one_kernel_and_one_config_file(self):
        config = self.place / "workspace" / "mayfly.toml"
        keys = []
        for inputs in ({}, {"kernel": "ubuntu/6.8"}, {"kernel": "ubuntu/6.11"}, {"pull": "ubuntu/6.8"}):
            self.run_step("prepare.sh", **inputs)
            keys.append(self.outputs()["cache-key"])
        for text in ("a = 1\n", "a = 2\n", "a = 2\n"):
            config.write_text(text, encoding="utf-8")
            self.run_step("prepare.sh", config="mayfly.toml")
            keys.append(self.outputs()["cache-key"])
        self.assertEqual(len(set(keys)), 6, keys)
        self.assertEqual(keys[-1], keys[-2])
        for key in keys:
            self.assertRegex(key, r"^mayfly-Linux-X64-[0-9a-f]{16}$")

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("setpriv"), "only root can be somebody else")
    def test_the_device_of_kvm_is_opened_for_everybody(self):
        kvm = self.place / "kvm"
        kvm.chmod(0o600)
        self.program("sudo", 'exec "$@"')
        script = shutil.copy(ACTION / "prepare.sh", self.place)
        shutil.copy(ACTION / "common.sh", self.place)
        for path in (self.place, *self.place.glob("*")):
            if path != kvm:
                shutil.chown(path, "nobody", "nogroup")
        done = subprocess.run([shutil.which("setpriv"), "--reuid=nobody", "--regid=nogroup",
                               "--clear-groups", script], env=self.env, cwd=self.place,
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"sudo chmod 0666 {kvm}", self.lines("calls"))
        # This sudo makes nobody root, so that it stays closed: that is told, and is no failure.
        self.assertRegex(done.stdout, "::warning::.*cannot be opened")

    def test_a_runner_without_kvm_is_told_and_goes_on(self):
        (self.place / "kvm").unlink()
        done = self.run_step("prepare.sh")
        self.assertEqual(done.returncode, 0)
        self.assertIn("::notice::There is no ", done.stdout)


class Run(Job):
    def setUp(self):
        super().setUp()
        self.stand_in(0)

    def stand_in(self, status, words="", pull="echo $4-full"):
        """For 'mayfly test', which leaves a result unless it is to complain in 'words', and for
        'mayfly kernel'. The catalog has the kernel 'mine'."""
        result = self.env["RUNNER_TEMP"] + "/mayfly-result.json"
        complain = f'printf "%s" {shlex.quote(words)} >&2' if words else f'echo "{{}}" >"{result}"'
        self.program("mayfly", f'printf "%s\\n" "$@" >"{self.place}/arguments"\n'
                     f'case "$1 $2" in\n"kernel pull") {pull}; exit ;;\n'
                     f'"kernel info") [ "$3" = mine ]; exit ;;\nesac\n{complain}\n'
                     f'[ ! -e .mayfly-action.toml ] || cat .mayfly-action.toml >"{self.place}/config"\n'
                     f'echo "kernel" >"$MAYFLY_CACHE_DIR/new"; mkdir -p "$MAYFLY_CACHE_DIR/warm/1"\n'
                     f'exit {status}')

    def config(self):
        return tomllib.loads((self.place / "config").read_text(encoding="utf-8"))["target"][0]

    def run_target(self, **inputs):
        done = self.run_step("run.sh", **inputs)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return self.config()

    def test_a_kernel_and_a_command_become_a_target(self):
        (self.place / "workspace" / "bzImage").touch()
        target = self.run_target(kernel="bzImage", kernel_args="a=b c", command="./test.sh", name="t")
        self.assertEqual(target, {"name": "t", "kernel": f"{self.env['GITHUB_WORKSPACE']}/bzImage",
                                  "kernel_args": "a=b c", "vm": {"memory": "4G"},
                                  "command": "./test.sh"})
        temp = self.env["RUNNER_TEMP"]
        self.assertEqual(self.lines("calls"), [
            f"mayfly test --config {self.env['GITHUB_WORKSPACE']}/.mayfly-action.toml "
            f"--run-dir {temp}/mayfly-run --report json={temp}/mayfly-result.json"])
        self.assertFalse((self.place / "workspace" / ".mayfly-action.toml").exists())

    def test_an_image_is_booted_by_uefi_when_asked(self):
        target = self.run_target(image="disk.qcow2", uefi="true", command="x")
        self.assertEqual((target["image"], target["uefi"]),
                         (f"{self.env['GITHUB_WORKSPACE']}/disk.qcow2", True))
        self.assertNotIn("kernel", target)

    def test_a_kernel_is_booted_by_uefi_when_asked(self):
        target = self.run_target(kernel="mine", uefi="True", command="x")
        self.assertEqual((target["kernel"], target["uefi"]), ("mine", True))

    def test_a_kernel_that_is_no_file_is_pulled(self):
        self.assertEqual(self.run_target(kernel="ubuntu/6.8", command="x")["kernel"], "ubuntu/6.8-full")

    def test_a_kernel_that_the_catalog_has_is_not_pulled(self):
        self.assertEqual(self.run_target(kernel="mine", command="x")["kernel"], "mine")
        self.assertFalse([line for line in self.lines("calls") if " pull " in line])

    def test_a_pull_that_fails_is_the_status_and_nothing_runs(self):
        self.stand_in(0, pull="echo 'mayfly: 100% of it is gone.' >&2; exit 69")
        done = self.run_step("run.sh", kernel="ubuntu/none", command="x")
        self.assertEqual(done.returncode, 69)
        self.assertIn("::error title=mayfly::mayfly: 100%25 of it is gone.\n", done.stderr)
        self.assertIn("    mayfly: 100% of it is gone.", self.lines("github_step_summary"))
        self.assertFalse([line for line in self.lines("calls") if line.startswith("mayfly test")])
        self.assertEqual(self.outputs(), {"status": "69"})

    def test_a_complaint_without_a_result_is_an_error_and_in_the_summary(self):
        for status, words in ((78, "a.toml:3: Key\nis bad."), (4, "None of the 3 targets.")):
            (self.place / "github_step_summary").unlink(missing_ok=True)
            self.stand_in(status, words)
            done = self.run_step("run.sh", config="a.toml")
            self.assertEqual((done.returncode, done.stderr), (status, words))
            self.assertIn("::error title=mayfly::" + words.replace("\n", "%0A") + "\n", done.stdout)
            self.assertEqual(self.lines("github_step_summary"),
                             ["### mayfly", "", *("    " + line for line in words.split("\n"))])

    def test_what_mayfly_has_told_of_its_targets_is_not_told_again(self):
        self.stand_in(3)
        done = self.run_step("run.sh", config="a.toml")
        self.assertEqual((done.returncode, done.stdout, self.lines("github_step_summary")), (3, "", []))

    def test_a_config_file_and_a_target_s_input_are_one_error(self):
        for name, value in (("name", "x"), ("image", "i"), ("image_url", "u"), ("kernel", "k"),
                            ("kernel_url", "u"), ("kernel_args", "a"), ("command", "c"),
                            ("uefi", "true")):
            done = self.run_step("run.sh", config="my.toml", **{name: value})
            self.assertEqual(done.returncode, 2, name)
            self.assertEqual(done.stderr, f"::error::The input {name} is for a target without a "
                                          "config file: give it or config, not both.\n")
        self.assertEqual(self.lines("calls"), [])

    def test_what_is_behind_an_url_is_downloaded_first(self):
        self.program("curl", 'while [ "$1" != --output ]; do shift; done; echo data >"$2"')
        target = self.run_target(image_url="https://example.org/i.img", command="x")
        self.assertEqual(pathlib.Path(target["image"]).read_text(encoding="utf-8"), "data\n")

    def test_a_download_that_fails_is_an_error_and_nothing_runs(self):
        self.program("curl", "exit 22")
        done = self.run_step("run.sh", kernel_url="https://example.org/k", command="x")
        self.assertEqual(done.returncode, 2)
        self.assertIn("::error::'https://example.org/k' cannot be downloaded.", done.stderr)
        self.assertFalse([line for line in self.lines("calls") if line.startswith("mayfly")])

    def test_a_command_reaches_mayfly_byte_for_byte(self):
        self.run_target(kernel="ubuntu", kernel_args="x={{y}}", command=HOSTILE, name="a \"b\" {{c}}")
        config = self.place / "workspace" / "mayfly.toml"
        config.write_text((self.place / "config").read_text(encoding="utf-8"), encoding="utf-8")
        shown = subprocess.run([MAYFLY, "config", "--json", "--config", str(config)], check=True,
                               capture_output=True, timeout=60, env={**os.environ, **self.env})
        target = json.loads(shown.stdout)[0]
        self.assertEqual((target["command"], target["kernel_args"], target["name"]),
                         (HOSTILE, "x={{y}}", "a \"b\" {{c}}"))

    def test_a_config_file_is_run_with_what_chooses_its_targets(self):
        done = self.run_step("run.sh", config="my.toml", filter="^net", profile="ci", shard="auto",
                             report="  junit=a b.xml  \n\ntap=c\r\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(self.lines("calls")[0].startswith("mayfly test --config my.toml "))
        self.assertEqual(self.lines("arguments")[-10:], [
            "--filter", "^net", "--profile", "ci", "--shard", "auto", "--report", "junit=a b.xml",
            "--report", "tap=c"])

    def test_the_status_is_that_of_mayfly_and_the_outputs_are_there_all_the_same(self):
        self.stand_in(3)
        done = self.run_step("run.sh", config="my.toml")
        self.assertEqual(done.returncode, 3)
        temp = self.env["RUNNER_TEMP"]
        self.assertEqual(self.outputs(), {"status": "3", "result": temp + "/mayfly-result.json",
                                          "run-dir": temp + "/mayfly-run", "cache-changed": "true"})

    def test_saved_machines_are_not_kept_and_an_unchanged_cache_is_not_saved_again(self):
        self.run_step("run.sh", config="my.toml")
        self.assertFalse((self.place / "cache" / "warm").exists())
        (self.place / "github_output").unlink()
        self.run_step("run.sh", config="my.toml")
        self.assertEqual(self.outputs()["cache-changed"], "false")

    def test_inputs_that_do_not_go_together_are_one_error(self):
        for inputs, message in (({}, "Give one of image"), ({"kernel": "a"}, "Give the command"),
                                ({"kernel": "a", "image": "b", "command": "x"}, "Give one of image"),
                                ({"image": "a", "image_url": "b", "command": "x"}, "Give one of")):
            done = self.run_step("run.sh", **inputs)
            self.assertEqual(done.returncode, 2, inputs)
            self.assertRegex(done.stderr, rf"^::error::{message}[^\n]*\.\n$")
        self.assertEqual(self.lines("calls"), [])


class Pull(Job):
    def test_each_kernel_is_pulled_and_the_cache_has_changed(self):
        self.program("mayfly", 'echo data >"$MAYFLY_CACHE_DIR/${4##*/}"')
        done = self.run_step("pull.sh", pull="ubuntu/6.8\n\n  oci://r/k:6.6\n")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.lines("calls"), ["mayfly kernel pull -- ubuntu/6.8",
                                               "mayfly kernel pull -- oci://r/k:6.6"])
        self.assertEqual(self.outputs(), {"cache-changed": "true"})
        (self.place / "github_output").unlink()
        self.run_step("pull.sh", pull="ubuntu/6.8")
        self.assertEqual(self.outputs(), {"cache-changed": "false"})

    def test_the_first_that_fails_is_the_last(self):
        self.program("mayfly", "echo 'mayfly: no.' >&2; exit 2")
        done = self.run_step("pull.sh", pull="a\nb")
        self.assertEqual(done.returncode, 2)
        self.assertIn("::error title=mayfly::mayfly: no.\n", done.stderr)
        self.assertEqual(self.lines("calls"), ["mayfly kernel pull -- a"])


class Metadata(unittest.TestCase):
    def setUp(self):
        self.text = (ACTION / "action.yml").read_text(encoding="utf-8")

    def test_the_action_at_the_root_is_this_one(self):
        root = (ROOT / "action.yml").read_text(encoding="utf-8")
        self.assertEqual(root, self.text.replace("${{ github.action_path }}/",
                                                 "${{ github.action_path }}/data/github-action/"))

    def test_every_input_is_used_and_every_variable_of_the_scripts_is_an_input(self):
        inputs = set(re.findall(r"^  ([\w-]+):$", self.text.split("inputs:")[1].split("outputs:")[0], re.M))
        scripts = "".join(path.read_text(encoding="utf-8") for path in ACTION.glob("*.sh"))
        self.assertGreater(len(inputs), 12)
        for name in inputs:
            self.assertIn("inputs." + name, self.text)
        for name in set(re.findall(r"\bINPUT_([A-Z_]+[A-Z])\b", scripts)):
            self.assertIn(f"INPUT_{name}: ${{{{ inputs.{name.lower()} }}}}", self.text)

    def test_jobs_of_a_matrix_do_not_share_an_artifact(self):
        default = re.search(r"^  artifact:.*?^    default: (.*?)$", self.text, re.M | re.S).group(1)
        self.assertEqual(default, "mayfly-${{ github.job }}-${{ strategy.job-index }}")

    def test_no_kernel_is_suggested_that_apt_of_the_runner_does_not_have(self):
        self.assertNotIn("debian/", self.text)

    def test_no_input_is_a_part_of_a_script(self):
        for line in self.text.splitlines():
            if re.match(r"\s*(- )?run:", line):
                self.assertNotIn("inputs.", line)

    def test_the_scripts_can_be_started(self):
        names = re.findall(r"github\.action_path \}\}/([\w.]+)", self.text)
        self.assertEqual(len(names), 4)
        for name in names:
            self.assertTrue(os.access(ACTION / name, os.X_OK), name)


if __name__ == "__main__":
    tap.main()
