internal import HostIO
internal import Storage

// Devices get each other's names. What the host knows them by, the file behind a loop device for instance, tells whose a
// record is.

extension UndoRecord {
    /// Throws "other-device" where `file` is surely another device than the one that was changed; that one is named where it is
    /// attached now.
    func requireNotElsewhere(_ file: any ByteFile) throws(StorageError) {
        guard file.hasFixedLength else { return try requireNotRenamed(file) }
        guard isOfAnother(than: file) else { return }
        let own = path.hostBytes.shellText
        guard let device = HostFile.device(header.identity) else {
            throw StorageError(
                .refused, UndoCode.otherDevice,
                "the undo record \(own) is of another device, which had this name and is not attached now; this one holds what the "
                    + "record does not know", path: file.path, remedies: [.setUndoAside])
        }
        throw StorageError(
            .refused, UndoCode.otherDevice,
            "the undo record \(own) is of another device, which is \(device.hostBytes.shellText) now",
            path: file.path,
            remedies: [.undoDisk(path: device)])
    }

    /// The record's own file may have another name in the directory: its old bytes belong there, into no other.
    private func requireNotRenamed(_ file: any ByteFile) throws(StorageError) {
        let identity = header.identity
        guard !isOf(file), identity.inode != 0, !identity.isOfDevice, !header.isOfAnother else { return }
        var seen: Set<[UInt8]> = []
        for directory in [path, HostDirectory.resolved(file.path) ?? file.path].map(HostPath.directory(of:))
        where seen.insert((HostDirectory.resolved(directory) ?? directory).hostBytes).inserted {
            for name in try HostDirectory.allNames(in: directory) {
                let other = "\(directory)/\(name)"
                guard try HostFile.names(of: other)?.incarnation == identity else { continue }
                let found = try? UndoRecord.read(for: other)
                let isFound = found?.transactionID == transactionID
                throw StorageError(
                    .refused, UndoCode.renamedFile,
                    "the undo record \(path.hostBytes.shellText) is of the file that is \(other.hostBytes.shellText) now, and this "
                        + "one holds what it does not know"
                        + (isFound
                            ? ""
                            : "; give both their names back, or their records the names that they have now"),
                    path: file.path, remedies: isFound ? [.undoDisk(path: other)] : [])
            }
        }
    }

    /// The refusal of reading a device that is surely another one than the record's; nil where that is not so.
    func hotElsewhere(_ path: String) -> StorageError? {
        guard let found = try? HostFile.names(of: path),
            header.identity.isOtherDevice(than: found.incarnation)
        else { return nil }
        let device = HostFile.device(header.identity)
        let place = device.map { "is \($0.hostBytes.shellText) now" } ?? "is not attached now"
        return StorageError(
            .refused, UndoCode.hot,
            "a change of another device was cut off, which had this name and \(place); its undo record "
                + "\(self.path.hostBytes.shellText) has the name of this one's", path: path,
            remedies: [device.map { .undoDisk(path: $0) } ?? .setUndoAside])
    }
}
