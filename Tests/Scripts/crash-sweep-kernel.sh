#!/bin/sh
# Cuts the power at every write and flush of every ext4 operation, of journal commits and of replays, over all
# profiles, and lets the kernel mount what is left: it must see the old tree or the new, and leave a sound file system.
# Needs root and loop devices; not part of `swift test`. With --e2fsck, e2fsck -p and debugfs judge instead: no root.
set -eu
cd "$(dirname "$0")/../.."
if [ "${1:-}" = --e2fsck ]; then
    swift build --build-tests
    DISKGRAFT_CRASH_SWEEP=full swift test --skip-build --filter 'Ext4Tests.OperationCrashTests'
    exit
fi
[ "$(id -u)" = 0 ] || { echo "crash-sweep-kernel: needs root" >&2; exit 1; }
losetup -f >/dev/null || { echo "crash-sweep-kernel: needs loop devices" >&2; exit 1; }
swift build --build-tests
DISKGRAFT_KERNEL_JUDGE=1 DISKGRAFT_CRASH_SWEEP=full \
    swift test --skip-build --filter 'Ext4Tests.(JournalKernelTests|OperationCrashTests)'
