internal import Storage

/// Every refusal of the partition-table readers and of the GPT repair.
package enum PartitionCode: String, LayerCode {
    package static var layer: String { "partition table" }

    /// Neither copy of the GPT can serve as the source of a repair.
    case noGoodCopy = "no-good-copy"
    /// The table changed since it was checked.
    case tableChanged = "table-changed"
    /// A partition reaches into the place where the backup table must go.
    case noRoomForBackup = "no-room-for-backup"
    /// More disks than can be told apart.
    case tooManyDisks = "too-many-disks"
}

extension StorageError {
    static func partition(
        _ kind: Kind, _ code: PartitionCode, _ message: String, structure: String? = nil,
        offset: UInt64? = nil
    ) -> StorageError {
        StorageError(
            kind, code, message, structure: structure, offset: offset
        )
    }
}
