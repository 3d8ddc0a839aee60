internal import CLinux
internal import Glibc
public import Storage

extension HostFile {
    /// By inode number and birth time.
    public var incarnation: FileIncarnation? {
        names?.incarnation ?? FileIncarnation(inode: inode.inode, birth: 0)
    }

    /// Not counted for a device: it has as many as somebody gives it.
    public var nameCount: UInt64? { hasFixedLength ? nil : names?.count }

    private var names: (incarnation: FileIncarnation, count: UInt64)? {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { return nil }
        return Self.names(of: status, descriptor)
    }

    /// The incarnation of the file at `path`, through links, and how many names it has; nil where there is none that the caller can reach. Throws `io`
    /// where that cannot be told.
    package static func names(
        of path: String
    ) throws(StorageError) -> (incarnation: FileIncarnation, count: UInt64)? {
        var status = stat()
        // O_PATH: nothing is read, and opening a device has no effect.
        let descriptor = unsafe path.withHostPath { unsafe clinux_open($0, clinux_o_path, 0) }
        guard descriptor >= 0 else {
            let number = errno
            guard [ENOENT, ENOTDIR, EACCES, ELOOP, ENAMETOOLONG].contains(number) else {
                throw .io("host file", operation: "open", errno: number, path: path)
            }
            return nil
        }
        defer { close(descriptor) }
        guard unsafe fstat(descriptor, &status) == 0 else {
            throw .io("host file", operation: "fstat", errno: errno, path: path)
        }
        return names(of: status, descriptor)
    }

    private static func names(
        of status: stat, _ descriptor: Int32
    ) -> (incarnation: FileIncarnation, count: UInt64) {
        // A device has as many names as somebody gives it.
        guard status.st_mode & S_IFMT != S_IFBLK else {
            let number = FileIncarnation(inode: 1 << 63 | UInt64(status.st_rdev), birth: deviceMark(status))
            return (number, 2)
        }
        return (
            FileIncarnation(inode: UInt64(status.st_ino), birth: clinux_birth_time(descriptor)),
            UInt64(status.st_nlink)
        )
    }

    /// What tells a block device from a later one of the same number, as a number: what the disk is called by its maker or the
    /// volume by LVM, the file behind a loop device, or else when it was attached since the host was started. 0 where the kernel
    /// says nothing of it. The lowest bit is set where that number goes with the device wherever it is attached.
    private static func deviceMark(_ status: stat) -> UInt64 {
        let folder = "/sys/dev/block/\(number(status))"
        let partition = text(of: folder + "/partition") ?? ""
        let disk = partition.isEmpty ? folder : folder + "/.."
        let lasting = lastingName(ofDisk: disk)
        let backing = lasting == nil ? fileBehind(disk) : nil
        guard let name = lasting ?? backing ?? known("diskseq", of: disk) else { return 0 }
        let isLasting = lasting != nil || backing != nil
        // The kernel counts anew at each start: without the start's own name the number says nothing.
        guard let start = isLasting ? "" : text(of: "/proc/sys/kernel/random/boot_id") else { return 0 }
        let sum = XXH64.checksum(Array((name + partition + start).utf8).span8)
        return isLasting ? sum | 1 : max(sum & ~1, 2)
    }

    private static func known(_ name: String, of disk: String) -> String? {
        let value = (text(of: disk + "/" + name) ?? "").filter { $0 != "\n" && $0 != " " && $0 != "\0" }
        return value.isEmpty ? nil : name + value
    }

    /// What a disk is called by its maker, or a volume by LVM, by its folder in sysfs; nil where there is none. What a card reader
    /// is called is not what the card is called: of what can be taken out the host knows only when it was put in.
    package static func lastingName(ofDisk folder: String) -> String? {
        let isRemovable = text(of: folder + "/removable")?.first == "1"
        let names =
            isRemovable ? ["dm/uuid"] : ["dm/uuid", "wwid", "device/wwid", "serial", "device/serial"]
        return names.lazy.compactMap { known($0, of: folder) }.first
    }

    /// The path of the block device that is attached with that number, which lasts; nil where there is none.
    package static func device(_ incarnation: FileIncarnation) -> String? {
        guard incarnation.isLasting else { return nil }
        for name in HostDirectory.names(in: "/sys/class/block") {
            // The kernel writes a slash in the name as an exclamation mark.
            let plain = "/dev/" + String(name.map { $0 == "!" ? "/" : $0 })
            guard let found = try? names(of: plain)?.incarnation, found.isOfDevice,
                found.birth == incarnation.birth
            else { continue }
            let mapped = text(of: "/sys/class/block/\(name)/dm/name")?.prefix { $0 != "\n" }
            let path = mapped.map { "/dev/mapper/\($0)" } ?? plain
            return HostDirectory.exists(path) ? path : plain
        }
        return nil
    }

    /// What a loop device shows, as long as the file's path leads to it; nil for other devices.
    private static func fileBehind(_ disk: String) -> String? {
        guard let line = text(of: disk + "/loop/backing_file"),
            let names = try? names(of: String(line.prefix { $0 != "\n" })), names.incarnation.birth != 0
        else { return nil }
        let offset = text(of: disk + "/loop/offset") ?? ""
        return "file\(names.incarnation.inode) \(names.incarnation.birth) \(offset)"
    }
}
