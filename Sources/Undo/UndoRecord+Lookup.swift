internal import Glibc
internal import HostIO
public import Storage

// Which record is a host file's: the one of its name, or of another name that the file has or had.

extension UndoRecord {
    /// The newest segment of the records of `file`, one that is cut off before all others; nil when there is none.
    /// What it holds is read when it is needed. A file with several names, or one without a record under its own, is
    /// looked for in the records beside it too, by its inode; a cut-off change also by the mark on the file.
    ///
    /// Throws `corrupt`, code "damaged" or "not-a-record", `unsupported` for another version's, and `refused`, code
    /// "record-missing", when the file is marked and nobody can tell whether its change is complete.
    public static func read(
        for file: String, in place: UndoPlace = UndoPlace()
    ) throws(StorageError) -> UndoRecord? {
        let word = try UndoMark.find(on: file)
        let found = try beside(file, word, in: place)
        guard let mark = word.mark else { return found }
        let own = place.recordPath(for: file)
        let incarnation = try HostFile.names(of: file)?.incarnation
        if let found, found.isCutOff {
            // Two that were changed have each other's names: each has its own record all the same.
            guard let incarnation, !found.isExactly(incarnation),
                HostDirectory.isRegularFile(mark.recordPath),
                let own = try newest(at: mark.recordPath, mark.transactionID, orNone: true), own.isCutOff,
                own.isExactly(incarnation)
            else { return found }
            return own
        }
        for path in [own, found?.path, mark.recordPath].compactMap(\.self)
        where HostDirectory.isRegularFile(path) {
            guard let record = try newest(at: path, mark.transactionID) else { continue }
            // What became of one file says nothing of another; a copy goes back by a copy of the record. One that was copied
            // with a record that is settled shows by its contents that it was too.
            if record.header.identity != incarnation {
                guard path.hostBytes == own.hostBytes else { continue }
                if !record.isCutOff {
                    let comparison = try UndoComparison(
                        HostFile.open(file, locking: .ignore), record, open(path))
                    guard comparison.isNew || comparison.isOld else { continue }
                    return found
                }
            }
            if record.isCutOff || found != nil { return record.isCutOff ? record : found }
            // Killed before the mark went: the change is complete, and can be taken back.
            return try newest(at: path).flatMap { $0.header.identity == incarnation ? $0 : nil }
        }
        // Another file had the name, and the record was set aside.
        if let incarnation,
            let record = try setAside(
                mark.transactionID, of: incarnation,
                in: [mark.recordPath, own].map { HostPath.directory(of: $0) })
        {
            return record.isCutOff ? record : found
        }
        throw StorageError(
            .refused, UndoCode.recordMissing,
            "a change of this file was cut off, or of the file that it is a copy of, and it is not the file that the record "
                + "\(mark.recordPath.hostBytes.shellText) is of, or that is gone: put the record back and take the change back, restore the file "
                + "from a copy, or throw the record away and leave the file as it is",
            path: file, remedies: [.discardUndo])
    }

    /// A transaction's segment in the record that a mark names. What is no record is none, and what the caller may not read is
    /// somebody else's; with `orNone` that goes for damage too. Throws where the host fails.
    static func newest(
        at path: String, _ transactionID: [UInt8]? = nil, orNone: Bool = false
    ) throws(StorageError) -> UndoRecord? {
        do throws(StorageError) {
            return try newest(in: open(path), transactionID)
        } catch {
            if error.isCode(UndoCode.damaged) || error.isCode(UndoCode.otherVersion) {
                guard orNone else { throw error }
            } else if error.isCancellation
                || error.errno.map({ ![EACCES, EPERM, ENOENT, ENOTDIR, ELOOP, ENXIO].contains($0) }) ?? false
            {
                throw error
            }
            return nil
        }
    }

