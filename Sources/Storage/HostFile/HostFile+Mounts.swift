internal import CLinux
internal import Glibc

// Locks keep programs out, and the kernel asks for none: a file system that the host has mounted from an image would
// write back what it holds in memory over what is written here.

extension HostFile {
    /// Throws `refused`, code "mounted", when the host's kernel works on the file itself: a loop device is attached
    /// to it, or it is a block device that is mounted, whole or a partition of it.
    func requireNotUsedByKernel() throws(StorageError) {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { return }
        if isBlockDevice {
            // gnu_dev_major and gnu_dev_minor.
            let raw = UInt64(status.st_rdev)
            let number =
                "\(raw >> 8 & 0xfff | raw >> 32 & 0xffff_f000):\(raw & 0xff | raw >> 12 & 0xffff_ff00)"
            guard let place = Self.mountPoint(of: number) else { return }
            throw usedByKernel("it is mounted at \(place); unmount it first")
        }
        for name in HostDirectory.names(in: "/sys/block") where name.hasPrefix("loop") {
            guard let backing = Self.text(of: "/sys/block/\(name)/loop/backing_file") else { continue }
            var other = stat()
            guard unsafe String(backing.prefix { $0 != "\n" }).withHostPath({ unsafe stat($0, &other) }) == 0,
                other.st_dev == status.st_dev, other.st_ino == status.st_ino
            else { continue }
            throw usedByKernel(
                "/dev/\(name) is attached to it; unmount what is mounted from there and detach it (losetup -d)"
            )
        }
    }

    /// Where a device with this number, or a partition of it, is mounted.
    private static func mountPoint(of number: String) -> String? {
        for line in text(of: "/proc/self/mountinfo")?.split(separator: "\n") ?? [] {
            let fields = line.split(separator: " ")
            guard fields.count > 4 else { continue }
            let device = "/sys/dev/block/\(fields[2])"
            let isPartition =
                HostDirectory.exists("\(device)/partition") && text(of: "\(device)/../dev") == number + "\n"
            if fields[2] == number || isPartition { return String(fields[4]) }
        }
        return nil
    }

    /// A file that the kernel makes up as it is read.
    private static func text(of path: String) -> String? {
        let descriptor = unsafe path.withHostPath { unsafe clinux_open($0, O_RDONLY, 0) }
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var text: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = unsafe piece.withUnsafeMutableBytes {
                unsafe Glibc.read(descriptor, $0.baseAddress, $0.count)
            }
            guard count > 0 else { break }
            text += piece[..<count]
        }
        return String(hostBytes: text)
    }

    private func usedByKernel(_ reason: String) -> StorageError {
        StorageError(.refused, layer: "host file", code: "mounted", reason, path: path)
    }
}
