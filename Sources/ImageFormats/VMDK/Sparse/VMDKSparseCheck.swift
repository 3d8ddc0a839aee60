internal import Storage

/// Checks a hosted sparse extent: both directories, both copies of every table, every grain's place, and space that
/// nothing names.
struct VMDKSparseCheck {
    let file: any ByteFile
    let header: VMDKSparseHeader
    let directory: VMDKGrainDirectory
    /// Taken bytes of the file in sectors, neighbours together.
    private var taken: [(range: Range<UInt64>, isMetadata: Bool)] = []
    private var mergeCount = mergeStep

    private static let mergeStep = 1 << 20
    /// An extent in more places than this, when neighbours are put together, is not one that was written.
    private static let rangeLimit = 4 << 20

    init(_ file: any ByteFile, _ header: VMDKSparseHeader) throws(StorageError) {
        self.file = file
        self.header = header
        directory = try VMDKGrainDirectory(file, header: header)
    }

    private var sector: UInt64 { VMDKSparseHeader.sectorSize }
    private var fileSectors: UInt64 { file.byteCount.dividedRoundingUp(by: sector) }

    mutating func run(_ report: (Finding) -> Void) throws(StorageError) {
        for warning in directory.warnings {
            tell(.damage, .damagedDirectory, warning, "grain directory", directory.offset, report)
        }
        if header.isUnclean, !header.isCompressed {
            tell(
                .note, .unclean, "was not closed properly; a write may have been cut off", "sparse header",
                header.uncleanOffset, report)
        }
        try takeMetadata()
        var seen = Set<UInt32>()
        for index in directory.entries.indices {
            let sector = directory.entries[index]
            guard sector != 0, UInt64(sector) < fileSectors else { continue }
            // A table that two entries name: told as an overlap, and walked once.
            guard seen.insert(sector).inserted else { continue }
            try checkTable(index, at: VMDKSector(sector).offset, report)
        }
        judgeSpace(report)
    }

    private func tell(
        _ severity: Severity, _ code: VMDKCode, _ message: String, _ structure: String,
        _ offset: UInt64, _ report: (Finding) -> Void
    ) {
        report(Finding(severity, code, message, structure: structure, offset: offset))
    }

    private mutating func take(_ bytes: Range<UInt64>, isMetadata: Bool = false) throws(StorageError) {
        let sectors = bytes.lowerBound / sector..<bytes.upperBound.dividedRoundingUp(by: sector)
        if let last = taken.last, last.range.upperBound == sectors.lowerBound, last.isMetadata == isMetadata {
            taken[taken.count - 1].range = last.range.lowerBound..<sectors.upperBound
        } else {
            taken.append((sectors, isMetadata))
            if taken.count >= mergeCount { try mergeTaken() }
        }
    }

    /// Puts together what touches; grains that were written in any order make few ranges.
    private mutating func mergeTaken() throws(StorageError) {
        taken.sort { $0.range.lowerBound < $1.range.lowerBound }
        var merged: [(range: Range<UInt64>, isMetadata: Bool)] = []
        for next in taken {
            if let last = merged.last, last.range.upperBound == next.range.lowerBound,
                last.isMetadata == next.isMetadata
            {
                merged[merged.count - 1].range = last.range.lowerBound..<next.range.upperBound
            } else {
                merged.append(next)
            }
        }
        taken = merged
        guard taken.count <= Self.rangeLimit else {
            throw .memoryBound(
                "vmdk",
                "its grains lie in more than \(Self.rangeLimit) places, too scattered to be checked in bounded memory",
                structure: "grain table")
        }
        mergeCount = taken.count + Self.mergeStep
    }

    private mutating func takeMetadata() throws(StorageError) {
        try take(0..<header.ownByteCount, isMetadata: true)
        if let range = header.descriptorRange { try take(range, isMetadata: true) }
        let size = UInt64(header.tableCount) * 4
        for (offset, entries) in [
            (directory.redundantOffset, directory.redundantEntries), (directory.offset, directory.entries),
        ] {
            guard let offset, !entries.isEmpty else { continue }
            try take(offset..<offset + size, isMetadata: true)
            for entry in entries where entry != 0 {
                let start = VMDKSector(entry).offset
                try take(start..<start + UInt64(header.tableByteCount), isMetadata: true)
            }
        }
    }

