internal import HostIO
public import Storage

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

    /// Brings a file whose last change was cut off back to the state before it, or marks the change as done when it
    /// was complete; all host files of the change with it. Call before writing to the file.
    ///
    /// `kept` hears of records that stay for the file that was changed, where this is another one or a copy; `shortening` is asked
    /// before a disk becomes as short as it was. Throws,
    /// nothing written, `refused` when a file holds what the change neither found nor gave
    /// ("unknown-contents", "unknown-length") or is out of reach ("sibling-missing"), `corrupt` when a record is damaged.
    public static func recover(
        _ file: any ByteFile, in place: UndoPlace = UndoPlace(), kept: (String) -> Void = { _ in },
        shortening: DiskLengthCheck = { (_, _, _) in }
    ) throws(StorageError) -> Recovery {
        guard let record = try read(for: file.path, in: place), record.isCutOff else { return .none }
        let back = try CutOffChange(file, record, among: [file], in: place)
            .settle(force: .no, kept: kept, shortening: shortening)
        return back.isEmpty ? .completed : .rolledBack
    }

    /// The same by a record that is held, for one file: nothing is looked for by name, so that both may be in memory.
    @_spi(Testing)
    public static func recover(_ file: any ByteFile, by log: any ByteFile) throws(StorageError) -> Recovery {
        guard let record = try newest(in: log), record.isCutOff else { return .none }
        let back = try CutOffChange(file, record, log).settle(force: .no) { (_) in }
        return back.isEmpty ? .completed : .rolledBack
    }

    /// Throws `refused`, code "hot", where the last change of the file at `path` was cut off: a half-done change makes even
    /// reading wrong. Throws what `read` throws.
    public static func requireSettled(
        _ path: String, in place: UndoPlace = UndoPlace()
    ) throws(StorageError) {
        guard let record = try read(for: path, in: place), record.isCutOff else { return }
        throw record.hot(path, place)
    }

    /// The refusal of a file, reached as `path`, with this record.
    public func hot(_ path: String, _ place: UndoPlace = UndoPlace()) -> StorageError {
        if let error = hotElsewhere(path) { return error }
        let otherName =
            self.path.hostBytes == place.recordPath(for: path).hostBytes
            ? "" : " under another name of this file (its record is \(self.path.hostBytes.shellText))"
        return StorageError(
            .refused, UndoCode.hot,
            "an earlier change was cut off\(otherName); it must be taken back first", path: path,
            remedies: [.undo])
    }

    /// Takes the newest change of `files` back, over all the files that it changed, after comparing every changed
    /// sector of all of them with what the change left there. A change that was cut off is rolled back instead. With
    /// `force` what else has been written there since is no reason to refuse. `kept` hears of records that stay for the file
    /// that was changed, where this is another one or a copy; `shortening` is asked before a disk becomes as short as it was, but
    /// with `force`.
    ///
    /// Returns the files that are as they were before; none when there is nothing to take back. Throws `refused`,
    /// nothing written, when something else has changed the files since or one of them is not among `files`.
    public static func undo(
        _ files: [any ByteFile], force: UndoForce = .no, in place: UndoPlace = UndoPlace(),
        kept: (String) -> Void = { _ in }, shortening: DiskLengthCheck = { (_, _, _) in }
    ) throws(StorageError) -> [any ByteFile] {
        var rolledBack: [any ByteFile] = []
        /// Changes of which every file went back just now.
        var settled: Set<[UInt8]> = []
        // All of them, before the first is settled: a refusal has written nothing.
        var changes: [CutOffChange] = []
        for file in files {
            guard let record = try read(for: file.path, in: place), record.isCutOff,
                !changes.contains(where: { $0.covers(file) })
            else { continue }
            settled.insert(record.transactionID)
            changes.append(try CutOffChange(file, record, among: files, in: place))
        }
        for change in changes { try change.requireSettleable(force: force, shortening: shortening) }
        for change in changes {
            rolledBack += try change.settle(force: force, kept: kept, shortening: shortening)
        }
        for file in files {
            while let record = try read(for: file.path, in: place) {
                var isOver = record.state == .rolledBack && settled.contains(record.transactionID)
                if !isOver { isOver = try record.isIdle(beside: file, among: files, in: place) }
                guard isOver else { break }
                try record.remove(from: file)
                if record.segmentStart == 0, try HostDirectory.isThere(record.path) { break }
            }
        }
        guard rolledBack.isEmpty else { return rolledBack }

        var found: [Part] = []
        for file in files {
            guard let record = try read(for: file.path, in: place) else { continue }
            // It could not be removed.
            if record.segmentStart == 0, try record.isIdle(beside: file, among: files, in: place) {
                continue
            }
            let part = Part(file: file, record: record, log: try record.openLog())
            guard record.state == .done else {
                throw StorageError(
                    .refused, UndoCode.siblingMissing,
                    "a change over several files was cut off and not all of them are here: "
                        + (try record.siblings(in: part.log)).map(\.hostBytes.shellText).joined(
                            separator: ", "), path: record.path)
            }
            found.append(part)
        }
        guard let newest = found.max(by: { $0.record.header.time < $1.record.header.time })?.record else {
            for file in files { try requireNotBelowAnother(file, in: place) }
            return []
        }
        let change = found.filter { $0.record.transactionID == newest.transactionID }
        var others: [Part] = []
        for part in change {
            let isForced = try part.isForced(among: change, force, in: place)
            let isNeeded = try part.record.isNeededByAnother(than: part.file)
            if isNeeded || isForced && !part.record.isOf(part.file) { others.append(part) }
        }
        if let length = newest.header.diskLengthBefore,
            !change.allSatisfy({ force.reaches($0.record, $0.file) })
        {
            try shortening(change.map(\.file.path), length, false)
        }
        // Half taken back is neither, but the record knows: what takes long may be stopped, and goes on another time.
        try Cancellation.delaying(by: takingBackTime) { () throws(StorageError) in
            try HostFile.requireNotUsedByKernel(change.map { RecordedFile.below($0.file) })
            for part in others {
                if let path = try part.record.setAside(part.log) { kept(path) }
            }
            for part in change {
                try UndoMark(transactionID: part.record.transactionID, recordPath: part.record.path)
                    .set(on: part.file)
                try part.record.mark(.undoing, in: part.log)
            }
            for part in change { try part.record.restore(part.file, part.log) }
            // Before the mark goes: what is not marked is taken for settled. And it may be that the record cannot be removed.
            for part in change { try part.record.mark(.rolledBack, in: part.log) }
            for part in change { try part.record.remove(from: part.file) }
        }
        return change.map(\.file)
    }

    /// How long taking back goes on after a request to stop: most changes are taken back by then.
    public static var takingBackTime: Duration { .milliseconds(500) }

    /// A file of a finished change.
    private struct Part {
        let file: any ByteFile
        let record: UndoRecord
        let log: any ByteFile

        /// Whether it is not as the change left it, which is no reason to refuse with `force`.
        func isForced(
            among change: [Part], _ force: UndoForce, in place: UndoPlace
        ) throws(StorageError) -> Bool {
            let comparison = try UndoComparison(file, record, log)
            for sibling in comparison.siblings {
                var isKnown = false
                // The one that does not name it is the one that is called so.
                for part in change where try !part.record.names(sibling) { isKnown = true }
                guard !isKnown else { continue }
                let files = change.map(\.file)
                let found = try SiblingSearch(files, in: place).path(of: sibling, namedBy: record, of: file)
                guard let found, try HostDirectory.isThere(found),
                    !files.contains(where: { HostDirectory.isSame($0.path, found) })
                else {
                    throw StorageError(
                        .refused, UndoCode.siblingNotGiven,
                        "the change also covers the file that was \(sibling.hostBytes.shellText), which is not there, nor among "
                            + "those that are given: it goes back with the others, wherever it is now, with its record beside it",
                        path: record.path, remedies: [.giveDisk(path: nil)])
                }
                guard try UndoRecord.read(for: found, transactionID: record.transactionID, in: place) != nil
                else {
                    throw StorageError(
                        .refused, UndoCode.siblingMissing,
                        "the change also covers \(found.hostBytes.shellText), and the record of that is not there: put it back beside "
                            + "it, from where the images were copied or moved from", path: record.path)
                }
                throw StorageError(
                    .refused, UndoCode.siblingNotGiven, "the change also covers \(found.hostBytes.shellText)",
                    path: record.path, remedies: [.giveDisk(path: found)])
            }
            // Everything as before, a backup that was put back for one, needs nothing more.
            let isOld = comparison.isOld && (!file.hasFixedLength || record.isOf(file))
            let isAsLeft = comparison.isNew && comparison.firstBehindOldEnd == nil
            guard !isAsLeft, !isOld else { return false }
            guard !force.reaches(record, file) else { return true }
            try record.requireNotElsewhere(file)
            let isSame = record.isOf(file)
            let hasMore = comparison.isNew
            let offset = hasMore ? comparison.firstBehindOldEnd : comparison.firstNotNew
            let reason =
                !isSame && file.hasFixedLength
                ? "it may be another device that has got the name, or something else has written to it since"
                : !isSame
                    ? "it is not the file that was changed, but another of that name or a copy, and holds something else"
                    : offset == nil
                        ? "the file has been resized since the change"
                        : hasMore
                            ? "something else has written behind the end that the file had before the change, which would be cut off"
                            : "these bytes have been changed by something else since"
            throw StorageError(
                .refused, UndoCode.changedSince,
                "\(reason); the change is not taken back",
                field: offset == nil ? "length" : nil, offset: offset,
                path: file.path, remedies: isSame ? [.forceUndo] : record.remedies(besideAnother: file))
        }
    }

    /// Whether the segment says nothing any more: its change never began, or went back, in all files.
    private func isIdle(
        beside file: any ByteFile, among files: [any ByteFile], in place: UndoPlace
    ) throws(StorageError) -> Bool {
        guard state == .rolledBack || state == .prepared else { return false }
        for sibling in try siblings(in: readLog()) {
            let search = SiblingSearch(files, in: place)
            // Where a file is out of reach, nobody knows.
            guard let path = try search.path(of: sibling, namedBy: self, of: file),
                try HostDirectory.isThere(path),
                !HostDirectory.isSame(path, file.path),
                try Self.read(for: path, transactionID: transactionID, in: place)?.state != .hot
            else { return false }
        }
        return true
    }
}
