internal import Codecs
internal import Storage

/// Bytes that an archive is read from, one after the other: those of the image, or what a stream in it decodes to.
struct EntryInput: ~Copyable {
    /// Fills its argument with what lies from byte `position` on, as far as there is any; 0 at the end.
    typealias Fill = (_ target: inout MutableRawSpan, _ position: UInt64) throws(StorageError) -> Int

    private let fill: Fill
    /// Where bytes can be passed over without reading them: the end. Nil for what is decoded.
    private let seekableEnd: UInt64?
    private var buffer = ByteBuffer(byteCount: 256 << 10)
    private var held = 0..<0
    private var isEmpty = false
    /// What is wrong behind the bytes that are held.
    private var failure: StorageError?
    /// Of the byte that comes next.
    private(set) var position: UInt64

    /// The image itself, from `position` on.
    init(_ source: ByteSource, at position: UInt64) {
        self.position = position
        seekableEnd = source.byteCount
        fill = { (target, position) throws(StorageError) in
            guard position < source.byteCount else { return 0 }
            let count = Int(min(UInt64(target.byteCount), source.byteCount - position))
            var part = target.part(0..<count)
            try source.read(into: &part, at: position)
            return count
        }
    }

    /// What a stream decodes to.
    init(_ stream: StreamReading) {
        position = 0
        seekableEnd = nil
        fill = { (target, _) throws(StorageError) in try stream.read(into: &target) }
    }

    /// Holds at least `count` bytes where there are as many. Throws what is wrong once no byte before it is left.
    private mutating func hold(_ count: Int) throws(StorageError) {
        guard held.count < count, !isEmpty else { return }
        if let failure {
            guard !held.isEmpty else { throw failure }
            return
        }
        let fill = fill
        if held.lowerBound > 0 {
            let rest = buffer.bytes.array(held)
            var bytes = buffer.mutableBytes
            bytes.copy(rest.span8, to: 0)
            held = 0..<rest.count
        }
        while held.count < count, !isEmpty {
            let next = position + UInt64(held.count)
            let start = held.upperBound
            var added = 0
            do throws(StorageError) {
                var bytes = buffer.mutableBytes
                var room = bytes.part(start..<bytes.byteCount)
                added = try fill(&room, next)
            } catch {
                guard error.isAboutImage, !held.isEmpty else { throw error }
                failure = error
                return
            }
            held = held.lowerBound..<held.upperBound + added
            isEmpty = added == 0
        }
    }

    private mutating func drop(_ count: Int) {
        held = held.lowerBound + count..<held.upperBound
        position += UInt64(count)
    }

    /// Up to `count` of the bytes that come next, which stay: as many as there are. At most 64 KiB.
    mutating func peek(_ count: Int) throws(StorageError) -> [UInt8] {
        try hold(count)
        return buffer.bytes.array(held.lowerBound..<held.lowerBound + min(count, held.count))
    }

    /// The byte that comes next; nil at the end.
    mutating func next() throws(StorageError) -> UInt8? {
        try hold(1)
        return held.isEmpty ? nil : buffer.bytes.byte(held.lowerBound)
    }

    /// Takes `count` bytes, at most 64 KiB; nil when there are fewer.
    mutating func take(_ count: Int) throws(StorageError) -> [UInt8]? {
        let bytes = try peek(count)
        guard bytes.count == count else {
            if let failure { throw failure }
            return nil
        }
        drop(count)
        return bytes
    }

    /// Hands the next `count` bytes on in pieces; false when there are fewer.
    mutating func forEachPiece(
        _ count: UInt64, _ body: (RawSpan) throws(StorageError) -> Void
    ) throws(StorageError) -> Bool {
        var left = count
        while left > 0 {
            try Cancellation.check()
            try hold(1)
            guard !held.isEmpty else { return false }
            let part = Int(min(left, UInt64(held.count)))
            try body(buffer.bytes.extracting(held.lowerBound..<held.lowerBound + part))
            drop(part)
            left -= UInt64(part)
        }
        return true
    }

    /// Passes over `count` bytes; false when there are fewer.
    mutating func skip(_ count: UInt64) throws(StorageError) -> Bool {
        if let seekableEnd, count > UInt64(held.count) {
            guard let target = position +? count, target <= seekableEnd else { return false }
            held = 0..<0
            position = target
            return true
        }
        return try forEachPiece(count) { (_) throws(StorageError) in }
    }

    private static func zeroCount(_ bytes: RawSpan) -> Int {
        var count = 0
        while count < bytes.byteCount, bytes.byte(count) == 0 { count += 1 }
        return count
    }

    /// Passes over bytes that are zero.
    mutating func skipZeros() throws(StorageError) {
        while true {
            try Cancellation.check()
            try hold(1)
            guard !held.isEmpty else { return }
            let count = Self.zeroCount(buffer.bytes.extracting(held))
            let isAll = count == held.count
            drop(count)
            if !isAll { return }
        }
    }
}

/// A compressed member while it is read.
final class StreamReading {
    private var stream: DecodedStream
    private let limits: InitramfsLimits
    private let offset: UInt64
    private let limit: UInt64
    let codec: Codec
    /// What is wrong behind the bytes that were given last.
    private var failure: StorageError?

    /// The stream of `codec` that begins at byte `offset` of `source`, and may decode to `limit` bytes.
    init(
        _ codec: Codec, _ source: ByteSource, at offset: UInt64, limit: UInt64, limits: InitramfsLimits
    ) throws(StorageError) {
        self.codec = codec
        self.limits = limits
        self.offset = offset
        self.limit = limit
        var position = offset
        stream = try DecodedStream(codec, limit: limit) { (buffer) throws(StorageError) in
            let count = Int(min(UInt64(buffer.byteCount), source.byteCount - position))
            var part = buffer.part(0..<count)
            try source.read(into: &part, at: position)
            position += UInt64(count)
            return count
        }
    }

    var consumedByteCount: UInt64 { stream.consumedByteCount }
    var producedByteCount: UInt64 { stream.producedByteCount }

    /// Throws what is wrong with the stream, with the place in the image where it begins.
    /// What stands before that place is given first.
    func read(into target: inout MutableRawSpan) throws(StorageError) -> Int {
        if let failure { throw failure }
        let before = stream.producedByteCount
        let count: Int
        do throws(StorageError) {
            count = try stream.read(into: &target)
        } catch {
            if error.isCode(CodecCode.tooLong) {
                throw .initramfs(
                    .refused, .tooLong, "unpacks to more than the \(limit) bytes that are left for it",
                    offset: offset)
            }
            guard error.isAboutImage, error.kind == .corrupt || error.kind == .unsupported,
                !error.isCode(InitramfsCode.cutShort)
            else { throw error }
            let damage = StorageError.initramfs(
                error.kind, .badStream, "the \(codec.id) stream: \(error.message)", offset: offset,
                structure: "after \(stream.consumedByteCount) bytes of it", cause: error)
            guard stream.producedByteCount > before else { throw damage }
            failure = damage
            return Int(stream.producedByteCount - before)
        }
        let produced = stream.producedByteCount
        if produced > limits.freeByteCount, produced / limits.ratio > stream.consumedByteCount {
            throw .initramfs(
                .refused, .bomb, "unpacks to more than \(limits.ratio) times its length", offset: offset)
        }
        return count
    }
}
