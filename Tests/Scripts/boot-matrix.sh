#!/usr/bin/env bash
# boot-matrix.sh boots BINARY BOOTLAB GUEST.img [CONTROLLER…]
# boot-matrix.sh texts BINARY BOOTLAB IMAGES
#
# `boots` boots a guest before and after `patch --to kvm` on emulated controllers and writes a row for each. BOOTLAB
# is the folder with boot.sh, which boots an image and judges it by one line. Needs qemu-system-x86; 30 to 90 s a boot
# without KVM.
#
# `texts` goes through BOOTLAB/matrix.list: for every line the plan for that controller must name each device name that
# debugfs finds in the guest's boot files and that would be wrong there, and nothing may be wrong once it is patched.
# IMAGES is the folder with the guests. Nothing is booted; needs debugfs and python3.
#
# The last tables are in docs/boot-matrix.md.
set -uo pipefail
mode=$1
binary=$(readlink -f "$2")
lab=$(readlink -f "$3")
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

patched() {   # IMAGE CONTROLLER: a patched copy in $work/patched.img
    rm -f "$work"/patched.img*
    cp --sparse=always "$1" "$work/patched.img"
    "$binary" patch "$work/patched.img" --to kvm --controller "$2" >"$work/plan" || { cat "$work/plan" >&2; return 1; }
    "$binary" patch "$work/patched.img" --to kvm --controller "$2" | grep -q 'nothing to do' ||
        { echo "the second run changes something" >&2; return 1; }
}
name_of() { case $1 in lsi) echo sym53c8xx ;; mptsas) echo lsisas ;; *) echo "$1" ;; esac; }

case $mode in
boots)
    guest=$(readlink -f "$4")
    shift 4
    [ $# -gt 0 ] || set -- virtio-blk nvme
    patched "$guest" virtio-blk || exit 1
    for controller in "$@"; do
        before=$(LOGDIR=$work "$lab/boot.sh" "$guest" raw "$controller")
        after=$(LOGDIR=$work "$lab/boot.sh" "$work/patched.img" raw "$controller") || status=1
        echo "| $(basename "$guest" .img) | $controller | ${before%% *}: ${before#*| } | ${after%% *}: ${after#*| } |"
    done
    ;;
texts)
    images=$(readlink -f "$4")
    echo '| guest | controller | wrong there | after `patch` |'
    echo '|---|---|---|---|'
    while read -r guest _ controller _; do
        case $guest in '' | \#*) continue ;; esac
        image=$images/$guest.img
        "$binary" plan --json "$image" --to kvm --controller "$(name_of "$controller")" >"$work/before.json" &&
            patched "$image" "$(name_of "$controller")" &&
            "$binary" plan --json "$work/patched.img" --to kvm --controller "$(name_of "$controller")" >"$work/after.json" &&
            python3 "$here/boot-texts.py" "$image" "$controller" "$work/before.json" "$work/after.json" ||
            { echo "| $guest | $controller | FAILED | |"; status=1; }
    done <"$lab/matrix.list"
    ;;
*) sed -n '2,14p' "$0" >&2; exit 64 ;;
esac
exit $status
