internal import HostIO
internal import ImageFormats
internal import Partitions
public import Storage
internal import Undo

/// What `info` tells of one disk: the image, the partition table and the volumes. Encodes to JSON with
/// qemu-img's names where it has one.
public struct DiskReport: Encodable, Sendable {
    /// The image's path.
    public var filename: String
    /// The bytes of the path in hexadecimal, where it is not UTF-8.
    public var filenameHex: String?
    /// The format's name.
    public var format: String
    /// The variant in the format's own words.
    public var variant: String?
    /// The guest disk's size in bytes.
    public var virtualSize: UInt64
    /// The length of the files in bytes.
    public var fileSize: UInt64
    /// Bytes they occupy on the host.
    public var actualSize: UInt64?
    /// The cluster, block or grain in bytes.
    public var clusterSize: UInt64?
    /// The guest's logical sector in bytes.
    public var sectorSize: UInt32
    /// Who made it, as stored.
    public var creator: String?
    /// Files that the image names, as stored; none of them was opened to tell this.
    public var references: [Reference]
    /// The chain of parents as far as the policy let it be opened, the nearest first.
    public var parents: [Parent]
    /// Further facts.
    public var details: [String: String]
    /// The facts' names in the order to show them.
    public var detailOrder: [String]
    /// The table, where the disk could be opened.
    public var partitionTable: Table?
    /// The volumes on it.
    public var volumes: [VolumeReport]
    /// Volume groups over all disks given; on the first disk's report only.
    public var groups: [GroupReport] = []
    /// MD arrays over all disks given; on the first disk's report only.
    public var arrays: [ArrayReport] = []
    /// What a user should know.
    public var warnings: [String]

    /// A file that an image names.
    public struct Reference: Encodable, Sendable {
        /// What for.
        public var role: String
        /// The name as stored.
        public var name: String
    }

    /// A partition table.
    public struct Table: Encodable, Sendable {
        /// "dos", "gpt", "none"…
        public var kind: String
        /// The disk's identifier.
        public var identifier: String?
        /// The unit of its numbers in bytes.
        public var sectorSize: UInt32
        /// Its entries, extended ones included.
        public var partitions: [Partition]

        private enum CodingKeys: String, CodingKey {
            case kind, identifier, partitions
            case sectorSize = "sector-size"
        }
    }

    /// A disk behind this one.
    public struct Parent: Encodable, Sendable {
        /// The file that was opened.
        public var filename: String
        /// The bytes of its path in hexadecimal, where it is not UTF-8.
        public var filenameHex: String?
        /// Its guest disk in bytes.
        public var virtualSize: UInt64

        private enum CodingKeys: String, CodingKey {
            case filename
            case filenameHex = "filename-hex"
            case virtualSize = "virtual-size"
        }
    }

    /// An entry of a partition table.
    public struct Partition: Encodable, Sendable {
        /// Linux's number.
        public var number: Int
        /// The first byte on the disk.
        public var start: UInt64
        /// Bytes.
        public var size: UInt64
        /// The type for people.
        public var type: String
        /// The MBR's type byte in hexadecimal or the GPT's type GUID.
        public var typeCode: String?
        /// PARTUUID.
        public var uuid: String?
        /// The GPT name.
        public var name: String?
        /// Marked active in an MBR.
        public var bootable: Bool
        /// "primary", "extended", "logical"…
        public var role: String

        private enum CodingKeys: String, CodingKey {
            case number, start, size, type, uuid, name, bootable, role
            case typeCode = "type-code"
        }
    }

    private enum CodingKeys: String, CodingKey {
        case filename, format, variant, creator, references, parents, details, volumes, groups, arrays,
            warnings
        case filenameHex = "filename-hex"
        case virtualSize = "virtual-size"
        case fileSize = "file-size"
        case actualSize = "actual-size"
        case clusterSize = "cluster-size"
        case sectorSize = "sector-size"
        case partitionTable = "partition-table"
    }
}

/// What `info` tells of a volume.
public struct VolumeReport: Encodable, Sendable {
    /// Its name on the command line.
    public var name: String
    /// Bytes.
    public var size: UInt64
    /// blkid's word for what it holds.
    public var kind: String
    /// UUID.
    public var uuid: String?
    /// Label; bytes that are not text as \xNN.
    public var label: String?
    /// The version or variant of the contents.
    public var version: String?
    /// Free bytes of a file system.
    public var free: UInt64?
    /// PARTUUID.
    public var partitionUUID: String?
    /// Everything else it could be taken for.
    public var alsoLooksLike: [String]

    init(_ volume: Volume) {
        name = volume.name
        size = volume.device.byteCount
        kind = volume.identity.kind.rawValue
        uuid = volume.identity.uuid
        label = volume.identity.label?.displayText
        version = volume.identity.version
        free = volume.identity.freeByteCount
        partitionUUID = volume.partitionUUID
        alsoLooksLike = volume.candidates.dropFirst().map(\.kind.rawValue)
    }

