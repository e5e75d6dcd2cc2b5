#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The picture of where the time of a run went."""

import os
import xml.etree.ElementTree

from harness import Sandbox, expect, kernel, main, test

SVG = "{http://www.w3.org/2000/svg}"


def texts(path):
    return [element.text for element in xml.etree.ElementTree.parse(path).iter(SVG + "text")]


@test
def host_and_guest_are_in_one_picture():
    with Sandbox() as box:
        picture = os.path.join(box.make("out"), "a.svg")
        result = box.run("run", "--cold", "--timeline", picture, "-k", kernel("small"), "--",
                         "echo '<hello>'")
        expect(result, 0, out=b"<hello>\n")
        found = texts(picture)
        for name in ("echo '<hello>'", "host", "launch", "boot", "execution", "QEMU launched",
                     "guest", "kernel", "initramfs", "ready", "configured", "first output",
                     "command ended"):
            assert name in found, f"{name!r} is not among {found}"


@test
def a_run_that_fails_has_a_picture_too():
    with Sandbox() as box:
        picture = os.path.join(box.make("out"), "a.svg")
        result = box.run("run", "--timeline", picture, "-k", kernel("small"), "--qemu", "false",
                         "--", "true")
        expect(result, 69)
        assert "launch" in texts(picture)


@test
def a_picture_that_cannot_be_written_is_told_before_anything_runs():
    with Sandbox() as box:
        result = box.run("run", "--timeline", "/no/such/a.svg", "-k", kernel("small"), "--",
                         "echo ran")
        assert result.out == b"", result.out
        assert result.status == 69, result.status
        assert b"'/no/such/a.svg' cannot be written" in result.err, result.err


if __name__ == "__main__":
    main()
