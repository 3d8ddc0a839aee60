internal import Storage
internal import Synchronization

/// What is left of a stream whose directory or tables are lost, found by going from marker to marker: each grain says itself
/// which one it is. Behind damage the next sector that begins a grain is looked for.
///
/// Grains of zeros are left out of a stream, and its grains come in the order of the disk. So what lies between two grains that
/// follow one another is zeros; what lies behind the last one of a stream that is cut off, or beside damage, may have been anything.
struct VMDKStreamScan {
    private let file: any ByteFile
    private let header: VMDKSparseHeader
    /// The sectors of the grains that are there, by table; 0: not found.
    private(set) var tables: [Int: [UInt32]] = [:]
    /// How many they are.
    private(set) var grainCount: UInt64 = 0
    /// Bytes of the disk that nothing tells the contents of, in order.
    private(set) var lost: [Range<UInt64>] = []

    /// The disk's byte behind the last grain.
    private var end: UInt64 = 0
    private var isOrdered = true
    /// Something that is none of a stream's lay behind the last grain.
    private var isBroken = false
    /// The marker of the directory was come to: all grains lie before it.
    private var isComplete = false

    /// Tables in memory: those of 2 TiB with ordinary grains, 128 MiB. A stream in which few grains of each are left may need more.
    private static let tableLimit = 1 << 16
    /// Ranges that are lost.
    private static let rangeLimit = 1 << 20
    private static let pieceSize = 64 << 10

    private enum Step {
        case grain(start: UInt64, end: UInt64)
        case marker(end: UInt64)
        case directory(end: UInt64)
        case zeros
        case other
    }

    /// Goes over all of a file, whose header has markers.
    init(_ file: any ByteFile, _ header: VMDKSparseHeader) throws(StorageError) {
        self.file = file
        self.header = header
        var position = try start()
        while position < file.byteCount {
            try Cancellation.check()
            switch step(at: position) {
            case .grain(let start, let next):
                try take(start, at: position)
                position = next
            case .marker(let next): position = next
            case .directory(let next):
                isComplete = true
                position = next
            case .zeros where grainCount == 0 && !isBroken: position += VMDKSparseHeader.sectorSize
            case .zeros where isComplete: position = file.byteCount
            case .zeros, .other:
                isBroken = true
                position = next(behind: position)
            }
        }
        try close()
    }

    /// Where the grains begin: the header's word for it, or the end of the descriptor.
    private func start() throws(StorageError) -> UInt64 {
        let first = max(header.descriptorRange?.upperBound ?? 0, header.ownByteCount)
        let stated: UInt64 = try file.bytes(at: 64, count: 8).little(0)
        guard let offset = stated *? VMDKSparseHeader.sectorSize, offset >= first, offset <= file.byteCount
        else { return first }
        return offset
    }

    /// What a sector begins.
    private func step(at position: UInt64) -> Step {
        guard let bytes = try? file.availableBytes(at: position, count: 16), bytes.count == 16 else {
            return .other
        }
        return step(bytes[...], at: position)
    }

    private func step(_ head: ArraySlice<UInt8>, at position: UInt64) -> Step {
        let bytes = Array(head)
        let sector = VMDKSparseHeader.sectorSize
        let number: UInt64 = bytes.little(0)
        let size: UInt32 = bytes.little(8)
        guard size > 0 else {
            let kind: UInt32 = bytes.little(12)
            let tableSectors = UInt64(header.tableByteCount).dividedRoundingUp(by: sector)
            let directorySectors = (UInt64(header.tableCount) * 4).dividedRoundingUp(by: sector)
            switch VMDKStreamLayout.Marker(rawValue: kind) {
            case .table where number == tableSectors: return .marker(end: position + (1 + number) * sector)
            case .directory where number == directorySectors:
                return .directory(end: position + (1 + number) * sector)
            case .footer where number == 1: return .marker(end: position + 2 * sector)
            case .endOfStream where number == 0: return .zeros
            default: return .other
            }
        }
        guard let start = number *? sector, start % header.grainSize == 0, start < header.byteCount,
            UInt64(size) <= 2 * header.grainSize, bytes[12] & 15 == 8,
            (UInt16(bytes[12]) << 8 | UInt16(bytes[13])) % 31 == 0
        else { return .other }
        let end = position + 12 + UInt64(size)
        guard end <= file.byteCount, let next = end.roundedUp(to: sector) else { return .other }
        return .grain(start: start, end: next)
    }

    /// The next sector behind `position` that begins a grain or a marker; the file's end where there is none.
    private func next(behind position: UInt64) -> UInt64 {
        let sector = Int(VMDKSparseHeader.sectorSize)
        var start = position + UInt64(sector)
        while start < file.byteCount {
            // What cannot be read is passed over.
            var count = Self.pieceSize
            var piece = try? file.availableBytes(at: start, count: count)
            if piece == nil {
                count = 4096
                piece = try? file.availableBytes(at: start, count: count)
            }
            let bytes = piece ?? []
            for offset in stride(from: 0, to: bytes.count, by: sector) where offset + 16 <= bytes.count {
                let place = start + UInt64(offset)
                switch step(bytes[offset..<offset + 16], at: place) {
                case .grain, .marker, .directory: return place
                case .zeros, .other: continue
                }
            }
            start += UInt64(count)
        }
        return file.byteCount
    }

