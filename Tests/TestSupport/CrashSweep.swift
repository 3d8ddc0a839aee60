internal import Storage

/// What a power cut can leave of a series of writes and flushes on a device: everything before the last flush, and any
/// part of what was written since. A piece is written whole or not at all: a KiB unless said otherwise, as the kernel
/// relies on for superblocks.
public struct CrashSweep {
    public struct State {
        /// How many flushes had ended.
        public var epoch: Int
        public var label: String
        public var image: [UInt8]
        /// The phase of the `OrderedWrites` that was under way; nil behind the last, and where there are none.
        public var phase: String?
    }

    private let initial: [UInt8]
    private let events: [MemoryDevice.Event]
    private let pieceByteCount: Int
    private let phases: [String]

    public init(initial: [UInt8], events: [MemoryDevice.Event], pieceByteCount: Int = 1024) {
        self.init(initial: initial, events: events, pieceByteCount: pieceByteCount, phases: [])
    }

    init(initial: [UInt8], events: [MemoryDevice.Event], pieceByteCount: Int, phases: [String]) {
        self.initial = initial
        self.events = events
        self.pieceByteCount = pieceByteCount
        self.phases = phases
    }

    /// Calls `body` for the state after each write and flush, and for `subsets` random parts of each epoch.
    public func forEachState(subsets: Int, seed: UInt64, _ body: (State) throws -> Void) rethrows {
        var random = SeededRandom(seed)
        var image = initial
        var epoch = 0
        var pieces: [(offset: Int, bytes: ArraySlice<UInt8>)] = []
        var durable = initial
        func state(_ label: String, _ image: [UInt8]) -> State {
            State(
                epoch: epoch, label: label, image: image,
                phase: phases.indices.contains(epoch) ? phases[epoch] : nil)
        }
        try body(state("before the first write", image))
        for (index, event) in events.enumerated() {
            switch event {
            case .write(let offset, let bytes):
                image.replaceSubrange(Int(offset)..<Int(offset) + bytes.count, with: bytes)
                for start in stride(from: 0, to: bytes.count, by: pieceByteCount) {
                    let part = bytes[start..<min(start + pieceByteCount, bytes.count)]
                    pieces.append((Int(offset) + start, part))
                }
                try body(state("after event \(index)", image))
            case .flush:
                for subset in 0..<(pieces.count > 1 ? subsets : 0) {
                    var part = durable
                    let likelihood = Int.random(in: 10...90, using: &random)
                    for piece in pieces where Int.random(in: 0..<100, using: &random) < likelihood {
                        part.replaceSubrange(
                            piece.offset..<piece.offset + piece.bytes.count, with: piece.bytes)
                    }
                    try body(state("epoch \(epoch), subset \(subset)", part))
                }
                durable = image
                pieces = []
                epoch += 1
            }
        }
        try body(state("at the end", image))
    }
}
