import Storage
import TestSupport
import Testing

/// What a power cut can leave of a series of writes and flushes: everything before the last flush, and any part of
/// what was written since. A KiB is written whole or not at all, as the kernel relies on for superblocks.
struct CrashSweep {
    struct State {
        /// How many flushes had ended.
        var epoch: Int
        var label: String
        var image: [UInt8]
    }

    let initial: [UInt8]
    let events: [MemoryDevice.Event]

    /// Calls `body` for the state after each write and flush, and for `subsets` random parts of each epoch.
    func forEachState(subsets: Int, seed: UInt64, _ body: (State) throws -> Void) rethrows {
        var random = SeededRandom(seed)
        var image = initial
        var epoch = 0
        var pieces: [(offset: Int, bytes: ArraySlice<UInt8>)] = []
        var durable = initial
        try body(State(epoch: 0, label: "before the first write", image: image))
        for (index, event) in events.enumerated() {
            switch event {
            case .write(let offset, let bytes):
                image.replaceSubrange(Int(offset)..<Int(offset) + bytes.count, with: bytes)
                for start in stride(from: 0, to: bytes.count, by: 1024) {
                    let part = bytes[start..<min(start + 1024, bytes.count)]
                    pieces.append((Int(offset) + start, part))
                }
                try body(State(epoch: epoch, label: "after event \(index)", image: image))
            case .flush:
                for subset in 0..<(pieces.count > 1 ? subsets : 0) {
                    var part = durable
                    let likelihood = Int.random(in: 10...90, using: &random)
                    for piece in pieces where Int.random(in: 0..<100, using: &random) < likelihood {
                        part.replaceSubrange(
                            piece.offset..<piece.offset + piece.bytes.count, with: piece.bytes)
                    }
                    try body(State(epoch: epoch, label: "epoch \(epoch), subset \(subset)", image: part))
                }
                durable = image
                pieces = []
                epoch += 1
            }
        }
        try body(State(epoch: epoch, label: "at the end", image: image))
    }
}

/// What e2fsprogs says of a state.
struct Judgement {
    /// e2fsck -p's exit status.
    var preen: Int32
    /// e2fsck -fn's, afterwards.
    var check: Int32
    /// What both said, for messages.
    var text: String
    /// Contents of the files asked for, after e2fsck -p.
    var contents: [[UInt8]]

    init(_ image: [UInt8], files: [String]) throws {
        let directory = try TemporaryDirectory()
        defer { withExtendedLifetime(directory) {} }
        let path = try directory.write("image", image)
        let first = try Tool.run("e2fsck", ["-p", path], expect: nil)
        let second = try Tool.run("e2fsck", ["-fn", path], expect: nil)
        preen = first.status
        check = second.status
        text = first.text + first.errorText + second.text + second.errorText
        contents = try files.map { try Tool.run("debugfs", ["-R", "cat \($0)", path]).output }
    }

    var isSound: Bool { (preen == 0 || preen == 1) && check == 0 }
}
