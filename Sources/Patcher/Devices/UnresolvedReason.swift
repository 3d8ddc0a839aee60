package import Storage

/// Why a device name stands for no volume of the given disks.
package enum UnresolvedReason: Error, Hashable, Sendable {
    /// The user tied the name to a disk that was not given.
    case statedDiskMissing(disk: Int, given: Int)
    /// The user tied the root's own name to another disk than the one that the root is on.
    case statedAgainstRoot(DiskName, disk: Int, root: Int)
    /// The user tied the name to the disk of the root, whose own row gives it another.
    case statedForRootDisk(DiskName, disk: Int, root: DiskName)
    /// The user tied the name to a disk of which a volume would be mounted elsewhere too.
    case statedMountedElsewhere(DiskName, disk: Int)
    /// Named by hardware that is not in the image.
    case namedByHardware(DiskName)
    /// Its place in the order is behind the last disk.
    case behindLastDisk(DiskName, disk: Int, given: Int)
    /// Its place in the order is behind the last disk, and one of the disks has no name in use: it may be that one.
    case behindGap(DiskName, disk: Int, given: Int)
    /// More disks of its kind are named than were given, so that its place in the order says nothing.
    case moreNamesThanDisks(DiskName, other: String, given: Int)
    /// cloud-init wrote its row: the disk may be one that the cloud lends.
    case lent(DiskName)
    /// Its place in the order counts a disk that the cloud may lend.
    case behindLent(DiskName, other: String)
    /// By the order it would be a disk that the user tied another name to.
    case statedForAnother(DiskName, disk: Int)
    /// A place on a bus, and the names in use do not tell which disk is there.
    case uncertainAddress(DiskName)
    /// The root's own name contradicts the order in which the disks were given.
    case otherOrder(DiskName)
    /// The system is a copy of one on a disk before its own: whose first disk the name counts from is not known.
    case ofCopy(DiskName)
    /// A position that an optical drive or nothing may hold.
    case unsurePosition(DiskName, position: Int)
    /// The root has a name of another kind.
    case otherKindThanRoot(DiskName)
    /// By the order it would be a volume that is mounted elsewhere.
    case mountedElsewhere(DiskName)
    /// By the order it, or another of its kind, would be a volume that holds something else than its row says.
    case otherContents(DiskName)
    /// The guest's kernel gives no disk such a name.
    case unknownToKernel(DiskName)
    /// Several kinds of disk names are in use, and none is the root's.
    case severalKinds(DiskName)
    /// The hypervisor that the user named gives no disk such a name.
    case unknownToSource(DiskName, Hypervisor)
    /// The disk has no such partition.
    case noPartition(disk: Int, number: Int)
    /// No volume bears it.
    case noBearer(Bearing)
    /// Its volume is not made of the disks that were given, and why.
    case notWhole(volume: String, String)
    /// Several volumes bear it.
    case shared(Bearing, volumes: [String])
    /// Nothing on the given disks, and no file of the guest, shows what is behind it.
    case unknownSource(String)
    /// A number of the device mapper's, which is given by the order in which mappings are made.
    case numberedMapping(String)
    /// The table that makes it of another device names one that is not there, or cannot be told.
    indirect case noMappingSource(name: String, UnresolvedReason)
    /// Its disk is one volume as it was given, without partitions.
    case wholeVolume(name: String, disk: Int)
    /// All of a disk that holds partitions.
    case holdsPartitions(String, disk: Int)
    /// The volume holds no system that could be started.
    case noSystem(volume: String)
    /// No partition has the type that the root is looked for by; the volume that holds it.
    case noRootPartition(volume: String)
    /// It names no volume of any disk.
    case noVolume
    /// It stays as it is, and the target gives the volume another name.
    case renamed(to: String)
    /// Variables or escapes are in it.
    case opaque
    /// The volume holds something else than the row says.
    case rowSays(types: [String], volume: String, kind: VolumeIdentity.Kind)
    /// The row of the root means another volume than the one on which the fstab lies.
    case otherRoot(volume: String, root: String)
    /// The fstab has further rows of the root, by other names.
    case severalRoots([String])
    /// A mapping is made of itself.
    case mappingCircle(String)
    /// The volume holds what the row of crypttab cannot have used.
    case encryptsAnother(mapping: String, volume: String, kind: VolumeIdentity.Kind)
    /// It is mounted below, or from, a place where nothing will be mounted.
    case belowMissing(place: String)
    /// The volume holds no file system.
    case noFileSystem(volume: String, kind: VolumeIdentity.Kind)

    /// What a volume is known by.
    package enum Bearing: Hashable, Sendable {
        /// The UUID of what it holds.
        case uuid(String)
        /// The label of what it holds.
        case label([UInt8])
        /// The partition's UUID.
        case partitionUUID(String)
        /// The partition's name.
        case partitionLabel(String)
        /// Group and name.
        case logicalVolume(group: String, name: String)
        /// The identifier of a physical volume.
        case physicalVolume(String)
        /// The array's name.
        case array(String)
        /// A name below /dev/disk/by-id.
        case identifier(String)

        /// For people: "UUID 1234-ABCD".
        package var summary: String {
            switch self {
            case .uuid(let uuid): "UUID \(uuid)"
            case .label(let label): "label \(label.displayText)"
            case .partitionUUID(let uuid): "partition UUID \(uuid)"
            case .partitionLabel(let label): "partition label \(label)"
            case .logicalVolume(let group, let name): "logical volume \(group)/\(name)"
            case .physicalVolume(let pvid): "the identifier \(pvid) of a physical volume"
            case .array(let name): "array \(name)"
            case .identifier(let name): "the identifier \(name)"
            }
        }
    }

    /// What it names is on none of the given disks, so that a boot would wait for it in vain. Elsewhere the volume may
    /// well be there, and only which one it is cannot be told.
    package var isAbsent: Bool {
        switch self {
        case .behindLastDisk, .noPartition, .noBearer, .notWhole: true
        case .noMappingSource(_, let reason): reason.isAbsent
        case .wholeVolume: false
        default: false
        }
    }

    /// A boot may wait for it in vain, though its name does not depend on the controller.
    package var mayBeMissing: Bool {
        switch self {
        case .unknownSource, .mappingCircle, .belowMissing: true
        case .noMappingSource: !isNumbered
        default: isAbsent
        }
    }

    /// It has a number of the device mapper's for its name, or is made of what has: it will be there, or another will.
    package var isNumbered: Bool {
        switch self {
        case .numberedMapping: true
        case .noMappingSource(_, let reason): reason.isNumbered
        default: false
        }
    }

    /// The user's word on a name contradicts what the guest's own files and contents say.
    package var isContradictedStatement: Bool {
        switch self {
        case .statedAgainstRoot, .statedForRootDisk, .statedMountedElsewhere: true
        default: false
        }
    }

    /// The guest's files contradict each other, or what lies on the disks: no further disk and no word of the user's helps.
    package var isContradiction: Bool {
        switch self {
        case .rowSays, .otherRoot, .severalRoots, .mappingCircle, .encryptsAnother, .noFileSystem,
            .holdsPartitions:
            true
        case .noMappingSource(_, let reason): reason.isContradiction
        default: false
        }
    }

    /// For people.
    package var sentence: Sentence {
        switch self {
        case .statedDiskMissing(let disk, let given):
            "the stated disk \(disk + 1) is not among the \(given) given"
        case .statedAgainstRoot(let name, let disk, let root):
            "\(name) was stated to be disk \(disk + 1), and is the root's disk by the guest's own fstab, which was found on disk \(root + 1)"
        case .statedForRootDisk(let name, let disk, let root):
            "\(name) was stated to be disk \(disk + 1), which the row of the root calls \(root)"
        case .statedMountedElsewhere(let name, let disk):
            "\(name) was stated to be disk \(disk + 1), and would be a volume there that another row mounts elsewhere"
        case .namedByHardware(let name):
            "\(name) is named by hardware that is not in the image; \(remedy: .stateDisk(name.base)) would tell"
        case .behindLastDisk(let name, let disk, let given):
            "\(name) is disk \(disk + 1), and \(given == 1 ? "only one disk was" : "\(given) disks were") given"
        case .behindGap(let name, let disk, let given):
            "\(name) is disk \(disk + 1) by its name, \(given) disks were given, and no name in use is that of one of them; \(remedy: .stateDisk(name.base)) would tell if it is that one"
        case .moreNamesThanDisks(let name, let other, let given):
            "\(name) cannot be told: \(other) is in use too, and \(given == 1 ? "only one disk was" : "\(given) disks were") given; \(remedy: .stateDisk(name.base)) would tell"
        case .lent(let name):
            "\(name) may be a disk that the cloud lends, as cloud-init wrote its row; \(remedy: .stateDisk(name.base)) would tell"
        case .behindLent(let name, let other):
            "\(name) cannot be told: its place counts \(other), a disk that the cloud may lend; \(remedy: .stateDisk(name.base)) would tell"
        case .statedForAnother(let name, let disk):
            "\(name) would be disk \(disk + 1), which has another name by your word; \(remedy: .stateDisk(name.base)) would tell"
        case .uncertainAddress(let name):
            "\(name) is a place on a bus, and the names in use do not tell which of the disks is there; \(remedy: .stateDisk(name.base)) would tell"
        case .otherOrder(let name):
            "\(name) cannot be told: the root's own name shows that the disks were given in another order; \(remedy: .stateDisk(name.base)) would tell"
        case .ofCopy(let name):
            "\(name) cannot be told: the system is a copy of another on these disks, and may have had its own disk as the first; \(remedy: .stateDisk(name.base)) would tell"
        case .unsurePosition(let name, let position):
            "\(name) is position \(position + 1) of its controllers, which an optical drive or nothing may hold; \(remedy: .stateDisk(name.base)) would tell"
        case .otherKindThanRoot(let name):
            "\(name) names another kind of disk than the root's; \(remedy: .stateDisk(nil)) would tell which of the disks it is"
        case .mountedElsewhere(let name):
            "\(name) cannot be told: by its place in the order it would be a volume that is mounted elsewhere; \(remedy: .stateDisk(nil)) would tell"
        case .otherContents(let name):
            "\(name) cannot be told: by the order of the disks one of these names would be a volume that holds something else than its row says; \(remedy: .stateDisk(name.base)) would tell"
        case .unknownToKernel(let name):
            "\(name) is a name that this guest's kernel gives no disk; \(remedy: .stateDisk(nil)) would tell which of the disks it is"
        case .severalKinds(let name):
            "\(name) is one of several kinds of disk names in use; \(remedy: .stateDisk(nil)) would tell which disk it is"
        case .unknownToSource(let name, let hypervisor):
            "\(name) is no name that \(hypervisor.title) gives a disk; \(remedy: .stateDisk(nil)) would tell which of the disks it is"
        case .notWhole(let volume, let why): "\(volume) is not made of the given disks: \(why)"
        case .noPartition(let disk, let number): "disk \(disk + 1) has no partition \(number)"
        case .noBearer(let bearing): "no volume of the given disks has \(bearing.summary)"
        case .shared(let bearing, let volumes):
            "\(bearing.summary) is not unique: \(volumes.joined(separator: ", ")) have it"
        case .unknownSource(let name): "nothing on the given disks shows what \(name) is"
        case .numberedMapping(let name):
            "/dev/\(name) is numbered by the order in which mappings are made, which need not be the same there; a name below /dev/mapper, or a UUID, would hold"
        case .noMappingSource(let name, let reason):
            "\(name) is made of a device of which this is known: \(reason.sentence)"
        case .wholeVolume(let name, let disk):
            "\(name) cannot be told: disk \(disk + 1) is one volume without partitions; \(remedy: .stateDisk(name)) would tell"
        case .holdsPartitions(let name, let disk):
            "\(name) is all of disk \(disk + 1), which holds partitions"
        case .noSystem(let volume): "\(volume) holds no system"
        case .noRootPartition(let volume):
            "the root is looked for by the type of its partition, and \(volume) has not the type of a root"
        case .noVolume: "it names no volume of a disk"
        case .renamed(let name): "it is not changed, and the target calls that volume \(name)"
        case .opaque: "it holds variables or escapes"
        case .rowSays(let types, let volume, let kind):
            "it is said to hold \(types.joined(separator: ",")), but \(volume) holds \(kind == .unknown ? "nothing that is known" : kind.rawValue)"
        case .otherRoot(let volume, let root):
            "it is \(volume), and the system whose root the row means is on \(root)"
        case .severalRoots(let names): "the fstab has several rows of /: \(names.joined(separator: ", "))"
        case .mappingCircle(let name): "\(name) is made of itself, by the tables"
        case .encryptsAnother(let mapping, let volume, let kind):
            "\(volume) holds \(kind.rawValue), and nothing that \(mapping) can have been made of"
        case .belowMissing(let place): "it hangs on \(place), where nothing may be mounted"
        case .noFileSystem(let volume, let kind): "\(volume) holds \(kind.rawValue)"
        }
    }
}
