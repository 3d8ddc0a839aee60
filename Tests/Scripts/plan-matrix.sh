#!/usr/bin/env bash
# plan-matrix.sh BINARY MATRIX.list IMAGES
#
# For every line of the boot laboratory's list (guest, format, controller, firmware, note): what `plan --to kvm
# --controller …` calls wrong there, against the names that the guest was built with. Prints a table; the last one is
# in docs/boot-matrix.md. Exits 1 when a name is missed or one too many is changed.
set -euo pipefail
binary=$(readlink -f "$1")
list=$2
images=$3
python3 - "$binary" "$list" "$images" <<'PY'
import json, os, subprocess, sys

binary, path, images = sys.argv[1:]
# The device names in fstab, in the loader's menu and in the settings of the next one, as the guests are built.
built_with = {
    "g0-names-only": {"/dev/sda1", "/dev/sda2", "/dev/sda3"},
    "g1-vmware-lsi": {"/dev/sda1", "/dev/sda2", "/dev/sda3"},
    "g1b-vmware-pvscsi": {"/dev/sda1", "/dev/sda2", "/dev/sda3"},
    "g2-kvm-virtio": {"/dev/vda1", "/dev/vda3"},
    "g3-hyperv-ide": {"/dev/sda1"},
    "g4-dracut-hostonly": set(),
    "g5-uefi-gpt": set(),
    "g6-xfs-root": {"/dev/sda1", "/dev/sda2", "/dev/sda3"},
    "g7-extlinux": {"/dev/sda1", "/dev/sda2"},
}
controllers = {"lsi": "sym53c8xx", "mptsas": "lsisas"}
wrong = 0
print("| guest | controller | names called wrong | in files | default entry |\n|---|---|---|---|---|")
for line in open(path):
    words = line.split("#")[0].split()
    if len(words) < 4:
        continue
    guest, form, controller = words[:3]
    image = os.path.join(images, guest + ".img")
    run = subprocess.run(
        [binary, "plan", image, "-f", form, "--to", "kvm", "--json", "--controller", controllers.get(controller, controller)],
        capture_output=True, text=True)
    if not run.stdout:
        print(f"| {guest} | {controller} | {run.stderr.strip()} | | |")
        wrong += 1
        continue
    system = json.loads(run.stdout)["systems"][0]
    names, files = set(), []
    for action in system["actions"]:
        if action["path"].endswith("device.map"):
            continue
        found = {edit["old"] for edit in action["edits"] if edit["old"].startswith("/dev/")}
        names |= found
        if found:
            files.append(action["path"])
    verdict = system["boots"]["outcome"]
    good = names == built_with[guest] and not system["unresolved"]
    wrong += not good
    print(f"| {guest} | {controller} | {', '.join(sorted(names)) or 'none'}{'' if good else ' WRONG'} | "
          f"{', '.join(files) or 'none'} | {verdict} |")
sys.exit(1 if wrong else 0)
PY
