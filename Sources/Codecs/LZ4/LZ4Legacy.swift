internal import CLz4
internal import Storage

/// The legacy frame: a magic number, then blocks of up to 8 MiB, each with its compressed length before it. It ends with
/// the input, or where a length is zero (lib/decompress_unlz4.c); a magic number in place of a length begins the next
/// frame.
struct LZ4LegacyFormat: BlockFormat {
    static let id = CodecID.lz4Legacy
    static let magic: [UInt8] = [0x02, 0x21, 0x4c, 0x18]
    static let blockLength = 8 << 20
    /// LZ4_compressBound of a block.
    private static let payloadLimit = blockLength + blockLength / 255 + 16

    private enum Place { case magic, length, payload(Int) }
    private var place = Place.magic

    var pieceLength: Int {
        if case .payload(let length) = place { length } else { 4 }
    }

    mutating func take(_ piece: RawSpan, into output: inout [UInt8]) throws(StorageError) -> Bool {
        switch place {
        case .magic:
            guard piece.matches(Self.magic) else {
                throw .codec(.corrupt, .damaged, Self.id, "does not begin as a frame")
            }
            place = .length
        case .length:
            let length = Int(piece.little(0, as: UInt32.self))
            if length == 0 { return true }
            if piece.matches(Self.magic) { return false }
            guard length <= Self.payloadLimit else {
                throw .codec(.corrupt, .damaged, Self.id, "has a block of \(length) bytes, which none has")
            }
            place = .payload(length)
        case .payload:
            output = try Self.decode(piece)
            place = .length
        }
        return false
    }

    func mayEnd(before rest: RawSpan) -> Bool {
        guard case .length = place else { return false }
        return rest.isAllZero
    }

    /// A block says nowhere how long it becomes, so that the room grows until it fits.
    private static func decode(_ piece: RawSpan) throws(StorageError) -> [UInt8] {
        var room = min(max(piece.byteCount *? 4 ?? blockLength, 64 << 10), blockLength)
        while true {
            var made: Int32 = -1
            let output = unsafe [UInt8](unsafeUninitializedCapacity: room) { target, count in
                unsafe piece.withUnsafeBytes { source in
                    unsafe made = LZ4_decompress_safe(
                        source.baseAddress?.assumingMemoryBound(to: CChar.self),
                        UnsafeMutableRawPointer(target.baseAddress)?.assumingMemoryBound(to: CChar.self),
                        Int32(piece.byteCount), Int32(room))
                }
                count = max(Int(made), 0)
            }
            if made >= 0 { return output }
            guard room < blockLength else {
                throw .codec(.corrupt, .damaged, id, "does not decompress")
            }
            room = blockLength
        }
    }
}

/// Makes legacy frames.
final class LZ4LegacyWriter: BlockWriter {
    private let level: Int
    var blockLength: Int { LZ4LegacyFormat.blockLength }

    init(level: Int) { self.level = level }

    func start() throws(StorageError) -> [UInt8] { LZ4LegacyFormat.magic }

    func block(_ bytes: RawSpan) throws(StorageError) -> [UInt8] {
        let room = Int(LZ4_compressBound(Int32(bytes.byteCount)))
        var made: Int32 = 0
        let payload = unsafe [UInt8](unsafeUninitializedCapacity: room) { target, count in
            unsafe bytes.withUnsafeBytes { source in
                let from = unsafe source.baseAddress?.assumingMemoryBound(to: CChar.self)
                let to = unsafe UnsafeMutableRawPointer(target.baseAddress)?.assumingMemoryBound(
                    to: CChar.self)
                unsafe made = LZ4_compress_HC(from, to, Int32(bytes.byteCount), Int32(room), Int32(level))
            }
            count = max(Int(made), 0)
        }
        guard made > 0 else { throw .codec(.io, .noMemory, .lz4Legacy, "the encoder failed") }
        var result = [UInt8](repeating: 0, count: 4)
        result.storeLittle(UInt32(payload.count), at: 0)
        return result + payload
    }

    func end() throws(StorageError) -> [UInt8] { [] }
}
