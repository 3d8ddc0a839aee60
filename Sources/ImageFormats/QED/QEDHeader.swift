internal import Storage

/// The header of a QED image: 64 bytes, little-endian. Layout: QEMU's `docs/interop/qed_spec`.
struct QEDHeader: Sendable {
    static let byteCount = 64
    static let magic: [UInt8] = Array("QED".utf8) + [0]

    /// Bits of `features`.
    private enum Feature {
        static let backingFile: UInt64 = 1
        static let needsCheck: UInt64 = 2
        /// The backing file is raw, whatever it looks like.
        static let rawBacking: UInt64 = 4
        static let known = backingFile | needsCheck | rawBacking
    }

    private static let nameLimit: UInt32 = 1023
    private static let clusterSizes: ClosedRange<UInt32> = 4096...(64 << 20)

    let clusterSize: UInt64
    let clusterBits: UInt64
    /// The binary logarithm of how many entries each table has.
    let tableBits: UInt64
    let tableOffset: UInt64
    let diskSize: UInt64
    private let features: UInt64
    /// The name of the backing file as stored; nil without one.
    let backingName: [UInt8]?

    /// Its writer did not close it: clusters may belong to nothing, and no more.
    var needsCheck: Bool { features & Feature.needsCheck != 0 }
    /// The format of the backing file is said: raw.
    var hasRawBacking: Bool { features & Feature.rawBacking != 0 }

    /// Reads and checks the header of a file.
    init(reading file: any ByteFile) throws(StorageError) {
        let bytes = try file.availableBytes(at: 0, count: Self.byteCount)
        guard bytes.count == Self.byteCount else {
            throw .qed(.corrupt, .truncatedHeader, "the file ends within the header", offset: 0)
        }
        guard bytes.span8.matches(Self.magic) else {
            throw .qed(.corrupt, .badMagic, "this is no QED image", structure: "header", offset: 0)
        }
        func corrupt(_ code: QEDCode, _ field: String, _ offset: UInt64, _ message: String) -> StorageError {
            .qed(.corrupt, code, message, structure: "header", field: field, offset: offset)
        }
        features = bytes.little(16)
        guard features & ~Feature.known == 0 else {
            throw .qed(
                .unsupported, .unknownFeatures,
                "the image uses features that are not known (\((features & ~Feature.known).hex))",
                structure: "header", field: "features", offset: 16)
        }
        let cluster: UInt32 = bytes.little(4)
        guard Self.clusterSizes.contains(cluster), cluster.nonzeroBitCount == 1 else {
            throw corrupt(.clusterSize, "cluster_size", 4, "clusters of \(cluster) bytes cannot be")
        }
        let tableSize: UInt32 = bytes.little(8)
        guard (1...16).contains(tableSize), tableSize.nonzeroBitCount == 1 else {
            throw corrupt(.tableSize, "table_size", 8, "tables of \(tableSize) clusters cannot be")
        }
        let headerSize: UInt32 = bytes.little(12)
        // No larger than QEMU's own limit of what it reads: 2^32 bytes.
        guard headerSize > 0, UInt64(headerSize) * UInt64(cluster) <= 1 << 32 else {
            throw corrupt(.headerSize, "header_size", 12, "a header of \(headerSize) clusters cannot be")
        }
        clusterSize = UInt64(cluster)
        clusterBits = UInt64(cluster.trailingZeroBitCount)
        tableBits = clusterBits + UInt64(tableSize.trailingZeroBitCount) - 3
        tableOffset = bytes.little(40)
        diskSize = bytes.little(48)
        let (bits, size) = (clusterBits + 2 * tableBits, diskSize)
        guard size > 0, size % 512 == 0, size <= UInt64(Int64.max), bits >= 63 || size <= 1 << bits else {
            throw corrupt(.diskSize, "image_size", 48, "a disk of \(size) bytes cannot be")
        }
        guard tableOffset % clusterSize == 0, tableOffset > 0, let end = tableOffset +? (8 << tableBits),
            end <= file.byteCount
        else {
            throw corrupt(
                .tablePlace, "l1_table_offset", 40,
                "the first table at byte \(tableOffset.hex) does not lie in the file, which may be truncated")
        }
        guard features & Feature.backingFile != 0 else {
            backingName = nil
            return
        }
        let (offset, length) = (bytes.little(56, as: UInt32.self), bytes.little(60, as: UInt32.self))
        guard length > 0, length <= Self.nameLimit,
            UInt64(offset) + UInt64(length) <= UInt64(headerSize) * clusterSize,
            UInt64(offset) + UInt64(length) <= file.byteCount
        else {
            throw corrupt(
                .backingName, "backing_filename_offset", 56,
                "the name of the backing file, \(length) bytes at \(UInt64(offset).hex), cannot be")
        }
        backingName = try file.bytes(at: UInt64(offset), count: Int(length))
    }
}
