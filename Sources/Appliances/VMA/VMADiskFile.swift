package import Storage
internal import Synchronization

/// A device of a backup as a file: its blocks where they lie, zeros for those that were left out.
package final class VMADiskFile: ReadAloneFile {
    package let path: String
    package let byteCount: UInt64
    package var modificationTime: Int64? { backup.file.modificationTime }
    private let backup: VMABackup
    private let clusters: VMAClusters

    init(_ backup: VMABackup, _ device: VMAHeader.Device, _ clusters: VMAClusters) {
        self.backup = backup
        self.clusters = clusters
        byteCount = device.byteCount
        path = "\(backup.file.path)/\(String(hostBytes: device.name))"
    }

    package func read(into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError) {
        let end = try endOfRead(at: offset, count: target.byteCount)
        var position = offset
        while position < end {
            let run = try run(at: position)
            let stop = min(run.end, end)
            let range = Int(position - offset)..<Int(stop - offset)
            if let place = run.place {
                var part = target.part(range)
                try backup.file.read(into: &part, at: place)
            } else {
                target.zero(range)
            }
            position = stop
        }
    }

    /// Where byte `offset` lies in the archive, nil for zeros, and where what is said of it ends.
    private func run(at offset: UInt64) throws(StorageError) -> (place: UInt64?, end: UInt64) {
        let size = VMAExtent.clusterByteCount
        guard let number = UInt32(exactly: offset / size) else { throw shortFile(at: offset, 1) }
        guard let run = clusters.run(of: number).run else {
            throw StorageError.appliance(
                .corrupt, .badExtent, "the backup does not hold these bytes of the disk: it is cut off",
                structure: "disk", offset: offset
            ).inFile(path)
        }
        let extent = try backup.extent(run.extent)
        let index = Int(run.entry) + Int(number - run.first)
        guard extent.entries.indices.contains(index) else { throw shortFile(at: offset, 1) }
        let entry = extent.entries[index]
        let block = Int(offset % size / VMAExtent.blockByteCount)
        // The blocks from here on that are stored alike.
        let isStored = entry.mask >> UInt16(block) & 1 == 1
        let rest = isStored ? ~(entry.mask >> UInt16(block)) : entry.mask >> UInt16(block)
        let count = min(rest.trailingZeroBitCount, 16 - block)
        let end = offset / size * size + UInt64(block + count) * VMAExtent.blockByteCount
        guard isStored else { return (nil, min(end, byteCount)) }
        let before = entry.blocksBefore + (entry.mask & (1 << UInt16(block) - 1)).nonzeroBitCount
        let data = backup.places[Int(run.extent)] + UInt64(VMAExtent.headerByteCount)
        return (
            data + UInt64(before) * VMAExtent.blockByteCount + offset % VMAExtent.blockByteCount,
            min(end, byteCount)
        )
    }

    package func nextDataOrHole(at offset: UInt64) throws(StorageError) -> (isData: Bool, end: UInt64) {
        guard offset < byteCount else { throw shortFile(at: offset, 1) }
        let first = try run(at: offset)
        var end = first.end
        // Runs of a few blocks are put together as far as an extent's worth.
        for _ in 0..<1024 where end < byteCount {
            let next = try run(at: end)
            guard (next.place == nil) == (first.place == nil) else { break }
            end = next.end
        }
        return (first.place != nil, end)
    }
}

/// A backup and its extents.
final class VMABackup: Sendable {
    let file: any ByteFile
    /// Where each extent's header lies.
    let places: [UInt64]
    private let identifier: [UInt8]
    private let cache: Mutex<BoundedCache<UInt32, VMAExtent>>

    /// Headers that are kept, of about 1.5 KiB.
    private static let cacheLimit = 1024

    init(_ file: any ByteFile, places: [UInt64], identifier: [UInt8]) {
        self.file = file
        self.places = places
        self.identifier = identifier
        cache = Mutex(BoundedCache(budget: Self.cacheLimit))
    }

    /// An extent's header, by its number.
    func extent(_ number: UInt32) throws(StorageError) -> VMAExtent {
        if let known = cache.withLock({ $0.value(for: number) }) { return known }
        let place = places[Int(number)]
        let extent = try VMAExtent(
            try file.bytes(at: place, count: VMAExtent.headerByteCount), at: place, identifier: identifier)
        cache.withLock { $0.keep(extent, for: number, cost: 1) }
        return extent
    }
}
