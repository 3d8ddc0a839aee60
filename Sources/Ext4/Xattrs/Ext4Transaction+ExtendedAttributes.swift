package import Storage

extension Ext4Transaction {
    /// Sets an extended attribute by its full name, or with nil removes it. ACLs are given in getxattr(2)'s form.
    package func setExtendedAttribute(
        _ name: [UInt8], of file: FileID, to value: [UInt8]?
    ) throws(StorageError) {
        try perform { () throws(StorageError) in
            var inode = try inode(file)
            try requireChangeable(inode)
            try requireUse(of: name, on: inode)
            if let value, let known = AttributeName(fullName: name), known.isACL,
                AccessControl(value)?.entries.isEmpty == true
            {
                // A list without entries takes the list away.
                if try attributeEntries(of: inode).contains(where: { $0.name == known }) {
                    try setAttribute(name, of: &inode, to: nil)
                }
            } else if let value, AttributeName(fullName: name) == .accessACL {
                try setAccessList(value, of: &inode)
            } else {
                try setAttribute(name, of: &inode, to: value)
            }
            touch(&inode, contents: false)
            try store(inode)
        }
    }

    /// What the kernel refuses: an ACL on a link, a default ACL on anything but a directory, user.* on what is
    /// neither file nor directory.
    private func requireUse(of name: [UInt8], on inode: Inode) throws(StorageError) {
        let name = AttributeName(fullName: name)
        let isPlain = inode.type == .regular || inode.type == .directory
        let isMisplaced =
            name?.isACL == true && inode.type == .symbolicLink
            || name == .defaultACL && inode.type != .directory || name?.isUser == true && !isPlain
        guard !isMisplaced else {
            throw .ext4(
                .refused, .misplacedAttribute,
                "\(inode.name) is of a type that cannot have this extended attribute")
        }
    }

    /// An access ACL sets the mode with it; one that says no more than the mode is not kept:
    /// posix_acl_update_mode().
    private func setAccessList(_ value: [UInt8], of inode: inout Inode) throws(StorageError) {
        let name = Array("system.posix_acl_access".utf8)
        guard let list = AccessControl(value), list.isValid else {
            return try setAttribute(name, of: &inode, to: value)
        }
        let mode = list.mode
        inode.mode = inode.mode & ~0o777 | mode.permissions
        guard mode.saysAll else { return try setAttribute(name, of: &inode, to: value) }
        if try attributeEntries(of: inode).contains(where: { $0.name == .accessACL }) {
            try setAttribute(name, of: &inode, to: nil)
        }
    }

    /// Sets or removes an attribute of an inode, which is not stored.
    func setAttribute(_ fullName: [UInt8], of inode: inout Inode, to value: [UInt8]?) throws(StorageError) {
        guard let name = AttributeName(fullName: fullName), name != .inlineData, name.suffix.count <= 255,
            !name.suffix.contains(0)
        else {
            throw .ext4(
                .misuse, .badAttributeName,
                "\"\(fullName.displayText)\" is not the name of an extended attribute")
        }
        var entry: AttributeEntry?
        if let value {
            try requireAttributes(on: inode)
            let stored = name.isACL ? AccessControl(value)?.ext4Form : value
            guard let stored else {
                throw .ext4(
                    .misuse, .badAttributeName,
                    "the value of \(fullName.displayText) is not an access control list")
            }
            entry = AttributeEntry(
                name: name, valueInode: 0, value: stored, valueLength: stored.count, hash: 0, offset: 0,
                valueOffset: 0)
        }
        try setAttribute(name, of: &inode, to: entry)
    }

    /// Revision 0 has no feature words, so nothing could say that there are attributes, and e2fsck takes what they are
    /// in for damage. The revision is not raised behind the user's back: it decides who can read the volume.
    private func requireAttributes(on inode: Inode) throws(StorageError) {
        guard geometry.revision == 0 else { return }
        throw .ext4(
            .refused, .unsupportedRevision,
            "\(inode.name) cannot have extended attributes: the file system is of revision 0 of the format, which "
                + "has none; raise it with tune2fs -O dir_index and e2fsck -f, if whatever reads it knows revision 1",
            structure: "superblock", field: "s_rev_level")
    }

    private func setAttribute(
        _ name: AttributeName, of inode: inout Inode, to entry: AttributeEntry?
    ) throws(StorageError) {
        let area = try attributeRoom(&inode)
        let inside = try area.map { (area) throws(StorageError) in try entries(of: area, inode) } ?? []
        let block = try attributeBlockArea(of: inode)
        let outside =
            try block.map { (block) throws(StorageError) in try entries(of: block.area, inode) } ?? []
        let old = inside.first { $0.name == name } ?? outside.first { $0.name == name }
        if old == nil, entry == nil {
            throw .ext4(.misuse, .noAttribute, "\(inode.name) has no such extended attribute")
        }
        guard old?.valueInode ?? 0 == 0 else {
            throw .ext4(
                .unsupported, .attributeInode,
                "the attribute's value is kept in an inode of its own (ea_inode), which is not changed here")
        }
        let keptInside = inside.filter { $0.name != name }
        let keptOutside = outside.filter { $0.name != name }
        superblock.insert(.extendedAttributes)
        if let area, let bytes = area.replacingEntries(keptInside + (entry.map { [$0] } ?? [])) {
            inode.bytes = bytes
            return try storeAttributeBlock(keptOutside, was: outside, in: &inode)
        }
        guard let entry else { return try storeAttributeBlock(keptOutside, was: outside, in: &inode) }
        if let area, keptInside.count < inside.count, let bytes = area.replacingEntries(keptInside) {
            inode.bytes = bytes
        }
        try storeAttributeBlock(keptOutside + [entry], was: outside, in: &inode)
    }

