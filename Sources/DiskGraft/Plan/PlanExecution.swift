internal import Patcher
internal import Storage

/// Carries plans out on a guest's volumes: first everything is prepared, on all volumes, then everything is
/// committed. Where the bytes go — a host transaction, an overlay — is the devices' affair.
struct PlanExecution {
    private let guest: Guest
    private var transactions: [Int: any FileSystemTransaction] = [:]
    /// The order in which volumes were first touched.
    private var order: [Int] = []
    private var deviceWrites: [(volume: Int, offset: UInt64, bytes: [UInt8])] = []

    init(_ guest: Guest) { self.guest = guest }

    /// Checks that every file still holds what its plan expects, and prepares. Throws before anything is written.
    mutating func prepare(_ plan: GuestPlan) throws(StorageError) -> [any PreparedChange] {
        let survey = try guest.survey(plan.source)
        for action in plan.actions { try add(action, survey) }
        var prepared: [any PreparedChange] = []
        for volume in order {
            guard let transaction = transactions[volume] else { continue }
            do throws(StorageError) {
                prepared.append(try transaction.prepare())
            } catch {
                throw error.inFile(guest.path(ofVolume: volume))
            }
        }
        return prepared
    }

    /// Writes what was prepared, volume by volume, then bytes outside file systems.
    func commit(_ prepared: [any PreparedChange]) throws(StorageError) {
        for change in prepared { try change.commit() }
        for write in deviceWrites {
            guard let device = guest.volumes[write.volume].device as? any WritableBlockDevice else {
                continue
            }
            try device.write(write.bytes, at: write.offset)
            try device.flush()
        }
    }

    private mutating func add(_ action: Action, _ survey: Survey) throws(StorageError) {
        switch action.kind {
        case .edit(let edit):
            let transaction = try transaction(on: edit.file.volume)
            guard try transaction.contents(of: edit.file.id) == edit.expected else {
                throw changed(edit.file.displayPath, edit.file.volume)
            }
            try transaction.replaceContents(of: edit.file.id, with: edit.contents)
        case .create(let path, let contents, let permissions):
            let (directory, name) = try parent(of: path, action.directory, survey)
            let transaction = try transaction(on: directory.volume)
            guard try transaction.lookUp(name, in: directory.id) == nil else {
                throw changed(path.displayText, directory.volume)
            }
            let attributes = NewFileAttributes(
                permissions: permissions, extendedAttributes: try securityLabel(in: directory))
            _ = try transaction.createFile(
                name, in: directory.id, contents: contents, attributes: attributes)
        case .rename(let path, let newName):
            let (directory, name) = try parent(of: path, action.directory, survey)
            try transaction(on: directory.volume).rename(
                name, in: directory.id, to: newName, in: directory.id)
        case .remove(let path):
            let (directory, name) = try parent(of: path, action.directory, survey)
            try transaction(on: directory.volume).remove(name, in: directory.id)
        case .setLabel(let volume, let label):
            if guest.volumes[volume].identity.kind == .swap {
                deviceWrites.append(
                    (volume, SwapLabel.offset, try SwapLabel.bytes(label, path: guest.path(ofVolume: volume)))
                )
            } else {
                try transaction(on: volume).setLabel(label)
            }
        case .deviceBytes(let volume, let offset, let expected, let contents):
            let device = guest.volumes[volume].device
            guard try device.bytes(at: offset, count: expected.count) == expected else {
                throw changed("byte \(offset.hex) of \(guest.volumes[volume].name)", volume)
            }
            deviceWrites.append((volume, offset, contents))
        }
    }

    private mutating func transaction(on volume: Int) throws(StorageError) -> any FileSystemTransaction {
        if let known = transactions[volume] { return known }
        do throws(StorageError) {
            guard let writable = try guest.fileSystem(on: volume) as? any WritableFileSystem else {
                throw StorageError(
                    .unsupported, layer: guest.volumes[volume].identity.kind.rawValue, code: "not-writable",
                    "\(guest.volumes[volume].name) cannot be changed")
            }
            let transaction = try writable.begin()
            transactions[volume] = transaction
            order.append(volume)
            return transaction
        } catch {
            throw error.inFile(guest.path(ofVolume: volume))
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
        let tree = EditedTree(edit: GuestEdit(guest, mounts: [:], isCancelled: { false }))
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
