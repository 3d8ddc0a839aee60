internal import Storage

/// lzop's container: a header with a name, then blocks of up to 256 KiB with the checksums that the header's flags name,
/// then a length of zero (lib/decompress_unlzo.c, and lzop's own source for what Linux passes over).
struct LZOFormat: BlockFormat {
    static let id = CodecID.lzo
    static let magic: [UInt8] = [0x89, 0x4c, 0x5a, 0x4f, 0, 0x0d, 0x0a, 0x1a, 0x0a]
    static let blockLength = 256 << 10

    /// Which checksums there are.
    struct Flags: OptionSet {
        let rawValue: UInt32
        static let adlerOfDecoded = Flags(rawValue: 1)
        static let adlerOfEncoded = Flags(rawValue: 2)
        static let extraField = Flags(rawValue: 0x40)
        static let crcOfDecoded = Flags(rawValue: 0x100)
        static let crcOfEncoded = Flags(rawValue: 0x200)
        static let filter = Flags(rawValue: 0x800)
        static let headerCRC = Flags(rawValue: 0x1000)
    }

    private enum Place {
        case start
        /// The rest of the fixed fields, whose count the version tells.
        case fields(hasLevel: Bool)
        case name(UInt8)
        case headerChecksum
        case extraLength
        case extra(Int)
        case length
        case encodedLength(decoded: Int)
        case checksums(decoded: Int, encoded: Int)
        case payload(decoded: Int, encoded: Int, sums: [UInt32])
    }

    private var place = Place.start
    private var flags: Flags = []
    /// What the header's checksum is of.
    private var header: [UInt8] = []

    /// The order in which a block's checksums stand.
    private static let ofDecoded: [Flags] = [.adlerOfDecoded, .crcOfDecoded]
    private static let ofEncoded: [Flags] = [.adlerOfEncoded, .crcOfEncoded]

    /// The checksums of a block. One that is stored as it is has none of its encoded bytes.
    private func kinds(_ decoded: Int, _ encoded: Int) -> [Flags] {
        (Self.ofDecoded + (encoded < decoded ? Self.ofEncoded : [])).filter { flags.contains($0) }
    }

    var pieceLength: Int {
        switch place {
        // Magic, version, library's version.
        case .start: 13
        // Needed version, method, level, flags, mode, time, its upper half, and the name's length.
        case .fields(let hasLevel): hasLevel ? 21 : 14
        case .name(let count): Int(count)
        case .headerChecksum, .extraLength, .length, .encodedLength: 4
        case .extra(let count): count
        case .checksums(let decoded, let encoded): 4 * kinds(decoded, encoded).count
        case .payload(_, let encoded, _): encoded
        }
    }

    func mayEnd(before rest: RawSpan) -> Bool { false }

    private func damaged(_ what: String) -> StorageError { .codec(.corrupt, .damaged, Self.id, what) }

    mutating func take(_ piece: RawSpan, into output: inout [UInt8]) throws(StorageError) -> Bool {
        switch place {
        case .start:
            guard piece.matches(Self.magic) else { throw damaged("does not begin as a stream of lzop") }
            header = piece.array(Self.magic.count..<13)
            place = .fields(hasLevel: piece.big(9, as: UInt16.self) >= 0x940)
        case .fields(let hasLevel): try takeFields(piece, hasLevel: hasLevel)
        case .name:
            header += piece.array(0..<piece.byteCount)
            place = .headerChecksum
        case .headerChecksum:
            let sum =
                flags.contains(.headerCRC)
                ? CRC32.checksum(header.span8) : LZOLibrary.adler32(header.span8)
            guard piece.big(0) == sum else { throw damaged("has a damaged header") }
            header = []
            place = flags.contains(.extraField) ? .extraLength : .length
        case .extraLength:
            // Nothing writes one; it is passed over with its checksum.
            let count: UInt32 = piece.big(0)
            guard count <= 64 << 10 else { throw damaged("has a damaged header") }
            place = .extra(Int(count) + 4)
        case .extra: place = .length
        case .length:
            let count: UInt32 = piece.big(0)
            if count == 0 { return true }
            guard count <= Self.blockLength else {
                throw damaged("has a block of \(count) bytes, which none has")
            }
            place = .encodedLength(decoded: Int(count))
        case .encodedLength(let decoded):
            let count: UInt32 = piece.big(0)
            guard count > 0, count <= decoded else {
                throw damaged("has a block that is longer than its contents")
            }
            let encoded = Int(count)
            place =
                kinds(decoded, encoded).isEmpty
                ? .payload(decoded: decoded, encoded: encoded, sums: [])
                : .checksums(decoded: decoded, encoded: encoded)
        case .checksums(let decoded, let encoded):
            let sums = (0..<piece.byteCount / 4).map { piece.big($0 * 4, as: UInt32.self) }
            place = .payload(decoded: decoded, encoded: encoded, sums: sums)
        case .payload(let decoded, let encoded, let sums):
            output = try decode(piece, decoded, sums: zip(kinds(decoded, encoded), sums))
            place = .length
        }
        return false
    }

