#!/usr/bin/env bash
# xfs-kernel.sh BINARY
#
# Lets the kernel judge XFS volumes that were changed here: it fills a volume of each kind, files are replaced in it and its
# label set, and the kernel has to mount it without a word, read what was written, change and remove it, and leave it
# sound for xfs_repair. Copies that shared blocks with a replaced file have to stay as they were. Needs root and loop devices.
set -euo pipefail
binary=$(realpath "$1")
[ "$(id -u)" = 0 ] || { echo "xfs-kernel: needs root" >&2; exit 1; }
work=$(mktemp -d)
trap 'umount "$work/mnt" 2>/dev/null || true; rm -rf "$work"' EXIT
mkdir "$work/mnt"
status=0
judge() {
    local name=$1
    shift
    truncate -s 320M "$work/$name.img"
    mkfs.xfs -q "$@" "$work/$name.img"
    mount -o loop "$work/$name.img" "$work/mnt" || { echo "$name: skipped, this kernel does not mount it"; return 0; }
    mkdir -p "$work/mnt/boot/grub2" "$work/mnt/etc"
    head -c 9000 /dev/urandom >"$work/mnt/boot/grub2/grub.cfg"
    cp --reflink=auto "$work/mnt/boot/grub2/grub.cfg" "$work/mnt/boot/grub2/grub.cfg.bak"
    cp "$work/mnt/boot/grub2/grub.cfg" "$work/before"
    echo old >"$work/mnt/etc/fstab"
    setfattr -n security.selinux -v system_u:object_r:etc_t:s0 "$work/mnt/etc/fstab"
    # A map of many extents.
    for i in $(seq 0 2 600); do
        dd if=/dev/urandom of="$work/mnt/boot/pieces" bs=4k seek="$i" count=1 conv=notrunc status=none
    done
    umount "$work/mnt"
    head -c 200000 /dev/urandom >"$work/new"
    local changed=()
    for path in boot/grub2/grub.cfg boot/pieces etc/fstab; do
        local result=0
        "$binary" put --volume disk "$work/$name.img" "$work/new" "/$path" >/dev/null 2>"$work/said" || result=$?
        if [ "$result" = 0 ]; then
            changed+=("$path")
        elif [ "$result" = 2 ]; then
            echo "$name: refused: $(sed 's/.*: xfs: //' "$work/said")"
        else
            cat "$work/said"
            status=1
        fi
    done
    # A new file and a new directory's; GRUB, which replays no log, reads what was committed.
    "$binary" mkdir --volume disk "$work/$name.img" /etc/dracut.conf.d >/dev/null 2>"$work/said" || { cat "$work/said"; status=1; }
    "$binary" put --volume disk "$work/$name.img" "$work/new" /etc/dracut.conf.d/90-new.conf >/dev/null 2>"$work/said" || { cat "$work/said"; status=1; }
    if command -v grub-fstest >/dev/null; then
        grub-fstest "$work/$name.img" cat '(loop0)/boot/grub2/grub.cfg' >"$work/grub" 2>/dev/null || true
        cmp -s "$work/new" "$work/grub" || echo "$name: this grub-fstest does not read the new grub.cfg"
    fi
    "$binary" label "$work/$name.img" patched --volume disk >/dev/null
    xfs_repair -n "$work/$name.img" >/dev/null 2>&1 || { echo "$name: xfs_repair finds damage"; status=1; }
    dmesg -C
    mount -o loop "$work/$name.img" "$work/mnt"
    for path in "${changed[@]}"; do
        cmp "$work/new" "$work/mnt/$path" || status=1
    done
    cmp "$work/before" "$work/mnt/boot/grub2/grub.cfg.bak" || status=1
    cmp "$work/new" "$work/mnt/etc/dracut.conf.d/90-new.conf" || status=1
    getfattr -n security.selinux "$work/mnt/etc/fstab" >/dev/null 2>&1 || { echo "$name: the label is gone"; status=1; }
    head -c 70000 /dev/urandom >"$work/mnt/etc/fstab"
    mv "$work/mnt/boot/grub2/grub.cfg" "$work/mnt/etc/moved"
    rm "$work/mnt/boot/pieces" "$work/mnt/etc/moved"
    umount "$work/mnt"
    if dmesg | grep XFS | grep -v -e 'Mounting V[45]' -e 'Ending clean mount' -e 'Unmounting' -e deprecated; then
        echo "$name: the kernel had something to say"
        status=1
    fi
    xfs_repair -n "$work/$name.img" >/dev/null 2>&1 || { echo "$name: damage after the kernel"; status=1; }
    echo "$name: done"
    rm "$work/$name.img"
}
judge rhel7 -m crc=1,finobt=0,reflink=0,bigtime=0,inobtcount=0,rmapbt=0 -i sparse=0
judge rhel8 -m finobt=1,reflink=1,bigtime=0,inobtcount=0 -i sparse=1
judge rhel9 -m bigtime=1,inobtcount=1
judge rhel10 -m rmapbt=1,bigtime=1,inobtcount=1 -i nrext64=1
judge 1k -b size=1024 -m bigtime=1,inobtcount=1
judge 4k-sectors -s size=4096 -i size=1024 -l su=32k -m bigtime=1
judge rhel6 -m crc=0 -n ftype=0
exit $status
