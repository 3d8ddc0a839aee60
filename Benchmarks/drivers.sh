#!/usr/bin/env bash
# drivers.sh BINARY GUEST.img CONTROLLER [RUNS]
#
# What it takes to inspect a guest, to plan for another controller, and to patch a copy of it, drivers that its initramfs lacks
# included: for each the best run of RUNS (default 5) in seconds of the clock and of the processors, and the most memory of
# any run. The raw image is not changed. Needs GNU time.
#   drivers.sh .build/release/diskgraft g1-vmware-lsi.img virtio-blk
set -euo pipefail
export LC_ALL=C
[ $# -ge 3 ] || { sed -n '2,8p' "$0" >&2; exit 2; }
binary=$(readlink -f "$1")
image=$(readlink -f "$2")
controller=$3
runs=${4:-5}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
copy=$work/copy.img
cp --sparse=always "$image" "$copy"
sync "$copy"
timed() {
    local name=$1
    shift
    /usr/bin/time -f "$name %e %U %S %M" -a -o "$work/times" "$@" >"$work/output" 2>&1 || { cat "$work/output" >&2; exit 1; }
}
for ((run = 0; run < runs; run++)); do
    timed inspect "$binary" inspect "$copy" -f raw
    timed plan "$binary" plan "$copy" -f raw --to kvm --controller "$controller"
    timed patch "$binary" patch "$copy" -f raw --to kvm --controller "$controller"
    "$binary" undo "$copy" >"$work/output" 2>&1
done
echo "command wall processors MiB"
awk '{
    cpu = $3 + $4
    if (!($1 in wall) || $2 < wall[$1]) wall[$1] = $2
    if (!($1 in time) || cpu < time[$1]) time[$1] = cpu
    if ($5 > memory[$1]) memory[$1] = $5
}
END {
    split("inspect plan patch", names, " ")
    for (i = 1; i <= 3; i++) {
        name = names[i]
        printf "%s %.2f %.2f %d\n", name, wall[name], time[name], memory[name] / 1024
        total += wall[name]; spent += time[name]
    }
    printf "together %.2f %.2f\n", total, spent
}' "$work/times"
