internal import Storage

/// The block table of a Parallels image: 32-bit entries, 0 for nothing.
struct ParallelsTable: ReadingTables {
    let header: ParallelsHeader
    private var pages: TablePages
    private let fileEnd: UInt64

    var byteCount: UInt64 { header.diskSize }

    init(_ file: any ByteFile, header: ParallelsHeader) {
        self.header = header
        fileEnd = file.byteCount
        pages = TablePages(byteCount: header.blockCount * 4) { (start, length) throws(StorageError) in
            try file.bytes(at: UInt64(ParallelsHeader.byteCount) + start, count: length)
        }
    }

    mutating func piece(at offset: UInt64) throws(StorageError) -> Extent {
        let block = offset / header.blockSize
        let start = block * header.blockSize
        let end = min(start + header.blockSize, byteCount)
        guard let host = try place(of: block) else { return Extent(range: offset..<end, kind: .zero) }
        let position = host + (offset - start)
        // A file that ends within a block: the rest was never written.
        guard position < fileEnd else { return Extent(range: offset..<end, kind: .zero) }
        let stop = min(end, offset + (fileEnd - position))
        return Extent(range: offset..<stop, kind: .plain(file: 0, offset: position))
    }

    /// Where a block lies; nil where it does not. Throws for a place outside of the file, or in the table.
    private mutating func place(of block: UInt64) throws(StorageError) -> UInt64? {
        let page = try pages.page(holding: block * 4)
        let within = Int(block * 4 % UInt64(TablePages.pageSize))
        guard within + 4 <= page.count else { return nil }
        let entry: UInt32 = page.little(within)
        guard entry != 0 else { return nil }
        let tableEnd = UInt64(ParallelsHeader.byteCount) + header.blockCount * 4
        guard let host = UInt64(entry) *? header.entryUnit, host >= tableEnd, host < fileEnd else {
            throw .parallels(
                .corrupt, .outsideFile,
                "block \(block) does not lie behind the table and in the file, which may be truncated",
                structure: "BAT", offset: UInt64(ParallelsHeader.byteCount) + block * 4)
        }
        return host
    }

    /// Looks at every entry.
    mutating func check(report: (Finding) -> Void) throws(StorageError) {
        var seen = PlacesInUse(fileByteCount: fileEnd, clusterSize: ParallelsHeader.sectorSize)
        if seen == nil {
            report(
                Finding(
                    .note, ParallelsCode.overlapUnknown,
                    PlacesInUse.tooLarge))
        }
        for block in 0..<header.blockCount {
            if block & 0xffff == 0 { try Cancellation.check() }
            do throws(StorageError) {
                guard let host = try place(of: block) else { continue }
                guard seen?.take(host, count: header.blockSize) == false else { continue }
                report(
                    Finding(
                        .parallels(
                            .corrupt, .overlap, "block \(block) lies where another one does",
                            structure: "BAT",
                            offset: UInt64(ParallelsHeader.byteCount) + block * 4)))
            } catch {
                guard error.kind == .corrupt else { throw error }
                report(Finding(error))
            }
        }
    }
}
