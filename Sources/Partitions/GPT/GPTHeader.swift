internal import Storage

/// A GPT header (UEFI 2.10, 5.3.2) whose checksum and own address have been verified.
struct GPTHeader: Equatable, Sendable {
    static let signature = Array("EFI PART".utf8)
    /// The sector sizes a table is looked for in, besides the disk's own.
    static let sectorSizes: [UInt32] = [512, 4096, 2048]
    /// The largest entry array that is read: 128 KiB is usual for 1024 entries.
    static let entryBytesLimit = 4 << 20

    /// Where this copy is, and where it says the other is.
    let ownSector: UInt64
    let alternateSector: UInt64
    /// First and last sector that partitions may use.
    let firstUsable: UInt64
    let lastUsable: UInt64
    let diskGUID: UUID16
    let entriesSector: UInt64
    let entryCount: Int
    let entrySize: Int
    let entriesChecksum: UInt32
    /// The sector as read, whole: a repair changes fields in it and keeps the rest.
    let bytes: [UInt8]

    /// What is wrong with a sector that should hold a header.
    enum Flaw: String, Error {
        case noSignature = "has no GPT signature"
        case headerSize = "gives an impossible header size"
        case headerChecksum = "fails its checksum"
        case ownAddress = "belongs at another sector"
        case entrySize = "gives an entry size that is not 128 times a power of two"
        case entryArray = "points to an entry array that is not on the disk or is too large"
        case entriesChecksum = "has an entry array that fails its checksum"
        case unreachable = "is not on the disk"
    }

    /// Parses one sector that was read at `sector`.
    init(_ sectorBytes: [UInt8], at sector: UInt64, geometry: DiskGeometry) throws(Flaw) {
        guard sectorBytes.count >= 512, sectorBytes.span8.matches(Self.signature) else { throw .noSignature }
        let headerSize = Int(sectorBytes.little(12, as: UInt32.self))
        guard headerSize >= 92, headerSize <= sectorBytes.count else { throw .headerSize }
        guard Self.checksum(sectorBytes, headerSize: headerSize) == sectorBytes.little(16) else {
            throw .headerChecksum
        }
        ownSector = sectorBytes.little(24)
        guard ownSector == sector else { throw .ownAddress }
        alternateSector = sectorBytes.little(32)
        firstUsable = sectorBytes.little(40)
        lastUsable = sectorBytes.little(48)
        diskGUID = UUID16(mixedEndian: sectorBytes.span8, at: 56)
        entriesSector = sectorBytes.little(72)
        let size: UInt32 = sectorBytes.little(84)
        guard size >= 128, size <= 4096, size.nonzeroBitCount == 1 else { throw .entrySize }
        let count: UInt32 = sectorBytes.little(80)
        guard count <= UInt32(Self.entryBytesLimit) / size else { throw .entryArray }
        entryCount = Int(count)
        entrySize = Int(size)
        entriesChecksum = sectorBytes.little(88)
        bytes = sectorBytes
        guard let start = geometry.offset(ofSector: entriesSector),
            UInt64(entryCount * entrySize) <= geometry.byteCount - start
        else { throw .entryArray }
    }

    /// The length of the entry array in bytes.
    var entryByteCount: Int { entryCount * entrySize }

    /// The sectors that the entry array occupies.
    func entrySectorCount(_ geometry: DiskGeometry) -> UInt64 {
        UInt64(entryByteCount).dividedRoundingUp(by: UInt64(geometry.sectorSize))
    }

    /// CRC-32 over the header with its own checksum field taken as zero.
    static func checksum(_ bytes: [UInt8], headerSize: Int) -> UInt32 {
        var copy = Array(bytes[..<headerSize])
        copy.storeLittle(UInt32(0), at: 16)
        return CRC32.checksum(copy.span8)
    }

    /// Whether two copies describe the same table, wherever each lies.
    func describesSameTable(as other: GPTHeader) -> Bool {
        diskGUID == other.diskGUID && entryCount == other.entryCount && entrySize == other.entrySize
            && entriesChecksum == other.entriesChecksum
    }
}

/// A copy of a GPT: a verified header and its verified entry array.
struct GPTCopy: Equatable, Sendable {
    let header: GPTHeader
    let entryBytes: [UInt8]

    /// What stands where a copy is looked for. No `Result`, which costs the runtime a search where every disk is opened.
    enum Found: Sendable {
        case copy(GPTCopy)
        case flawed(GPTHeader.Flaw)
    }

    /// Reads the copy whose header is at `sector`; only input errors throw.
    static func read(
        _ disk: any BlockDevice, at sector: UInt64, geometry: DiskGeometry
    ) throws(StorageError) -> Found {
        guard let offset = geometry.offset(ofSector: sector) else { return .flawed(.unreachable) }
        let bytes = try disk.bytes(at: offset, count: Int(geometry.sectorSize))
        let header: GPTHeader
        do { header = try GPTHeader(bytes, at: sector, geometry: geometry) } catch { return .flawed(error) }
        guard let start = geometry.offset(ofSector: header.entriesSector) else {
            return .flawed(.entryArray)
        }
        let entries = try disk.bytes(at: start, count: header.entryByteCount)
        guard CRC32.checksum(entries.span8) == header.entriesChecksum else {
            return .flawed(.entriesChecksum)
        }
        return .copy(GPTCopy(header: header, entryBytes: entries))
    }
}
