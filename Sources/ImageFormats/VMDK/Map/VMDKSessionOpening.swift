internal import Storage

/// What happens before the first change of a session: the disk gets another content identifier, and changed block tracking
/// ends where the caller wants that. Each step leaves a disk that every reader takes, with the bytes it had.
struct VMDKSessionOpening: Sendable {
    /// Where the descriptor's identity of the contents lies.
    let contentID: VMDKContentID?
    /// Where the descriptor and the extents say that changes are tracked; nil: they do not, or nobody may end it.
    let tracking: VMDKChangeTracking?

    /// Writes to the files of a map, and flushes what it wrote.
    func run(_ files: [any ByteFile]) throws(StorageError) {
        try tracking?.end(in: files)
        // Before the first change: data that is new under an old CID would be taken for unchanged.
        guard let contentID else { return }
        try contentID.renew(in: files[contentID.file])
        try files[contentID.file].flush()
    }
}

/// Where a disk says that a list of its changed blocks is kept. A change from outside is not in that list, so that the next
/// incremental backup would lack it; without the list the next backup is a full one.
struct VMDKChangeTracking: Sendable {
    /// The descriptor's file among the map's host files.
    var file: Int
    /// The descriptor's lines with the key, from the key to the end of the value.
    var lines: [Range<UInt64>]
    /// Extents whose header has the version that only tracking has, and the version that they get.
    var headers: [(file: Int, version: UInt8)]

    /// Makes the lines comments of the same length, and the headers what they were before. A cut leaves tracking off or on.
    func end(in files: [any ByteFile]) throws(StorageError) {
        // One byte makes a comment of a line; what is left of it goes when that is on disk.
        for line in lines { try files[file].write([UInt8(ascii: "#")], at: line.lowerBound) }
        try files[file].flush()
        for line in lines where line.count > 1 {
            try files[file].write(
                [UInt8](repeating: UInt8(ascii: " "), count: line.count - 1), at: line.lowerBound + 1)
        }
        for (file, version) in headers { try files[file].write([version], at: 4) }
        for file in Set([file] + headers.map(\.file)).sorted() { try files[file].flush() }
    }
}
