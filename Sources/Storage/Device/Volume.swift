/// A volume of a guest: a partition, a logical volume, an array, or a whole disk, with what was found in it.
public struct Volume: Sendable {
    /// Where it lies on the guest's disks.
    public enum Location: Hashable, Sendable {
        /// All of disk `disk` (0 is the first given).
        case wholeDisk(disk: Int)
        /// Partition `number` of disk `disk` as Linux numbers it (5 and up: logical).
        case partition(disk: Int, number: Int)
        /// An LVM logical volume.
        case logicalVolume(group: String, name: String)
        /// An MD array, by the name or number in its superblock.
        case array(name: String)
    }

    /// Its name: "p2", "2:p2", "VG/LV", "md0", "disk".
    public var name: String
    /// Where it lies.
    public var location: Location
    /// Its bytes.
    public var device: any BlockDevice
    /// What it holds; the strongest candidate.
    public var identity: VolumeIdentity
    /// Everything it could be taken for; more than one means that it is ambiguous.
    public var candidates: [VolumeIdentity]
    /// The partition's UUID as Linux shows it (PARTUUID): GPT's, or an MBR's "1234abcd-02".
    public var partitionUUID: String?
    /// The partition's name in a GPT.
    public var partitionLabel: String?
    /// The partition's type for people: "Linux", "EFI System"…
    public var typeName: String?
    /// The partition table calls it an EFI system partition.
    public var isEFISystemPartition: Bool
    /// The partition table calls it one for kernels beside that (XBOOTLDR of the Boot Loader Specification).
    public var isExtendedBoot: Bool
    /// Names below /dev/disk/by-id that udev makes of what it is, wherever its disks are: "dm-uuid-LVM-…", "md-uuid-…".
    public var identifierLinks: [String]

    /// What Linux stacks up between the disks and this volume, each once; partitions are no layer.
    public var layers: [Layer] = []
    /// The arrays below it that lack members, each with what it has: "md0 has 1 of 3 members".
    public var degradedArrays: [String] = []
    /// The arrays below it of which members were each used without the others, and which.
    public var dividedArrays: [String] = []

    /// Why Linux does not make it of what was given: members or physical volumes that are missing; nil where nothing is.
    public var lacking: String?
    /// The volume group that it belongs to lacks physical volumes, and which; it may itself be whole.
    public var incompleteGroup: String?
    /// A copy of what its volume group lies on was given too, and which.
    public var doubledGroup: String?

    /// A part of Linux that makes a device of others.
    public enum Layer: Hashable, Sendable {
        /// An MD array of that level: 0, 1, 4, 5, 6, 10; -1 for linear.
        case array(level: Int)
        /// A target of the device mapper by its name: "linear", "striped", "raid", "mirror", "snapshot", "thin-pool".
        case deviceMapper(target: String)
    }

    /// The identifiers of the physical volumes that its volume group lists, with dashes; empty for what is in no group.
    package var groupMembers: [String] = []

    /// Makes a volume.
    public init(
        name: String, location: Location, device: any BlockDevice, identity: VolumeIdentity,
        candidates: [VolumeIdentity] = [], partitionUUID: String? = nil, partitionLabel: String? = nil,
        typeName: String? = nil, isEFISystemPartition: Bool = false, isExtendedBoot: Bool = false,
        identifierLinks: [String] = []
    ) {
        self.name = name
        self.location = location
        self.device = device
        self.identity = identity
        self.candidates = candidates
        self.partitionUUID = partitionUUID
        self.partitionLabel = partitionLabel
        self.typeName = typeName
        self.isEFISystemPartition = isEFISystemPartition
        self.isExtendedBoot = isExtendedBoot
        self.identifierLinks = identifierLinks
    }
}
