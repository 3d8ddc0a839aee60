internal import Storage

/// What the table says of a cluster.
enum TableEntry: Equatable, Sendable {
    case free
    /// In use, and another one follows.
    case next(ClusterNumber)
    /// In use, and the last.
    case end
    /// Not to be used.
    case bad
    /// A number that says nothing.
    case invalid(UInt32)

    init(_ value: UInt32, _ geometry: Geometry) {
        let end: UInt32 =
            switch geometry.width {
            case .fat12: 0xff8
            case .fat16: 0xfff8
            case .fat32: 0x0fff_fff8
            }
        if value == 0 {
            self = .free
        } else if geometry.contains(ClusterNumber(value)) {
            self = .next(ClusterNumber(value))
        } else if value >= end {
            self = .end
        } else {
            self = value == end - 1 ? .bad : .invalid(value)
        }
    }
}

extension Geometry {
    /// Where the entry of a cluster lies in table `table`, and how many bytes have it.
    func tablePlace(of cluster: UInt32, in table: Int) -> (offset: UInt64, count: Int) {
        let base = tableOffset + UInt64(table) * tableByteCount
        switch width {
        case .fat12: return (base + UInt64(cluster) * 3 / 2, 2)
        case .fat16: return (base + UInt64(cluster) * 2, 2)
        case .fat32: return (base + UInt64(cluster) * 4, 4)
        }
    }

    /// The number of a cluster in the bytes of its entry.
    func tableValue(of cluster: UInt32, in bytes: RawSpan, at offset: Int) -> UInt32 {
        switch width {
        case .fat12:
            let pair = UInt32(bytes.little(offset, as: UInt16.self))
            return cluster % 2 == 0 ? pair & 0xfff : pair >> 4
        case .fat16: return UInt32(bytes.little(offset, as: UInt16.self))
        case .fat32: return bytes.little(offset, as: UInt32.self) & 0x0fff_ffff
        }
    }

    /// The bytes of an entry with another number: the other half of a pair, and bits 28 to 31, stay as they are.
    func setTableValue(_ value: UInt32, of cluster: UInt32, in bytes: inout [UInt8]) {
        switch width {
        case .fat12:
            let pair: UInt16 = bytes.little(0)
            let new = UInt16(truncatingIfNeeded: value) & 0xfff
            bytes.storeLittle(cluster % 2 == 0 ? pair & 0xf000 | new : pair & 0xf | new << 4, at: 0)
        case .fat16: bytes.storeLittle(UInt16(truncatingIfNeeded: value), at: 0)
        case .fat32:
            bytes.storeLittle(bytes.little(0, as: UInt32.self) & 0xf000_0000 | value & 0x0fff_ffff, at: 0)
        }
    }

    /// What marks the last cluster of a chain.
    var endMark: UInt32 {
        switch width {
        case .fat12: 0xfff
        case .fat16: 0xffff
        case .fat32: 0x0fff_ffff
        }
    }
}

extension VolumeView {
    /// The raw number that the live table has for a cluster, 0 and 1 too.
    func tableValue(of cluster: UInt32) throws(StorageError) -> UInt32 {
        let place = geometry.tablePlace(of: cluster, in: geometry.activeTable)
        let bytes = try metadata(at: place.offset, count: place.count)
        return geometry.tableValue(of: cluster, in: bytes.span8, at: 0)
    }

    /// What the live table says of a cluster of the data area.
    func tableEntry(of cluster: ClusterNumber) throws(StorageError) -> TableEntry {
        TableEntry(try tableValue(of: cluster.rawValue), geometry)
    }
}
