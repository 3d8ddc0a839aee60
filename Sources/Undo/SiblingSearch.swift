internal import HostIO
internal import Storage

/// Where the other files of a change are now. Their records name them by the paths that they had. Since then they may have
/// been renamed, or moved, each by itself too, or copied, and devices get each other's names. So a file is known by its record:
/// the one of the same change that names all files but this one.
struct SiblingSearch {
    /// The files that the command line leads to.
    let given: [any ByteFile]
    let place: UndoPlace

    init(_ given: [any ByteFile] = [], in place: UndoPlace) {
        self.given = given
        self.place = place
    }

    /// The path of the file that `record`, of `file`, calls `sibling`. The original has its others by what the host knows them
    /// by, wherever that is, else where they were, or beside it. A copy has its own, beside it or among those given; those of the
    /// original elsewhere are never a copy's to change. Nil where a copy has none.
    ///
    /// Where nothing was found that is where it was.
    func path(
        of sibling: String, namedBy record: UndoRecord, of file: any ByteFile
    ) throws(StorageError) -> String? {
        if file.hasFixedLength || !record.header.isOfAnother && record.isOf(file) {
            return try original(sibling, record, file)
        }
        let near = UndoRecord.path(of: sibling, beside: file)
        if let path = try givenFile(sibling, record, file, areOriginals: false) { return path }
        if HostDirectory.isSame(near, sibling) {
            return try renamedCopy(sibling, record, file) ?? sibling
        }
        if !HostDirectory.isSame(near, file.path), try HostDirectory.isThere(near) { return near }
        let isGiven = given.contains { HostDirectory.isSame($0.path, sibling) }
        if isGiven, try hasOriginal(of: file, sibling, record) == false { return sibling }
        return try renamedCopy(sibling, record, file)
    }

    /// The file that was changed together with `sibling` is where it was, with its record, and nobody named it: a copy of it does
    /// not stand for it.
    private func hasOriginal(
        of copy: any ByteFile, _ sibling: String, _ record: UndoRecord
    ) throws(StorageError) -> Bool {
        guard let other = try self.other(of: record, at: sibling, called: sibling) else { return false }
        for path in try other.siblings(in: other.readLog())
        where !given.contains(where: { HostDirectory.isSame($0.path, path) }) {
            let found = try UndoRecord.readIfThere(
                for: path, transactionID: record.transactionID, in: place)
            guard found != nil, !HostDirectory.isSame(path, copy.path) else { continue }
            if try HostDirectory.isThere(path) {
                return true
            }
        }
        return false
    }

    private func original(
        _ sibling: String, _ record: UndoRecord, _ file: any ByteFile
    ) throws(StorageError) -> String {
        if let path = try givenFile(sibling, record, file, areOriginals: true) { return path }
        let near = UndoRecord.path(of: sibling, beside: file)
        let isElsewhere =
            !file.hasFixedLength && !HostDirectory.isSame(near, sibling)
            && !HostDirectory.isSame(near, file.path)
        // A snapshot has what the host knows files by in common with what it was made of: what lies together stays together.
        let paths = isElsewhere ? [near, sibling] : [sibling]
        var others: [String] = []
        for path in paths where try HostDirectory.isThere(path) {
            guard let found = try other(of: record, at: path, called: sibling) else { continue }
            if let known = try HostFile.names(of: path)?.incarnation, found.isExactly(known) { return path }
            others.append(path)
        }
        if let path = try knownFile(sibling, record, file) { return path }
        if let path = try givenFile(sibling, record, file, areOriginals: false) { return path }
        if let other = others.first { return other }
        // Moved with this one, with a record that is gone already.
        guard isElsewhere, try HostDirectory.isThere(near) else { return sibling }
        return try HostDirectory.isThere(sibling) ? sibling : near
    }

