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

    /// The same, by what a device is known by under any name; of a file of which nothing was noted not.
    func isExactly(_ incarnation: FileIncarnation) -> Bool {
        guard header.identity.isOfDevice else { return header.identity == incarnation }
        return incarnation.isOfDevice && incarnation.birth != 0 && header.identity.birth == incarnation.birth
    }

    /// The same of the file at a path.
    func isOfFile(at path: String) throws(StorageError) -> Bool {
        try HostFile.names(of: path).map { isExactly($0.incarnation) } ?? false
    }

    /// The same of an open file.
    func isExactlyOf(_ file: any ByteFile) -> Bool { file.incarnation.map(isExactly) ?? false }

    /// Whether `file` is surely not the one that was changed.
    func isOfAnother(than file: any ByteFile) -> Bool {
        guard file.hasFixedLength else { return !isOf(file) }
        return file.incarnation.map { header.identity.isOtherDevice(than: $0) } ?? false
    }

    /// Whether it is of a file that had the name before, wherever that is now, and not of one that `file` is a copy of.
    func isNotGoneOn(with file: any ByteFile) throws(StorageError) -> Bool {
        guard state == .done || isCutOff, isOfAnother(than: file) else { return false }
        if isCutOff { return true }
        return try !UndoComparison(file, self, try readLog()).isNew
    }

    /// What helps where `file` is not known to be the record's and holds what that does not know. Putting the old bytes there is
    /// never advised: they may be of another disk altogether.
    func remedies(besideAnother file: any ByteFile) -> [Remedy] {
        isOfAnother(than: file) ? [.setUndoAside] : [.discardUndo]
    }

    // MARK: Copies

    /// Whether the record, once `file` has gone back by it, is still what takes another file back: one of which `file` is a copy
    /// that got its name, or a device of which it is a clone. A record that was copied with the file is younger than that; the
    /// one of the original is older.
    func isNeededByAnother(than file: any ByteFile) throws(StorageError) -> Bool {
        guard isOfAnother(than: file) else { return false }
        if file.hasFixedLength { return true }
        guard let birth = file.incarnation?.birth, birth != 0,
            let own = try HostFile.names(of: path)?.incarnation.birth, own != 0
        else { return false }
        return own < birth
    }

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
        let target = try freePathAside()
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
        let target = try last.freePathAside()
        if target.hostBytes != path.hostBytes { try HostDirectory.rename(path, to: target) }
        return target
    }

    /// A name of its own for the record that says whose it is by its transaction; what has that already is written over where
    /// it is the record of the same change of the same file.
    private func freePathAside() throws(StorageError) -> String {
        let tag = transactionID.prefix(4).hexString
        let target = Self.pathAside(path, tag: tag)
        guard target.hostBytes != path.hostBytes, try HostDirectory.isThere(target) else { return target }
        if let there = try Self.newest(at: target, transactionID, orNone: true),
            there.header.identity == header.identity
        {
            return target
        }
        let other = Self.pathAside(path, tag: try SystemRandom.bytes(4).hexString)
        return Self.pathAside(other, tag: tag)
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