    /// By names and inodes. A record that lies there under a name that is not the file's, be it a copy that was set aside for
    /// another file of its change or one that somebody made, speaks of the file while the file says so itself: its mark goes
    /// when it is settled, by whichever record.
    private static func beside(
        _ file: String, _ word: UndoMark.Found, in place: UndoPlace
    ) throws(StorageError) -> UndoRecord? {
        let own = place.recordPath(for: file)
        let exists = try HostDirectory.isThere(own)
        let found = exists ? try newest(in: open(own)) : nil
        guard let names = try HostFile.names(of: file) else { return found }
        // Another file may have had the name when the record was made.
        let isOwn = found.map { $0.isExactly(names.incarnation) } ?? false
        guard names.count > 1 || !isOwn else { return found }
        var others = try records(besides: own, of: names.incarnation, word)
        if let path = try UndoMark.place(of: file), path.hostBytes != own.hostBytes,
            !others.contains(where: { HostDirectory.isSame($0.path, path) })
        {
            if HostDirectory.isRegularFile(path), let record = try newest(at: path, orNone: true),
                record.header.identity == names.incarnation
            {
                if !record.isCutOff || word.allows(record.transactionID) { others.append(record) }
            } else {
                // Another file got the name, and the record was set aside.
                others += try records(besides: path, of: names.incarnation, word)
            }
        }
        // Of devices the host knows what they are, whatever they are called.
        let isAnothers = found?.header.identity.isOtherDevice(than: names.incarnation) == true
        let all = (isAnothers && !others.isEmpty ? [] : [found].compactMap(\.self)) + others
        if let cutOff = all.first(where: \.isCutOff) { return cutOff }
        return (isOwn ? all : others).max { $0.header.time < $1.header.time } ?? found
    }

    /// The same; nil also where the file is marked and nobody can tell.
    static func readIfThere(
        for file: String, transactionID: [UInt8], in place: UndoPlace
    ) throws(StorageError) -> UndoRecord? {
        do throws(StorageError) {
            return try read(for: file, transactionID: transactionID, in: place)
        } catch {
            guard error.isCode(UndoCode.recordMissing) else { throw error }
            return nil
        }
    }

    /// A transaction's segment in a record of `file`, wherever it is in the stack.
    static func read(
        for file: String, transactionID: [UInt8], in place: UndoPlace
    ) throws(StorageError) -> UndoRecord? {
        let own = place.recordPath(for: file)
        let named = try HostDirectory.isThere(own) ? newest(in: open(own), transactionID) : nil
        if let named, try HostFile.names(of: file).map({ named.isExactly($0.incarnation) }) ?? true {
            return named
        }
        // Under another name, it can only be the newest there: nothing is written above one that is cut off.
        do throws(StorageError) {
            if let found = try read(for: file, in: place), found.transactionID == transactionID {
                return found
            }
        } catch {
            guard named != nil, error.isCode(UndoCode.recordMissing) else { throw error }
        }
        return named
    }

    /// The newest segments of the other records of a file in the same directory; what cannot be read as a record is none, but
    /// where it has the name of this very file. One that is named after another file which is there is that file's, whatever
    /// it says: the copy of a record beside the copy of an image.
    private static func records(
        besides own: String, of incarnation: FileIncarnation, _ word: UndoMark.Found
    ) throws(StorageError) -> [UndoRecord] {
        let directory = HostPath.directory(of: own)
        let name = HostPath.name(of: own)
        var found: [UndoRecord] = []
        for other in try HostDirectory.allNames(in: directory)
        where other.hasSuffix(".undo") && other.hostBytes != name.hostBytes {
            let owner = try HostFile.names(of: "\(directory)/\(other.dropLast(".undo".count))")
            guard owner == nil || owner?.incarnation == incarnation,
                let record = try newest(at: "\(directory)/\(other)", orNone: owner == nil),
                record.isExactly(incarnation),
                owner != nil || !record.isCutOff || word.allows(record.transactionID)
            else { continue }
            found.append(record)
        }
        return found
    }

    /// Throws `refused`, code "below-another", where a finished change of `file` lies in a record below changes of another file:
    /// a copy that got the name and went on with the record.
    static func requireNotBelowAnother(_ file: any ByteFile, in place: UndoPlace) throws(StorageError) {
        guard let incarnation = file.incarnation, !incarnation.isOfDevice || incarnation.isLasting else {
            return
        }
        let paths =
            [place.recordPath(for: file.path)] + [try UndoMark.place(of: file.path)].compactMap(\.self)
        for directory in Set(paths.map { HostPath.directory(of: $0).hostBytes }).map({ String(hostBytes: $0) }
        ) {
            for name in HostDirectory.names(in: directory) where name.hasSuffix(".undo") {
                var isBelow = false
                let path = "\(directory)/\(name)"
                guard HostDirectory.isRegularFile(path) else { continue }
                // What cannot be read as a record is none.
                try? forEachSegment(in: open(path)) { (record) in
                    if record.isExactly(incarnation), record.state == .done { isBelow = true }
                }
                guard isBelow else { continue }
                throw StorageError(
                    .refused, UndoCode.belowAnother,
                    "its newest change is in \(path.hostBytes.shellText), below changes of another file, which has to go back "
                        + "first", path: file.path, remedies: [.undo])
            }
        }
    }

    private static func open(_ path: String) throws(StorageError) -> HostFile {
        try HostFile.open(path, locking: .ignore, followLinks: false)
    }
}
