internal import Storage

extension QCOW2Tables {
    /// Makes everything written so far durable and lets the tables point at it. Whatever number of clusters was
    /// taken, there are at most five barriers, and a power cut between any two writes leaves at worst clusters
    /// that are counted and not used:
    ///
    /// 1. guest data, new tables, and refcounts that grow; nothing refers to any of it yet;
    /// 2. refcount table entries of new blocks, or the header's pointer to a refcount table that moved;
    /// 3. L1 and L2 entries: from here on the new data is the guest's;
    /// 4. refcounts that shrink, of what nothing refers to any more.
    mutating func commit() throws(StorageError) {
        guard session != nil else { return }
        try requireUnfailed()
        session?.hasFailed = true
        if pages.hasDirty(.mapping) { try clearAutoclear() }
        if let session, session.hasTakenClusters, !file.hasFixedLength,
            file.byteCount < session.allocationEnd
        {
            // The last cluster's tail: whole clusters only, as checkers expect.
            try file.truncate(to: session.allocationEnd)
        }
        try pages.write(.groundwork)
        try file.flush()
        if session?.hasMovedRefcountTable == true {
            try writeRefcountTablePointer()
            try file.flush()
            session?.hasMovedRefcountTable = false
        } else if pages.hasDirty(.refcountTable) {
            try pages.write(.refcountTable)
            try file.flush()
        }
        if pages.hasDirty(.mapping) {
            try pages.write(.mapping)
            try file.flush()
        }
        pages.settle()
        try releaseFreed()
        session?.hasTakenClusters = false
        session?.hasFailed = false
    }

    /// Writes all changed tables without barriers: for a new image, which is nothing before its first commit.
    mutating func writeAll() throws(StorageError) {
        if let end = session?.allocationEnd, file.byteCount < end { try file.truncate(to: end) }
        try applyFreed()
        for phase in QCOW2Phase.allCases { try pages.write(phase) }
        pages.settle()
    }

    /// Offset and size in one write of 12 bytes, which lie in one sector.
    private func writeRefcountTablePointer() throws(StorageError) {
        var bytes = [UInt8](repeating: 0, count: 12)
        bytes.storeBig(header.refcountTableOffset, at: 0)
        bytes.storeBig(header.refcountTableClusters, at: 8)
        try file.write(bytes, at: UInt64(QCOW2Header.Field.refcountTableOffset))
    }

    private mutating func releaseFreed() throws(StorageError) {
        guard session?.freed.isEmpty == false else { return }
        try applyFreed()
        try pages.write(.groundwork)
        try file.flush()
        pages.settle()
    }

    /// Takes one reference from each freed cluster, in memory.
    private mutating func applyFreed() throws(StorageError) {
        guard let freed = session?.freed else { return }
        session?.freed = []
        for range in freed {
            for cluster in range {
                // Checked to be one at least when it was noted; a shared compressed cluster can be damaged still.
                let count = try refcount(of: cluster)
                if count > 0 { try setRefcounts(cluster..<cluster + 1, to: count - 1) }
            }
        }
    }
}
