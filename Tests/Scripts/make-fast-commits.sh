#!/usr/bin/env bash
# make-fast-commits.sh: makes Tests/Fixtures/fast-commits anew: images copied while a kernel had them mounted and
# fast commits in their journals, and beside each what a kernel shows after its own replay (path, mode, owner, group,
# links, size, mtime in ns except of directories, contents' SHA-256). Needs root, loop devices, a kernel with
# fast commits. FOLDER as argument: puts them there instead.
set -euo pipefail
target=$(readlink -f "${1:-$(dirname "$0")/../Fixtures/fast-commits}")
work=$(mktemp -d)
trap 'umount "$work/m" 2>/dev/null || true; rm -rf "$work"' EXIT
mkdir "$work/m"

cat >"$work/change.py" <<'PYTHON'
import os, sys
def sync(path):
    fd = os.open(path, os.O_RDONLY); os.fsync(fd); os.close(fd)
def write(path, data, mode="wb", offset=None):
    with open(path, mode) as file:
        if offset is not None: file.seek(offset)
        file.write(data); file.flush(); os.fsync(file.fileno())
os.chdir(sys.argv[2])
write("d/first", b"in a full commit")
if sys.argv[1] == "names":
    write("d/new", b"created and synced\n"); write("top", b"x" * 70000)
    write("d/temporary", b"replaced\n"); os.rename("d/temporary", "d/over"); sync("d/over")
    os.link("d/f3", "d/hard"); sync("d/f3"); os.unlink("d/f4"); write("d/f5", b"1", "r+b", 3)
    write("d/gone", b"a" * 20000); os.unlink("d/gone"); write("d/again", b"b" * 100)
    os.mkdir("made"); write("made/inner", b"inner")
    os.rename("made/inner", "made/renamed"); sync("made/renamed")
else:
    with open("sparse", "wb") as file:
        for block in range(0, 40, 2): file.seek(block * 4096); file.write(bytes([block + 1]) * 4096)
        file.flush(); os.fsync(file.fileno()); file.truncate(20 * 4096); file.flush(); os.fsync(file.fileno())
    fd = os.open("reserved", os.O_RDWR | os.O_CREAT, 0o600)
    os.posix_fallocate(fd, 0, 1 << 18); os.fsync(fd); os.close(fd)
    write("reserved", b"part", "r+b", 100000)
    write("d/f1", b"appended" * 3000, "ab")
    os.chmod("d/f2", 0o640); os.chown("d/f2", 123, 456); sync("d/f2")
    os.utime("d/f6", ns=(1, 5000000000123456789)); sync("d/f6")
    with open("d/f7", "r+b") as file: file.truncate(30); file.flush(); os.fsync(file.fileno()); file.truncate(9000); file.flush(); os.fsync(file.fileno())
PYTHON

cat >"$work/list.py" <<'PYTHON'
import hashlib, os, stat, sys
top = sys.argv[1]
for directory, directories, files in sorted(os.walk(top)):
    for name in sorted(directories + files):
        path = os.path.join(directory, name); info = os.lstat(path)
        isDirectory = stat.S_ISDIR(info.st_mode)
        contents = "->" + os.readlink(path) if stat.S_ISLNK(info.st_mode) else "-" if isDirectory \
            else hashlib.sha256(open(path, "rb").read()).hexdigest()
        print(path[len(top):], oct(info.st_mode), info.st_uid, info.st_gid, info.st_nlink,
              "-" if isDirectory else info.st_size, "-" if isDirectory else info.st_mtime_ns, contents, "", sep="\t")
PYTHON

for name in names ranges; do
    image=$work/image
    rm -f "$image"
    truncate -s 12M "$image"
    mkfs.ext4 -q -F -b 1024 -O fast_commit "$image"
    mount -o loop "$image" "$work/m"
    mkdir "$work/m/d"
    for i in 1 2 3 4 5 6 7 8; do head -c 5000 /dev/zero | tr '\0' "$i" >"$work/m/d/f$i"; done
    echo old >"$work/m/d/over"
    ln -s f1 "$work/m/d/link"
    sync
    python3 "$work/change.py" "$name" "$work/m"
    cp --sparse=always "$image" "$work/copy"
    umount "$work/m"
    gzip -9n <"$work/copy" >"$target/$name.img.gz"
    mount -o loop "$work/copy" "$work/m"
    python3 "$work/list.py" "$work/m" >"$target/$name.expect.tsv"
    umount "$work/m"
done
