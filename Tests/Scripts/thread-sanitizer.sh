#!/usr/bin/env bash
# thread-sanitizer.sh [FILTER]
#
# Builds the tests for ThreadSanitizer, in .build-tsan beside .build, and runs those that read beside a writer, or the ones
# that FILTER names. Ends with 1 when a test fails or a data race was reported.
set -euo pipefail
cd "$(dirname "$0")/../.."
filter=${1:-OverlayDeviceTests|HostFileConcurrencyTests|ReadersBesideAWriterTests}
swift=${SWIFT:-swift}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
$swift build --build-tests --sanitize=thread --scratch-path .build-tsan
status=0
TSAN_OPTIONS="${TSAN_OPTIONS:-} halt_on_error=0 exitcode=66" \
    $swift test --skip-build --disable-xctest --sanitize=thread --scratch-path .build-tsan --filter "$filter" 2>&1 |
    tee "$log" || status=$?
grep -q 'Test run with [1-9]' "$log" || { echo "thread-sanitizer: no test is called $filter" >&2; exit 1; }
races=$(grep -c 'WARNING: ThreadSanitizer' "$log" || true)
echo "thread-sanitizer: $races races"
[ "$status" = 0 ] && [ "$races" = 0 ]
