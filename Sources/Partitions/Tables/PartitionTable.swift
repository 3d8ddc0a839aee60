package import Storage

/// What divides a disk, as read. Nothing here is ever written back.
package struct PartitionTable: Sendable {
    /// The kind of table, in blkid's words.
    package enum Kind: String, Sendable {
        /// None: the disk holds one volume or nothing known.
        case none
        /// MBR.
        case dos
        /// GUID partition table.
        case gpt
        /// A BSD disk label on the whole disk.
        case bsd
        /// A Sun disk label; recognised only.
        case sun
        /// An SGI volume header; recognised only.
        case sgi
        /// An Apple partition map; recognised only.
        case mac
    }

    /// The kind of table.
    package var kind: Kind
    /// The unit of every sector number in it, in bytes; not always the disk's own.
    package var sectorSize: UInt32
    /// The disk's identifier as blkid shows it: "1a2b3c4d" from an MBR, a GUID from a GPT.
    package var diskIdentifier: String?
    /// The partitions in number order, unused slots left out. Extended partitions are among them.
    package var entries: [PartitionEntry]
    /// Which copy of a GPT was read.
    package var source: Source?
    /// First and last sector that a GPT lets partitions use.
    package var usableSectors: ClosedRange<UInt64>?
    /// What its reader noticed.
    package var findings: [Finding]

    /// Which copy of a GPT was read.
    package enum Source: String, Sendable {
        /// The one behind the protective MBR.
        case primary
        /// The one at the end of the disk.
        case backup
        /// A backup that is not at the end: the disk has grown.
        case displacedBackup = "displaced backup"
    }

    init(
        kind: Kind, sectorSize: UInt32, diskIdentifier: String? = nil, entries: [PartitionEntry] = [],
        source: Source? = nil, usableSectors: ClosedRange<UInt64>? = nil, findings: [Finding] = []
    ) {
        self.kind = kind
        self.sectorSize = sectorSize
        self.diskIdentifier = diskIdentifier
        self.entries = entries
        self.source = source
        self.usableSectors = usableSectors
        self.findings = findings
    }
}

/// One partition of a table.
package struct PartitionEntry: Equatable, Sendable {
    /// The number that Linux gives it: "sda5".
    package var number: Int
    /// The first sector, as the table says, in the table's sectors from the disk's start.
    package var startSector: UInt64
    /// The length in the table's sectors, as the table says.
    package var sectorCount: UInt64
    /// The bytes of the disk that it has; cut at the disk's end, empty when it begins behind it.
    package var byteRange: Range<UInt64>
    /// The MBR type byte, or a BSD label's.
    package var typeCode: UInt8?
    /// The GPT type.
    package var typeGUID: UUID16?
    /// The type for people.
    package var typeName: String
    /// PARTUUID as Linux shows it.
    package var partitionUUID: String?
    /// The name in a GPT.
    package var name: String?
    /// The GPT's attribute bits, or 1 << 7 for an MBR entry marked active.
    package var attributes: UInt64
    /// What kind of entry it is.
    package var role: Role
    /// The disk ends before the partition does.
    package var isClipped: Bool

    /// What kind of entry it is.
    package enum Role: String, Sendable {
        /// An entry of the MBR itself, or of a GPT.
        case primary
        /// An extended partition: holds logical ones, has no contents of its own.
        case extended
        /// A partition inside an extended one.
        case logical
        /// A partition of a BSD label inside an MBR partition.
        case bsd
        /// The entry of a protective MBR whose GPT is lost.
        case protective
    }

    init(
        number: Int, startSector: UInt64, sectorCount: UInt64, geometry: DiskGeometry, typeName: String,
        role: Role
    ) {
        self.number = number
        self.startSector = startSector
        self.sectorCount = sectorCount
        self.typeName = typeName
        self.role = role
        attributes = 0
        (byteRange, isClipped) = geometry.byteRange(start: startSector, count: sectorCount)
    }

    /// The table calls it one for kernels beside the EFI system partition.
    package var isExtendedBoot: Bool {
        typeGUID.map { $0.description == GPTType.extendedBoot } ?? (typeCode == 0xea)
    }

    /// The table calls it an EFI system partition.
    package var isEFISystemPartition: Bool {
        typeGUID.map { $0.description == GPTType.efiSystem } ?? (typeCode == 0xef)
    }

    /// The MBR marks it active ("bootable").
    package var isActive: Bool { typeGUID == nil && attributes & 0x80 != 0 }
    /// Whether it has bytes that can be looked at.
    var holdsContents: Bool { role != .extended && role != .protective && !byteRange.isEmpty }
}

/// The size of a disk and the sectors that its table counts in.
struct DiskGeometry: Sendable {
    var byteCount: UInt64
    var sectorSize: UInt32

    /// Whole sectors on the disk.
    var sectorCount: UInt64 { byteCount / UInt64(sectorSize) }

    /// The bytes of sectors, cut at the disk's end, and whether they were cut.
    func byteRange(start: UInt64, count: UInt64) -> (Range<UInt64>, isClipped: Bool) {
        guard let first = start *? UInt64(sectorSize), first < byteCount else {
            return (byteCount..<byteCount, true)
        }
        guard let length = count *? UInt64(sectorSize), length <= byteCount - first else {
            return (first..<byteCount, true)
        }
        return (first..<first + length, false)
    }

    /// The position of a sector, or nil when it does not lie wholly on the disk.
    func offset(ofSector sector: UInt64) -> UInt64? {
        sector < sectorCount ? sector * UInt64(sectorSize) : nil
    }
}

extension PartitionTable {
    /// Says so for each partition that the disk is too short for, and for each pair that overlaps.
    mutating func noteMisfits() {
        for entry in entries where entry.isClipped && entry.role != .protective {
            let lost = entry.byteRange.isEmpty ? "begins" : "ends"
            findings.append(
                Finding(
                    .warning, LayoutCode.partitionPastEnd,
                    "partition \(entry.number) \(lost) behind the end of the disk; the image may be truncated"
                ))
        }
        let byStart = entries.filter(\.holdsContents).sorted {
            $0.byteRange.lowerBound < $1.byteRange.lowerBound
        }
        var furthest: PartitionEntry?
        for entry in byStart {
            // A BSD label's partitions lie inside their slice and often inside each other.
            if entry.role == .bsd { continue }
            if let furthest, furthest.byteRange.upperBound > entry.byteRange.lowerBound {
                findings.append(
                    Finding(
                        .warning, LayoutCode.partitionsOverlap,
                        "partitions \(furthest.number) and \(entry.number) overlap"))
            }
            if entry.byteRange.upperBound > furthest?.byteRange.upperBound ?? 0 { furthest = entry }
        }
    }
}
