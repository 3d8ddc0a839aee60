internal import Storage

/// The header of a sparse extent. Of a hosted one: sector 0, repeated in the footer of a stream. 512 bytes,
/// little-endian, fields unaligned; positions and sizes on disk count sectors of 512 bytes and are bytes here.
/// (VMware, "Virtual Disk Format 5.0", "Hosted Sparse Extents" and "Stream-Optimized".)
///
///      0  4  "KDMV"             28  8  descriptor offset     64  8  overhead: where the grains begin
///      4  4  version            36  8  descriptor size       72  1  unclean shutdown
///      8  4  flags              44  4  entries per table     73  4  "\n \r\n"
///     12  8  capacity           48  8  redundant directory   77  2  compression: 0 none, 1 deflate
///     20  8  grain size         56  8  directory, or all ones: in the footer
///
/// The overhead is written and not believed: new grains go to the end of the file. ESX's own sparse extents have another
/// header (`init(vmfs:)`) and are laid out alike.
struct VMDKSparseHeader: Equatable, Sendable {
    /// Whose extent it is.
    enum Kind: Sendable {
        /// Workstation's and the streams'.
        case hosted
        /// ESX's: vmfsSparse, by its magic COWD.
        case vmfs
    }

    var kind = Kind.hosted
    /// 1 to 3. Version 3 on a stream is ordinary; elsewhere it means changed block tracking.
    var version: UInt32
    /// See `Flag`.
    var flags: UInt32
    /// The guest bytes that the extent holds.
    var byteCount: UInt64
    /// Bytes of a grain, a power of two.
    var grainSize: UInt64
    /// Where the embedded descriptor lies, in bytes; nil: the extent has none.
    var descriptorRange: Range<UInt64>?
    /// Entries of one grain table.
    var entriesPerTable: Int
    /// Entries of the grain directory.
    var tableCount: Int
    /// The grain directory; nil: the footer says.
    var directoryOffset: UInt64?
    /// The redundant grain directory, where the flags say that there is one.
    var redundantDirectoryOffset: UInt64?
    /// 1 while VMware has the disk open, and in many good streams.
    var isUnclean: Bool
    /// The byte behind all that was written, as a vmfs header keeps it; nil in hosted ones.
    var freeOffset: UInt64?

    /// The bits of `flags`.
    enum Flag {
        static let newlineTest: UInt32 = 1
        static let redundantTables: UInt32 = 2
        static let zeroedGrains: UInt32 = 4
        static let compressed: UInt32 = 1 << 16
        static let markers: UInt32 = 1 << 17
        /// Readers must know all of these.
        static let incompatible: UInt32 = 0xffff_0000
    }

    static let magic = Array("KDMV".utf8)
    static let byteSize = 512
    static let newlines = Array("\n \r\n".utf8)
    static let sectorSize: UInt64 = 512
    static let atFooter: UInt64 = .max

    /// Larger directories are refused: with ordinary grains this is 32 TiB, 16 times what 32-bit sector numbers
    /// can reach.
    static let directoryLimit: UInt64 = 1 << 20
    /// VMware's tables have exactly so many entries; no writer makes more.
    static let tableEntriesLimit = 512
    static let grainLimit: UInt64 = 64 << 20

    /// The version of the same extent while nobody tracks its changes: 2 has entries for zeros.
    var versionWithoutTracking: UInt8 { flags & Flag.zeroedGrains != 0 ? 2 : 1 }
    /// Whether grains are deflated.
    var isCompressed: Bool { flags & Flag.compressed != 0 }
    /// Whether a compressed grain's header carries its guest sector.
    var hasMarkers: Bool { flags & Flag.markers != 0 }
    /// Bytes of the header itself.
    var ownByteCount: UInt64 { kind == .vmfs ? UInt64(Self.vmfsByteSize) : UInt64(Self.byteSize) }
    /// Where the unclean mark lies: its first byte says it.
    var uncleanOffset: UInt64 { kind == .vmfs ? Self.vmfsUncleanOffset : 72 }
    /// Whether an entry of a table names no grain of the file. In a hosted extent 1 means zeros; in a vmfs one it is a
    /// sector like any other, which lies in the header.
    func isPlaceless(_ entry: UInt32) -> Bool { entry == 0 || (entry == 1 && kind == .hosted) }
    /// Guest bytes that one table covers.
    var tableSpan: UInt64 { grainSize * UInt64(entriesPerTable) }
    /// Bytes of one table.
    var tableByteCount: Int { entriesPerTable * 4 }

