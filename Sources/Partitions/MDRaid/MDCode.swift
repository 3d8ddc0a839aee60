internal import Storage

/// Every refusal of the MD RAID layer.
package enum MDCode: String, LayerCode {
    package static var layer: String { "md" }

    /// The level or layout is not built here.
    case level = "level"
    /// Numbers in the superblocks make no array.
    case geometry = "geometry"
    /// A reshape is under way.
    case reshape = "reshape"
    /// The newest data may be in a journal.
    case journal = "journal"
    /// Members that are needed are not given.
    case incomplete = "incomplete"
    /// Members that the array counts on would not be written.
    case degraded = "degraded"
    /// A member is being rebuilt or out of date.
    case staleMember = "stale-member"
    /// Parity is not computed here.
    case parity = "parity"
    /// Two volumes claim the same place in an array.
    case duplicateRole = "duplicate-role"
}

extension StorageError {
    static func md(_ kind: Kind, _ code: MDCode, _ message: String) -> StorageError {
        StorageError(kind, code, message)
    }
}
