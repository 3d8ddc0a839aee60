#!/usr/bin/env bash
# kernel-modules.sh [PACKAGE…]
#
# Holds what this engine reads and writes of kernels' modules against kmod, for whole trees of real kernels: the order of
# loading, modinfo, aliases, indexes and their binary forms for every module, and what each device of the table lacks.
# Fetches Debian's kernels (without names the newest generic and cloud ones that apt knows), unpacks them below
# DISKGRAFT_KERNELS_FOLDER, which is kept, makes their indexes with depmod, and runs RealKernelTests on them. Needs apt,
# kmod and a gigabyte; neither root nor a running kernel of that kind.
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
folder=${DISKGRAFT_KERNELS_FOLDER:-${TMPDIR:-/tmp}/diskgraft-kernels}
swift=${SWIFT:-swift}
export LC_ALL=C PATH=$PATH:/usr/sbin:/sbin
packages=("$@")
if [ ${#packages[@]} = 0 ]; then
    for kind in amd64 cloud-amd64; do
        packages+=("$(apt-cache depends "linux-image-$kind" | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -1)")
    done
fi
mkdir -p "$folder"
roots=
for package in "${packages[@]}"; do
    root=$folder/$package
    if [ ! -e "$root/.complete" ]; then
        rm -rf "$root"
        mkdir -p "$root"
        (cd "$root" && apt-get download "$package" && dpkg-deb -x ./*.deb . && rm ./*.deb)
        for modules in "$root"/lib/modules/*; do depmod -C /dev/null -b "$root" "$(basename "$modules")"; done
        touch "$root/.complete"
    fi
    echo "$package: $(find "$root/lib/modules" -name '*.ko*' | wc -l) modules"
    roots=${roots:+$roots:}$root
done
cd "$here"
DISKGRAFT_KERNELS=$roots $swift test --disable-xctest --filter RealKernelTests
