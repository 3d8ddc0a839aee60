package import Storage
internal import Synchronization

extension VDIDriver {
    /// The header, every entry of the block map, the count of blocks, and space that nothing names.
    package static func check(
        _ file: any ByteFile, report: (Finding) -> Void
    ) throws(StorageError) {
        let header: VDIHeader
        do throws(StorageError) {
            header = try VDIHeader(reading: file)
        } catch {
            guard error.kind == .corrupt else { throw error }
            return report(Finding(error))
        }
        let map = VDIMap(file, header: header)
        var found: [VDIMap.Placed] = []
        try map.state.withLock { (state) throws(StorageError) in
            try map.forEachPlaced(&state) { (block, slot, header) throws(StorageError) in
                do throws(StorageError) {
                    try map.check(slot, of: block, header)
                    found.append(VDIMap.Placed(slot, block))
                } catch {
                    report(Finding(error))
                }
            }
        }
        found.sort()
        for (one, next) in zip(found, found.dropFirst()) where one.slot == next.slot {
            report(Finding(VDIMap.overlap(one.block, next.block, header)))
        }
        count(found, header, report)
        space(found, header, file, report)
    }

    /// VirtualBox puts its next block behind as many as are counted: over one that the count leaves out.
    private static func count(
        _ placed: [VDIMap.Placed], _ header: VDIHeader, _ report: (Finding) -> Void
    ) {
        guard let last = placed.last?.slot, last.rawValue >= header.allocatedCount else { return }
        report(
            Finding(
                .damage, VDICode.allocatedCount,
                "the header counts \(header.allocatedCount) blocks and a block lies behind them, which VirtualBox would "
                    + "write over; any change made here sets the count right", structure: "header",
                offset: UInt64(VDIHeader.Field.allocatedCount)))
    }

    /// Places that no entry names, and what lies behind them all.
    private static func space(
        _ placed: [VDIMap.Placed], _ header: VDIHeader, _ file: any ByteFile, _ report: (Finding) -> Void
    ) {
        var leaked: UInt64 = 0
        var next: UInt32 = 0
        for slot in placed.lazy.map(\.slot) {
            if slot.rawValue > next { leaked += UInt64(slot.rawValue - next) * header.stride }
            next = max(next, slot.rawValue + 1)
        }
        let end = header.dataOffset + UInt64(next) * header.stride
        if file.byteCount > end, file.byteCount - end >= 8192 { leaked += file.byteCount - end }
        guard leaked > 0 else { return }
        report(
            Finding(
                .leak, VDICode.leakedSpace, "\(leaked) bytes of the file belong to no block"))
    }
}
