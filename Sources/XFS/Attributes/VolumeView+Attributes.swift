internal import Storage

extension VolumeView {
    /// XFS_XATTR_SIZE_MAX.
    private static var valueLimit: Int { 1 << 16 }
    /// What all of a file's values may have together: more is not listed.
    static var attributesLimit: Int { 1 << 24 }

    /// All attributes of an inode as they are kept, whatever they are for, until `body` returns false.
    func forEachAttribute(
        of inode: Inode, _ body: (RawAttribute) throws(StorageError) -> Bool
    ) throws(StorageError) {
        guard inode.forkOffset != 0 else { return }
        if inode.format(.attributes) == .local {
            guard let list = ShortAttributes.entries(Array(inode.bytes[inode.range(.attributes)])) else {
                throw badAttributes(inode, inode.position)
            }
            for attribute in list where try !body(attribute) { return }
            return
        }
        try forEachAttributeLeaf(of: inode) { (leaf) throws(StorageError) in
            for index in 0..<leaf.count {
                guard let attribute = leaf.attribute(index) else { throw badAttributes(inode, leaf.position) }
                guard try body(attribute) else { return false }
            }
            return true
        }
    }

    /// The leaves of an inode's attributes, from the left, until `body` returns false.
    func forEachAttributeLeaf(
        of inode: Inode, _ body: (HashBlock) throws(StorageError) -> Bool
    ) throws(StorageError) {
        guard inode.extentCount(.attributes) > 0 else { return }
        var leaf = try firstAttributeLeaf(of: inode)
        var seen: Set<UInt32> = []
        while true {
            guard leaf.isSoundLeaf else { throw badAttributes(inode, leaf.position) }
            guard try body(leaf), leaf.next != 0 else { return }
            guard seen.insert(leaf.next).inserted,
                let next = try attributeBlock(UInt64(leaf.next), of: inode),
                next.kind == .attributes
            else { throw badAttributes(inode, leaf.position) }
            leaf = next
        }
    }

    /// The leftmost leaf: block 0, or down the first entries of nodes, whose levels fall.
    private func firstAttributeLeaf(of inode: Inode) throws(StorageError) -> HashBlock {
        var number: UInt64 = 0
        var level: Int?
        while true {
            guard let block = try attributeBlock(number, of: inode) else {
                throw badAttributes(inode, inode.position)
            }
            guard block.kind == .node else {
                guard level ?? 1 == 1 else { throw badAttributes(inode, block.position) }
                return block
            }
            guard (1...5).contains(block.level), block.count > 0, level.map({ block.level == $0 - 1 }) ?? true
            else { throw badAttributes(inode, block.position) }
            level = block.level
            number = UInt64(block.value(0))
        }
    }

    /// An attribute's value.
    func value(of attribute: RawAttribute, of inode: Inode) throws(StorageError) -> [UInt8] {
        switch attribute.value {
        case .held(let bytes): return bytes
        case .remote(let block, let count):
            guard count <= Self.valueLimit else { throw badAttributes(inode, inode.position) }
            return try remoteValue(UInt64(block), count, of: inode)
        }
    }

    /// A value in blocks of its own, each with a header of 56 bytes in version 5.
    private func remoteValue(
        _ first: UInt64, _ count: Int, of inode: Inode
    ) throws(StorageError) -> [UInt8] {
        let header = geometry.hasChecksums ? 56 : 0
        var result: [UInt8] = []
        var fileBlock = first
        while result.count < count {
            guard case .written(let number) = try run(of: inode, .attributes, at: fileBlock).place else {
                throw badAttributes(inode, inode.position)
            }
            let bytes = try block(number)
            let position = geometry.position(of: number)
            let length = min(count - result.count, bytes.count - header)
            if header > 0 {
                try verify(
                    bytes, .remote, owner: inode.number.rawValue, at: position, code: .badAttributes,
                    checksumCode: .attributeChecksum, structure: "attribute value")
                guard bytes.span8.matches(Array("XARM".utf8)),
                    bytes.big(4, as: UInt32.self) == UInt32(result.count),
                    bytes.big(8, as: UInt32.self) == UInt32(length)
                else { throw badAttributes(inode, position) }
            }
            result += bytes[header..<header + length]
            fileBlock += 1
        }
        return result
    }

    /// The attributes that listxattr(2) would show to root, as getxattr(2) would return them.
    func extendedAttributes(of inode: Inode) throws(StorageError) -> [ExtendedAttribute] {
        var result: [ExtendedAttribute] = []
        var byteCount = 0
        try forEachAttribute(of: inode) { (attribute) throws(StorageError) in
            guard let name = attribute.fullName else { return true }
            // listxattr(2) ends names with it.
            guard !name.contains(0) else { throw badAttributes(inode, inode.position) }
            let value = try self.value(of: attribute, of: inode)
            byteCount += value.count + name.count
            guard byteCount <= Self.attributesLimit else {
                throw .memoryBound(
                    "xfs",
                    "the extended attributes of \(inode.name) have more than \(Self.attributesLimit) bytes",
                    structure: "attribute block")
            }
            if let (listName, list) = AccessControl.kept(name, value) {
                result.append(ExtendedAttribute(name: listName, value: list.value))
            }
            result.append(ExtendedAttribute(name: name, value: value))
            return true
        }
        return result
    }

    func badAttributes(_ inode: Inode, _ position: UInt64) -> StorageError {
        .xfs(
            .corrupt, .badAttributes, "the extended attributes of \(inode.name) are damaged; run xfs_repair",
            structure: "attribute block", offset: position)
    }
}
