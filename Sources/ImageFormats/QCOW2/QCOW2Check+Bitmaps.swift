internal import Storage

extension QCOW2Check {
    /// qemu's limits: block/qcow2-bitmap.c, and "Bitmaps extension" of qemu docs/interop/qcow2.txt.
    private static let directoryLimit: UInt64 = 64 << 20
    private static let bitmapLimit: UInt32 = 65535
    private static let entrySize: UInt64 = 24

    /// Clusters of dirty bitmaps: their directory, each one's table, and what the tables name. They count only while the
    /// header's autoclear bit vouches for them, as for qemu.
    mutating func addBitmaps(_ report: (Finding) -> Void) throws(StorageError) {
        let size = header.extensions.bitmapDirectoryByteCount
        let offset = header.extensions.bitmapDirectoryOffset
        let count = header.extensions.bitmapCount
        guard count > 0, header.autoclear & 1 != 0 else { return }
        guard count <= Self.bitmapLimit, size <= Self.directoryLimit, offset % header.clusterSize == 0,
            offset > 0, offset < file.byteCount, size <= file.byteCount - offset
        else {
            return damage(
                .bitmapDirectory, "the bitmap directory does not lie in the file", "bitmap directory", offset,
                report)
        }
        try addMetadata(offset, size)
        let end = offset + size
        var position = offset
        for _ in 0..<count {
            guard end - position >= Self.entrySize else {
                return damage(
                    .bitmapDirectory, "the bitmap directory ends within an entry", "bitmap directory",
                    position, report)
            }
            let entry = try file.bytes(at: position, count: Int(Self.entrySize))
            try addBitmap(at: entry.big(0), entries: UInt64(entry.big(8, as: UInt32.self)), position, report)
            let more = UInt64(entry.big(18, as: UInt16.self)) + UInt64(entry.big(20, as: UInt32.self))
            guard let length = (Self.entrySize + more).roundedUp(to: 8), length <= end - position else {
                return damage(
                    .bitmapDirectory, "a bitmap's name leaves the directory", "bitmap directory", position,
                    report)
            }
            position += length
        }
    }

    private mutating func addBitmap(
        at table: UInt64, entries: UInt64, _ place: UInt64, _ report: (Finding) -> Void
    ) throws(StorageError) {
        guard table % header.clusterSize == 0, table > 0, table < file.byteCount,
            entries * 8 <= file.byteCount - table
        else {
            return damage(
                .bitmapTable, "a bitmap's table does not lie in the file", "bitmap directory", place, report)
        }
        try addMetadata(table, entries * 8)
        var index: UInt64 = 0
        while let found = try tables.pages.firstEntry(
            QCOW2Entry.offsetMask, at: table, from: index, to: entries)
        {
            index = found + 1
            let cluster = try tables.pages.entry(at: table + found * 8) & QCOW2Entry.offsetMask
            guard cluster % header.clusterSize == 0, cluster < file.byteCount else {
                damage(
                    .bitmapTable, "a bitmap's cluster at \(cluster.hex) is not one of the file",
                    "bitmap table",
                    table + found * 8, report)
                continue
            }
            try references.add(cluster >> bits..<cluster >> bits + 1, isMetadata: true)
        }
    }

    private mutating func addMetadata(_ offset: UInt64, _ size: UInt64) throws(StorageError) {
        try references.add(
            offset >> bits..<(offset + size).dividedRoundingUp(by: header.clusterSize), isMetadata: true)
    }
}
