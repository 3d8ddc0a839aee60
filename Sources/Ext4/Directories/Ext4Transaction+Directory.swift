internal import Storage

extension Ext4Transaction {
    /// Throws when names cannot be put into or taken out of a directory.
    func requireWritableDirectory(_ directory: Inode) throws(StorageError) {
        try requireChangeable(directory)
        try requireDirectory(directory)
        if directory.flags.contains(.encrypted) {
            throw .ext4(
                .refused, .encrypted,
                "directory \(directory.name) is encrypted (fscrypt); its names cannot be changed without its key"
            )
        }
        if directory.flags.contains(.caseFolded) {
            throw .ext4(
                .refused, .caseFolded,
                "directory \(directory.name) ignores case; its names cannot be changed here")
        }
    }

    /// Throws unless a name can be given to a file.
    func requireName(_ name: [UInt8]) throws(StorageError) {
        guard DirectoryEntry.isSound(name: name) else {
            throw .ext4(
                .misuse, .badName, "\"\(name.displayText)\" is not a name: 1 to 255 bytes without / and NUL")
        }
    }

    /// Throws when a directory has a name already: where its index leads, and anywhere else in it.
    func requireNoEntry(_ name: [UInt8], in directory: Inode) throws(StorageError) {
        guard try find(name, in: directory) == nil else {
            throw StorageError(
                .refused, FileTreeCode.nameTaken,
                "\"\(name.displayText)\" is already in directory \(directory.name)",
                layerName: Ext4Code.layer)
        }
        try requireSoundIndex(of: directory)
    }

    /// Throws when a directory's index does not lead to every name in it: one that it holds would be added again.
    /// Looked at once in a transaction, which keeps it sound.
    func requireSoundIndex(of directory: Inode) throws(StorageError) {
        guard directory.flags.contains(.indexed), !directory.flags.contains(.inlineData),
            !soundIndexes.contains(directory.number)
        else { return }
        if let defect = try indexDefect(of: directory, blockCount: directoryBlockCount(directory)) {
            throw .ext4(
                .corrupt, .badIndex,
                "the hash index of directory \(directory.name) is damaged: \(defect); run e2fsck -fD",
                structure: "directory index")
        }
        soundIndexes.insert(directory.number)
    }

    /// Writes a directory's block with its checksum. The index' own blocks have theirs elsewhere than the others.
    func store(
        _ bytes: [UInt8], ofDirectory directory: Inode, at number: BlockNumber, role: Role
    ) throws(StorageError) {
        var bytes = bytes
        if geometry.hasMetadataChecksums {
            let seed = geometry.inodeSeed(directory.number, generation: directory.generation)
            if let offset = DirectoryChecksum.indexOffset(bytes) {
                if let (sum, position) = DirectoryChecksum.index(bytes, at: offset, seed: seed) {
                    bytes.storeLittle(sum, at: position)
                }
            } else if DirectoryChecksum.hasTail(bytes) {
                bytes.storeLittle(DirectoryChecksum.leaf(bytes, seed: seed), at: bytes.count - 4)
            } else {
                throw .ext4(
                    .corrupt, .badDirectory,
                    "a block of directory \(directory.name) has no room for its checksum; run e2fsck -D",
                    structure: "directory block", offset: geometry.byteOffset(of: number))
            }
        }
        try store(bytes, at: number, role: role)
        noteVerified(number, as: .directory(directory.number))
    }

    /// Appends a block to a directory (whose inode is not stored yet) and returns its numbers, in the directory and
    /// on the device.
    func appendBlock(to directory: inout Inode) throws(StorageError) -> (logical: UInt64, number: BlockNumber)
    {
        let logical = try directoryBlockCount(directory)
        let before = try map(of: directory)
        guard before.runs.last?.end ?? 0 <= logical else {
            throw .ext4(
                .corrupt, .badDirectory, "directory \(directory.name) has blocks behind its end; run e2fsck")
        }
        let goal =
            before.runs.last.flatMap { run in run.firstBlock?.advanced(by: run.count) }
            ?? self.goal(for: directory)
        let number = try allocateBlock(near: goal)
        var after = before
        after.append(MappedRun(logical: logical, count: 1, place: .written(number)))
        try store(after, replacing: before, in: &directory)
        directory.setSize((logical + 1) * UInt64(geometry.blockSize), geometry)
        return (logical, number)
    }

    func emptyDirectoryBlock() -> DirectoryBlock {
        DirectoryBlock(
            emptyOf: geometry.blockSize, hasFileTypes: hasFileTypes,
            hasChecksum: geometry.hasMetadataChecksums)
    }

    /// Puts a name into a directory that does not have it; the directory's inode is changed and not stored.
    func insert(
        _ name: [UInt8], _ inode: InodeNumber, typeCode: UInt8, into directory: inout Inode
    ) throws(StorageError) {
        let typeCode = hasFileTypes ? typeCode : 0
        try leaveInlineDirectory(&directory)
        touch(&directory, contents: true)
        // Each turn makes one block or splits one; there are at most four on the way to a leaf.
        for _ in 0..<Self.turnsOfMakingRoom {
            if let (number, block) = try room(for: name, inode, typeCode: typeCode, in: directory) {
                return try store(block.bytes, ofDirectory: directory, at: number, role: .directory)
            }
            try extend(&directory, for: name)
        }
        throw .ext4(
            .refused, .directoryFull,
            "directory \(directory.name) has no room: too many names with the same hash")
    }

    static var turnsOfMakingRoom: Int { 16 }

