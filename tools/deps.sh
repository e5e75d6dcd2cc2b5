#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Installs what mayfly is built from and tested with, as far as it is missing:
#
#     tools/deps.sh [build|run|check]     (check, the default, includes run, which includes build)
#
# A thing is looked for where it will be used (a command, a pkg-config module, a library), not in
# the package manager's database, so that a prepared host passes with any package manager or none.
# With apt the missing packages are installed; with others their names are printed and the exit
# status is 1.
set -eu

goal=${1:-check}
case $goal in
build) tiers=' build ' ;;
run) tiers=' build run ' ;;
check) tiers=' build run check ' ;;
*)
    echo "deps.sh: '$goal' is not build, run or check." >&2
    exit 2
    ;;
esac

# qemu-ga and depmod live in sbin, which an unprivileged user's PATH may lack.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

# tier | what is looked for | apt | dnf | pacman | zypper | apk | why
# Looked for: cmd NAME, pc PKG-CONFIG-MODULE, lib FILE-THE-COMPILER-FINDS, lib-of COMPILER FILE, file
# PATH. A '-' means that the thing is not needed with that package manager: the test kernels and
# images, and the libraries of other architectures, are made from Debian packages.
table() {
    cat <<'TABLE'
build|cmd cc|build-essential|gcc|base-devel|gcc|build-base|the compiler
build|cmd c++|build-essential|gcc-c++|base-devel|gcc-c++|build-base|the compiler of the reader of TOML
build|cmd make|build-essential|make|base-devel|make|build-base|the Makefile
build|cmd meson|meson|meson|meson|meson|meson|the build
build|cmd ninja|ninja-build|ninja-build|ninja|ninja|samurai|the build
build|cmd pkg-config|pkg-config|pkgconf-pkg-config|pkgconf|pkgconf-pkg-config|pkgconf|finds the libraries
build|cmd python3|python3|python3|python|python3|python3|the QAPI generator and the lints
build|pc gio-unix-2.0|libglib2.0-dev|glib2-devel|glib2|glib2-devel|glib-dev|main loop, processes, tests
build|pc json-c|libjson-c-dev|json-c-devel|json-c|libjson-c-devel|json-c-dev|QMP and guest agent messages
build|pc libarchive|libarchive-dev|libarchive-devel|libarchive|libarchive-devel|libarchive-dev|initramfs, packages, kernel payloads
build|pc libkmod|libkmod-dev|kmod-devel|kmod|libkmod-devel|kmod-dev|which modules a kernel needs
build|pc zlib|zlib1g-dev|zlib-devel|zlib|zlib-devel|zlib-dev|checksums of frames
build|pc tomlplusplus|libtomlplusplus-dev|tomlplusplus-devel|tomlplusplus|tomlplusplus-devel|tomlplusplus-dev|the config file
build|lib libstdc++.a|build-essential|libstdc++-static|gcc|gcc-c++|build-base|no C++ library is loaded at start
build|lib libc.a|libc6-dev|glibc-static|glibc|glibc-devel-static|musl-dev|the program in the guest is static
run|cmd qemu-system-x86_64|qemu-system-x86|qemu-system-x86|qemu-system-x86|qemu-x86|qemu-system-x86_64|the VM
run|cmd qemu-ga|qemu-guest-agent|qemu-guest-agent|qemu-guest-agent|qemu-guest-agent|qemu-guest-agent|serves the guest of the scripted init, and the tests
check|cmd qemu-system-aarch64|qemu-system-arm|-|-|-|-|the VM of the test of another architecture
check|cmd qemu-system-riscv64|qemu-system-misc|-|-|-|-|checks the command lines of riscv64 and s390x
check|cmd s390x-linux-gnu-as|binutils-s390x-linux-gnu|-|-|-|-|the guest that floods its console
check|cmd aarch64-linux-gnu-gcc|gcc-aarch64-linux-gnu|-|-|-|-|the guest program for aarch64
check|lib-of aarch64-linux-gnu-gcc libc.a|libc6-dev-arm64-cross|-|-|-|-|the guest program for aarch64
check|cmd riscv64-linux-gnu-gcc|gcc-riscv64-linux-gnu|-|-|-|-|the guest program for riscv64
check|lib-of riscv64-linux-gnu-gcc libc.a|libc6-dev-riscv64-cross|-|-|-|-|the guest program for riscv64
check|cmd cmake|cmake|-|-|-|-|builds json-c for these
check|cmd depmod|kmod|-|-|-|-|module indexes of the test kernels
check|cmd xz|xz-utils|-|-|-|-|unpacks the source of the small test kernel
check|cmd flex|flex|-|-|-|-|builds the small test kernel
check|cmd bison|bison|-|-|-|-|builds the small test kernel
check|cmd bc|bc|-|-|-|-|builds the small test kernel
check|pc libelf|libelf-dev|-|-|-|-|builds the small test kernel
check|cmd cpio|cpio|cpio|cpio|cpio|cpio|initramfs images that are not made by mayfly
check|cmd qemu-img|qemu-utils|qemu-img|qemu-img|qemu-tools|qemu-img|images in another format
check|cmd mke2fs|e2fsprogs|-|-|-|-|root file systems of the test images
check|cmd sfdisk|fdisk|-|-|-|-|partitions of the test images
check|cmd mcopy|mtools|mtools|mtools|mtools|mtools|boot file systems of the test images, and what is in those that mayfly makes
check|cmd fsck.fat|dosfstools|dosfstools|dosfstools|dosfstools|dosfstools|checks the FAT file systems that mayfly makes
check|cmd syslinux|syslinux|-|-|-|-|boots the test image for a BIOS
check|file /usr/lib/syslinux/mbr/mbr.bin|syslinux-common|-|-|-|-|boots the test image for a BIOS
check|file /usr/lib/systemd/boot/efi/systemd-bootx64.efi|systemd-boot-efi|-|-|-|-|boots the test image for UEFI
check|file /usr/share/OVMF/OVMF_CODE_4M.fd|ovmf|-|-|-|-|UEFI firmware of the tests
check|file /usr/lib/elf_x86_64_efi.lds|gnu-efi|-|-|-|-|the EFI program that the tests boot
check|cmd sbsign|sbsigntool|-|-|-|-|signs it, for Secure Boot
check|cmd openssl|openssl|openssl|openssl|openssl|openssl|unlocks the key that it is signed with
check|pc libcurl|libcurl4-openssl-dev|libcurl-devel|curl|libcurl-devel|curl-dev|kernels from registries
check|cmd docker-registry|docker-registry|-|-|-|-|a real registry for the tests of these
check|cmd dh|debhelper|-|-|-|-|the Debian package
check|cmd fakeroot|fakeroot|-|-|-|-|the Debian package
check|cmd lintian|lintian|-|-|-|-|checks the Debian package
check|pc yaml-0.1|libyaml-dev|libyaml-devel|libyaml|libyaml-devel|yaml-dev|personas in YAML
check|pc libvirt|libvirt-dev|libvirt-devel|libvirt|libvirt-devel|libvirt-dev|machines that libvirt starts
check|pc libvirt-glib-1.0|libvirt-glib-1.0-dev|libvirt-glib-devel|libvirt-glib|libvirt-glib-devel|libvirt-glib-dev|libvirt's events on the main loop
check|cmd libvirtd|libvirt-daemon|libvirt-daemon-driver-qemu|libvirt|libvirt-daemon-qemu|libvirt-daemon|a libvirt of the tests' own
check|cmd virsh|libvirt-clients|libvirt-client|libvirt|libvirt-client|libvirt-client|looks into it, and has the validator of its schema
check|cmd chromium|chromium|chromium|chromium|chromium|chromium|the page of a grid in a real browser
check|cmd swtpm|swtpm|swtpm|swtpm|swtpm|swtpm|the TPM of the tests
check|cmd swtpm_setup|swtpm-tools|swtpm-tools|swtpm|swtpm|swtpm|the TPM of a machine that libvirt starts
check|cmd busybox|busybox-static|busybox|busybox|busybox-static|busybox-static|a shell that needs nothing else in a root
check|cmd xmllint|libxml2-utils|libxml2|libxml2|libxml2-tools|libxml2-utils|JUnit reports and pictures keep to their formats
check|cmd tmux|tmux|tmux|tmux|tmux|tmux|a real terminal for the report of a running suite
check|cmd unshare|util-linux|util-linux|util-linux|util-linux|util-linux|tests on a full disk or as another user
check|cmd zsh|zsh|zsh|zsh|zsh|zsh|completion in zsh
check|cmd fish|fish|fish|fish|fish|fish|completion in fish
check|file /usr/lib/python3/dist-packages/yaml/__init__.py|python3-yaml|-|-|-|-|the examples for CI systems
check|cmd munged|munge|-|-|-|-|the shards of a real Slurm array
check|cmd slurmctld|slurmctld|-|-|-|-|the shards of a real Slurm array
check|cmd slurmd|slurmd|-|-|-|-|the shards of a real Slurm array
check|cmd sbatch|slurm-client|-|-|-|-|the shards of a real Slurm array
check|cmd fio|fio|-|-|-|-|a payload of the examples
check|cmd stress-ng|stress-ng|-|-|-|-|a payload of the examples
check|cmd sysbench|sysbench|-|-|-|-|a payload of the examples
check|cmd hackbench|rt-tests|-|-|-|-|a payload of the examples
check|cmd groff|groff-base|groff-base|groff|groff|groff|renders the manual page
check|cmd valgrind|valgrind|valgrind|valgrind|valgrind|valgrind|leaks
check|cmd clang-format|clang-format|clang-tools-extra|clang|clang-tools|clang-extra-tools|the style
check|cmd cppcheck|cppcheck|cppcheck|cppcheck|cppcheck|cppcheck|static analysis
check|cmd shellcheck|shellcheck|ShellCheck|shellcheck|ShellCheck|shellcheck|the scripts
TABLE
}

