internal import HostIO
internal import Storage

/// A change that is finished, over all the host files that it changed.
struct FinishedChange {
    /// How a file stands to the change.
    enum Condition {
        /// As the change left it.
        case new
        /// As before it.
        case old
        /// As before an earlier change: a backup was put back.
        case older
        /// Something else, which is no reason to refuse.
        case forced
    }

    /// A file of the change.
    private struct Part {
        let file: any ByteFile
        let record: UndoRecord
        let log: any ByteFile

        /// How the file stands to the change. Throws where that is a reason to refuse.
        func condition(
            among change: [Part], _ force: UndoForce, in place: UndoPlace
        ) throws(StorageError) -> Condition {
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
            let mayBeOld = !file.hasFixedLength || record.isOf(file)
            if comparison.isNew, comparison.firstBehindOldEnd == nil { return .new }
            if comparison.isOld, mayBeOld { return .old }
            if mayBeOld, try record.countOfChangesBefore(file, log) != nil { return .older }
            guard !force.reaches(record, file) else { return .forced }
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
                            : record.header.hasLostLater
                                ? "a later change, whose record was thrown away, or something else has changed these bytes too, and "
                                    + "this change goes back only where nothing of that is left: restore the image from a backup of "
                                    + "before it, or keep the image as it is"
                                : "these bytes have been changed by something else since"
            throw StorageError(
                .refused, UndoCode.changedSince,
                "\(reason); the change is not taken back",
                field: offset == nil ? "length" : nil, offset: offset,
                path: file.path,
                remedies: isSame ? [.discardUndo, .forceUndo] : record.remedies(besideAnother: file))
        }
    }

    private var parts: [(part: Part, condition: Condition)] = []

    /// The newest of the changes of `files`; nil where there is none. Throws `refused`, nothing written, when something else has
    /// changed one of its files since or one is not among `files`.
    init?(newestOf files: [any ByteFile], force: UndoForce, in place: UndoPlace) throws(StorageError) {
        var found: [Part] = []
        for file in files {
            guard let record = try UndoRecord.read(for: file.path, in: place) else { continue }
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
            for file in files { try UndoRecord.requireNotBelowAnother(file, in: place) }
            return nil
        }
        let change = found.filter { $0.record.transactionID == newest.transactionID }
        for part in change { parts.append((part, try part.condition(among: change, force, in: place))) }
    }

    var files: [any ByteFile] { parts.map(\.part.file) }
    /// Nothing of it is in any file.
    var isOld: Bool { filesAsBefore.count == parts.count }
    /// Those that have nothing of it.
    var filesAsBefore: [any ByteFile] {
        parts.filter { $0.condition == .old || $0.condition == .older }.map(\.part.file)
    }

    /// Asks before a disk becomes as short as it was; with a force that reaches all of its files nobody is asked.
    func requireLength(force: UndoForce, _ shortening: DiskLengthCheck) throws(StorageError) {
        guard !isOld, !parts.allSatisfy({ force.reaches($0.part.record, $0.part.file) }),
            let length = parts.lazy.compactMap(\.part.record.header.diskLengthBefore).first
        else { return }
        try shortening(files.map(\.path), length, false)
    }

    /// Takes it back. `aside` has the paths of records that were set aside before, with all that is in them.
    func takeBack(aside: inout Set<[UInt8]>, kept: (String) -> Void) throws(StorageError) {
        var others: [Part] = []
        for (part, condition) in parts {
            let isNeeded = try part.record.isNeededByAnother(than: part.file)
            guard isNeeded || condition == .forced && !part.record.isOf(part.file),
                aside.insert(part.record.path.hostBytes).inserted
            else { continue }
            others.append(part)
        }
        let back = parts.filter { $0.condition != .older }.map(\.part)
        // Half taken back is neither, but the record knows: what takes long may be stopped, and goes on another time.
        try Cancellation.delaying(by: UndoRecord.takingBackTime) { () throws(StorageError) in
            try HostFile.requireNotUsedByKernel(parts.map { RecordedFile.below($0.part.file) })
            for part in others {
                if let path = try part.record.setAside(part.log) { kept(path) }
            }
            for part in back {
                try UndoMark(transactionID: part.record.transactionID, recordPath: part.record.path)
                    .set(on: part.file)
                try part.record.mark(.undoing, in: part.log)
            }
            // Nothing goes back there, and a cut before this leaves one that is done: the change stands in the others.
            for (part, condition) in parts where condition == .older {
                try part.record.mark(.rolledBack, in: part.log)
            }
            for part in back { try part.record.restore(part.file, part.log) }
            // Before the mark goes: what is not marked is taken for settled. And it may be that the record cannot be removed.
            for part in back { try part.record.mark(.rolledBack, in: part.log) }
            for (part, _) in parts { try part.record.remove(from: part.file) }
        }
    }
}
