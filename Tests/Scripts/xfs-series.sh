#!/bin/sh
# Seeded series of everything that can be done to XFS volumes of all profiles (8 rounds of 150 operations; see
# DISKGRAFT_SERIES_ROUNDS and _STEPS), each round judged by xfs_repair and by the kernel, which then changes files itself; and
# the power cut at every write of changes of each kind: whole writes, their first sector only, all but it, random parts of a
# phase, judged by xfs_repair after the replay and, every fifth one, by the kernel. Kernels that do not mount version 4, or
# blocks longer than a page, leave those to xfs_repair. Needs root and loop devices; with --repair xfs_repair judges alone.
set -eu
cd "$(dirname "$0")/../.."
swift build --build-tests
if [ "${1:-}" = --repair ]; then
    DISKGRAFT_CRASH_SWEEP=full swift test --skip-build --filter 'XFSTests.CutTests'
    exit
fi
[ "$(id -u)" = 0 ] || { echo "xfs-series: needs root" >&2; exit 1; }
losetup -f >/dev/null || { echo "xfs-series: needs loop devices" >&2; exit 1; }
DISKGRAFT_KERNEL_JUDGE=1 DISKGRAFT_CRASH_SWEEP=full \
    swift test --skip-build --filter 'XFSTests.(KernelSeriesTests|CutTests)'
