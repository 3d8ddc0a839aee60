internal import Storage

extension VolumeCheck {
    /// An inode's fields, maps and attributes; its blocks are claimed.
    func checkInode(_ number: InodeNumber) throws(StorageError) {
        let inode = try view.inode(number)
        guard let type = inode.type else { return }
        try inodes.add(
            number,
            InodeLedger.Record(
                type: type, isMetadata: inode.flags2.contains(.metadata), links: inode.linkCount))
        checkFields(inode, type)
        var blocks: UInt64 = 0
        var attributeBlocks: UInt64 = 0
        for fork in [Inode.Fork.data, .attributes] {
            if fork == .attributes, inode.forkOffset == 0 { continue }
            if fork == .data, inode.flags.contains(.realTime), type == .regular { continue }
            let count = try checkMap(inode, fork)
            blocks += count
            if fork == .attributes { attributeBlocks = count }
        }
        if inode.blockCount != blocks, !inode.flags.contains(.realTime) {
            sink.add(
                .inodeBlocks, "\(inode.name) counts \(inode.blockCount) blocks, and there are \(blocks)",
                structure: "inode", offset: inode.position, inode: number)
        }
        if type == .symbolicLink { _ = try view.symbolicLinkTarget(of: inode) }
        try checkAttributeValues(of: inode, blockCount: attributeBlocks)
        try checkAttributeLeaves(inode)
    }

    /// Every value, one after the other, however many there are. Each has blocks of its own: more bytes than there are in the
    /// inode's attribute blocks are in none.
    private func checkAttributeValues(of inode: Inode, blockCount: UInt64) throws(StorageError) {
        let inBlocks = blockCount *? UInt64(geometry.blockSize)
        var room = inBlocks.flatMap { $0 +? UInt64(inode.bytes.count) } ?? .max
        try view.forEachAttribute(of: inode) { (attribute) throws(StorageError) in
            guard let name = attribute.fullName else { return true }
            // listxattr(2) ends names with it.
            guard !name.contains(0) else { throw view.badAttributes(inode, inode.position) }
            let count = UInt64(try view.value(of: attribute, of: inode).count)
            guard count <= room else { throw view.badAttributes(inode, inode.position) }
            room -= count
            return true
        }
    }

    private func checkMap(_ inode: Inode, _ fork: Inode.Fork) throws(StorageError) -> UInt64 {
        var blocks: UInt64 = 0
        var extents: UInt64 = 0
        var end: UInt64 = 0
        try view.forEachExtent(of: inode, fork) { (node) throws(StorageError) in
            try claimFixed(node, 1)
            blocks += 1
        } _: { (record) throws(StorageError) in
            guard record.count > 0, geometry.contains(record.block, count: record.count),
                record.fileBlock >= end
            else {
                throw .xfs(
                    .corrupt, .badMap, "the map of \(inode.name) is damaged", structure: "extent",
                    offset: inode.position)
            }
            end = record.end
            blocks += record.count
            extents += 1
            if fork == .data, inode.type == .regular {
                try claimData(record.block, record.count)
            } else {
                try claimFixed(record.block, record.count)
            }
            return true
        }
        // What is kept in the inode itself has none.
        if extents != inode.extentCount(fork) {
            sink.add(
                .inodeExtents,
                "\(inode.name) counts \(inode.extentCount(fork)) extents, and there are \(extents)",
                structure: "inode", offset: inode.position, inode: inode.number)
        }
        return blocks
    }

