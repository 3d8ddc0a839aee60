internal import HostIO
internal import Storage

/// A change that was cut off, or whose undoing was, over all the host files that it may have begun on.
struct CutOffChange {
    /// A file that is half done as far as its record knows.
    struct Member {
        let file: any ByteFile
        let record: UndoRecord
        let log: any ByteFile
        let comparison: UndoComparison
    }

    private(set) var members: [Member] = []
    /// Another file proves that the change is complete, or that nothing has been put back yet.
    private var isDecided = false
    /// A file on which the change has not begun, or which has gone back.
    private var isPartial = false
    private let open: [any ByteFile]
    private let place: UndoPlace

    /// Compares `file`, whose newest segment is `record`, and every other host file of the transaction. Files in `open`
    /// are used as they are; others are opened, which locks them.
    ///
    /// Throws `refused`, code "sibling-missing", where a file is out of reach, and what comparing throws.
    init(
        _ file: any ByteFile, _ record: UndoRecord, among open: [any ByteFile], in place: UndoPlace
    ) throws(StorageError) {
        self.open = open
        self.place = place
        try add(file, record)
        var seen: Set<[UInt8]> = []
        var next = 0
        while next < members.count {
            let member = members[next]
            next += 1
            for sibling in member.comparison.siblings where seen.insert(sibling.hostBytes).inserted {
                guard !members.contains(where: { HostDirectory.isSame($0.file.path, sibling) }) else {
                    continue
                }
                try addSibling(sibling, of: member.record)
            }
        }
    }

    private mutating func add(_ file: any ByteFile, _ record: UndoRecord) throws(StorageError) {
        let log = try record.openLog()
        members.append(
            Member(file: file, record: record, log: log, comparison: try UndoComparison(file, record, log)))
    }

    private mutating func addSibling(_ path: String, of record: UndoRecord) throws(StorageError) {
        guard let other = try UndoRecord.read(for: path, transactionID: record.transactionID, in: place)
        else {
            // What was taken back leaves its record in the end; hot segments all stay until then.
            guard record.state == .hot || !HostDirectory.exists(path) else { return }
            throw StorageError(
                .refused, UndoCode.siblingMissing,
                "a change over several files was cut off and the record of \(path.hostBytes.shellText) is gone; "
                    + "put it back, or restore the images from a copy", path: record.path)
        }
        switch other.state {
        case .done: isDecided = true
        case .rolledBack, .prepared: isPartial = true
        case .hot, .undoing:
            let known = open.first { HostDirectory.isSame($0.path, path) }
            let file =
                if let known { known } else { try HostFile.open(path, access: .write) as any ByteFile }
            try add(file, other)
        }
    }

    /// Ends it: as done where it is complete, else as before it. Nothing is written, to no file, unless all contents of
    /// all files are known; or with `force`. Returns the files that are as before then; none when the change stands.
    ///
    /// Throws `refused`, code "unknown-contents" or "unknown-length".
    func settle(force: Bool) throws(StorageError) -> [any ByteFile] {
        // Hot: all files were flushed before the first was marked done. Being undone: nothing has been put back yet,
        // because all are marked first.
        if isDecided { return try Cancellation.shielding(finish) }
        if !force { for member in members { try requireKnown(member) } }
        // Half taken back is neither, but the record knows: what takes long may be stopped, and goes on another time.
        return try Cancellation.delaying(by: UndoRecord.takingBackTime, decide)
    }

    private func decide() throws(StorageError) -> [any ByteFile] {
        if members.contains(where: { !$0.comparison.isOld }) {
            let isComplete =
                !isPartial && members.allSatisfy { $0.record.state == .hot && $0.comparison.isNew }
            if isComplete { return try finish() }
            for member in members { try member.record.restore(member.file, member.log) }
        }
        for member in members { try member.record.mark(.rolledBack, in: member.log) }
        for member in members { try UndoMark.clear(on: member.file) }
        return members.map(\.file)
    }

    private func finish() throws(StorageError) -> [any ByteFile] {
        for member in members { try member.record.mark(.done, in: member.log) }
        for member in members { try UndoMark.clear(on: member.file) }
        return []
    }

    private func requireKnown(_ member: Member) throws(StorageError) {
        let comparison = member.comparison
        let header = member.record.header
        guard comparison.firstUnknown != nil || comparison.hasUnknownLength else { return }
        let other =
            header.identity == member.file.incarnation
            ? "something else has written to it since"
            : "it is not the file that was changed, or something else has written to it since"
        guard let offset = comparison.firstUnknown else {
            throw StorageError(
                .refused, UndoCode.unknownLength,
                "a change was cut off, and now the file is \(member.file.byteCount) bytes long, which it was at no "
                    + "time of the change (\(header.lengthLeast) to \(header.lengthMost)): \(other)",
                field: "length", path: member.file.path, remedies: [.forceUndo, .discardUndo])
        }
        throw StorageError(
            .refused, UndoCode.unknownContents,
            "a change was cut off, and here the file holds what it held neither before nor at any time of the change: "
                + "\(other)", offset: offset, path: member.file.path,
            remedies: [.forceUndo, .discardUndo])
    }
}
