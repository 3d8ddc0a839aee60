#!/usr/bin/env python3
"""corrupt-images.py BINARY FOLDER

Runs `check` and a listing with hashes over e2fsprogs' own test images and reports, judged by the e2fsck that is
installed: how many of those it finds damaged `check` flags, how many that it calls clean are clean here, and how
many read clean once `e2fsck -fy` has repaired them. FOLDER holds the images as NAME/image.gz or NAME.gz (bz2, xz).
Exits 1 when anything trapped, took more than a second or more than 128 MiB, or less than 90 % were flagged.
"""
import os
import subprocess
import sys
import tempfile
import time

UNPACK = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz"}


def measured(arguments):
    start = time.monotonic()
    done = subprocess.run(["/usr/bin/time", "-f", "%M", *arguments], capture_output=True)
    memory = int(done.stderr.split()[-1])
    return done.returncode, done.stdout, time.monotonic() - start, memory


def e2fsck(option, image):
    return subprocess.run(["timeout", "-k1", "10", "e2fsck", option, image], capture_output=True).returncode


def images(folder):
    for directory, _, files in sorted(os.walk(folder)):
        for file in sorted(files):
            stem, suffix = os.path.splitext(file)
            name = os.path.basename(directory) if stem == "image" else stem
            if suffix in UNPACK and "." not in stem:
                yield name, UNPACK[suffix], os.path.join(directory, file)


def main():
    binary, folder = sys.argv[1:]
    flagged, missed, agreed, stricter, repaired, unrepaired, broken = [], [], [], [], [], [], []
    slowest = largest = 0
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
                if status not in (0, 1, 2, 3) or seconds > 1 or memory > 128 << 10:
                    broken.append((name, status, round(seconds, 2), memory))
            if name.startswith("f_"):
                isDamaged = e2fsck("-fn", image) != 0
                (flagged if check[0] else missed).append(name) if isDamaged \
                    else (stricter if check[0] else agreed).append(name)
                for _ in range(2):
                    e2fsck("-fy", image)
                if e2fsck("-fn", image) == 0:
                    (unrepaired if measured([binary, "check", "-f", "raw", image])[0] else repaired).append(name)
            os.remove(image)
    share = len(flagged) / max(len(flagged) + len(missed), 1)
    print(f"flagged {len(flagged)} of {len(flagged) + len(missed)} ({share:.0%}); missed: {' '.join(missed)}")
    print(f"clean for both {len(agreed)}; flagged and clean for this e2fsck: {' '.join(stricter)}")
    print(f"clean after repair {len(repaired)} of {len(repaired) + len(unrepaired)}; not: {' '.join(unrepaired)}")
    print(f"slowest {slowest:.2f} s, largest {largest >> 10} MiB; traps, hangs or more: {broken}")
    sys.exit(1 if broken or share < 0.9 else 0)


main()