    private enum CodingKeys: String, CodingKey {
        case name, size, kind, uuid, label, version, free
        case partitionUUID = "partition-uuid"
        case alsoLooksLike = "also-looks-like"
    }
}

extension DiskReport {
    /// Describes an image by reading a bounded part of it. An image that names files which may not be opened is
    /// described without its contents, and `words` has what keeps them from being shown.
    public static func describe(
        _ paths: [String], options: ImageOptions = ImageOptions(),
        words: (StorageError) -> String = { $0.description }
    ) throws(StorageError) -> [DiskReport] { try describeAll(paths, options: options, words: words).disks }

    /// The same, and what the description of the machine says, where one is given in the place of disks.
    public static func describeAll(
        _ paths: [String], options: ImageOptions = ImageOptions(),
        words: (StorageError) -> String = { $0.description }
    ) throws(StorageError) -> (machine: MachineReport?, disks: [DiskReport]) {
        let sources = try DiskSources(paths, options)
        var disks = try describe(sources, options, words)
        if !disks.isEmpty { disks[0].warnings += sources.notes }
        return (sources.machine.map(MachineReport.init), disks)
    }

    private static func describe(
        _ sources: DiskSources, _ options: ImageOptions, _ words: (StorageError) -> String
    ) throws(StorageError) -> [DiskReport] {
        let paths = sources.requests.map(\.path)
        do throws(StorageError) {
            let guest = try Guest.open(sources, options)
            return guest.images.indices.map { DiskReport(guest, disk: $0) }
        } catch {
            // What is wrong with another file, one that an image names, leaves the image itself to be told of.
            let isElsewhere = error.path.map { !paths.map(\.hostBytes).contains($0.hostBytes) } ?? false
            guard error.kind == .refused || error.kind == .unsupported || isElsewhere,
                !error.isCode(HostFileCode.locked), !error.isCode(HostFileCode.mounted),
                !error.isCode(GuestInputCode.machineDescription),
                // Half changed, here or behind it, is no fact to be told.
                error.id.layer != UndoCode.layer,
                !error.isCancellation
            else {
                throw error
            }
            var reports: [DiskReport] = []
            for request in sources.requests {
                let info = try ImageProbe.describe(
                    try request.options.hostFiles.open(request.path, access: .read),
                    format: request.options.format)
                var report = DiskReport(request.path, info)
                report.warnings.append("its contents are not shown: \(words(error))")
                reports.append(report)
            }
            return reports
        }
    }

    private init(_ guest: Guest, disk: Int) {
        self.init(guest.images[disk].path, guest.images[disk].opened.info)
        parents = guest.images[disk].opened.disk.parents.map { parent in
            let path = parent.map.hostFiles.first?.path ?? ""
            return Parent(
                filename: path, filenameHex: path.hexOfHostBytes, virtualSize: parent.byteCount)
        }
        let layout = guest.layout.disks[disk]
        partitionTable = Table(
            kind: layout.table.kind.rawValue, identifier: layout.table.diskIdentifier,
            sectorSize: layout.table.sectorSize,
            partitions: layout.table.entries.map { entry in
                Partition(
                    number: entry.number, start: entry.byteRange.lowerBound,
                    size: entry.byteRange.upperBound - entry.byteRange.lowerBound, type: entry.typeName,
                    typeCode: entry.typeGUID?.description ?? entry.typeCode.map { UInt($0).hex },
                    uuid: entry.partitionUUID, name: entry.name, bootable: entry.isActive,
                    role: entry.role.rawValue)
            })
        volumes = guest.volumes.filter { volume in
            switch volume.location {
            case .wholeDisk(let index), .partition(let index, _): index == disk
            case .logicalVolume, .array: disk == 0
            }
        }.map { VolumeReport($0) }
        if disk == 0 {
            groups = guest.layout.groups.map { GroupReport($0) }
            arrays = guest.layout.arrays.map { ArrayReport($0) }
        }
        warnings += guest.layout.findings.filter { $0.disk == disk || ($0.disk == nil && disk == 0) }.map(
            \.message)
    }

    private init(_ path: String, _ info: ImageInfo) {
        filename = path
        filenameHex = path.hexOfHostBytes
        format = info.format.rawValue
        variant = info.variant
        virtualSize = info.virtualSize
        fileSize = info.fileSize
        actualSize = info.allocatedSize
        clusterSize = info.unitSize
        sectorSize = info.sectorSize
        creator = info.creator
        references = info.references.map { Reference(role: $0.role, name: $0.name) }
        parents = []
        details = Dictionary(
            info.details.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
        detailOrder = info.details.map(\.name)
        volumes = []
        warnings = info.warnings
    }
}
