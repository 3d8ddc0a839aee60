internal import Storage

/// The grain directories of a sparse extent: for every grain table the sector at which it lies, 0 for none. Two
/// directories lead to two copies of each table; either is enough to read the disk.
struct VMDKGrainDirectory: Sendable {
    /// Where the directory lies in the file.
    let offset: UInt64
    /// Where its copy lies; nil: there is none.
    let redundantOffset: UInt64?
    /// A sector for each table.
    var entries: [UInt32]
    /// The same for the copies; empty when there are none.
    var redundantEntries: [UInt32]
    /// What had to be replaced or is lost.
    private(set) var warnings: [String] = []
    /// Whether the two must not be changed before they have been repaired.
    private(set) var isDamaged = false

    /// Reads the directories that `header` names, falling back on the copy where the first is damaged. An entry
    /// that neither has is left as it is and fails when it is used.
    init(_ file: any ByteFile, header: VMDKSparseHeader) throws(StorageError) {
        let primary = header.directoryOffset ?? 0
        offset = primary
        redundantOffset = header.redundantDirectoryOffset
        let limit = file.byteCount
        let (first, failure) = Self.read(file, at: primary, header)
        let (second, _) =
            header.redundantDirectoryOffset.map {
                Self.read(file, at: $0, header)
            } ?? (nil, nil)
        func isPlausible(_ entry: UInt32) -> Bool {
            entry == 0 || VMDKSector(entry).offset + UInt64(header.tableByteCount) <= limit
        }
        redundantEntries = second ?? []
        guard let first else {
            guard let second, second.allSatisfy(isPlausible) else {
                throw failure ?? Self.misplaced(primary, file)
            }
            entries = second
            isDamaged = true
            warnings = ["the grain directory is damaged; its redundant copy is used"]
            return
        }
        entries = first
        var replaced = 0
        var lost = 0
        for index in first.indices where !isPlausible(first[index]) {
            isDamaged = true
            if let copy = second?[index], copy != 0, isPlausible(copy) {
                entries[index] = copy
                replaced += 1
            } else {
                lost += 1
            }
        }
        if replaced > 0 {
            warnings.append(
                "\(replaced) entries of the grain directory are damaged; the redundant copy is used for them")
        }
        if lost > 0 {
            warnings.append("\(lost) entries of the grain directory are damaged; their data cannot be read")
        }
        if header.redundantDirectoryOffset != nil, second?.allSatisfy(isPlausible) != true {
            isDamaged = true
            warnings.append("the redundant grain directory is damaged")
        }
    }

    /// A directory that `create` has just laid out.
    init(offset: UInt64, entries: [UInt32], redundantOffset: UInt64, redundantEntries: [UInt32]) {
        self.offset = offset
        self.entries = entries
        self.redundantOffset = redundantOffset
        self.redundantEntries = redundantEntries
    }

    /// A directory in place of one that is lost, of which `warning` tells.
    init(found entries: [UInt32], warning: String) {
        offset = 0
        redundantOffset = nil
        self.entries = entries
        redundantEntries = []
        warnings = [warning]
        isDamaged = true
    }

    private static func read(
        _ file: any ByteFile, at offset: UInt64, _ header: VMDKSparseHeader
    ) -> ([UInt32]?, StorageError?) {
        let count = header.tableCount
        // It is at most `VMDKSparseHeader.directoryLimit`; still, nothing is allocated that the file has not.
        guard offset >= header.ownByteCount, let end = offset +? UInt64(count) * 4,
            end <= file.byteCount
        else { return (nil, misplaced(offset, file)) }
        do throws(StorageError) {
            return (try file.bytes(at: offset, count: count * 4).littleEndianWords, nil)
        } catch {
            return (nil, error)
        }
    }

    private static func misplaced(_ offset: UInt64, _ file: any ByteFile) -> StorageError {
        .vmdk(
            .corrupt, .directoryPlace, "the grain directory does not lie inside the file; is it truncated?",
            structure: "sparse header", field: "gdOffset", offset: offset, path: file.path)
    }
}

extension [UInt8] {
    /// The bytes as 32-bit little-endian numbers; a rest of fewer than four bytes is left out.
    var littleEndianWords: [UInt32] {
        let bytes = span8
        var words: [UInt32] = []
        words.reserveCapacity(count / 4)
        for index in 0..<count / 4 { words.append(bytes.little(index * 4)) }
        return words
    }
}
