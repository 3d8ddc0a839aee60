internal import Storage

/// Where the two regions lie, from one of the two copies of the region table at 192 and 256 KiB ([MS-VHDX] 2.2.3).
struct VHDXRegions: Equatable, Sendable {
    static let byteCount = 64 << 10
    static let offsets: [UInt64] = [192 << 10, 256 << 10]
    static let signature = Array("regi".utf8)
    static let entryLimit: UInt32 = 2047
    static let alignment: UInt64 = 1 << 20

    var bat: Range<UInt64>
    var metadata: Range<UInt64>

    /// Reads the first copy that is valid; `read` shows the file with a pending log applied.
    init(
        fileSize: UInt64, read: (UInt64, Int) throws(StorageError) -> [UInt8]
    ) throws(StorageError) {
        guard fileSize >= Self.alignment else {
            throw .vhdx(
                .corrupt, .fileTruncated, "the file ends within the first MiB, where headers and tables are")
        }
        for offset in Self.offsets {
            let bytes = try read(offset, Self.byteCount)
            guard bytes.span8.matches(Self.signature),
                bytes.little(8, as: UInt32.self) <= Self.entryLimit, VHDXChecksum.isRight(bytes, field: 4)
            else { continue }
            try self.init(bytes, at: offset, fileSize: fileSize)
            return
        }
        throw .vhdx(
            .corrupt, .noRegionTable, "neither region table is valid", structure: "region table",
            offset: Self.offsets[0])
    }

    private init(_ bytes: [UInt8], at offset: UInt64, fileSize: UInt64) throws(StorageError) {
        var found: [UUID16: Range<UInt64>] = [:]
        for index in 0..<Int(bytes.little(8, as: UInt32.self)) {
            let at = 16 + index * 32
            let guid = UUID16(mixedEndian: bytes.span8, at: at)
            func bad(_ kind: StorageError.Kind, _ code: VHDXCode, _ message: String) -> StorageError {
                .vhdx(kind, code, message, structure: "region table", offset: offset + UInt64(at))
            }
            guard guid == VHDXGUID.bat || guid == VHDXGUID.metadata else {
                guard bytes.little(at + 28, as: UInt32.self) & 1 == 0 else {
                    throw bad(
                        .unsupported, .unknownRegion,
                        "needs a region that is not known, \(guid)")
                }
                continue
            }
            let name = guid == VHDXGUID.bat ? "block allocation table" : "metadata region"
            guard found[guid] == nil else {
                throw bad(.corrupt, .regionDuplicate, "lists the \(name) twice")
            }
            let start: UInt64 = bytes.little(at + 16)
            let length = UInt64(bytes.little(at + 24, as: UInt32.self))
            guard start >= Self.alignment, start % Self.alignment == 0, length > 0,
                length % Self.alignment == 0, let end = start +? length, end <= fileSize
            else {
                throw bad(
                    .corrupt, .regionPlace,
                    "the \(name) is said to be \(length) bytes at \(start.hex), which cannot be")
            }
            found[guid] = start..<end
        }
        guard let bat = found[VHDXGUID.bat], let metadata = found[VHDXGUID.metadata] else {
            throw .vhdx(
                .corrupt, .regionMissing, "lacks the block allocation table or the metadata region",
                structure: "region table", offset: offset)
        }
        self.bat = bat
        self.metadata = metadata
    }

    init(bat: Range<UInt64>, metadata: Range<UInt64>) {
        self.bat = bat
        self.metadata = metadata
    }

    /// The copy of the region table that is valid, with the block allocation table at `table`, sealed; everything
    /// else in it stays.
    static func moved(table: Range<UInt64>, in file: any ByteFile) throws(StorageError) -> [UInt8] {
        for offset in offsets {
            var bytes = try file.bytes(at: offset, count: byteCount)
            guard bytes.span8.matches(signature), bytes.little(8, as: UInt32.self) <= entryLimit,
                VHDXChecksum.isRight(bytes, field: 4)
            else { continue }
            for index in 0..<Int(bytes.little(8, as: UInt32.self)) {
                let at = 16 + index * 32
                guard UUID16(mixedEndian: bytes.span8, at: at) == VHDXGUID.bat else { continue }
                bytes.storeLittle(table.lowerBound, at: at + 16)
                bytes.storeLittle(
                    UInt32(truncatingIfNeeded: table.upperBound - table.lowerBound), at: at + 24)
            }
            VHDXChecksum.seal(&bytes, field: 4)
            return bytes
        }
        throw .vhdx(
            .corrupt, .noRegionTable, "neither region table is valid", structure: "region table",
            offset: offsets[0])
    }

    /// The table's bytes.
    func encoded() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Self.byteCount)
        bytes.replaceSubrange(0..<4, with: Self.signature)
        bytes.storeLittle(UInt32(2), at: 8)
        for (index, (guid, range)) in [(VHDXGUID.metadata, metadata), (VHDXGUID.bat, bat)].enumerated() {
            let at = 16 + index * 32
            bytes.replaceSubrange(at..<at + 16, with: guid.mixedEndianBytes)
            bytes.storeLittle(range.lowerBound, at: at + 16)
            bytes.storeLittle(
                UInt32(truncatingIfNeeded: range.upperBound - range.lowerBound), at: at + 24)
            bytes.storeLittle(UInt32(1), at: at + 28)
        }
        VHDXChecksum.seal(&bytes, field: 4)
        return bytes
    }
}
