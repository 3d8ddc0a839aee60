internal import Storage

extension VolumeView {
    /// Values longer than this are not read: the kernel's EXT4_XATTR_SIZE_MAX.
    private static var maximumValueLength: Int { 1 << 24 }

    /// The attribute area in an inode's tail; nil where it has none.
    func inodeAttributeArea(_ inode: Inode) -> AttributeArea? {
        let header = 128 + inode.extraSize
        guard inode.extraSize > 0, header + 4 <= inode.bytes.count,
            inode.bytes.little(header) == AttributeArea.magic
        else { return nil }
        return AttributeArea(bytes: inode.bytes, start: header + 4, valueBase: header + 4)
    }

    /// The attribute block of an inode, checked; nil where it has none.
    func attributeBlockArea(
        of inode: Inode
    ) throws(StorageError) -> (number: BlockNumber, area: AttributeArea)? {
        guard let number = inode.attributeBlock(geometry) else { return nil }
        guard geometry.contains(number) else {
            throw .ext4(
                .corrupt, .badAttributes,
                "\(inode.name) keeps attributes in block \(number.rawValue), which is not in the volume",
                structure: "inode", field: "i_file_acl",
                offset: geometry.byteOffset(of: inode.block) + UInt64(inode.offset))
        }
        let bytes = try block(number)
        guard bytes.little(0) == AttributeArea.magic, bytes.little(8) as UInt32 == 1 else {
            throw .ext4(
                .corrupt, .badAttributes,
                "the attribute block of \(inode.name) has no valid header; run e2fsck",
                structure: "attribute block", offset: geometry.byteOffset(of: number))
        }
        if geometry.hasMetadataChecksums,
            AttributeBlock.checksum(bytes, at: number, geometry)
                != bytes.little(AttributeBlock.checksumOffset)
        {
            try checksumFailure(
                .attributeChecksum,
                "the checksum of the attribute block of \(inode.name) is wrong; run e2fsck",
                structure: "attribute block", offset: geometry.byteOffset(of: number))
        }
        return (number, AttributeArea(bytes: bytes, start: AttributeArea.headerLength, valueBase: 0))
    }

    /// An area's entries; throws with the inode's name.
    func entries(of area: AttributeArea, _ inode: Inode) throws(StorageError) -> [AttributeEntry] {
        do throws(AttributeDefect) {
            return try area.entries()
        } catch {
            throw .ext4(
                .corrupt, .badAttributes,
                "the extended attributes of \(inode.name) are damaged: \(error.text); run e2fsck",
                structure: "extended attributes",
                offset: geometry.byteOffset(of: inode.block) + UInt64(inode.offset))
        }
    }

    func nameWithNUL(of inode: Inode) -> StorageError {
        .ext4(
            .corrupt, .badAttributes,
            "an extended attribute of \(inode.name) has a name with NUL in it, which none can have; run e2fsck",
            structure: "extended attributes",
            offset: geometry.byteOffset(of: inode.block) + UInt64(inode.offset))
    }

    /// All entries of an inode, those in its tail first, whatever they are for.
    func attributeEntries(of inode: Inode) throws(StorageError) -> [AttributeEntry] {
        var result: [AttributeEntry] = []
        if let area = inodeAttributeArea(inode) { result += try entries(of: area, inode) }
        if let (_, area) = try attributeBlockArea(of: inode) { result += try entries(of: area, inode) }
        return result
    }

    /// An entry's value, from the inode that holds it where it is kept in one.
    func value(of entry: AttributeEntry, of inode: Inode) throws(StorageError) -> [UInt8] {
        guard entry.valueInode != 0 else { return entry.value }
        let holder = try self.inode(InodeNumber(entry.valueInode))
        guard geometry.incompatible.contains(.attributeInodes), holder.flags.contains(.attributeInode),
            holder.type == .regular, entry.valueLength <= Self.maximumValueLength,
            UInt64(entry.valueLength) == holder.size(geometry)
        else {
            throw .ext4(
                .corrupt, .badAttributes,
                "an attribute of \(inode.name) is kept in \(holder.name), which does not hold one; run e2fsck",
                structure: "extended attributes")
        }
        var value = [UInt8](repeating: 0, count: entry.valueLength)
        let count = try value.withMutableBytes { (span) throws(StorageError) in
            try read(holder, into: &span, at: 0)
        }
        guard count == value.count else {
            throw .ext4(
                .corrupt, .badAttributes, "the value in \(holder.name) is cut off; run e2fsck",
                structure: "extended attributes")
        }
        return value
    }

    /// The attributes that listxattr(2) would show, as getxattr(2) would return them.
    func extendedAttributes(of inode: Inode) throws(StorageError) -> [ExtendedAttribute] {
        var result: [ExtendedAttribute] = []
        var byteCount = 0
        for entry in try attributeEntries(of: inode) {
            guard entry.name != .inlineData, let name = entry.name.fullName else { continue }
            // listxattr(2) ends names with it.
            guard !name.contains(0) else { throw nameWithNUL(of: inode) }
            var value = try value(of: entry, of: inode)
            byteCount += value.count
            // Any number of entries may name one inode.
            guard byteCount <= Self.maximumValueLength else {
                throw .memoryBound(
                    "ext4",
                    "the extended attributes of \(inode.name) have more than \(Self.maximumValueLength) bytes",
                    structure: "extended attributes")
            }
            if entry.name.isACL, let list = AccessControl(ext4: value) { value = list.value }
            result.append(ExtendedAttribute(name: name, value: value))
        }
        return result
    }
}

/// The header of a block of attributes: the kernel's `struct ext4_xattr_header`.
enum AttributeBlock {
    static let referenceCountOffset = 4
    static let blockCountOffset = 8
    static let hashOffset = 12
    static let checksumOffset = 16

    /// CRC-32C over the block's number and the block with its checksum zero: not tied to an inode, because a
    /// block may belong to many.
    static func checksum(_ bytes: [UInt8], at number: BlockNumber, _ geometry: Geometry) -> UInt32 {
        var head = [UInt8](repeating: 0, count: 8)
        head.storeLittle(number.rawValue, at: 0)
        var sum = geometry.checksum(head.span8)
        sum = CRC32C.update(sum, bytes.span8.extracting(0..<checksumOffset))
        sum = CRC32C.update(sum, [0, 0, 0, 0].span8)
        return CRC32C.update(sum, bytes.span8.extracting(checksumOffset + 4..<bytes.count))
    }
}
