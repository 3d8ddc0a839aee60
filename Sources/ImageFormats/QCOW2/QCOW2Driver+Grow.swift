package import Storage

extension QCOW2Driver {
    /// The L1 table gets its entries, at a new place when they do not fit where it lies; then size and table change
    /// in one sector of the header, and the old table's clusters are given back.
    package static func grow(_ image: OpenedImage, to byteCount: UInt64) throws(StorageError) {
        guard let file = image.disk.map.hostFiles.first else { return }
        let old = image.disk.byteCount
        var header = try QCOW2Header(reading: file)
        try header.requireWritable()
        try QCOW2Tables.requireRoom(for: byteCount, header)
        // Entries of the tables that there are may name clusters behind the disk's end.
        let span = UInt64(header.l1Count) *? (1 << UInt64(header.clusterBits + header.l2Bits))
        let end = min(span ?? byteCount, byteCount)
        if end > old {
            header.virtualSize = end
            try Image(map: QCOW2Map(file: file, header: header), parent: image.disk.parent).clear(from: old)
        }
        var tables = QCOW2Tables(file: file, header: try QCOW2Header(reading: file))
        try tables.grow(to: byteCount)
    }
}

extension QCOW2Driver {
    package static var canShrink: Bool { true }

    /// The header's size changes, and nothing else: entries behind the end stay, and are made zeros when the disk grows
    /// again.
    package static func shrink(_ image: OpenedImage, to byteCount: UInt64) throws(StorageError) {
        guard let file = image.disk.map.hostFiles.first else { return }
        let header = try QCOW2Header(reading: file)
        try header.requireWritable()
        var tables = QCOW2Tables(file: file, header: header)
        try tables.shrink(to: byteCount)
    }
}

extension QCOW2Tables {
    fileprivate mutating func shrink(to byteCount: UInt64) throws(StorageError) {
        try beginSession()
        try clearAutoclear()
        try commit()
        header.virtualSize = byteCount
        try writeSize()
        try file.flush()
    }

    /// L1 entries that a disk needs.
    private static func entryCount(for byteCount: UInt64, _ header: QCOW2Header) -> UInt64 {
        byteCount.dividedRoundingUp(by: header.clusterSize).dividedRoundingUp(by: 1 << UInt64(header.l2Bits))
    }

    fileprivate static func requireRoom(
        for byteCount: UInt64, _ header: QCOW2Header
    ) throws(StorageError) {
        guard byteCount <= UInt64(Int64.max),
            entryCount(for: byteCount, header) <= QCOW2Header.l1ByteLimit / 8
        else {
            throw .qcow2(
                .growthLimit,
                "a disk of \(byteCount) bytes does not fit into clusters of \(header.clusterSize) bytes, but into "
                    + "larger ones", structure: "header", field: "l1_size",
                remedies: [.convert(options: ["cluster_size=2M"])])
        }
    }

    /// Makes the disk longer. A power cut leaves the old disk or the new one, and clusters that are counted and not
    /// used at worst.
    fileprivate mutating func grow(to byteCount: UInt64) throws(StorageError) {
        try beginSession()
        try clearAutoclear()
        let entries = Self.entryCount(for: byteCount, header)
        let old = header
        let oldClusters = (UInt64(old.l1Count) * 8).dividedRoundingUp(by: old.clusterSize)
        var moved = false
        if entries * 8 > oldClusters * header.clusterSize {
            let clusters = (entries * 8).dividedRoundingUp(by: header.clusterSize)
            let place = try takeClusters(clusters) << UInt64(header.clusterBits)
            for index in 0..<clusters {
                let offset = index * header.clusterSize
                if index < oldClusters {
                    try copyTable(from: old.l1Offset + offset, to: place + offset)
                } else {
                    addZeroTable(at: (place + offset) >> UInt64(header.clusterBits))
                }
            }
            header.l1Offset = place
            moved = true
        }
        // What lies behind the entries in use may be anything.
        let inUse = UInt64(old.l1Count)
        let end = moved ? oldClusters * header.clusterSize / 8 : max(entries, inUse)
        for index in inUse..<max(end, inUse) where try pages.entry(at: header.l1Offset + index * 8) != 0 {
            try pages.store(0, at: header.l1Offset + index * 8, phase: .groundwork)
        }
        try commit()
        header.l1Count = UInt32(max(entries, inUse))
        header.virtualSize = byteCount
        try writeSize()
        try file.flush()
        guard moved, oldClusters > 0 else { return }
        let first = old.l1Offset >> UInt64(header.clusterBits)
        session?.free(first..<first + oldClusters)
        try commit()
    }

    /// Size, number of L1 entries and their place: 24 bytes of the header's first sector, in one write.
    private func writeSize() throws(StorageError) {
        typealias Field = QCOW2Header.Field
        let start = Field.virtualSize
        var bytes = try file.bytes(at: UInt64(start), count: Field.refcountTableOffset - start)
        bytes.storeBig(header.virtualSize, at: 0)
        bytes.storeBig(header.l1Count, at: Field.l1Count - start)
        bytes.storeBig(header.l1Offset, at: Field.l1Offset - start)
        try file.write(bytes, at: UInt64(start))
    }
}
