#!/usr/bin/env bash
# boot-matrix.sh BINARY BOOTLAB GUEST.img [CONTROLLER…]
#
# Boots a guest before and after `patch --to kvm` on emulated controllers. BOOTLAB is the folder with boot.sh, which
# boots an image and judges it by one line. Needs qemu-system-x86; about 70 s a boot without KVM. The last table is
# docs/boot-matrix.md.
set -uo pipefail
binary=$(readlink -f "$1")
lab=$(readlink -f "$2")
guest=$(readlink -f "$3")
shift 3
[ $# -gt 0 ] || set -- virtio-blk nvme
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp --sparse=always "$guest" "$work/patched.img"
"$binary" patch "$work/patched.img" --to kvm >"$work/plan" || { cat "$work/plan"; exit 1; }
"$binary" patch "$work/patched.img" --to kvm | grep -q 'nothing to do' || { echo "the second run changes something"; exit 1; }
status=0
for controller in "$@"; do
    before=$(LOGDIR=$work "$lab/boot.sh" "$guest" raw "$controller")
    after=$(LOGDIR=$work "$lab/boot.sh" "$work/patched.img" raw "$controller") || status=1
    echo "| $(basename "$guest" .img) | $controller | ${before%% *}: ${before#*| } | ${after%% *}: ${after#*| } |"
done
exit $status
