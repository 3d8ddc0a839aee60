import Codecs
import Conversion
import Storage
import Synchronization
import TestSupport

/// A sink in memory that holds what it is written to the contract: one call at a time, no byte twice, in the order of
/// its layout, whole units where it wants them.
final class RecordingSink: ConversionSink {
    enum Event: Equatable, Sendable {
        case plain(offset: UInt64, bytes: [UInt8])
        case encoded(EncodedUnit)
    }

    private struct State: Sendable {
        var events: [Event] = []
        var isBusy = false
        var isFinished = false
        var breaches: [String] = []
    }

    let byteCount: UInt64
    let layout: SinkLayout
    /// The write that fails, counted from zero.
    private let failing: Int?
    private let state = Mutex(State())

    init(byteCount: UInt64, layout: SinkLayout, failing: Int? = nil) {
        self.byteCount = byteCount
        self.layout = layout
        self.failing = failing
    }

    var events: [Event] { state.withLock { $0.events } }
    var isFinished: Bool { state.withLock { $0.isFinished } }
    var encodedUnits: [EncodedUnit] {
        events.compactMap { if case .encoded(let unit) = $0 { unit } else { nil } }
    }

    /// What is wrong with how it was written.
    var breaches: [String] {
        var breaches = state.withLock { $0.breaches }
        var ranges = events.map(range)
        if layout.order == .any { ranges.sort { $0.lowerBound < $1.lowerBound } }
        for (one, next) in zip(ranges, ranges.dropFirst()) where next.lowerBound < one.upperBound {
            breaches.append("\(next) after \(one)")
        }
        for range in ranges where range.upperBound > byteCount || range.isEmpty {
            breaches.append("\(range)")
        }
        guard layout.encoding != nil else { return breaches }
        for range in ranges {
            let end = min(range.lowerBound + layout.unit, byteCount)
            if range.lowerBound % layout.unit != 0 || range.upperBound != end {
                breaches.append("\(range) is no unit")
            }
        }
        return breaches
    }

    /// The disk that was written.
    func contents() throws -> [UInt8] {
        var contents = [UInt8](repeating: 0, count: Int(byteCount))
        for event in events {
            let place = Int(range(event).lowerBound)..<Int(range(event).upperBound)
            switch event {
            case .plain(_, let bytes): contents.replaceSubrange(place, with: bytes)
            case .encoded(let unit):
                guard let codec = layout.encoding?.codec else { continue }
                var target = [UInt8](repeating: 0, count: place.count)
                _ = try target.withMutableBytes { (target) throws(StorageError) in
                    try codec.decode(unit.bytes.span8, into: &target, by: codec.makeDecoder())
                }
                contents.replaceSubrange(place, with: target)
            }
        }
        return contents
    }

    func write(_ bytes: RawSpan, at offset: UInt64) throws(StorageError) {
        try record(.plain(offset: offset, bytes: bytes.array(0..<bytes.byteCount)))
    }

    func write(_ unit: EncodedUnit) throws(StorageError) { try record(.encoded(unit)) }

    func finish() throws(StorageError) { state.withLock { $0.isFinished = true } }

    private func record(_ event: Event) throws(StorageError) {
        let number = state.withLock { state in
            if state.isBusy { state.breaches.append("two calls at once") }
            if state.isFinished { state.breaches.append("written after the end") }
            state.isBusy = true
            return state.events.count
        }
        defer { state.withLock { $0.isBusy = false } }
        if number == failing {
            throw StorageError(.io, layer: "test", code: "broken", "the sink broke")
        }
        state.withLock { $0.events.append(event) }
    }

    private func range(_ event: Event) -> Range<UInt64> {
        switch event {
        case .plain(let offset, let bytes): offset..<offset + UInt64(bytes.count)
        case .encoded(let unit): unit.range
        }
    }
}
