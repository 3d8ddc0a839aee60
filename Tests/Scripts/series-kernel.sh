#!/bin/sh
# Seeded series of file operations on ext2, ext3 and ext4 volumes, done here and, side by side, by the kernel on a twin:
# equal trees after each round, e2fsck content, and the kernel works on with the result. Over {1, 2, 4 KiB blocks} ×
# P1–P6 × {as made, inodes of 128 and 512 bytes, no flex_bg, descriptors of 128 bytes, nearly full, fragmented}; blocks
# of 16 and 64 KiB, which an x86 kernel does not mount, by e2fsck and debugfs.
# Needs root and loop devices. DISKGRAFT_SERIES_ROUNDS and DISKGRAFT_SERIES_STEPS make the series longer. `make test`
# runs four of the variants where it may mount.
set -eu
cd "$(dirname "$0")/../.."
[ "$(id -u)" = 0 ] || { echo "series-kernel: needs root" >&2; exit 1; }
losetup -f >/dev/null || { echo "series-kernel: needs loop devices" >&2; exit 1; }
swift build --build-tests
DISKGRAFT_KERNEL_JUDGE=1 swift test --skip-build --disable-xctest --filter 'Ext4Tests.(SeriesKernelTests|RandomSeriesTests)'
