#!/usr/bin/env bash
# as-nobody.sh BINARY: every command as nobody, without capabilities, with everything but one scratch folder
# read-only and no loop device in sight. Needs root to set that up; nothing that is tested does.
set -euo pipefail
binary=$(readlink -f "$1")
here=$(cd "$(dirname "$0")" && pwd)
[ "$(id -u)" = 0 ] || { echo "needs root to give it up" >&2; exit 64; }
if [ -z "${INSIDE:-}" ]; then
    scratch=$(mktemp -d)
    trap 'umount "$scratch" 2>/dev/null || true; rm -rf "$scratch"' EXIT
    install -m 755 "$binary" "$scratch/diskgraft"
    "$here/make-guest.sh" "$scratch/guest.img"
    qemu-img convert -O vmdk "$scratch/guest.img" "$scratch/guest.vmdk"
    qemu-img convert -O qcow2 "$scratch/guest.img" "$scratch/guest.qcow2"
    chown -R 65534:65534 "$scratch"; chmod 755 "$scratch"
    INSIDE=$scratch unshare --mount --pid --fork --net "$0" "$binary"
    exit
fi
mount --bind "$INSIDE" "$INSIDE"
mount -t tmpfs -o ro tmpfs /dev/disk 2>/dev/null || true
for node in /dev/loop*; do [ ! -e "$node" ] || mount --bind /dev/null "$node" 2>/dev/null || true; done
mount -o remount,ro,bind / 2>/dev/null || mount -o remount,ro /
cat >"$INSIDE/job.sh" <<'EOF'
set -eu
cd "$1"
! touch /etc/x 2>/dev/null
! touch /usr/x 2>/dev/null
grep -q '^CapEff:.*0000000000000000$' /proc/self/status
d=./diskgraft
run() { echo "  $*"; "$@" >/dev/null; }
run $d info guest.vmdk
run $d info --json guest.qcow2
run $d ls -l -R guest.vmdk /etc
run $d cat guest.vmdk /etc/fstab
run $d inspect guest.vmdk
run $d plan guest.vmdk --to xenserver
run $d map --json guest.vmdk
run $d migrate guest.vmdk guest.vhd --to hyperv
run $d convert guest.vhd copy.raw
run $d compare guest.vhd copy.raw
run $d patch guest.qcow2 --to kvm
run $d undo guest.qcow2
run $d create -f vhd empty.vhd 1G
EOF
setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs \
    env -i PATH=/usr/bin:/bin HOME=/nonexistent bash "$INSIDE/job.sh" "$INSIDE"
echo "every command works as nobody"
