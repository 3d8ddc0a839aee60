internal import Storage

/// A sector of a sparse extent's file, counted from its start: what directories and tables name. Everything else counts
/// bytes.
struct VMDKSector: Hashable, Comparable, Sendable {
    /// As it is stored.
    var rawValue: UInt32

    init(_ rawValue: UInt32) { self.rawValue = rawValue }

    /// The sector that byte `offset` lies in; nil behind the last one that a table can name.
    init?(containing offset: UInt64) {
        guard let rawValue = UInt32(exactly: offset / VMDKSparseHeader.sectorSize) else { return nil }
        self.rawValue = rawValue
    }

    /// Its first byte.
    var offset: UInt64 { UInt64(rawValue) * VMDKSparseHeader.sectorSize }

    static func < (left: VMDKSector, right: VMDKSector) -> Bool { left.rawValue < right.rawValue }
}
