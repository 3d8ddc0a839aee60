#!/usr/bin/env bash
# boot-matrix.sh BINARY BOOTLAB IMAGES LIST ROWS
#
# For every line of LIST (guest, format, controller, firmware, note, as in the boot laboratory's matrix.list): what the
# plan for that controller says of the guest as it is, whether it boots as it is, what a plan says after `patch`, and
# whether the patched copy boots. BOOTLAB is the folder with boot.sh, which boots an image and judges it by one line;
# IMAGES holds GUEST.img, or GUEST.FORMAT. A format other than raw is made from GUEST.img by `migrate`. Rows go to the
# file ROWS at once, and those that are there are not run again. Exits 1 when a guest does not do what its verdict says,
# or a second plan finds something to do. docs/boot-matrix.md is made of the rows.
#
# Environment: BEFORE=no skips boots of guests as they are, ONLY=bios the lines for other firmware, and everything that
# boot.sh reads; WORK keeps patched copies (default: a folder of its own, removed).
set -uo pipefail
[ $# = 5 ] || { sed -n '2,15p' "$0" >&2; exit 2; }
binary=$(readlink -f "$1")
lab=$(readlink -f "$2")
images=$(readlink -f "$3")
list=$4
rows=$5
if [ -n "${WORK:-}" ]; then work=$WORK; mkdir -p "$work"; else work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; fi
export LOGDIR=${LOGDIR:-$work/logs} TIMEOUT=${TIMEOUT:-400}
status=0

# said IMAGE FORMAT CONTROLLER [FLAG…]: one line: outcome, drivers and way of the default entry, whether a name is wrong.
said() {
    local image=$1 format=$2 controller=$3
    shift 3
    "$binary" plan "$image" -f "$format" --to kvm --controller "$controller" --json "$@" 2>"$work/error" >"$work/plan.json"
    python3 - "$work/plan.json" "$work/error" <<'PY'
import json, sys
try:
    system = json.load(open(sys.argv[1]))["systems"][0]
except (ValueError, LookupError):
    print("refused -", open(sys.argv[2]).read().strip().splitlines()[-1:])
    sys.exit()
entry = next((one for one in system["verdicts"] if one.get("default")), {})
wrong = any(one["wrong"] for one in system["names"] if not one["path"].endswith("device.map"))
missing = ",".join(entry.get("missing-drivers") or [])
print(system["boots"]["outcome"], entry.get("drivers", "none"), system.get("driver-way", "none"),
      "names-wrong" if wrong else "names-good", missing or "-", "refusal" if system.get("refusal") else "-")
PY
}
short() { sed -e 's/^\(PASS\|FAIL\|ERROR\) [^|]*| /\1: /' -e 's/BOOT-OK //' -e 's/ kernel=[^ ]*//' -e 's/; FAILED-UNITS 0//' -e 's/|/\\|/g' <<<"$1"; }

while read -r guest format controller firmware note <&3; do
    case $guest in '' | \#*) continue ;; esac
    [ -z "${ONLY:-}" ] || [ "$ONLY" = "$firmware" ] || continue
    key="| $guest | $format | $controller | $firmware |"
    ! grep -qsF "$key" "$rows" || continue
    case $controller in lsi) name=sym53c8xx ;; mptsas) name=lsisas ;; *) name=$controller ;; esac
    source=$images/$guest.img
    first=$(said "$source" raw "$name" --drivers never)
    before="not booted"
    if [ "${BEFORE:-yes}" = yes ]; then before=$(short "$(nice -n 5 "$lab/boot.sh" "$source" raw "$controller" "$firmware" | tail -n 1)"); fi
    second=$(said "$source" raw "$name")
    copy=$work/$guest.$controller.$format
    rm -f "$copy"
    if [ "$format" = raw ]; then
        cp --sparse=always "$source" "$copy"
        "$binary" patch "$copy" -f raw --to kvm --controller "$name" >"$copy.patch" 2>&1
    else
        "$binary" migrate "$source" -f raw "$copy" -O "$format" --to kvm --controller "$name" >"$copy.patch" 2>&1
    fi
    code=$?
    third=$(said "$copy" "$format" "$name")
    left=$("$binary" plan "$copy" -f "$format" --to kvm --controller "$name" 2>/dev/null | grep -c '^\(change\|create\|add\)')
    after=$(short "$(nice -n 5 "$lab/boot.sh" "$copy" "$format" "$controller" "$firmware" | tail -n 1)")
    [ -n "${WORK:-}" ] || rm -f "$copy"
    # What must hold: as it is, it boots exactly when its drivers are there and no name is wrong; afterwards, when the plan says so.
    judgement=agrees
    read -r _ drivers _ names _ <<<"$first"
    expected=FAIL
    [ "$drivers $names" != "present names-good" ] || expected=PASS
    case $before in "not booted" | $expected:*) ;; *) judgement="WRONG before" ;; esac
    read -r outcome _ <<<"$third"
    expected=FAIL
    [ "$outcome" != boots ] || expected=PASS
    case $after in $expected:*) ;; *) judgement="WRONG after" ;; esac
    [ "$left" = 0 ] || judgement="$judgement, $left left to do"
    [ "$judgement" = agrees ] || status=1
    echo "$key $note | $first | $before | $second | patch: $code | $third | $after | $judgement |" | tee -a "$rows"
done 3<"$list"
exit $status
