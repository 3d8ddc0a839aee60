internal import HostIO
public import Storage

// Throwing records away.

extension UndoRecord {
    /// What `discard` did.
    public struct Discarded: Sendable {
        /// Paths of the records that were thrown away.
        public var records: [String] = []
        /// Paths of files that were marked as half changed, without a record of that, and are not any more.
        public var unmarked: [String] = []
        /// Those of the records whose change was cut off.
        public var cutOff: [String] = []
    }

    /// Throws the whole record of each of `files`, open for writing, away and leaves the files as they are.
    ///
    /// Throws `refused`, nothing removed, when a cut-off change covers a file that is not among them, and `corrupt` for
    /// what is no record.
    public static func discard(
        _ files: [any ByteFile], in place: UndoPlace = UndoPlace()
    ) throws(StorageError) -> Discarded {
        var paths: [String] = []
        var unmarked: [String] = []
        var cutOff: [String] = []
        for file in files {
            let own = place.recordPath(for: file.path)
            if HostDirectory.exists(own) {
                try requireRecord(own)
                paths.append(own)
            }
            let found: UndoRecord?
            do throws(StorageError) {
                found = try read(for: file.path, in: place)
            } catch {
                if error.isCode(UndoCode.recordMissing) { unmarked.append(file.path) }
                guard
                    error.isCode(UndoCode.damaged) || error.isCode(UndoCode.otherVersion)
                        || error.isCode(UndoCode.recordMissing)
                else { throw error }
                continue
            }
            guard let found else { continue }
            if !paths.contains(found.path) { paths.append(found.path) }
            if found.isCutOff { cutOff.append(found.path) }
            guard found.isCutOff, let siblings = try? found.siblings(in: found.openLog()) else { continue }
            for sibling in siblings where HostDirectory.exists(sibling) {
                guard !files.contains(where: { HostDirectory.isSame($0.path, sibling) }),
                    try read(for: sibling, transactionID: found.transactionID, in: place) != nil
                else { continue }
                throw StorageError(
                    .refused, UndoCode.siblingNotGiven,
                    "the change also covers \(sibling.hostBytes.shellText)",
                    path: found.path,
                    remedies: [.giveDisk(path: sibling)])
            }
        }
        for file in files { try UndoMark.clear(on: file) }
        for path in paths {
            try HostDirectory.remove(path)
            try HostDirectory.sync(holding: path)
        }
        return Discarded(records: paths, unmarked: unmarked, cutOff: cutOff)
    }

    /// Throws "not-a-record" for a file that has the name of a record and is somebody else's.
    private static func requireRecord(_ path: String) throws(StorageError) {
        do throws(StorageError) {
            _ = try newest(in: HostFile.open(path, locking: .ignore, followLinks: false))
        } catch {
            guard error.isCode(UndoCode.damaged) || error.isCode(UndoCode.otherVersion) else { throw error }
        }
    }
}
