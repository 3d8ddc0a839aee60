internal import Patcher
internal import Storage

/// Carries plans out on a guest's volumes, as one edit: everything is prepared, on all volumes, before anything is
/// committed. Where the bytes go — a host transaction, an overlay — is the devices' affair.
struct PlanExecution {
    private let guest: Guest
    private let edit: GuestEdit

    init(_ guest: Guest) {
        self.guest = guest
        edit = GuestEdit(guest, mounts: [:], isCancelled: { false })
    }

    /// Checks that every file still holds what its plan expects, prepares, and commits. Throws before anything is
    /// written when a file does not, or a volume cannot take the change.
    func run(_ plan: GuestPlan) throws(StorageError) {
        let survey = try guest.survey(plan.source)
        for action in plan.actions { try add(action, survey) }
        try edit.finish()
    }

    private func add(_ action: Action, _ survey: Survey) throws(StorageError) {
        switch action.kind {
        case .edit(let change):
            let transaction = try edit.transaction(on: change.file.volume)
            guard try transaction.contents(of: change.file.id) == change.expected else {
                throw changed(change.file.displayPath, change.file.volume)
            }
            try transaction.replaceContents(of: change.file.id, with: change.contents)
        case .create(let path, let contents, let permissions):
            let (directory, name) = try parent(of: path, action.directory, survey)
            let transaction = try edit.transaction(on: directory.volume)
            guard try transaction.lookUp(name, in: directory.id) == nil else {
                throw changed(path.displayText, directory.volume)
            }
            let attributes = NewFileAttributes(
                permissions: permissions, extendedAttributes: try securityLabel(in: directory))
            _ = try transaction.createFile(
                name, in: directory.id, contents: contents, attributes: attributes)
        case .rename(let path, let newName):
            let (directory, name) = try parent(of: path, action.directory, survey)
            try edit.transaction(on: directory.volume).rename(
                name, in: directory.id, to: newName, in: directory.id)
        case .remove(let path):
            let (directory, name) = try parent(of: path, action.directory, survey)
            try edit.transaction(on: directory.volume).remove(name, in: directory.id)
        case .setLabel(let volume, let label):
            if guest.volumes[volume].identity.kind == .swap {
                edit.addDeviceWrite(
                    volume, offset: SwapLabel.offset,
                    bytes: try SwapLabel.bytes(label, path: guest.path(ofVolume: volume)))
            } else {
                try edit.transaction(on: volume).setLabel(label)
            }
        case .deviceBytes(let volume, let offset, let expected, let contents):
            let device = guest.volumes[volume].device
            guard try device.bytes(at: offset, count: expected.count) == expected else {
                throw changed("byte \(offset.hex) of \(guest.volumes[volume].name)", volume)
            }
            edit.addDeviceWrite(volume, offset: offset, bytes: contents)
        }
    }

    private func parent(
        of path: [UInt8], _ key: FileKey?, _ survey: Survey
    ) throws(StorageError) -> (directory: GuestFile, name: [UInt8]) {
        let slash = UInt8(ascii: "/")
        let cut = path.lastIndex(of: slash) ?? 0
        let directoryPath = cut == 0 ? [slash] : Array(path[..<cut])
        for system in survey.guests {
            if let directory = try system.tree.find(directoryPath, followLast: true),
                directory.attributes.type == .directory, key == nil || directory.key == key
            {
                return (directory, Array(path[(cut + 1)...]))
            }
        }
        throw StorageError(
            .refused, layer: "plan", code: "no-such-directory",
            "there is no directory \(directoryPath.displayText) in the guest", path: guest.images.first?.path)
    }

    /// The SELinux label that a new file's neighbours have, else the directory's; none where labels are not used.
    private func securityLabel(in directory: GuestFile) throws(StorageError) -> [ExtendedAttribute] {
        let tree = edit.tree
        if let label = try tree.peerLabel(in: directory.key) { return [label] }
        let name = Array("security.selinux".utf8)
        return try tree.extendedAttributes(of: directory.key).filter { $0.name == name }
    }

    private func changed(_ what: String, _ volume: Int) -> StorageError {
        StorageError(
            .refused, layer: "plan", code: "changed-since",
            "\(what) is not what the plan was made for; make a new plan", path: guest.path(ofVolume: volume))
    }
}
