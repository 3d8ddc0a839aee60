package import Storage

extension Ext4Transaction {
    /// Makes another name for a file that is no directory.
    package func link(_ file: FileID, as name: [UInt8], in directory: FileID) throws(StorageError) {
        try perform { () throws(StorageError) in
            var inode = try inode(file)
            try requireChangeable(inode)
            var parent = try self.inode(directory)
            try requireWritableDirectory(parent)
            try requireName(name)
            guard inode.type != .directory, let type = inode.type else {
                throw .ext4(.misuse, .isADirectory, "a directory has only one name")
            }
            try requireNoEntry(name, in: parent)
            try requireProject(of: inode, in: parent)
            try makeRoom(for: name, in: &parent)
            beginAddingName(to: parent.number)
            noteNewName(of: inode.number)
            try countLink(from: &inode)
            touch(&inode, contents: false)
            try store(inode)
            try insert(name, inode.number, typeCode: type.directoryCode, into: &parent)
            try store(parent)
        }
    }

    /// Removes a name; the file goes with its last one. A directory must be empty.
    package func remove(_ name: [UInt8], in directory: FileID) throws(StorageError) {
        try perform { () throws(StorageError) in
            var parent = try inode(directory)
            try requireWritableDirectory(parent)
            try requireName(name)
            let found = try requireFound(name, in: parent)
            let inode = try inode(found.inode)
            try requireRemovable(inode)
            try settleInlineDirectory(&parent)
            beginRemovingName(of: inode, from: parent.number)
            try remove(name, from: &parent, at: found)
            if inode.type == .directory { parent.dropSubdirectory() }
            try store(parent)
            try dropLink(inode)
        }
    }

    /// Moves a name, replacing what has the new one as rename(2) does. The file keeps its inode, and so its key.
    @discardableResult
    package func rename(
        _ name: [UInt8], in directory: FileID, to newName: [UInt8], in newDirectory: FileID
    ) throws(StorageError) -> FileID {
        try perform { () throws(StorageError) -> FileID in
            let source = try inode(directory)
            let target = try inode(newDirectory)
            for parent in [source, target] { try requireWritableDirectory(parent) }
            try requireName(name)
            try requireName(newName)
            let moved = try requireEntry(name, in: source)
            try requireChangeable(moved)
            let key = FileID(UInt64(moved.number.rawValue))
            var replaced: Inode?
            if let found = try find(newName, in: target) {
                if found.inode == moved.number { return key }
                let old = try inode(found.inode)
                try (old.type ?? .regular).requireReplaceable(
                    by: moved.type ?? .regular, layer: Ext4Code.layer)
                try requireRemovable(old)
                replaced = old
            } else {
                try requireSoundIndex(of: target)
            }
            try requireProject(of: moved, in: target)
            let movesDirectory = moved.type == .directory && source.number != target.number
            if movesDirectory { try requireNotInside(newDirectory, key, layer: Ext4Code.layer) }
            try prepareStage(moving: moved, from: source, to: newName, in: target, replacing: &replaced)
            try enter(moved, as: newName, in: target.number, replacing: replaced, countsLink: movesDirectory)
            var oldParent = try inode(source.number)
            try remove(name, from: &oldParent, role: .oldName)
            if movesDirectory { oldParent.dropSubdirectory() }
            try store(oldParent)
            try finish(moved, movedTo: movesDirectory ? target.number : nil)
            if let replaced { try dropLink(replaced) }
            if moved.type == .directory, !movesDirectory { try switchBlocksAtOnce(of: source.number) }
            return key
        }
    }

    /// Puts the moved file's new name into its directory.
    private func enter(
        _ moved: Inode, as name: [UInt8], in number: InodeNumber, replacing replaced: Inode?, countsLink: Bool
    ) throws(StorageError) {
        guard let type = moved.type else {
            throw .ext4(
                .corrupt, .badInode, "\(moved.name) is of no known type; run e2fsck", structure: "inode")
        }
        var parent = try inode(number)
        if let replaced {
            try replaceEntry(name, in: &parent, by: moved.number, typeCode: type.directoryCode)
            if replaced.type == .directory { parent.dropSubdirectory() }
        } else {
            try insert(name, moved.number, typeCode: type.directoryCode, into: &parent)
        }
        if countsLink { try countLink(from: &parent, isSubdirectory: true) }
        try store(parent)
    }

    /// Sets a moved file's change time, and a moved directory's "..".
    private func finish(_ moved: Inode, movedTo parent: InodeNumber?) throws(StorageError) {
        var inode = try inode(moved.number)
        if let parent {
            if inode.flags.contains(.inlineData) {
                inode.bytes.storeLittle(parent.rawValue, at: Inode.Offset.map)
            } else {
                guard let found = try find(Self.parentName, in: inode), let number = found.number else {
                    throw .ext4(
                        .corrupt, .badDirectory, "directory \(inode.name) has no \"..\"; run e2fsck",
                        structure: "directory block")
                }
                var block = try directoryBlock(at: number, of: inode)
                block.setInode(parent, typeCode: hasFileTypes ? 2 : 0, at: found.offset)
                try store(block.bytes, ofDirectory: inode, at: number, role: .directory)
            }
        }
        touch(&inode, contents: false)
        try store(inode)
    }

    private static var parentName: [UInt8] { [UInt8](repeating: UInt8(ascii: "."), count: 2) }

    /// Throws where a directory keeps what is in it to its project and a file is another's: ext4_link(), ext4_rename().
    private func requireProject(of inode: Inode, in directory: Inode) throws(StorageError) {
        guard directory.flags.contains(.projectInherit), inode.projectID != directory.projectID else {
            return
        }
        throw .ext4(
            .refused, .otherProject,
            "directory \(directory.name) takes only files of its project \(directory.projectID), and "
                + "\(inode.name) is of project \(inode.projectID); change it with chattr -p")
    }

    private func requireRemovable(_ inode: Inode) throws(StorageError) {
        try requireChangeable(inode)
        guard inode.number != .root else {
            throw .ext4(.misuse, .reservedInode, "the root directory cannot be removed")
        }
        guard inode.type == .directory else { return }
        guard try isEmpty(inode) else {
            throw .ext4(.refused, .notEmpty, "directory \(inode.name) is not empty")
        }
    }

    private func requireEntry(_ name: [UInt8], in directory: Inode) throws(StorageError) -> Inode {
        try inode(requireFound(name, in: directory).inode)
    }

    private func requireFound(_ name: [UInt8], in directory: Inode) throws(StorageError) -> FoundEntry {
        guard let found = try find(name, in: directory) else {
            throw .ext4(
                .misuse, .noEntry, "\"\(name.displayText)\" is not in directory \(directory.name)")
        }
        return found
    }

    /// Counts a link less; the file goes with the last, an empty directory with its name.
    private func dropLink(_ inode: Inode) throws(StorageError) {
        var inode = try self.inode(inode.number)
        if inode.type != .directory, inode.linkCount > 1 {
            inode.linkCount -= 1
            touch(&inode, contents: false)
            return try store(inode)
        }
        try freeInode(&inode)
    }
}

extension Inode {
    /// Counts a subdirectory less. A count of 1 stands for more than can be counted, and stays.
    mutating func dropSubdirectory() {
        if linkCount > 2 { linkCount -= 1 }
    }
}
