#!/usr/bin/env bash
# between-versions.sh BINARY OLDER-BINARY [WORK-FOLDER]
#
# Two versions of this engine on the same guest in the same run, taking turns, who goes first changing: processor time
# (user and system) and peak memory of whole processes, as ratios of medians and of each one's best run. Below 1: the
# first is better. Processor time, because it says something on a machine that others use too. Needs about 3 GiB.
# RUNS turns each (21); the conversions take a third of them. ONLY="convert *": rows of such names alone. Where valgrind is installed the short commands' instructions
# are counted too, which are the same in every run. What is measured is written to docs/performance.md by hand.
set -euo pipefail
ours=$(readlink -f "$1") theirs=$(readlink -f "$2")
here=$(cd "$(dirname "$0")/.." && pwd)
work=${3:-$(mktemp -d "${TMPDIR:-/tmp}/diskgraft-bench.XXXXXX")}
runs=${RUNS:-21}
mkdir -p "$work"
[ -n "${3:-}" ] || trap 'rm -rf "$work"' EXIT
export LC_ALL=C PATH=$PATH:/usr/sbin:/sbin

if [ ! -s "$work/disk.img" ]; then
    "$here/Tests/Scripts/make-guest.sh" "$work/disk.img" $((1 << 30))
    mkdir -p "$work/tree"
    for i in $(seq 2000); do
        [ $((i % 100)) != 1 ] || mkdir -p "$work/tree/d$((i / 100))"
        head -c 1500 /dev/urandom >"$work/tree/d$(((i - 1) / 100))/file$i"
    done
    tar -C "$work/tree" -cf "$work/tree.tar" .
    head -c $((200 << 20)) /dev/urandom >"$work/blob"
    "$ours" put --no-undo "$work/disk.img" "$work/blob" /blob 2>/dev/null || "$ours" put "$work/disk.img" "$work/blob" /blob
    rm -f "$work"/disk.img.undo*
    truncate -s 256M "$work/plain.img"
    mke2fs -q -F -t ext4 -N 8192 "$work/plain.img"
    for format in qcow2 vmdk vpc; do qemu-img convert -O "$format" "$work/disk.img" "$work/disk.$format"; done
fi

# once FILE COMMAND…: appends "microseconds kibibytes".
once() {
    local out=$1; shift
    /usr/bin/time -q -f '%U %S %M' -o "$work/time" "$@" >/dev/null 2>"$work/errors" || { cat "$work/errors" >&2; exit 1; }
    awk '{ print ($1 + $2) * 1000, $3 }' "$work/time" >>"$out"
}
figures() { sort -n -k "$2,$2" "$1" | awk -v c="$2" '{ v[NR] = $c } END { print v[int((NR + 1) / 2)], v[1] }'; }
# versus NAME TURNS REPEATS PREPARE COMMAND…: BINARY in the command is either; a turn runs it REPEATS times in one shell,
# because the clock counts in hundredths of a second.
versus() {
    local name=$1 turns=$2 repeats=$3 prepare=$4 i who; shift 4
    # shellcheck disable=SC2053
    [[ $name == ${ONLY:-*} ]] || return 0
    : >"$work/a"; : >"$work/b"
    for ((i = 0; i <= turns; i++)); do
        for who in $( ((i % 2)) && echo a b || echo b a); do
            eval "$prepare"
            binary=$([ "$who" = a ] && echo "$ours" || echo "$theirs")
            once "$work/$who" sh -c 'n=$1; shift; while [ "$n" -gt 0 ]; do "$@" || exit 1; n=$((n - 1)); done' \
                sh "$repeats" "${@/BINARY/$binary}"
        done
        [ "$i" != 0 ] || { : >"$work/a"; : >"$work/b"; }
    done
    paste -d' ' <(figures "$work/a" 1) <(figures "$work/b" 1) <(figures "$work/a" 2) <(figures "$work/b" 2) |
        awk -v n="$name" -v r="$repeats" '{
            printf "%-34s ms %8.1f %8.1f  ratio %.2f best %.2f   MiB %5.1f %5.1f  ratio %.2f\n", n, $1 / r, $3 / r,
                $1 / $3, $2 / $4, $5 / 1024, $7 / 1024, $5 / $7 }'
}

# counted NAME COMMAND…: millions of instructions of each, in one thread or several.
counted() {
    local name=$1 who n; shift
    # shellcheck disable=SC2053
    [[ $name == ${ONLY:-*} ]] || return 0
    for who in "$ours" "$theirs"; do
        n=$(valgrind --tool=cachegrind --cache-sim=no --cachegrind-out-file=/dev/null "${@/BINARY/$who}" 2>&1 >/dev/null |
            sed -n 's/.*I *refs: *//p' | tr -d ,)
        echo "$n"
    done | paste -sd' ' | awk -v n="$name" '{
        printf "%-34s millions of instructions %8.1f %8.1f  ratio %.2f\n", n, $1 / 1e6, $2 / 1e6, $1 / $2 }'
}

few=$(((runs + 2) / 3))
img=$work/disk.img
if command -v valgrind >/dev/null; then
    counted "--version" BINARY --version
    for format in raw qcow2 vmdk vpc; do
        file=$work/disk.$format; [ "$format" != raw ] || file=$img
        counted "info, $format" BINARY info -f "$format" "$file"
    done
    counted "ls /etc" BINARY ls "$img" /etc
    counted "cat /etc/fstab" BINARY cat "$img" /etc/fstab
    counted "inspect" BINARY inspect "$img"
    counted "plan" BINARY plan --to hyperv "$img"
    counted "check" BINARY check "$img"
    counted "find /" BINARY find "$img" /
    [ -z "${COUNT_ONLY:-}" ] || exit 0
fi
for format in raw qcow2 vmdk vpc; do
    file=$work/disk.$format; [ "$format" != raw ] || file=$img
    versus "info, $format" "$runs" 20 : BINARY info -f "$format" "$file"
done
versus "ls /etc" "$runs" 20 : BINARY ls "$img" /etc
versus "cat /etc/fstab" "$runs" 20 : BINARY cat "$img" /etc/fstab
versus "inspect" "$runs" 10 : BINARY inspect "$img"
versus "plan" "$runs" 5 : BINARY plan --to hyperv "$img"
versus "check" "$runs" 2 : BINARY check "$img"
versus "find /" "$runs" 5 : BINARY find "$img" /
for pair in raw:raw raw:qcow2 raw:vmdk raw:vpc qcow2:raw vmdk:raw vpc:raw qcow2:vpc vmdk:vpc vmdk:qcow2; do
    from=${pair%:*} to=${pair#*:}
    file=$work/disk.$from; [ "$from" != raw ] || file=$img
    versus "convert $from → $to" "$few" 1 "rm -f '$work/out'" BINARY convert -f "$from" -O "$to" "$file" "$work/out"
done
fresh="cp --reflink=auto --sparse=always '$img' '$work/copy'; rm -f '$work'/copy.undo*"
versus "put a small file" "$runs" 10 "$fresh" BINARY put "$work/copy" "$work/tree/d0/file1" /etc/motd
versus "untar 2,000 files" "$few" 1 "cp --sparse=always '$work/plain.img' '$work/copy'; rm -f '$work'/copy.undo*" \
    BINARY untar "$work/copy" "$work/tree.tar" / --volume disk
versus "patch, then nothing to do" "$few" 4 "$fresh" BINARY patch --to kvm "$work/copy"
