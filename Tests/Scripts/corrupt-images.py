#!/usr/bin/env python3
"""corrupt-images.py BINARY FOLDER

Runs `check` and a listing with hashes over e2fsprogs' own test images and reports, judged by e2fsck ($E2FSCK, else
the one that is installed), how many damaged images `check` flags, and how many clean ones it flags all the same: as
they are, and once `e2fsck -fy` has repaired them. FOLDER holds the images as NAME/image.gz or NAME.gz (bz2, xz).

Flagged is an exit status other than 0. Damaged is what `e2fsck -fn` exits non-zero for, unless it says that it is another
file system, clean what it has no question about and `e2fsck -fy` leaves as it is; some are neither (e2fsck asks, and exits
0). Where FOLDER is not there it says so and exits 0.

Exits 1 when anything trapped, took more than $SECONDS_LIMIT seconds (5) or 128 MiB, when less than 95 % of the
damaged were flagged, or more than 1 % of the clean.
"""
import os
import re
import subprocess
import sys
import tempfile
import time

UNPACK = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz"}
E2FSCK = os.environ.get("E2FSCK", "e2fsck")
LIMIT = float(os.environ.get("SECONDS_LIMIT", "5"))
# e2fsck leaves damage in them: an attribute block that counts one user has two, one of them a link with inline data.
STILL_DAMAGED = {"f_inlinedata_repair"}
OTHER = re.compile(rb"contains a (?!ext[234])\w+ file system")
ASKS = re.compile(rb"\? no$|IGNORED|[Ss]uperblock (invalid|is corrupt)", re.M)


def measured(arguments):
    start = time.monotonic()
    done = subprocess.run(["/usr/bin/time", "-f", "%M", *arguments], capture_output=True)
    memory = int(done.stderr.split()[-1])
    return done.returncode, done.stdout, time.monotonic() - start, memory


def e2fsck(option, image):
    return subprocess.run(["timeout", "-k1", "20", E2FSCK, option, image], capture_output=True)


def judge(image):
    """Whether an image is damaged, clean or neither, and what `e2fsck -fy` exits with; the image is repaired then."""
    looked = e2fsck("-fn", image)
    asked = ASKS.search(looked.stdout + looked.stderr)
    status = e2fsck("-fy", image).returncode
    if OTHER.search(looked.stdout + looked.stderr):
        return "other", 0
    if looked.returncode:
        return "damaged", status
    return "clean" if not asked and status == 0 else "neither", status


def images(folder):
    for directory, _, files in sorted(os.walk(folder)):
        for file in sorted(files):
            stem, suffix = os.path.splitext(file)
            name = os.path.basename(directory) if stem == "image" else stem
            if suffix in UNPACK and "." not in stem:
                yield name, UNPACK[suffix], os.path.join(directory, file)


def main():
    binary, folder = sys.argv[1:]
    if not os.path.isdir(folder):
        print(f"skipped: {folder} is not there")
        return
    lists = {(kind, is_flagged): [] for kind in ("damaged", "clean", "neither", "repaired", "other") for is_flagged in (True, False)}
    broken, slowest, largest = [], 0, 0
    with tempfile.TemporaryDirectory() as work:
        image = os.path.join(work, "image")
        for name, program, path in images(folder):
            subprocess.run(f"{program} -dc '{path}' | dd of='{image}' bs=64k conv=sparse status=none", shell=True)
            if os.path.getsize(image) < 2048:
                continue
            check = measured([binary, "check", "-f", "raw", image])
            listing = measured([binary, "ls", "-f", "raw", "-R", "--json", "--hash", "sha256",
                                "--ignore-checksums", image, "--volume", "disk"])
            for status, _, seconds, memory in (check, listing):
                slowest, largest = max(slowest, seconds), max(largest, memory)
                if status not in (0, 1, 2, 3) or seconds > LIMIT or memory > 128 << 10:
                    broken.append((name, status, round(seconds, 2), memory))
            if name.startswith("f_"):
                kind, status = judge(image)
                lists[kind, check[0] != 0].append(name)
                # What was repaired counts where nothing is left to do.
                if status and e2fsck("-fy", image).returncode and e2fsck("-fy", image).returncode:
                    continue
                if status:
                    flags = measured([binary, "check", "-f", "raw", image])[0] != 0
                    lists["repaired", flags].append(name)
            os.remove(image)

    def row(kind, wrong):
        right = len(lists[kind, not wrong])
        return right, right + len(lists[kind, wrong]), " ".join(lists[kind, wrong])

    flagged, damaged, missed = row("damaged", False)
    sound, clean, false = row("clean", True)
    mended, repaired, still = row("repaired", True)
    share = flagged / max(damaged, 1)
    falsely = (clean - sound + len(set(lists["repaired", True]) - STILL_DAMAGED)) / max(clean + repaired, 1)
    print(f"damaged: flagged {flagged} of {damaged} ({share:.1%}); missed: {missed}")
    print(f"clean: flagged {clean - sound} of {clean}: {false}")
    print(f"repaired: flagged {repaired - mended} of {repaired}: {still}")
    print(f"clean and repaired: falsely flagged {falsely:.1%}; neither: {' '.join(sum((lists['neither', f] for f in (True, False)), []))}")
    print(f"slowest {slowest:.2f} s, largest {largest >> 10} MiB; traps, hangs or more: {broken}")
    sys.exit(1 if broken or share < 0.95 or falsely > 0.01 else 0)


main()
