internal import Storage

/// The header of a Parallels image ("expanding image"): 64 bytes, little-endian, with the block table behind it. Layout:
/// QEMU's `docs/interop/parallels`.
struct ParallelsHeader: Sendable {
    static let byteCount = 64
    /// Entries count sectors, and the disk has less than 2^32 of them.
    static let magic = Array("WithoutFreeSpace".utf8)
    /// Entries count blocks.
    static let extendedMagic = Array("WithouFreSpacExt".utf8)
    static let sectorSize: UInt64 = 512

    private static let openMark: UInt32 = 0x746f_6e59
    /// 64 MiB of table: 64 TiB in the blocks of 1 MiB that everybody makes take as many entries.
    private static let tableLimit: UInt32 = 1 << 26

    let blockSize: UInt64
    let diskSize: UInt64
    let blockCount: UInt64
    /// What an entry is to be multiplied with for the place in bytes.
    let entryUnit: UInt64
    /// Its writer has not closed it.
    let isInUse: Bool
    let version: UInt32

    /// Reads and checks the header of a file.
    init(reading file: any ByteFile) throws(StorageError) {
        let bytes = try file.availableBytes(at: 0, count: Self.byteCount)
        guard bytes.count == Self.byteCount else {
            throw .parallels(.corrupt, .truncatedHeader, "the file ends within the header", offset: 0)
        }
        let isExtended = bytes.span8.matches(Self.extendedMagic)
        guard isExtended || bytes.span8.matches(Self.magic) else {
            throw .parallels(
                .corrupt, .badMagic, "this is no Parallels image", structure: "header", offset: 0)
        }
        func corrupt(_ code: ParallelsCode, _ field: String, _ offset: UInt64, _ message: String)
            -> StorageError
        {
            .parallels(.corrupt, code, message, structure: "header", field: field, offset: offset)
        }
        version = bytes.little(16)
        guard version == 2 else {
            throw .parallels(
                .unsupported, .unknownVersion, "version \(version) is not known", structure: "header",
                field: "version", offset: 16)
        }
        let sectors: UInt32 = bytes.little(28)
        guard sectors > 0, UInt64(sectors) <= UInt64(Int32.max) / Self.sectorSize else {
            throw corrupt(.blockSize, "tracks", 28, "blocks of \(sectors) sectors cannot be")
        }
        let count: UInt32 = bytes.little(32)
        guard count <= Self.tableLimit else {
            throw corrupt(.tableSize, "bat_entries", 32, "a table of \(count) entries is more than is read")
        }
        let stored: UInt64 = bytes.little(36)
        // Of the older kind only the lower half counts.
        guard let size = (isExtended ? stored : stored & 0xffff_ffff) *? Self.sectorSize, size > 0,
            size <= UInt64(Int64.max)
        else { throw corrupt(.diskSize, "nb_sectors", 36, "a disk of \(stored) sectors cannot be") }
        blockSize = UInt64(sectors) * Self.sectorSize
        diskSize = size
        blockCount = UInt64(count)
        entryUnit = isExtended ? blockSize : Self.sectorSize
        isInUse = bytes.little(44, as: UInt32.self) == Self.openMark
        guard size.dividedRoundingUp(by: blockSize) <= blockCount else {
            throw corrupt(
                .tableSize, "bat_entries", 32,
                "a table of \(count) entries is too short for a disk of \(size) bytes")
        }
        guard UInt64(Self.byteCount) + blockCount * 4 <= file.byteCount else {
            throw corrupt(
                .tableSize, "bat_entries", 32,
                "the table of \(count) entries does not lie in the file, which may be truncated")
        }
    }
}
