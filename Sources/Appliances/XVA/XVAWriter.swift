package import Machines
package import Storage

/// Writes an export of XenServer and XCP-ng from its first byte to its last: the description, then each disk in pieces of a
/// mebibyte, each with its SHA-1 behind it, which every version takes. Pieces of zeros are left out, but for the first and the
/// last: an import counts the disk's bytes by them (xapi's stream_vdi.ml).
package struct XVAWriter {
    private static let pieceSize: UInt64 = 1 << 20
    private let file: any ByteFile
    private var position: UInt64 = 0

    /// Into an empty file.
    package init(_ file: any ByteFile) { self.file = file }

    /// Writes all of it and makes it durable. `machine`'s disks are these, in their order, and get their references and sizes
    /// here. `progress` is told of bytes of the disks.
    package mutating func write(
        _ machine: Machine, _ disks: [any BlockDevice], progress: (_ byteCount: UInt64) -> Void
    ) throws(StorageError) {
        var machine = machine
        for index in machine.disks.indices {
            machine.disks[index].file = XVAText.reference(ofDisk: index)
            machine.disks[index].byteCount = disks[index].byteCount
        }
        try append("ova.xml", Array(try XVAText(machine).text().utf8))
        for (index, disk) in disks.enumerated() {
            try write(disk, XVAText.reference(ofDisk: index), progress)
        }
        try put(ArchiveHeader.end)
        try file.flush()
    }

    private mutating func write(
        _ disk: any BlockDevice, _ reference: String, _ progress: (UInt64) -> Void
    ) throws(StorageError) {
        let size = disk.byteCount
        let count = size / Self.pieceSize + (size % Self.pieceSize == 0 ? 0 : 1)
        var number: UInt64 = 0
        while number < count {
            try Cancellation.check()
            let start = number * Self.pieceSize
            let length = min(Self.pieceSize, size - start)
            if number > 0, number < count - 1, let next = try Self.data(in: disk, from: start, size) {
                // Whole pieces that are said to be zeros are not read.
                let skipped = min(next / Self.pieceSize, count - 1)
                if skipped > number {
                    progress((skipped - number) * Self.pieceSize)
                    number = skipped
                    continue
                }
            }
            let bytes = try disk.bytes(at: start, count: Int(length))
            if number == 0 || number == count - 1 || !bytes.span8.isAllZero {
                let digits = String(number)
                let name =
                    "\(reference)/" + String(repeating: "0", count: max(8 - digits.utf8.count, 0)) + digits
                try append(name, bytes)
                let digest = try Digest(.sha1)
                digest.update(bytes.span8)
                try append(name + ".checksum", Array(digest.finish().utf8))
            }
            progress(length)
            number += 1
        }
    }

    /// Where the disk has bytes again that are not known to be zeros; its end where there are none. Nil: from here on.
    private static func data(
        in disk: any BlockDevice, from start: UInt64, _ size: UInt64
    ) throws(StorageError) -> UInt64? {
        var position = start
        while position < size {
            let extent = try disk.nextExtent(at: position)
            guard extent.kind == .zero || extent.kind == .absent else { break }
            position = extent.range.upperBound
        }
        return position == start ? nil : position
    }

    private mutating func append(_ name: String, _ contents: [UInt8]) throws(StorageError) {
        try put(try ArchiveHeader.bytes(name: name, byteCount: UInt64(contents.count), mode: 0))
        try put(contents)
        try put(ArchiveHeader.padding(UInt64(contents.count)))
    }

    private mutating func put(_ bytes: [UInt8]) throws(StorageError) {
        guard !bytes.isEmpty else { return }
        try file.write(bytes, at: position)
        position += UInt64(bytes.count)
    }
}
