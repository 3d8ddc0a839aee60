internal import GuestTree
internal import HostIO
internal import Storage
internal import Undo

/// An output that appears under its final name only when it is complete.
///
/// It is made in a hidden directory beside its place, under its own name, because a VMDK's descriptor carries
/// the names of its extents; then every file is synced and moved out. A directory that a killed process left
/// behind is named `.NAME.XXXXXXXX.partial`.
final class PendingOutput {
    /// Where to make the output.
    let path: String
    /// Where it will stand.
    let finalPath: String
    private let directory: String
    /// As the caller has it, for messages.
    private let given: String
    /// Plain names of the further files that belong to it.
    private let companions: [String]
    /// Records of the files that are replaced.
    private var replaced: [ReplacedRecord] = []
    private var isOpen = true

    /// A place for an output that will be called `finalPath`, and for its `companions` (plain names). An existing
    /// regular file is replaced at the end, and its undo record goes with it.
    ///
    /// Throws `refused` when something else has the name, and when a file that it would replace is in
    /// `protected` (the source) or open elsewhere.
    init(
        _ finalPath: String, companions: [String], protected: [any ByteFile]
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
        let parent = HostPath.directory(of: target)
        let suffix = try SystemRandom.bytes(4).hexString
        directory = "\(parent)/.\(HostPath.name(of: target)).\(suffix).partial"
        path = "\(directory)/\(HostPath.name(of: target))"
        do throws(StorageError) {
            try HostDirectory.create(directory)
        } catch {
            throw error.renamed(from: directory, to: finalPath)
        }
    }

    /// The same error without the hidden directory, which the user knows nothing of.
    func named(_ error: StorageError) -> StorageError {
        let place = HostPath.directory(of: given)
        return error.renamed(from: path, to: given).renamed(from: directory, to: place)
    }

    deinit { if isOpen { discard() } }

    /// Moves the output and its companions to their final names. They are complete and flushed.
    func publish() throws(StorageError) {
        do throws(StorageError) { try moveOut() } catch { throw named(error) }
    }

    private func moveOut() throws(StorageError) {
        let parent = HostPath.directory(of: finalPath)
        try HostDirectory.sync(holding: path)
        // The descriptor last: what it names is there before it.
        for name in companions {
            try HostDirectory.rename("\(directory)/\(name)", to: "\(parent)/\(name)")
        }
        try HostDirectory.rename(path, to: finalPath)
        isOpen = false
        for record in replaced { try record.retire() }
        try HostDirectory.sync(holding: finalPath)
        try HostDirectory.removeEmpty(directory)
    }

    /// Removes whatever is there.
    func discard() {
        isOpen = false
        for name in HostDirectory.names(in: directory) { try? HostDirectory.remove("\(directory)/\(name)") }
        try? HostDirectory.removeEmpty(directory)
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
