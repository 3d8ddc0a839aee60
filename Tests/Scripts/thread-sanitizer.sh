#!/usr/bin/env bash
# thread-sanitizer.sh [FILTER]
#
# Builds the tests for ThreadSanitizer, in .build-tsan beside .build, and runs those that read beside a writer, or the ones
# that FILTER names. Ends with 1 when a test fails or a data race was reported.
set -euo pipefail
cd "$(dirname "$0")/../.."
filter=${1:-OverlayDeviceTests|ReadersBesideATransactionTests|ReadersBesideAWriterTests}
swift=${SWIFT:-swift}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
options=(--disable-xctest --sanitize=thread --scratch-path .build-tsan)
$swift build --build-tests "${options[@]:1}"
clang -shared -fPIC -O1 -Wall -o "$scratch/mutex.so" Tests/Scripts/thread-sanitizer-mutex.c -ldl
status=0
LD_PRELOAD=$scratch/mutex.so $swift test --skip-build "${options[@]}" --filter "$filter" 2>&1 |
    tee "$scratch/log" || status=$?
grep -q 'Test run with [1-9]' "$scratch/log" || { echo "thread-sanitizer: no test is called $filter" >&2; exit 1; }
races=$(grep -c 'WARNING: ThreadSanitizer' "$scratch/log" || true)
echo "thread-sanitizer: $races races"
[ "$status" = 0 ] && [ "$races" = 0 ]
