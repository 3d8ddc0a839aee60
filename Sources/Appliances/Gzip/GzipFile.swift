internal import Codecs
package import Storage
internal import Synchronization

/// What a gzip-compressed file decodes to, as a file that is read anywhere: decoders are kept on the way through it, and a
/// read goes on from the nearest one before it. Memory does not grow with the file.
package final class GzipFile: ByteFile {
    package let path: String
    package var access: FileAccess { .read }
    package let byteCount: UInt64
    package var hasFixedLength: Bool { true }
    package var modificationTime: Int64? { base.modificationTime }
    private let base: any ByteFile
    private let state: Mutex<State>

    /// Bytes that are decoded at once; every restart lies at a multiple of them.
    private static let pieceSize = 64 << 10
    /// Decoders that are kept; each takes about 40 KiB.
    private static let restartLimit = 128
    private static let cacheBudget = 8 << 20

    private struct State {
        var restarts: [GzipCursor]
        var cursor: GzipCursor?
        var cache = BoundedCache<UInt64, [UInt8]>(budget: GzipFile.cacheBudget)
    }

    /// Decodes all of `base` once, to learn its length and that it is whole.
    ///
    /// Throws `corrupt` when it is damaged, cut short, has other bytes behind it, or decodes to more than `limit` bytes.
    /// `isSalvage`: what is damaged or cut short ends there.
    package init(_ base: any ByteFile, limit: UInt64, isSalvage: Bool = false) throws(StorageError) {
        self.base = base
        path = base.path
        var cursor = try GzipCursor(Codec.gzip.makeDecoder(), isSalvage: isSalvage)
        var restarts = [try cursor.copy()]
        var spacing: UInt64 = 1 << 20
        var piece = [UInt8](repeating: 0, count: Self.pieceSize)
        while true {
            try Cancellation.check()
            let count = try cursor.read(into: &piece, from: base)
            guard cursor.output <= limit else {
                throw StorageError.appliance(
                    .corrupt, .compression,
                    "decodes to more than \(limit) bytes, which is more than its disk can take"
                ).inFile(base.path)
            }
            guard count == Self.pieceSize else { break }
            if cursor.output - (restarts.last?.output ?? 0) >= spacing { restarts.append(try cursor.copy()) }
            if restarts.count > Self.restartLimit {
                restarts = restarts.enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
                spacing *= 2
            }
        }
        byteCount = cursor.output
        state = Mutex(State(restarts: restarts, cursor: nil))
    }

    package func read(into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError) {
        guard target.byteCount > 0 else { return }
        guard let end = offset +? UInt64(target.byteCount), end <= byteCount else {
            throw shortFile(at: offset, target.byteCount)
        }
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
        let base = base
        let answer: Result<[UInt8], StorageError> = state.withLock { state in
            do throws(StorageError) { return .success(try Self.piece(at: number, &state, base)) } catch {
                // Where it stands is not known any more.
                state.cursor = nil
                return .failure(error)
            }
        }
        return try answer.get()
    }

    private static func piece(
        at number: UInt64, _ state: inout State, _ base: any ByteFile
    ) throws(StorageError) -> [UInt8] {
        if let known = state.cache.value(for: number) { return known }
        let start = number * UInt64(pieceSize)
        let place = state.restarts.lastIndex { $0.output <= start } ?? 0
        var cursor: GzipCursor
        if let current = state.cursor, current.output <= start, current.output >= state.restarts[place].output
        {
            cursor = current
        } else {
            cursor = try state.restarts[place].copy()
        }
        var bytes = [UInt8](repeating: 0, count: pieceSize)
        while true {
            try Cancellation.check()
            let at = cursor.output / UInt64(pieceSize)
            let count = try cursor.read(into: &bytes, from: base)
            let piece = Array(bytes.prefix(count))
            state.cache.keep(piece, for: at, cost: pieceSize)
            if at == number || count < pieceSize {
                state.cursor = count == pieceSize ? cursor : nil
                return at == number ? piece : []
            }
        }
    }

    /// Throws `misuse`: it is read alone.
    package func write(_ source: RawSpan, at offset: UInt64) throws(StorageError) { try requireWritable() }
    /// Throws `misuse`: it is read alone.
    package func truncate(to length: UInt64) throws(StorageError) { try requireWritable() }
    /// Nothing to do.
    package func flush() throws(StorageError) {}
}
