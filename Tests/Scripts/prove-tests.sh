#!/usr/bin/env bash
# prove-tests.sh [NAME…]
# prove-tests.sh --apply          only sees that every bug still applies, in seconds
#
# Puts the bugs of Tests/Bugs back, one after the other, and sees that the tests named in each patch's header fail: a
# test that passes with its bug in place proves nothing. Without names all of them. Prints a line a bug and ends with 1
# when any is missed, does not apply or does not build. Only tests that need neither root nor sample disks count.
# Works on a copy of the checkout in DISKGRAFT_PROVE_FOLDER, which is kept, so that builds are incremental: about a
# minute a bug.
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
copy=${DISKGRAFT_PROVE_FOLDER:-${TMPDIR:-/tmp}/diskgraft-prove}
swift=${SWIFT:-swift}
export LC_ALL=C PATH=$PATH:/usr/sbin:/sbin DISKGRAFT_NO_MOUNTS=1
if [ "${1:-}" = --apply ]; then
    bad=0
    for patch in "$here"/Tests/Bugs/*.patch; do
        (cd "$here" && git apply --check "$patch") 2>/dev/null || { echo "DOES NOT APPLY $(basename "$patch" .patch)"; bad=1; }
    done
    exit "$bad"
fi
mkdir -p "$copy"
# The copy is not part of a repository that it may lie in.
copy=$(cd "$copy" && pwd)
GIT_CEILING_DIRECTORIES=$(dirname "$copy")
export GIT_CEILING_DIRECTORIES
log=$copy/.prove.log

# The copy as the checkout is, touching only what differs.
refresh() {
    (cd "$here" && git ls-files -z --cached --others --exclude-standard) >"$copy/.prove.list"
    while IFS= read -r -d '' file; do
        if [ -f "$here/$file" ]; then
            cmp -s "$here/$file" "$copy/$file" || { mkdir -p "$(dirname "$copy/$file")"; cp "$here/$file" "$copy/$file"; }
        fi
    done <"$copy/.prove.list"
    (cd "$copy" && find . -path ./.build -prune -o -type f ! -name '.prove.*' ! -name Package.resolved -print0) |
        while IFS= read -r -d '' file; do [ -e "$here/$file" ] || rm "$copy/$file"; done
}
build() { (cd "$copy" && $swift build --build-tests) >"$log" 2>&1; }
# Ends with 0 when the filter's tests ran and passed, 2 when there are none, else 1: a trap and a test without end are
# failures too.
check() {
    local status=0
    (cd "$copy" && timeout 600 $swift test --skip-build --disable-xctest --filter "$1") >"$log" 2>&1 || status=$?
    if [ "$status" = 0 ]; then
        grep -q 'Test run with [1-9]' "$log" || return 2
        return 0
    fi
    return 1
}
header() { sed -n "s/^$1: //p" "$2" | head -1; }

patches=()
if [ $# = 0 ]; then
    patches=("$here"/Tests/Bugs/*.patch)
else
    for name in "$@"; do patches+=("$here/Tests/Bugs/$name.patch"); done
fi
filters=$(for patch in "${patches[@]}"; do header Tests "$patch"; done | sort -u)

began=$SECONDS
refresh
build || { cat "$log"; echo "prove-tests: the checkout itself does not build" >&2; exit 1; }
while IFS= read -r filter; do
    check "$filter" || { tail -40 "$log"; echo "prove-tests: without any bug, $filter fails or is empty" >&2; exit 1; }
done <<<"$filters"

caught=0 bad=0
for patch in "${patches[@]}"; do
    name=$(basename "$patch" .patch)
    filter=$(header Tests "$patch")
    start=$SECONDS
    if [ -z "$filter" ] || ! (cd "$copy" && git apply "$patch") 2>"$log"; then
        echo "DOES NOT APPLY $name"; cat "$log"; bad=$((bad + 1))
    elif ! build; then
        echo "DOES NOT BUILD $name"; grep 'error:' "$log" | head -5; bad=$((bad + 1))
    elif check "$filter"; then
        echo "MISSED $name by $filter"; bad=$((bad + 1))
    else
        how=
        if grep -q 'unexpected signal' "$log"; then how=', trap'; fi
        echo "caught $name by $filter ($((SECONDS - start)) s$how)"; caught=$((caught + 1))
    fi
    cp "$log" "$copy/.prove.$name.log"
    refresh
done
echo "$caught of ${#patches[@]} caught in $((SECONDS - began)) s"
[ "$bad" = 0 ]
