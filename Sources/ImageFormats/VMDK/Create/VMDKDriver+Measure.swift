package import Storage

extension VMDKDriver {
    /// All files of the disk together. Of a stream it is what it has at most: how far its grains are compressed is not tried.
    package static func measure(
        _ disk: (any BlockDevice)?, byteCount: UInt64, options: ImageCreateOptions
    ) throws(StorageError) -> ImageMeasure {
        let known = try VMDKCreateOptions(options)
        // No name is as long as the room that a descriptor has in a file.
        let name = "disk.vmdk"
        let size = try checkedSize(disk?.byteCount ?? byteCount, of: name, options)
        let extents = VMDKNewExtent.list(of: name, byteCount: size, known.subformat)
        var empty: UInt64 = 0
        if !known.subformat.isOneFile {
            empty += UInt64(
                try VMDKNewDescriptor(options: known, byteCount: size, extents: extents, contentID: 0).text()
                    .count)
        }
        if known.subformat.isFlat {
            return ImageMeasure(required: empty + size, fullyAllocated: empty + size)
        }
        let grains = size.dividedRoundingUp(by: VMDKStreamLayout.grainSize)
        let used = try disk.map { (disk) throws(StorageError) in try usedGrains(disk) } ?? 0
        if known.subformat == .streamOptimized {
            return ImageMeasure(
                required: try VMDKStreamLayout(byteCount: size).byteCount(grains: used),
                fullyAllocated: try VMDKStreamLayout(byteCount: size).byteCount(grains: grains))
        }
        for extent in extents {
            empty +=
                try VMDKSparseLayout(
                    byteCount: extent.range.upperBound - extent.range.lowerBound,
                    hasDescriptor: known.subformat.isOneFile
                ).overhead
        }
        return ImageMeasure(
            required: empty + used * VMDKStreamLayout.grainSize,
            fullyAllocated: empty + grains * VMDKStreamLayout.grainSize)
    }

    /// Grains in which anything but zeros may lie.
    private static func usedGrains(_ disk: any BlockDevice) throws(StorageError) -> UInt64 {
        let grain = VMDKStreamLayout.grainSize
        var used: UInt64 = 0
        var position: UInt64 = 0
        while position < disk.byteCount {
            try Cancellation.check()
            let extent = try disk.nextExtent(at: position)
            var end = min(extent.range.upperBound, disk.byteCount)
            if extent.kind != .zero {
                let last = end.dividedRoundingUp(by: grain)
                used += last - position / grain
                end = min(last * grain, disk.byteCount)
            }
            position = end
        }
        return used
    }
}

extension VMDKStreamLayout {
    /// What a stream of so many grains has at most: deflate makes what does not compress a little longer, by less than a
    /// sector with the grain's header.
    fileprivate func byteCount(grains: UInt64) -> UInt64 {
        let sector = VMDKSparseHeader.sectorSize
        let tables = min(UInt64(tableCount), grains)
        let directory = (UInt64(tableCount) * 4).dividedRoundingUp(by: sector) * sector
        let markers = tables + 3
        return Self.overhead + grains * (Self.grainSize + sector) + tables * VMDKSparseLayout.tableSectors
            * sector
            + directory + sector + markers * sector
    }
}
