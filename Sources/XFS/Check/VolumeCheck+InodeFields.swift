internal import Storage

extension VolumeCheck {
    /// Fields of an inode in use that no reader needs, and that the kernel (xfs_dinode_verify) or xfs_repair do not take.
    func checkFields(_ inode: Inode, _ type: FileType) {
        func require(_ holds: Bool, _ field: String) {
            guard !holds else { return }
            sink.add(
                .inodeFields, "\(inode.name) has a value in \(field) that no inode of its kind has",
                structure: "inode", offset: inode.position, inode: inode.number)
        }
        let isNew = inode.version == 3
        let isNode = inode.format(.data) == .device
        require(isNode ? inode.size == 0 : type == .regular || inode.size > 0, "di_size")
        require(
            inode.forkOffset != 0 || [0, 2].contains(inode.bytes[Inode.Offset.attributeFormat]), "di_aformat")
        require(
            inode.version == 1 || inode.flags2.contains(.metadata)
                || inode.bytes.big(Inode.Offset.oldLinkCount, as: UInt16.self) == 0, "di_onlink")
        let flags = inode.flags
        require(
            flags.isSubset(of: .known) && (type == .directory || flags.isDisjoint(with: .ofDirectories))
                && (type == .regular || flags.isDisjoint(with: .ofFiles)), "di_flags")
        require(
            !flags.contains(.newBitmap) || inode.flags2.contains(.metadata)
                || inode.number.rawValue == view.superblock.long(Superblock.Offset.realTimeBitmapInode),
            "di_flags")
        for field in inode.refusedFields(geometry) { require(false, field) }
        let next: UInt32 = inode.bytes.big(Inode.Offset.nextUnlinked)
        require(
            next == .max || geometry.contains(number(next, in: geometry.group(of: inode.number))),
            "di_next_unlinked")
        var times = [Inode.Offset.accessTime, Inode.Offset.modificationTime, Inode.Offset.changeTime]
        if isNew {
            times.append(Inode.Offset.creationTime)
            checkNewFields(inode, type, require)
        }
        guard !inode.flags2.contains(.bigTimes) else { return }
        for offset in times {
            require(inode.bytes.big(offset + 4, as: UInt32.self) < 1_000_000_000, "a time's nanoseconds")
        }
    }

    /// What version 3 of inodes added.
    private func checkNewFields(_ inode: Inode, _ type: FileType, _ require: (Bool, String) -> Void) {
        let flags = inode.flags2
        let isPlain = type == .regular || type == .directory
        require(flags.isSubset(of: .known) && (isPlain || !flags.contains(.directAccess)), "di_flags2")
    }

    /// Leaves of attributes: hashes in order, each its name's.
    func checkAttributeLeaves(_ inode: Inode) throws(StorageError) {
        guard inode.forkOffset != 0, inode.format(.attributes) != .local else { return }
        if let root = try view.attributeBlock(0, of: inode) {
            let isSound = try view.isSoundTree(root, at: 0) { (number) throws(StorageError) in
                try view.attributeBlock(UInt64(number), of: inode)
            }
            guard isSound else { throw view.badAttributes(inode, root.position) }
        }
        var isWhole = true
        var last: UInt32 = 0
        try view.forEachAttributeLeaf(of: inode) { (leaf) throws(StorageError) in
            for index in 0..<leaf.count {
                let hash = leaf.hash(index)
                guard hash >= last, let attribute = leaf.attribute(index),
                    // A parent pointer's hash has its value in it.
                    attribute.flags.contains(.parent) || NameHash.of(attribute.name) == hash
                else { throw view.badAttributes(inode, leaf.position) }
                last = hash
                isWhole = isWhole && !attribute.flags.contains(.incomplete)
            }
            return true
        }
        guard !isWhole else { return }
        // A change that was not ended: the kernel shows none of it and leaves it there.
        sink.add(
            .incompleteAttribute,
            "\(inode.name) has an extended attribute that was begun and not ended; run xfs_repair",
            structure: "attribute block", offset: inode.position, inode: inode.number, severity: .warning)
    }
}
