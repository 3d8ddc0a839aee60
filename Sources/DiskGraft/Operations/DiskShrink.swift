internal import ImageFormats
internal import Partitions
internal import Storage

/// Why a disk is not made shorter.
enum DiskShrinkCode: String, LayerCode, CaseIterable {
    static let layer = "image"

    case partitionBehindEnd = "partition-behind-end"
    case volumeBehindEnd = "volume-behind-end"
    case bytesBehindEnd = "bytes-behind-new-end"
}

/// Makes a disk shorter behind whose new end nothing lives.
enum DiskShrink {
    /// Throws `refused`, nothing written, when something does. A GPT's backup moves to the new end first.
    static func run(_ image: DiskImage, to byteCount: UInt64) throws(StorageError) {
        let disk = image.opened.disk
        try ImageProbe.requireShrinkable(image.opened, to: byteCount)
        let layout = try VolumeDiscovery.discover(disks: [disk], probe: FileSystemRegistry.builtIn.probe)
        try requireNothingKnown(in: layout, behind: byteCount, image.path)
        let slice = try SliceDevice(disk, range: 0..<byteCount)
        let repair = layout.disks.first?.table.kind == .gpt ? try GPTRepair.plan(slice) : nil
        try requireZeros(disk, behind: byteCount, but: layout.disks.first?.table, image.path)
        if let repair { try repair.commit(to: slice) }
        try disk.flush()
        try ImageProbe.shrink(image.opened, to: byteCount)
    }

    private static func requireNothingKnown(
        in layout: DiscoveredVolumes, behind end: UInt64, _ path: String
    ) throws(StorageError) {
        if let entry = partition(in: layout, behind: end) {
            throw StorageError(
                .refused, DiskShrinkCode.partitionBehindEnd,
                "partition \(entry.number) ends at byte \(entry.byteRange.upperBound), behind the new end; make it smaller "
                    + "first, with its file system", path: path)
        }
        guard let (kind, claim) = try volume(in: layout, behind: end) else { return }
        throw StorageError(
            .refused, DiskShrinkCode.volumeBehindEnd,
            claim.isTold
                ? "the disk's \(kind.rawValue) has \(claim.byteCount) bytes, more than the new size; make it smaller first"
                : "the disk's \(kind.rawValue) does not say how long it is and may use all of the disk",
            path: path)
    }

    /// What takes a whole disk and may use more than `end` bytes of it.
    static func volume(
        in layout: DiscoveredVolumes, among others: [Volume] = [], behind end: UInt64
    ) throws(StorageError) -> (kind: VolumeIdentity.Kind, claim: DeviceClaim)? {
        for volume in layout.volumes {
            guard case .wholeDisk = volume.location, let found = try DeviceClaim.of(volume, among: others),
                found.claim.byteCount > end
            else { continue }
            return found
        }
        return nil
    }

    /// A partition that ends behind `end`.
    static func partition(in layout: DiscoveredVolumes, behind end: UInt64) -> PartitionEntry? {
        layout.disks.flatMap(\.table.entries).first { $0.byteRange.upperBound > end }
    }

    /// What nobody knows may be somebody's all the same.
    private static func requireZeros(
        _ disk: Image, behind end: UInt64, but table: PartitionTable?, _ path: String
    ) throws(StorageError) {
        var limit = disk.byteCount
        // The backup of a GPT: entries of 16 KiB at least, and a header of a sector.
        if let table, table.kind == .gpt {
            limit -= min(limit, max(16 << 10, UInt64(table.sectorSize)) + UInt64(table.sectorSize))
        }
        guard let offset = try firstByte(of: disk, in: end..<max(end, limit)) else { return }
        throw StorageError(
            .refused, DiskShrinkCode.bytesBehindEnd, "something that is not zeros lies behind the new end",
            offset: offset, path: path)
    }

    /// Where the first piece of a range begins that does not read as zeros.
    static func firstByte(of disk: Image, in range: Range<UInt64>) throws(StorageError) -> UInt64? {
        let limit = range.upperBound
        var position = range.lowerBound
        while position < limit {
            try Cancellation.check()
            let extent = try disk.nextExtent(at: position)
            var stop = min(extent.range.upperBound, limit)
            if extent.kind != .zero {
                stop = min(stop, position + 1 << 20)
                let bytes = try disk.bytes(at: position, count: Int(stop - position))
                guard bytes.span8.isAllZero else { return position }
            }
            position = stop
        }
        return nil
    }
}
