package import Storage

extension Ext4Transaction {
    /// Without a journal two inodes are not written at once, and e2fsck asks whose the blocks are.
    package var canMoveContents: Bool { hasJournal }

    /// Gives a regular file the blocks of another, which is empty then.
    package func moveContents(of source: FileID, to file: FileID) throws(StorageError) {
        try perform { () throws(StorageError) in
            var from = try inode(source)
            var to = try inode(file)
            try requireWritableContents(from)
            try requireWritableContents(to)
            guard canMoveContents, from.number != to.number, !from.flags.contains(.inlineData) else {
                throw .ext4(
                    .misuse, .unwritableFeature, "contents of \(from.name) cannot be handed to \(to.name)")
            }
            let size = from.size(geometry)
            try requireReachable(size, in: to)
            if to.flags.contains(.inlineData) { try moveOutOfInode(&to, contents: []) }
            let moved = try map(of: from)
            let old = try map(of: to)
            for run in old.runs { try free(run) }
            // Each map anew: the checksums of its blocks are of the inode that it belongs to.
            try store(FileMap(runs: [], treeBlocks: moved.treeBlocks), replacing: moved, in: &from)
            try store(FileMap(runs: moved.runs, treeBlocks: old.treeBlocks), replacing: old, in: &to)
            for (var inode, size) in [(from, 0), (to, size)] {
                inode.flags.remove(.endOfFileBlocks)
                inode.setSize(size, geometry)
                try noteSize(size, of: inode)
                touch(&inode, contents: true)
                try store(inode)
            }
        }
    }
}
