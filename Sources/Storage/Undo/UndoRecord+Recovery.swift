// Taking changes back: a cut-off one at the next opening for writing, a finished one on request.

extension UndoRecord {
    /// What `recover` found and did.
    public enum Recovery: Sendable, Equatable {
        /// There was nothing to do.
        case none
        /// A change had been cut off; the file is as it was before it.
        case rolledBack
        /// A change had been cut off after its last byte; it stands.
        case completed
    }

    /// Brings a file whose last change was cut off back to the state before it, or marks the change as done when
    /// another file of the same transaction proves that it was complete. Call before writing to the file.
    public static func recover(_ file: HostFile) throws(StorageError) -> Recovery {
        guard let record = try read(for: file.path), record.state == .hot || record.state == .undoing else {
            return .none
        }
        let log = try HostFile.open(record.path, access: .write, locking: .ignore, followLinks: false)
        if record.state == .hot {
            for sibling in record.siblings {
                guard let other = try read(for: sibling), other.transactionID == record.transactionID else {
                    throw StorageError(
                        .refused, layer: "undo record", code: "sibling-missing",
                        "a change over several files was cut off and the record of \(sibling) is gone; "
                            + "put it back, or restore the images from a copy", path: record.path)
                }
                if other.state == .done {
                    try setState(.done, in: log, at: record.segmentStart)
                    return .completed
                }
            }
        }
        try record.restore(file)
        try setState(.rolledBack, in: log, at: record.segmentStart)
        return .rolledBack
    }

    /// Takes the newest finished change of `file` back, after comparing every changed range with what the change
    /// wrote there. Returns false when there is nothing to take back.
    public static func undo(_ file: HostFile) throws(StorageError) -> Bool {
        guard let record = try read(for: file.path) else { return false }
        let log = try HostFile.open(record.path, access: .write, locking: .ignore, followLinks: false)
        switch record.state {
        case .hot, .undoing:
            guard try recover(file) == .rolledBack else { return try undo(file) }
        case .done:
            try record.checkUnchanged(file)
            try setState(.undoing, in: log, at: record.segmentStart)
            try record.restore(file)
        case .rolledBack:
            break
        }
        try log.truncate(to: record.segmentStart)
        try log.flush()
        if record.segmentStart == 0 {
            try HostDirectory.remove(record.path)
            try HostDirectory.sync(holding: record.path)
        }
        if record.state == .rolledBack { return try undo(file) }
        return true
    }

    private func checkUnchanged(_ file: HostFile) throws(StorageError) {
        guard file.byteCount == lengthAfter else {
            throw StorageError(
                .refused, layer: "undo record", code: "changed-since",
                "the file has been resized since the change; it is not taken back", field: "length",
                path: file.path)
        }
        for range in ranges {
            let count = min(UInt64(range.after.count), lengthAfter - min(lengthAfter, range.offset))
            let now = try file.bytes(at: range.offset, count: Int(count))
            guard now[...] == range.after.prefix(Int(count)) else {
                throw StorageError(
                    .refused, layer: "undo record", code: "changed-since",
                    "these bytes have been changed by something else since; the change is not taken back",
                    offset: range.offset, path: file.path)
            }
        }
    }

    private func restore(_ file: HostFile) throws(StorageError) {
        for range in ranges { try file.write(range.before, at: range.offset) }
        if !file.isBlockDevice, file.byteCount != lengthBefore { try file.truncate(to: lengthBefore) }
        try file.flush()
    }
}
