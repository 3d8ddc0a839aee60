"""Reads a VHD or VHDX with another project's reader and writes the guest's disk to a plain file.

    read-hyperv-disk.py libvhdi|dissect OUT DISK [PARENT [GRANDPARENT…]]
"""
import sys


def open_libvhdi(paths):
    import pyvhdi

    files = []
    for path in paths:
        disk = pyvhdi.file()
        disk.open(path)
        files.append(disk)
    for child, parent in zip(files, files[1:]):
        child.set_parent(parent)
    return files, files[0].get_media_size()


def open_dissect(paths):
    from pathlib import Path

    path = Path(paths[0])
    if path.read_bytes()[:8] == b"vhdxfile":
        from dissect.hypervisor.disk.vhdx import VHDX

        disk = VHDX(path)
    else:
        from dissect.hypervisor.disk.vhd import VHD

        disk = VHD(path.open("rb"))
    return [disk], disk.size


reader, out, *paths = sys.argv[1:]
files, size = (open_libvhdi if reader == "libvhdi" else open_dissect)(paths)
with open(out, "wb") as target:
    done = 0
    while done < size:
        # Whole MiB, so that no read begins or ends within a block.
        data = files[0].read(min(1 << 20, size - done))
        if not data:
            sys.exit(f"{reader} stops at {done} of {size}")
        target.write(data)
        done += len(data)
