package import Storage

extension FATTransaction {
    /// The longest file: its length is a number of 32 bits.
    private static var byteLimit: UInt64 { UInt64(UInt32.max) }

    /// Makes a regular file with its contents. Owner, mode and extended attributes are left out.
    package func createFile(
        _ name: [UInt8], in directory: FileID, contents: [UInt8], attributes: NewFileAttributes
    ) throws(StorageError) -> FileID {
        try perform { () throws(StorageError) in
            try requireLength(UInt64(contents.count))
            let parent = try place(of: directory)
            let clusters = geometry.clusterCount(for: UInt64(contents.count))
            let new = try newName(name, in: parent, clusters: clusters)
            requireNameGone(new)
            var slot = newSlot(attributes.time)
            slot.attributes = .archive
            slot.size = UInt32(contents.count)
            slot.setFirstCluster(try makeChain(contents), geometry.width)
            try enter(slot, as: new)
            return FileID(new.place)
        }
    }

    /// Makes an empty directory.
    package func createDirectory(
        _ name: [UInt8], in directory: FileID, attributes: NewFileAttributes
    ) throws(StorageError) -> FileID {
        try perform { () throws(StorageError) in
            let parent = try place(of: directory)
            let new = try newName(name, in: parent, clusters: 1)
            requireNameGone(new)
            var slot = newSlot(attributes.time)
            slot.attributes = .directory
            let clusters = try takeClusters(1)
            slot.setFirstCluster(clusters[0].rawValue, geometry.width)
            var up = slot
            up.setFirstCluster(number(of: parent), geometry.width)
            var bytes = [UInt8](repeating: 0, count: geometry.clusterSize)
            for (index, (dot, name)) in [(slot, DirectorySlot.dotName), (up, DirectorySlot.parentName)]
                .enumerated()
            {
                let start = index * DirectorySlot.byteCount
                bytes.replaceSubrange(start..<start + DirectorySlot.byteCount, with: name + dot.bytes[11...])
            }
            try patch(bytes, at: geometry.byteOffset(of: clusters[0]), in: .contents)
            try link(clusters)
            try enter(slot, as: new)
            return FileID(new.place)
        }
    }

    /// Replaces a regular file's contents by a chain of their own: the file has the old ones or the new.
    package func replaceContents(of file: FileID, with contents: [UInt8]) throws(StorageError) {
        try perform { () throws(StorageError) in
            var slot = try regularSlot(of: file)
            try requireLength(UInt64(contents.count))
            if Int(slot.size) == contents.count, try self.contents(of: file, limit: .max) == contents {
                return
            }
            try requireSpace(geometry.clusterCount(for: UInt64(contents.count)))
            let old = slot.firstCluster(geometry.width)
            slot.setFirstCluster(try makeChain(contents), geometry.width)
            slot.size = UInt32(contents.count)
            slot.setWriteTime(now)
            slot.setAccessTime(now)
            slot.attributes.insert(.archive)
            try patch(slot.bytes, at: file.rawValue, in: .names)
            try freeChain(from: old)
        }
    }

    /// Sets the time of the last change; FAT keeps nothing else that can be set.
    package func setAttributes(of file: FileID, _ change: AttributeChange) throws(StorageError) {
        try perform { () throws(StorageError) in
            guard change.attributes.isSubset(of: .modificationTime) else {
                throw .fat(
                    .unsupported, .notSettable,
                    "FAT keeps neither owner nor mode, and of the last reading only the day")
            }
            guard let time = change.modificationTime else { return }
            guard file != rootKey else {
                throw .fat(.misuse, .notSettable, "the root directory of FAT has no time")
            }
            var slot = try slot(of: file)
            slot.setWriteTime(time)
            try patch(slot.bytes, at: file.rawValue, in: .names)
        }
    }

    /// A slot without name, attributes and contents.
    private func newSlot(_ time: Timestamp?) -> DirectorySlot {
        var slot = DirectorySlot([UInt8](repeating: 0, count: DirectorySlot.byteCount))
        slot.setCreationTime(time ?? now)
        slot.setWriteTime(time ?? now)
        slot.setAccessTime(time ?? now)
        return slot
    }

    func requireLength(_ byteCount: UInt64) throws(StorageError) {
        guard byteCount <= Self.byteLimit else {
            throw .fat(
                .refused, .fileTooLong,
                "a file on FAT has at most \(Self.byteLimit) bytes, and this one would have \(byteCount)")
        }
    }
}
