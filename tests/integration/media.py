# SPDX-License-Identifier: Apache-2.0
"""Media that the tests boot, made on the spot from a few lines: disks, discs, EFI programs."""

import os
import shutil
import struct
import subprocess

from harness import Skip

HERE = os.path.dirname(os.path.abspath(__file__))
SECTOR, DISC_SECTOR = 512, 2048

# Of Debian's ovmf: firmware that knows its snake oil keys, and these, to sign with them.
OVMF = "/usr/share/OVMF/"
SNAKEOIL = "/usr/share/ovmf/PkKek-1-snakeoil"
SNAKEOIL_PASSWORD = "snakeoil"

EFI_LIBRARY = "/usr/lib/"
EFI_HEADERS = "/usr/include/efi"
EFI_SECTIONS = (".text", ".sdata", ".data", ".rodata", ".dynamic", ".dynsym", ".rel", ".rela",
                ".rel.*", ".rela.*", ".reloc")


def firmware(name):
    path = OVMF + name
    if not os.path.exists(path):
        raise Skip(f"no '{path}' on this host")
    return path


def run(*words):
    subprocess.run(words, check=True, capture_output=True)


def make_boot_code(directory, value=0x100, echo=False, power_off=False):
    """Code for 0x7c00 that speaks on the serial port, and then powers the machine off, ends QEMU with
    'value', or hangs."""
    code = os.path.join(directory, "boot")
    run("as", "--32", "--defsym", f"VALUE={value}", "--defsym", f"ECHO={int(echo)}",
        "--defsym", f"POWER_OFF={int(power_off)}", "-o", code + ".o",
        os.path.join(HERE, "boot-sector.S"))
    run("ld", "-m", "elf_i386", "-Ttext", "0x7c00", "--oformat", "binary", "-o", code, code + ".o")
    with open(code, "rb") as file:
        return file.read()


def make_multiboot_kernel(directory, value):
    """A kernel that is no Linux."""
    path = os.path.join(directory, "kernel.elf")
    run("as", "--32", "--defsym", f"VALUE={value}", "-o", path + ".o",
        os.path.join(HERE, "multiboot.S"))
    run("ld", "-m", "elf_i386", "-Ttext", "0x100000", "-o", path, path + ".o")
    return path


def make_disk(directory, **code):
    """A raw disk with a boot sector."""
    path = os.path.join(directory, "disk.img")
    sector = make_boot_code(directory, **code).ljust(SECTOR - 2, b"\0") + b"\x55\xaa"
    with open(path, "wb") as file:
        file.write(sector)
        file.truncate(1 << 20)
    return path


def make_disc(directory, **code):
    """A disc with a boot record and no more than that: El Torito, without emulation."""
    validation = struct.pack("<BBH24sHBB", 1, 0, 0, b"mayfly", 0, 0x55, 0xaa)
    checksum = -sum(struct.unpack("<16H", validation)) & 0xffff
    validation = validation[:28] + struct.pack("<H", checksum) + validation[30:]
    entry = struct.pack("<BBHBBHI", 0x88, 0, 0, 0, 0, DISC_SECTOR // SECTOR, 20)
    sectors = {
        16: b"\x01CD001\x01\0" + b" " * 32 + b"MAYFLY".ljust(32),
        17: b"\x00CD001\x01" + b"EL TORITO SPECIFICATION".ljust(64, b"\0") + struct.pack("<I", 19),
        18: b"\xffCD001\x01",
        19: validation + entry,
        20: make_boot_code(directory, **code),
    }
    path = os.path.join(directory, "disc.ISO")
    with open(path, "wb") as file:
        for number, content in sectors.items():
            file.seek(number * DISC_SECTOR)
            file.write(content)
        file.truncate(400 * DISC_SECTOR)
    return path


def make_efi_program(directory):
    """An EFI program that tells what it finds; see efi-program.c."""
    script = EFI_LIBRARY + "elf_x86_64_efi.lds"
    if not os.path.exists(script):
        raise Skip("no gnu-efi on this host")
    program = os.path.join(directory, "program")
    run("cc", "-c", "-O1", "-fpic", "-ffreestanding", "-fno-stack-protector", "-fshort-wchar",
        "-mno-red-zone", "-maccumulate-outgoing-args", "-DEFI_FUNCTION_WRAPPER",
        "-I" + EFI_HEADERS, "-I" + EFI_HEADERS + "/x86_64", "-o", program + ".o",
        os.path.join(HERE, "efi-program.c"))
    run("ld", "-shared", "-Bsymbolic", "-nostdlib", "-L" + EFI_LIBRARY, "-T", script,
        EFI_LIBRARY + "crt0-efi-x86_64.o", program + ".o", "-o", program + ".so", "-lefi",
        "-lgnuefi")
    run("objcopy", "-S", *(word for name in EFI_SECTIONS for word in ("-j", name)),
        "--target=efi-app-x86_64", "--subsystem=10", program + ".so", program + ".efi")
    return program + ".efi"


def sign(program):
    """The program, signed with the key of the firmware's snake oil variables."""
    if not shutil.which("sbsign") or not shutil.which("openssl"):
        raise Skip("no sbsign, or no openssl, on this host")
    key, signed = program + ".key", program + ".signed"
    run("openssl", "rsa", "-in", SNAKEOIL + ".key", "-passin", "pass:" + SNAKEOIL_PASSWORD, "-out",
        key)
    run("sbsign", "--key", key, "--cert", SNAKEOIL + ".pem", "--output", signed, program)
    return signed


def make_boot_directory(directory, program):
    """What a machine boots by UEFI without being told what."""
    place = os.path.join(directory, "esp", "EFI", "BOOT")
    os.makedirs(place)
    shutil.copy(program, os.path.join(place, "BOOTX64.EFI"))
    with open(os.path.join(directory, "esp", "notes with a long name.txt"), "w") as file:
        file.write("the host's\n")
    return os.path.join(directory, "esp")
