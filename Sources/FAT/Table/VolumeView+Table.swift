internal import Storage

extension FATFileSystem {
    /// Entries are read in pieces of so many bytes: a multiple of what two entries of FAT12 take.
    private static var pieceSize: Int { 3 << 18 }

    /// Calls `body` with the number that the live table has for each cluster of the data area.
    func forEachTableValue(_ body: (UInt32, UInt32) throws(StorageError) -> Void) throws(StorageError) {
        let end = geometry.clusterCount + 2
        let perPiece: UInt32 =
            switch geometry.width {
            case .fat12: UInt32(Self.pieceSize / 3 * 2)
            case .fat16: UInt32(Self.pieceSize / 2)
            case .fat32: UInt32(Self.pieceSize / 4)
            }
        var start: UInt32 = 0
        while start < end {
            try Cancellation.check()
            let stop = min(end, start + perPiece)
            let first = geometry.tablePlace(of: start, in: geometry.activeTable)
            let last = geometry.tablePlace(of: stop - 1, in: geometry.activeTable)
            let bytes = try metadata(
                at: first.offset, count: Int(last.offset - first.offset) + last.count)
            for cluster in max(start, 2)..<max(stop, 2) {
                let place = geometry.tablePlace(of: cluster, in: geometry.activeTable)
                try body(
                    cluster,
                    geometry.tableValue(of: cluster, in: bytes.span8, at: Int(place.offset - first.offset)))
            }
            start = stop
        }
    }

    /// The first byte at which a kept table differs from the live one; nil when they agree.
    func firstDifferenceOfTables() throws(StorageError) -> UInt64? {
        let live = geometry.tableOffset + UInt64(geometry.activeTable) * geometry.tableByteCount
        for table in geometry.keptTables where table != geometry.activeTable {
            let other = geometry.tableOffset + UInt64(table) * geometry.tableByteCount
            var done: UInt64 = 0
            while done < geometry.tableByteCount {
                try Cancellation.check()
                let count = Int(min(geometry.tableByteCount - done, UInt64(Self.pieceSize)))
                let left = try metadata(at: live + done, count: count)
                let right = try metadata(at: other + done, count: count)
                if left != right {
                    let index = zip(left, right).enumerated().first { $0.element.0 != $0.element.1 }?.offset
                    return other + done + UInt64(index ?? 0)
                }
                done += UInt64(count)
            }
        }
        return nil
    }

    /// FSInfo; nil where the volume has none or it is none.
    func informationSector() throws(StorageError) -> InformationSector? {
        guard let offset = geometry.informationOffset else { return nil }
        return InformationSector(try metadata(at: offset, count: InformationSector.byteCount))
    }
}
