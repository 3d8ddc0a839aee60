#!/usr/bin/env python3
"""names-matrix.py IMAGE CONTROLLER BEFORE.json AFTER.json

Judges a plan by the guest's texts, read without our own code: sfdisk and debugfs. Prints a row of a table; exits 1
when the plan overlooks a device name that is wrong behind the controller, or when one is left after patching.
"""
import json
import re
import subprocess
import sys

image, controller, before, after = sys.argv[1:5]
files = ["/etc/fstab", "/etc/default/grub", "/etc/crypttab", "/etc/initramfs-tools/conf.d/resume",
         "/boot/grub/grub.cfg", "/grub/grub.cfg", "/boot/grub/device.map", "/grub/device.map",
         "/boot/extlinux.conf", "/extlinux.conf"]
prefix = {"virtio-blk": "/dev/vda", "nvme": "/dev/nvme0n1"}.get(controller, "/dev/sda")


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, errors="replace").stdout


def file_systems():
    """Byte offsets at which an ext file system begins: of the partitions, and of LVM's extents inside them."""
    for part in json.loads(run("sfdisk", "--json", image))["partitiontable"]["partitions"]:
        start, size = part["start"] * 512, part["size"] * 512
        if part["type"] != "8e":
            yield start
            continue
        with open(image, "rb") as disk:
            for offset in range(start + (1 << 20), start + size, 4 << 20):
                disk.seek(offset + 1024 + 56)
                if disk.read(2) == b"\x53\xef":
                    disk.seek(offset + 1024 + 90)
                    if disk.read(2) == b"\0\0":      # the first group's superblock, not a copy
                        yield offset


found = set()
for offset in file_systems():
    for path in files:
        for line in run("debugfs", "-R", f"cat {path}", f"{image}?offset={offset}").split("\n"):
            if line.lstrip().startswith("#"):
                continue
            # A name in a message, a hint or a class is none that the boot resolves.
            for name in re.findall(r"(?<![\w/-])/dev/(?:[shv]d[a-z]+|xvd[a-z]+|nvme\d+n\d+p?)\d*", line):
                found.add(name)
plan = json.load(open(before))["systems"][0]
listed = {name["name"] for name in plan["names"]}
wrong = {name["name"] for name in plan["names"] if name["wrong"]}
wanted = {name for name in found if not name.startswith(prefix)}
edited = {edit["old"] for action in plan["actions"] for edit in action["edits"]}
left = [name for name in json.load(open(after))["systems"][0]["names"] if name["wrong"]]
ok = found <= listed and wanted == wrong and wrong <= edited and not left
guest = image.rsplit("/", 1)[-1].removesuffix(".img")
print(f"| {guest} | {controller} | {', '.join(sorted(wrong)) or 'nothing'} | "
      f"{'nothing is wrong' if not left else 'WRONG: ' + str(left)} |")
if not ok:
    print(f"debugfs found {sorted(found)}, the plan lists {sorted(listed)}, wrong {sorted(wrong)}, "
          f"edited {sorted(edited)}", file=sys.stderr)
sys.exit(0 if ok else 1)
