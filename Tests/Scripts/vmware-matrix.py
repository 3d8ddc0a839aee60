"""VMware's disks between diskgraft and four other programs, in three directions; prints a row for each shape.

    python3 -m venv V && V/bin/pip install libvmdk-python dissect.hypervisor
    V/bin/python Tests/Scripts/vmware-matrix.py .build/debug/diskgraft [VMDK-CONVERT]

VMDK-CONVERT is that of VMware's open-vmdk (make in its folder vmdk). made: diskgraft makes it of a raw disk, the others read it.
changed: a file is put into its file system in place, the others read it. read: the others make it, diskgraft reads it.
"""
import hashlib, os, random, subprocess, sys, tempfile

diskgraft = os.path.abspath(sys.argv[1])
convert = os.path.abspath(sys.argv[2]) if len(sys.argv) > 2 else None
SHAPES = ["monolithicSparse", "monolithicFlat", "vmfs", "twoGbMaxExtentSparse", "twoGbMaxExtentFlat", "streamOptimized"]
ONE_FILE = ["monolithicSparse", "streamOptimized"]


def run(*words):
    done = subprocess.run(words, capture_output=True)
    if done.returncode:
        raise RuntimeError((done.stderr or done.stdout).decode(errors="replace").strip().splitlines()[-1])


def digest(path):
    result = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            result.update(piece)
    return result.hexdigest()


def by_qemu(disk, raw):
    run("qemu-img", "convert", "-f", "vmdk", "-O", "raw", disk, raw)


def by_diskgraft(disk, raw):
    run(diskgraft, "convert", "-f", "vmdk", "-O", "raw", disk, raw)


def by_libvmdk(disk, raw):
    import pyvmdk

    handle = pyvmdk.handle()
    handle.open(disk)
    handle.open_extent_data_files()
    copy(handle.get_media_size(), lambda count, at: handle.read_buffer_at_offset(count, at), raw)


def by_dissect(disk, raw):
    from dissect.hypervisor.disk.vmdk import VMDK

    reader = VMDK(disk)

    def read(count, at):
        reader.seek(at)
        return reader.read(count)

    copy(reader.size, read, raw)


def by_open_vmdk(disk, raw):
    """It knows disks in one file: what it is to write is raw where its name does not end in .vmdk."""
    if not any(kind in disk for kind in ONE_FILE):
        raise RuntimeError("disks in one file alone")
    run(convert, disk, raw)


def copy(size, read, raw):
    with open(raw, "wb") as out:
        done = 0
        while done < size:
            data = read(min(1 << 20, size - done), done)
            if not data:
                raise RuntimeError(f"ends at {done} of {size}")
            out.write(data)
            done += len(data)


def judged(body):
    try:
        return "same" if body() else "**other bytes**"
    except Exception as error:
        return f"refuses: {str(error)[:90]}"


READERS = [("qemu-img", by_qemu), ("libvmdk", by_libvmdk), ("dissect", by_dissect)]
if convert:
    READERS.append(("open-vmdk", by_open_vmdk))

with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    # More than one extent of 2 GiB, little of it used: a file system and scattered bytes behind it.
    with open("disk.raw", "wb") as file:
        file.truncate(2560 << 20)
    run("mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "disk.raw", "60000")
    source = random.Random(7)
    with open("disk.raw", "r+b") as file:
        for place in [240 << 20, 700 << 20, 2046 << 20, 2500 << 20]:
            file.seek(place + source.randrange(1 << 20))
            file.write(source.randbytes(300_000))
    with open("new", "wb") as file:
        file.write(source.randbytes(500_000))
    raw = digest("disk.raw")

    def same(read, disk, expected):
        read(disk, os.path.join(folder, "back.raw"))
        return digest("back.raw") == expected

    print("| shape | direction | " + " | ".join(name for name, _ in READERS) + " |")
    print("|---" * (len(READERS) + 2) + "|")
    for shape in SHAPES:
        os.makedirs(shape)
        disk = f"{shape}/disk.vmdk"
        run(diskgraft, "convert", "-O", "vmdk", "-o", f"subformat={shape}", "disk.raw", disk)
        cells = [judged(lambda: same(read, os.path.abspath(disk), raw)) for _, read in READERS]
        print(f"| {shape} | made | " + " | ".join(cells) + " |", flush=True)
        if shape == "streamOptimized":
            continue
        run(diskgraft, "put", "--volume", "disk", disk, "new", "/new")
        by_diskgraft(disk, "changed.raw")
        changed = digest("changed.raw")
        assert changed != raw
        run("e2fsck", "-fn", "changed.raw")
        cells = [judged(lambda: same(read, os.path.abspath(disk), changed)) for _, read in READERS]
        print(f"| {shape} | changed | " + " | ".join(cells) + " |", flush=True)
    print("\n| shape | made by | diskgraft reads |\n|---|---|---|")
    for shape in SHAPES:
        if shape == "vmfs":
            continue
        run("qemu-img", "convert", "-O", "vmdk", "-o", f"subformat={shape}", "disk.raw", "theirs.vmdk")
        print(f"| {shape} | qemu-img | {judged(lambda: same(by_diskgraft, 'theirs.vmdk', raw))} |", flush=True)
    if convert:
        for options, order in [([], "in order"), (["--noreorder", "-n", "4"], "grains in no order")]:
            run(convert, *options, "disk.raw", "theirs.vmdk")
            cell = judged(lambda: same(by_diskgraft, "theirs.vmdk", raw))
            print(f"| streamOptimized, {order} | open-vmdk | {cell} |", flush=True)
