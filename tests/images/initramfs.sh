#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash
#
# /init of the test images' initramfs: loads the modules that the root needs, in the order of
# /modules, and hands over to the system on the disk's second partition.
set -e
mkdir -p /dev /proc /system
mount -t devtmpfs dev /dev
mount -t proc proc /proc
while read -r module; do
    insmod "$module"
done </modules
mount -t ext4 /dev/vda2 /system
mount -o move /dev /system/dev
umount /proc
exec switch_root /system /sbin/init
