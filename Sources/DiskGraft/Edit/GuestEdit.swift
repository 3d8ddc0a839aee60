internal import ImageFormats
internal import Patcher
public import Storage

/// A change of a guest's files: any number of operations, on any of its volumes, made durable together.
///
///     let guest = try Guest.open(["web01.vmdk"], forWriting: true)
///     try guest.edit { (edit) in
///         try edit.put(FileContents(Array("web02\n".utf8)), at: Array("/etc/hostname".utf8))
///         try edit.remove(Array("/etc/machine-id".utf8))
///     }
///
/// Paths are bytes, absolute in the guest; symbolic links and mounts are followed as the guest's kernel would, and
/// each operation sees what those before it did. An image changes when `Guest.edit` ends; a change too large for memory
/// goes there before, and back when it fails.
public final class GuestEdit {
    let guest: Guest
    /// Volumes by the path they are mounted at, "/" among them.
    let mounts: [[UInt8]: Int]
    private var transactions: [Int: any FileSystemTransaction] = [:]
    /// The order in which volumes were first changed.
    private var order: [Int] = []
    /// Changes of volumes without a file system, in their order.
    private var deviceWrites: [(device: any WritableBlockDevice, writes: OrderedWrites)] = []
    /// What new files in a directory are labelled, asked for once.
    var labels: [FileKey: DirectoryLabels] = [:]

    init(_ guest: Guest, mounts: [[UInt8]: Int]) {
        self.guest = guest
        self.mounts = mounts
    }

    // MARK: Transactions

    /// The open transaction on a volume; begun when there is none. Those of `GuestEdit+Changes` refuse first what the
    /// file system cannot do.
    func transaction(on volume: Int) throws(StorageError) -> any FileSystemTransaction {
        if let known = transactions[volume] { return known }
        do throws(StorageError) {
            guard let writable = try guest.fileSystem(on: volume) as? any WritableFileSystem else {
                throw StorageError(
                    .unsupported, layer: guest.volumes[volume].identity.kind.rawValue, code: "not-writable",
                    "\(guest.volumes[volume].name) cannot be changed")
            }
            let transaction = try writable.begin()
            transactions[volume] = transaction
            if !order.contains(volume) { order.append(volume) }
            return transaction
        } catch {
            throw error.inFile(guest.path(ofVolume: volume))
        }
    }

    /// The transaction that is open on a volume, if any: reading begins none.
    func openTransaction(on volume: Int) -> (any FileSystemTransaction)? { transactions[volume] }

    /// Ends a transaction that has grown large where everything done so far is consistent; the next operation begins
    /// another. Also the place where an interruption is noticed.
    func splitIfLarge(_ volume: Int) throws(StorageError) {
        try Cancellation.check()
        if transactions[volume]?.shouldBeCommitted == true { try settle(volume) }
    }

    private func settle(_ volume: Int) throws(StorageError) {
        guard let transaction = transactions.removeValue(forKey: volume) else { return }
        do throws(StorageError) {
            try transaction.prepare().commit()
        } catch {
            throw error.inFile(guest.path(ofVolume: volume))
        }
    }

    /// Bytes of a volume to be written last. Throws the volume's reason when it cannot be written.
    func addDeviceWrite(_ volume: Int, offset: UInt64, bytes: [UInt8]) throws(StorageError) {
        var writes = OrderedWrites()
        writes.add("bytes of \(guest.volumes[volume].name)", [.init(offset: offset, bytes: bytes)])
        do throws(StorageError) {
            deviceWrites.append((try guest.volumes[volume].device.writable(), writes))
        } catch {
            throw error.inFile(guest.path(ofVolume: volume))
        }
    }

    /// Commits what is open, volume by volume, into the host transaction. All volumes are prepared first.
    func finish() throws(StorageError) {
        try Cancellation.check()
        var prepared: [any PreparedChange] = []
        for volume in order {
            guard let transaction = transactions.removeValue(forKey: volume) else { continue }
            do throws(StorageError) {
                prepared.append(try transaction.prepare())
            } catch {
                throw error.inFile(guest.path(ofVolume: volume))
            }
        }
        for change in prepared { try change.commit() }
        for (device, writes) in deviceWrites { try writes.commit(to: device) }
    }
}

extension Guest {
    /// Changes files of the guest's own tree, or of one volume alone. The guest must have been opened for writing.
    ///
    /// Everything that `body` does is recorded first; then the undo records are made durable, and only then does the
    /// first byte of an image change. A change of more than `memoryLimit` bytes goes to the images in several steps,
    /// each after what was there is durable in the undo records, so that memory stays flat. When `body` throws, every
    /// image is as it was before; open the guest again before it is used further. A change that outgrows a volume's
    /// journal is committed in several transactions, each of which leaves a sound file system.
    public func edit<Result>(
        volume: String? = nil, source: SourceOptions = SourceOptions(),
        memoryLimit: Int = HostTransaction.usualMemoryLimit,
        _ body: (GuestEdit) throws(StorageError) -> Result
    ) throws(StorageError) -> Result {
        var mounts: [[UInt8]: Int] = [:]
        if let volume {
            mounts[[UInt8(ascii: "/")]] = try volumeIndex(named: volume)
        } else {
            let survey = try survey(source)
            guard let first = survey.guests.first else { throw try noGuest(survey) }
            for mount in first.mounts { mounts[Array(mount.path.utf8)] = mount.volume }
        }
        return try recorded(memoryLimit: memoryLimit) { () throws(StorageError) in
            let edit = GuestEdit(self, mounts: mounts)
            let result = try body(edit)
            try edit.finish()
            return result
        }
    }

    /// The volume of that name; without one, the one that the guest's root is on.
    public func volume(
        named name: String?, source: SourceOptions = SourceOptions()
    ) throws(StorageError) -> Volume {
        if let name { return volumes[try volumeIndex(named: name)] }
        let survey = try survey(source)
        guard let first = survey.guests.first else { throw try noGuest(survey) }
        return volumes[first.rootVolume]
    }

    /// Runs `body` with every write to the guest's host files in one transaction, and commits it. When it throws, the
    /// files are as they were.
    func recorded<Result>(
        memoryLimit: Int = HostTransaction.usualMemoryLimit, _ body: () throws(StorageError) -> Result
    ) throws(StorageError) -> Result {
        var files: [HostFile] = []
        for image in images {
            for file in image.opened.disk.map.hostFiles where file.access == .write {
                if !files.contains(where: { $0.identity == file.identity }) { files.append(file) }
            }
        }
        let transaction = try HostTransaction(
            files, memoryLimit: memoryLimit, records: images.first?.records ?? UndoPlace())
        let result: Result
        do throws(StorageError) {
            result = try body()
            for image in images { try image.opened.disk.flush() }
        } catch {
            transaction.rollBack()
            throw error
        }
        try transaction.commit()
        return result
    }
}
