internal import CLinux
internal import Glibc
internal import Synchronization

/// The loop devices that are attached, as they were when this was first asked: an image has hundreds of files, a host hundreds of
/// devices, and looking through all of those for each of these takes the product. What is written is asked for anew
/// (`HostFile.requireNotUsedByKernel`).
package final class KernelUse: Sendable {
    private let seen = Mutex<[Loop]?>(nil)

    /// Nothing is looked at yet.
    package init() {}

    var loops: [Loop] {
        seen.withLock { seen in
            if let seen { return seen }
            let found = Loop.all
            seen = found
            return found
        }
    }

    /// An attached loop device.
    struct Loop: Sendable {
        /// Its name.
        let path: String
        /// It refuses to be written.
        let isReadOnly: Bool
        /// The file that the shown path leads to: its device and inode.
        private let file: (device: UInt64, inode: UInt64)?
        /// The block device that it leads to.
        private let blockDevice: UInt64?
        /// The same by the loop device's own word: the path may lead nowhere, where it was renamed, was below a mount that is
        /// gone, or is another system's.
        private let ownWord: (device: UInt64, inode: UInt64)?

        /// Nil for a device that nothing is attached to.
        private init?(_ name: String) {
            guard let backing = HostFile.text(of: "/sys/block/\(name)/loop/backing_file") else { return nil }
            path = "/dev/\(name)"
            isReadOnly = HostFile.text(of: "/sys/block/\(name)/ro")?.first == "1"
            var status = stat()
            let isThere =
                unsafe String(backing.prefix { $0 != "\n" }).withHostPath({ unsafe stat($0, &status) }) == 0
            file = isThere ? (UInt64(status.st_dev), UInt64(status.st_ino)) : nil
            blockDevice = isThere && status.st_mode & S_IFMT == S_IFBLK ? UInt64(status.st_rdev) : nil
            var (device, inode) = (UInt64(0), UInt64(0))
            ownWord =
                unsafe path.withHostPath({ unsafe clinux_loop_backing($0, &device, &inode) }) == 0
                ? (device, inode) : nil
        }

        static var all: [Loop] { names.compactMap { Loop($0) } }

        /// The loop devices that may be attached. Those that are not have no length, and a host may have hundreds of them:
        /// `/proc/partitions` lists all block devices that have one ("major minor blocks name", behind a line of titles).
        /// Where it is not there all of them are looked at.
        private static var names: [String] {
            guard let table = HostFile.text(of: "/proc/partitions") else {
                return HostDirectory.names(in: "/sys/block").filter { $0.utf8.starts(with: loop) }
            }
            return names(table)
        }

        private static let loop = Array("loop".utf8)

        /// The loop devices, without their partitions, in the text of `/proc/partitions`.
        static func names(_ table: String) -> [String] {
            table.utf8.split(separator: UInt8(ascii: "\n")).compactMap { row in
                guard let name = row.split(separator: UInt8(ascii: " ")).last, name.starts(with: loop),
                    name.dropFirst(loop.count).allSatisfy({ (0x30...0x39).contains($0) })
                else { return nil }
                return String(decoding: name, as: UTF8.self)
            }
        }

        func isBacked(by status: stat, isBlockDevice: Bool) -> Bool {
            guard !isBlockDevice else { return blockDevice == UInt64(status.st_rdev) }
            return [file, ownWord].compactMap(\.self).contains { known in
                known.device == UInt64(status.st_dev) && known.inode == UInt64(status.st_ino)
            }
        }
    }
}
