package import Storage

/// The open transaction on a volume, as what a change needs of it. What the file system cannot do is refused by name
/// here, before the change has begun.
extension GuestEdit {
    /// For replacing what files hold.
    package func contents(on volume: Int) throws(StorageError) -> any ContentsTransaction {
        try transaction(on: volume, for: .contents)
    }

    /// For changing parts of files.
    func ranges(on volume: Int) throws(StorageError) -> any RangesTransaction {
        try transaction(on: volume, for: .ranges)
    }

    /// For making holes.
    func holes(on volume: Int) throws(StorageError) -> any HolesTransaction {
        try transaction(on: volume, for: .holes)
    }

    /// For making, moving and removing files.
    package func names(on volume: Int) throws(StorageError) -> any NamesTransaction {
        try transaction(on: volume, for: .names)
    }

    /// For making links.
    func links(on volume: Int) throws(StorageError) -> any LinksTransaction {
        try transaction(on: volume, for: .links)
    }

    /// For making devices, pipes and sockets.
    func nodes(on volume: Int) throws(StorageError) -> any NodesTransaction {
        try transaction(on: volume, for: .nodes)
    }

    /// For setting extended attributes.
    func extendedAttributes(on volume: Int) throws(StorageError) -> any ExtendedAttributesTransaction {
        try transaction(on: volume, for: .extendedAttributes)
    }

    /// For naming the volume.
    package func label(on volume: Int) throws(StorageError) -> any LabelTransaction {
        try transaction(on: volume, for: .label)
    }

    /// Sets attributes; throws for one that the file system does not keep.
    func setAttributes(of file: FileKey, _ change: AttributeChange) throws(StorageError) {
        try requireSettable(change, on: file.volume)
        let transaction: any AttributesTransaction = try transaction(on: file.volume, for: .attributes)
        try transaction.setAttributes(of: file.id, change)
    }

    /// Sets those attributes that the file system keeps, as copying does.
    func setKeptAttributes(of file: FileKey, _ change: AttributeChange) throws(StorageError) {
        let kept = change.limited(to: try capabilities(on: file.volume).settableAttributes)
        if !kept.attributes.isEmpty { try setAttributes(of: file, kept) }
    }

    /// Throws when what was asked for a new file is nothing that its file system keeps.
    func requireSettable(_ options: NewFileOptions, on volume: Int) throws(StorageError) {
        try requireSettable(
            AttributeChange(
                permissions: options.permissions, owner: options.owner, group: options.group,
                modificationTime: options.time), on: volume)
        let known = try capabilities(on: volume)
        guard options.extendedAttributes.isEmpty || known.allows(.extendedAttributes) else {
            throw cannot(.extendedAttributes, on: volume, known.restriction)
        }
    }

    /// What can be changed on a volume.
    func capabilities(on volume: Int) throws(StorageError) -> Capabilities {
        do throws(StorageError) {
            return try guest.fileSystem(on: volume).capabilities
        } catch {
            throw error.inFile(guest.path(ofVolume: volume))
        }
    }

    private func requireSettable(_ change: AttributeChange, on volume: Int) throws(StorageError) {
        let known = try capabilities(on: volume)
        let missing = change.attributes.subtracting(known.settableAttributes)
        guard !missing.isEmpty else { return }
        let what =
            if missing.contains(.permissions) {
                "modes"
            } else if missing.contains(.owner) {
                "owners"
            } else {
                "such times"
            }
        throw error(
            .unsupported, .changeNotSupported,
            "\(title(of: volume)) keeps no \(what) of files that could be set here"
                + (known.restriction.map { ": \($0)" } ?? ""))
    }

    private func transaction<Powers>(
        on volume: Int, for change: Capabilities.Changes
    ) throws(StorageError) -> Powers {
        let known = try capabilities(on: volume)
        // A file system that must not be written at all says why when a change is begun, better than its name does.
        guard known.allows(change) else {
            if known.restriction != nil { _ = try transaction(on: volume) }
            throw cannot(change, on: volume, known.restriction)
        }
        guard let transaction = try transaction(on: volume) as? Powers else {
            throw cannot(change, on: volume, nil)
        }
        return transaction
    }

    private func cannot(
        _ change: Capabilities.Changes, on volume: Int, _ restriction: String?
    ) -> StorageError {
        let title = title(of: volume)
        let message =
            switch change {
            case .contents: "files on \(title) can be read here, and not changed"
            case .ranges: "parts of files on \(title) cannot be changed here, only their whole contents"
            case .holes: "no holes can be made in files on \(title)"
            case .names: "on \(title) nothing can be made, moved or removed here"
            case .links: "no links can be made on \(title)"
            case .nodes: "no devices, pipes and sockets can be made on \(title)"
            case .attributes: "mode, owner and times of files on \(title) cannot be set"
            case .extendedAttributes: "files on \(title) cannot be given extended attributes"
            case .label: "the label of \(title) cannot be set here"
            default: "\(title) cannot be changed"
            }
        return error(
            .unsupported, .changeNotSupported, message + (restriction.map { ": \($0)" } ?? ""))
    }

    private func title(of volume: Int) -> String {
        "\(guest.volumes[volume].name) (\(guest.volumes[volume].identity.kind.rawValue))"
    }
}
