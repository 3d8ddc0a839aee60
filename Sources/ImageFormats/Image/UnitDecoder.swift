internal import Codecs
internal import Storage
internal import Synchronization

/// Decodes compressed units, keeping the latest under a fixed budget: file-system reads of 4 KiB must not
/// inflate a 64 KiB cluster sixteen times.
final class UnitDecoder: Sendable {
    private struct Key: Hashable, Sendable {
        let file: Int
        let hostOffset: UInt64
        let guestOffset: UInt64
    }

    /// The cache's budget in bytes.
    private static let budget = 8 << 20
    /// No format's unit is larger: qcow2 clusters end at 2 MiB, VMDK grains are kept to the same.
    static let unitLimit: UInt64 = 2 << 20

    private let files: [any ByteFile]
    private let decoders = DecoderPool()
    /// What was decoded, once anything was: most images have nothing compressed.
    private let cache = Mutex<Decoded?>(nil)

    private final class Decoded {
        var units = BoundedCache<Key, [UInt8]>(budget: UnitDecoder.budget)
    }

    init(files: [any ByteFile]) { self.files = files }

    /// Fills `target` with the unit's guest bytes from `offset` (a disk position inside the unit) on.
    func read(
        into target: inout MutableRawSpan, of unit: Extent.CompressedUnit, at offset: UInt64
    ) throws(StorageError) {
        let decoded = try decode(unit)
        guard offset >= unit.unitRange.lowerBound,
            let from = Int(exactly: offset - unit.unitRange.lowerBound),
            from <= decoded.count, target.byteCount <= decoded.count - from
        else { throw damaged(unit, "ends before the guest bytes that it should hold") }
        target.copy(decoded.span8.extracting(from..<from + target.byteCount), to: 0)
    }

    /// Drops decoded units that overlap guest bytes which have been written elsewhere since.
    func forget(_ range: Range<UInt64>) {
        cache.withLock { cache in cache?.units.removeAll { key, _ in range.contains(key.guestOffset) } }
    }

    /// The whole unit, decoded.
    func decode(_ unit: Extent.CompressedUnit) throws(StorageError) -> [UInt8] {
        let key = Key(
            file: unit.file, hostOffset: unit.hostRange.lowerBound, guestOffset: unit.unitRange.lowerBound)
        if let known = cache.withLock({ $0?.units.value(for: key) }) { return known }
        let size = unit.unitRange.upperBound - unit.unitRange.lowerBound
        guard size <= Self.unitLimit,
            unit.hostRange.upperBound - unit.hostRange.lowerBound <= 2 * Self.unitLimit,
            files.indices.contains(unit.file)
        else { throw damaged(unit, "is larger than any writer makes it") }
        let codec = try Codec.named(unit.codec)
        // A payload may be cut short by the end of the file: its last sectors need not exist.
        let payload = try files[unit.file].availableBytes(
            at: unit.hostRange.lowerBound, count: Int(unit.hostRange.upperBound - unit.hostRange.lowerBound))
        // One byte more than there may be shows a stream that goes on.
        let room = unit.longest.map { min(max($0, size), Self.unitLimit) + 1 } ?? size
        var decoded = [UInt8](repeating: 0, count: Int(room))
        let filled: Int
        do throws(StorageError) {
            filled = try decoded.withMutableBytes { (target) throws(StorageError) in
                try decoders.decode(payload.span8, by: codec, into: &target)
            }
        } catch {
            guard error.kind == .corrupt else { throw error }
            throw damaged(unit, "does not decompress")
        }
        guard unit.longest == nil || filled < decoded.count else {
            throw damaged(unit, "decodes to more than it should hold")
        }
        guard filled >= size || unit.mayBeShort else { throw damaged(unit, "is too short") }
        decoded.removeLast(decoded.count - Int(size))
        cache.withLock { cache in
            let held = cache ?? Decoded()
            held.units.keep(decoded, for: key, cost: decoded.count)
            cache = held
        }
        return decoded
    }

    private func damaged(_ unit: Extent.CompressedUnit, _ what: String) -> StorageError {
        StorageError(
            .corrupt, ImageCode.compressedUnit, "a compressed cluster or grain \(what)",
            offset: unit.hostRange.lowerBound,
            path: files.indices.contains(unit.file) ? files[unit.file].path : nil)
    }
}
