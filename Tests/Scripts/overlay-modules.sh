#!/usr/bin/env bash
# overlay-modules.sh BINARY IMAGE.img TARGET [FLAG…]
#
# For targets that nothing here can emulate (Hyper-V, XenServer, VMware's LSI parallel): patches a copy of a raw image,
# takes the overlay out of it, unpacks it with cpio, and asks modprobe of every module in it what it would load. Each must
# resolve within the overlay. Prints the archive's files and modprobe's answers; exits 1 when anything does not resolve.
#   overlay-modules.sh diskgraft g1-vmware-lsi.img hyperv-gen2
#   overlay-modules.sh diskgraft g2-kvm-virtio.img vmware --controller lsi1030
set -euo pipefail
export PATH=/usr/sbin:/sbin:$PATH
[ $# -ge 3 ] || { sed -n '2,8p' "$0" >&2; exit 2; }
binary=$(readlink -f "$1")
image=$2
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp --sparse=always "$image" "$work/disk.img"
"$binary" patch "$work/disk.img" -f raw --to "$@" >"$work/patch" 2>&1 || { cat "$work/patch"; exit 1; }
grep -E '^(boots|default entry|create|add|drivers|controller)' "$work/patch" | cut -c1-300
overlay=$("$binary" ls "$work/disk.img" /boot | grep -o 'diskgraft-drivers-[^ ]*' | head -n 1 || true)
[ -n "$overlay" ] || { echo "no overlay in /boot"; exit 1; }
"$binary" cat "$work/disk.img" "/boot/$overlay" >"$work/overlay"
echo "overlay: $overlay, $(stat -c %s "$work/overlay") bytes"
mkdir "$work/tree"
(cd "$work/tree" && cpio --quiet -idm --no-absolute-filenames <"$work/overlay")
(cd "$work/tree" && find . -type f -o -type l | sort)
status=0
for place in "$work"/tree/diskgraft/lib/modules/*; do
    release=$(basename "$place")
    while read -r module; do
        name=$(basename "$module" .ko)
        answer=$(modprobe -d "$work/tree/diskgraft" -S "$release" --show-depends "$name" 2>&1) || status=1
        echo "$name: $(sed "s#$work/tree##g" <<<"$answer" | paste -sd';')"
        while read -r word file _; do
            if [ "$word" = insmod ] && [ ! -e "$file" ]; then echo "  $file is not there"; status=1; fi
        done <<<"$answer"
        same=$(modinfo -F vermagic "$module" | cut -d' ' -f1)
        [ "$same" = "$release" ] || { echo "  for $same"; status=1; }
    done < <(find "$place" -name '*.ko' | sort)
done
exit $status
