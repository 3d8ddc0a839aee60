public import Storage

/// A change of a guest's files: any number of operations, on any of its volumes, made durable together.
///
///     let guest = try Guest.open(["web01.vmdk"], forWriting: true)
///     try guest.edit { (edit) throws(StorageError) in
///         try edit.put(FileContents(Array("web02\n".utf8)), at: "/etc/hostname")
///         try edit.remove("/etc/machine-id")
///     }
///
/// Paths are absolute in the guest; symbolic links and mounts are followed as the guest's kernel would, and
/// each operation sees what those before it did. An image changes when `Guest.edit` ends; a change too large for memory
/// goes there before, and back when it fails.
public final class GuestEdit {
    let guest: any GuestVolumes
    /// Volumes by the path they are mounted at, "/" among them.
    let mounts: [GuestPath: Int]
    /// Where what the fstab mounts is missing: nothing changes there or below it.
    let obstacles: [GuestPath: StorageError]
    private var transactions: [Int: any FileSystemTransaction] = [:]
    /// The order in which volumes were first changed.
    private var order: [Int] = []
    /// Changes of volumes without a file system, in their order.
    private var deviceWrites: [(device: any WritableBlockDevice, writes: OrderedWrites)] = []
    /// What new files in a directory are labelled, asked for once; forgotten when directories come or go, whose numbers
    /// others get, or get other attributes.
    var labels: [FileKey: DirectoryLabels] = [:]

    private var hasEnded = false
    /// What holds the writes back until `commit`; nil where the caller sees to that, and when the edit has ended.
    private var recording: (any ChangeRecording)?

    /// An edit of the tree that `mounts` put together, with "/" among them; of single volumes, where it names none.
    package init(
        _ guest: any GuestVolumes, mounts: [GuestPath: Int], obstacles: [GuestPath: StorageError] = [:],
        recording: (any ChangeRecording)? = nil
    ) {
        self.guest = guest
        self.mounts = mounts
        self.obstacles = obstacles
        self.recording = recording
    }

    deinit { cancel() }

    /// Makes everything durable that was done: the undo records first, then the images. The edit has ended then, and
    /// does nothing more. When it throws, every image is as it was before, or the error says that
    /// the change stands, or is not all taken back yet.
    public func commit() throws(StorageError) {
        try requireOpen()
        guard let recording else {
            throw error(.misuse, .editHasEnded, "the change is its caller's to end")
        }
        do throws(StorageError) {
            try finish()
            try recording.flush()
        } catch {
            throw cancel(after: error)
        }
        end()
        try recording.commit()
    }

    /// Takes everything back that was done; nothing when the edit has ended. Open the guest again before it is used
    /// further.
    public func cancel() {
        guard let recording else { return }
        end()
        recording.rollBack()
    }

    private func end() {
        recording = nil
        hasEnded = true
        transactions = [:]
        deviceWrites = []
    }

    /// Throws when the edit was committed or cancelled: nothing would hold the writes back any more.
    private func requireOpen() throws(StorageError) {
        guard !hasEnded else { throw error(.misuse, .editHasEnded, "the change has ended already") }
    }

    /// The same, and returns the error that was the reason, which says so when that did not come to its end.
    package func cancel(after error: StorageError) -> StorageError {
        guard let recording else { return error }
        end()
        return recording.rollBack(after: error)
    }

    // MARK: Transactions

    /// The open transaction on a volume; begun when there is none. Those of `GuestEdit+Changes` refuse first what the
    /// file system cannot do.
    func transaction(on volume: Int) throws(StorageError) -> any FileSystemTransaction {
        if let known = transactions[volume] { return known }
        try requireOpen()
        do throws(StorageError) {
            guard let writable = try guest.fileSystem(on: volume) as? any WritableFileSystem else {
                throw StorageError(
                    .unsupported, GuestCode.notWritable, "\(guest.volumes[volume].name) cannot be changed",
                    layerName: guest.volumes[volume].identity.kind.rawValue)
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
    package func addDeviceWrite(_ volume: Int, offset: UInt64, bytes: [UInt8]) throws(StorageError) {
        try requireOpen()
        var writes = OrderedWrites()
        writes.add("bytes of \(guest.volumes[volume].name)", [.init(offset: offset, bytes: bytes)])
        do throws(StorageError) {
            deviceWrites.append((try guest.volumes[volume].device.writable(), writes))
        } catch {
            throw error.inFile(guest.path(ofVolume: volume))
        }
    }

    /// Commits what is open, volume by volume, into the host transaction. All volumes are prepared first.
    package func finish() throws(StorageError) {
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
        hasEnded = true
    }
}
