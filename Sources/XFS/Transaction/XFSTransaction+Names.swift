package import Storage

extension XFSTransaction {
    /// Makes another name for a file that is no directory.
    package func link(_ file: FileID, as name: [UInt8], in directory: FileID) throws(StorageError) {
        try perform { () throws(StorageError) in
            var inode = try inode(file)
            try requireChangeable(inode)
            var parent = try self.inode(directory)
            guard inode.type != .directory, let type = inode.type else {
                throw .xfs(.misuse, .isADirectory, "a directory has only one name")
            }
            try requireNewName(name, in: parent)
            try requireProject(of: inode, in: parent)
            try inode.addLink()
            touch(&inode, contents: false)
            try store(inode)
            try addName(name, inode.number, type, to: &parent)
            touch(&parent, contents: true)
            try store(parent)
        }
    }

    /// Removes a name; the file goes with its last one. A directory must be empty.
    package func remove(_ name: [UInt8], in directory: FileID) throws(StorageError) {
        try perform { () throws(StorageError) in
            var parent = try inode(directory)
            try requireWritableDirectory(parent)
            try requireName(name)
            let inode = try requireEntry(name, in: parent)
            try requireRemovable(inode)
            try removeName(name, from: &parent)
            if inode.type == .directory { parent.dropLink() }
            touch(&parent, contents: true)
            try store(parent)
            try dropLink(of: inode)
        }
    }

    /// Moves a name, replacing what has the new one as rename(2) does. The file keeps its inode, and so its key.
    @discardableResult
    package func rename(
        _ name: [UInt8], in directory: FileID, to newName: [UInt8], in newDirectory: FileID
    ) throws(StorageError) -> FileID {
        try perform { () throws(StorageError) -> FileID in
            var source = try inode(directory)
            var target = try inode(newDirectory)
            for parent in [source, target] { try requireWritableDirectory(parent) }
            try requireName(name)
            try requireName(newName)
            let moved = try requireEntry(name, in: source)
            try requireChangeable(moved)
            guard let type = moved.type else { throw badDirectory(source, source.position) }
            let key = FileID(moved.number.rawValue)
            var replaced: Inode?
            if let number = try find(newName, in: target) {
                if number == moved.number { return key }
                let old = try inode(number)
                try (old.type ?? .regular).requireReplaceable(by: type, layer: XFSCode.layer)
                try requireRemovable(old)
                replaced = old
            }
            try requireProject(of: moved, in: target)
            let movesDirectory = type == .directory && source.number != target.number
            if movesDirectory { try requireNotInside(newDirectory, key, layer: XFSCode.layer) }
            if let replaced {
                try replaceName(newName, by: moved.number, type, in: &target)
                if replaced.type == .directory { target.dropLink() }
            } else {
                try addName(newName, moved.number, type, to: &target)
            }
            if movesDirectory { try target.addLink() }
            touch(&target, contents: true)
            try store(target)
            source = try inode(directory)
            try removeName(name, from: &source)
            if movesDirectory { source.dropLink() }
            touch(&source, contents: true)
            try store(source)
            var inode = try inode(moved.number)
            if movesDirectory { try replaceName(Self.parentName, by: target.number, .directory, in: &inode) }
            touch(&inode, contents: false)
            try store(inode)
            if let replaced { try dropLink(of: replaced) }
            return key
        }
    }

    private static let parentName = [UInt8](repeating: UInt8(ascii: "."), count: 2)

    /// Throws for a name that the directory cannot be given.
    func requireNewName(_ name: [UInt8], in directory: Inode) throws(StorageError) {
        try requireWritableDirectory(directory)
        try requireName(name)
        guard try find(name, in: directory) == nil else {
            throw StorageError(
                .misuse, FileTreeCode.nameTaken,
                "\"\(name.displayText)\" is in directory \(directory.name) already",
                layerName: XFSCode.layer)
        }
    }

    private func requireName(_ name: [UInt8]) throws(StorageError) {
        guard DirectoryEntry.isSound(name: name) else {
            throw .xfs(.misuse, .badName, "\"\(name.displayText)\" cannot be a file's name")
        }
    }

    private func requireWritableDirectory(_ directory: Inode) throws(StorageError) {
        try requireDirectory(directory)
        try requireChangeable(directory)
        guard !geometry.foldsCase else {
            throw .xfs(
                .refused, .foldedNames,
                "the names of the file system are found whatever their case, and are not changed here")
        }
    }

    /// Throws where a directory keeps what is in it to its project and a file is another's (xfs_link, xfs_rename).
    private func requireProject(of inode: Inode, in directory: Inode) throws(StorageError) {
        guard directory.flags.contains(.inheritProject), inode.project != directory.project else { return }
        throw .xfs(
            .refused, .otherProject,
            "directory \(directory.name) takes only files of its project, and \(inode.name) is of another")
    }

    private func requireRemovable(_ inode: Inode) throws(StorageError) {
        try requireChangeable(inode)
        guard inode.number != geometry.rootInode else {
            throw .xfs(.misuse, .immutable, "the root directory cannot be removed")
        }
        guard inode.type == .directory else { return }
        var isEmpty = true
        try forEachName(of: inode) { (_) throws(StorageError) in
            isEmpty = false
            return false
        }
        guard isEmpty else { throw .xfs(.refused, .notEmpty, "directory \(inode.name) is not empty") }
    }

    private func requireEntry(_ name: [UInt8], in directory: Inode) throws(StorageError) -> Inode {
        guard let number = try find(name, in: directory) else {
            throw .xfs(
                .misuse, .noEntry, "\"\(name.displayText)\" is not in directory \(directory.name)")
        }
        return try inode(number)
    }

    /// Counts a link less; the file goes with the last, an empty directory with its name.
    private func dropLink(of inode: Inode) throws(StorageError) {
        var inode = try self.inode(inode.number)
        guard inode.type == .directory || inode.linkCount <= 1 else {
            inode.dropLink()
            touch(&inode, contents: false)
            return try store(inode)
        }
        try freeInode(inode)
    }
}
