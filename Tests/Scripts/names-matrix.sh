#!/usr/bin/env bash
# names-matrix.sh BINARY LIST IMAGES
#
# For every line of LIST (guest, format, controller, …) the plan for that controller must call each device name wrong
# that debugfs finds in the guest's boot files and that the controller does not give, and no other; each must be edited,
# a second run must find nothing to do, and nothing may be wrong afterwards. IMAGES is the folder with the guests'
# raw images. Nothing is booted; needs debugfs, sfdisk and python3. The last table is in docs/boot-matrix.md.
set -uo pipefail
binary=$(readlink -f "$1")
list=$(readlink -f "$2")
images=$(readlink -f "$3")
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0
echo '| guest | controller | wrong there | after `patch` |'
echo '|---|---|---|---|'
while read -r guest _ controller _; do
    case $guest in '' | \#*) continue ;; esac
    case $controller in lsi) ours=sym53c8xx ;; mptsas) ours=lsisas ;; *) ours=$controller ;; esac
    to=(--to kvm --controller "$ours")
    copy=$work/patched.img
    rm -f "$copy"*
    cp --sparse=always "$images/$guest.img" "$copy" &&
        "$binary" plan --json "$copy" "${to[@]}" >"$work/before.json" &&
        "$binary" patch "$copy" "${to[@]}" >"$work/plan" &&
        "$binary" patch "$copy" "${to[@]}" | grep -q 'nothing to do' &&
        "$binary" plan --json "$copy" "${to[@]}" >"$work/after.json" &&
        python3 "$here/names-matrix.py" "$images/$guest.img" "$controller" "$work/before.json" "$work/after.json" ||
        { echo "| $guest | $controller | FAILED | |"; status=1; }
done <"$list"
exit $status
