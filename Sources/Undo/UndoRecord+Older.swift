internal import Storage

// Backups that are older than the newest change.

extension UndoRecord {
    /// The number of newest changes, this one among them, before which `file` was as it is now; nil where it is as it was
    /// before none. A backup from before several changes that was put back is so.
    ///
    /// The walk is newest first: before a change the file was as before the next one, but where the change touched it.
    func countOfChangesBefore(_ file: any ByteFile, _ log: any ByteFile) throws(StorageError) -> Int? {
        do throws(StorageError) {
            return try findCountOfChangesBefore(file, log)
        } catch {
            // An earlier one that is damaged says nothing.
            guard error.isCode(UndoCode.damaged) else { throw error }
            return nil
        }
    }

    private func findCountOfChangesBefore(
        _ file: any ByteFile, _ log: any ByteFile
    ) throws(StorageError) -> Int? {
        var changes: [UndoRecord] = []
        try Self.forEachSegment(in: log) { (record) in
            guard record.segmentStart <= segmentStart, record.state != .rolledBack, record.state != .prepared
            else { return }
            changes.append(record)
        }
        var unlike = RangeSet<UInt64>()
        for (index, change) in changes.reversed().enumerated() {
            try change.forEachChunk(in: log) { (chunk) throws(StorageError) in
                guard chunk.kind == .before else { return }
                for entry in try change.savedSectors(of: chunk) {
                    unlike.remove(contentsOf: entry.sectors)
                    unlike.formUnion(try file.sectors(unlike: entry, of: chunk))
                }
            }
            let length = change.header.lengthBefore
            guard file.byteCount == length else { continue }
            // What lay behind the end then is of no file.
            var here = unlike
            here.remove(contentsOf: (length.roundedUp(to: Self.sectorSize) ?? .max)..<UInt64.max)
            if here.isEmpty { return index + 1 }
        }
        return nil
    }
}
