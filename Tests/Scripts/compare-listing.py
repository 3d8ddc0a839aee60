#!/usr/bin/env python3
"""compare-listing.py MOUNT-POINT < `diskgraft ls -R --json --hash sha256 IMAGE --volume NAME`

Compares a listing with what the kernel shows of the same tree: path, type, mode, owner, links, size (not of
directories), mtime, hash or target or device, extended attributes. Prints each difference and the count of files;
exits 1 when there are differences. --no-directory-times leaves the times of directories out.
"""
import hashlib
import json
import os
import stat
import sys

TYPES = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "symlink", stat.S_IFCHR: "char",
         stat.S_IFBLK: "block", stat.S_IFIFO: "fifo", stat.S_IFSOCK: "socket"}


def described(path, options):
    info = os.lstat(path)
    kind = stat.S_IFMT(info.st_mode)
    found = {"type": TYPES[kind], "mode": "0o%o" % info.st_mode, "uid": info.st_uid, "gid": info.st_gid,
             "links": info.st_nlink, "mtime_ns": info.st_mtime_ns}
    if kind != stat.S_IFDIR:
        found["size"] = info.st_size
    elif "--no-directory-times" in options:
        del found["mtime_ns"]
    if kind == stat.S_IFLNK:
        found["target"] = os.fsdecode(os.readlink(path))
    if kind in (stat.S_IFCHR, stat.S_IFBLK):
        found["rdev"] = "%d:%d" % (os.major(info.st_rdev), os.minor(info.st_rdev))
    if kind == stat.S_IFREG:
        digest = hashlib.sha256()
        try:
            with open(path, "rb") as file:
                while piece := file.read(1 << 20):
                    digest.update(piece)
            found["sha256"] = digest.hexdigest()
        except OSError as error:
            found["sha256"] = None if error.errno == 126 else str(error)
    names = os.listxattr(path, follow_symlinks=False)
    found["xattrs"] = {os.fsdecode(n): os.getxattr(path, n, follow_symlinks=False).hex() for n in names}
    return found


def listed(line, options):
    entry = json.loads(line)
    path = bytes.fromhex(entry["path_hex"]) if "path_hex" in entry else entry["path"].encode()
    found = {key: entry.get(key) for key in ("type", "mode", "uid", "gid", "links", "mtime_ns")}
    if entry["type"] != "directory":
        found["size"] = entry["size"]
    elif "--no-directory-times" in options:
        del found["mtime_ns"]
    if entry["type"] == "symlink":
        target = bytes.fromhex(entry["target_hex"]) if "target_hex" in entry else entry["target"].encode()
        found["target"] = os.fsdecode(target)
    if "rdev" in entry:
        found["rdev"] = entry["rdev"]
    if entry["type"] == "file":
        found["sha256"] = entry.get("sha256")
    found["xattrs"] = entry.get("xattrs", {})
    return path, found


def main():
    options = [a for a in sys.argv[1:] if a.startswith("--")]
    top = os.fsencode([a for a in sys.argv[1:] if not a.startswith("--")][0]).rstrip(b"/")
    ours = dict(listed(line, options) for line in sys.stdin.buffer)
    differences = 0
    for directory, directories, files in os.walk(top):
        for name in directories + files + ([b""] if directory == top else []):
            path = os.path.join(directory, name).rstrip(b"/")
            theirs, key = described(path, options), path[len(top):] or b"/"
            mine = ours.pop(key, None)
            if mine != theirs:
                differences += 1
                keys = [k for k in theirs if mine is None or mine.get(k) != theirs[k]]
                print(os.fsdecode(key), [(k, (mine or {}).get(k), theirs[k]) for k in keys])
    for key in ours:
        differences += 1
        print(os.fsdecode(key), "is not there for the kernel")
    print(f"{differences} differences", file=sys.stderr)
    sys.exit(1 if differences else 0)


main()
