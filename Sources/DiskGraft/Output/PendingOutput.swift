internal import GuestTree
internal import HostIO
internal import Storage
internal import Undo

/// An output that appears under its final name only when it is complete.
///
/// It is made in a hidden directory beside its place, under its own name, because a VMDK's descriptor carries
/// the names of its extents; then every file is synced and moved out. A directory that a killed process left
/// behind is named `.NAME.XXXXXXXX.partial`; the next output of that name removes it.
final class PendingOutput {
    /// Where to make the output.
    let path: String
    /// Where it will stand.
    let finalPath: String
    private let directory: String
    /// Held as long as this lives, so that nobody takes the directory for one that was left behind.
    private let hold: HeldDirectory
    /// As the caller has it, for messages.
    private let given: String
    /// Plain names of the further files that belong to it.
    let companions: [String]
    /// Records of the files that are replaced.
    private var replaced: [ReplacedRecord] = []
    /// Permission bits that the files lose before they appear.
    private let withheld: UInt16
    private var isOpen = true

    /// A place for an output that will be called `finalPath`, and for its `companions` (plain names). An existing
    /// regular file is replaced at the end, and its undo record goes with it.
    ///
    /// Throws `refused` when something else has the name, and when a file that it would replace is in
    /// `protected` (the source) or open elsewhere.
    ///
    /// Whoever may not read one of `sources`, whose bytes it holds, may not read it either.
    init(
        _ finalPath: String, companions: [String], protected: [any ByteFile],
        holding sources: [any ByteFile] = []
    ) throws(StorageError) {
        let target = HostDirectory.resolved(finalPath) ?? finalPath
        for name in [target] + companions.map({ HostPath.directory(of: target) + "/" + $0 }) {
            do throws(StorageError) {
                try Self.check(name, protected: protected)
                if let record = try ReplacedRecord(ofFile: name) { replaced.append(record) }
            } catch {
                throw name == target ? error.renamed(from: target, to: finalPath) : error
            }
        }
        self.finalPath = target
        given = finalPath
        self.companions = companions
        withheld = sources.reduce(0) { $0 | Self.unreadable(HostDirectory.permissions(of: $1.path)) }
        let parent = HostPath.directory(of: target)
        try Self.requireDirectory(of: finalPath)
        let suffix = try SystemRandom.bytes(4).hexString
        let stem = Self.stem(of: HostPath.name(of: target))
        Self.removeLeftBehind(stem, in: parent)
        directory = "\(parent)/.\(stem).\(suffix).partial"
        path = "\(directory)/\(HostPath.name(of: target))"
        do throws(StorageError) {
            hold = try HeldDirectory.make(directory)
        } catch {
            throw error.renamed(from: directory, to: finalPath)
        }
        Self.note(directory)
    }

    /// Throws `no-directory` where there is no directory to hold a file of that name.
    static func requireDirectory(of path: String) throws(StorageError) {
        let directory = HostPath.directory(of: HostDirectory.resolved(path) ?? path)
        guard !HostDirectory.isDirectory(directory) else { return }
        let what = try HostDirectory.isThere(directory) ? "is no directory" : "is not there; make it first"
        throw StorageError(
            .io, OutputCode.noDirectory, "the directory \(directory.hostBytes.shellText) \(what)", path: path)
    }

    /// What the hidden directory is named after; a name has 255 bytes.
    private static func stem(of name: String) -> String {
        name.hostBytes.count <= 237 ? name : String(XXH64.checksum(name.hostBytes.span8).hex.dropFirst(2))
    }

    /// The same error without the hidden directory, which the user knows nothing of.
    func named(_ error: StorageError) -> StorageError {
        let place = HostPath.directory(of: given)
        return error.renamed(from: path, to: given).renamed(from: directory, to: place)
    }

    deinit { if isOpen { discard() } }

    /// The paths that its files will have.
    var names: [String] {
        [finalPath] + companions.map { HostPath.directory(of: finalPath) + "/" + $0 }
    }

    /// Moves the output and its companions to their final names. They are complete and flushed.
    func publish() throws(StorageError) {
        do throws(StorageError) { try moveOut() } catch { throw named(error) }
    }

