internal import Storage

/// Writes an archive in the "newc" format.
struct CpioWriter {
    private var bytes: [UInt8] = []
    private var count: UInt32 = 0

    /// An entry; a link's contents are its target. Everything belongs to root and to no time, and no two entries are one
    /// file.
    mutating func add(_ path: [UInt8], type: FileType, permissions: UInt16, _ contents: [UInt8]) {
        count += 1
        header(
            path, inode: count, mode: UInt32(type.modeBits | permissions & 0o7777),
            linkCount: type == .directory ? 2 : 1, size: contents.count)
        bytes += contents
        pad(to: 4)
    }

    /// The archive with its end.
    mutating func finish() -> [UInt8] {
        header(Array("TRAILER!!!".utf8), inode: 0, mode: 0, linkCount: 1, size: 0)
        pad(to: 512)
        return bytes
    }

    private mutating func header(_ path: [UInt8], inode: UInt32, mode: UInt32, linkCount: UInt32, size: Int) {
        bytes += Array("070701".utf8)
        let fields = [
            inode, mode, 0, 0, linkCount, 0, UInt32(size), 0, 0, 0, 0, UInt32(path.count + 1), 0,
        ]
        for field in fields {
            var digits = [UInt8](repeating: 0, count: 4)
            digits.storeBig(field, at: 0)
            bytes += digits.hexDigits
        }
        bytes += path
        bytes.append(0)
        pad(to: 4)
    }

    private mutating func pad(to unit: Int) {
        let rest = bytes.count % unit
        if rest > 0 { bytes += [UInt8](repeating: 0, count: unit - rest) }
    }
}
