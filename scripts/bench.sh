#!/usr/bin/env bash
# bench.sh BINARY [WORK-FOLDER]
#
# Measures against qemu-img on the same disk in the same run, the two taking turns, and prints medians as ratios
# (below 1: this engine is faster). Needs about 20 GiB free. What is measured is written to docs/performance.md
# by hand, with the machine it ran on.
set -euo pipefail
binary=$(readlink -f "$1")
here=$(cd "$(dirname "$0")/.." && pwd)
work=${2:-$(mktemp -d "${TMPDIR:-/tmp}/diskgraft-bench.XXXXXX")}
runs=${RUNS:-9}
mkdir -p "$work"
[ -n "${2:-}" ] || trap 'rm -rf "$work"' EXIT
export LC_ALL=C PATH=$PATH:/usr/sbin:/sbin

swift build -c release --package-path "$here/Benchmarks" >/dev/null
reader=$here/Benchmarks/.build/release/ReadBenchmark

now() { date +%s%N; }
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
# versus NAME CLEANUP OURS THEIRS: medians and minima of both in milliseconds, and the ratios of each. Who goes first
# changes from turn to turn; a first turn warms up and does not count.
versus() {
    local name=$1 clean=$2 ours=$3 theirs=$4 i
    : >"$work/ours"; : >"$work/theirs"
    for ((i = 0; i <= runs; i++)); do
        if ((i % 2)); then once ours "$ours"; once theirs "$theirs"; else once theirs "$theirs"; once ours "$ours"; fi
        [ "$i" != 0 ] || { : >"$work/ours"; : >"$work/theirs"; }
    done
    local x y p q
    x=$(median <"$work/ours"); y=$(median <"$work/theirs")
    p=$(sort -n "$work/ours" | head -1); q=$(sort -n "$work/theirs" | head -1)
    awk -v n="$name" -v x="$x" -v y="$y" -v p="$p" -v q="$q" 'BEGIN {
        printf "%-28s median %8.1f ms %8.1f ms ratio %.2f   best %8.1f ms %8.1f ms ratio %.2f\n",
            n, x / 1000, y / 1000, x / y, p / 1000, q / 1000, p / q }'
}
once() { local t; eval "$clean"; t=$(now); eval "$2" >/dev/null; echo $((($(now) - t) / 1000)) >>"$work/$1"; }

raw=$work/disk.img
if [ ! -s "$raw" ]; then
    "$here/Tests/Scripts/make-guest.sh" "$raw" $((8 << 30))
    head -c $((1200 << 20)) /dev/urandom >"$work/blob"
    debugfs -w -R "write $work/blob blob" "$raw?offset=$((26624 * 512))" >/dev/null 2>&1
    rm "$work/blob"
    for format in qcow2 vmdk vpc; do qemu-img convert -O "$format" "$raw" "$work/disk.$format"; done
fi

echo "Converting a disk of 8 GiB with 1.2 GiB of data; ours, then qemu-img with the same durability (-t writeback)"
for pair in raw:raw raw:qcow2 raw:vmdk raw:vpc qcow2:raw vmdk:raw vpc:raw qcow2:vpc vmdk:vpc vmdk:qcow2; do
    from=${pair%:*} to=${pair#*:}
    source=$work/disk.$from
    [ "$from" != raw ] || source=$raw
    versus "convert $from → $to" "rm -f '$work/out'; sync" \
        "'$binary' convert -f $from -O $to '$source' '$work/out'" \
        "qemu-img convert -t writeback -f $from -O $to '$source' '$work/out'"
done

echo "Reading all data sequentially; ours, then qemu-img convert into a null device"
for format in raw qcow2 vmdk vpc; do
    source=$work/disk.$format
    [ "$format" != raw ] || source=$raw
    size=$(qemu-img info -f "$format" --output=json "$source" | awk -F'[ ,]+' '/virtual-size/ { print $3; exit }')
    versus "read $format" : "'$reader' read '$source'" \
        "qemu-img convert -n -f $format --target-image-opts '$source' driver=null-co,size=$size"
done

echo "Opening image, partition table and file systems; then listing a directory; qemu-img info opens the image alone"
for format in raw qcow2 vmdk vpc; do
    source=$work/disk.$format
    [ "$format" != raw ] || source=$raw
    versus "info $format" : "'$binary' info -f $format '$source'" "qemu-img info -f $format '$source'"
    versus "ls /etc, $format" : "'$binary' ls -f $format '$source' /etc" "qemu-img info -f $format '$source'"
done

echo "Patching a guest of 100 GiB in place, by format: wall, of it in flushes, peak memory"
if [ ! -s "$work/large.img" ]; then "$here/Tests/Scripts/make-guest.sh" "$work/large.img" $((100 << 30)); fi
for format in raw qcow2 vmdk vpc; do
    image=$work/large.$format
    rm -f "$image" "$image.undo"
    if [ "$format" = raw ]; then cp --sparse=always "$work/large.img" "$image"
    else qemu-img convert -O "$format" "$work/large.img" "$image"; fi
    sync
    for ((i = 0; i < 3; i++)); do
        t=$(now)
        strace -f -T -e trace=fsync,fdatasync -o "$work/trace" "$binary" patch "$image" --to kvm >/dev/null
        wall=$((($(now) - t) / 1000))
        flush=$(awk -F'<' '/sync\(/ { sub(/>.*/, "", $NF); s += $NF } END { printf "%d", s * 1000000 }' "$work/trace")
        "$binary" undo "$image" >/dev/null
        printf '%-10s wall %6d µs, flushes %6d µs, the rest %6d µs\n' "$format" "$wall" "$flush" $((wall - flush))
    done
    command time -f "$format       peak memory %M KiB" "$binary" patch "$image" --to kvm >/dev/null
    rm -f "$image" "$image.undo"
done
