#!/usr/bin/env bash
# example-migration.sh BINARY TARGET: the main job on the guest that ships with the project.
set -euo pipefail
binary=$(readlink -f "$1")
target=$2
here=$(cd "$(dirname "$0")/.." && pwd)
out=$(mktemp -d "${TMPDIR:-/tmp}/diskgraft-example.XXXXXX")
echo "A Debian guest's disk as VMware left it: Examples/guest.vmdk"
"$binary" info "$here/Examples/guest.vmdk"
echo
echo "\$ diskgraft migrate Examples/guest.vmdk guest --to $target"
cd "$out"
"$binary" migrate -p "$here/Examples/guest.vmdk" . --to "$target"
echo
echo "Made:"
ls -l "$out"
