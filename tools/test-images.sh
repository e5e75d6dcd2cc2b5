#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Makes the disk images that the tests boot, from Debian's packages, without root or loop devices,
# and prints the directory they are in:
#
#     bios.img     boots from a BIOS (MBR, syslinux)
#     uefi.img     boots from UEFI (GPT, systemd-boot); a BIOS finds nothing in it
#
# In both is the stock kernel of tools/test-kernels.sh and a small system that tests/images/ has the
# scripts of: bash, mount, busybox, and qemu-ga as the one service. They are kept beside the
# kernels; a second call finds them there, unless what they are made from has changed.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
kernels=$("$here/tools/test-kernels.sh")
images=$kernels/images
PATH=$PATH:/usr/sbin:/sbin
stub=/usr/lib/systemd/boot/efi/systemd-bootx64.efi
packages='bash busybox-static libblkid1 libc6 libglib2.0-0 libmount1 libnuma1 libpcre2-8-0
    libselinux1 libtinfo6 libudev1 liburing2 mount qemu-guest-agent'
root_modules='virtio_pci virtio_blk ext4'
system_modules='virtio_console virtio_net 9p 9pnet_virtio'

kernel=$(readlink "$kernels/generic/vmlinuz")
release=${kernel#*vmlinuz-}
sum=$(cat "$0" "$here"/tests/images/* | cksum)
stamp="$release $sum"

# In MiB; the first partition begins at the first.
boot_size=32
root_size=64

command_line='console=ttyS0 quiet panic=-1 no_timer_check cryptomgr.notests'

say() {
    echo "test-images: $*" >&2
}

fail() {
    say "$*"
    exit 1
}

is_current() {
    [ -e "$images/bios.img" ] && [ -e "$images/uefi.img" ] &&
        [ "$(cat "$images/stamp" 2>/dev/null)" = "$stamp" ]
}

unpack_packages() {
    mkdir "$work/packages" "$work/system"
    # shellcheck disable=SC2086 # a list of names
    (cd "$work/packages" && apt-get -q -o APT::Sandbox::User="$(id -un)" download $packages >&2) ||
        fail "apt-get could not download the packages of the test images: check the network, or" \
            "update the package lists."
    for package in "$work"/packages/*.deb; do
        dpkg-deb -x "$package" "$work/system"
    done
}

# The files of the modules $*, each after those that it needs.
list_modules() {
    for module in "$@"; do
        modprobe -d "$kernels/generic" -S "$release" --show-depends "$module"
    done | sed -n 's/^insmod \(.*\.ko\)[^ ]* *$/\1/p' | awk '!seen[$0]++'
}

# Fails when a library is missing that the program or library $1 of the system needs.
check_libraries() {
    readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | while read -r library; do
        found=$(find "$work/system" -name "$library" | head -n 1)
        [ -n "$found" ] ||
            fail "the test images have no $library, which ${1#"$work/system"} needs: a package has" \
                "changed, and the list of packages in $0 has to."
        check_libraries "$found"
    done
}

make_system() {
    system=$work/system
    unpack_packages
    rm -rf "${system:?}"/usr/share "$system"/usr/lib/*/gconv "$system"/usr/lib/x86_64-linux-gnu/audit \
        "$system"/etc/systemd "$system"/lib/systemd "$system"/etc/init.d
    for program in usr/sbin/qemu-ga bin/mount bin/bash; do
        check_libraries "$system/$program"
    done
    mkdir -p "$system/dev" "$system/proc" "$system/sys" "$system/run" "$system/tmp" \
        "$system/mnt" "$system/root" "$system/var"
    "$system/bin/busybox" --list | while read -r applet; do
        for place in bin sbin usr/bin usr/sbin; do
            [ ! -e "$system/$place/$applet" ] || continue 2
        done
        ln -s /bin/busybox "$system/bin/$applet"
    done
    rm -f "$system/sbin/init" "$system/bin/init"
    install -m 755 "$here/tests/images/system.sh" "$system/sbin/init"
    ln -sf bash "$system/bin/sh"
    [ -e "$system/sbin/modprobe" ] || ln -s /bin/busybox "$system/sbin/modprobe"

    # shellcheck disable=SC2086 # a list of names
    list_modules $system_modules | while read -r module; do
        install -m 644 -D "$module" "$system/${module#"$kernels"/generic/}"
    done
    touch "$system/lib/modules/$release/modules.order" "$system/lib/modules/$release/modules.builtin"
    depmod -b "$system" "$release"

    printf 'NAME="mayfly test image"\nID=mayfly-image\n' >"$system/etc/os-release"
    printf 'root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/:/bin/sh\n' \
        >"$system/etc/passwd"
    printf 'root:x:0:\ntty:x:5:\nnogroup:x:65534:\n' >"$system/etc/group"
}

make_initramfs() {
    mkdir -p "$work/initramfs/bin"
    cp "$work/system/bin/busybox" "$work/initramfs/bin/"
    "$work/system/bin/busybox" --list | while read -r applet; do
        [ "$applet" = busybox ] || ln -s busybox "$work/initramfs/bin/$applet"
    done
    install -m 755 "$here/tests/images/initramfs.sh" "$work/initramfs/init"
    # shellcheck disable=SC2086 # a list of names
    list_modules $root_modules | while read -r module; do
        cp "$module" "$work/initramfs/"
        echo "/$(basename "$module")" >>"$work/initramfs/modules"
    done
    (cd "$work/initramfs" && find . | cpio --quiet -o -H newc >"$work/initrd")
}

# The partition of the root, which both images have.
make_root() {
    truncate -s "${root_size}M" "$work/root.fs"
    # The features left out need modules for their checksums.
    mke2fs -q -t ext4 -O ^metadata_csum,^64bit -L root -d "$work/system" "$work/root.fs"
}

# An image $1 with the partition table on standard input, $work/boot.fs and the root in it.
assemble() {
    rm -f "$1"
    truncate -s "$((1 + boot_size + root_size + 1))M" "$1"
    sfdisk -q "$1"
    dd if="$work/boot.fs" of="$1" bs=1M seek=1 conv=notrunc,sparse status=none
    dd if="$work/root.fs" of="$1" bs=1M seek="$((1 + boot_size))" conv=notrunc,sparse status=none
}

# A FAT file system with the kernel and the initramfs.
make_boot() {
    rm -f "$work/boot.fs"
    mformat -C -i "$work/boot.fs" -T "$((boot_size * 2048))" -H 2048 -v BOOT ::
    mcopy -i "$work/boot.fs" "$kernels/generic/vmlinuz" ::vmlinuz
    mcopy -i "$work/boot.fs" "$work/initrd" ::initrd
}

make_bios() {
    printf 'DEFAULT linux\nLABEL linux\n LINUX vmlinuz\n INITRD initrd\n APPEND %s\n' \
        "$command_line" >"$work/syslinux.cfg"
    make_boot
    mcopy -i "$work/boot.fs" "$work/syslinux.cfg" ::
    syslinux --install "$work/boot.fs"
    printf 'label: dos\nsize=%sMiB, type=c, bootable\ntype=83\n' "$boot_size" |
        assemble "$work/bios.img"
    dd if=/usr/lib/syslinux/mbr/mbr.bin of="$work/bios.img" conv=notrunc status=none
}

make_uefi() {
    printf 'default linux\ntimeout 0\n' >"$work/loader.conf"
    printf 'title linux\nlinux /vmlinuz\ninitrd /initrd\noptions %s\n' "$command_line" \
        >"$work/linux.conf"
    make_boot
    mmd -i "$work/boot.fs" ::EFI ::EFI/BOOT ::loader ::loader/entries
    mcopy -i "$work/boot.fs" "$stub" ::EFI/BOOT/BOOTX64.EFI
    mcopy -i "$work/boot.fs" "$work/loader.conf" ::loader/
    mcopy -i "$work/boot.fs" "$work/linux.conf" ::loader/entries/
    printf 'label: gpt\nsize=%sMiB, type=U\ntype=L\n' "$boot_size" | assemble "$work/uefi.img"
}

if ! is_current; then
    for tool in apt-get dpkg-deb modprobe depmod readelf cpio mke2fs sfdisk mformat mcopy syslinux; do
        command -v "$tool" >/dev/null ||
            fail "there is no $tool on this host, and the test images are made with it:" \
                "'tools/deps.sh' installs it on Debian."
    done
    [ -e "$stub" ] || fail "there is no '$stub' on this host: 'tools/deps.sh' installs it on Debian."
    mkdir -p "$images"
    exec 9>"$images/lock"
    flock 9
    if ! is_current; then
        say "making disk images to test with"
        work=$(mktemp -d "$images/work.XXXXXX")
        trap 'rm -rf "$work"' EXIT
        trap 'exit 1' HUP INT TERM
        make_system
        make_initramfs
        make_root
        make_bios
        make_uefi
        rm -f "$images/stamp"
        mv "$work/bios.img" "$work/uefi.img" "$images/"
        echo "$stamp" >"$images/stamp"
    fi
fi
echo "$images"