    /// A directory's entries: each names an inode in use of the type that it says, and is found by its hash.
    func checkDirectory(_ number: InodeNumber) throws(StorageError) {
        let isRead: Void? = try sink.attempt(inode: number) { () throws(StorageError) in
            let directory = try view.inode(number)
            let parent = try view.find(Array("..".utf8), in: directory)
            inodes.setPlace(of: number) { $0.parent = parent }
            if let parent { inodes.addName(of: parent) }
            inodes.addName(of: number)
            try view.forEachName(of: directory) { (entry) throws(StorageError) in
                try checkEntry(entry, directory)
                return true
            }
        }
        guard isRead != nil else { return }
        _ = try sink.attempt(inode: number) { () throws(StorageError) in
            do throws(StorageError) {
                try checkBlocks(view.inode(number))
            } catch {
                guard error.isOfBounds else { throw error }
                sink.add(Finding(error, .note, file: FileID(number.rawValue)))
            }
        }
    }

    private func checkEntry(_ entry: RawDirectoryEntry, _ directory: Inode) throws(StorageError) {
        func say(_ text: String) {
            sink.add(
                .directoryEntry, "the entry \(entry.name.shellText) of directory \(directory.name) \(text)",
                structure: "directory", offset: directory.position, inode: directory.number)
        }
        guard let found = inodes[entry.inode] else {
            return say("names inode \(entry.inode.rawValue), which is not in use")
        }
        if geometry.hasFileTypes, let actual = found.type, entry.type != actual {
            say(
                "calls a \(actual.words) \(entry.type.map { "a \($0.words)" } ?? "something that is no type")"
            )
        }
        if !DirectoryEntry.isSound(name: entry.name) { say("has a name that no path can have") }
        if try view.find(entry.name, in: directory) != entry.inode { say("is not found by its hash") }
        if found.type == .directory {
            let place = inodes.place(of: entry.inode)
            if place.namedIn != nil { say("is another name of a directory") }
            inodes.setPlace(of: entry.inode) { $0.namedIn = directory.number }
            if let parent = place.parent, parent != directory.number { wrongParent(entry.inode) }
        } else {
            inodes.addName(of: entry.inode)
        }
    }

    private func wrongParent(_ number: InodeNumber) {
        sink.add(
            .wrongParent, "directory inode \(number.rawValue) does not say that it lies where its name is",
            structure: "directory", inode: number)
    }

    /// Names against link counts. Directories have "." and what their children say; the root's name is its own.
    func checkLinks() throws(StorageError) {
        var outside: Set<InodeNumber> = []
        for offset in [64, 72, 160, 168, 232] {
            outside.insert(InodeNumber(view.superblock.long(offset)))
        }
        let root = geometry.rootInode
        if inodes[root]?.type != .directory {
            sink.add(.unconnected, "there is no root directory", structure: "inode", inode: root)
        }
        try inodes.forEach { (number, type, found) throws(StorageError) in
            guard !found.isMetadata, !outside.contains(number) else { return }
            checkLinks(of: number, type, found)
        }
    }

    private func checkLinks(of number: InodeNumber, _ type: FileType, _ found: InodeLedger.Record) {
        let root = geometry.rootInode
        var names = UInt64(found.names)
        if type == .directory {
            let place = inodes.place(of: number)
            if number != root, place.namedIn != nil { names += 1 }
            if number == root { names += place.parent == root ? 0 : 1 }
            if let named = place.namedIn, let parent = place.parent, named != parent { wrongParent(number) }
            if place.namedIn == nil, number != root, !unlinked.contains(number) {
                sink.add(
                    .unconnected, "directory inode \(number.rawValue) has no name", structure: "inode",
                    inode: number)
                return
            }
        }
        if unlinked.contains(number) {
            sink.add(
                .unlinked,
                "inode \(number.rawValue) was removed while it was open; the next mount frees it",
                structure: "inode", inode: number, severity: .note)
            return
        }
        if type != .directory, names == 0 {
            sink.add(
                .unconnected, "inode \(number.rawValue) is in use and has no name", structure: "inode",
                inode: number)
        } else if names != UInt64(found.links) {
            sink.add(
                .linkCount, "inode \(number.rawValue) counts \(found.links) links, and has \(names)",
                structure: "inode", inode: number)
        }
    }
}
