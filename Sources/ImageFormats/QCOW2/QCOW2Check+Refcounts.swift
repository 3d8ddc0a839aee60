internal import Storage

/// What the refcounts say, and whether it is what refers to the clusters.
extension QCOW2Check {
    /// The refcount blocks that can be read, by number.
    mutating func addRefcountTables(
        _ report: (Finding) -> Void
    ) throws(StorageError) -> [UInt64] {
        let start = header.refcountTableOffset
        let size = UInt64(header.refcountTableClusters) << bits
        guard size > 0, start < file.byteCount, size <= file.byteCount - start else {
            damage(.noRefcountTable, "the refcount table does not lie in the file", "header", 48, report)
            return []
        }
        try references.add(start >> bits..<(start + size) >> bits, isMetadata: true)
        var blocks: [UInt64] = []
        var places = Set<UInt64>()
        var index: UInt64 = 0
        while let found = try tables.pages.firstEntry(~511, at: start, from: index, to: size / 8) {
            index = found + 1
            guard let block = try tables.refcountBlock(found) else { continue }
            guard block % header.clusterSize == 0, block < file.byteCount else {
                damage(
                    .refcountBlockOffset,
                    "the refcount block's offset \(block.hex) is not that of a cluster in the file",
                    "refcount table", start + found * 8, report)
                continue
            }
            try references.add(block >> bits..<block >> bits + 1, isMetadata: true)
            guard places.insert(block).inserted else { continue }
            blocks.append(found)
        }
        return blocks
    }

    /// Compares what `blocks` count with the references.
    mutating func compare(
        _ blocks: [UInt64], _ report: (Finding) -> Void
    ) throws(StorageError) {
        let segments = references.segments()
        for segment in segments where segment.overlaps {
            damage(
                .metadataOverlap,
                "\(name(segment.clusters)) is a table of the image and something else as well",
                "cluster", segment.clusters.lowerBound << bits, report)
        }
        let blockBits = UInt64(header.refcountBlockBits)
        var next = 0
        var position: UInt64 = 0
        for index in blocks {
            let first = index << blockBits
            let end = first + 1 << blockBits
            try compareMissing(position..<first, segments, &next, report)
            try compareBlock(first..<end, segments, &next, report)
            position = end
        }
        try compareMissing(position..<max(fileClusters, position), segments, &next, report)
    }

    /// Clusters that no block counts.
    private mutating func compareMissing(
        _ clusters: Range<UInt64>, _ segments: [QCOW2References.Segment], _ next: inout Int,
        _ report: (Finding) -> Void
    ) throws(StorageError) {
        while next < segments.count, segments[next].clusters.lowerBound < clusters.upperBound {
            let part = segments[next].clusters.clamped(to: clusters)
            if !part.isEmpty { judge(part, stored: 0, wanted: segments[next].count, report) }
            guard segments[next].clusters.upperBound <= clusters.upperBound else { return }
            next += 1
        }
    }

    private mutating func compareBlock(
        _ clusters: Range<UInt64>, _ segments: [QCOW2References.Segment], _ next: inout Int,
        _ report: (Finding) -> Void
    ) throws(StorageError) {
        var run: (start: UInt64, stored: UInt64, wanted: UInt64)?
        let last = try tables.lastUsed(inBlock: clusters.lowerBound >> UInt64(header.refcountBlockBits))
        let storedEnd = last.map { clusters.lowerBound + $0 + 1 } ?? clusters.lowerBound
        var cluster = clusters.lowerBound
        try Cancellation.check()
        while cluster < clusters.upperBound {
            while next < segments.count, segments[next].clusters.upperBound <= cluster { next += 1 }
            // Behind the last count and the last reference there is nothing to compare.
            if cluster >= storedEnd,
                next == segments.count || segments[next].clusters.lowerBound >= clusters.upperBound
            {
                break
            }
            let wanted =
                next < segments.count && segments[next].clusters.contains(cluster) ? segments[next].count : 0
            let stored = cluster < storedEnd ? try tables.refcount(of: cluster) : 0
            if let known = run, known.stored != stored || known.wanted != wanted {
                judge(known.start..<cluster, stored: known.stored, wanted: known.wanted, report)
                run = nil
            }
            if run == nil { run = (cluster, stored, wanted) }
            cluster += 1
        }
        if let run { judge(run.start..<cluster, stored: run.stored, wanted: run.wanted, report) }
    }

    private mutating func judge(
        _ clusters: Range<UInt64>, stored: UInt64, wanted: UInt64, _ report: (Finding) -> Void
    ) {
        guard stored != wanted else { return }
        let text = "\(name(clusters)) has refcount \(stored) and \(wanted) references"
        if stored < wanted {
            var finding = Finding(
                .damage, QCOW2Code.refcountTooLow, text, structure: "refcount block",
                offset: clusters.lowerBound << bits)
            finding.count = clusters.upperBound - clusters.lowerBound
            tell(finding, report)
        } else {
            if leaks.count < Self.leakLimit { leaks.append(Leak(clusters: clusters, count: wanted)) }
            var finding = Finding(
                .leak, QCOW2Code.leakedClusters, text, structure: "refcount block",
                offset: clusters.lowerBound << bits, repair: .leaks)
            finding.count = clusters.upperBound - clusters.lowerBound
            tell(finding, report)
        }
    }

    private func name(_ clusters: Range<UInt64>) -> String {
        clusters.upperBound - clusters.lowerBound == 1
            ? "cluster \(clusters.lowerBound)"
            : "each of clusters \(clusters.lowerBound) to \(clusters.upperBound - 1)"
    }
}
