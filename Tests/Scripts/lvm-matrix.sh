#!/bin/bash
# Volume groups that lvm2 itself makes and changes at random, read by LVMMatrixTests and compared with lvm2's own
# reports. Needs root and free loop devices (the device mapper is not needed). Usage: lvm-matrix.sh [SEEDS]
set -euo pipefail
seeds=${1:-12}
here=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
loops=()
finish() {
    for loop in "${loops[@]}"; do losetup -d "$loop" || true; done
    rm -rf "$work"
}
trap finish EXIT

lvm_run() { # quietly, on our loop devices alone; fails as lvm fails
    local command=$1
    shift
    local filter=""
    for loop in "${loops[@]}"; do filter+="\"a|^$loop\$|\", "; done
    LVM_SUPPRESS_FD_WARNINGS=1 LVM_SYSTEM_DIR="$work/etc" lvm "$command" --driverloaded n --config "
        global { locking_dir=\"$work/lock\" use_lvmlockd=0 use_lvmpolld=0 event_activation=0 }
        devices { use_devicesfile=0 filter=[ $filter \"r|.*|\" ] external_device_info_source=\"none\"
            obtain_device_list_from_udev=0 hints=\"none\" }
        backup { backup=0 archive=0 } activation { udev_sync=0 udev_rules=0 monitoring=0 }" "$@" 2>>"$work/log"
}

mkdir "$work/etc"
for ((seed = 0; seed < seeds; seed++)); do
    RANDOM=$((seed + 1))
    dir="$work/out/$seed"
    mkdir -p "$dir"
    loops=()
    count=$((RANDOM % 3 + 2))
    for ((pv = 0; pv < count; pv++)); do
        truncate -s $((24 + RANDOM % 24))M "$dir/pv$pv.img"
        loop=$(losetup -f --show "$dir/pv$pv.img")
        loops+=("$loop")
        echo "$loop pv$pv.img" >>"$dir/devices"
    done
    extents=(64k 512k 1m 2m)
    for loop in "${loops[@]}"; do
        copies=$((RANDOM % 3))
        [[ $loop == "${loops[0]}" ]] && copies=$((RANDOM % 2 + 1))
        # Small areas: the ring goes round within a few changes.
        lvm_run pvcreate -y --metadatacopies $copies --metadatasize $((64 + RANDOM % 512))k "$loop" >/dev/null
    done
    group="vg-${seed}_x"
    lvm_run vgcreate -s "${extents[RANDOM % 4]}" "$group" "${loops[@]}" >/dev/null
    made=()
    for ((step = 0; step < 14 + RANDOM % 20; step++)); do
        name="lv.$step-a"
        case $((RANDOM % 7)) in
            0 | 1) lvm_run lvcreate -an -Zn -Wn -y -n "$name" -l $((RANDOM % 6 + 1)) "$group" >/dev/null \
                && made+=("$name") || true ;;
            2) lvm_run lvcreate -an -Zn -Wn -y -i $((RANDOM % (count - 1) + 2)) -I $((4 << RANDOM % 5))k -n "$name" \
                -l $((RANDOM % 8 + 2)) "$group" >/dev/null && made+=("$name") || true ;;
            3) lvm_run lvcreate -an -Zn -Wn -y --type raid0 -i 2 -n "$name" -l 4 "$group" >/dev/null \
                && made+=("$name") || true ;;
            4) if ((${#made[@]})); then lvm_run lvextend -l +$((RANDOM % 4 + 2)) \
                "$group/${made[RANDOM % ${#made[@]}]}" >/dev/null || true; fi ;;
            5) if ((${#made[@]} > 2)); then
                lvm_run lvremove -y "$group/${made[0]}" >/dev/null || true
                made=("${made[@]:1}")
            fi ;;
            6) lvm_run vgchange --addtag "tag$step" "$group" >/dev/null || true ;;
        esac
    done
    json=(--reportformat json --units b --nosuffix)
    lvm_run vgs "${json[@]}" -o vg_name,vg_uuid,vg_seqno,vg_extent_size >"$dir/vgs.json"
    lvm_run pvs "${json[@]}" -o pv_name,pv_uuid,pe_start,vg_name,pv_pe_count >"$dir/pvs.json"
    lvm_run lvs "${json[@]}" -a --segments \
        -o lv_name,lv_uuid,lv_size,segtype,stripe_size,seg_start_pe,seg_size_pe,devices >"$dir/lvs.json"
    echo "$group: $(grep -c '"lv_name":"[^[]' "$dir/lvs.json") segments on $count disks"
    sync
    for loop in "${loops[@]}"; do losetup -d "$loop"; done
    loops=()
done
cd "$here"
DISKGRAFT_LVM_MATRIX="$work/out" swift test --filter LVMMatrixTests
