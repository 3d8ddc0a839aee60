#!/bin/sh
# Seeded series of file operations on ext2, ext3 and ext4 volumes, mounted by the kernel after each round: it must see
# the same tree, work on it, and leave a sound file system.
# Needs root and loop devices; not part of `swift test`.
set -eu
cd "$(dirname "$0")/../.."
[ "$(id -u)" = 0 ] || { echo "series-kernel: needs root" >&2; exit 1; }
losetup -f >/dev/null || { echo "series-kernel: needs loop devices" >&2; exit 1; }
swift build --build-tests
DISKGRAFT_KERNEL_JUDGE=1 swift test --skip-build --filter 'Ext4Tests.SeriesKernelTests'
