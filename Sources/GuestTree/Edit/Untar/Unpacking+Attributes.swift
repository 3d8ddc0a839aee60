internal import Storage

/// What members give to what they make, and to what is there.
extension Unpacking {
    func options(of member: TarReader.Member) throws(StorageError) -> NewFileOptions {
        NewFileOptions(
            permissions: member.permissions, owner: member.owner, group: member.group, time: member.time,
            extendedAttributes: try attributes(of: member))
    }

    /// True for a directory that is there already: it stays and gets the archive's attributes, unless it is reached
    /// through a link.
    mutating func keep(
        _ place: GuestEdit.Place, _ options: NewFileOptions
    ) throws(StorageError) -> Bool {
        let found: GuestFile?
        do throws(StorageError) {
            found = try self.found(place)
        } catch {
            guard error.isCode(TarCode.throughLink) else { throw error }
            return false
        }
        guard let found, found.attributes.type == .directory else { return false }
        let isLink = try edit.tree.child(place.name, of: place.directory)?.attributes.type == .symbolicLink
        guard !isLink else { return true }
        try give(options, to: found)
        return true
    }

    /// Gives a directory that is there the attributes of an archive's.
    mutating func give(_ options: NewFileOptions, to found: GuestFile) throws(StorageError) {
        if options.handsDownList, listedDirectories.insert(found.key).inserted {
            _ = try edit.labels(of: found.key)
        }
        try edit.setKeptAttributes(
            of: found.key,
            AttributeChange(
                permissions: options.permissions, owner: options.owner, group: options.group))
        for attribute in options.extendedAttributes
        where try edit.capabilities(on: found.volume).allows(.extendedAttributes) {
            try edit.extendedAttributes(on: found.volume).setExtendedAttribute(
                attribute.name, of: found.id, to: attribute.value)
        }
        if let time = options.time { directoryTimes.append((found.key, time)) }
        try edit.splitIfLarge(found.volume)
    }

    /// Takes note of a directory that was made with a list of the archive's: what it would hand down without it is
    /// what the one above hands down.
    mutating func noteMade(_ key: FileKey, in directory: FileKey, _ options: NewFileOptions)
        throws(StorageError)
    {
        // The number may have been a removed directory's.
        edit.labels[key] = nil
        listedDirectories.remove(key)
        guard options.handsDownList else { return }
        let above = try edit.labels(of: directory)
        var labels = try edit.labels(of: key)
        labels.defaultList = above.defaultList
        edit.labels[key] = labels
        listedDirectories.insert(key)
    }

    /// Extended attributes, and ACLs that the archive has as text.
    func attributes(of member: TarReader.Member) throws(StorageError) -> [ExtendedAttribute] {
        var result = member.attributes
        for (text, name) in [
            (member.accessText, AccessControl.AttributeName.access),
            (member.defaultText, AccessControl.AttributeName.inherited),
        ] {
            guard let text, !text.isEmpty, !result.contains(where: { $0.name == name }) else {
                continue
            }
            let list = try edit.accessControl(String(hostBytes: text))
            // Tar programs write a list for every member where some have one: what the mode says is none.
            if name == AccessControl.AttributeName.access, list.mode.saysAll { continue }
            result.append(ExtendedAttribute(name: name, value: list.value))
        }
        return result
    }
}

extension NewFileOptions {
    fileprivate var handsDownList: Bool {
        extendedAttributes.contains { $0.name == AccessControl.AttributeName.inherited }
    }
}
