internal import Storage

/// Checks an seSparse extent: its journal, every table and every grain's place, and that no two tables or grains share one.
struct VMDKSESparseCheck {
    private let extent: VMDKSESparseExtent
    /// Grains that are remembered, a bit each: those of a file of 4 TiB.
    private static let grainLimit: UInt64 = 1 << 30

    private typealias Header = VMDKSESparseHeader

    init(_ file: any ByteFile, _ header: VMDKSESparseHeader) throws(StorageError) {
        extent = try VMDKSESparseExtent(file, fileIndex: 0, header: header)
    }

    func run(_ report: (Finding) -> Void) throws(StorageError) {
        let extent = extent
        let header = extent.header
        let grains =
            (extent.file.byteCount - min(extent.file.byteCount, header.grainsOffset)) / Header.grainSize + 1
        guard grains <= Self.grainLimit else {
            throw .memoryBound(
                "vmdk", "has too many grains to be checked in bounded memory", structure: "grains")
        }
        var taken = [UInt64](repeating: 0, count: Int(grains / 64) + 1)
        var tables: Set<UInt32> = []
        for index in 0..<header.tableCount {
            guard
                let place = try telling(report, { () throws(StorageError) in try extent.tablePlace(index) })
                    ?? nil
            else { continue }
            let number = UInt32((place - header.tables.lowerBound) / UInt64(Header.tableByteCount))
            guard tables.insert(number).inserted else {
                report(
                    Finding(
                        .damage, VMDKCode.grainsOverlap, "the directory names a grain table twice",
                        structure: "grain directory", offset: place))
                continue
            }
            let table = try extent.file.bytes(at: place, count: Header.tableByteCount)
            for slot in 0..<Header.entriesPerTable {
                let entry = try telling(report) { () throws(StorageError) in
                    try extent.entry(table, index, slot)
                }
                guard case .grain(let grain) = entry else { continue }
                let number = Int((grain - header.grainsOffset) / Header.grainSize)
                let bit: UInt64 = 1 << UInt64(number % 64)
                if taken[number / 64] & bit != 0 {
                    report(
                        Finding(
                            .damage, VMDKCode.grainsOverlap, "two grains share bytes of the file",
                            structure: "grain table \(index)", offset: grain))
                }
                taken[number / 64] |= bit
            }
        }
    }

    /// What `body` finds; nil, and a finding, where something is damaged.
    private func telling<Value>(
        _ report: (Finding) -> Void, _ body: () throws(StorageError) -> Value
    ) throws(StorageError) -> Value? {
        do throws(StorageError) {
            return try body()
        } catch {
            guard error.kind == .corrupt else { throw error }
            report(Finding(error))
            return nil
        }
    }
}
