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
        /// Paths of records that stay, under another name: they are of other files than those that were given, and mend those
        /// wherever they are.
        public var kept: [String] = []
    }

    /// Throws the whole record of each of `files`, open for writing, away and leaves the files as they are. What it holds of
    /// another file, one that had the name before, is set aside, unless `otherFile` says that this is meant too.
    ///
    /// Throws `refused`, nothing removed, when a cut-off change covers a file that is not among them ("sibling-not-given"), or
    /// when a block device is another one than the record's ("other-device"), and `corrupt` for what is no record.
    public static func discard(
        _ files: [any ByteFile], otherFile: Bool = false, in place: UndoPlace = UndoPlace()
    ) throws(StorageError) -> Discarded {
        var found: [(path: String, file: any ByteFile)] = []
        var done = Discarded()
        for file in files {
            let own = place.recordPath(for: file.path)
            if HostDirectory.exists(own) {
                try requireRecord(own)
                found.append((own, file))
            }
            let record: UndoRecord?
            do throws(StorageError) {
                record = try read(for: file.path, in: place)
            } catch {
                if error.isCode(UndoCode.recordMissing) { done.unmarked.append(file.path) }
                guard
                    error.isCode(UndoCode.damaged) || error.isCode(UndoCode.otherVersion)
                        || error.isCode(UndoCode.recordMissing)
                else { throw error }
                continue
            }
            guard let record else { continue }
            if !found.contains(where: { $0.path == record.path }) { found.append((record.path, file)) }
            guard otherFile || record.isOf(file) || file.hasFixedLength else { continue }
            if !otherFile { try record.requireOwnDevice(file) }
            guard record.isCutOff else { continue }
            done.cutOff.append(record.path)
            try record.requireSiblings(among: files, in: place)
        }
        for file in files { try UndoMark.clear(on: file) }
        for (path, file) in found {
            if !otherFile, !file.hasFixedLength, let kept = try keepOthers(path, than: { $0.isOf(file) }) {
                done.kept.append(kept)
            } else {
                try HostDirectory.remove(path)
                done.records.append(path)
            }
            try HostDirectory.sync(holding: path)
        }
        done.cutOff.removeAll { !done.records.contains($0) }
        return done
    }

    /// Throws "sibling-not-given" where the change covers a file that is not among `files` and has its record.
    private func requireSiblings(
        among files: [any ByteFile], in place: UndoPlace
    ) throws(StorageError) {
        guard let siblings = try? siblings(in: openLog()) else { return }
        for sibling in siblings where HostDirectory.exists(sibling) {
            guard !files.contains(where: { HostDirectory.isSame($0.path, sibling) }),
                try Self.read(for: sibling, transactionID: transactionID, in: place) != nil
            else { continue }
            throw StorageError(
                .refused, UndoCode.siblingNotGiven,
                "the change also covers \(sibling.hostBytes.shellText)",
                path: path,
                remedies: [.giveDisk(path: sibling)])
        }
    }

    /// Throws "other-device" where a block device cannot be the one that was changed. Devices get each other's names and
    /// numbers, so that a record that was moved aside would be found by the wrong one again.
    private func requireOwnDevice(_ file: any ByteFile) throws(StorageError) {
        guard file.hasFixedLength, state == .hot || state == .undoing || state == .done else { return }
        guard !isOf(file) else { return }
        if file.byteCount == header.lengthBefore {
            // What is damaged is of no use to any device.
            guard let log = try? openLog() else { return }
            do throws(StorageError) {
                guard try UndoComparison(file, self, log).isStrange else { return }
            } catch {
                guard error.isCode(UndoCode.damaged) else { throw error }
                return
            }
        }
        throw StorageError(
            .refused, UndoCode.otherDevice,
            "is of a device of \(header.lengthBefore) bytes that held other contents than this one; it may mend that one, "
                + "so move it to a directory of its own", path: path, remedies: [.discardUndoOfAnother])
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
