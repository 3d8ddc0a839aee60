#!/usr/bin/env bash
# Makes Examples/guest.vmdk anew: the small guest of the test fixtures in VMware's compressed format.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$here/../Tests/Scripts/make-guest.sh" "$work/guest.img"
qemu-img convert -f raw -O vmdk -o subformat=streamOptimized "$work/guest.img" "$here/guest.vmdk"
