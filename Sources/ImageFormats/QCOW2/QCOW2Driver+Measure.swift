package import Storage

extension QCOW2Driver {
    /// As qemu-img works it out: header, tables and refcounts for the whole disk, and the clusters that are not zeros.
    package static func measure(
        _ disk: (any BlockDevice)?, byteCount: UInt64, options: ImageCreateOptions
    ) throws(StorageError) -> ImageMeasure {
        let choice = try QCOW2CreateOptions(options)
        let size = disk?.byteCount ?? byteCount
        let layout = Layout(
            clusterBits: UInt64(choice.clusterBits), refcountOrder: UInt64(choice.refcountOrder))
        guard size <= UInt64(Int64.max) / 2, let whole = size.roundedUp(to: layout.clusterSize),
            layout.mappedClusters(whole) <= QCOW2Header.l1ByteLimit / 8
        else {
            throw .qcow2(.sizeTooLarge, "a disk of \(size) bytes does not fit into such clusters")
        }
        let tables = layout.tableBytes(whole)
        let used =
            try disk.map { (disk) throws(StorageError) in try usedBytes(disk, layout.clusterSize) } ?? 0
        return ImageMeasure(required: tables + used, fullyAllocated: tables + whole)
    }

    /// Bytes of the clusters in which anything but zeros may lie.
    private static func usedBytes(
        _ disk: any BlockDevice, _ clusterSize: UInt64
    ) throws(StorageError) -> UInt64 {
        var used: UInt64 = 0
        var position: UInt64 = 0
        while position < disk.byteCount {
            try Cancellation.check()
            let extent = try disk.nextExtent(at: position)
            var end = min(extent.range.upperBound, disk.byteCount)
            if extent.kind != .zero {
                end = end.dividedRoundingUp(by: clusterSize) * clusterSize
                used += end - position / clusterSize * clusterSize
            }
            position = end
        }
        return used
    }

    private struct Layout {
        let clusterBits: UInt64
        let refcountOrder: UInt64
        var clusterSize: UInt64 { 1 << clusterBits }
        /// Entries in a cluster of a table.
        var entries: UInt64 { clusterSize / 8 }

        /// Clusters of L2 tables, of which each has an entry in the L1 table.
        func mappedClusters(_ byteCount: UInt64) -> UInt64 {
            (byteCount / clusterSize).dividedRoundingUp(by: entries)
        }

        /// Everything that is not the guest's.
        func tableBytes(_ byteCount: UInt64) -> UInt64 {
            let tables = mappedClusters(byteCount)
            let meta = 1 + tables + tables.dividedRoundingUp(by: entries)
            let clusters = byteCount / clusterSize + meta
            let countsInBlock = (clusterSize * 8) >> refcountOrder
            var (blocks, table, last): (UInt64, UInt64, UInt64) = (0, 0, 0)
            // The blocks count themselves and their table.
            while true {
                blocks = (clusters + table + blocks).dividedRoundingUp(by: countsInBlock)
                table = blocks.dividedRoundingUp(by: entries)
                let sum = clusters + blocks + table
                if sum == last { break }
                last = sum
            }
            return (meta + blocks + table) * clusterSize
        }
    }
}
