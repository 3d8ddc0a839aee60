#!/usr/bin/env bash
# real-tree.sh BINARY [SOURCE] [WORK-FOLDER]
#
# Has the kernel put a real tree (SOURCE, else /usr) into ext2, ext3 and ext4 as six generations of mke2fs made them,
# lists and hashes each with BINARY, and compares with what the kernel shows: path, mode, owner, links, size, mtime,
# hash, target, device, extended attributes. Needs root, and room for the tree in the work folder. One line a profile;
# exits 1 at the first difference.
set -euo pipefail
binary=$(readlink -f "$1")
source=$(readlink -f "${2:-/usr}")
work=${3:-$(mktemp -d "${TMPDIR:-/tmp}/diskgraft-tree.XXXXXX")}
here=$(dirname "$(readlink -f "$0")")
mkdir -p "$work/mount"
trap 'umount "$work/mount" 2>/dev/null || true; rm -f "$work/image"' EXIT
export LC_ALL=C PATH=$PATH:/usr/sbin:/sbin MKE2FS_CONFIG=/dev/null
size=$(du -sxB1 "$source" | cut -f1)

common=ext_attr,resize_inode,dir_index,filetype,sparse_super,large_file
ext4=has_journal,$common,extent,flex_bg,huge_file,dir_nlink,extra_isize
while read -r name options; do
    rm -f "$work/image"
    truncate -s $((size * 3 / 2 + (512 << 20))) "$work/image"
    # shellcheck disable=SC2086
    mke2fs -q -F -i 8192 $options "$work/image"
    mount -o loop "$work/image" "$work/mount"
    cp -ax "$source/." "$work/mount"
    # What a packaged tree rarely has: attributes and an ACL of its own, a time past 2038.
    for file in $(find "$work/mount" -xdev -type f -name '*.so*' | head -20); do
        setfattr -n user.note -v "$(basename "$file")" "$file"
        setfattr -n security.selinux -v system_u:object_r:lib_t:s0 "$file"
    done
    touch -d '2106-03-04 05:06:07.123456789' "$work/mount/share" 2>/dev/null || true
    umount "$work/mount"
    "$binary" ls -R --json --hash sha256 "$work/image" --volume disk >"$work/listing"
    mount -o loop,ro "$work/image" "$work/mount"
    printf '%-24s %8d entries, ' "$name" "$(wc -l <"$work/listing")"
    "$here/compare-listing.py" "$work/mount" <"$work/listing" 2>&1
    umount "$work/mount"
    "$binary" check "$work/image" >/dev/null
done <<PROFILES
P1-ext3 -b 4096 -I 128 -O none,has_journal,$common
P2-ext4-crc16 -b 4096 -I 256 -O none,$ext4,uninit_bg
P3-ext4-64bit -b 4096 -I 256 -O none,$ext4,uninit_bg,64bit
P4-ext4-metadata_csum -b 4096 -I 256 -O none,$ext4,64bit,metadata_csum
P5-ext4-csum_seed -b 4096 -I 256 -O none,$ext4,64bit,metadata_csum,metadata_csum_seed,orphan_file
P6-ext2-1k -b 1024 -I 128 -O none,$common
PROFILES
