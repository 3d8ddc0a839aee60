#!/usr/bin/env bash
# fat-kernel-vm.sh DISKGRAFT GUEST.img [ROUNDS]
#
# Where the host's kernel has no vfat: seeded series of the command's changes on FAT12, FAT16 and FAT32 volumes, then the
# kernel of a virtual machine has to see every file as it should be, makes, renames and removes others beside them, and
# fsck.vfat -n and `check` are content; the command then sees what the kernel did. GUEST is a raw GPT disk of a Debian, its
# ext4 root the second partition (the boot laboratory's g5-uefi-gpt.img): kernel and modules are its. Needs no root:
# qemu-system-x86_64, mkfs.vfat, fsck.vfat, debugfs, sfdisk, cpio, python3, and a static busybox (BUSYBOX names it).
set -euo pipefail
[ $# -ge 2 ] || { sed -n '2,10p' "$0"; exit 64; }
binary=$(realpath "$1")
guest=$(realpath "$2")
rounds=${3:-2}
export LC_ALL=C PATH=$PATH:/usr/sbin:/sbin
busybox=${BUSYBOX:-$(command -v busybox)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$(sfdisk -J "$guest" | python3 -c "import json,sys; print(json.load(sys.stdin)['partitiontable']['partitions'][1]['start']*512)")
dump() { debugfs -R "dump $1 $2" "$guest?offset=$root" 2>/dev/null; }
release=$(debugfs -R 'ls -p /usr/lib/modules' "$guest?offset=$root" 2>/dev/null | awk -F/ '$6 ~ /^[0-9]/ { print $6; exit }')
dump "/boot/vmlinuz-$release" "$work/kernel"
mkdir -p "$work/init/bin" "$work/init/m" "$work/init/mnt" "$work/init/proc" "$work/init/dev"
number=10
for module in virtio/virtio virtio/virtio_ring virtio/virtio_pci_legacy_dev virtio/virtio_pci_modern_dev virtio/virtio_pci block/virtio_blk; do
    dump "/usr/lib/modules/$release/kernel/drivers/$module.ko" "$work/init/m/$number.ko"
    number=$((number + 1))
done
for module in fs/nls/nls_cp437 fs/nls/nls_ascii fs/nls/nls_utf8 fs/fat/fat fs/fat/vfat; do
    dump "/usr/lib/modules/$release/kernel/$module.ko" "$work/init/m/$number.ko"
    number=$((number + 1))
done
cp "$busybox" "$work/init/bin/busybox"
cat >"$work/init/init" <<'INIT'
#!/bin/busybox sh
b=/bin/busybox
$b mount -t proc proc /proc
$b mount -t devtmpfs dev /dev
for m in /m/*.ko; do $b insmod $m; done
echo
for d in /dev/vd?; do
    if ! $b mount -t vfat -o utf8 $d /mnt; then echo "JUDGE $d not mounted"; continue; fi
    cd /mnt
    $b find . -type f | $b sort | while read -r f; do echo "JUDGE $d $($b sha256sum "$f")"; done
    $b find . -type d | $b sort | while read -r f; do echo "JUDGE $d dir $f"; done
    $b mkdir -p theirs
    for i in 1 2 3 4 5 6; do $b head -c ${i}000 /dev/urandom >"theirs/A file of theirs $i.txt"; done
    $b mv 'theirs/A file of theirs 3.txt' theirs/x3
    $b rm theirs/*[46].txt
    $b find theirs -type f | $b sort | while read -r f; do echo "THEIRS $d $($b sha256sum "$f")"; done
    cd /
    $b umount /mnt || echo "JUDGE $d not unmounted"
done
echo JUDGE-END
$b sync
$b poweroff -f
INIT
chmod +x "$work/init/init"
(cd "$work/init" && find . | cpio -o -H newc --quiet | gzip) >"$work/initramfs"
cat >"$work/series.py" <<'PYTHON'
import hashlib, json, os, random, subprocess, sys
binary, image, state, seed, steps = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
rng = random.Random(seed)
model = json.load(open(state)) if os.path.exists(state) else {'files': {}, 'dirs': ['']}
files, dirs = model['files'], model['dirs']
WORDS = ['GRUB.CFG', 'loader.conf', 'A long name of a file.efi', 'Kernel-6.1', 'mixed Case', 'ä ö ü', 'x' * 60, 'b.txt', 'initrd.img-6.1.0-50-amd64']
def run(*words):
    subprocess.run([binary, words[0], image, *words[1:], '--volume', 'disk'], check=True, stdout=subprocess.DEVNULL)
    if os.path.exists(image + '.undo'): os.remove(image + '.undo')
def name():
    return rng.choice(dirs) + '/' + f'{rng.choice(WORDS)}{rng.randrange(30)}'
def taken(path):
    return any(p.lower() == path.lower() for p in list(files) + dirs)
for _ in range(steps):
    kind = rng.choice(['put', 'put', 'put', 'replace', 'mkdir', 'mv', 'rm'])
    if kind in ('put', 'replace') or not files:
        path = rng.choice(sorted(files)) if kind == 'replace' and files else name()
        if kind != 'replace' and taken(path): continue
        data = rng.randbytes(rng.choice([0, 1, 511, 512, 5000, 40000]))
        open(image + '.in', 'wb').write(data)
        run('put', image + '.in', path)
        files[path] = hashlib.sha256(data).hexdigest()
    elif kind == 'mkdir':
        path = name()
        if taken(path) or path.count('/') > 4: continue
        run('mkdir', path)
        dirs.append(path)
    elif kind == 'mv':
        path, to = rng.choice(sorted(files)), name()
        if taken(to): continue
        run('mv', path, to)
        files[to] = files.pop(path)
    else:
        path = rng.choice(sorted(files))
        run('rm', path)
        del files[path]
json.dump(model, open(state, 'w'))
PYTHON
cat >"$work/compare.py" <<'PYTHON'
import json, re, sys
log = open(sys.argv[1], errors='replace').read().replace('\r', '')
assert 'JUDGE-END' in log, 'the machine did not end: ' + log[-500:]
for disk, state in zip('abcdefgh', sys.argv[2:]):
    model = json.load(open(state))
    seen = {'.' + p: s for p, s in model['files'].items()}
    found = {m[2]: m[1] for m in re.finditer(rf'^JUDGE /dev/vd{disk} ([0-9a-f]{{64}})  (.*)$', log, re.M)}
    found = {p: s for p, s in found.items() if not p.startswith('./theirs/')}
    dirs = {m[1] for m in re.finditer(rf'^JUDGE /dev/vd{disk} dir (.*)$', log, re.M)} - {'./theirs'}
    assert found == seen, (state, set(found.items()) ^ set(seen.items()))
    assert dirs == {'.' + d for d in model['dirs']}, (state, dirs)
    assert not re.search(rf'^JUDGE /dev/vd{disk} not', log, re.M), state
    model['theirs'] = {m[2]: m[1] for m in re.finditer(rf'^THEIRS /dev/vd{disk} ([0-9a-f]{{64}})  (.*)$', log, re.M)}
    assert len(model['theirs']) == 4, (state, model['theirs'])
    json.dump(model, open(state, 'w'))
    print(f'{state.split("/")[-1]}: {len(found)} files and {len(dirs)} directories as they should be')
PYTHON
images=()
for kind in '12 -s 4 6000' '16 -s 1 6000' '32 -s 1 34500' '16 -S 2048 -s 1 12000' '32 -S 4096 -s 1 6000'; do
    read -r width rest <<<"$kind"
    blocks=${rest##* }
    # shellcheck disable=SC2086
    mkfs.vfat -F "$width" ${rest% *} -C "$work/fat${#images[@]}.img" "$blocks" >/dev/null 2>&1
    images+=("$work/fat${#images[@]}.img")
done
for round in $(seq 1 "$rounds"); do
    drives=()
    for index in "${!images[@]}"; do
        image=${images[index]}
        python3 "$work/series.py" "$binary" "$image" "$image.json" "$((round * 100 + index))" "${STEPS:-60}"
        fsck.vfat -n "$image" >"$work/fsck" 2>&1 || { cat "$work/fsck"; exit 1; }
        drives+=(-drive "if=none,id=d$index,file=$image,format=raw" -device "virtio-blk-pci,drive=d$index")
    done
    timeout 400 qemu-system-x86_64 -accel tcg -m 256 -nographic -nic none -no-reboot -kernel "$work/kernel" \
        -initrd "$work/initramfs" -append 'console=ttyS0 quiet loglevel=0 panic=-1' "${drives[@]}" \
        </dev/null >"$work/log" 2>&1 || true
    python3 "$work/compare.py" "$work/log" "${images[@]/%/.json}"
    for image in "${images[@]}"; do
        fsck.vfat -n "$image" >"$work/fsck" 2>&1 || { cat "$work/fsck"; exit 1; }
        "$binary" check "$image" >/dev/null
        python3 - "$binary" "$image" <<'PYTHON'
import hashlib, json, subprocess, sys
for path, digest in json.load(open(sys.argv[2] + '.json'))['theirs'].items():
    data = subprocess.run([sys.argv[1], 'cat', sys.argv[2], '/' + path, '--volume', 'disk'], check=True, stdout=subprocess.PIPE).stdout
    assert hashlib.sha256(data).hexdigest() == digest, path
PYTHON
        "$binary" rm -r "$image" /theirs --volume disk >/dev/null
        rm -f "$image.undo"
    done
    echo "round $round: the kernel and the command see the same on ${#images[@]} volumes"
done
