internal import Storage

/// The header of a qcow version 1 image: 48 bytes, big-endian. Layout: QEMU's `block/qcow.c`, `QCowHeader`.
struct QCOW1Header: Sendable {
    static let byteCount = 48
    static let magic: [UInt8] = Array("QFI".utf8) + [0xfb, 0, 0, 0, 1]

    /// The longest name of a backing file.
    private static let nameLimit = 1023
    /// 512 bytes to 64 KiB.
    private static let clusterBitsRange: ClosedRange<UInt8> = 9...16
    /// A second table of 512 bytes to 64 KiB.
    private static let tableBitsRange: ClosedRange<UInt8> = 6...13
    /// So many entries of the first table are as many as QEMU takes: an array of them fits its memory.
    private static let tableLimit: UInt64 = 1 << 28

    let diskSize: UInt64
    let clusterBits: UInt64
    let tableBits: UInt64
    let encryption: UInt32
    let tableOffset: UInt64
    /// The name of the backing file as stored; nil without one.
    let backingName: [UInt8]?

    var clusterSize: UInt64 { 1 << clusterBits }
    /// Entries of the first table.
    var tableCount: UInt64 { diskSize.dividedRoundingUp(by: 1 << (clusterBits + tableBits)) }

    /// Reads and checks the header of a file.
    init(reading file: any ByteFile) throws(StorageError) {
        let bytes = try file.availableBytes(at: 0, count: Self.byteCount)
        guard bytes.count == Self.byteCount else {
            throw .qcow1(.corrupt, .truncatedHeader, "the file ends within the header", offset: 0)
        }
        guard bytes.span8.matches(Self.magic) else {
            throw .qcow1(
                .corrupt, .badMagic, "this is no qcow image of version 1", structure: "header", offset: 0)
        }
        diskSize = bytes.big(24)
        clusterBits = UInt64(bytes[32])
        tableBits = UInt64(bytes[33])
        encryption = bytes.big(36, as: UInt32.self)
        tableOffset = bytes.big(40)
        func corrupt(_ code: QCOW1Code, _ field: String, _ offset: UInt64, _ message: String) -> StorageError
        {
            .qcow1(.corrupt, code, message, structure: "header", field: field, offset: offset)
        }
        guard Self.clusterBitsRange.contains(bytes[32]) else {
            throw corrupt(
                .clusterBits, "cluster_bits", 32, "clusters have 512 bytes to 64 KiB, not 2^\(bytes[32])")
        }
        guard Self.tableBitsRange.contains(bytes[33]) else {
            throw corrupt(
                .tableBits, "l2_bits", 33, "second tables have 64 to 8192 entries, not 2^\(bytes[33])")
        }
        guard diskSize > 0, diskSize <= UInt64(Int64.max) else {
            throw corrupt(.diskSize, "size", 24, "a disk of \(diskSize) bytes cannot be")
        }
        let count = diskSize.dividedRoundingUp(by: 1 << (clusterBits + tableBits))
        guard count <= Self.tableLimit else {
            throw corrupt(
                .diskSize, "size", 24, "a disk of \(diskSize) bytes is more than the first table can name")
        }
        guard tableOffset >= UInt64(Self.byteCount), tableOffset % 8 == 0, let end = tableOffset +? count * 8,
            end <= file.byteCount
        else {
            throw corrupt(
                .tablePlace, "l1_table_offset", 40,
                "the first table at byte \(tableOffset.hex) does not lie in the file, which may be truncated")
        }
        backingName = try Self.backingName(bytes, in: file)
    }

    private static func backingName(
        _ bytes: [UInt8], in file: any ByteFile
    ) throws(StorageError) -> [UInt8]? {
        let offset: UInt64 = bytes.big(8)
        guard offset != 0 else { return nil }
        let length = bytes.big(16, as: UInt32.self)
        guard length > 0, length <= nameLimit, let end = offset +? UInt64(length), end <= file.byteCount
        else {
            throw .qcow1(
                .corrupt, .backingName,
                "the name of the backing file, \(length) bytes at \(offset.hex), cannot be",
                structure: "header", field: "backing_file_offset", offset: 8)
        }
        return try file.bytes(at: offset, count: Int(length))
    }

    /// Throws `unsupported` for encrypted disks.
    func requireReadable() throws(StorageError) {
        guard encryption != 0 else { return }
        guard encryption == 1 else {
            throw .qcow1(
                .unsupported, .unknownEncryption,
                "the disk is encrypted in a way that is not known (\(encryption))",
                structure: "header", field: "crypt_method", offset: 36)
        }
        throw .qcow1(
            .unsupported, .encrypted, "the disk is encrypted (AES); decrypt it with qemu-img convert first",
            structure: "header", field: "crypt_method", offset: 36)
    }
}
