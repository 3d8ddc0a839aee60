package import Storage
internal import Synchronization

/// What a compressed file decodes to, as a file that is read anywhere. Memory does not grow with the file.
///
/// A read goes on from the nearest place before it where decoding can begin: a decoder that was kept on the way (gzip), or the
/// start of a stream that follows another one. Where those are far apart and reads go back and forth, what was decoded
/// is kept in a file beside (`scratch`), which is as long as what it decodes to and has holes for zeros.
package final class CompressedFile: ReadAloneFile {
    package let path: String
    package let byteCount: UInt64
    package var identity: FileIdentity? { base.identity }
    package var allocatedByteCount: UInt64? { base.allocatedByteCount }
    package var modificationTime: Int64? { base.modificationTime }
    /// The encoding.
    package let codec: Codec
    /// It ends where the stream is damaged or cut short, and what came behind is lost.
    package let isDamaged: Bool
    private let base: any ByteFile
    private let scratch: Scratch?
    private let state: Mutex<State>

    /// Makes a file that is empty and nobody else's, and goes when it is let go.
    package typealias Scratch = @Sendable () throws(StorageError) -> any ByteFile

    /// Bytes that are decoded at once.
    static let pieceSize = 64 << 10
    /// Bytes that are kept of what was decoded last.
    private static let cacheBudget = 16 << 20
    /// What is decoded again for one step back before all of it is kept.
    private static let repetitionLimit: UInt64 = 32 << 20

    private struct State {
        var restarts: CompressedRestarts
        var cursor: CompressedCursor?
        var cache: BoundedCache<UInt64, [UInt8]>
        /// What was decoded so far, from the first byte on.
        var kept: Kept?
    }

    private struct Kept {
        var file: any ByteFile
        var cursor: CompressedCursor
    }

    /// The encoding that a file with these first bytes is compressed in as a whole; nil for others. Only encodings whose first
    /// bytes are no chance.
    package static func codec(of head: [UInt8]) -> Codec? {
        [Codec.gzip, .zstd, .xz, .lz4Frame, .lz4Legacy, .lzo].first {
            $0.signature.map { head.starts(with: $0) } ?? false
        }
            ?? (head.count >= 10 && head.starts(with: Array("BZh".utf8)) && (0x31...0x39).contains(head[3])
                && Self.bzip2Marks.contains(Array(head[4..<10])) ? .bzip2 : nil)
    }

    /// What follows bzip2's four bytes: a block, or the end of an empty stream.
    private static let bzip2Marks: [[UInt8]] = [
        [0x31, 0x41, 0x59, 0x26, 0x53, 0x59], [0x17, 0x72, 0x45, 0x38, 0x50, 0x90],
    ]

    /// Decodes all of `base` once, to learn its length and that it is whole.
    ///
    /// Throws `corrupt` when it is damaged, cut short, has other bytes behind it, or decodes to more than `limit` bytes.
    /// `isSalvage`: what is damaged or cut short ends there. Without `scratch`, what lies before is decoded again each time.
    package init(
        _ base: any ByteFile, _ codec: Codec, limit: UInt64, isSalvage: Bool = false, scratch: Scratch? = nil
    ) throws(StorageError) {
        self.base = base
        self.codec = codec
        self.scratch = scratch
        path = base.path
        var cursor = try CompressedCursor(codec, isSalvage: isSalvage)
        var restarts = CompressedRestarts(codec, isSalvage: isSalvage)
        var cache = BoundedCache<UInt64, [UInt8]>(budget: Self.cacheBudget)
        var piece = [UInt8](repeating: 0, count: Self.pieceSize)
        while true {
            try Cancellation.check()
            let number = cursor.output / UInt64(Self.pieceSize)
            let count = try cursor.read(into: &piece, from: base)
            guard cursor.output <= limit else {
                throw StorageError.codec(
                    .corrupt, .tooLong, codec.id,
                    "decodes to more than \(limit) bytes, which is more than its disk can take"
                ).inFile(base.path)
            }
            // What stands at the end is looked at next (a backup of a table, a footer).
            cache.keep(
                count == piece.count ? piece : Array(piece.prefix(count)), for: number, cost: Self.pieceSize)
            guard count == Self.pieceSize else { break }
            try restarts.note(cursor)
        }
        byteCount = cursor.output
        isDamaged = cursor.isDamaged
        state = Mutex(State(restarts: restarts, cache: cache))
    }

    package func read(into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError) {
        let end = try endOfRead(at: offset, count: target.byteCount)
        var position = offset
        while position < end {
            try Cancellation.check()
            let piece = try piece(at: position / UInt64(Self.pieceSize))
            let start = Int(position % UInt64(Self.pieceSize))
            let count = min(piece.count - start, Int(end - position))
            guard count > 0 else { throw shortFile(at: position, Int(end - position)) }
            target.copy(piece.span8.extracting(start..<start + count), to: Int(position - offset))
            position += UInt64(count)
        }
    }

    /// The decoded bytes of a piece. The last one may be short.
    private func piece(at number: UInt64) throws(StorageError) -> [UInt8] {
        let answer: Result<[UInt8], StorageError> = state.withLock { state in
            do throws(StorageError) {
                if let known = state.cache.value(for: number) { return .success(known) }
                return .success(try decode(number, &state))
            } catch {
                // Where it stands is not known any more.
                state.cursor = nil
                state.kept = nil
                return .failure(error)
            }
        }
        return try answer.get()
    }

    private func decode(_ number: UInt64, _ state: inout State) throws(StorageError) -> [UInt8] {
        let start = number * UInt64(Self.pieceSize)
        if state.kept == nil {
            let restart = state.restarts.last(before: start)
            if let current = state.cursor, current.output <= start, current.output >= restart.output {
                return try decode(number, from: current, &state)
            }
            let isRepeated = state.cursor.map { $0.output > start } ?? false
            guard isRepeated, start - restart.output > Self.repetitionLimit, let scratch else {
                return try decode(number, from: try restart.cursor(), &state)
            }
            let file = try scratch()
            try file.truncate(to: byteCount)
            state.cursor = nil
            state.kept = Kept(file: file, cursor: try state.restarts.first.cursor())
        }
        return try keepAll(through: number, &state)
    }

    /// Decodes on from `cursor` to a piece, which may stand within one.
    private func decode(
        _ number: UInt64, from place: CompressedCursor, _ state: inout State
    ) throws(StorageError) -> [UInt8] {
        var cursor = place
        let within = cursor.output % UInt64(Self.pieceSize)
        if within > 0 {
            var rest = [UInt8](repeating: 0, count: Self.pieceSize - Int(within))
            _ = try cursor.read(into: &rest, from: base)
        }
        var bytes = [UInt8](repeating: 0, count: Self.pieceSize)
        while true {
            try Cancellation.check()
            let at = cursor.output / UInt64(Self.pieceSize)
            let count = try cursor.read(into: &bytes, from: base)
            let piece = Array(bytes.prefix(count))
            state.cache.keep(piece, for: at, cost: Self.pieceSize)
            if at == number || count < Self.pieceSize {
                state.cursor = cursor
                return at == number ? piece : []
            }
        }
    }

    /// The piece out of what is kept, which goes on as far as it has to.
    private func keepAll(through number: UInt64, _ state: inout State) throws(StorageError) -> [UInt8] {
        guard var kept = state.kept else { return [] }
        let start = number * UInt64(Self.pieceSize)
        let end = min(byteCount, start + UInt64(Self.pieceSize))
        var bytes = [UInt8](repeating: 0, count: Self.pieceSize)
        while kept.cursor.output < end {
            try Cancellation.check()
            let at = kept.cursor.output
            let count = try kept.cursor.read(into: &bytes, from: base)
            guard count > 0 else { break }
            let span = bytes.span8.extracting(0..<count)
            if !span.isAllZero { try kept.file.write(span, at: at) }
            state.kept = kept
        }
        let piece = try kept.file.bytes(at: start, count: Int(end - start))
        state.cache.keep(piece, for: number, cost: Self.pieceSize)
        return piece
    }
}
