internal import Storage

/// The 1024 bytes that describe the block allocation table of a dynamic or differencing disk. Big-endian.
/// Fields: Virtual Hard Disk Image Format Specification 1.0, "Dynamic Disk Header Format".
struct VHDDynamicHeader: Equatable, Sendable {
    static let byteCount = 1024
    static let cookie = Array("cxsparse".utf8)
    static let checksumField = 36
    /// Blocks are powers of two in here. Windows and qemu write 2 MiB, and 512 KiB exists.
    static let blockSizes: ClosedRange<UInt32> = 512...(256 << 20)

    private(set) var bytes: [UInt8]

    var tableOffset: UInt64 { bytes.big(16) }
    var version: UInt32 { bytes.big(24) }
    /// Entries that the table has room for; may be more than the disk needs.
    var tableEntries: UInt32 { bytes.big(28) }
    var blockSize: UInt32 { bytes.big(32) }
    var parentIdentifier: UUID16 { UUID16(textOrder: bytes.span8, at: 40) }
    /// When the parent was last modified, in seconds since 2000.
    var parentTimestamp: UInt32 { bytes.big(56) }
    var checksumIsRight: Bool {
        bytes.big(Self.checksumField, as: UInt32.self)
            == VHDChecksum.of(bytes, leavingOut: Self.checksumField)
    }

    /// Bytes of the sector bitmap in front of each block.
    var bitmapSize: UInt64 { Self.bitmapSize(blockSize: UInt64(blockSize)) }

    /// One bit a sector, in whole sectors.
    static func bitmapSize(blockSize: UInt64) -> UInt64 {
        blockSize.dividedRoundingUp(by: 512 * 8 * 512) * 512
    }

    /// Reads and checks it for a disk of `diskSize` bytes.
    init(in file: any ByteFile, at offset: UInt64, diskSize: UInt64) throws(StorageError) {
        func bad(_ kind: StorageError.Kind, _ code: VHDCode, _ message: String, _ field: String? = nil)
            -> StorageError
        {
            .vhd(kind, code, message, structure: "dynamic disk header", field: field, offset: offset)
        }
        guard offset >= UInt64(VHDFooter.byteCount), let end = offset +? UInt64(Self.byteCount),
            end <= file.byteCount
        else {
            throw bad(.corrupt, .noHeader, "the footer places the dynamic disk header outside the file")
        }
        bytes = try file.bytes(at: offset, count: Self.byteCount)
        guard bytes.span8.matches(Self.cookie) else {
            throw bad(.corrupt, .noHeader, "there is no dynamic disk header where the footer says")
        }
        guard version >> 16 == 1 else {
            throw bad(.unsupported, .headerVersion, "has version \(version.hex); 1.0 is known", "version")
        }
        guard Self.blockSizes.contains(blockSize), blockSize.nonzeroBitCount == 1 else {
            throw bad(
                .corrupt, .blockSize,
                "the block size is \(blockSize); it must be a power of two from 512 bytes to 256 MiB",
                "block size")
        }
        let room = UInt64(tableEntries) * UInt64(blockSize)
        guard room >= diskSize else {
            throw bad(
                .corrupt, .tableTooSmall,
                "the block allocation table has \(tableEntries) entries, too few for \(diskSize) bytes",
                "max table entries")
        }
        // 2040 GiB is the format's limit; tools that round up, or leave room to grow, stay under 2 TiB.
        guard room <= (2 << 40) + UInt64(blockSize) else {
            throw bad(
                .corrupt, .tableTooLarge,
                "the block allocation table has \(tableEntries) entries, more than the largest disk needs",
                "max table entries")
        }
        let needed = diskSize.dividedRoundingUp(by: UInt64(blockSize)) * 4
        guard tableOffset >= UInt64(VHDFooter.byteCount), let tableEnd = tableOffset +? needed,
            tableEnd <= file.byteCount
        else {
            throw bad(
                .corrupt, .tableOutsideFile, "the block allocation table lies outside the file",
                "table offset")
        }
    }

    /// Who the parent of a new differencing disk is.
    struct Parent: Sendable {
        var identifier: UUID16
        /// When it was last modified, in seconds since 2000.
        var timestamp: UInt32
        /// Its plain name.
        var name: String
        /// How it is found from the new disk, with Windows' separators.
        var relativePath: String
        /// Where the name goes in the file.
        var locatorOffset: UInt64
    }

    /// A header of a disk made now, its table right behind it.
    init(tableEntries: UInt32, blockSize: UInt32, parent: Parent? = nil) {
        bytes = [UInt8](repeating: 0, count: Self.byteCount)
        bytes.replaceSubrange(0..<8, with: Self.cookie)
        bytes.storeBig(UInt64.max, at: 8)
        bytes.storeBig(UInt64(VHDFooter.byteCount + Self.byteCount), at: 16)
        bytes.storeBig(UInt32(0x0001_0000), at: 24)
        bytes.storeBig(tableEntries, at: 28)
        bytes.storeBig(blockSize, at: 32)
        if let parent {
            bytes.replaceSubrange(40..<56, with: parent.identifier.bytes)
            bytes.storeBig(parent.timestamp, at: 56)
            for (index, unit) in parent.name.utf16.prefix(255).enumerated() {
                bytes.storeBig(unit, at: 64 + index * 2)
            }
            bytes.replaceSubrange(576..<580, with: Array("W2ru".utf8))
            // The space in bytes, as Windows writes it.
            bytes.storeBig(UInt32(4096), at: 580)
            bytes.storeBig(UInt32(parent.relativePath.utf16.count * 2), at: 584)
            bytes.storeBig(parent.locatorOffset, at: 592)
        }
        seal()
    }

    /// The same for a table of `entries` entries at byte `tableOffset`. Only the first sector changes.
    func resized(entries: UInt32, tableOffset: UInt64) -> VHDDynamicHeader {
        var copy = self
        copy.bytes.storeBig(tableOffset, at: 16)
        copy.bytes.storeBig(entries, at: 28)
        copy.seal()
        return copy
    }

    private mutating func seal() {
        bytes.storeBig(VHDChecksum.of(bytes, leavingOut: Self.checksumField), at: Self.checksumField)
    }
}
