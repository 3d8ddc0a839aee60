internal import HostIO
public import Storage

// Throwing records away.

extension UndoRecord {
    /// What `discard` did.
    public struct Discarded: Sendable {
        /// Paths of the records that were thrown away.
        public var records: [String] = []
        /// Paths of records that stay for the changes before the newest, which alone was thrown away.
        public var shortened: [String] = []
        /// Paths of files that were marked as half changed, without a record of that, and are not any more.
        public var unmarked: [String] = []
        /// Those of the records whose change was cut off.
        public var cutOff: [String] = []
        /// Files that may be half changed, and stay so.
        public var halfChanged: [HalfChanged] = []

        mutating func add(_ files: [HalfChanged]) {
            for file in files where !halfChanged.contains(where: { HostDirectory.isSame($0.path, file.path) })
            {
                halfChanged.append(file)
            }
        }

        /// Paths of records that stay, under another name: they are of other files than those that were given, and mend those
        /// wherever they are.
        public var kept: [String] = []
    }

    /// Throws away what takes the newest change of each of `files`, open for writing, back, and leaves the files as they are. The
    /// changes before that can still be taken back; a damaged record goes as a whole. What a record holds of another file, one that had the name before, is set aside, unless `otherFile` says that this is meant too.
    ///
    /// Throws `refused`, nothing removed, when a cut-off change covers a file that is not among them ("sibling-not-given"), or
    /// when a block device is another one than the record's ("other-device"), and `corrupt` for what is no record.
    public static func discard(
        _ files: [any ByteFile], otherFile: Bool = false, in place: UndoPlace = UndoPlace()
    ) throws(StorageError) -> Discarded {
        var found: [(path: String, file: any ByteFile)] = []
        var done = Discarded()
        /// Whose the newest segment of a record is that is thrown away.
        var accepted: [String: FileIncarnation] = [:]
        /// Changes of which one record is another file's, and stays: the others mend nothing without theirs.
        var kept: Set<[UInt8]> = []
        for file in files {
            let own = place.recordPath(for: file.path)
            let isThere = try HostDirectory.isThere(own)
            if isThere {
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
                if try !UndoMark.isSettled(file.path) {
                    done.add([HalfChanged(path: file.path, offset: nil)])
                }
                continue
            }
            guard let record else { continue }
            // A device that is surely another one has nothing to do with it.
            if !file.hasFixedLength || otherFile || !record.isOfAnother(than: file) {
                done.add(try record.halfChanged(file, among: files, in: place))
            }
            // Another device's, which had the name: this one has its own.
            if isThere, file.hasFixedLength, record.path.hostBytes != own.hostBytes,
                try newest(at: own, orNone: true)?.isOfAnother(than: file) == true
            {
                found.removeLast()
            }
            if !found.contains(where: { $0.path.hostBytes == record.path.hostBytes }) {
                found.append((record.path, file))
            }
            guard otherFile || record.isOf(file) || file.hasFixedLength else {
                // Of two that changed names each is given.
                if !files.contains(where: record.isOf) { kept.insert(record.transactionID) }
                continue
            }
            if !otherFile {
                // Set aside.
                guard !record.isOfAnother(than: file) else {
                    kept.insert(record.transactionID)
                    continue
                }
                try record.requireOwnDevice(file)
            }
            accepted[record.path] = record.header.identity
            guard record.isCutOff else { continue }
            done.cutOff.append(record.path)
            try record.requireSiblings(of: file, among: files, in: place)
        }
        for file in files { try UndoMark.clear(on: file) }
        for (path, file) in found {
            // Of a device only what is surely another's is kept: the host knows both.
            let other: (UndoRecord) -> Bool = {
                guard !kept.contains($0.transactionID) else { return true }
                return file.hasFixedLength
                    ? !$0.isOf(file) && $0.header.identity.birth != 0 && file.incarnation?.birth != 0
                        && $0.header.identity != accepted[path]
                    : !files.contains(where: $0.isOf)
            }
            // Of two that changed names each has the other's.
            guard try HostDirectory.isThere(path) else { continue }
            if !otherFile, let kept = try keepOthers(path, than: { !other($0) }) {
                done.kept.append(kept)
            } else if !otherFile, let newest = try newestOfSeveral(at: path) {
                try cut(try newest.openLog(), at: newest.segmentStart, isLost: true)
                done.shortened.append(path)
            } else {
                try HostDirectory.remove(path)
                done.records.append(path)
            }
            try HostDirectory.sync(holding: path)
        }
        done.cutOff.removeAll { !done.records.contains($0) && !done.shortened.contains($0) }
        return done
    }

    /// The segment of the newest change, where a record has some of changes before it; nil for a damaged one.
    private static func newestOfSeveral(at path: String) throws(StorageError) -> UndoRecord? {
        var changes: [UndoRecord] = []
        do throws(StorageError) {
            try forEachSegment(in: HostFile.open(path, locking: .ignore, followLinks: false)) { (record) in
                if record.state != .prepared, record.state != .rolledBack { changes.append(record) }
            }
        } catch {
            guard error.isCode(UndoCode.damaged) || error.isCode(UndoCode.otherVersion) else { throw error }
            return nil
        }
        return changes.count > 1 ? changes.last : nil
    }

    /// Throws "sibling-not-given" where the change covers a file that is not among `files` and has its record.
    private func requireSiblings(
        of file: any ByteFile, among files: [any ByteFile], in place: UndoPlace
    ) throws(StorageError) {
        do throws(StorageError) {
            for sibling in try siblings(in: readLog()) {
                let search = SiblingSearch(files, in: place)
                guard let path = try search.path(of: sibling, namedBy: self, of: file),
                    try HostDirectory.isThere(path),
                    !files.contains(where: { HostDirectory.isSame($0.path, path) }),
                    try Self.readIfThere(for: path, transactionID: transactionID, in: place) != nil
                else { continue }
                throw StorageError(
                    .refused, UndoCode.siblingNotGiven, "the change also covers \(path.hostBytes.shellText)",
                    path: self.path, remedies: [.giveDisk(path: path)])
            }
        } catch {
            // Which they are is lost with it.
            guard error.isCode(UndoCode.damaged), error.path == path else { throw error }
        }
    }

    /// Throws "other-device" where a block device cannot be told to be the one that was changed: neither the host says so, nor
    /// does it hold what the record knows, everywhere. Devices get each other's names and numbers, so that a record that was
    /// moved aside might be found by the wrong one again.
    private func requireOwnDevice(_ file: any ByteFile) throws(StorageError) {
        guard file.hasFixedLength, state == .hot || state == .undoing || state == .done else { return }
        guard !isOf(file) else { return }
        let isAsLong = file.byteCount == header.lengthBefore
        if isAsLong {
            do throws(StorageError) {
                guard try UndoComparison(file, self, try readLog()).firstUnknown != nil else { return }
            } catch {
                // What is damaged is of no use to any device.
                guard error.isCode(UndoCode.damaged) else { throw error }
                return
            }
        }
        throw StorageError(
            .refused, UndoCode.otherDevice,
            isAsLong
                ? "this device holds what the record does not know; either something else has written to it since, or the record "
                    + "is of another device, which it may mend: move it to a directory of its own then"
                : "is of a device of \(header.lengthBefore) bytes, and may mend that one, so move it to a directory of its own",
            path: path, remedies: [.discardUndoOfAnother])
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
