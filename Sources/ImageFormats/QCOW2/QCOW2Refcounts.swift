internal import Storage

// Refcounts: a table of offsets of blocks, each a cluster full of counts of 1 to 64 bits.
// Layout: qemu docs/interop/qcow2.txt, "Host cluster management".

extension QCOW2Tables {
    /// Entries of the refcount table.
    var refcountTableCapacity: UInt64 { UInt64(header.refcountTableClusters) * header.clusterSize / 8 }

    /// Where refcount block `index` lies in the file; nil when there is none.
    mutating func refcountBlock(_ index: UInt64) throws(StorageError) -> UInt64? {
        guard index < refcountTableCapacity else { return nil }
        let block = try pages.entry(at: header.refcountTableOffset + index * 8) & ~UInt64(511)
        return block == 0 ? nil : block
    }

    /// How many references a cluster of the file has.
    mutating func refcount(of cluster: UInt64) throws(StorageError) -> UInt64 {
        let blockBits = UInt64(header.refcountBlockBits)
        guard let block = try refcountBlock(cluster >> blockBits) else { return 0 }
        let (base, slot) = refcountPlace(of: cluster & (1 << blockBits - 1), in: block)
        return QCOW2RefcountSlots(order: header.refcountOrder).load(slot, from: try pages.page(at: base))
    }

    /// The last slot of a block that is not zero.
    mutating func lastUsed(inBlock index: UInt64) throws(StorageError) -> UInt64? {
        guard let block = try refcountBlock(index) else { return nil }
        let slots = QCOW2RefcountSlots(order: header.refcountOrder)
        let perPage = slots.count(inBytes: pages.pageSize)
        var base = header.clusterSize
        while base > 0 {
            base -= UInt64(pages.pageSize)
            let page = try pages.page(at: block + base)
            if page.span8.isAllZero { continue }
            for slot in (0..<perPage).reversed() where slots.load(slot, from: page) != 0 {
                return base / UInt64(pages.pageSize) * UInt64(perPage) + UInt64(slot)
            }
        }
        return nil
    }

    /// Sets the refcount of clusters whose blocks exist.
    mutating func setRefcounts(_ clusters: Range<UInt64>, to value: UInt64) throws(StorageError) {
        let blockBits = UInt64(header.refcountBlockBits)
        let slots = QCOW2RefcountSlots(order: header.refcountOrder)
        let perPage = UInt64(slots.count(inBytes: pages.pageSize))
        var cluster = clusters.lowerBound
        while cluster < clusters.upperBound {
            guard let block = try refcountBlock(cluster >> blockBits) else {
                throw .qcow2(
                    .refcountZero, "a cluster in use has no refcount; repair it with qemu-img check -r all",
                    structure: "refcount table", offset: cluster << UInt64(header.clusterBits))
            }
            let (base, first) = refcountPlace(of: cluster & (1 << blockBits - 1), in: block)
            let count = min(perPage - UInt64(first), clusters.upperBound - cluster)
            let range = first..<first + Int(count)
            try pages.change(base, slots.bytes(of: range), phase: .groundwork) {
                for slot in range { slots.store(value, slot, in: &$0) }
            }
            cluster += count
        }
    }

    private func refcountPlace(of slot: UInt64, in block: UInt64) -> (base: UInt64, slot: Int) {
        let perPage = UInt64(QCOW2RefcountSlots(order: header.refcountOrder).count(inBytes: pages.pageSize))
        let (base, _) = pages.place(of: block + slot / perPage * UInt64(pages.pageSize))
        return (base, Int(slot % perPage))
    }

    // MARK: Taking clusters

    /// Takes `count` neighbouring clusters at the file's end and counts one reference to each.
    mutating func takeClusters(_ count: UInt64) throws(StorageError) -> UInt64 {
        guard let next = session?.next else { throw Self.noSession }
        let blocks = count >> UInt64(header.refcountBlockBits) + 2
        guard (next + count + blocks) << UInt64(header.clusterBits) <= allocationLimit else {
            throw .qcow2(
                file.hasFixedLength ? .deviceFull : .fileTooLarge,
                file.hasFixedLength
                    ? "the device has no room behind the image; enlarge it" : "the file would grow too large")
        }
        try ensureRefcountTable(for: next + count + blocks, taking: count)
        let first = session?.next ?? next
        session?.next = first + count
        session?.hasTakenClusters = true
        try coverByBlocks(first..<first + count)
        try setRefcounts(first..<first + count, to: 1)
        return first
    }