# Whether compiler $1 finds library $2: what it does not find it prints as it is.
has_lib() {
    [ -e "$("$1" -print-file-name="$2" 2>/dev/null)" ]
}

present() {
    case $1 in
    cmd\ *) command -v "${1#cmd }" >/dev/null ;;
    pc\ *) pkg-config --exists "${1#pc }" 2>/dev/null ;;
    file\ *) [ -e "${1#file }" ] ;;
    lib\ *) has_lib cc "${1#lib }" ;;
    lib-of\ *)
        set -- "${1#lib-of }"
        has_lib "${1% *}" "${1#* }"
        ;;
    esac
}

# The names of what is missing for package manager $1, one a line.
missing_for() {
    table | while IFS='|' read -r tier what apt dnf pacman zypper apk _; do
        case $tiers in *" $tier "*) ;; *) continue ;; esac
        if present "$what"; then
            continue
        fi
        case $1 in
        apt-get) echo "$apt" ;;
        dnf) echo "$dnf" ;;
        pacman) echo "$pacman" ;;
        zypper) echo "$zypper" ;;
        apk) echo "$apk" ;;
        *) echo "${what#* }" ;;
        esac
    done | grep -vx -e - | sort -u
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        echo "deps.sh: installing packages needs root and there is no sudo; run as root: $*" >&2
        exit 1
    fi
}

manager=none
for candidate in apt-get dnf pacman zypper apk; do
    if command -v "$candidate" >/dev/null; then
        manager=$candidate
        break
    fi
done

names=$(missing_for "$manager" || true)
[ -n "$names" ] || exit 0
names=$(echo "$names" | tr '\n' ' ')
names=${names% }

case $manager in
apt-get)
    echo "Installing what is missing: $names"
    as_root apt-get update -q
    # shellcheck disable=SC2086 # a list of names
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $names
    ;;
dnf) hint="dnf install $names" ;;
pacman) hint="pacman -S $names" ;;
zypper) hint="zypper install $names" ;;
apk) hint="apk add $names" ;;
none) hint="install the packages that have: $names" ;;
esac

if [ "$manager" != apt-get ]; then
    echo "deps.sh: some of what mayfly needs is missing. Install it and start again:" >&2
    echo "    $hint" >&2
    exit 1
fi

left=$(missing_for "$manager" | tr '\n' ' ' || true)
if [ -n "$left" ]; then
    echo "deps.sh: still missing after the installation: $left" >&2
    exit 1
fi
