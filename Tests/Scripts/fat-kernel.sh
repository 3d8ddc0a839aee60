#!/bin/sh
# Seeded series of file operations on FAT12, FAT16 and FAT32 volumes, done here, with the kernel's vfat in between: it sees
# every file as it should be, makes, renames and removes others beside them, and fsck.vfat -n is content after each round.
# Needs root, loop devices and a kernel with vfat. DISKGRAFT_SERIES_ROUNDS and DISKGRAFT_SERIES_STEPS make the series longer.
set -eu
cd "$(dirname "$0")/../.."
[ "$(id -u)" = 0 ] || { echo "fat-kernel: needs root" >&2; exit 1; }
losetup -f >/dev/null || { echo "fat-kernel: needs loop devices" >&2; exit 1; }
swift build --build-tests
DISKGRAFT_KERNEL_JUDGE=1 swift test --skip-build --disable-xctest --filter 'FATTests.KernelTests'
