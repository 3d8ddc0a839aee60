#!/usr/bin/env bash
# docs.sh [FOLDER]
#
# Builds the documentation of the library DiskGraft as a DocC archive, .build/docs/DiskGraft.doccarchive or in FOLDER. A link
# that leads nowhere is an error. Uses what the toolchain has: `swift build`, swift-symbolgraph-extract, docc.
set -euo pipefail
cd "$(dirname "$0")/.."
swift=${SWIFT:-swift}
output=${1:-.build/docs}
# The modules whose symbols the library shows as its own.
shown=Storage,HostIO,ImageFormats,GuestTree,Machines,Patcher

$swift build --target DiskGraft
built=$($swift build --show-bin-path)
tools=$(dirname "$(readlink -f "$(command -v "${swift%% *}")")")
# Every system library that a module below imports.
libraries=()
for map in Sources/*/module.modulemap; do libraries+=(-I "$(dirname "$map")"); done
graphs=$(mktemp -d)
trap 'rm -rf "$graphs"' EXIT
target=$($swift -print-target-info |
    python3 -c 'import json,sys; print(json.load(sys.stdin)["target"]["unversionedTriple"])')
"$tools/swift-symbolgraph-extract" -module-name DiskGraft -target "$target" \
    -I "$built/Modules" -Xcc "-fmodule-map-file=$built/CLinux.build/module.modulemap" \
    "${libraries[@]}" \
    -minimum-access-level public -skip-synthesized-members \
    "-experimental-allowed-reexported-modules=$shown" -output-dir "$graphs"
mkdir -p "$output"
rm -rf "$output/DiskGraft.doccarchive"
"$tools/docc" convert Sources/DiskGraft/DiskGraft.docc --additional-symbol-graph-dir "$graphs" \
    --fallback-display-name DiskGraft --fallback-bundle-identifier diskgraft \
    --warnings-as-errors --output-path "$output/DiskGraft.doccarchive"
echo "$output/DiskGraft.doccarchive"