    /// The area in the inode's tail, made where there is room for one and none yet.
    private func attributeRoom(_ inode: inout Inode) throws(StorageError) -> AttributeArea? {
        if let area = inodeAttributeArea(inode) { return area }
        let header = 128 + inode.extraSize
        guard inode.extraSize > 0, header + 24 <= inode.bytes.count else { return nil }
        var copy = inode
        copy.bytes.withMutableBytes { $0.zero(header..<inode.bytes.count) }
        copy.bytes.storeLittle(AttributeArea.magic, at: header)
        return AttributeArea(bytes: copy.bytes, start: header + 4, valueBase: header + 4)
    }

    /// Puts entries into the inode's attribute block: its own, a copy of one that others share, a new one, none.
    private func storeAttributeBlock(
        _ entries: [AttributeEntry], was before: [AttributeEntry], in inode: inout Inode
    ) throws(StorageError) {
        guard entries != before else { return }
        guard !entries.isEmpty else { return try releaseAttributeBlock(of: &inode) }
        var sorted = entries.sorted { left, right in
            if left.name.index != right.name.index { return left.name.index < right.name.index }
            if left.name.suffix.count != right.name.suffix.count {
                return left.name.suffix.count < right.name.suffix.count
            }
            return left.name.suffix.lexicographicallyPrecedes(right.name.suffix)
        }
        for index in sorted.indices where sorted[index].hash == 0 && sorted[index].valueInode == 0 {
            sorted[index].hash = sorted[index].computedHash
        }
        var header = [UInt8](repeating: 0, count: geometry.blockSize)
        header.storeLittle(AttributeArea.magic, at: 0)
        header.storeLittle(UInt32(1), at: AttributeBlock.referenceCountOffset)
        header.storeLittle(UInt32(1), at: AttributeBlock.blockCountOffset)
        header.storeLittle(AttributeBlock.hash(sorted), at: AttributeBlock.hashOffset)
        let area = AttributeArea(bytes: header, start: AttributeArea.headerLength, valueBase: 0)
        guard var bytes = area.replacingEntries(sorted) else {
            throw .ext4(
                .refused, .attributesFull,
                "the extended attributes of \(inode.name) do not fit into one block; remove one first")
        }
        var number = inode.attributeBlock(geometry)
        if let shared = number, try referenceCount(of: shared) > 1 {
            try releaseAttributeBlock(of: &inode)
            number = nil
        }
        let place: BlockNumber
        if let number {
            place = number
        } else {
            place = try allocateBlock(near: goal(for: inode))
            try setAttributeBlock(place, of: &inode)
            try changeAllocatedBlocks(of: &inode, by: 1)
        }
        if geometry.hasMetadataChecksums {
            bytes.storeLittle(
                AttributeBlock.checksum(bytes, at: place, geometry), at: AttributeBlock.checksumOffset)
        }
        try store(bytes, at: place, role: .attributes)
    }

    private func referenceCount(of number: BlockNumber) throws(StorageError) -> UInt32 {
        try block(number).little(AttributeBlock.referenceCountOffset)
    }

    private func setAttributeBlock(_ number: BlockNumber?, of inode: inout Inode) throws(StorageError) {
        let value = number?.rawValue ?? 0
        guard value <= UInt64(UInt32.max) || geometry.incompatible.contains(.wide), value < UInt64(1) << 48
        else {
            throw .ext4(.refused, .noSpace, "an attribute block past block 2^32 cannot be named")
        }
        inode.bytes.storeLittle(UInt32(truncatingIfNeeded: value), at: Inode.Offset.attributeBlockLow)
        if geometry.incompatible.contains(.wide) {
            inode.bytes.storeLittle(
                UInt16(truncatingIfNeeded: value >> 32), at: Inode.Offset.attributeBlockHigh)
        }
    }

    /// Takes the attribute block away from an inode: freed, or counted down where others share it.
    private func releaseAttributeBlock(of inode: inout Inode) throws(StorageError) {
        guard let (number, area) = try attributeBlockArea(of: inode) else { return }
        let count: UInt32 = area.bytes.little(AttributeBlock.referenceCountOffset)
        if count > 1 {
            var bytes = area.bytes
            bytes.storeLittle(count - 1, at: AttributeBlock.referenceCountOffset)
            if geometry.hasMetadataChecksums {
                bytes.storeLittle(
                    AttributeBlock.checksum(bytes, at: number, geometry), at: AttributeBlock.checksumOffset)
            }
            try requireNoQuota()
            try store(bytes, at: number, role: .attributes)
        } else {
            try free(Range(number, count: 1))
        }
        try setAttributeBlock(nil, of: &inode)
        try changeAllocatedBlocks(of: &inode, by: -1)
    }

    /// Gives back what an inode's attributes hold outside of it, when the inode goes.
    func releaseAttributes(of inode: inout Inode) throws(StorageError) {
        guard try !attributeEntries(of: inode).contains(where: { $0.valueInode != 0 }) else {
            throw .ext4(
                .unsupported, .attributeInode,
                "\(inode.name) keeps attributes in inodes of their own (ea_inode); it is not removed here")
        }
        try releaseAttributeBlock(of: &inode)
    }
}
