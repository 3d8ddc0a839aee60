#!/usr/bin/env bash
# Installs the Debian packages that building, testing or benchmarking needs and that are missing: as root or
# through sudo; otherwise prints the one line to run.
set -euo pipefail
declare -A sets=(
    [build]="zlib1g-dev libzstd-dev libssl-dev liblzma-dev libbz2-dev liblz4-dev liblzo2-dev libexpat1-dev"
    [test]="qemu-utils e2fsprogs fdisk gdisk dosfstools xfsprogs btrfs-progs mtools gzip bzip2 xz-utils zstd lz4 lzop cpio libvhdi-utils mdadm util-linux python3-jsonschema attr kmod initramfs-tools-core"
    [bench]="qemu-utils e2fsprogs fdisk time strace"
)
missing=()
for set in "$@"; do
    for package in ${sets[$set]}; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
    done
done
if ! command -v swift >/dev/null; then
    echo "Swift 6.2 or later is needed (https://www.swift.org/install/linux) and is not on PATH" >&2
    exit 1
fi
[ ${#missing[@]} -gt 0 ] || exit 0
mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)
install="apt-get install -y --no-install-recommends ${missing[*]}"
if [ "$(id -u)" = 0 ]; then
    run=()
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    run=(sudo)
else
    echo "Packages are missing. Run this once and try again:" >&2
    echo "    sudo $install" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
"${run[@]}" $install >/dev/null 2>&1 || { "${run[@]}" apt-get update -q >/dev/null && "${run[@]}" $install >/dev/null; }
