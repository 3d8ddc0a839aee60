#!/usr/bin/env bash
# Runs every test that was built; what failed, and why, is said once more at the end, where a long log is read.
set -uo pipefail
cd "$(dirname "$0")/.."
log=.build/test.log
"${SWIFT:-swift}" test --skip-build --disable-xctest "$@" 2>&1 | tee "$log"
status=${PIPESTATUS[0]}
if [ "$status" -ne 0 ]; then
    echo "== what failed (the whole log is $log):"
    grep -a -A 8 -E "^✘ Test .* recorded an issue" "$log" | grep -a -v -E "^(✔|◇|--)" | cut -c 1-2000 | head -n 200
fi
exit "$status"
