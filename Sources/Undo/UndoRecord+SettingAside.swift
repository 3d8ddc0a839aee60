internal import HostIO
internal import Storage

// A file can have a record's name beside it without being the one that was changed: a copy, a backup that was put in its
// place. The one that was changed may lie elsewhere, half changed, and its record is all that mends it.

extension UndoRecord {
    /// Whether `file` is the one that was changed, as far as the host tells. A device's number is another at the next start,
    /// and where nothing was noted nothing differs.
    func isOf(_ file: any ByteFile) -> Bool {
        guard !file.hasFixedLength, header.identity.inode != 0, let incarnation = file.incarnation else {
            return true
        }
        return header.identity == incarnation
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

    /// The copy that `setAside` left of a file's record of a transaction, in one of `directories`; or what became of it.
    static func setAside(
        _ transactionID: [UInt8], of incarnation: FileIncarnation, in directories: [String]
    ) throws(StorageError) -> UndoRecord? {
        for directory in directories {
            for name in HostDirectory.names(in: directory) where name.hasSuffix(".undo") {
                guard let found = try newest(at: "\(directory)/\(name)", transactionID, orNone: true),
                    found.header.identity == incarnation
                else { continue }
                return found
            }
        }
        return nil
    }
}
