package import Storage

/// A volume group as it is shown to people.
package struct GroupLayout: Sendable {
    /// The group's name, and its UUID as LVM writes it.
    package var name: String
    package var id: String
    /// The metadata's sequence number that was chosen.
    package var sequenceNumber: UInt64
    package var extentByteCount: UInt64
    /// "exported", "clustered", … as the metadata says.
    package var status: [String]
    package var physicalVolumes: [PhysicalVolume]
    package var logicalVolumes: [LogicalVolume]

    /// A physical volume that the metadata lists.
    package struct PhysicalVolume: Sendable {
        package var id: String
        /// The volume it was found on ("p2"); nil when it is missing.
        package var volume: String?
        /// Space in extents, in bytes.
        package var byteCount: UInt64?
        /// The device it was last seen on.
        package var deviceHint: String?
    }

    /// A logical volume; parts of others ("r1_rimage_0") among them.
    package struct LogicalVolume: Sendable {
        package var name: String
        package var id: String
        package var byteCount: UInt64
        package var isVisible: Bool
        /// "linear", "striped", "raid1"…; several when its segments differ.
        package var type: String
        /// Why it cannot be read; nil when it can.
        package var readRefusal: StorageError?
        /// Why it must not be written; nil when it may.
        package var writeRefusal: StorageError?
    }
}