    private mutating func takeFields(_ piece: RawSpan, hasLevel: Bool) throws(StorageError) {
        header += piece.array(0..<piece.byteCount)
        // Without a level there is neither the needed version before it nor the upper half of the time behind it.
        let method = piece.byte(hasLevel ? 2 : 0)
        flags = Flags(rawValue: piece.big(hasLevel ? 4 : 1))
        guard 1...3 ~= method else { throw damaged("names a method that lzop does not have") }
        guard !flags.contains(.filter) else {
            throw .codec(.unsupported, .unknown, Self.id, "was made with a filter, which is not built in")
        }
        let nameLength = piece.byte(piece.byteCount - 1)
        place = nameLength == 0 ? .headerChecksum : .name(nameLength)
    }

    private func decode(
        _ piece: RawSpan, _ count: Int, sums: some Sequence<(Flags, UInt32)>
    ) throws(StorageError) -> [UInt8] {
        let isStored = piece.byteCount == count
        guard let decoded = isStored ? piece.array(0..<count) : LZOLibrary.decode(piece, count: count) else {
            throw damaged("does not decompress")
        }
        for (kind, sum) in sums {
            let matches =
                switch kind {
                case .adlerOfDecoded: LZOLibrary.adler32(decoded.span8) == sum
                case .crcOfDecoded: CRC32.checksum(decoded.span8) == sum
                case .adlerOfEncoded: LZOLibrary.adler32(piece) == sum
                default: CRC32.checksum(piece) == sum
                }
            guard matches else { throw damaged("has a block with a wrong checksum") }
        }
        return decoded
    }
}

/// Makes lzop's container as Linux reads it: one checksum a block, Adler-32 of the decoded bytes, and no name.
final class LZOWriter: BlockWriter {
    var blockLength: Int { LZOFormat.blockLength }

    func start() throws(StorageError) -> [UInt8] {
        var fields = [UInt8](repeating: 0, count: 25)
        fields.storeBig(UInt16(0x1040), at: 0)
        // The library's version, and the version that reads it.
        fields.storeBig(UInt16(0x20a0), at: 2)
        fields.storeBig(UInt16(0x940), at: 4)
        fields[6] = 1
        fields[7] = 5
        fields.storeBig(LZOFormat.Flags.adlerOfDecoded.rawValue, at: 8)
        fields.storeBig(UInt32(0o100644), at: 12)
        var sum = [UInt8](repeating: 0, count: 4)
        sum.storeBig(LZOLibrary.adler32(fields.span8), at: 0)
        return LZOFormat.magic + fields + sum
    }

    func block(_ bytes: RawSpan) throws(StorageError) -> [UInt8] {
        guard let encoded = LZOLibrary.encode(bytes) else {
            throw .codec(.io, .noMemory, .lzo, "the encoder failed")
        }
        let payload = encoded.count < bytes.byteCount ? encoded : bytes.array(0..<bytes.byteCount)
        var head = [UInt8](repeating: 0, count: 12)
        head.storeBig(UInt32(bytes.byteCount), at: 0)
        head.storeBig(UInt32(payload.count), at: 4)
        head.storeBig(LZOLibrary.adler32(bytes), at: 8)
        return head + payload
    }

    func end() throws(StorageError) -> [UInt8] { [0, 0, 0, 0] }
}
