internal import Partitions
internal import Storage

/// What `info` tells of an LVM volume group: physical volumes → group → logical volumes.
public struct GroupReport: Encodable, Sendable {
    /// Its name.
    public var name: String
    /// Its UUID as LVM writes it.
    public var uuid: String
    /// The metadata's sequence number.
    public var sequenceNumber: UInt64
    /// Bytes of an extent.
    public var extentSize: UInt64
    /// Its physical volumes.
    public var physicalVolumes: [PhysicalVolume]
    /// Its visible logical volumes.
    public var logicalVolumes: [LogicalVolume]

    /// A physical volume of a group.
    public struct PhysicalVolume: Encodable, Sendable {
        /// Its UUID as LVM writes it.
        public var uuid: String
        /// The volume it lies on; nil when it is missing.
        public var volume: String?
        /// Bytes in extents.
        public var size: UInt64?
    }

    /// A logical volume.
    public struct LogicalVolume: Encodable, Sendable {
        /// Its name within the group.
        public var name: String
        /// Its UUID as LVM writes it.
        public var uuid: String
        /// Bytes.
        public var size: UInt64
        /// "linear", "striped", "raid1"…
        public var type: String
        /// Why it cannot be read.
        public var unreadable: String?
        /// Why it is not written.
        public var unwritable: String?
    }

    private enum CodingKeys: String, CodingKey {
        case name, uuid
        case sequenceNumber = "seqno"
        case extentSize = "extent-size"
        case physicalVolumes = "physical-volumes"
        case logicalVolumes = "logical-volumes"
    }

    init(_ group: GroupLayout) {
        name = group.name
        uuid = group.id
        sequenceNumber = group.sequenceNumber
        extentSize = group.extentByteCount
        physicalVolumes = group.physicalVolumes.map {
            PhysicalVolume(uuid: $0.id, volume: $0.volume, size: $0.byteCount)
        }
        logicalVolumes = group.logicalVolumes.filter(\.isVisible).map {
            LogicalVolume(
                name: $0.name, uuid: $0.id, size: $0.byteCount, type: $0.type,
                unreadable: $0.readRefusal?.message, unwritable: $0.writeRefusal?.message)
        }
    }
}

/// What `info` tells of an MD array.
public struct ArrayReport: Encodable, Sendable {
    /// The name of its volume: "md0".
    public var name: String
    /// Its UUID.
    public var uuid: String
    /// "raid1", "raid0", "linear"…
    public var level: String
    /// The superblock's format.
    public var version: String
    /// Members that make it whole.
    public var memberCount: Int
    /// The volumes that belong to it and are here.
    public var members: [String]
    /// Why it cannot be read.
    public var unreadable: String?
    /// Why it is not written.
    public var unwritable: String?

    private enum CodingKeys: String, CodingKey {
        case name, uuid, level, version, members, unreadable, unwritable
        case memberCount = "member-count"
    }

    init(_ array: ArrayLayout) {
        name = array.name
        uuid = array.uuid.description
        level = array.level
        version = array.version
        memberCount = array.memberCount
        members = array.members.map(\.volume)
        unreadable = array.readRefusal?.message
        unwritable = array.writeRefusal?.message
    }
}