    /// Makes blocks for the counts of `clusters`, which were taken last. A new block lies behind them, and its
    /// own count may need another.
    private mutating func coverByBlocks(_ clusters: Range<UInt64>) throws(StorageError) {
        let blockBits = UInt64(header.refcountBlockBits)
        var end = clusters.upperBound
        var made: [UInt64] = []
        var index = clusters.lowerBound >> blockBits
        while index <= (end - 1) >> blockBits {
            if try refcountBlock(index) == nil {
                guard let cluster = session?.next else { throw Self.noSession }
                session?.next = cluster + 1
                session?.metadata.add(cluster)
                addZeroTable(at: cluster)
                try pages.store(
                    cluster << UInt64(header.clusterBits), at: header.refcountTableOffset + index * 8,
                    phase: .refcountTable)
                made.append(cluster)
                end = cluster + 1
            }
            index += 1
        }
        for cluster in made { try setRefcounts(cluster..<cluster + 1, to: 1) }
    }

    /// Moves the refcount table to a larger place when it has no entry for cluster `last`.
    private mutating func ensureRefcountTable(for last: UInt64, taking count: UInt64) throws(StorageError) {
        let blockBits = UInt64(header.refcountBlockBits)
        guard last >> blockBits >= refcountTableCapacity else { return }
        var clusters = UInt64(header.refcountTableClusters)
        var needed: UInt64
        repeat {
            clusters += max(1, clusters / 2)
            let more = clusters + count
            needed = (last + more + more >> blockBits + 2) >> blockBits + 1
        } while clusters * header.clusterSize / 8 < needed
        guard clusters * header.clusterSize <= QCOW2Header.refcountTableByteLimit,
            let first = session?.next
        else { throw .qcow2(.fileTooLarge, "the refcount table would grow past 8 MiB") }

        // A copy at a new place, which the header names once the copy is on the disk.
        let oldStart = header.refcountTableOffset
        let oldClusters = UInt64(header.refcountTableClusters)
        let newStart = first << UInt64(header.clusterBits)
        for index in 0..<clusters {
            if index < oldClusters {
                try copyTable(
                    from: oldStart + index * header.clusterSize, to: newStart + index * header.clusterSize)
            } else {
                addZeroTable(at: first + index)
            }
            session?.metadata.add(first + index)
        }
        session?.next = first + clusters
        session?.hasTakenClusters = true
        session?.hasMovedRefcountTable = true
        let oldFirst = oldStart >> UInt64(header.clusterBits)
        session?.free(oldFirst..<oldFirst + oldClusters)
        pages.discard(oldStart..<oldStart + oldClusters * header.clusterSize)
        header.refcountTableOffset = newStart
        header.refcountTableClusters = UInt32(clusters)
        try coverByBlocks(first..<first + clusters)
        try setRefcounts(first..<first + clusters, to: 1)
    }

    /// A cluster of zeros that becomes a table.
    mutating func addZeroTable(at cluster: UInt64) {
        let start = cluster << UInt64(header.clusterBits)
        let zeros = [UInt8](repeating: 0, count: pages.pageSize)
        for base in stride(from: start, to: start + header.clusterSize, by: pages.pageSize) {
            pages.add(zeros, at: base)
        }
    }

    /// A table's cluster at a new place.
    mutating func copyTable(from old: UInt64, to new: UInt64) throws(StorageError) {
        for index in stride(from: 0, to: header.clusterSize, by: pages.pageSize) {
            pages.add(try pages.page(at: old + index), at: new + index)
        }
    }

    static let noSession = StorageError.qcow2(.noSession, "writing has not begun")
}
