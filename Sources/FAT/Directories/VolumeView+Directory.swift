internal import Storage

/// Where a directory's slots lie.
enum DirectoryPlace: Hashable, Sendable {
    /// The root directory of FAT12 and FAT16.
    case fixedRoot
    /// A chain of clusters.
    case chain(ClusterNumber)

    /// The number by which entries and ".." refer to it, on FAT12 and FAT16 and below the root.
    var cluster: ClusterNumber? { if case .chain(let first) = self { first } else { nil } }
}

extension VolumeView {
    /// The key of the root directory: no entry lies at the volume's start.
    var rootKey: FileID { FileID(0) }

    var rootPlace: DirectoryPlace {
        geometry.width == .fat32 ? .chain(geometry.rootCluster) : .fixedRoot
    }

    /// Ranges of bytes that hold the directory's slots, in order.
    func segments(of directory: DirectoryPlace) throws(StorageError) -> [(offset: UInt64, count: Int)] {
        guard case .chain(let first) = directory else {
            return [(geometry.rootOffset, geometry.rootByteCount)]
        }
        let limit = UInt32(max(1, Geometry.directoryByteLimit / geometry.clusterSize))
        let chain = try chain(from: first, limit: limit + 1)
        guard chain.count <= limit else {
            throw .fat(
                .corrupt, .directoryTooLong,
                "the directory that begins with cluster \(first) has more than \(Geometry.directoryByteLimit) bytes; run "
                    + "fsck.vfat", structure: "FAT")
        }
        return chain.clusters.map { (geometry.byteOffset(of: $0), geometry.clusterSize) }
    }

    /// Calls `body` with every slot, until it returns false. Slots behind the end mark come too where `pastEnd`.
    func forEachSlot(
        of directory: DirectoryPlace, pastEnd: Bool = false,
        _ body: (DirectorySlot, UInt64) throws(StorageError) -> Bool
    ) throws(StorageError) {
        for segment in try segments(of: directory) {
            var done = 0
            while done < segment.count {
                // A part at a time: most directories end in their first sectors.
                let count = min(segment.count - done, 4096)
                let bytes = try metadata(at: segment.offset + UInt64(done), count: count)
                for offset in stride(from: 0, to: count, by: DirectorySlot.byteCount) {
                    let slot = DirectorySlot(Array(bytes[offset..<offset + DirectorySlot.byteCount]))
                    if slot.isEnd && !pastEnd { return }
                    guard try body(slot, segment.offset + UInt64(done + offset)) else { return }
                }
                done += count
            }
        }
    }

    /// Calls `body` with every file, "." and ".." left out, until it returns false.
    func forEachFile(
        of directory: DirectoryPlace, _ body: (FileEntry) throws(StorageError) -> Bool
    ) throws(StorageError) {
        var assembler = EntryAssembler(codePage)
        try forEachSlot(of: directory) { (slot, place) throws(StorageError) in
            guard let entry = assembler.feed(slot, at: place), !slot.isDot else { return true }
            return try body(entry)
        }
    }

    /// The file that answers to a name, short or long, in letters of either case.
    func find(_ name: FileName, in directory: DirectoryPlace) throws(StorageError) -> FileEntry? {
        let folded = name.folded
        var found: FileEntry?
        try forEachFile(of: directory) { entry in
            guard entry.answers(to: folded) else { return true }
            found = entry
            return false
        }
        return found
    }

    /// The slot that a key means. Throws `misuse` for a key that is none.
    func slot(of file: FileID) throws(StorageError) -> DirectorySlot {
        let place = file.rawValue
        let isInRoot =
            geometry.width != .fat32 && place >= geometry.rootOffset
            && place - geometry.rootOffset < UInt64(geometry.rootByteCount)
        guard place % UInt64(DirectorySlot.byteCount) == 0, isInRoot || geometry.cluster(at: place) != nil
        else {
            throw noSuchFile(file)
        }
        let slot = DirectorySlot(try metadata(at: place, count: DirectorySlot.byteCount))
        guard slot.isFile else { throw noSuchFile(file) }
        return slot
    }

    private func noSuchFile(_ file: FileID) -> StorageError {
        .fat(.misuse, .noSuchFile, "file \(file) is not there", structure: "directory entry")
    }

    /// The directory that a key means.
    func place(of directory: FileID) throws(StorageError) -> DirectoryPlace {
        if directory == rootKey { return rootPlace }
        let slot = try slot(of: directory)
        guard slot.isDirectory else {
            throw .fat(.misuse, .notADirectory, "file \(directory) is not a directory")
        }
        return try self.place(of: slot, at: directory.rawValue)
    }

    /// The directory that a slot leads to.
    func place(of slot: DirectorySlot, at offset: UInt64) throws(StorageError) -> DirectoryPlace {
        let first = slot.firstCluster(geometry.width)
        guard geometry.contains(first) else {
            throw .fat(
                .corrupt, .clusterOutOfRange,
                "a directory begins with cluster \(first), and the volume has clusters 2 to "
                    + "\(geometry.clusterCount &+ 1); run fsck.vfat", structure: "directory entry",
                offset: offset)
        }
        return .chain(first)
    }

    /// The directory that holds another, by its "..".
    func parent(of directory: FileID) throws(StorageError) -> FileID {
        guard directory != rootKey, case .chain(let first) = try place(of: directory),
            let parent = try parentCluster(of: first)
        else { return rootKey }
        let grandparent = try parentCluster(of: parent)
        var found: FileEntry?
        try forEachFile(of: grandparent.map { .chain($0) } ?? rootPlace) { entry in
            guard entry.slot.isDirectory, entry.slot.firstCluster(geometry.width) == parent else {
                return true
            }
            found = entry
            return false
        }
        guard let found else { throw badDots(parent) }
        return found.id
    }

    /// Where ".." of a directory leads; nil for the root.
    func parentCluster(of directory: ClusterNumber) throws(StorageError) -> ClusterNumber? {
        let size = DirectorySlot.byteCount
        let bytes = try metadata(at: geometry.byteOffset(of: directory), count: 2 * size)
        let slot = DirectorySlot(Array(bytes[size...]))
        let parent = slot.firstCluster(geometry.width)
        guard slot.rawName == DirectorySlot.parentName else { throw badDots(directory) }
        if parent.rawValue == 0 || geometry.width == .fat32 && parent == geometry.rootCluster { return nil }
        guard geometry.contains(parent) else { throw badDots(directory) }
        return parent
    }

    private func badDots(_ directory: ClusterNumber) -> StorageError {
        .fat(
            .corrupt, .badDotEntries,
            "the directory that begins with cluster \(directory) does not say which one holds it; run fsck.vfat",
            structure: "directory entry ..", offset: geometry.byteOffset(of: directory))
    }
}
