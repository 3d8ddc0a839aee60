package import Storage

/// An MD array as it is shown to people.
package struct ArrayLayout: Sendable {
    /// The name of its volume: "md0".
    package var name: String
    package var uuid: UUID16
    /// "raid1", "raid0", "linear"…
    package var level: String
    /// Superblock format: "0.90", "1.2".
    package var version: String
    /// Members that make it whole.
    package var memberCount: Int
    package var members: [Member]
    /// The array's own partition table; nil where it holds one volume.
    package var table: PartitionTable?
    /// Why it cannot be read; nil when it can.
    package var readRefusal: StorageError?
    /// Why it must not be written; nil when it may.
    package var writeRefusal: StorageError?

    /// A volume that belongs to it.
    package struct Member: Sendable {
        /// The volume's name.
        package var volume: String
        /// Its place; nil for a spare.
        package var role: Int?
        package var events: UInt64
        /// Holds current data.
        package var isCurrent: Bool
    }
}
