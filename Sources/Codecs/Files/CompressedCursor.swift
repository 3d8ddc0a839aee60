internal import Storage

/// A place in a compressed file, and the decoder that stands there.
struct CompressedCursor {
    let codec: Codec
    private let decoder: any StreamDecoder
    /// Bytes of the compressed file that were taken.
    private(set) var input: UInt64
    /// Bytes that came out.
    private(set) var output: UInt64
    /// Where the stream that is being decoded begins, in the file and in what comes out.
    private(set) var streamStart: (input: UInt64, output: UInt64)
    /// The last stream is complete, and nothing follows.
    private var isComplete = false
    /// Damage is an end.
    private let isSalvage: Bool
    /// It was one.
    private(set) var isDamaged = false

    /// The start of the stream that begins at byte `input` and decodes to byte `output` on.
    init(
        _ codec: Codec, at input: UInt64 = 0, output: UInt64 = 0, isSalvage: Bool = false
    ) throws(StorageError) {
        self.codec = codec
        decoder = try codec.makeDecoder()
        self.input = input
        self.output = output
        streamStart = (input, output)
        self.isSalvage = isSalvage
    }

    private init(_ other: CompressedCursor, _ decoder: any StreamDecoder) {
        codec = other.codec
        self.decoder = decoder
        isSalvage = other.isSalvage
        input = other.input
        output = other.output
        streamStart = other.streamStart
        isComplete = other.isComplete
    }

    /// The same place with a decoder of its own; nil where the encoding's decoders cannot be copied.
    func copy() throws(StorageError) -> CompressedCursor? {
        guard let decoder = decoder as? any RestartableDecoder else { return nil }
        return CompressedCursor(self, try decoder.copy())
    }

    /// Fills `piece` from `file` as far as there is anything, and says how far.
    mutating func read(into piece: inout [UInt8], from file: any ByteFile) throws(StorageError) -> Int {
        let start = output
        do throws(StorageError) {
            return try readAll(into: &piece, from: file)
        } catch {
            guard isSalvage, error.kind == .corrupt else { throw error.inFile(file.path) }
            (isComplete, isDamaged) = (true, true)
            return Int(output - start)
        }
    }

    private mutating func readAll(
        into piece: inout [UInt8], from file: any ByteFile
    ) throws(StorageError) -> Int {
        let length = file.byteCount
        var filled = 0
        let size = piece.count
        while filled < size, !isComplete {
            let taken = Int(min(length - input, 64 << 10))
            let bytes = try file.bytes(at: input, count: taken)
            let isLast = input + UInt64(taken) == length
            let decoder = decoder
            // Told that all is there, zlib would keep no window, and the state could not be copied.
            let tellsLast = isLast && !codec.marksEnd
            let step = try piece.withMutableBytes { (target) throws(StorageError) in
                var room = target.part(filled..<size)
                return try decoder.decode(bytes.span8, into: &room, isLast: tellsLast)
            }
            input += UInt64(step.consumed)
            filled += step.produced
            output += UInt64(step.produced)
            if step.isEnd {
                try goOn(in: file, length)
            } else if step.consumed == 0, step.produced == 0, isLast || taken > 0 {
                throw codec.cutShort
            }
        }
        return filled
    }

    /// Behind a stream another one may follow (in a file, members of lzop too), or zeros: to the end, or (xz's padding) to another.
    private mutating func goOn(in file: any ByteFile, _ length: UInt64) throws(StorageError) {
        var next = input
        while next < length {
            let bytes = try file.bytes(at: next, count: Int(min(length - next, 64 << 10)))
            guard let used = bytes.firstIndex(where: { $0 != 0 }) else {
                next += UInt64(bytes.count)
                guard next - input <= Self.paddingLimit else { break }
                continue
            }
            next += UInt64(used)
            guard codec.joinsStreams || codec.id == .lzo, codec.begins(Array(bytes[used...].prefix(16)))
            else {
                break
            }
            input = next
            streamStart = (input, output)
            return try decoder.reset()
        }
        isComplete = true
        guard next >= length else {
            throw .codec(.corrupt, .damaged, codec.id, "other bytes lie behind the end of the stream")
        }
    }

    /// The most zeros behind a stream: a tape's or a tar's padding.
    private static let paddingLimit: UInt64 = 1 << 20
}

extension Codec {
    /// A stream of this encoding may begin so, behind another one.
    fileprivate func begins(_ head: [UInt8]) -> Bool {
        if id == .zstd, head.count >= 4, head[0] & 0xf0 == 0x50, head[1...3] == [0x2a, 0x4d, 0x18] {
            // A frame to skip (RFC 8878, 3.1.2).
            return true
        }
        return signature.map { head.starts(with: $0) } ?? false
    }
}