    private mutating func checkTable(
        _ index: Int, at offset: UInt64, _ report: (Finding) -> Void
    ) throws(StorageError) {
        let size = header.tableByteCount
        let table = try file.availableBytes(at: offset, count: size).littleEndianWords
        var copy = table
        if directory.redundantEntries.indices.contains(index), directory.redundantEntries[index] != 0 {
            copy = try file.availableBytes(
                at: VMDKSector(directory.redundantEntries[index]).offset, count: size
            ).littleEndianWords
        }
        for slot in table.indices {
            let (entry, other) = (table[slot], slot < copy.count ? copy[slot] : 0)
            if entry != other {
                // An order of writes that was cut off leaves one of the two empty; the first counts.
                let isHarmless = entry <= 1 || other <= 1
                tell(
                    isHarmless ? .note : .damage, .tablesDiffer,
                    "entry \(slot) of grain table \(index) is \(entry) and \(other) in its copy",
                    "grain table",
                    offset + UInt64(slot) * 4, report)
            }
            guard !header.isPlaceless(entry) else { continue }
            let start = UInt64(index) * header.tableSpan + UInt64(slot) * header.grainSize
            guard start < header.byteCount else { continue }
            try takeGrain(entry, guest: start, at: offset + UInt64(slot) * 4, report)
        }
    }

    private mutating func takeGrain(
        _ entry: UInt32, guest: UInt64, at place: UInt64, _ report: (Finding) -> Void
    ) throws(StorageError) {
        let start = VMDKSector(entry).offset
        var size = min(header.grainSize, header.byteCount - guest)
        if header.isCompressed {
            let extent = VMDKSparseExtent(file, fileIndex: 0, header: header, directory: directory)
            do throws(StorageError) {
                guard
                    case .compressed(let unit) = try extent.compressedGrain(at: guest, entry: entry, base: 0)
                        .kind
                else { return }
                size = unit.hostRange.upperBound - start
            } catch {
                guard error.kind == .corrupt else { throw error }
                return report(Finding(error))
            }
        }
        guard start < file.byteCount, size <= file.byteCount - start else {
            return tell(
                .damage, .grainPlace, "the grain of guest byte \(guest) lies past the end of the file",
                "grain table", place, report)
        }
        // A writer rounds up to whole grains, where the file goes on.
        try take(start..<min(start + (header.isCompressed ? size : header.grainSize), file.byteCount))
    }

    /// Overlaps, and gaps of a grain and more behind the first grain or at the end.
    private mutating func judgeSpace(_ report: (Finding) -> Void) {
        taken.sort { $0.range.lowerBound < $1.range.lowerBound }
        var end: UInt64 = 0
        var endIsMetadata = false
        var hasGrains = false
        var leaked: UInt64 = 0
        for (range, isMetadata) in taken {
            if range.lowerBound < end {
                let code: VMDKCode = isMetadata || endIsMetadata ? .grainInMetadata : .grainsOverlap
                tell(
                    .damage, code,
                    code == .grainsOverlap
                        ? "two grains share bytes of the file"
                        : "a table or the header shares bytes of the file",
                    "grain table", range.lowerBound * sector, report)
            } else if hasGrains, range.lowerBound - end >= header.grainSize / sector {
                leaked += range.lowerBound - end
            }
            if !isMetadata { hasGrains = true }
            if range.upperBound > end {
                end = range.upperBound
                endIsMetadata = isMetadata
            }
        }
        let isStream = header.isCompressed
        var written = fileSectors
        if let free = header.freeOffset {
            // What lies behind the next free sector is room that ESX has reserved.
            written = min(written, free / sector)
            if free / sector < end {
                tell(
                    .damage, .freeSector,
                    "the next free sector is \(free / sector), and the file is in use up to sector \(end): ESX would write over what lies between",
                    "COWD header", VMDKSparseHeader.freeSectorOffset, report)
            }
        }
        // Grains as small as a sector leave smaller gaps than a table is long.
        let gap = max(header.grainSize, UInt64(header.tableByteCount)) / sector
        if !isStream, written > end, written - end >= gap { leaked += written - end }
        guard leaked > 0, !isStream else { return }
        tell(
            .leak, .leakedSpace, "\(leaked * sector) bytes of the file belong to no grain", "file",
            end * sector,
            report)
    }
}
