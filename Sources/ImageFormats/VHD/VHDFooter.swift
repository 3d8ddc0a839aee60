internal import Storage

/// The 512 bytes at the end of every VHD, of which dynamic and differencing ones keep a copy at the start. Big-endian.
/// Fields: Virtual Hard Disk Image Format Specification 1.0, "Hard Disk Footer Format".
struct VHDFooter: Equatable, Sendable {
    static let byteCount = 512
    static let cookie = Array("conectix".utf8)
    static let checksumField = 64
    /// Seconds from 1970-01-01 to 2000-01-01, where time stamps begin.
    static let epoch: Int64 = 946_684_800

    enum Kind: UInt32, Sendable {
        case fixed = 2
        case dynamic = 3
        case differencing = 4

        var name: String {
            switch self {
            case .fixed: "fixed"
            case .dynamic: "dynamic"
            case .differencing: "differencing"
            }
        }
    }

    /// As stored; a footer of 511 bytes is held with a zero behind it, which leaves its checksum as it is.
    private(set) var bytes: [UInt8]

    /// Nil unless `bytes` begins with the cookie and is 511 or 512 bytes long.
    init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.byteCount || bytes.count == Self.byteCount - 1,
            bytes.span8.matches(Self.cookie)
        else { return nil }
        self.bytes = bytes + [UInt8](repeating: 0, count: Self.byteCount - bytes.count)
    }

    var features: UInt32 { bytes.big(8) }
    var version: UInt32 { bytes.big(12) }
    /// Where the dynamic header lies; all ones in a fixed disk.
    var dataOffset: UInt64 { bytes.big(16) }
    var creator: [UInt8] { Array(bytes[28..<32]) }
    var creatorVersion: UInt32 { bytes.big(32) }
    var currentSize: UInt64 { bytes.big(48) }
    var geometry: VHDGeometry {
        VHDGeometry(cylinders: bytes.big(56), heads: bytes[58], sectorsPerTrack: bytes[59])
    }
    var kind: Kind? { Kind(rawValue: bytes.big(60)) }
    var storedChecksum: UInt32 { bytes.big(Self.checksumField) }
    var identifier: UUID16 { UUID16(textOrder: bytes.span8, at: 68) }
    /// A virtual machine was suspended and its memory refers to the disk as it is.
    var hasSavedState: Bool { bytes[84] == 1 }

    /// XenServer's mark of a disk that is only a parent of others.
    var isHidden: Bool { bytes[85] == 1 }

    var checksumIsRight: Bool {
        storedChecksum == VHDChecksum.of(bytes, leavingOut: Self.checksumField)
    }

    /// A footer of a disk made now.
    init(kind: Kind, byteCount: UInt64, identifier: UUID16, timestamp: UInt32) {
        bytes = [UInt8](repeating: 0, count: Self.byteCount)
        bytes.replaceSubrange(0..<8, with: Self.cookie)
        bytes.storeBig(UInt32(2), at: 8)
        bytes.storeBig(UInt32(0x0001_0000), at: 12)
        bytes.storeBig(kind == .fixed ? UInt64.max : UInt64(Self.byteCount), at: 16)
        bytes.storeBig(timestamp, at: 24)
        // The creator by which every reader, qemu's included, takes the size from current_size, to the sector.
        bytes.replaceSubrange(28..<32, with: Array("win ".utf8))
        bytes.storeBig(UInt32(0x000a_0000), at: 32)
        bytes.replaceSubrange(36..<40, with: Array("Wi2k".utf8))
        bytes.storeBig(byteCount, at: 40)
        bytes.storeBig(byteCount, at: 48)
        let geometry = VHDGeometry(sectors: byteCount / 512)
        bytes.storeBig(geometry.cylinders, at: 56)
        bytes[58] = geometry.heads
        bytes[59] = geometry.sectorsPerTrack
        bytes.storeBig(kind.rawValue, at: 60)
        bytes.replaceSubrange(68..<84, with: identifier.bytes)
        seal()
    }

    /// The same for a disk of `byteCount` bytes. The largest geometry stays: it is what makes every reader go by the size.
    /// A creator by which some reader goes by the geometry is replaced where that is not the size: every reader has to come
    /// to the same one.
    func resized(to byteCount: UInt64) -> VHDFooter {
        var copy = self
        copy.bytes.storeBig(byteCount, at: 48)
        guard self.geometry != .maximum else {
            copy.seal()
            return copy
        }
        let geometry = VHDGeometry(sectors: byteCount / 512)
        copy.bytes.storeBig(geometry.cylinders, at: 56)
        copy.bytes[58] = geometry.heads
        copy.bytes[59] = geometry.sectorsPerTrack
        if !isExactForAll, geometry != .maximum, geometry.sectorCount != byteCount / 512 {
            copy.bytes.replaceSubrange(28..<32, with: Array("win ".utf8))
        }
        copy.seal()
        return copy
    }

    /// Stores the checksum of the rest.
    private mutating func seal() {
        bytes.storeBig(VHDChecksum.of(bytes, leavingOut: Self.checksumField), at: Self.checksumField)
    }
}
