internal import Storage

/// The header of a VDI and the text before it: the file's first sector. Little-endian. Layout: VirtualBox,
/// `VDIPREHEADER` and `VDIHEADER1PLUS`.
struct VDIHeader: Equatable, Sendable {
    /// Offsets in the file.
    enum Field {
        static let signature = 64
        static let version = 68
        static let headerSize = 72
        static let type = 76
        static let description = 84
        static let mapOffset = 340
        static let dataOffset = 344
        static let sectorSize = 360
        static let diskSize = 368
        static let blockSize = 376
        static let blockExtra = 380
        static let blockCount = 384
        static let allocatedCount = 388
        static let identifier = 392
        static let modification = 408
        static let parentIdentifier = 424
        static let parentModification = 440
        static let geometry = 456
    }

    /// The type of an image.
    enum Kind: UInt32, Sendable {
        case dynamic = 1
        /// Every block has a place.
        case fixed = 2
        /// A differencing disk whose changes are thrown away; laid out like one that keeps them.
        case undo = 3
        case differencing = 4

        /// VirtualBox's words.
        var name: String {
            switch self {
            case .dynamic: "dynamic"
            case .fixed: "static"
            case .undo: "undo"
            case .differencing: "differencing"
            }
        }
    }

    static let byteCount = 512
    static let signature: UInt32 = 0xbeda_107f
    /// The version that is read and made: 1.1.
    static let version: UInt32 = 0x1_0001
    /// The header's own size, from `headerSize` on: without and with the second geometry.
    static let sizes: ClosedRange<UInt32> = 384...400
    /// Everybody makes 1 MiB; the format takes any power of two.
    static let blockSizes: ClosedRange<UInt32> = 4096...(256 << 20)
    /// 64 TiB in the blocks that everybody makes; the map has 256 MiB then.
    static let blockLimit: UInt32 = 1 << 26

    /// The file's first sector, with what is not known here.
    private(set) var bytes: [UInt8]

    /// Who made it, without the arrows around it.
    var creator: [UInt8] {
        let text = bytes[..<Field.signature].prefix { $0 != 0 && $0 != 10 }
        return Array(
            text.drop { $0 == UInt8(ascii: "<") || $0 == 32 }.reversed()
                .drop { $0 == UInt8(ascii: ">") || $0 == 32 }.reversed())
    }
    /// What its owner wrote into it.
    var description: [UInt8] { Array(bytes[Field.description..<Field.mapOffset].prefix { $0 != 0 }) }
    var kind: Kind? { Kind(rawValue: bytes.little(Field.type)) }
    var mapOffset: UInt64 { UInt64(bytes.little(Field.mapOffset, as: UInt32.self)) }
    var dataOffset: UInt64 { UInt64(bytes.little(Field.dataOffset, as: UInt32.self)) }
    var diskSize: UInt64 { bytes.little(Field.diskSize) }
    var blockSize: UInt32 { bytes.little(Field.blockSize) }
    /// Bytes in front of each block's data.
    var blockExtra: UInt32 { bytes.little(Field.blockExtra) }
    var blockCount: UInt32 { bytes.little(Field.blockCount) }
    var allocatedCount: UInt32 {
        get { bytes.little(Field.allocatedCount) }
        set { bytes.storeLittle(newValue, at: Field.allocatedCount) }
    }
    var identifier: UUID16 { uuid(Field.identifier) }
    /// Changes with every session in which the disk is written.
    var modification: UUID16 {
        get { uuid(Field.modification) }
        set { put(newValue, at: Field.modification) }
    }
    var parentIdentifier: UUID16 { uuid(Field.parentIdentifier) }
    /// What `modification` of the parent was when this disk was made.
    var parentModification: UUID16 { uuid(Field.parentModification) }

    var isDifferencing: Bool { kind == .differencing || kind == .undo }
    /// Bytes from one block's place to the next.
    var stride: UInt64 { UInt64(blockSize) + UInt64(blockExtra) }
    /// Where the block map ends.
    var mapEnd: UInt64 { mapOffset + UInt64(blockCount) * 4 }

    /// Reads and checks the header of a file.
    init(reading file: any ByteFile) throws(StorageError) {
        let bytes = try file.availableBytes(at: 0, count: Self.byteCount)
        guard bytes.count == Self.byteCount else {
            throw .vdi(.corrupt, .truncatedHeader, "the file ends within the header", offset: 0)
        }
        self.bytes = bytes
        try check(fileSize: file.byteCount)
    }

    /// A header for a new disk.
    init(
        kind: Kind, diskSize: UInt64, blockSize: UInt32, blockCount: UInt32, mapOffset: UInt32,
        dataOffset: UInt32,
        identifier: UUID16, modification: UUID16, parent: VDIHeader? = nil
    ) {
        bytes = [UInt8](repeating: 0, count: Self.byteCount)
        let text = Array("<<< diskgraft VirtualBox Disk Image >>>\n".utf8)
        bytes.replaceSubrange(0..<text.count, with: text)
        bytes.storeLittle(Self.signature, at: Field.signature)
        bytes.storeLittle(Self.version, at: Field.version)
        bytes.storeLittle(Self.sizes.upperBound, at: Field.headerSize)
        bytes.storeLittle(kind.rawValue, at: Field.type)
        bytes.storeLittle(mapOffset, at: Field.mapOffset)
        bytes.storeLittle(dataOffset, at: Field.dataOffset)
        bytes.storeLittle(UInt32(512), at: Field.sectorSize)
        bytes.storeLittle(diskSize, at: Field.diskSize)
        bytes.storeLittle(blockSize, at: Field.blockSize)
        bytes.storeLittle(blockCount, at: Field.blockCount)
        bytes.storeLittle(kind == .fixed ? blockCount : 0, at: Field.allocatedCount)
        // VirtualBox fills a geometry of zeros in by itself; the sector size has to be there.
        bytes.storeLittle(UInt32(512), at: Field.geometry + 12)
        put(identifier, at: Field.identifier)
        put(modification, at: Field.modification)
        guard let parent else { return }
        put(parent.identifier, at: Field.parentIdentifier)
        put(parent.modification, at: Field.parentModification)
    }

    /// The same for a disk of another size.
    func resized(to diskSize: UInt64, blockCount: UInt32, allocatedCount: UInt32) -> VDIHeader {
        var header = self
        header.bytes.storeLittle(diskSize, at: Field.diskSize)
        header.bytes.storeLittle(blockCount, at: Field.blockCount)
        header.bytes.storeLittle(allocatedCount, at: Field.allocatedCount)
        return header
    }

    private func uuid(_ offset: Int) -> UUID16 { UUID16(mixedEndian: bytes.span8, at: offset) }

    private mutating func put(_ uuid: UUID16, at offset: Int) {
        bytes.replaceSubrange(offset..<offset + 16, with: uuid.mixedEndianBytes)
    }
}
