#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mayfly config: what is printed, and one clear sentence for what is wrong. No VM is started."""

import json
import os
import re

from harness import Sandbox, expect, expect_sentence, main, test

CONFIG = """\
[variables]
dir = "{{config_dir}}/boot"

[matrix]
kernel = ["{{dir}}/vmlinuz-*"]

[[target]]
name = "net"
command = "echo {{name}} {{{{x}}"

[[target]]
name = "fs"
command = "true"
matrix.kernel = []
kernel = "mine"

[profile.ci]
timeout = "1m"
"""


class Project(Sandbox):
    """A sandbox whose working directory is below that of a config file, in a repository."""

    def __init__(self, config=CONFIG, name="mayfly.toml"):
        super().__init__()
        self.env["MAYFLY_CACHE_DIR"] = self.make("cache")
        self.repository = self.work
        os.mkdir(os.path.join(self.repository, ".git"))
        os.mkdir(os.path.join(self.repository, "boot"))
        for release in ("6.10", "6.9"):
            self.write(f"boot/vmlinuz-{release}", "")
        self.write(name, config)
        self.work = os.path.join(self.repository, "deep", "down")
        os.makedirs(self.work)

    def targets(self, *arguments):
        """The targets that 'mayfly config --json' prints, by name."""
        result = self.run("config", "--json", *arguments)
        expect(result, 0)
        assert result.err == b"", repr(result)
        return {target["name"]: target for target in json.loads(result.out)}


@test
def targets_are_printed_with_matrix_and_variables_replaced():
    with Project() as box:
        targets = box.targets()
        kernels = [f"{box.repository}/boot/vmlinuz-{release}" for release in ("6.9", "6.10")]
        names = [f"net [kernel={kernel}]" for kernel in kernels]
        assert list(targets) == [*names, "fs"], list(targets)
        assert targets[names[0]]["command"] == f"echo {names[0]} {{{{x}}}}", targets
        assert targets[names[1]]["kernel"] == kernels[1], targets
        assert targets["fs"]["boot_timeout"] == "2m", targets


@test
def option_wins_over_environment_over_profile_over_file_over_default():
    with Project() as box:
        seen = [box.targets("fs")["fs"]["timeout"],
                box.targets("--profile", "ci", "fs")["fs"]["timeout"]]
        box.env["MAYFLY_TIMEOUT"] = "2m"
        seen += [box.targets("--profile", "ci", "fs")["fs"]["timeout"],
                 box.targets("--profile=ci", "--set", "timeout=3m", "fs")["fs"]["timeout"]]
        assert seen == ["0", "1m", "2m", "3m"], seen


@test
def sources_say_where_each_value_comes_from():
    with Project() as box:
        box.env["MAYFLY_VM_MEMORY"] = "2G"
        result = box.run("config", "--sources", "--profile", "ci", "--set", "retries=2", "fs")
        expect(result, 0)
        rows = [line.replace(box.repository + "/", "").split()
                for line in result.out.decode().splitlines()]
        for row in (["fs", "mayfly.toml:12:8"],
                    ["kernel", '"mine"', "mayfly.toml:15:10"],
                    ["timeout", '"1m"', "mayfly.toml:18:11", "(profile)"],
                    ["vm.memory", '"2G"', "MAYFLY_VM_MEMORY"],
                    ["retries", "2", "--set"],
                    ["vm.num_cpus", "2", "default"]):
            assert row in rows, f"no {row} in {rows}"
        full = box.run("config", "--sources", "--json", "fs")
        keys = json.loads(full.out)[0]["keys"]
        assert keys["vm.memory"] == {"value": "2G", "layer": "environment",
                                     "source": "MAYFLY_VM_MEMORY"}, keys


@test
def what_is_wrong_is_one_sentence_that_names_where():
    cases = (
        ({}, ["config", "--set", "vm.memory=much"], 78, "mayfly: --set: "),
        ({}, ["config", "--set", "vm.memory"], 78, "mayfly: --set: 'vm.memory' is not KEY=VALUE"),
        ({}, ["config", "--profile", "cj"], 78, "has no profile 'cj'; did you mean 'ci'?"),
        ({"MAYFLY_VM_NUM_CPUS": "0"}, ["config"], 78, "mayfly: MAYFLY_VM_NUM_CPUS: "),
        ({}, ["config", "--config", ".."], 78, "is a directory"),
        ({}, ["config", "--config", "none.toml"], 78, "none.toml"),
        ({}, ["config", "fss"], 2, "There is no target 'fss': did you mean 'fs'?"),
        ({}, ["config", "a", "b"], 2, "takes one target"),
        ({}, ["config", "--no-such"], 2, "--no-such"),
    )
    with Project() as box:
        for variables, arguments, status, message in cases:
            result = box.run(*arguments, env={**box.env, **variables})
            expect_sentence(result, status, re.escape(message))


