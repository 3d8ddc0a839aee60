#!/usr/bin/env bash
# make-boot-guests.sh FOLDER GUEST… | all | list
#
# Builds small, real, bootable Debian guests whose initramfs holds the driver of the old machine alone (an IDE
# controller), each made another way. Every guest is named by UUIDs, so that nothing but a driver is missing when it is
# put behind another controller. FOLDER receives base/SUITE.tar.zst (debootstrap, once) and images/GUEST.img.
# boot.sh of the boot laboratory judges them: each prints the marker that it waits for.
#
# Needs root, loop devices, debootstrap, sfdisk, partx, e2fsprogs, zstd, cpio, python3 and, for lvm-md, the user space of
# LVM. The kernel's md, device mapper and partition parsers are not needed: MD superblocks are written here, and logical
# volumes are reached through loop devices at their places.
set -euo pipefail
export LC_ALL=C DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/sbin:$PATH
declare -A about=(
    [xz]="initramfs-tools, xz"
    [zstd]="initramfs-tools, zstd"
    [lz4]="initramfs-tools, lz4 in legacy frames (nothing can follow them)"
    [plain]="initramfs-tools, not compressed"
    [microcode]="initramfs-tools, gzip behind an early archive with microcode"
    [smallboot]="a /boot of its own with room for an overlay"
    [fullboot]="a /boot of its own with 24 KiB left"
    [rhel]="dracut for the host alone, /boot of its own, vmlinuz-RELEASE and initramfs-RELEASE.img, grub.cfg by hand"
    [lvm-md]="root and swap on LVM over MD RAID 1"
    [trixie]="Debian 13: modules compressed with xz"
    [bullseye]="Debian 11: Linux 5.10, initramfs-tools 0.140"
)
order="xz zstd lz4 plain microcode smallboot fullboot rhel lvm-md trixie bullseye"
[ $# -ge 2 ] || { sed -n '2,14p' "$0" >&2; exit 2; }
if [ "$2" = list ]; then for guest in $order; do echo "$guest: ${about[$guest]}"; done; exit; fi
mkdir -p "$1"/{base,images,packages/partial}
folder=$(readlink -f "$1")
shift
mirror=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' | grep -v security | sed -n 1p)}
serial="console=tty0 console=ttyS0,115200 rootdelay=20"

say() { echo "make-boot-guests: $*" >&2; }
die() { say "$*"; exit 1; }
quietly() { "$@" >>"$image.log" 2>&1 || die "$1 failed, see $image.log"; }

mounted= loops=()
leave() {
    set +e
    local place loop
    if [ -n "$mounted" ]; then
        for place in dev proc sys var/cache/apt/archives boot ''; do
            mountpoint -q "$mounted/$place" && umount "$mounted/$place"
        done
        rmdir "$mounted"
    fi
    for loop in "${loops[@]}"; do partx -d "$loop" 2>/dev/null; losetup -d "$loop" 2>/dev/null; done
    mounted= loops=()
    set -e
}
trap leave EXIT

# base SUITE: what every guest of a suite starts from, with the unit that prints the marker.
base() {
    local suite=$1 tree=$folder/base/$1
    [ ! -s "$tree.tar.zst" ] || return 0
    if [ ! -e "$tree.done" ]; then
        say "debootstrap $suite"
        rm -rf "$tree"
        debootstrap --variant=minbase --include=systemd-sysv,udev,kmod,initramfs-tools,zstd,lz4,xz-utils,e2fsprogs,util-linux,mount,fdisk,busybox,linux-image-amd64,grub2-common,grub-pc-bin \
            "$suite" "$tree" "$mirror" >"$tree.log" 2>&1 || die "debootstrap failed, see $tree.log"
        touch "$tree.done"
    fi
    rm -rf "$tree"/usr/share/{doc,man,locale,info}/* "$tree"/var/cache/apt/archives/*.deb "$tree"/boot/initrd.img-* "$tree"/debootstrap
    marker "$tree"
    tar -C "$tree" --numeric-owner --xattrs -cf - . | zstd -q -3 -o "$tree.tar.zst"
    rm -rf "$tree"
}
marker() {
    local tree=$1 unit
    echo bootlab >"$tree/etc/hostname"
    echo '127.0.0.1 localhost bootlab' >"$tree/etc/hosts"
    mkdir -p "$tree"/etc/systemd/system.conf.d "$tree"/etc/systemd/system/multi-user.target.wants
    printf '[Manager]\nDefaultDeviceTimeoutSec=45s\n' >"$tree/etc/systemd/system.conf.d/bootlab.conf"
    cat >"$tree/usr/local/sbin/bootlab-marker" <<'MARKER'
#!/bin/sh
# When systemd has nothing left to do: what came up, on the serial port.
systemctl is-system-running --wait >/dev/null 2>&1
SWAP=0 MOUNTS=
. /etc/bootlab-expect
if [ -x /etc/bootlab-once ]; then /etc/bootlab-once; rm -f /etc/bootlab-once; sync; fi
failed=$(systemctl list-units --state=failed --plain --no-legend | awk '{print $1}' | paste -sd, -)
missing=
for place in $MOUNTS; do mountpoint -q "$place" || missing="$missing,$place"; done
printf '\nBOOT-OK root=%s kernel=%s swap=%s\nFAILED-UNITS %s %s\nBOOTLAB rootmode=%s swap_want=%s swap_have=%s missing_mounts=%s boot=%s consoles=%s\nBOOTLAB-END\n' \
    "$(findmnt -no SOURCE /)" "$(uname -r)" "$(swapon --show=NAME --noheadings | paste -sd, -)" \
    "$(echo "$failed" | tr ',' '\n' | grep -c .)" "$failed" "$(findmnt -no OPTIONS / | cut -d, -f1)" \
    "$SWAP" "$(swapon --show=NAME --noheadings | grep -c .)" "${missing#,}" "$(findmnt -no SOURCE /boot)" \
    "$(tr ' ' , </sys/class/tty/console/active)" >/dev/ttyS0
sleep 2
systemctl poweroff
MARKER
    chmod 755 "$tree/usr/local/sbin/bootlab-marker"
    printf '[Unit]\nDescription=prints what came up and powers off\n[Service]\nType=simple\nExecStart=/usr/local/sbin/bootlab-marker\n' \
        >"$tree/etc/systemd/system/bootlab-marker.service"
    ln -sf ../bootlab-marker.service "$tree/etc/systemd/system/multi-user.target.wants/"
    ln -sf /lib/systemd/system/multi-user.target "$tree/etc/systemd/system/default.target"
    for unit in serial-getty@ttyS0.service systemd-logind.service systemd-networkd.service apt-daily.timer \
        apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer; do
        ln -sf /dev/null "$tree/etc/systemd/system/$unit"
    done
    : >"$tree/etc/machine-id"
    sed -i 's|^root:[^:]*:|root::|' "$tree/etc/shadow"
}

# disk SUITE [SIZE]: a new image from sfdisk's script on standard input; $part is the prefix of its partitions.
disk() {
    suite=$1
    base "$suite"
    rm -f "$image" "$image.log"
    truncate -s "${2:-2G}" "$image"
    sfdisk -q "$image"
    loop=$(losetup -f --show "$image")
    loops+=("$loop")
    partx -d "$loop" 2>/dev/null || true
    partx -a "$loop"
    part=${loop}p
    mounted=$(mktemp -d)
}
uuid() { blkid -p -s UUID -o value "$1"; }
inside() { chroot "$mounted" /usr/bin/env -u TMPDIR PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C "$@"; }
# fill ROOT [BOOT]: mounts, unpacks, and opens the guest for its own tools.
fill() {
    mount "$1" "$mounted"
    if [ -n "${2:-}" ]; then mkdir "$mounted/boot"; mount "$2" "$mounted/boot"; fi
    zstd -qdc "$folder/base/$suite.tar.zst" | tar -C "$mounted" --numeric-owner --xattrs -xf -
    release=$(basename "$mounted"/lib/modules/*)
    mount --bind /dev "$mounted/dev"
    mount -t proc proc "$mounted/proc"
    mount -t sysfs sysfs "$mounted/sys"
    mount --bind "$folder/packages" "$mounted/var/cache/apt/archives"
}
install() {
    cp /etc/resolv.conf "$mounted/etc/resolv.conf"
    printf '#!/bin/sh\nexit 101\n' >"$mounted/usr/sbin/policy-rc.d"
    chmod 755 "$mounted/usr/sbin/policy-rc.d"
    quietly inside apt-get -q update
    quietly inside apt-get -qy -o APT::Keep-Downloaded-Packages=true -o Dpkg::Options::=--force-unsafe-io --no-install-recommends install "$@"
    rm -rf "$mounted"/var/lib/apt/lists/* "$mounted"/usr/share/{doc,man,locale}/* "$mounted"/{usr/sbin/policy-rc.d,etc/resolv.conf}
}
# tables ROOT SWAP [BOOT]: fstab rows; arguments as fstab names them.
tables() {
    { echo "$1 / ext4 errors=remount-ro 0 1"; echo "$2 none swap sw 0 0"; } >"$mounted/etc/fstab"
    [ -z "${3:-}" ] || echo "$3 /boot ext4 defaults 0 2" >>"$mounted/etc/fstab"
    printf 'SWAP=1\nMOUNTS="%s"\n' "${3:+/boot}" >"$mounted/etc/bootlab-expect"
}
# initramfs COMPRESSION MODULE…: for the old machine alone; the guest's next one is made for the machine it runs on.
initramfs() {
    local compression=$1 conf=$mounted/etc/initramfs-tools
    shift
    sed -i -e 's/^MODULES=.*/MODULES=list/' -e "s/^COMPRESS=.*/COMPRESS=$compression/" "$conf/initramfs.conf"
    mkdir -p "$conf/conf.d"
    rm -f "$conf/conf.d/driver-policy"
    echo RESUME=none >"$conf/conf.d/resume"
    cp "$conf/modules" "$conf/modules.kept"
    printf '%s\n' "$@" >>"$conf/modules"
    quietly inside update-initramfs -c -k "$release"
    mv "$conf/modules.kept" "$conf/modules"
    sed -i 's/^MODULES=.*/MODULES=dep/' "$conf/initramfs.conf"
    inside lsinitramfs "/boot/initrd.img-$release" >"$image.lst"
}
# grub ROOT: GRUB 2 for BIOS, its menu by the guest's own tool.
grub() {
    printf 'GRUB_DEFAULT=0\nGRUB_TIMEOUT=1\nGRUB_DISTRIBUTOR=Debian\nGRUB_CMDLINE_LINUX_DEFAULT=""\nGRUB_CMDLINE_LINUX="%s"\nGRUB_TERMINAL=console\n' \
        "$serial" >"$mounted/etc/default/grub"
    mkdir -p "$mounted/boot/grub"
    quietly inside grub-install --target=i386-pc --no-floppy "$loop"
    quietly inside grub-mkconfig -o /boot/grub/grub.cfg
    # Without udev's links grub-mkconfig names the loop device.
    sed -i -E -e "s#^([[:space:]]*linux[[:space:]].*)root=[^ ]+#\1root=$1#" -e 's#/dev/loop[0-9]+#root#' "$mounted/boot/grub/grub.cfg"
    ! grep -n 'loop[0-9]' "$mounted/boot/grub/grub.cfg" || die "a loop device in grub.cfg"
}
old="ata_piix sd_mod ext4 crc32c_generic"

# one SUITE COMPRESSION: root and swap, GRUB 2, initramfs-tools. $tamper runs before GRUB's menu is made.
one() {
    disk "$1" <<<$'label: dos\nsize=1800M, type=83, bootable\ntype=82'
    mkfs.ext4 -q -L root "${part}1"
    mkswap -q "${part}2"
    fill "${part}1"
    tables "UUID=$(uuid "${part}1")" "UUID=$(uuid "${part}2")"
    # shellcheck disable=SC2086
    initramfs "$2" $old
    [ -z "${tamper:-}" ] || "$tamper"
    grub "UUID=$(uuid "${part}1")"
}
decompressed() { # initramfs-tools always compresses: the archive is what it compressed
    local file=$mounted/boot/initrd.img-$release
    gzip -dc "$file" >"$file.new"
    mv "$file.new" "$file"
}
with_microcode() { # what a microcode package's hook gives: an archive that is not compressed, in front
    local early
    early=$(mktemp -d)
    mkdir -p "$early/kernel/x86/microcode"
    head -c 65536 /dev/urandom >"$early/kernel/x86/microcode/GenuineIntel.bin"
    (cd "$early" && find . -mindepth 1 | sort | cpio --quiet -o -H newc -R 0:0) >"$early.cpio"
    cat "$early.cpio" "$mounted/boot/initrd.img-$release" >"$early.whole"
    cp "$early.whole" "$mounted/boot/initrd.img-$release"
    rm -rf "$early" "$early.cpio" "$early.whole"
}
# boot_of_its_own SIZE LEFT: /boot in SIZE MiB; with LEFT all but so many KiB of it are taken.
boot_of_its_own() {
    disk bookworm <<<"label: dos
size=$1M, type=83, bootable
size=1600M, type=83
type=82"
    mkfs.ext4 -q -m 0 -L boot "${part}1"
    mkfs.ext4 -q -L root "${part}2"
    mkswap -q "${part}3"
    fill "${part}2" "${part}1"
    tables "UUID=$(uuid "${part}2")" "UUID=$(uuid "${part}3")" "UUID=$(uuid "${part}1")"
    # shellcheck disable=SC2086
    initramfs gzip $old
    grub "UUID=$(uuid "${part}2")"
    if [ -n "${2:-}" ]; then
        # Not through the kernel, which keeps some blocks of every ext4 to itself.
        local place free
        for place in dev proc sys var/cache/apt/archives boot; do umount "$mounted/$place"; done
        free=$(dumpe2fs -h "${part}1" 2>/dev/null | awk '/^Free blocks/ {blocks = $3} /^Block size/ {size = $3} END {print blocks * size / 1024}')
        head -c $(((free - $2) * 1024 * 255 / 256)) /dev/urandom >"$image.filler"
        debugfs -w -R "write $image.filler other" "${part}1" >>"$image.log" 2>&1
        rm "$image.filler"
        e2fsck -fn "${part}1" >>"$image.log" 2>&1 || die "/boot is not in order, see $image.log"
        say "$(dumpe2fs -h "${part}1" 2>/dev/null | grep '^Free blocks') of $(dumpe2fs -h "${part}1" 2>/dev/null | awk '/^Block size/ {print $3}') bytes in /boot"
    fi
}
build_xz() { one bookworm xz; }
build_zstd() { one bookworm zstd; }
build_lz4() { one bookworm lz4; }
build_plain() { tamper=decompressed one bookworm gzip; }
build_microcode() { tamper=with_microcode one bookworm gzip; }
build_smallboot() { boot_of_its_own 48; }
build_fullboot() { boot_of_its_own 48 24; }
build_trixie() { one trixie zstd; }
build_bullseye() { one bullseye gzip; }

build_rhel() {
    disk bookworm <<<$'label: dos\nsize=128M, type=83, bootable\nsize=1600M, type=83\ntype=82'
    mkfs.ext4 -q -L boot "${part}1"
    mkfs.ext4 -q -L root "${part}2"
    mkswap -q "${part}3"
    fill "${part}2" "${part}1"
    install dracut
    tables "UUID=$(uuid "${part}2")" "UUID=$(uuid "${part}3")" "UUID=$(uuid "${part}1")"
    rm -f "$mounted"/boot/initrd.img-*
    mkdir -p "$mounted/etc/dracut.conf.d"
    echo 'hostonly="yes"' >"$mounted/etc/dracut.conf.d/10-hostonly.conf"
    # --drivers says what dracut would find on the old machine; nothing of it stays in the guest's settings.
    quietly inside dracut --force --hostonly --no-hostonly-default-device --no-hostonly-cmdline \
        --drivers "ext4 libata ata_piix scsi_mod sd_mod crc32c_generic" --filesystems ext4 \
        --omit "lvm dm mdraid dmraid crypt btrfs multipath network nbd nfs iscsi fcoe fcoe-uefi plymouth" \
        "/boot/initramfs-$release.img" "$release"
    inside lsinitrd "/boot/initramfs-$release.img" >"$image.lst"
    mkdir -p "$mounted/boot/grub"
    quietly inside grub-install --target=i386-pc --no-floppy "$loop"
    cat >"$mounted/boot/grub/grub.cfg" <<MENU
set default=0
set timeout=1
insmod part_msdos
insmod ext2
search --no-floppy --fs-uuid --set=root $(uuid "${part}1")
menuentry 'Linux ($release)' --class gnu-linux {
	linux /vmlinuz-$release root=UUID=$(uuid "${part}2") ro $serial rd.timeout=60
	initrd /initramfs-$release.img
}
MENU
}

build_lvm-md() {
    disk bookworm 3G <<<$'label: dos\nsize=128M, type=83, bootable\nsize=1200M, type=fd\nsize=1200M, type=fd'
    mkfs.ext4 -q -L boot "${part}1"
    local array offset=2048 sectors root swap extents quiet
    array=$(cat /proc/sys/kernel/random/uuid)
    sectors=$(($(blockdev --getsz "${part}2") - offset))
    local member
    for member in 0 1; do md_superblock "${part}$((member + 2))" $member "$array" $offset $sectors; done
    # The first member's data, as the array would show it.
    local md
    md=$(losetup -f --show -o $((offset * 512)) "${part}2")
    loops=("$md" "${loops[@]}")
    quiet=(--driverloaded n --config "devices { use_devicesfile=0 filter=[\"a|^$md\$|\",\"r|.*|\"] }")
    quietly pvcreate -y "${quiet[@]}" "$md"
    quietly vgcreate -y -s 4M "${quiet[@]}" system "$md"
    quietly lvcreate -an -Zn -Wn -y -L 64M -n swap "${quiet[@]}" system
    quietly lvcreate -an -Zn -Wn -y -l 100%FREE -n root "${quiet[@]}" system
    extents=$(pvs --noheadings --nosuffix --units b -o pe_start "${quiet[@]}" "$md" 2>/dev/null | tr -d ' ')
    volume() { # the volume's only segment
        local range node
        range=$(lvs --noheadings -o seg_pe_ranges "${quiet[@]}" "system/$1" 2>/dev/null | tr -d ' ')
        range=${range##*:}
        node=$(losetup -f --show -o $((extents + ${range%-*} * 4194304)) --sizelimit $(((${range#*-} - ${range%-*} + 1) * 4194304)) "$md")
        echo "$node"
    }
    swap=$(volume swap)
    root=$(volume root)
    loops=("$root" "$swap" "${loops[@]}")
    mkswap -q "$swap"
    mkfs.ext4 -q -m 0 -L root "$root"
    fill "$root" "${part}1"
    install lvm2 mdadm
    tables /dev/mapper/system-root /dev/mapper/system-swap "UUID=$(uuid "${part}1")"
    local name=${array//-/}
    printf 'HOMEHOST <ignore>\nMAILADDR root\nARRAY /dev/md0 metadata=1.2 UUID=%s\n' "${name:0:8}:${name:8:8}:${name:16:8}:${name:24:8}" \
        >"$mounted/etc/mdadm/mdadm.conf"
    # shellcheck disable=SC2086
    initramfs gzip $old dm_mod md_mod raid1
    grub /dev/mapper/system-root
    local place
    for place in dev proc sys var/cache/apt/archives boot ''; do umount "$mounted/$place"; done
    sync
    dd if="${part}2" of="${part}3" bs=1M iflag=skip_bytes oflag=seek_bytes skip=$((offset * 512)) seek=$((offset * 512)) conv=notrunc,sparse status=none
    mdadm --examine "${part}2" "${part}3" >>"$image.log" 2>&1 || say "mdadm does not take the superblocks"
}
# md_superblock DEVICE MEMBER ARRAY OFFSET SECTORS: version 1.2 of a clean RAID 1 of two (struct mdp_superblock_1 of the
# kernel's raid/md_p.h), because mdadm makes none without the kernel's driver.
md_superblock() {
    python3 - "$@" <<'PYTHON'
import os, struct, sys, time, uuid
device, member, array, offset, sectors = sys.argv[1], int(sys.argv[2]), uuid.UUID(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5])
now = int(time.time())
head = struct.pack('<IIII16s32sQIIQIII', 0xa92b4efc, 1, 0, 0, array.bytes, b'bootlab:0', now, 1, 0, sectors, 0, 2, 0)
head = head.ljust(128, b'\0')
device_part = struct.pack('<QQQQII16sBBBB', offset, sectors, 8, 0, member, 0, uuid.uuid4().bytes, 0, 0, 0, 0).ljust(64, b'\0')
state = struct.pack('<QQQII', now, 1, 0xffffffffffffffff, 0, 128).ljust(64, b'\0')
roles = struct.pack('<128H', 0, 1, *([0xfffe] * 126))
block = bytearray(head + device_part + state + roles)
total = sum(struct.unpack('<%dI' % (len(block) // 4), bytes(block)))
struct.pack_into('<I', block, 216, ((total & 0xffffffff) + (total >> 32)) & 0xffffffff)
with open(device, 'r+b') as file:
    file.seek(4096)
    file.write(block)
    file.flush()
    os.fsync(file.fileno())
PYTHON
}

[ "$(id -u)" = 0 ] || die "needs root"
[ "$1" != all ] || set -- $order
for guest in "$@"; do
    [ -n "${about[$guest]:-}" ] || die "unknown guest $guest"
    image=$folder/images/$guest.img
    began=$SECONDS
    "build_$guest"
    sync
    leave
    say "$guest: $((SECONDS - began)) s"
done
