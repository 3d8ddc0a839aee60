package import Storage

extension XFSTransaction {
    /// Sets an extended attribute by its full name, or with nil removes it. Access control lists are given in getxattr(2)'s
    /// form.
    package func setExtendedAttribute(
        _ name: [UInt8], of file: FileID, to value: [UInt8]?
    ) throws(StorageError) {
        try perform { () throws(StorageError) in
            var inode = try inode(file)
            try requireChangeable(inode)
            try requireUse(of: name, on: inode)
            if let value, name == AccessControl.AttributeName.access {
                try setAccessList(value, of: &inode)
            } else if let value, name == AccessControl.AttributeName.inherited,
                AccessControl(value)?.entries.isEmpty == true
            {
                try setAttributes([(name, nil)], of: &inode, isLenient: true)
            } else {
                try setAttributes([(name, value)], of: &inode)
            }
            touch(&inode, contents: false)
            try store(inode)
        }
    }

    /// What the kernel refuses: a list on a link, one for new files on anything but a directory, user.* on what is neither
    /// file nor directory.
    private func requireUse(of name: [UInt8], on inode: Inode) throws(StorageError) {
        let isList =
            name == AccessControl.AttributeName.access || name == AccessControl.AttributeName.inherited
        let isPlain = inode.type == .regular || inode.type == .directory
        let isMisplaced =
            isList && inode.type == .symbolicLink
            || name == AccessControl.AttributeName.inherited && inode.type != .directory
            || name.starts(with: Array("user.".utf8)) && !isPlain
        guard !isMisplaced else {
            throw .xfs(
                .refused, .misplacedAttribute,
                "\(inode.name) is of a type that cannot have this extended attribute")
        }
    }

    /// An access control list sets the mode with it; one that says no more than the mode is not kept.
    private func setAccessList(_ value: [UInt8], of inode: inout Inode) throws(StorageError) {
        let name = AccessControl.AttributeName.access
        guard let list = AccessControl(value), list.isValid else {
            return try setAttributes([(name, value)], of: &inode)
        }
        if !list.entries.isEmpty {
            inode.bytes.storeBig(
                inode.mode & ~0o777 | list.mode.permissions, at: Inode.Offset.mode)
        }
        let isKept = !list.entries.isEmpty && !list.mode.saysAll
        try setAttributes([(name, isKept ? value : nil)], of: &inode, isLenient: true)
    }

    /// chmod on a file with an access control list changes the list's entries for owner, mask (else group) and others.
    func updateAccessList(of inode: inout Inode) throws(StorageError) {
        let lists = try extendedAttributes(of: inode).filter {
            $0.name == AccessControl.AttributeName.access
        }
        guard let list = lists.first.flatMap({ AccessControl($0.value) }) else { return }
        try setAttributes(
            [(AccessControl.AttributeName.access, list.settingMode(inode.mode & 0xfff).value)], of: &inode)
    }

    /// Sets or removes attributes of an inode, which is not stored. Lenient: what is to go may be gone.
    func setAttributes(
        _ changes: [(name: [UInt8], value: [UInt8]?)], of inode: inout Inode, isLenient: Bool = false
    ) throws(StorageError) {
        guard !changes.isEmpty else { return }
        var list: [HeldAttribute] = []
        var byteCount = 0
        try forEachAttribute(of: inode) { (attribute) throws(StorageError) in
            guard !attribute.flags.contains(.parent) else { throw full(inode) }
            // One whose value was not finished is none, and goes.
            guard !attribute.flags.contains(.incomplete) else { return true }
            let value = try value(of: attribute, of: inode)
            byteCount += attribute.name.count + value.count
            // Many names may claim one value's blocks.
            guard byteCount <= Self.attributesLimit else { throw full(inode) }
            list.append(
                HeldAttribute(
                    name: attribute.name, flags: attribute.flags.subtracting(.local), value: value))
            return true
        }
        let before = list
        for (fullName, value) in changes {
            guard let name = AttributeName(fullName: fullName) else { throw badName(fullName) }
            let index = list.firstIndex { $0.name == name.name && $0.flags == name.flags }
            guard var value else {
                if let index {
                    list.remove(at: index)
                } else if !isLenient {
                    throw .xfs(.misuse, .noAttribute, "\(inode.name) has no such extended attribute")
                }
                continue
            }
            if AccessControl.keptName(fullName) != nil {
                guard let control = AccessControl(value), control.isValid else { throw badName(fullName) }
                value = control.xfsForm
            }
            guard value.count <= 1 << 16 else { throw full(inode) }
            let held = HeldAttribute(name: name.name, flags: name.flags, value: value)
            if let index { list[index] = held } else { list.append(held) }
        }
        guard list != before else { return }
        try putAttributes(list, of: &inode)
    }

    private func badName(_ name: [UInt8]) -> StorageError {
        .xfs(
            .misuse, .badAttributeName,
            "\"\(name.displayText)\" is not an extended attribute that XFS has with such a value")
    }

    func full(_ inode: Inode) -> StorageError {
        .xfs(
            .refused, .attributesFull,
            "the extended attributes of \(inode.name) would need a tree of blocks, which is not made here",
            structure: "attribute block")
    }

    /// Takes away all attributes and the fork that holds them, without a look at their values.
    func dropAttributes(of inode: inout Inode) throws(StorageError) {
        guard inode.forkOffset != 0 else { return }
        try dropAttributeBlocks(of: &inode)
        try setForkOffset(0, of: &inode)
    }

    /// Gives back the blocks of the fork, which is an empty list afterwards.
    func dropAttributeBlocks(of inode: inout Inode) throws(StorageError) {
        let format = inode.format(.attributes)
        if format == .extents || format == .tree {
            for record in try extents(of: inode, .attributes) {
                try release(record, .attributes, of: inode)
            }
            try setExtents([], .attributes, of: &inode)
        }
        let range = inode.range(.attributes)
        inode.bytes.replaceSubrange(range, with: [UInt8](repeating: 0, count: range.count))
        inode.setFormat(.extents, .attributes)
        inode.setExtentCount(0, .attributes)
    }

    /// Moves the border between an inode's forks, the one of attributes being empty.
    func setForkOffset(_ offset: Int, of inode: inout Inode) throws(StorageError) {
        guard offset != inode.forkOffset else { return }
        let old = inode
        let held = inode.format(.data) == .tree ? try extents(of: inode, .data) : []
        inode.bytes[Inode.Offset.forkOffset] = UInt8(offset / 8)
        let range = inode.range(.data)
        if old.range(.data).count < range.count {
            let grown = old.range(.data).upperBound..<range.upperBound
            inode.bytes.replaceSubrange(grown, with: [UInt8](repeating: 0, count: grown.count))
        } else {
            let behind = range.upperBound..<inode.bytes.count
            inode.bytes.replaceSubrange(behind, with: [UInt8](repeating: 0, count: behind.count))
        }
        if old.format(.data) == .tree { try setExtents(held, .data, of: &inode, was: old) }
    }
}

/// An attribute with its value.
struct HeldAttribute: Equatable {
    var name: [UInt8]
    /// Its name space.
    var flags: RawAttribute.Flags
    var value: [UInt8]

    var hash: UInt32 { NameHash.of(name) }
    /// Bytes in the inode.
    var shortSize: Int { 3 + name.count + value.count }
    /// Bytes in a leaf, beside its value or before it.
    func leafSize(isLocal: Bool) -> Int { HashBlock.entrySize(isLocal: isLocal, name.count, value.count) }
}
