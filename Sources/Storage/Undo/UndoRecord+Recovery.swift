// Taking changes back: a cut-off one at the next opening for writing, a finished one on request.

extension UndoRecord {
    /// What `recover` found and did.
    public enum Recovery: Sendable, Equatable {
        /// There was nothing to do.
        case none
        /// A change had been cut off; the file is as it was before it.
        case rolledBack
        /// A change had been cut off after its last byte, or its undoing before the first; it stands.
        case completed
    }

    /// Brings a file whose last change was cut off back to the state before it, or marks the change as done when
    /// another file of the same transaction proves that it was complete. Call before writing to the file.
    public static func recover(_ file: HostFile) throws(StorageError) -> Recovery {
        guard let record = try read(for: file.path), record.state == .hot || record.state == .undoing else {
            return .none
        }
        let log = try record.openLog()
        var missing: String?
        for sibling in record.siblings {
            if let other = try read(for: sibling, transactionID: record.transactionID) {
                guard other.state == .done else { continue }
                // Hot: all files were flushed before the first was marked done. Being undone: nothing has been put
                // back yet, because all are marked first.
                try setState(.done, in: log, at: record.segmentStart)
                return .completed
            }
            // What was taken back leaves its record in the end; hot segments all stay until then.
            if record.state == .hot || !HostDirectory.exists(sibling) { missing = sibling }
        }
        if let missing {
            throw StorageError(
                .refused, layer: "undo record", code: "sibling-missing",
                "a change over several files was cut off and the record of \(missing) is gone; "
                    + "put it back, or restore the images from a copy", path: record.path)
        }
        try record.restore(file, log)
        try setState(.rolledBack, in: log, at: record.segmentStart)
        return .rolledBack
    }

    /// Takes the newest change of `files` back, over all the files that it changed, after comparing every changed
    /// range of all of them with what the change wrote there. A change that was cut off is rolled back instead.
    ///
    /// Returns the files that are as they were before; none when there is nothing to take back. Throws `refused`,
    /// nothing written, when something else has changed the files since or one of them is not among `files`.
    public static func undo(_ files: [HostFile]) throws(StorageError) -> [HostFile] {
        var rolledBack: [HostFile] = []
        for file in files {
            if try recover(file) == .rolledBack { rolledBack.append(file) }
        }
        for file in files {
            while let record = try read(for: file.path), try record.isIdle() { try record.remove() }
        }
        guard rolledBack.isEmpty else { return rolledBack }

        var found: [Part] = []
        for file in files {
            guard let record = try read(for: file.path) else { continue }
            guard record.state == .done else {
                throw StorageError(
                    .refused, layer: "undo record", code: "sibling-missing",
                    "a change over several files was cut off and not all of them are here: "
                        + record.siblings.joined(separator: ", "), path: record.path)
            }
            found.append(Part(file: file, record: record))
        }
        guard let newest = found.max(by: { $0.record.time < $1.record.time })?.record else { return [] }
        let change = found.filter { $0.record.transactionID == newest.transactionID }
        for sibling in newest.siblings
        where !change.contains(where: { HostDirectory.isSame($0.file.path, sibling) }) {
            throw StorageError(
                .refused, layer: "undo record", code: "sibling-not-given",
                "the change also covers \(sibling); give that disk too, with --with", path: newest.path)
        }
        for part in change { try part.record.checkUnchanged(part.file) }
        for part in change {
            try setState(.undoing, in: part.record.openLog(), at: part.record.segmentStart)
        }
        for part in change { try part.record.restore(part.file, part.record.openLog()) }
        for part in change { try part.record.remove() }
        return change.map(\.file)
    }

    /// A file of a change that covers several.
    private struct Part {
        let file: HostFile
        let record: UndoRecord
    }

    /// Whether the segment says nothing any more: its change never began, or went back, in all files.
    private func isIdle() throws(StorageError) -> Bool {
        guard state == .rolledBack || state == .prepared else { return false }
        for sibling in siblings {
            // Where a file is out of reach, nobody knows.
            guard HostDirectory.exists(sibling),
                try Self.read(for: sibling, transactionID: transactionID)?.state != .hot
            else { return false }
        }
        return true
    }

    /// The record's file, to be changed.
    func openLog() throws(StorageError) -> HostFile {
        try HostFile.open(path, access: .write, locking: .ignore, followLinks: false)
    }

    /// Takes the segment out of the record, and the record away with its last.
    func remove() throws(StorageError) {
        let log = try openLog()
        try log.truncate(to: segmentStart)
        try log.flush()
        if segmentStart == 0 {
            try HostDirectory.remove(path)
            try HostDirectory.sync(holding: path)
        }
    }

    private func checkUnchanged(_ file: HostFile) throws(StorageError) {
        let log = try openLog()
        let chunks = try wholeChunks(in: log)
        guard let last = chunks.last, last.kind == .after else { throw damaged(chunks.last) }
        guard file.byteCount == last.lengthAfter else {
            throw StorageError(
                .refused, layer: "undo record", code: "changed-since",
                "the file has been resized since the change; it is not taken back", field: "length",
                path: file.path)
        }
        for chunk in chunks {
            for changed in try changedRanges(of: chunk, in: log) {
                let range = changed.range
                let now = try file.bytes(
                    at: range.lowerBound, count: Int(range.upperBound - range.lowerBound))
                guard UndoSum(now.span8) == changed.sum else {
                    throw StorageError(
                        .refused, layer: "undo record", code: "changed-since",
                        "these bytes have been changed by something else since; the change is not taken back",
                        offset: range.lowerBound, path: file.path)
                }
            }
        }
    }

    /// Writes back everything that was saved, and the old length. Twice does the same as once.
    func restore(_ file: HostFile, _ log: HostFile) throws(StorageError) {
        for chunk in try wholeChunks(in: log) {
            for saved in try savedRanges(of: chunk, in: log) { try Self.restore(saved, file, log) }
        }
        // A write that failed may have made the file longer than anybody noted.
        if !file.isBlockDevice { try file.truncate(to: lengthBefore) }
        try file.flush()
    }

    private static func restore(
        _ saved: SavedRange, _ file: HostFile, _ log: HostFile
    ) throws(StorageError) {
        let range = saved.range
        guard let start = saved.position else {
            // What lies behind the present end reads as zeros once the length is back.
            let end = min(range.upperBound, file.byteCount)
            guard range.lowerBound < end else { return }
            return try file.writeZeroes(at: range.lowerBound, count: end - range.lowerBound)
        }
        try log.forEachPiece(of: start..<start + (range.upperBound - range.lowerBound)) {
            (position, bytes) throws(StorageError) in
            // A full host may refuse to write even what is there already.
            let offset = range.lowerBound + (position - start)
            let now = try file.availableBytes(at: offset, count: bytes.byteCount)
            if !bytes.matches(now) || now.count < bytes.byteCount { try file.write(bytes, at: offset) }
        }
    }
}