    private mutating func take(_ start: UInt64, at position: UInt64) throws(StorageError) {
        guard let sector = VMDKSector(containing: position) else { return }
        if start < end { isOrdered = false }
        if isBroken, start > end { try lose(end..<start) }
        isBroken = false
        end = max(end, min(start + header.grainSize, header.byteCount))
        let (index, slot) = place(of: start)
        try makeTable(index)
        guard tables[index]?[slot] == 0 else { return }
        tables[index]?[slot] = sector.rawValue
        grainCount += 1
    }

    private mutating func close() throws(StorageError) {
        if isBroken || !isComplete, end < header.byteCount { try lose(end..<header.byteCount) }
        // Grains in no order say nothing of those that are not there.
        if !isOrdered, !lost.isEmpty { lost = [0..<header.byteCount] }
    }

    private mutating func lose(_ range: Range<UInt64>) throws(StorageError) {
        guard lost.count < Self.rangeLimit else {
            throw .memoryBound("vmdk", "the stream is damaged in more than \(Self.rangeLimit) places")
        }
        lost.append(range)
    }

    private mutating func makeTable(_ index: Int) throws(StorageError) {
        guard tables[index] == nil else { return }
        guard tables.count < Self.tableLimit else {
            throw .memoryBound(
                "vmdk", "what is left of the stream lies in more than \(Self.tableLimit) of its grain tables")
        }
        tables[index] = [UInt32](repeating: 0, count: header.entriesPerTable)
    }

    private func place(of start: UInt64) -> (index: Int, slot: Int) {
        let grain = start / header.grainSize
        return (Int(grain / UInt64(header.entriesPerTable)), Int(grain % UInt64(header.entriesPerTable)))
    }

    /// The extent that these grains come to. What is lost has entries that name no place of any file.
    mutating func extent(fileIndex: Int) throws(StorageError) -> VMDKSparseExtent {
        var entries = [UInt32](repeating: 0, count: header.tableCount)
        for range in lost {
            var start = range.lowerBound
            while start < range.upperBound {
                let (index, slot) = place(of: start)
                let tableEnd = min(UInt64(index + 1) * header.tableSpan, header.byteCount)
                let stop = min(tableEnd, range.upperBound)
                if slot == 0, stop == tableEnd, tables[index] == nil {
                    entries[index] = .max
                } else {
                    try makeTable(index)
                    let count = Int((stop - start).dividedRoundingUp(by: header.grainSize))
                    for slot in slot..<slot + count where tables[index]?[slot] == 0 {
                        tables[index]?[slot] = .max
                    }
                }
                start = stop
            }
        }
        let text =
            "the stream's grain directory is lost; \(grainCount) grains were found by going over the stream"
            + (isComplete ? "" : ", which is cut off")
        return VMDKSparseExtent(
            file, fileIndex: fileIndex, header: header,
            directory: VMDKGrainDirectory(found: entries, warning: text), tables: tables)
    }
}

extension VMDKSparseExtent {
    /// The extent in a file, with its header completed. To salvage a stream its grains are looked for, where its directory is
    /// lost, and beside its tables.
    static func open(
        _ file: any ByteFile, fileIndex: Int, header: VMDKSparseHeader, _ options: ImageOpenOptions
    ) throws(StorageError) -> VMDKSparseExtent {
        let canScan = options.isSalvage && header.isCompressed && header.hasMarkers
        let extent: VMDKSparseExtent
        do throws(StorageError) {
            let complete = try header.completed(byFooterOf: file)
            extent = VMDKSparseExtent(
                file, fileIndex: fileIndex, header: complete,
                directory: try VMDKGrainDirectory(file, header: complete))
            if canScan, extent.isDamaged {
                throw .vmdk(.corrupt, .grainTable, "tables are lost", path: file.path)
            }
        } catch {
            guard canScan, error.kind == .corrupt else { throw error }
            var scan = try VMDKStreamScan(file, header)
            return try scan.extent(fileIndex: fileIndex)
        }
        return canScan ? try extent.withGrainsOfNoTable() : extent
    }

    /// The extent with the grains that are there and that its tables do not name: a table that was lost reads as zeros.
    private func withGrainsOfNoTable() throws(StorageError) -> VMDKSparseExtent {
        let scan = try VMDKStreamScan(file, header)
        var tables: [Int: [UInt32]] = [:]
        var count = 0
        for (index, found) in scan.tables {
            var table =
                (try? self.table(index)) ?? nil ?? [UInt32](repeating: 0, count: header.entriesPerTable)
            var isMore = false
            for slot in found.indices where table[slot] == 0 && found[slot] != 0 {
                table[slot] = found[slot]
                isMore = true
                count += 1
            }
            if isMore { tables[index] = table }
        }
        guard count > 0 else { return self }
        let directory = state.withLock { $0.directory }
        return VMDKSparseExtent(
            file, fileIndex: fileIndex, header: header, directory: directory, tables: tables,
            warnings: ["\(count) grains were found that no grain table names"])
    }
}
