internal import Storage

/// A block of the tree of hashes that a directory or a set of attributes has: a node, or a leaf of either.
struct HashBlock: Sendable {
    enum Kind: Sendable, Equatable {
        /// Hashes above, blocks of the fork below.
        case node
        /// All hashes of a directory that needs no tree.
        case singleLeaf
        /// Some of the hashes of a directory.
        case leaf
        /// Attributes.
        case attributes
    }

    let bytes: [UInt8]
    let position: UInt64
    let kind: Kind
    /// Entries, stale ones included.
    let count: Int
    /// Where they begin.
    let start: Int
    /// Of a node: 1 above leaves.
    let level: Int
    /// The next block of the fork at the same level; 0 for none.
    let next: UInt32
    /// The one before.
    var previous: UInt32 { bytes.big(4) }

    /// The highest hash below an entry of a node, or the hash of an entry of a leaf.
    func hash(_ index: Int) -> UInt32 { bytes.big(start + index * 8) }
    /// The block of the fork below an entry of a node, or the place of a leaf's entry in eights of bytes.
    func value(_ index: Int) -> UInt32 { bytes.big(start + index * 8 + 4) }
    /// The first entry whose hash is not below `hash`.
    func firstIndex(of hash: UInt32) -> Int { (0..<count).firstIndex(sortedBy: { self.hash($0) >= hash }) }

    /// Nil for bytes that are none.
    init?(_ bytes: [UInt8], at position: UInt64, hasChecksums: Bool) {
        self.bytes = bytes
        self.position = position
        next = bytes.big(0)
        let magic: UInt16 = bytes.big(8)
        let header = hasChecksums ? 56 : 12
        count = Int(bytes.big(header, as: UInt16.self))
        level = Int(bytes.big(header + 2, as: UInt16.self))
        switch (magic, hasChecksums) {
        case (0xfebe, false), (0x3ebe, true): kind = .node
        case (0xd2f1, false), (0x3df1, true): kind = .singleLeaf
        case (0xd2ff, false), (0x3dff, true): kind = .leaf
        case (0xfbee, false), (0x3bee, true): kind = .attributes
        default: return nil
        }
        start = kind == .attributes ? (hasChecksums ? 80 : 32) : (hasChecksums ? 64 : 16)
        guard count <= (bytes.count - start) / 8 else { return nil }
    }
}

extension VolumeView {
    /// A block of a directory's tree of hashes; nil where it is none.
    func hashBlock(_ fileBlock: UInt64, ofDirectory inode: Inode) throws(StorageError) -> HashBlock? {
        let (position, bytes) = try directoryBlock(
            fileBlock / UInt64(geometry.blocksPerDirectoryBlock), of: inode)
        guard let block = HashBlock(bytes, at: position, hasChecksums: geometry.hasChecksums),
            block.kind != .attributes
        else { return nil }
        try verify(
            bytes, .hashTree, owner: inode.number.rawValue, at: position, code: .badDirectory,
            checksumCode: .directoryChecksum, structure: "directory block")
        return block
    }

    /// A block of a file's tree of attributes; nil where it is none.
    func attributeBlock(_ fileBlock: UInt64, of inode: Inode) throws(StorageError) -> HashBlock? {
        guard case .written(let number) = try run(of: inode, .attributes, at: fileBlock).place else {
            return nil
        }
        let bytes = try block(number)
        let position = geometry.position(of: number)
        guard let block = HashBlock(bytes, at: position, hasChecksums: geometry.hasChecksums),
            block.kind == .attributes || block.kind == .node
        else { return nil }
        try verify(
            bytes, .hashTree, owner: inode.number.rawValue, at: position, code: .badAttributes,
            checksumCode: .attributeChecksum, structure: "attribute block")
        return block
    }
}
