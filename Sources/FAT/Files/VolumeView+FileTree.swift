internal import Storage

/// A state of the volume as a tree of files: what `FileTree` asks, of the file system and of a transaction alike.
extension VolumeView {
    /// The root directory.
    package var rootDirectory: FileID { rootKey }

    /// The file called `name`, short or long, in `directory`, or nil.
    package func lookUp(_ name: [UInt8], in directory: FileID) throws(StorageError) -> FileID? {
        let dot = [UInt8(ascii: ".")]
        let place = try place(of: directory)
        if name == dot { return directory }
        if name == dot + dot { return try parent(of: directory) }
        guard DirectoryEntry.isSound(name: name), let name = FileName(name) else { return nil }
        return try find(name, in: place)?.id
    }

    /// Lists a directory in the order of its slots. Throws `corrupt` for a name that no path can have.
    package func forEachEntry(
        of directory: FileID, _ body: (DirectoryEntry) throws(StorageError) -> Bool
    ) throws(StorageError) {
        try forEachFile(of: place(of: directory)) { (entry) throws(StorageError) in
            guard DirectoryEntry.isSound(name: entry.name) else {
                throw .fat(
                    .corrupt, .badName,
                    "\(directory == rootKey ? "the root directory" : "directory \(directory)") holds the name "
                        + "\(entry.name.shellText), which no path can have; \(entry.waysOutOfBadName)",
                    structure: "directory entry", offset: entry.place)
            }
            return try body(
                DirectoryEntry(
                    name: entry.name, file: entry.id, type: entry.slot.type))
        }
    }

    /// What stat tells.
    package func attributes(of file: FileID) throws(StorageError) -> FileAttributes {
        let never = Timestamp(seconds: 0)
        guard file != rootKey else {
            return FileAttributes(
                type: .directory, permissions: 0o755, owner: 0, group: 0, linkCount: 1, size: 0,
                allocatedByteCount: 0, accessTime: never, modificationTime: never, changeTime: never, kept: []
            )
        }
        let slot = try slot(of: file)
        let size = slot.isDirectory ? 0 : UInt64(slot.size)
        let written = slot.writeTime ?? never
        return FileAttributes(
            type: slot.type,
            permissions: slot.attributes.contains(.readOnly) ? 0o555 : 0o755, owner: 0, group: 0,
            linkCount: 1,
            size: size, allocatedByteCount: geometry.clusterCount(for: size) * UInt64(geometry.clusterSize),
            accessTime: slot.accessTime ?? written, modificationTime: written, changeTime: written,
            creationTime: slot.creationTime, kept: Self.keptAttributes)
    }

    /// What FAT keeps of a file: no owner, no mode, of the last reading the day.
    private static var keptAttributes: AttributeSet { [.modificationTime, .creationTime] }

    /// Reads a regular file's contents.
    package func read(
        _ file: FileID, into target: inout MutableRawSpan, at offset: UInt64
    ) throws(StorageError) -> Int {
        let slot = try regularSlot(of: file)
        let size = UInt64(slot.size)
        guard offset < size else { return 0 }
        let count = min(target.byteCount, Int(size - offset))
        let chain = try contents(of: slot, at: file.rawValue)
        let clusterSize = UInt64(geometry.clusterSize)
        var done = 0
        while done < count {
            let position = offset + UInt64(done)
            let run = try self.run(of: chain, at: position, slot)
            let skip = Int(position % clusterSize)
            let step = min(count - done, Int(run.count) * geometry.clusterSize - skip)
            var part = target.part(done..<done + step)
            try readData(into: &part, from: run.first, skip: skip)
            done += step
        }
        return count
    }

    /// The run of clusters that holds byte `position`.
    private func run(
        of chain: Chain, at position: UInt64, _ slot: DirectorySlot
    ) throws(StorageError) -> (first: ClusterNumber, count: UInt32) {
        let index = position / UInt64(geometry.clusterSize)
        guard let number = UInt32(exactly: index), let run = chain.run(at: number) else {
            throw tooShort(slot, nil)
        }
        return run
    }

    func extent(of file: FileID, at offset: UInt64) throws(StorageError) -> Extent {
        let slot = try regularSlot(of: file)
        let size = UInt64(slot.size)
        guard offset < size else {
            throw .fat(.misuse, .noSuchFile, "byte \(offset) is past the end of file \(file)")
        }
        let run = try self.run(of: contents(of: slot, at: file.rawValue), at: offset, slot)
        let skip = offset % UInt64(geometry.clusterSize)
        let length = UInt64(run.count) * UInt64(geometry.clusterSize) - skip
        return Extent(
            range: offset..<min(size, offset + length),
            kind: .plain(file: 0, offset: geometry.byteOffset(of: run.first) + skip))
    }

    func regularSlot(of file: FileID) throws(StorageError) -> DirectorySlot {
        guard file != rootKey else {
            throw .fat(.misuse, .notARegularFile, "the root directory is not a regular file")
        }
        let slot = try slot(of: file)
        guard !slot.isDirectory else {
            throw .fat(.misuse, .notARegularFile, "file \(file) is a directory, not a regular file")
        }
        return slot
    }

    /// The clusters that a file's size needs. Throws `corrupt` where the chain is shorter.
    func contents(of slot: DirectorySlot, at place: UInt64) throws(StorageError) -> Chain {
        let needed = geometry.clusterCount(for: UInt64(slot.size))
        guard needed > 0 else { return Chain() }
        guard let limit = UInt32(exactly: needed), limit <= geometry.clusterCount else {
            throw tooShort(slot, place)
        }
        let chain = try chain(from: slot.firstCluster(geometry.width), limit: limit)
        guard chain.count >= limit else { throw tooShort(slot, place) }
        return chain
    }

    func tooShort(_ slot: DirectorySlot, _ place: UInt64?) -> StorageError {
        .fat(
            .corrupt, .chainTooShort,
            "the file at cluster \(slot.firstCluster(geometry.width)) has \(slot.size) bytes, and its chain fewer; run "
                + "fsck.vfat", structure: "directory entry", field: "DIR_FileSize", offset: place)
    }
}
