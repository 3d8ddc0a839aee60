internal import Storage

extension VolumeView {
    /// Nothing but what blocks say; only an open volume reads through fast commits.
    var fastCommits: FastCommitChanges? { nil }

    /// Calls `body` for the entries of a directory that fast commits changed: those of its blocks that are still
    /// true, then those that came. False when it asked to stop.
    func forEachChangedEntry(
        of directory: Inode, _ names: [[UInt8]: FastCommitChanges.Name?],
        _ body: (DirectoryBlock, RawDirectoryEntry) throws(StorageError) -> Bool
    ) throws(StorageError) {
        var goesOn = true
        if let parent = fastCommits?.newDirectories[directory.number.rawValue] {
            for (name, inode) in [(".", directory.number.rawValue), ("..", parent)] where goesOn {
                goesOn = try self.body(body, Array(name.utf8), inode, 2)
            }
        } else {
            try forEachStoredEntry(of: directory) { (block, entry) throws(StorageError) in
                guard names[block.name(of: entry)] == nil else { return true }
                goesOn = try body(block, entry)
                return goesOn
            }
        }
        for (name, target) in names.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) where goesOn {
            guard let target else { continue }
            goesOn = try self.body(body, name, target.inode, target.typeCode)
        }
    }

    /// Hands an entry to `body` that no block holds.
    private func body(
        _ body: (DirectoryBlock, RawDirectoryEntry) throws(StorageError) -> Bool,
        _ name: [UInt8], _ inode: UInt32, _ typeCode: UInt8
    ) throws(StorageError) -> Bool {
        let block = DirectoryBlock(bytes: name, range: 0..<name.count, hasFileTypes: hasFileTypes)
        return try body(
            block,
            RawDirectoryEntry(
                offset: 0, recordLength: name.count, inode: inode, nameRange: 0..<name.count,
                typeCode: typeCode))
    }

    /// What fast commits say of a name: outer nil where they do not.
    func changedEntry(_ name: [UInt8], in directory: Inode) -> FoundEntry?? {
        guard let changes = fastCommits else { return nil }
        let number = directory.number.rawValue
        if let known = changes.names[number]?[name] {
            return .some(known.map { Self.found($0.inode, $0.typeCode) })
        }
        guard let parent = changes.newDirectories[number] else { return nil }
        let dot = UInt8(ascii: ".")
        if name == [dot] { return .some(Self.found(number, 2)) }
        return .some(name == [dot, dot] ? Self.found(parent, 2) : nil)
    }

    private static func found(_ inode: UInt32, _ typeCode: UInt8) -> FoundEntry {
        FoundEntry(inode: InodeNumber(inode), typeCode: typeCode, number: nil, offset: 0)
    }
}
