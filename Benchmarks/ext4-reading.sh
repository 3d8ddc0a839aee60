#!/usr/bin/env bash
# ext4-reading.sh BINARY [WORK-FOLDER]
#
# Reads ext4 beside other readers in one run: a walk with SHA-256 of every file over 200,000 files, and one file of
# 4 GiB, everything in the host's page cache. The others: debugfs (rdump, dump), fuse2fs, sleuthkit (tsk_recover,
# icat), and as the limit the kernel's own mount (openssl on all cores; dd). What rdump and tsk_recover write goes
# to memory (/dev/shm) and is not hashed: they are timed for less work. Needs root for the mounts, 12 GiB in the
# work folder, 4 GiB in /dev/shm, and fuse2fs, sleuthkit, openssl, python3. Prints the best of RUNS (3) runs and the ratio
# ours / theirs (below 1: this engine is faster).
set -euo pipefail
binary=$(readlink -f "$1")
work=${2:-$(mktemp -d "${TMPDIR:-/tmp}/diskgraft-ext4.XXXXXX")}
runs=${RUNS:-3}
count=${FILES:-200000}
mkdir -p "$work/mount"
out=$(mktemp -d /dev/shm/diskgraft-ext4.XXXXXX)
clean() {
    umount "$work/mount" 2>/dev/null || true
    rm -rf "$out"
}
trap clean EXIT
export LC_ALL=C PATH=$PATH:/usr/sbin:/sbin

if [ ! -s "$work/files.img" ]; then
    truncate -s 5G "$work/files.img"
    mkfs.ext4 -q -F -N $((count * 3 / 2)) "$work/files.img"
    mount -o loop "$work/files.img" "$work/mount"
    python3 - "$work/mount" "$count" <<'PYTHON'
import os, random, sys
random.seed(5)
top, count = sys.argv[1], int(sys.argv[2])
sizes = [0, 100, 300, 800, 1500, 3000, 5000, 9000, 20000, 60000]
blob = random.randbytes(1 << 20)
for made in range(count):
    folder = os.path.join(top, f"d{made // 4000:03}", f"s{made // 100 % 40:02}")
    if made % 100 == 0: os.makedirs(folder, exist_ok=True)
    size = random.choice(sizes)
    start = random.randrange((1 << 20) - size)
    with open(os.path.join(folder, f"file-{made % 100:04}.dat"), "wb") as file:
        file.write(blob[start:start + size])
PYTHON
    umount "$work/mount"
fi
if [ ! -s "$work/large.img" ]; then
    truncate -s 5G "$work/large.img"
    mkfs.ext4 -q -F "$work/large.img"
    mount -o loop "$work/large.img" "$work/mount"
    head -c 4G /dev/urandom >"$work/mount/large"
    umount "$work/mount"
fi

# best NAME TIMES COMMAND: the shortest wall time in milliseconds, after one run that does not count.
best() {
    local name=$1 times=$2 shortest=0 i start
    for ((i = 0; i <= times; i++)); do
        [ "$times" = 1 ] && [ "$i" = 0 ] && continue
        start=$(date +%s%N)
        eval "$3" >/dev/null 2>&1
        start=$((($(date +%s%N) - start) / 1000000))
        rm -rf "${out:?}"/*
        [ "$i" = 0 ] || { [ "$shortest" != 0 ] && [ "$shortest" -le "$start" ]; } || shortest=$start
    done
    [ -n "$ours" ] || ours=$shortest
    awk -v n="$name" -v o="$ours" -v t="$shortest" \
        'BEGIN { printf "%-36s %8d ms   ours / theirs %.2f\n", n, t, o / t }'
}
hash_tree="find '$work/mount' -xdev -type f -print0 | xargs -0 -n 2000 -P $(nproc) openssl dgst -sha256 -r"
cat "$work/files.img" "$work/large.img" >/dev/null

echo "A walk with SHA-256 over $count files"
ours=
best "diskgraft ls -R --json --hash sha256" "$runs" \
    "'$binary' ls -R --json --hash sha256 '$work/files.img' --volume disk"
mount -o loop,ro "$work/files.img" "$work/mount"
best "kernel mount, openssl on all cores" "$runs" "$hash_tree"
umount "$work/mount"
fuse2fs -o ro "$work/files.img" "$work/mount" >/dev/null 2>&1
best "fuse2fs, openssl on all cores" 1 "$hash_tree"
umount "$work/mount"
best "debugfs rdump (no hashes)" 1 "debugfs -R 'rdump / $out' '$work/files.img'"
best "tsk_recover -a (no hashes)" 1 "tsk_recover -a '$work/files.img' '$out'"

echo "One file of 4 GiB"
ours=
best "diskgraft cat" "$runs" "'$binary' cat '$work/large.img' /large --volume disk"
mount -o loop,ro "$work/large.img" "$work/mount"
number=$(stat -c %i "$work/mount/large")
best "kernel mount, dd bs=1M" "$runs" "dd if='$work/mount/large' of=/dev/null bs=1M"
umount "$work/mount"
fuse2fs -o ro "$work/large.img" "$work/mount" >/dev/null 2>&1
best "fuse2fs, dd bs=1M" 1 "dd if='$work/mount/large' of=/dev/null bs=1M"
umount "$work/mount"
best "debugfs dump" 1 "debugfs -R 'dump /large /dev/null' '$work/large.img'"
best "icat" 1 "icat '$work/large.img' $number"
