#!/usr/bin/env bash
# next-initramfs.sh IMAGE.img
#
# Runs the guest's own tools in it, as its next kernel update would: update-initramfs or dracut for every kernel, then
# update-grub where the guest has it. The raw image is changed. What is wanted is that a guest to which `patch` added
# drivers still has them afterwards and boots. Needs root and loop devices; root on plain partitions.
set -euo pipefail
export LC_ALL=C PATH=/usr/sbin:/sbin:$PATH
[ $# = 1 ] || { sed -n '2,6p' "$0" >&2; exit 2; }
tree=$(mktemp -d)
loop=$(losetup -f --show "$1")
leave() {
    set +e
    local place
    for place in dev proc sys boot ''; do mountpoint -q "$tree/$place" && umount "$tree/$place"; done
    rmdir "$tree"
    partx -d "$loop" 2>/dev/null
    losetup -d "$loop"
}
trap leave EXIT
partx -d "$loop" 2>/dev/null || true
partx -a "$loop"
for part in "$loop"p*; do
    mount "$part" "$tree" 2>/dev/null || continue
    if [ -e "$tree/etc/fstab" ]; then break; fi
    umount "$tree"
done
[ -e "$tree/etc/fstab" ] || { echo "no partition of $1 has a root" >&2; exit 1; }
boot=$(awk '$1 !~ /^#/ && $2 == "/boot" {print $1}' "$tree/etc/fstab")
if [ -n "$boot" ]; then
    case $boot in
        UUID=*) for part in "$loop"p*; do [ "UUID=$(blkid -p -s UUID -o value "$part")" != "$boot" ] || break; done ;;
        *) part=${loop}p${boot##*[a-z]} ;;
    esac
    mount "$part" "$tree/boot"
fi
# A /dev of its own, with the links that udev would make: without them grub-mkconfig names loop devices.
mount -t tmpfs none "$tree/dev"
for node in null zero full random urandom tty ptmx; do cp -a /dev/$node "$tree/dev/"; done
mkdir -p "$tree"/dev/disk/by-uuid "$tree"/dev/shm
ln -s /proc/self/fd "$tree/dev/fd"
for node in "$loop" "$loop"p*; do
    cp -a "$node" "$tree/dev/"
    name=$(blkid -p -s UUID -o value "$node" 2>/dev/null || true)
    [ -z "$name" ] || ln -sfn "../../$(basename "$node")" "$tree/dev/disk/by-uuid/$name"
done
mount -t proc proc "$tree/proc"
mount -t sysfs sysfs "$tree/sys"
inside() { chroot "$tree" /usr/bin/env -u TMPDIR PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C "$@"; }
if [ -x "$tree/usr/sbin/update-initramfs" ] && ls "$tree"/boot/initrd.img-* >/dev/null 2>&1 && [ ! -x "$tree/usr/bin/dracut" ]; then
    inside update-initramfs -u -k all
else
    for kernel in "$tree"/lib/modules/*; do
        release=$(basename "$kernel")
        image=$(cd "$tree" && ls "boot/initramfs-$release.img" "boot/initrd.img-$release" 2>/dev/null | head -n 1 || true)
        [ -z "$image" ] || inside dracut --force "/$image" "$release"
    done
fi
# A menu that grub-mkconfig made is made again.
if grep -qs 'BEGIN /etc/grub.d/10_linux' "$tree/boot/grub/grub.cfg"; then
    inside grub-mkconfig -o /boot/grub/grub.cfg
    grep -n '^[[:space:]]*\(linux\|initrd\)[[:space:]]' "$tree/boot/grub/grub.cfg" | head -n 4
fi
