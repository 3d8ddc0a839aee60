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
    /// with `force`. A file that is as it was before one or several changes, since a backup was put back or nothing had been written to it
    /// yet, has nothing of any of them: their records are settled, and `older` hears how many.
    ///
    /// Returns the files that are as they were before; none when there is nothing to take back. Throws `refused`,
    /// nothing written, when something else has changed the files since or one of them is not among `files`.
    public static func undo(
        _ files: [any ByteFile], force: UndoForce = .no, in place: UndoPlace = UndoPlace(),
        kept: (String) -> Void = { _ in }, older: (any ByteFile, Int) -> Void = { (_, _) in },
        shortening: DiskLengthCheck = { (_, _, _) in }
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
            let asBefore = change.filesAsBefore
            let settled = try change.settle(force: force, kept: kept, shortening: shortening)
            for file in settled where asBefore.contains(where: { $0 === file }) { older(file, 1) }
            rolledBack += settled
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
        return try undoFinished(
            files, force: force, in: place, kept: kept, older: older, shortening: shortening)
    }

    /// The newest change of files that is finished, where no other is; and those before it as long as there is nothing of them
    /// in any of their files.
    private static func undoFinished(
        _ files: [any ByteFile], force: UndoForce, in place: UndoPlace, kept: (String) -> Void,
        older: (any ByteFile, Int) -> Void, shortening: DiskLengthCheck
    ) throws(StorageError) -> [any ByteFile] {
        var change = try FinishedChange(newestOf: files, force: force, in: place)
        guard var found = change else { return [] }
        try found.requireLength(force: force, shortening)
        var undone: [any ByteFile] = []
        var counts: [(file: any ByteFile, count: Int)] = []
        var aside: Set<[UInt8]> = []
        let asBefore = found.filesAsBefore
        while true {
            try found.takeBack(aside: &aside, kept: kept)
            for file in found.files {
                guard let index = counts.firstIndex(where: { $0.file === file }) else {
                    counts.append((file, 1))
                    undone.append(file)
                    continue
                }
                counts[index].count += 1
            }
            // One that touched nothing of an earlier one is as before by itself.
            guard found.isOld else { break }
            do throws(StorageError) {
                change = try FinishedChange(newestOf: files, force: .no, in: place)
            } catch {
                guard !error.isCancellation else { throw error }
                // What was found is settled; the next is told when it is asked for.
                break
            }
            guard let next = change, next.isOld else { break }
            found = next
        }
        // More than one were settled only where none of their files had anything of them.
        for (file, count) in counts where asBefore.contains(where: { $0 === file }) { older(file, count) }
        return undone
    }

    /// How long taking back goes on after a request to stop: most changes are taken back by then.
    public static var takingBackTime: Duration { .milliseconds(500) }

    /// Whether the segment says nothing any more: its change never began, or went back, in all files.
    func isIdle(
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
