internal import Storage

/// The constant header of an seSparse extent, sector 0: ESX's snapshots of large disks. 512 bytes, little-endian, every
/// field 64 bits; positions and sizes on disk count sectors of 512 bytes and are bytes here. (The layout is VMware's own;
/// these facts are those of qemu's reader and dissect's.)
///
///       0  magic           40  flags: 0                 128  directory       192  grains
///       8  version         80  volatile header          136  its size        200  their size
///      16  capacity        88  its size                 144  tables
///      24  grain size: 8   96  journal header           152  their size
///      32  table size: 64  …
struct VMDKSESparseHeader: Equatable, Sendable {
    /// The guest bytes that the extent holds.
    var byteCount: UInt64
    /// Where the header that changes lies.
    var volatileOffset: UInt64
    /// The grain directory.
    var directory: Range<UInt64>
    /// Where the tables begin, one behind the other, and where their room ends.
    var tables: Range<UInt64>
    /// Where the grains begin.
    var grainsOffset: UInt64

    static let magic: [UInt8] = [0xbe, 0xba, 0xfe, 0xca, 0, 0, 0, 0]
    private static let version: UInt64 = 0x2_0000_0001
    static let grainSize: UInt64 = 4096
    static let entriesPerTable = 4096
    static let tableByteCount = entriesPerTable * 8
    /// Guest bytes that one table covers.
    static let tableSpan = grainSize * UInt64(entriesPerTable)
    /// ESX's largest disk, in bytes.
    static let byteLimit: UInt64 = 64 << 40

    /// Entries of the grain directory that the disk needs.
    var tableCount: Int { Int(byteCount.dividedRoundingUp(by: Self.tableSpan)) }

    /// Checks and reads the header in `bytes`, a file's first sector.
    init(_ bytes: [UInt8]) throws(StorageError) {
        func refuse(
            _ code: VMDKCode, _ field: String, _ message: String, _ kind: StorageError.Kind = .corrupt
        ) -> StorageError {
            .vmdk(kind, code, message, structure: "seSparse header", field: field, offset: 0)
        }
        guard bytes.count >= VMDKSparseHeader.byteSize, bytes.span8.matches(Self.magic) else {
            throw refuse(.foreignExtent, "magic", "the extent does not begin with an seSparse header")
        }
        let version: UInt64 = bytes.little(8)
        guard version == Self.version else {
            throw refuse(
                .headerVersion, "version", "seSparse extents of version \(version.hex) are not known",
                .unsupported)
        }
        guard bytes.little(40, as: UInt64.self) == 0, bytes[48..<80].allSatisfy({ $0 == 0 }) else {
            throw refuse(
                .incompatibleFlags, "flags", "the header uses fields that are not known", .unsupported)
        }
        let grain: UInt64 = bytes.little(24)
        guard grain == Self.grainSize / 512 else {
            throw refuse(
                .grainSize, "grain size", "a grain of \(grain) sectors is not what any writer makes",
                .unsupported)
        }
        let table: UInt64 = bytes.little(32)
        guard table == UInt64(Self.tableByteCount) / 512 else {
            throw refuse(
                .tableEntries, "grain table size",
                "a grain table of \(table) sectors is not what any writer makes",
                .unsupported)
        }
        let capacity: UInt64 = bytes.little(16)
        guard capacity > 0, capacity <= Self.byteLimit / 512 else {
            throw refuse(.capacity, "capacity", "a capacity of \(capacity) sectors is impossible")
        }
        byteCount = capacity * 512
        func position(_ at: Int, _ field: String) throws(StorageError) -> UInt64 {
            guard let value = bytes.little(at, as: UInt64.self) *? 512, value <= UInt64(Int64.max) else {
                throw refuse(.directoryPlace, field, "is past the end of any file")
            }
            return value
        }
        func range(_ at: Int, _ field: String) throws(StorageError) -> Range<UInt64> {
            let start = try position(at, field)
            let size = try position(at + 8, field)
            guard start >= 512, let end = start +? size, end <= UInt64(Int64.max) else {
                throw refuse(.directoryPlace, field, "is past the end of any file")
            }
            return start..<end
        }
        volatileOffset = try position(80, "volatile header offset")
        directory = try range(128, "grain directory offset")
        tables = try range(144, "grain tables offset")
        grainsOffset = try position(192, "grains offset")
        guard directory.upperBound - directory.lowerBound >= UInt64(tableCount) * 8 else {
            throw refuse(
                .directoryTooLarge, "grain directory size",
                "the directory does not reach to the end of the disk, which needs \(tableCount) entries")
        }
        guard grainsOffset >= 512 else {
            throw refuse(.directoryPlace, "grains offset", "the grains lie in the header")
        }
    }

    /// Throws unless the header that changes says that the extent's tables are whole.
    func requireSettled(_ file: any ByteFile) throws(StorageError) {
        let bytes = try file.availableBytes(at: volatileOffset, count: 32)
        guard volatileOffset >= 512, bytes.count == 32, bytes.little(0, as: UInt64.self) == 0xcafe_cafe else {
            throw .vmdk(
                .corrupt, .volatileHeader, "the volatile header is not where the header says",
                structure: "seSparse header", field: "volatile header offset", offset: volatileOffset,
                path: file.path)
        }
        guard bytes.little(24, as: UInt64.self) == 0 else {
            throw .vmdk(
                .refused, .journal,
                "has a journal that was not played back: the host that wrote it was cut off; let ESX open the disk, or "
                    + "consolidate the snapshot there",
                structure: "volatile header", field: "replay journal", offset: volatileOffset + 24,
                path: file.path)
        }
    }
}
