public import GuestTree
internal import HostIO
internal import ImageFormats
internal import Patcher
public import Storage
public import Undo

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
            throw edit.cancel(after: error)
        }
    }

    /// Begins a change that `GuestEdit.commit` ends, for callers that are no closure. Everything that holds of `edit`
    /// holds of it. Throws `refused` when the disks hold several systems and `source` names none. One change of a guest at a
    /// time; an edit that is let go of without `commit` is taken back.
    public func beginEdit(
        volume: String? = nil, source: SourceOptions = SourceOptions(),
        memoryLimit: Int = HostTransaction.usualMemoryLimit
    ) throws(StorageError) -> GuestEdit {
        try requireAwake()
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
            recording: GuestRecording(self, try beginRecording(memoryLimit: memoryLimit)))
    }

    /// Throws `suspended` where one of the disks holds a system that is to be resumed: it holds parts of the file systems in
    /// its memory, and would write over what was changed meanwhile.
    private func requireAwake() throws(StorageError) {
        guard let suspended = volumes.first(where: { $0.identity.isHibernated }) else { return }
        throw StorageError(
            .refused, GuestCode.suspended,
            "\(suspended.name) holds a suspended system, which goes on with its file systems as they were and would damage them",
            path: mainPath, remedies: [.startGuest])
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
            try flush()
        } catch {
            throw transaction.rollBack(after: error)
        }
        try transaction.commit()
        return result
    }

    /// Hands what the formats hold back to the host files.
    fileprivate func flush() throws(StorageError) {
        for image in images { try image.opened.disk.flush() }
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

/// The transaction over a guest's host files that an edit ends.
private final class GuestRecording: ChangeRecording {
    private let guest: Guest
    private let transaction: HostTransaction

    init(_ guest: Guest, _ transaction: HostTransaction) {
        self.guest = guest
        self.transaction = transaction
    }

    func flush() throws(StorageError) { try guest.flush() }

    func commit() throws(StorageError) { try transaction.commit() }

    func rollBack(after error: StorageError) -> StorageError { transaction.rollBack(after: error) }

    func rollBack() { transaction.rollBack() }
}
