internal import Storage

extension QCOW2Tables {
    /// Entries that one call of `prepareWriting` looks at.
    private static let targetScanLimit = 64
    /// Guest bytes that one allocation covers at most.
    private static let allocationByteLimit: UInt64 = 64 << 20
    /// Changed tables are kept in memory up to here; then what was chosen so far is committed first.
    private static let changeBudget = 32 << 20

    /// In place where the cluster is the image's alone and plain; else at a new place.
    mutating func prepareWriting(at offset: UInt64) throws(StorageError) -> WriteTarget {
        guard session != nil else { throw Self.noSession }
        let bits = UInt64(header.clusterBits)
        var run = QCOW2Run(first: QCOW2GuestCluster(offset >> bits), header: header)
        try scan(&run, limit: Self.targetScanLimit)
        let start = run.first.rawValue << bits
        guard case .plain(let host, true) = run.entry else {
            let end = min((run.first.rawValue + run.count) << bits, header.virtualSize)
            return .allocate(unit: header.clusterSize, end: end)
        }
        let first = host >> bits
        let fileEnd = clustersEnd.dividedRoundingUp(by: header.clusterSize)
        guard first < fileEnd else { throw run.beyondEnd(host) }
        let count = min(run.count, fileEnd - first)
        try requireSoleOwner(first..<first + count, guest: offset)
        let end = min((run.first.rawValue + count) << bits, header.virtualSize)
        try clearAutoclear()
        return .inPlace(file: 0, offset: host + (offset - start), end: end)
    }

    /// Guest data goes only to clusters that one entry refers to and no table lies in.
    private mutating func requireSoleOwner(
        _ clusters: Range<UInt64>, guest offset: UInt64
    ) throws(StorageError) {
        try requireNoMetadata(clusters)
        for cluster in clusters where try refcount(of: cluster) != 1 {
            throw .qcow2(
                .copiedFlag,
                "a cluster is said to be this disk's alone and its refcount is not 1; "
                    + "repair the image with qemu-img check -r all", structure: "refcount block",
                offset: cluster << UInt64(header.clusterBits))
        }
    }

    private func requireNoMetadata(_ clusters: Range<UInt64>) throws(StorageError) {
        guard let session, session.metadata.intersects(clusters) else { return }
        throw .qcow2(
            .clusterOverlapsMetadata,
            "guest data lies where a table of the image is; repair it with qemu-img check -r all",
            structure: "L2 table", offset: clusters.lowerBound << session.clusterBits)
    }

    /// Chooses neighbouring clusters at the file's end. In memory only: see `commit`.
    mutating func allocate(_ range: Range<UInt64>) throws(StorageError) -> Allocation {
        guard let held = session?.freed.count else { throw Self.noSession }
        let bits = UInt64(header.clusterBits)
        try requireUnfailed()
        let size = header.clusterSize
        guard !range.isEmpty, range.lowerBound % size == 0, range.upperBound <= header.virtualSize,
            range.upperBound % size == 0 || range.upperBound == header.virtualSize
        else {
            throw .qcow2(
                .unalignedAllocation, "space comes in whole clusters", offset: range.lowerBound)
        }
        if pages.dirtyByteCount + held * 16 > Self.changeBudget { try commit() }
        let first = range.lowerBound >> bits
        let end = range.upperBound.dividedRoundingUp(by: size)
        let count = min(end - first, max(1, Self.allocationByteLimit / size))
        let clusters = QCOW2GuestCluster(first)..<QCOW2GuestCluster(first + count)

        let freed = try placesToFree(clusters)
        let l2Bits = UInt64(header.l2Bits)
        for index in first >> l2Bits...(first + count - 1) >> l2Bits {
            try ensureOwnL2Table(index)
        }
        let host = try takeClusters(count) << bits
        try storeEntries(clusters, host: host)
        for place in freed { session?.free(place) }
        forgetExtent()
        let stop = min((first + count) << bits, header.virtualSize)
        return Allocation(range: range.lowerBound..<stop, file: 0, offset: host)
    }

    /// The clusters of the file that these have now, which lose a reference: checked to have one.
    private mutating func placesToFree(
        _ clusters: Range<QCOW2GuestCluster>
    ) throws(StorageError) -> [Range<UInt64>] {
        let bits = UInt64(header.clusterBits)
        var places: [Range<UInt64>] = []
        var cluster = clusters.lowerBound
        while cluster < clusters.upperBound {
            var run = QCOW2Run(first: cluster, header: header)
            try scan(&run, limit: Self.targetScanLimit)
            let count = min(run.count, clusters.upperBound.rawValue - cluster.rawValue)
            switch run.entry {
            case .unallocated, .zero(nil): break
            case .plain(let host, _): places.append(host >> bits..<host >> bits + count)
            case .zero(let host?): places.append(host >> bits..<host >> bits + 1)
            case .compressed(let bytes):
                places.append(bytes.lowerBound >> bits..<(bytes.upperBound - 1) >> bits + 1)
            }
            cluster.rawValue += count
        }
        for place in places {
            try requireNoMetadata(place)
            for cluster in place where try refcount(of: cluster) == 0 {
                throw .qcow2(
                    .refcountZero, "a cluster in use has no refcount; repair it with qemu-img check -r all",
                    structure: "refcount block", offset: cluster << bits)
            }
        }
        return places
    }

    /// Makes L2 table `index`, or a copy when the one there is not this disk's alone.
    private mutating func ensureOwnL2Table(_ index: UInt64) throws(StorageError) {
        let bits = UInt64(header.clusterBits)
        let place = header.l1Offset + index * 8
        let old = try l2Table(of: index)
        if let old, try pages.entry(at: place) & QCOW2Entry.copiedFlag != 0 {
            guard try refcount(of: old >> bits) == 1 else {
                throw .qcow2(
                    .copiedFlag,
                    "an L2 table is said to be this disk's alone and its refcount is not 1; "
                        + "repair the image with qemu-img check -r all", structure: "L1 table", offset: place)
            }
            return
        }
        let cluster = try takeClusters(1)
        session?.metadata.add(cluster)
        if let old {
            try copyTable(from: old, to: cluster << bits)
            session?.free(old >> bits..<old >> bits + 1)
        } else {
            addZeroTable(at: cluster)
        }
        try pages.store(cluster << bits | QCOW2Entry.copiedFlag, at: place, phase: .mapping)
    }

    private mutating func storeEntries(
        _ clusters: Range<QCOW2GuestCluster>, host: UInt64
    ) throws(StorageError) {
        let l2Bits = UInt64(header.l2Bits)
        let size = header.clusterSize
        var value = host | QCOW2Entry.copiedFlag
        var cluster = clusters.lowerBound.rawValue
        let end = clusters.upperBound.rawValue
        while cluster < end {
            guard let table = try l2Table(of: cluster >> l2Bits) else { throw Self.noSession }
            let (base, index) = pages.place(of: table + cluster & (1 << l2Bits - 1) * 8)
            let count = min((pages.pageSize - index) / 8, Int(end - cluster))
            try pages.change(base, index..<index + count * 8, phase: .mapping) {
                for entry in 0..<count { $0.storeBig(value + UInt64(entry) * size, at: index + entry * 8) }
            }
            value += UInt64(count) * size
            cluster += UInt64(count)
        }
    }

    func requireUnfailed() throws(StorageError) {
        guard session?.hasFailed == true else { return }
        throw .qcow2(
            .sessionFailed,
            "an earlier write to the image failed; open it again (nothing is lost, "
                + "but space may leak until qemu-img check -r leaks)")
    }
}
