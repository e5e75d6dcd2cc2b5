#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash
#
# /sbin/init of the test images, in place of systemd, which would be most of a boot: file systems,
# the network, and QEMU's guest agent, started again whenever it ends.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin

mount -t proc proc /proc
mount -t sysfs sys /sys
mkdir -p /dev/pts /dev/shm
mount -t devpts -o gid=5,mode=620,ptmxmode=666 pts /dev/pts
mount -t tmpfs -o nosuid,nodev,noexec,mode=755 run /run
mount -t tmpfs -o nosuid,nodev,mode=1777 tmp /tmp
ln -s /proc/self/fd /dev/fd
hostname test-image

modprobe -a virtio_console virtio_net
ip link set lo up
if [ -e /sys/class/net/eth0 ]; then
    ip link set eth0 up
    ip address add 10.0.2.15/24 dev eth0
    ip route add default via 10.0.2.2
fi

# The host sends the names of the ports a moment after the ports.
until grep -ls org.qemu.guest_agent.0 /sys/class/virtio-ports/*/name >/run/agent-port; do
    sleep 0.1
done
read -r port </run/agent-port
port=${port%/name}
while :; do
    qemu-ga --method=virtio-serial --path="/dev/${port##*/}" --statedir=/run
    sleep 0.1
done