    /// The block that has room for a name, with the name in it; nil when there is none.
    func room(
        for name: [UInt8], _ inode: InodeNumber, typeCode: UInt8, in directory: Inode
    ) throws(StorageError) -> (number: BlockNumber, block: DirectoryBlock)? {
        if directory.flags.contains(.indexed) {
            let (number, held, _) = try indexedLeaf(for: name, in: directory)
            var leaf = held
            return leaf.insert(name, inode, typeCode: typeCode) ? (number, leaf) : nil
        }
        // A name fits most often into the last block.
        for logical in (0..<(try directoryBlockCount(directory))).reversed() {
            guard let (number, held) = try directoryBlock(logical, of: directory) else { continue }
            var block = held
            if block.insert(name, inode, typeCode: typeCode) { return (number, block) }
        }
        return nil
    }

    /// Makes room, or a step towards it: an index, a split block of it, or a block more. Names stay the same.
    func extend(_ directory: inout Inode, for name: [UInt8]) throws(StorageError) {
        if directory.flags.contains(.indexed) { return try splitIndex(of: &directory, for: name) }
        if try directoryBlockCount(directory) == 1, geometry.compatible.contains(.directoryIndex),
            try makeIndex(of: &directory)
        {
            return
        }
        let (_, number) = try appendBlock(to: &directory)
        try store(emptyDirectoryBlock().bytes, ofDirectory: directory, at: number, role: .directory)
    }

    /// Takes an entry out of a directory; the directory's inode is changed and not stored. `found` is where it has
    /// been found in the directory as it is, if it has been looked for.
    func remove(
        _ name: [UInt8], from directory: inout Inode, at found: FoundEntry? = nil, role: Role = .directory
    ) throws(StorageError) {
        let moves = directory.flags.contains(.inlineData)
        try leaveInlineDirectory(&directory)
        var entry = found
        if entry?.number == nil || moves { entry = try find(name, in: directory) }
        guard let entry, let number = entry.number else { throw noEntry(name, directory) }
        let offset = entry.offset
        var block = try directoryBlock(at: number, of: directory)
        guard block.remove(at: offset) else { throw noEntry(name, directory) }
        try store(block.bytes, ofDirectory: directory, at: number, role: role)
        touch(&directory, contents: true)
    }

    /// Makes the entry of a name stand for another inode: one block changes, and the index not at all.
    func replaceEntry(
        _ name: [UInt8], in directory: inout Inode, by inode: InodeNumber, typeCode: UInt8
    ) throws(StorageError) {
        try leaveInlineDirectory(&directory)
        guard let (number, offset) = try place(of: name, in: directory) else {
            throw noEntry(name, directory)
        }
        var block = try directoryBlock(at: number, of: directory)
        block.setInode(inode, typeCode: typeCode, at: offset)
        try store(block.bytes, ofDirectory: directory, at: number, role: .directory)
        touch(&directory, contents: true)
    }

    private func place(
        of name: [UInt8], in directory: Inode
    ) throws(StorageError) -> (number: BlockNumber, offset: Int)? {
        guard let found = try find(name, in: directory), let number = found.number else { return nil }
        return (number, found.offset)
    }

    private func noEntry(_ name: [UInt8], _ directory: Inode) -> StorageError {
        .ext4(.misuse, .noEntry, "\"\(name.displayText)\" is not in directory \(directory.name)")
    }

    /// Moves a directory that is kept inside its inode to a block of its own.
    func leaveInlineDirectory(_ directory: inout Inode) throws(StorageError) {
        guard directory.flags.contains(.inlineData) else { return }
        var block = emptyDirectoryBlock()
        var fits = block.insert([UInt8(ascii: ".")], directory.number, typeCode: hasFileTypes ? 2 : 0)
        // ".." comes first, made up from the parent's number.
        try forEachInlineEntry(of: directory) { (source, entry) throws(StorageError) in
            fits =
                fits
                && block.insert(
                    source.name(of: entry), InodeNumber(entry.inode),
                    typeCode: hasFileTypes ? entry.typeCode : 0)
            return fits
        }
        guard fits, let area = inodeAttributeArea(directory) else {
            throw .ext4(
                .corrupt, .badInlineData, "the inline directory \(directory.name) is damaged; run e2fsck")
        }
        let others = try entries(of: area, directory).filter { $0.name != .inlineData }
        try leaveInline(&directory, area: area, entries: others)
        directory.setSize(0, geometry)
        let (_, number) = try appendBlock(to: &directory)
        try store(block.bytes, ofDirectory: directory, at: number, role: .directory)
    }

    /// The first block of a new directory.
    func firstBlock(of directory: Inode, parent: InodeNumber) -> DirectoryBlock {
        var block = emptyDirectoryBlock()
        let code: UInt8 = hasFileTypes ? 2 : 0
        let dot = UInt8(ascii: ".")
        // Both fit into any block.
        _ = block.insert([dot], directory.number, typeCode: code)
        _ = block.insert([dot, dot], parent, typeCode: code)
        return block
    }

    /// Whether a directory has no names but "." and "..".
    func isEmpty(_ directory: Inode) throws(StorageError) -> Bool {
        var isEmpty = true
        let dot = UInt8(ascii: ".")
        try forEachRawEntry(of: directory) { (block, entry) throws(StorageError) in
            isEmpty = block.hasName(entry, [dot]) || block.hasName(entry, [dot, dot])
            return isEmpty
        }
        return isEmpty
    }
}
