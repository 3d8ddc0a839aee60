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
    func run(_ plan: GuestPlan) throws(StorageError) {
        for action in plan.actions { try add(action) }
        try edit.finish()
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
            let transaction = try edit.names(on: place.directory.volume)
            let label = try securityLabel(in: place.directory)
            let directory = try makeDirectories(place, transaction, label)
            guard try transaction.lookUp(place.name, in: directory) == nil else {
                throw changed(place.path.shellText, place.directory.volume)
            }
            _ = try transaction.createFile(
                place.name, in: directory, contents: contents,
                attributes: NewFileAttributes(permissions: permissions, extendedAttributes: label))
        case .rename(let place, let newName):
            try edit.names(on: place.directory.volume).rename(
                place.name, in: place.directory.id, to: newName, in: place.directory.id)
        case .remove(let place):
            try edit.names(on: place.directory.volume).remove(place.name, in: place.directory.id)
        case .setLabel(let volume, let label):
            if guest.volumes[volume].identity.kind == .swap {
                try edit.addDeviceWrite(
                    volume, offset: SwapLabel.offset,
                    bytes: try SwapLabel.bytes(label, path: guest.path(ofVolume: volume)))
            } else {
                try edit.label(on: volume).setLabel(label)
            }
        case .deviceBytes(let volume, let offset, let expected, let contents):
            let device = guest.volumes[volume].device
            guard try device.bytes(at: offset, count: expected.count) == expected else {
                throw changed("byte \(offset.hex) of \(guest.volumes[volume].name)", volume)
            }
            try edit.addDeviceWrite(volume, offset: offset, bytes: contents)
        }
    }

    /// The directory of a new file, made with those above it where another file's making has not done so.
    private func makeDirectories(
        _ place: NamePlace, _ transaction: any NamesTransaction, _ label: [ExtendedAttribute]
    ) throws(StorageError) -> FileID {
        var directory = place.directory.id
        for name in place.missing {
            if let there = try transaction.lookUp(name, in: directory) {
                guard try transaction.attributes(of: there).type == .directory else {
                    throw changed(place.path.shellText, place.directory.volume)
                }
                directory = there
            } else {
                directory = try transaction.createDirectory(
                    name, in: directory,
                    attributes: NewFileAttributes(permissions: 0o755, extendedAttributes: label))
            }
        }
        return directory
    }

    /// The SELinux label that a new file's neighbours have, else the directory's; none where labels are not used.
    private func securityLabel(in directory: FileKey) throws(StorageError) -> [ExtendedAttribute] {
        let tree = edit.tree
        if let label = try tree.peerLabel(in: directory) { return [label] }
        let name = Array("security.selinux".utf8)
        return try tree.extendedAttributes(of: directory).filter { $0.name == name }
    }

    private func changed(_ what: String, _ volume: Int) -> StorageError {
        StorageError(
            .refused, layer: "plan", code: "changed-since",
            "\(what) is not what the plan was made for; make a new plan", path: guest.path(ofVolume: volume))
    }
}
