internal import Codecs
internal import Storage

/// A place in a compressed file, and the decoder that stands there.
struct GzipCursor {
    private let decoder: any StreamDecoder
    /// Bytes of the compressed file that were taken.
    private(set) var input: UInt64 = 0
    /// Bytes that came out.
    private(set) var output: UInt64 = 0
    /// The last stream is complete, and nothing follows.
    private var isComplete = false
    /// Damage is an end.
    private let isSalvage: Bool

    init(_ decoder: any StreamDecoder, isSalvage: Bool = false) {
        self.decoder = decoder
        self.isSalvage = isSalvage
    }

    private init(_ other: GzipCursor, _ decoder: any StreamDecoder) {
        self.decoder = decoder
        isSalvage = other.isSalvage
        input = other.input
        output = other.output
        isComplete = other.isComplete
    }

    /// The same place with a decoder of its own.
    func copy() throws(StorageError) -> GzipCursor {
        guard let decoder = decoder as? any RestartableDecoder else { throw Codec.gzip.notRestartable }
        return GzipCursor(self, try decoder.copy())
    }

    /// Fills `piece` from `file` as far as there is anything, and says how far.
    mutating func read(into piece: inout [UInt8], from file: any ByteFile) throws(StorageError) -> Int {
        let start = output
        do throws(StorageError) {
            return try readAll(into: &piece, from: file)
        } catch {
            guard isSalvage, error.kind == .corrupt else { throw error }
            isComplete = true
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
            let step = try piece.withMutableBytes { (target) throws(StorageError) in
                var room = target.part(filled..<size)
                // Told that all is there, zlib would keep no window, and the state could not be copied.
                return try decoder.decode(bytes.span8, into: &room, isLast: false)
            }
            input += UInt64(step.consumed)
            filled += step.produced
            output += UInt64(step.produced)
            if step.isEnd {
                try goOn(in: file, length)
            } else if step.consumed == 0, step.produced == 0, isLast || taken > 0 {
                throw StorageError.codec(.corrupt, .cutShort, .gzip, "the compressed stream is cut short")
                    .inFile(file.path)
            }
        }
        return filled
    }

    /// Behind a stream another one may follow, or zeros to the end.
    private mutating func goOn(in file: any ByteFile, _ length: UInt64) throws(StorageError) {
        let next = try file.availableBytes(at: input, count: 2)
        if next.starts(with: [0x1f, 0x8b]) { return try decoder.reset() }
        isComplete = true
        guard length - input <= 1 << 20,
            try file.bytes(at: input, count: Int(length - input)).allSatisfy({ $0 == 0 })
        else {
            throw StorageError.codec(
                .corrupt, .damaged, .gzip, "other bytes lie behind the end of the stream"
            ).inFile(
                file.path)
        }
    }
}

extension Codec {
    fileprivate var notRestartable: StorageError {
        .codec(.unsupported, .unknown, id, "its streams cannot be read again from within")
    }
}
