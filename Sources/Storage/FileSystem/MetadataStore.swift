internal import Synchronization

/// The one place through which a volume's structures are read: bounds, and a cache under a budget. Safe from many threads:
/// what was read before the device was written is not kept beyond it.
package final class MetadataStore: Sendable {
    private struct Key: Hashable {
        let position: UInt64
        let count: Int
    }

    private struct State {
        var device: any BlockDevice
        var cache: BoundedCache<Key, [UInt8]>
        /// How often the device was written.
        var age: UInt64 = 0
    }

    private let layer: String
    private let state: Mutex<State>
    /// The place behind the piece that was read last for want of it in the cache.
    private let expected = Atomic<UInt64>(.max)

    /// How many bytes are read at once where pieces are asked for one after another, as in an inode table.
    private static let readAheadByteCount = 64 << 10

    /// `layer` is what errors name: "ext4".
    package init(_ device: any BlockDevice, layer: String, cacheByteCount: Int) {
        self.layer = layer
        state = Mutex(State(device: device, cache: BoundedCache(budget: cacheByteCount)))
    }

    /// Where bytes come from.
    package var device: any BlockDevice { state.withLock { $0.device } }

    /// A structure's bytes, from the cache when they are there. Throws `corrupt` where the device ends before them.
    package func bytes(at position: UInt64, count: Int) throws(StorageError) -> [UInt8] {
        let key = Key(position: position, count: count)
        let (held, age) = state.withLock { ($0.cache.value(for: key), $0.age) }
        if let held { return held }
        if expected.exchange(position &+ UInt64(count), ordering: .relaxed) == position,
            let bytes = readAhead(key, age)
        {
            return bytes
        }
        var bytes = [UInt8](repeating: 0, count: count)
        try bytes.withMutableBytes { (span) throws(StorageError) in try read(into: &span, at: position) }
        state.withLock { state in
            if state.age == age { state.cache.keep(bytes, for: key, cost: count) }
        }
        return bytes
    }

    /// Reads a piece and those behind it into the cache; nil where they cannot all be read.
    private func readAhead(_ first: Key, _ age: UInt64) -> [UInt8]? {
        let end = device.byteCount
        guard first.count > 0, first.position < end else { return nil }
        let size = first.count
        let pieceCount = Int(
            min(UInt64(Self.readAheadByteCount / size), (end - first.position) / UInt64(size)))
        guard pieceCount > 1 else { return nil }
        var bytes = [UInt8](repeating: 0, count: pieceCount * size)
        do throws(StorageError) {
            try bytes.withMutableBytes { (span) throws(StorageError) in
                try read(into: &span, at: first.position)
            }
        } catch {
            return nil
        }
        expected.store(first.position + UInt64(bytes.count), ordering: .relaxed)
        let pieces = (0..<pieceCount).map { Array(bytes[$0 * size..<($0 + 1) * size]) }
        state.withLock { state in
            guard state.age == age else { return }
            for (index, piece) in pieces.enumerated() {
                let key = Key(position: first.position + UInt64(index * size), count: size)
                state.cache.keep(piece, for: key, cost: size)
            }
        }
        return pieces[0]
    }

    /// Bytes of the device, past the cache. Throws `corrupt` where it ends before them.
    package func read(into target: inout MutableRawSpan, at position: UInt64) throws(StorageError) {
        let device = device
        guard position <= device.byteCount, UInt64(target.byteCount) <= device.byteCount - position else {
            throw StorageError(
                .corrupt, VolumeCode.truncatedDevice,
                "bytes are needed that lie past the end of the device, which is shorter than the file system; "
                    + "the image may be truncated", layerName: layer, offset: position)
        }
        try device.read(into: &target, at: position)
    }

    /// Forgets what was read: the device was written. What reads have in hand meanwhile is not kept.
    package func invalidate() {
        state.withLock { state in
            state.cache.removeAll()
            state.age += 1
        }
    }

    /// Reads from `device` from now on.
    package func replaceDevice(_ device: any BlockDevice) {
        state.withLock { state in
            state.device = device
            state.cache.removeAll()
            state.age += 1
        }
    }
}
