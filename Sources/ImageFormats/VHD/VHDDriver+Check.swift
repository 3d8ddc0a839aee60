package import Storage

extension VHDDriver {
    /// Footers, header, every table entry, sector bitmaps, the batmap, and space that nothing names.
    package static func check(
        _ file: any ByteFile, report: (Finding) -> Void
    ) throws(StorageError) {
        let disk: VHDDisk
        let batmap: VHDBatmap?
        do throws(StorageError) {
            disk = try VHDDisk(file)
            batmap =
                try disk.header.map { (header) throws(StorageError) in try VHDBatmap(in: file, header) }
                ?? nil
        } catch {
            guard error.kind == .corrupt else { throw error }
            return report(Finding(error))
        }
        for warning in disk.placement.warnings {
            report(
                Finding(
                    .damage, VHDCode.badChecksum, warning, structure: "footer",
                    offset: disk.placement.endOffset))
        }
        guard let header = disk.header else { return }
        let map = VHDDynamicMap(
            file, footer: disk.placement, header: header, byteCount: disk.byteCount, batmap: batmap,
            writeRefusal: nil)
        let check = VHDCheck(disk: disk, header: header, map: map)
        let blocks = try check.blocks(report)
        check.overlaps(blocks, report)
        for block in blocks { try check.bitmap(of: block, report) }
        try check.batmap(blocks, report)
        try check.leaks(blocks, report)
    }
}

/// The parts of a dynamic disk's check.
private struct VHDCheck {
    let disk: VHDDisk
    let header: VHDDynamicHeader
    let map: VHDDynamicMap

    struct Block {
        var number: UInt64
        var sector: UInt32
        var start: UInt64 { UInt64(sector) * 512 }
    }

    /// With blocks of 2 MiB, as every writer makes them, a disk has a million at most.
    private static let blockLimit = 8 << 20

    private func entryOffset(_ block: UInt64) -> UInt64 { header.tableOffset + block * 4 }

    /// The blocks that have a possible place, by place.
    func blocks(_ report: (Finding) -> Void) throws(StorageError) -> [Block] {
        var found: [Block] = []
        let perRead: UInt64 = 1 << 14
        var first: UInt64 = 0
        while first < map.blockCount {
            let count = Int(min(perRead, map.blockCount - first))
            let entries = try disk.file.bytes(at: entryOffset(first), count: count * 4)
            for slot in 0..<count {
                let sector: UInt32 = entries.big(slot * 4)
                guard sector != VHDDynamicMap.unused else { continue }
                let block = Block(number: first + UInt64(slot), sector: sector)
                do throws(StorageError) {
                    try map.check(sector, of: block.number, limit: disk.placement.endOffset)
                    found.append(block)
                    guard found.count <= Self.blockLimit else {
                        throw .memoryBound(
                            VHDCode.layer,
                            "it has more than \(Self.blockLimit) blocks, too many to be checked",
                            structure: "block allocation table", offset: entryOffset(block.number))
                    }
                } catch {
                    guard error.isAboutImage else { throw error }
                    report(Finding(error))
                }
            }
            first += UInt64(count)
        }
        return found.sorted { $0.sector < $1.sector }
    }

    func overlaps(_ blocks: [Block], _ report: (Finding) -> Void) {
        for (low, high) in zip(blocks, blocks.dropFirst())
        where high.start - low.start < map.bitmapSize + map.length(of: low.number) {
            report(
                Finding(
                    .damage, VHDCode.blocksOverlap,
                    "blocks \(low.number) and \(high.number) overlap in the file",
                    structure: "block allocation table", offset: entryOffset(high.number)))
        }
    }

    /// A dynamic disk's clear bit means zeros, and some readers show what lies under it all the same.
    func bitmap(of block: Block, _ report: (Finding) -> Void) throws(StorageError) {
        guard !map.isDifferencing else { return }
        let bits = try disk.file.bytes(at: block.start, count: Int(map.bitmapSize))
        let limit = Int(map.length(of: block.number) / 512)
        var bit = 0
        while bit < limit {
            let run = SectorBits.run(bits, from: bit, limit: limit, order: VHDDynamicMap.bitOrder)
            var position = bit
            while !run.isSet, position < run.end {
                let count = min(run.end - position, 2048)
                let place = map.dataOffset(block.sector) + UInt64(position) * 512
                let bytes = try disk.file.bytes(at: place, count: count * 512)
                guard bytes.span8.isAllZero else {
                    return report(
                        Finding(
                            .note, VHDCode.dataUnderClearBits,
                            "block \(block.number) has data in sectors that its bitmap says are zeros; Windows and "
                                + "this program show zeros, qemu shows the data", structure: "sector bitmap",
                            offset: block.start))
                }
                position += count
            }
            bit = run.end
        }
    }

    func batmap(_ blocks: [Block], _ report: (Finding) -> Void) throws(StorageError) {
        guard let batmap = map.batmap else { return }
        let full = map.fullBitmap
        for block in blocks where try batmap.promises(block.number, in: disk.file) {
            guard try disk.file.bytes(at: block.start, count: full.count) != full else { continue }
            report(
                Finding(
                    .damage, VHDCode.batmapLies,
                    "the batmap says that block \(block.number) is whole, and its bitmap says that it is not",
                    structure: "batmap", offset: batmap.mapOffset + block.number / 8))
        }
    }

    /// Space between the tables and the footer that no block takes. Gaps of less than two pages are alignment.
    func leaks(_ blocks: [Block], _ report: (Finding) -> Void) throws(StorageError) {
        var end = header.tableOffset + UInt64(header.tableEntries) * 4
        for range in map.batmap?.ranges ?? [] { end = max(end, range.start + range.count) }
        for index in 0..<VHDParentLocator.count {
            guard let locator = VHDParentLocator(header, index), locator.offset < disk.file.byteCount else {
                continue
            }
            // The space is at least a page in practice, and 64 KiB in Windows' own files.
            end = max(end, locator.offset + max(UInt64(locator.length), UInt64(VHDParentLocator.lengthLimit)))
        }
        var leaked: UInt64 = 0
        for block in blocks {
            if block.start > end, block.start - end >= 8192 { leaked += block.start - end }
            // The last block is whole in the file, however little of it the disk has.
            end = max(end, block.start + map.bitmapSize + map.blockSize)
        }
        if disk.placement.endOffset > end, disk.placement.endOffset - end >= 8192 {
            leaked += disk.placement.endOffset - end
        }
        guard leaked > 0 else { return }
        report(
            Finding(.leak, VHDCode.leakedSpace, "\(leaked) bytes of the file belong to no block"))
    }
}