    private func moveOut() throws(StorageError) {
        let parent = HostPath.directory(of: finalPath)
        if withheld != 0 {
            for name in companions + [HostPath.name(of: path)] {
                try withholdPermissions("\(directory)/\(name)")
            }
        }
        try HostDirectory.sync(holding: path)
        // The descriptor last: what it names is there before it.
        for name in companions {
            try HostDirectory.rename("\(directory)/\(name)", to: "\(parent)/\(name)")
        }
        try HostDirectory.rename(path, to: finalPath)
        isOpen = false
        Self.forget(directory)
        for record in replaced { try record.retire() }
        try HostDirectory.sync(holding: finalPath)
        try HostDirectory.removeEmpty(directory)
    }

    private func withholdPermissions(_ path: String) throws(StorageError) {
        guard let permissions = HostDirectory.permissions(of: path), permissions & withheld != 0 else {
            return
        }
        try HostDirectory.setPermissions(of: path, to: permissions & ~withheld)
    }

    /// The bits of those who may not read a file with these: group, others.
    private static func unreadable(_ permissions: UInt16?) -> UInt16 {
        guard let permissions else { return 0 }
        return (permissions & 0o040 == 0 ? 0o070 : 0) | (permissions & 0o004 == 0 ? 0o007 : 0)
    }

    /// Directories that killed processes left behind when they made `name`.
    private static func removeLeftBehind(_ name: String, in parent: String) {
        let (start, end) = (".\(name).".hostBytes, ".partial".hostBytes)
        for found in HostDirectory.names(in: parent) {
            let bytes = found.hostBytes
            guard bytes.count == start.count + 8 + end.count, bytes.starts(with: start),
                bytes.suffix(end.count).elementsEqual(end)
            else { continue }
            HeldDirectory.removeIfLeft("\(parent)/\(found)")
        }
    }

    /// Throws `refused` when the output would replace one of `parents`, the disks that the new one stands on.
    func requireApart(from parents: [any ByteFile]) throws(StorageError) {
        for name in names {
            guard let identity = HostDirectory.identity(of: name),
                parents.contains(where: { $0.identity == identity })
            else { continue }
            throw Self.isTheParent(name == finalPath ? given : name)
        }
    }

    /// The refusal of a child in its parent's place.
    static func isTheParent(_ path: String) -> StorageError {
        StorageError(
            .refused, OutputCode.isTheParent,
            "is the new disk's parent, or one that the parent stands on; it would be replaced by an empty child",
            path: path)
    }

    /// Removes whatever is there.
    func discard() {
        isOpen = false
        Self.forget(directory)
        Self.remove(directory)
    }

    private static func check(_ path: String, protected: [any ByteFile]) throws(StorageError) {
        guard HostDirectory.exists(path) else { return }
        if HostDirectory.isDirectory(path) {
            throw StorageError(
                .refused, OutputCode.isADirectory, "is a directory; name a file", path: path)
        }
        guard HostDirectory.isRegularFile(path) else {
            throw StorageError(
                .refused, OutputCode.notAFile, "exists and is not a regular file", path: path)
        }
        if let identity = HostDirectory.identity(of: path),
            protected.contains(where: { $0.identity == identity })
        {
            throw StorageError(
                .refused, OutputCode.isTheSource,
                "belongs to the source; the source is never written", path: path)
        }
        // Whoever has it open would go on with a file that has no name any more.
        _ = try HostFile.open(path, access: .write)
    }
}

extension StorageError {
    /// The same error with the path `old`, and those below it, under another name.
    fileprivate func renamed(from old: String, to new: String) -> StorageError {
        var copy = self
        if let path = copy.path {
            if path.hostBytes == old.hostBytes {
                copy.path = new
            } else if path.utf8.starts(with: (old + "/").utf8) {
                copy.path = String(hostBytes: new.hostBytes + path.hostBytes.dropFirst(old.hostBytes.count))
            }
        }
        copy.message = copy.message.replacing(old, with: new)
        copy.cause = copy.cause?.renamed(from: old, to: new)
        return copy
    }
}