    /// The record of the same change of the file at `path`, where that may be the one called `sibling`.
    private func other(
        of record: UndoRecord, at path: String, called sibling: String
    ) throws(StorageError) -> UndoRecord? {
        guard
            let found = try UndoRecord.readIfThere(for: path, transactionID: record.transactionID, in: place),
            try !found.names(sibling)
        else { return nil }
        return found
    }

    private func givenFile(
        _ sibling: String, _ record: UndoRecord, _ file: any ByteFile, areOriginals: Bool
    ) throws(StorageError) -> String? {
        for other in given where other.identity != file.identity {
            guard let found = try self.other(of: record, at: other.path, called: sibling) else { continue }
            if found.isOf(other) == areOriginals { return other.path }
        }
        return nil
    }

    // MARK: By what lies beside it

    /// The file that the host knows for the one of another record of the change: renamed where it was, or where the others are
    /// now, or a device by any name.
    private func knownFile(
        _ sibling: String, _ record: UndoRecord, _ file: any ByteFile
    ) throws(StorageError) -> String? {
        for directory in directories(sibling, record, file) {
            for found in try records(of: record, called: sibling, in: directory) {
                let identity = found.header.identity
                if let device = HostFile.device(identity) { return device }
                guard identity.inode != 0, !identity.isOfDevice, !found.header.isOfAnother else { continue }
                for name in try HostDirectory.allNames(in: directory) {
                    let path = "\(directory)/\(name)"
                    if try HostFile.names(of: path)?.incarnation == identity { return path }
                }
            }
        }
        return nil
    }

    /// A copy that was renamed together with its record.
    private func renamedCopy(
        _ sibling: String, _ record: UndoRecord, _ file: any ByteFile
    ) throws(StorageError) -> String? {
        let own = HostDirectory.resolved(file.path) ?? file.path
        for found in try records(of: record, called: sibling, in: HostPath.directory(of: own)) {
            let path = String(hostBytes: found.path.hostBytes.dropLast(".undo".utf8.count))
            guard let known = try HostFile.names(of: path)?.incarnation, !found.isExactly(known) else {
                continue
            }
            return path
        }
        return nil
    }

    /// The records of the same change in a directory that may be those of the file called `sibling`.
    func records(
        of record: UndoRecord, called sibling: String, in directory: String
    ) throws(StorageError) -> [UndoRecord] {
        var found: [UndoRecord] = []
        for name in try HostDirectory.allNames(in: directory) where name.hasSuffix(".undo") {
            let path = "\(directory)/\(name)"
            guard !HostDirectory.isSame(path, record.path),
                let other = try UndoRecord.newest(at: path, record.transactionID, orNone: true)
            else { continue }
            do throws(StorageError) {
                guard try !other.names(sibling) else { continue }
            } catch {
                // A damaged copy tells nothing.
                guard error.isCode(UndoCode.damaged) else { throw error }
                continue
            }
            found.append(other)
        }
        return found
    }

    /// Where the file may be, or its record.
    func directories(_ sibling: String, _ record: UndoRecord, _ file: any ByteFile) -> [String] {
        var seen: Set<[UInt8]> = []
        let own = file.hasFixedLength ? [] : [HostDirectory.resolved(file.path) ?? file.path]
        let others = given.filter { !$0.hasFixedLength }.map { HostDirectory.resolved($0.path) ?? $0.path }
        return ([record.path, sibling] + own + others).map { HostPath.directory(of: $0) }
            .filter { seen.insert((HostDirectory.resolved($0) ?? $0).hostBytes).inserted }
    }
}

extension UndoRecord {
    /// Whether the record calls another file of its change so: it is not that file's then.
    func names(_ sibling: String) throws(StorageError) -> Bool {
        try siblings(in: readLog()).contains { $0.hostBytes == sibling.hostBytes }
    }

    /// The name of the other file in the directory of `file`.
    static func path(of sibling: String, beside file: any ByteFile) -> String {
        let own = HostDirectory.resolved(file.path) ?? file.path
        return "\(HostPath.directory(of: own))/\(HostPath.name(of: sibling))"
    }
}
