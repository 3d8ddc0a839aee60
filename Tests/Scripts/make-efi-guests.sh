#!/usr/bin/env bash
# make-efi-guests.sh GUEST.img FOLDER
#
# Makes guests of other loaders out of one: GUEST is a raw GPT disk of a Debian that GRUB starts by UEFI, its EFI system
# partition the first, its ext4 root the second, with no \EFI\BOOT (the boot laboratory's g5-uefi-gpt.img). In FOLDER:
#
#   secure.img   Debian's signed chain: \EFI\debian\{shimx64,grubx64,mmx64,fbx64}.efi and the stub of its grub.cfg
#   sdboot.img   systemd-boot in \EFI\systemd, /loader/entries, kernel and initramfs on the partition; root by its name
#   redhat.img   as Red Hat's: shim and a GRUB whose prefix is \EFI\redhat, a grub.cfg there that hands over to /boot/grub2,
#                and the entry in /boot/loader/entries, with root=/dev/sda2. Debian's GRUB knows no blscfg: a function of the
#                menu stands in, which runs an entry's lines as commands. This GRUB is not signed, so that the guest does not
#                start with Secure Boot.
#
# None of them has a loader where a machine with an empty variable store looks for one. Needs no root: mtools, debugfs,
# sfdisk, python3, and apt-get for Debian's packages; GRUB_MKIMAGE names another grub-mkimage than grub-common's.
set -euo pipefail
[ $# = 2 ] || { sed -n '2,18p' "$0"; exit 64; }
guest=$(realpath "$1")
mkdir -p "$2"
cd "$2"
export MTOOLS_SKIP_CHECK=1 LC_ALL=C PATH=$PATH:/usr/sbin:/sbin
work=$(mktemp -d ./make.XXXXXX)
trap 'rm -rf "$work"' EXIT

place() { sfdisk -J "$guest" | python3 -c "import json,sys; print(json.load(sys.stdin)['partitiontable']['partitions'][$1]['start']*512)"; }
esp=$(place 0)
root=$(place 1)
uuid=$(dumpe2fs -h "$guest?offset=$root" 2>/dev/null | sed -n 's/^Filesystem UUID: *//p')

(
    cd "$work"
    apt-get download -q systemd-boot-efi shim-signed shim-helpers-amd64-signed grub-efi-amd64-signed grub-efi-amd64-bin grub-common \
        >/dev/null 2>&1
    for package in ./*.deb; do dpkg-deb -x "$package" files; done
)
files=$work/files/usr/lib
kernel=$(debugfs -R 'ls -p /boot' "$guest?offset=$root" 2>/dev/null | sed -n 's#.*/\(vmlinuz-[^/]*\)/.*#\1#p' | head -1)
release=${kernel#vmlinuz-}
for name in "vmlinuz-$release" "initrd.img-$release"; do
    debugfs -R "dump /boot/$name $work/$name" "$guest?offset=$root" 2>/dev/null
done
arguments=$(debugfs -R 'cat /boot/grub/grub.cfg' "$guest?offset=$root" 2>/dev/null |
    sed -n 's/^[[:space:]]*linux[[:space:]]*[^ ]* //p' | sed -n 1p | sed 's/root=[^ ]* *//')

begin() {
    cp --sparse=always "$guest" "$1.img"
    volume=$1.img@@$esp
}
copy() { mcopy -n -o -i "$volume" "$1" "::$2"; }

begin secure
for name in shim mm fb; do copy "$files/shim/${name}x64.efi.signed" "/EFI/debian/${name}x64.efi"; done
copy "$files/grub/x86_64-efi-signed/grubx64.efi.signed" /EFI/debian/grubx64.efi

begin sdboot
mdeltree -i "$volume" ::/EFI/debian
mmd -i "$volume" ::/EFI/systemd ::/loader ::/loader/entries
copy "$files/systemd/boot/efi/systemd-bootx64.efi" /EFI/systemd/systemd-bootx64.efi
printf 'default debian.conf\ntimeout 1\n' >"$work/loader.conf"
printf 'title Debian\nlinux /%s\ninitrd /%s\noptions root=/dev/sda2 %s\n' \
    "vmlinuz-$release" "initrd.img-$release" "$arguments" >"$work/debian.conf"
copy "$work/loader.conf" /loader/loader.conf
copy "$work/debian.conf" /loader/entries/debian.conf
copy "$work/vmlinuz-$release" "/vmlinuz-$release"
copy "$work/initrd.img-$release" "/initrd.img-$release"
# GRUB's own menu would be another.
debugfs -w -R 'rm /boot/grub/grub.cfg' "sdboot.img?offset=$root" 2>/dev/null

begin redhat
mdeltree -i "$volume" ::/EFI/debian
mmd -i "$volume" ::/EFI/redhat
"${GRUB_MKIMAGE:-$work/files/usr/bin/grub-mkimage}" -d "$files/grub/x86_64-efi" -O x86_64-efi \
    -o "$work/grubx64.efi" -p /EFI/redhat part_gpt fat ext2 normal configfile search search_fs_uuid echo test \
    all_video loadenv serial terminal regexp boot
for name in shim mm; do copy "$files/shim/${name}x64.efi.signed" "/EFI/redhat/${name}x64.efi"; done
copy "$work/grubx64.efi" /EFI/redhat/grubx64.efi
printf 'search --no-floppy --fs-uuid --set=dev %s\nset prefix=($dev)/boot/grub2\nexport $prefix\nconfigfile $prefix/grub.cfg\n' \
    "$uuid" >"$work/grub.cfg"
copy "$work/grub.cfg" /EFI/redhat/grub.cfg
cat >"$work/menu.cfg" <<MENU
set timeout=1
search --no-floppy --fs-uuid --set=root $uuid
function title { true; }
function version { true; }
function linux { set bls_linux=\$1; }
function initrd { set bls_initrd=\$1; }
function options { set bls_options="\$@"; }
function blscfg {
  for entry in (\$root)/boot/loader/entries/*.conf; do source \$entry; done
  insmod linux
  linux \$bls_linux \$bls_options
  initrd \$bls_initrd
  boot
}
blscfg
MENU
printf 'title Debian\nversion %s\nlinux /boot/vmlinuz-%s\ninitrd /boot/initrd.img-%s\noptions root=/dev/sda2 %s\n' \
    "$release" "$release" "$release" "$arguments" >"$work/entry.conf"
{
    printf 'rm /boot/grub/grub.cfg\nmkdir /boot/loader\nmkdir /boot/loader/entries\nmkdir /boot/grub2\nmkdir /boot/grub2/x86_64-efi\n'
    printf 'write %s /boot/loader/entries/%s-%s.conf\n' "$work/entry.conf" 0123456789abcdef0123456789abcdef "$release"
    printf 'write %s /boot/grub2/grub.cfg\n' "$work/menu.cfg"
    for module in "$files"/grub/x86_64-efi/*.mod; do printf 'write %s /boot/grub2/x86_64-efi/%s\n' "$module" "$(basename "$module")"; done
} >"$work/commands"
debugfs -w -f "$work/commands" "redhat.img?offset=$root" >/dev/null 2>&1

ls -s --block-size=1M ./*.img