    /// Checks and reads the header in `bytes`, which lie at byte `offset` of their file.
    init(_ bytes: [UInt8], at offset: UInt64 = 0) throws(StorageError) {
        func refuse(
            _ code: VMDKCode, _ field: String, _ message: String, _ kind: StorageError.Kind = .corrupt
        ) -> StorageError {
            .vmdk(kind, code, message, structure: "sparse header", field: field, offset: offset)
        }
        guard bytes.count >= Self.byteSize, bytes.span8.matches(Self.magic) else {
            throw refuse(.foreignExtent, "magicNumber", "the extent does not begin with a sparse header")
        }
        version = bytes.little(4)
        guard (1...3).contains(version) else {
            throw refuse(
                .headerVersion, "version", "sparse extents of version \(version) are not known", .unsupported)
        }
        flags = bytes.little(8)
        guard flags & Flag.incompatible & ~(Flag.compressed | Flag.markers) == 0 else {
            throw refuse(
                .incompatibleFlags, "flags",
                "flags \(flags.hex) contain incompatible features that are not known", .unsupported)
        }
        guard flags & Flag.newlineTest == 0 || bytes.span8.matches(Self.newlines, at: 73) else {
            throw refuse(
                .lineEnds, "newline test",
                "the file was damaged by a transfer in text mode; transfer it again in binary mode")
        }

        let grainSectors: UInt64 = bytes.little(20)
        guard grainSectors.nonzeroBitCount == 1, grainSectors <= Self.grainLimit / Self.sectorSize else {
            throw refuse(
                .grainSize, "grainSize", "a grain of \(grainSectors) sectors is not what any writer makes")
        }
        grainSize = grainSectors * Self.sectorSize
        let entries: UInt32 = bytes.little(44)
        guard (1...UInt32(Self.tableEntriesLimit)).contains(entries) else {
            throw refuse(.tableEntries, "numGTEsPerGT", "a grain table cannot have \(entries) entries")
        }
        entriesPerTable = Int(entries)

        let capacity: UInt64 = bytes.little(12)
        guard capacity > 0, capacity <= UInt64(Int64.max) / Self.sectorSize else {
            throw refuse(.capacity, "capacity", "a capacity of \(capacity) sectors is impossible")
        }
        byteCount = capacity * Self.sectorSize
        let tables = byteCount.dividedRoundingUp(by: grainSize * UInt64(entries))
        guard tables <= Self.directoryLimit else {
            throw refuse(
                .directoryTooLarge, "capacity",
                "a capacity of \(capacity) sectors needs a grain directory of \(tables) entries, "
                    + "more than any writer makes")
        }
        tableCount = Int(tables)

        func position(_ at: Int, _ field: String) throws(StorageError) -> UInt64 {
            guard let value = bytes.little(at, as: UInt64.self) *? Self.sectorSize, value <= UInt64(Int64.max)
            else { throw refuse(.directoryPlace, field, "is past the end of any file") }
            return value
        }
        let descriptorSectors: UInt64 = bytes.little(36)
        let descriptorOffset = try position(28, "descriptorOffset")
        if descriptorOffset != 0, descriptorSectors != 0 {
            guard descriptorSectors <= UInt64(VMDKDescriptor.byteLimit) / Self.sectorSize else {
                throw refuse(
                    .descriptorTooLarge, "descriptorSize", "a descriptor of more than 1 MiB is not read")
            }
            descriptorRange = descriptorOffset..<descriptorOffset + descriptorSectors * Self.sectorSize
        }
        directoryOffset =
            bytes.little(56, as: UInt64.self) == Self.atFooter ? nil : try position(56, "gdOffset")
        if flags & Flag.redundantTables != 0, bytes.little(48, as: UInt64.self) != Self.atFooter {
            let redundant = try position(48, "rgdOffset")
            if redundant != 0 { redundantDirectoryOffset = redundant }
        }
        isUnclean = bytes[72] != 0

        let algorithm: UInt16 = bytes.little(77)
        guard isCompressed ? algorithm == 1 : algorithm <= 1 else {
            throw refuse(
                .compression, "compressAlgorithm",
                "compression algorithm \(algorithm) is not known", .unsupported)
        }
        guard !isCompressed || grainSize <= UnitDecoder.unitLimit else {
            throw refuse(
                .grainSize, "grainSize",
                "a compressed grain of \(grainSectors) sectors is not what any writer makes")
        }
    }
}
