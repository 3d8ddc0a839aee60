internal import Storage

/// Every refusal of the LVM layer.
package enum LVMCode: String, LayerCode {
    package static var layer: String { "lvm2" }

    /// The metadata text breaks its grammar.
    case textSyntax = "text-syntax"
    /// Sections within sections within sections.
    case textNesting = "text-nesting"
    /// A value is missing or of the wrong kind.
    case textField = "text-field"
    /// A number is out of its range.
    case textRange = "text-range"
    /// Two volumes carry the same physical volume UUID.
    case duplicatePhysicalVolume = "duplicate-pv"
    /// Logical volumes that contain each other.
    case cycle = "cycle"
    /// A segment type that is not built here.
    case segmentType = "segment-type"
    /// A snapshot's own contents.
    case snapshot = "snapshot"
    /// An origin into which a snapshot is being merged.
    case merging = "merging"
    /// Writing an origin would change its snapshots.
    case origin = "snapshot-origin"
    /// A part lies on a physical volume that is missing.
    case partial = "partial"
    /// The group is exported.
    case exported = "exported"
    /// pvmove is under way.
    case moving = "pvmove"
    /// Parity is not computed here.
    case parity = "parity"
    /// A RAID leg is out of date.
    case staleLeg = "stale-leg"
    /// A cached volume whose cache may hold newer data, or writing under a cache.
    case cache = "cache"
    /// The volume or group is marked read-only.
    case readOnly = "read-only"
    /// A thin pool's metadata contradicts itself.
    case thinMetadata = "thin-metadata"
    /// Thin volumes are read, not written.
    case thin = "thin"
    /// A RAID volume is being reshaped.
    case reshape = "reshape"

    /// The metadata's text is not as it should be.
    fileprivate var isAboutText: Bool {
        switch self {
        case .textSyntax, .textNesting, .textField, .textRange: true
        default: false
        }
    }
}

extension StorageError {
    static func lvm(
        _ kind: Kind, _ code: LVMCode, _ message: String, field: String? = nil, offset: UInt64? = nil
    ) -> StorageError {
        StorageError(
            kind, code, message,
            structure: code.isAboutText ? "metadata text" : nil, field: field, offset: offset)
    }
}
