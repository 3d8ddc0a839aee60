internal import Storage

/// An encoding of blocks that are encoded whole.
protocol BlockWriter: AnyObject {
    /// How many bytes a block holds; the last one holds fewer.
    var blockLength: Int { get }
    /// What the stream begins with.
    func start() throws(StorageError) -> [UInt8]
    /// A block, which is not empty.
    func block(_ bytes: RawSpan) throws(StorageError) -> [UInt8]
    /// What the stream ends with.
    func end() throws(StorageError) -> [UInt8]
}

/// Encodes a format of blocks.
final class BlockEncoder: StreamEncoder {
    private let writer: any BlockWriter
    private var held: [UInt8] = []
    private var encoded: [UInt8] = []
    private var given = 0
    private var state = State.new
    private enum State { case new, running, ended }

    init(_ writer: any BlockWriter) { self.writer = writer }

    func reset() throws(StorageError) {
        held = []
        encoded = []
        given = 0
        state = .new
    }

    func encode(
        _ input: RawSpan, into output: inout MutableRawSpan, isLast: Bool
    ) throws(StorageError) -> CoderStep {
        var step = CoderStep(consumed: 0, produced: 0, isEnd: false)
        while true {
            let ready = min(encoded.count - given, output.byteCount - step.produced)
            if ready > 0 {
                output.copy(encoded.span8.extracting(given..<given + ready), to: step.produced)
                given += ready
                step.produced += ready
            }
            if given < encoded.count { return step }
            encoded.removeAll(keepingCapacity: true)
            given = 0
            switch state {
            case .new:
                encoded = try writer.start()
                state = .running
            case .running:
                let taken = min(writer.blockLength - held.count, input.byteCount - step.consumed)
                held += input.array(step.consumed..<step.consumed + taken)
                step.consumed += taken
                let isAll = isLast && step.consumed == input.byteCount
                if held.count == writer.blockLength || isAll && !held.isEmpty {
                    let whole = held
                    held = []
                    encoded = try writer.block(whole.span8)
                } else if isAll {
                    encoded = try writer.end()
                    state = .ended
                } else {
                    return step
                }
            case .ended:
                step.isEnd = true
                return step
            }
        }
    }
}
