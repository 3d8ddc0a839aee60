package import Storage

extension VHDDriver {
    /// Fixed: the new footer goes behind the new end, then the old one becomes zeros. Dynamic and differencing: the
    /// table gets its entries (at the end of the file when they do not fit where it lies), the header names it, and
    /// the footers say the new size last. See `VHDGrowth`.
    package static func grow(_ image: OpenedImage, to byteCount: UInt64) throws(StorageError) {
        let map = image.disk.map
        guard let file = map.hostFiles.first else { return }
        guard byteCount <= createLimit else {
            throw .vhd(
                .refused, .sizeTooLarge,
                "a VHD has 2040 GiB at most, not \(byteCount) bytes; convert it to VHDX, which goes to 64 TiB",
                path: file.path)
        }
        let disk = try VHDDisk(file)
        if let refusal = disk.placement.writeRefusal { throw refusal }
        if let map = map as? VHDDynamicMap {
            var growth = VHDGrowth(disk: disk, map: map)
            try growth.run(to: byteCount, parent: image.disk.parent)
        } else {
            try growFixed(disk, from: map.byteCount, to: byteCount)
        }
    }

    /// Between the two steps the sector behind the old end shows the old footer.
    private static func growFixed(
        _ disk: VHDDisk, from old: UInt64, to byteCount: UInt64
    ) throws(StorageError) {
        let file = disk.file
        let end = disk.placement.endOffset
        // Between the disk's end and the footer there may be room that a rounded geometry left out.
        let room = old..<min(end, byteCount)
        if !room.isEmpty { try file.writeZeroes(at: room.lowerBound, count: UInt64(room.count)) }
        try file.write(disk.footer.resized(to: byteCount).bytes, at: max(end, byteCount))
        try file.flush()
        guard byteCount > end else { return }
        try file.write([UInt8](repeating: 0, count: Int(min(byteCount - end, 512))), at: end)
        try file.flush()
    }
}

/// Makes a dynamic or differencing disk longer. What a power cut can leave, at any point: the old disk or the new
/// one, and room at the end of the file that nothing names.
///
///  1. what lies in the last block behind the disk's end becomes zeros; barrier,
///  2. new entries where the table has room for them; or the file gets a footer at a new end, barrier, and a copy
///     of the table (and of XenServer's batmap) before it; barrier,
///  3. the header's first sector, which names the table's place and size; barrier,
///  4. the footer at the end, barrier, and its copy at the start.
private struct VHDGrowth {
    let disk: VHDDisk
    let map: VHDDynamicMap
    private var file: any ByteFile { disk.file }
    private var header: VHDDynamicHeader { map.header }
    private var footerOffset: UInt64 = 0

    init(disk: VHDDisk, map: VHDDynamicMap) {
        self.disk = disk
        self.map = map
        footerOffset = disk.placement.endOffset
    }

    mutating func run(to byteCount: UInt64, parent: (any BlockDevice)?) throws(StorageError) {
        guard let entries = UInt32(exactly: byteCount.dividedRoundingUp(by: map.blockSize)) else {
            throw .vhd(
                .refused, .tableTooLarge,
                "blocks of \(map.blockSize) bytes are too small for so large a disk",
                structure: "dynamic disk header", field: "block size", offset: map.headerOffset)
        }
        try clearLastBlock(parent)
        try clearEntries(from: map.blockCount, to: UInt64(min(entries, header.tableEntries)))
        if entries > header.tableEntries {
            var table = header.tableOffset
            let room = (table + UInt64(header.tableEntries) * 4).dividedRoundingUp(by: 512) * 512 - table
            if UInt64(entries) * 4 <= room {
                try clearEntries(from: UInt64(header.tableEntries), to: UInt64(entries))
            } else {
                table = try moveTable(entries)
            }
            try file.flush()
            let changed = header.resized(entries: entries, tableOffset: table)
            try file.write(changed.bytes.span8.extracting(0..<512), at: map.headerOffset)
        }
        try file.flush()
        let footer = disk.footer.resized(to: byteCount)
        try file.write(footer.bytes, at: footerOffset)
        try file.flush()
        try file.write(footer.bytes, at: 0)
        try file.flush()
    }

    /// A last block that was cut off at the disk's end cannot become whole where it lies.
    private func clearLastBlock(_ parent: (any BlockDevice)?) throws(StorageError) {
        let whole = VHDDynamicMap(
            file, footer: disk.placement, header: header, byteCount: map.blockCount * map.blockSize,
            batmap: map.batmap, writeRefusal: nil)
        do throws(StorageError) {
            try whole.checkTable(limit: disk.placement.endOffset)
        } catch {
            guard error.kind == .corrupt else { throw error }
            throw .vhd(
                .refused, .lastBlockCut,
                "the last block has no room for the bytes behind the disk's end (\(error.message)); "
                    + "a copy of the disk can be made longer",
                structure: "block allocation table", offset: error.offset, path: file.path,
                remedies: [.convert(options: [])])
        }
        try Image(map: whole, parent: parent).clear(from: map.byteCount)
    }

    /// Entries behind the disk's last block may hold anything.
    private func clearEntries(from first: UInt64, to end: UInt64) throws(StorageError) {
        var index = first
        while index < end {
            let count = Int(min(end - index, 1 << 14))
            let unused = [UInt8](repeating: 0xff, count: count * 4)
            let place = header.tableOffset + index * 4
            if try file.availableBytes(at: place, count: unused.count) != unused {
                try file.write(unused, at: place)
            }
            index += UInt64(count)
        }
    }

    /// Copies the table to where the footer was, with room for `entries`, and returns its place.
    private mutating func moveTable(_ entries: UInt32) throws(StorageError) -> UInt64 {
        let from = footerOffset
        let start = from.dividedRoundingUp(by: 4096) * 4096
        let tableEnd = start + (UInt64(entries) * 4).dividedRoundingUp(by: 512) * 512
        let batmap = try map.batmap?.moved(to: tableEnd, entries: entries, in: file) ?? []
        footerOffset = (tableEnd + UInt64(batmap.count)).dividedRoundingUp(by: 512) * 512
        try file.write(disk.footer.bytes, at: footerOffset)
        try file.flush()
        try file.write([UInt8](repeating: 0, count: Int(start - from)), at: from)
        var index: UInt64 = 0
        while start + index * 4 < tableEnd {
            let count = Int(min((tableEnd - start) / 4 - index, 1 << 14))
            var bytes = [UInt8](repeating: 0xff, count: count * 4)
            if index < map.blockCount {
                let known = try file.bytes(
                    at: header.tableOffset + index * 4,
                    count: Int(min(UInt64(count), map.blockCount - index)) * 4)
                bytes.replaceSubrange(0..<known.count, with: known)
            }
            try file.write(bytes, at: start + index * 4)
            index += UInt64(count)
        }
        if !batmap.isEmpty { try file.write(batmap, at: tableEnd) }
        return start
    }
}
