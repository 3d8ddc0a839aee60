#!/usr/bin/env bash
# ext4-writing.sh BINARY [WORK-FOLDER]
#
# Writes small files into an ext4 volume and removes them again: this engine (which keeps an undo record of
# all of it), debugfs, and fuse2fs where it may mount (neither keeps one). The same tree, the same volume, all durable
# at the end. Prints times, ratios and peak memory. COUNT files, 100000 without it.
set -euo pipefail
binary=$(readlink -f "$1")
work=${2:-$(mktemp -d "${TMPDIR:-/tmp}/diskgraft-ext4.XXXXXX")}
[ -n "${2:-}" ] || trap 'rm -rf "$work"' EXIT
mkdir -p "$work"
count=${COUNT:-100000}
export LC_ALL=C PATH=$PATH:/usr/sbin:/sbin
cd "$work"

python3 - "$count" <<'PY'
import io, sys, tarfile
count = int(sys.argv[1])
tar = tarfile.open('many.tar', 'w', format=tarfile.USTAR_FORMAT)
script, remove = open('write.cmd', 'w'), open('remove.cmd', 'w')
def folder(name):
    info = tarfile.TarInfo(name); info.type = tarfile.DIRTYPE; info.mode = 0o755; tar.addfile(info)
    script.write(f'mkdir {name}\n')
open('payload', 'wb').write(b'x' * 700)
folder('many')
for index in range(count):
    if index % 1000 == 0: folder(f'many/{index // 1000}')
    name = f'many/{index // 1000}/file{index}'
    info = tarfile.TarInfo(name); info.size = 700; tar.addfile(info, io.BytesIO(b'x' * 700))
    if index % 1000 == 0: script.write(f'cd /many/{index // 1000}\n')
    script.write(f'write payload file{index}\n')
    if index % 1000 == 999 or index == count - 1: script.write('cd /\n')
    remove.write(f'rm {name}\n')
for index in range((count + 999) // 1000): remove.write(f'rmdir many/{index}\n')
remove.write('rmdir many\n')
tar.close()
PY
fresh() { rm -f fs.img fs.img.undo; truncate -s 2G fs.img; mke2fs -q -F -t ext4 -b 4096 -N $((count + count / 5 + 1000)) fs.img; sync; }
# timed NAME COMMAND: seconds into $NAME, peak memory printed.
timed() {
    local name=$1 file="time-$1"; shift
    /usr/bin/time -f '%e %M' -o "$file" sh -c "$*; sync fs.img" >/dev/null 2>"$file.log" || { cat "$file.log" >&2; exit 1; }
    read -r seconds memory <"$file"
    printf '%-28s %8.2f s  peak %6d KiB\n' "$name" "$seconds" "$memory"
    eval "$name=$seconds"
}
sound() { e2fsck -fn fs.img >fsck.log 2>&1 || { cat fsck.log; exit 1; }; }

fresh
timed ours_write "'$binary' untar fs.img many.tar --volume disk"; sound
timed ours_remove "'$binary' rm -r fs.img /many --volume disk"; sound
fresh
timed debugfs_write "debugfs -w -f write.cmd fs.img"
timed debugfs_remove "debugfs -w -f remove.cmd fs.img"
if [ -e /dev/fuse ] && command -v fuse2fs >/dev/null; then
    fresh
    mkdir -p mnt
    if timed fuse2fs_write "fuse2fs fs.img mnt -o fakeroot && tar -xf many.tar -C mnt --no-same-owner && fusermount -u mnt && sleep 0.2"; then
        timed fuse2fs_remove "fuse2fs fs.img mnt -o fakeroot && rm -rf mnt/many && fusermount -u mnt && sleep 0.2"
    fi
fi
for other in debugfs fuse2fs; do
    for part in write remove; do
        theirs="${other}_$part" mine="ours_$part"
        [ -z "${!theirs:-}" ] || awk -v n="$theirs" -v x="${!mine}" -v y="${!theirs}" 'BEGIN { printf "%-28s ours / it %.2f\n", n, x / y }'
    done
done

echo "Replacing one file, 50 times: seconds a time, of it in flushes"
fresh
printf 'old\n' >old; "$binary" put fs.img old /file --volume disk
if command -v strace >/dev/null; then
    for i in $(seq 50); do
        printf 'new %s\n' "$i" >new
        strace -f -c -w -e trace=fdatasync,fsync -o "st.$i" "$binary" put fs.img new /file --volume disk
        awk '$NF == "fdatasync" || $NF == "fsync" { t += $2 } END { print t + 0 }' "st.$i"
    done | awk '{ t += $1 } END { printf "  in flushes (under strace) %.2f ms\n", t / NR * 1000 }'
fi
start=$(date +%s%N)
for i in $(seq 50); do printf 'again %s\n' "$i" >new; "$binary" put fs.img new /file --volume disk; done
echo "  whole process $(( ($(date +%s%N) - start) / 50000 )) µs"
start=$(date +%s%N)
for i in $(seq 50); do "$binary" stat fs.img /file --volume disk >/dev/null; done
echo "  opening and reading the inode alone $(( ($(date +%s%N) - start) / 50000 )) µs"
sound
