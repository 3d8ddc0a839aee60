internal import Storage

/// Cylinders, heads and sectors per track as a footer holds them.
struct VHDGeometry: Equatable, Sendable {
    var cylinders: UInt16
    var heads: UInt8
    var sectorsPerTrack: UInt8

    /// The largest that the fields' algorithm yields: disks from 127.5 GiB up have it.
    static let maximum = VHDGeometry(cylinders: 65535, heads: 16, sectorsPerTrack: 255)

    /// How many sectors it spans.
    var sectorCount: UInt64 { UInt64(cylinders) * UInt64(heads) * UInt64(sectorsPerTrack) }

    init(cylinders: UInt16, heads: UInt8, sectorsPerTrack: UInt8) {
        self.cylinders = cylinders
        self.heads = heads
        self.sectorsPerTrack = sectorsPerTrack
    }

    /// The specification's "CHS calculation" (its appendix) for a disk of `sectors` sectors; it rounds down.
    init(sectors: UInt64) {
        let total = min(sectors, Self.maximum.sectorCount)
        var perTrack: UInt64
        var heads: UInt64
        var tracks: UInt64
        if total >= 65535 * 16 * 63 {
            (perTrack, heads) = (255, 16)
            tracks = total / perTrack
        } else {
            perTrack = 17
            tracks = total / perTrack
            heads = max((tracks + 1023) / 1024, 4)
            if tracks >= heads * 1024 || heads > 16 {
                (perTrack, heads) = (31, 16)
                tracks = total / perTrack
            }
            if tracks >= heads * 1024 {
                (perTrack, heads) = (63, 16)
                tracks = total / perTrack
            }
        }
        self.init(
            cylinders: UInt16(truncatingIfNeeded: tracks / heads), heads: UInt8(truncatingIfNeeded: heads),
            sectorsPerTrack: UInt8(truncatingIfNeeded: perTrack))
    }
}
