internal import HostIO
internal import Storage

// A file can have a record's name beside it without being the one that was changed: a copy, a backup that was put in its
// place. The one that was changed may lie elsewhere, half changed, and its record is all that mends it.

extension UndoRecord {
    /// Whether `file` is the one that was changed, as far as the host tells. Devices get each other's names and numbers: what is
    /// not known to be the same one is another. Of a file of which nothing was noted nothing differs.
    func isOf(_ file: any ByteFile) -> Bool {
        guard file.hasFixedLength else { return isOf(file.incarnation) }
        let mark = header.identity.birth
        return file.byteCount == header.lengthBefore && mark != 0 && mark == file.incarnation?.birth
    }

    /// The same of a regular file, as far as it is known.
    func isOf(_ incarnation: FileIncarnation?) -> Bool {
        guard header.identity.inode != 0, let incarnation else { return true }
        return header.identity == incarnation
    }

    // MARK: Other files of the change

    /// Where the other file of the change is now. That is where the record says, or, where that has none of the change, beside
    /// `file`: an image of several files was moved, or copied, with its records. A copy has its own others, beside it or
    /// among those `given`; those of the original elsewhere are never a copy's to change.
    func place(
        of sibling: String, beside file: any ByteFile, in place: UndoPlace, given: [any ByteFile] = []
    ) throws(StorageError) -> String {
        let near = Self.path(of: sibling, beside: file)
        guard !file.hasFixedLength, !HostDirectory.isSame(near, sibling),
            !HostDirectory.isSame(near, file.path)
        else { return sibling }
        if header.isOfAnother || !isOf(file) {
            guard given.contains(where: { HostDirectory.isSame($0.path, sibling) }) else { return near }
            return try HostDirectory.isThere(near) ? near : sibling
        }
        for path in [sibling, near] where try HostDirectory.isThere(path) {
            if try Self.read(for: path, transactionID: transactionID, in: place) != nil { return path }
        }
        return sibling
    }

    /// The name of the other file in the directory of `file`.
    static func path(of sibling: String, beside file: any ByteFile) -> String {
        let own = HostDirectory.resolved(file.path) ?? file.path
        return "\(HostPath.directory(of: own))/\(HostPath.name(of: sibling))"
    }

    // MARK: Copies

    /// Says what became of the change in `file`, durably. Where that is another file than the one that was changed, a copy of
    /// the record stays as it is under another name, which is returned.
    func end(
        as state: State, in file: any ByteFile, _ log: any ByteFile
    ) throws(StorageError) -> String? {
        guard !isOf(file), let incarnation = file.incarnation else {
            try mark(state, in: log)
            return nil
        }
        let kept = try setAside(log)
        try mark(state, in: log, of: incarnation)
        return kept
    }

    /// Copies the record up to this segment's end, as it is, to a name that says whose it is by its transaction alone.
    /// Nil where it would be of no use: without a birth time another file may be taken for the one that was changed.
    func setAside(_ log: any ByteFile) throws(StorageError) -> String? {
        guard header.identity.birth != 0 else { return nil }
        let target = Self.pathAside(path, tag: transactionID.prefix(4).hexString)
        guard target.hostBytes != path.hostBytes else { return nil }
        let hidden = UndoWriter.hiddenPath(of: path)
        do throws(StorageError) {
            try HostDirectory.remove(hidden)
            let copy = try HostFile.create(hidden, mode: 0o600)
            try log.forEachPiece(of: 0..<segmentEnd) { (offset, bytes) throws(StorageError) in
                try copy.write(bytes, at: offset)
            }
            try copy.flush()
            try HostDirectory.rename(hidden, to: target)
            try HostDirectory.sync(holding: target)
        } catch {
            try? HostDirectory.remove(hidden)
            throw error
        }
        return target
    }

    /// Keeps what the record at `path` holds of other files than the one that `isOwn` knows: cuts the newest segments of that
    /// one off, and gives the rest a name that is no image's. Nil, nothing done, where there is none, or nothing that can be
    /// read. The directory is still to be synced.
    static func keepOthers(
        _ path: String, than isOwn: (UndoRecord) -> Bool
    ) throws(StorageError) -> String? {
        var last: UndoRecord?
        do throws(StorageError) {
            let log = try HostFile.open(path, locking: .ignore, followLinks: false)
            try forEachSegment(in: log) { (record) in
                guard record.state != .prepared, record.state != .rolledBack, !isOwn(record) else { return }
                last = record
            }
        } catch {
            guard error.isCode(UndoCode.damaged) || error.isCode(UndoCode.otherVersion) else { throw error }
            return nil
        }
        guard let last else { return nil }
        let log = try last.openLog()
        if log.byteCount > last.segmentEnd { try cut(log, at: last.segmentEnd) }
        var target = pathAside(path, tag: last.transactionID.prefix(4).hexString)
        if target.hostBytes != path.hostBytes, try HostDirectory.isThere(target),
            try newest(at: target, last.transactionID, orNone: true) == nil
        {
            target = pathAside(path, tag: try SystemRandom.bytes(4).hexString)
        }
        if target.hostBytes != path.hostBytes { try HostDirectory.rename(path, to: target) }
        return target
    }

    /// Whether this is a copy that was set aside.
    var isAside: Bool {
        let tag = transactionID.prefix(4).hexString
        return Self.pathAside(path, tag: tag).hostBytes == path.hostBytes
    }

    /// Where a record goes whose name another file has got.
    static func pathAside(_ path: String, tag: String) -> String {
        let directory = HostPath.directory(of: path)
        let name = HostPath.name(of: path)
        // A name has 255 bytes.
        let stem =
            name.hostBytes.count > 240
            ? String(XXH64.checksum(name.hostBytes.span8).hex.dropFirst(2))
            : String(hostBytes: name.hostBytes.dropLast(".undo".utf8.count))
        return stem.utf8.reversed().starts(with: ".\(tag)".utf8.reversed())
            ? path : "\(directory)/\(stem).\(tag).undo"
    }

    /// What was set aside in one of `directories` of a file's record of a transaction; or what became of it. Without a file,
    /// of any.
    static func setAside(
        _ transactionID: [UInt8], of incarnation: FileIncarnation? = nil, in directories: [String]
    ) throws(StorageError) -> UndoRecord? {
        for directory in directories {
            for name in try HostDirectory.allNames(in: directory) where name.hasSuffix(".undo") {
                guard let found = try newest(at: "\(directory)/\(name)", transactionID, orNone: true),
                    incarnation.map({ found.header.identity == $0 }) ?? (found.isAside && found.isCutOff)
                else { continue }
                return found
            }
        }
        return nil
    }
}
