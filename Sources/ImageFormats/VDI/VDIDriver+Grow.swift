package import Storage

extension VDIDriver {
    /// The map gets its entries where there is room between it and the data; the header says the new size last, in one
    /// sector. A power cut leaves the old disk or the new one, and entries and space that nothing counts.
    package static func grow(_ image: OpenedImage, to byteCount: UInt64) throws(StorageError) {
        guard let map = image.disk.map as? VDIMap else { return }
        let file = map.file
        var header = try VDIHeader(reading: file)
        let blockCount = byteCount.dividedRoundingUp(by: map.blockSize)
        guard let blocks = UInt32(exactly: blockCount), blocks <= VDIHeader.blockLimit,
            header.mapOffset + blockCount * 4 <= header.dataOffset
        else {
            throw .vdi(
                .refused, .mapFull,
                "there is no room for the entries of \(blockCount) blocks between the block map and the data; copy "
                    + "the disk and resize the copy", structure: "block map", offset: header.mapOffset,
                path: file.path, remedies: [.convert(options: [])])
        }
        try clearLastBlock(of: image, header)
        // Writing gave it a new modification identifier, and may have given the last block a place.
        header = try VDIHeader(reading: file)
        var allocated = header.allocatedCount
        let old = min(UInt32(truncatingIfNeeded: map.blockCount), blocks)
        if header.kind == .fixed {
            let next = try VDIMap(file, header: header).checkTable()
            guard next.rawValue <= old, header.blockExtra == 0 else {
                throw .vdi(
                    .refused, .blocksOverlap,
                    "a static disk whose blocks do not follow each other does not grow",
                    structure: "block map", offset: header.mapOffset, path: file.path,
                    remedies: [.convert(options: [])])
            }
            try file.truncate(to: header.dataOffset + blockCount * map.blockSize)
            allocated = blocks
        }
        try writeMap(of: header, old..<blocks, isFixed: header.kind == .fixed, to: file)
        try file.flush()
        let resized = header.resized(
            to: byteCount, blockCount: max(blocks, header.blockCount), allocatedCount: allocated)
        try file.write(resized.bytes, at: 0)
        try file.flush()
    }

    /// What a writer left in the last block behind the disk's end must not show.
    private static func clearLastBlock(of image: OpenedImage, _ header: VDIHeader) throws(StorageError) {
        guard let map = image.disk.map as? VDIMap else { return }
        let whole = VDIMap(map.file, header: header, byteCount: map.blockCount * map.blockSize)
        try Image(map: whole, parent: image.disk.parent).clear(from: map.byteCount)
    }
}