@test
def a_file_that_is_wrong_is_one_sentence_with_line_and_column():
    target = '[[target]]\nname = "a"\nkernel = "k"\ncommand = "x"\n'
    cases = (
        (target + 'user = "{{usr}}"\n', "mayfly.toml:5:8: The variable 'usr' is not known"),
        (target + target, "mayfly.toml:6:8: The target 'a' is listed twice"),
        (target + "matrix.kernel = 5\n", "mayfly.toml:5:17: The matrix needs an array"),
        (target + "matrix.kernel = ['no*']\n", "mayfly.toml:5:18: The kernel pattern 'no*'"),
        ("", "There is no target in"),
    )
    for text, message in cases:
        with Project(text) as box:
            expect_sentence(box.run("config"), 78, re.escape(message))


@test
def a_variable_that_is_no_key_is_no_error_and_told_of_when_asked():
    with Project() as box:
        box.env["MAYFLY_VM_MEMROY"] = "2G"
        box.env["MAYFLY_TIMEOUT"] = ""
        assert box.targets("fs")["fs"]["timeout"] == "0"
        expect(box.run("config", "-v", "fs"), 0,
               err="MAYFLY_VM_MEMROY is ignored: .*MAYFLY_VM_MEMORY")


@test
def a_value_may_stick_to_its_letter():
    with Project() as box:
        os.rename(os.path.join(box.repository, "mayfly.toml"),
                  os.path.join(box.repository, "other.toml"))
        assert box.targets("-c../../other.toml", "-pci", "fs")["fs"]["timeout"] == "1m"


@test
def options_about_every_verb_may_come_ahead_of_it():
    with Project() as box:
        box.env["MAYFLY_VM_MEMROY"] = "2G"
        for words in (("-v", "config"), ("-vv", "config"), ("--verbose", "config")):
            expect(box.run(*words, "fs"), 0, err="MAYFLY_VM_MEMROY is ignored: .*MAYFLY_VM_MEMORY")


@test
def help_is_had_for_every_verb_and_its_own_verbs():
    with Project() as box:
        for verb in ("run", "test", "config", "kernel", "warm"):
            usage = box.run(verb, "--help")
            expect(usage, 0)
            assert f"mayfly {verb}".encode() in b"".join(usage.out.splitlines()[:2]), usage
            assert box.run("help", verb).out == usage.out
        for words in (("warm", "list"), ("warm", "build"), ("warm", "key"), ("warm", "prune"),
                      ("kernel", "pull")):
            usage = box.run(*words, "--help")
            expect(usage, 0)
            named = " ".join(("mayfly", *words))
            assert named.encode() in b"".join(usage.out.splitlines()[:2]), usage
            assert box.run("help", *words).out == usage.out
        expect_sentence(box.run("help", "tset"), 2,
                        r"'tset' is not a verb \(did you mean 'test'\?\)")
        expect_sentence(box.run("warm", "build", "--colt"), 2,
                        r"did you mean --cold\? \('mayfly warm build --help'")


@test
def a_mistake_in_a_profile_that_is_not_asked_for_is_told():
    with Project(CONFIG + "timout = '2m'\n") as box:
        expect_sentence(box.run("config"), 78, re.escape(
            "mayfly.toml:19:1: There is no key 'timout' (did you mean 'timeout'?)."))


@test
def what_selects_nothing_is_told_of_by_its_mistake():
    tagged = CONFIG + "[[profile.ci.target]]\nname = 'fs'\ntags = ['quick']\n"
    with Project(tagged) as box:
        expect_sentence(box.run("test", "-pci", "-f["), 2, "Unknown option -p")
        expect_sentence(box.run("test", "--profile", "ci", "-f["), 2, re.escape(
            "The filter '[' is not a regular expression: missing terminating ]"))
        expect_sentence(box.run("test", "--profile", "ci", "--tag", "quik"), 4,
                        r"none has the tag 'quik' \(did you mean 'quick'\?\)")


@test
def a_bound_of_saved_machines_that_is_no_size_is_told_before_anything_runs():
    with Project() as box:
        box.env["MAYFLY_WARM_MAX"] = "abc"
        wrong = "The variable MAYFLY_WARM_MAX is wrong: 'abc' is not a size"
        expect_sentence(box.run("run", "--", "true"), 2, wrong)
        expect_sentence(box.run("test"), 78, wrong)
        expect_sentence(box.run("doctor"), 2, wrong)
        expect_sentence(box.run("warm", "prune"), 2, wrong)


@test
def a_file_that_cannot_be_written_is_the_same_status_for_every_verb():
    with Project() as box:
        lost = "'/no/such/x' cannot be written: there is no directory"
        expect_sentence(box.run("run", "--timeline", "/no/such/x", "--", "true"), 69, lost)
        expect_sentence(box.run("test", "--report", "json=/no/such/x"), 69, lost)


@test
def a_reader_that_has_gone_ends_what_prints_in_silence_as_sigpipe_would():
    with Project() as box:
        for words in (("config",), ("test", "--list"), ("--help",), ("syntax",)):
            reader, writer = os.pipe()
            os.close(reader)
            result = box.run(*words, stdout=writer)
            os.close(writer)
            expect(result, 141)
            assert result.err == b"", (words, result)


@test
def output_that_does_not_arrive_is_told_however_long_it_is():
    with Project() as box, open("/dev/full", "wb") as full:
        for words in (("config",), ("syntax",)):
            expect_sentence(box.run(*words, stdout=full), 69,
                            "The standard output cannot be written: ")


if __name__ == "__main__":
    main()
