internal import GuestTree
internal import Patcher
internal import Storage

/// Carries plans out on a guest's volumes, as one edit: everything is prepared, on all volumes, before anything is
/// committed. Where the bytes go — a host transaction, an overlay — is the devices' affair.
struct PlanExecution {
    private let guest: Guest
    private let edit: GuestEdit

    init(_ guest: Guest) {
        self.guest = guest
        edit = GuestEdit(guest, mounts: [:])
    }

    /// Checks that every file still holds what its plan expects, prepares, and commits. Throws before anything is
    /// written when a file does not, or a volume cannot take the change.
    func run(_ plan: GuestPlan) throws(StorageError) { try run(plan.actions) }

    /// The same for some of a plan's actions.
    func run(_ actions: [Action]) throws(StorageError) {
        try requireRoom(for: actions)
        for action in actions { try add(action) }
        try edit.finish()
    }

    /// Throws where a volume has no room for all that the actions bring to it, before the first of them takes any.
    private func requireRoom(for actions: [Action]) throws(StorageError) {
        var room = PlanRoom()
        for action in actions { room.add(action) }
        for (volume, changes) in room.changes.sorted(by: { $0.key < $1.key }) {
            guard let transaction = try edit.contents(on: volume) as? any RoomTransaction else { continue }
            do throws(StorageError) {
                try transaction.requireRoom(for: changes)
            } catch {
                // Which of a guest's volumes it is cannot be seen from the image's name.
                var error = error.inFile(guest.path(ofVolume: volume))
                error.message = "\(guest.volumes[volume].name): \(error.message)"
                throw error
            }
        }
    }

    private func add(_ action: Action) throws(StorageError) {
        switch action.kind {
        case .edit(let change):
            let transaction = try edit.contents(on: change.file.volume)
            guard try transaction.contents(of: change.file.id) == change.expected else {
                throw changed(change.file.displayPath, change.file.volume)
            }
            try transaction.replaceContents(of: change.file.id, with: change.contents)
        case .create(let place, let contents, let permissions):
            try create(place, contents, permissions)
        case .copy(let file, let place):
            try create(place, contents(of: file), file.attributes.permissions)
        case .replace(let file, let source):
            let transaction = try edit.contents(on: file.volume)
            guard try transaction.attributes(of: file.id) == file.attributes else {
                throw changed(file.displayPath, file.volume)
            }
            try transaction.replaceContents(of: file.id, with: contents(of: source))
        case .rename(let place, let newName):
            try edit.names(on: place.directory.volume).rename(
                place.name, in: place.directory.id, to: newName, in: place.directory.id)
        case .remove(let place):
            try edit.names(on: place.directory.volume).remove(place.name, in: place.directory.id)
        case .setLabel(let volume, let label):
            try edit.setLabel(label, of: volume)
        case .deviceBytes(let volume, let offset, let expected, let contents):
            let device = guest.volumes[volume].device
            guard try device.bytes(at: offset, count: expected.count) == expected else {
                throw changed("byte \(offset.hex) of \(guest.volumes[volume].name)", volume)
            }
            try edit.addDeviceWrite(volume, offset: offset, bytes: contents)
        }
    }

    /// Unified kernels, the largest files that are copied, have some hundred megabytes at most.
    private static let copyLimit = 256 << 20

    /// A file's bytes as the edits before leave them.
    private func contents(of file: GuestFile) throws(StorageError) -> [UInt8] {
        guard try guest.fileSystem(on: file.volume).attributes(of: file.id).size == file.attributes.size
        else {
            throw changed(file.displayPath, file.volume)
        }
        return try edit.contents(on: file.volume).contents(of: file.id, limit: Self.copyLimit)
    }

    private func create(
        _ place: NamePlace, _ contents: [UInt8], _ permissions: UInt16
    ) throws(StorageError) {
        let transaction = try edit.names(on: place.directory.volume)
        let directory = try makeDirectories(place, transaction)
        guard try transaction.lookUp(place.name, in: directory) == nil else {
            throw changed(place.path.shellText, place.directory.volume)
        }
        let attributes = try edit.attributes(
            ofNew: .regular, in: place.directory, edit.tree.attributes(of: place.directory),
            NewFileOptions(permissions: permissions), usual: permissions)
        _ = try transaction.createFile(place.name, in: directory, contents: contents, attributes: attributes)
    }

    /// The directory of a new file, made with those above it where another file's making has not done so.
    private func makeDirectories(
        _ place: NamePlace, _ transaction: any NamesTransaction
    ) throws(StorageError) -> FileID {
        var directory = place.directory.id
        guard !place.missing.isEmpty else { return directory }
        let attributes = try edit.attributes(
            ofNew: .directory, in: place.directory, edit.tree.attributes(of: place.directory),
            NewFileOptions(permissions: 0o755), usual: 0o755)
        for name in place.missing {
            if let there = try transaction.lookUp(name, in: directory) {
                guard try transaction.attributes(of: there).type == .directory else {
                    throw changed(place.path.shellText, place.directory.volume)
                }
                directory = there
            } else {
                directory = try transaction.createDirectory(
                    name, in: directory, attributes: attributes)
            }
        }
        return directory
    }

    private func changed(_ what: String, _ volume: Int) -> StorageError {
        StorageError(
            .refused, PlanCode.changedSince,
            "\(what) is not what the plan was made for; make a new plan", path: guest.path(ofVolume: volume))
    }
}
