internal import GuestTree
internal import HostIO
internal import ImageFormats
internal import Patcher
public import Storage
public import Undo

/// A change of a guest's files: any number of operations, on any of its volumes, made durable together.
///
///     let guest = try Guest.open(["web01.vmdk"], forWriting: true)
///     try guest.edit { (edit) in
///         try edit.put(FileContents(Array("web02\n".utf8)), at: "/etc/hostname")
///         try edit.remove("/etc/machine-id")
///     }
///
/// Paths are absolute in the guest; symbolic links and mounts are followed as the guest's kernel would, and
/// each operation sees what those before it did. An image changes when `Guest.edit` ends; a change too large for memory
/// goes there before, and back when it fails.
public final class GuestEdit {
    let guest: Guest
    /// Volumes by the path they are mounted at, "/" among them.
    let mounts: [GuestPath: Int]
    /// Where what the fstab mounts is missing: nothing changes there or below it.
    let obstacles: [GuestPath: StorageError]
    private var transactions: [Int: any FileSystemTransaction] = [:]
    /// The order in which volumes were first changed.
    private var order: [Int] = []
    /// Changes of volumes without a file system, in their order.
    private var deviceWrites: [(device: any WritableBlockDevice, writes: OrderedWrites)] = []
    /// What new files in a directory are labelled, asked for once.
    var labels: [FileKey: DirectoryLabels] = [:]

    /// What holds the writes back until `commit`; nil where the caller sees to that, and when the edit has ended.
    private var recording: HostTransaction?

    init(
        _ guest: Guest, mounts: [GuestPath: Int], obstacles: [GuestPath: StorageError] = [:],
        recording: HostTransaction? = nil
    ) {
        self.guest = guest
        self.mounts = mounts
        self.obstacles = obstacles
        self.recording = recording
    }

    deinit { cancel() }

    /// Makes everything durable that was done: the undo records first, then the images. The edit has ended then, and
    /// does nothing more. When it throws, every image is as it was before.
    public func commit() throws(StorageError) {
        guard let recording else {
            throw error(.misuse, .editHasEnded, "the change has ended already")
        }
        do throws(StorageError) {
            try finish()
            for image in guest.images { try image.opened.disk.flush() }
        } catch {
            cancel()
            throw error
        }
        self.recording = nil
        try recording.commit()
    }

    /// Takes everything back that was done; nothing when the edit has ended. Open the guest again before it is used
    /// further.
    public func cancel() {
        recording?.rollBack()
        recording = nil
    }

    // MARK: Transactions

    /// The open transaction on a volume; begun when there is none. Those of `GuestEdit+Changes` refuse first what the
    /// file system cannot do.
    func transaction(on volume: Int) throws(StorageError) -> any FileSystemTransaction {
        if let known = transactions[volume] { return known }
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
        let edit = try beginEdit(volume: volume, source: source, memoryLimit: memoryLimit)
        do throws(StorageError) {
            let result = try body(edit)
            try edit.commit()
            return result
        } catch {
            edit.cancel()
            throw error
        }
    }

    /// Begins a change that `GuestEdit.commit` ends, for callers that are no closure. Everything that holds of `edit`
    /// holds of it. Throws `refused` when the disks hold several systems and `source` names none. One change of a guest at a time; an edit that is let go of without `commit` is taken back.
    public func beginEdit(
        volume: String? = nil, source: SourceOptions = SourceOptions(),
        memoryLimit: Int = HostTransaction.usualMemoryLimit
    ) throws(StorageError) -> GuestEdit {
        var mounts: [GuestPath: Int] = [:]
        var obstacles: [GuestPath: StorageError] = [:]
        if let volume {
            mounts[.root] = try volumeIndex(named: volume)
        } else {
            let system = try mountedSystem(source)
            if let several = try severalSystems(source) { throw several }
            for mount in system.mounts where mount.isReadable { mounts[GuestPath(mount.path)] = mount.volume }
            obstacles = try self.obstacles(in: system, forChanges: true)
        }
        return GuestEdit(
            self, mounts: mounts, obstacles: obstacles,
            recording: try beginRecording(memoryLimit: memoryLimit))
    }

    /// The volume of that name; without one, the one that the guest's root is on.
    public func volume(
        named name: String?, source: SourceOptions = SourceOptions()
    ) throws(StorageError) -> Volume {
        if let name { return volumes[try volumeIndex(named: name)] }
        return volumes[try mountedSystem(source).rootVolume]
    }

    /// Runs `body` with every write to the guest's host files in one transaction, and commits it. When it throws, the
    /// files are as they were.
    func recorded<Result>(_ body: () throws(StorageError) -> Result) throws(StorageError) -> Result {
        let transaction = try beginRecording()
        let result: Result
        do throws(StorageError) {
            result = try body()
            for image in images { try image.opened.disk.flush() }
        } catch {
            throw transaction.rollBack(after: error)
        }
        try transaction.commit()
        return result
    }

    /// From now on every write to the guest's host files is held back.
    private func beginRecording(
        memoryLimit: Int = HostTransaction.usualMemoryLimit
    ) throws(StorageError) -> HostTransaction {
        var files: [any ByteFile] = []
        for image in images {
            for file in image.opened.disk.map.hostFiles where file.access == .write {
                if !files.contains(where: { $0.isSame(as: file) }) { files.append(file) }
            }
        }
        return try HostTransaction(
            files, memoryLimit: memoryLimit, records: images.first?.records ?? UndoPlace())
    }
}
