#!/bin/sh
# Cuts the power at every write and flush of a journal commit and of a replay, over all profiles, and lets the
# kernel mount what is left: it must see the old contents or the new, and leave a sound file system.
# Needs root and loop devices; not part of `swift test`.
set -eu
cd "$(dirname "$0")/../.."
[ "$(id -u)" = 0 ] || { echo "crash-sweep-kernel: needs root" >&2; exit 1; }
losetup -f >/dev/null || { echo "crash-sweep-kernel: needs loop devices" >&2; exit 1; }
swift build --build-tests
DISKGRAFT_KERNEL_JUDGE=1 swift test --skip-build --filter 'Ext4Tests.JournalKernelTests'
