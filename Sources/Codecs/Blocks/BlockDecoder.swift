internal import Storage

/// An encoding of blocks that are decoded whole: headers, and payloads whose length a header tells.
protocol BlockFormat {
    /// At the start of a stream.
    init()

    /// How many bytes the piece that comes next has: at least one. A bound that the format has, never more.
    var pieceLength: Int { get }

    /// Takes the next piece, of `pieceLength` bytes. What it decodes to goes to `output`, which is empty. True says
    /// that the stream is complete.
    mutating func take(_ piece: RawSpan, into output: inout [UInt8]) throws(StorageError) -> Bool

    /// Whether the stream may end here with these bytes left that are less than a piece.
    func mayEnd(before rest: RawSpan) -> Bool
}

/// Decodes a format of blocks. Its memory is a block before and after decoding.
final class BlockDecoder<Format: BlockFormat>: StreamDecoder {
    private var format = Format()
    private var piece: [UInt8] = []
    private var decoded: [UInt8] = []
    private var given = 0
    private var isComplete = false
    /// What is wrong with the next piece, once everything before it was given.
    private var failure: StorageError?

    func reset() throws(StorageError) {
        format = Format()
        piece = []
        decoded = []
        given = 0
        isComplete = false
        failure = nil
    }

    func decode(
        _ input: RawSpan, into output: inout MutableRawSpan, isLast: Bool
    ) throws(StorageError) -> CoderStep {
        if let failure { throw failure }
        var step = CoderStep(consumed: 0, produced: 0, isEnd: false)
        while true {
            let ready = min(decoded.count - given, output.byteCount - step.produced)
            if ready > 0 {
                output.copy(decoded.span8.extracting(given..<given + ready), to: step.produced)
                given += ready
                step.produced += ready
            }
            if given < decoded.count { return step }
            if isComplete {
                step.isEnd = true
                return step
            }
            // What lies behind is not looked at before there is room for it: it may not belong to the stream.
            if step.produced > 0, step.produced == output.byteCount { return step }
            let wanted = format.pieceLength - piece.count
            let rest = input.byteCount - step.consumed
            guard wanted <= rest else {
                piece += input.array(step.consumed..<input.byteCount)
                step.consumed = input.byteCount
                if isLast, format.mayEnd(before: piece.span8) { isComplete = true } else { return step }
                continue
            }
            let end = step.consumed + wanted
            decoded.removeAll(keepingCapacity: true)
            given = 0
            do throws(StorageError) {
                // A piece that lies whole in the input is not copied.
                if piece.isEmpty {
                    isComplete = try format.take(input.extracting(step.consumed..<end), into: &decoded)
                } else {
                    let whole = piece + input.array(step.consumed..<end)
                    piece = []
                    isComplete = try format.take(whole.span8, into: &decoded)
                }
            } catch {
                guard step.produced > 0 else { throw error }
                failure = error
                return step
            }
            step.consumed = end
        }
    }
}
