#!/bin/sh
# Flips every bit of a hot undo record, one after the other: each time the change is taken back exactly, or refused with
# image and record as they were. `swift test` flips every eleventh. Takes a minute after the build.
set -eu
cd "$(dirname "$0")/../.."
swift build --build-tests
DISKGRAFT_EVERY_BIT=1 swift test --skip-build --disable-xctest --filter 'UndoTests.UndoBitTests'
