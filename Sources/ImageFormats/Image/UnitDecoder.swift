internal import CZlib
internal import CZstd
internal import Storage
internal import Synchronization

/// Decodes compressed units, keeping the latest under a fixed budget: file-system reads of 4 KiB must not
/// inflate a 64 KiB cluster sixteen times.
final class UnitDecoder: Sendable {
    private struct Cache: Sendable {
        var units: [Key: [UInt8]] = [:]
        /// Oldest first, from `head` on: small units come in tens of thousands.
        var order: [Key] = []
        var head = 0
        var byteCount = 0

        mutating func dropOldest() {
            byteCount -= units.removeValue(forKey: order[head])?.count ?? 0
            head += 1
            if head > order.count / 2 {
                order.removeFirst(head)
                head = 0
            }
        }
    }

    private struct Key: Hashable, Sendable {
        let file: Int
        let hostOffset: UInt64
        let guestOffset: UInt64
    }

    /// The cache's budget in bytes.
    private static let budget = 8 << 20
    /// No format's unit is larger: qcow2 clusters end at 2 MiB, VMDK grains are kept to the same.
    static let unitLimit: UInt64 = 2 << 20

    private let files: [HostFile]
    private let cache = Mutex(Cache())

    init(files: [HostFile]) { self.files = files }

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
        cache.withLock { cache in
            guard !cache.units.isEmpty else { return }
            for key in cache.order[cache.head...] where range.contains(key.guestOffset) {
                cache.byteCount -= cache.units.removeValue(forKey: key)?.count ?? 0
            }
            cache.order.removeFirst(cache.head)
            cache.head = 0
            cache.order.removeAll { range.contains($0.guestOffset) }
        }
    }

    /// The whole unit, decoded.
    func decode(_ unit: Extent.CompressedUnit) throws(StorageError) -> [UInt8] {
        let key = Key(
            file: unit.file, hostOffset: unit.hostRange.lowerBound, guestOffset: unit.unitRange.lowerBound)
        if let known = cache.withLock({ $0.units[key] }) { return known }
        let size = unit.unitRange.upperBound - unit.unitRange.lowerBound
        guard size <= Self.unitLimit,
            unit.hostRange.upperBound - unit.hostRange.lowerBound <= 2 * Self.unitLimit,
            files.indices.contains(unit.file)
        else { throw damaged(unit, "is larger than any writer makes it") }
        let file = files[unit.file]
        // A payload may be cut short by the end of the file: its last sectors need not exist.
        let payload = try file.availableBytes(
            at: unit.hostRange.lowerBound, count: Int(unit.hostRange.upperBound - unit.hostRange.lowerBound))
        var decoded = [UInt8](repeating: 0, count: Int(size))
        switch unit.codec {
        case .deflate: try inflate(payload, into: &decoded, windowBits: -15, unit)
        case .zlib: try inflate(payload, into: &decoded, windowBits: 15, unit)
        case .zstd: try decompressZstd(payload, into: &decoded, unit)
        }
        cache.withLock { cache in
            guard cache.units[key] == nil else { return }
            while cache.byteCount + decoded.count > Self.budget, cache.head < cache.order.count {
                cache.dropOldest()
            }
            cache.units[key] = decoded
            cache.order.append(key)
            cache.byteCount += decoded.count
        }
        return decoded
    }

    /// One shot: the stream may stop when the unit is full and may be followed by padding. A short last grain
    /// leaves zeros behind it.
    private func inflate(
        _ payload: [UInt8], into decoded: inout [UInt8], windowBits: Int32, _ unit: Extent.CompressedUnit
    ) throws(StorageError) {
        var stream = unsafe z_stream()
        let status = unsafe payload.withUnsafeBufferPointer { input -> Int32 in
            unsafe decoded.withUnsafeMutableBufferPointer { output -> Int32 in
                unsafe stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
                unsafe stream.avail_in = UInt32(input.count)
                unsafe stream.next_out = output.baseAddress
                unsafe stream.avail_out = UInt32(output.count)
                guard
                    unsafe inflateInit2_(
                        &stream, windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
                else { return Z_MEM_ERROR }
                defer { unsafe _ = inflateEnd(&stream) }
                return unsafe CZlib.inflate(&stream, Z_FINISH)
            }
        }
        let full = unsafe stream.avail_out == 0
        guard status == Z_STREAM_END || (status == Z_BUF_ERROR && full) else {
            throw damaged(unit, "does not decompress")
        }
        // A VMDK's last grain may end with the disk; a qcow2 cluster is always whole.
        guard full || unit.codec == .zlib else { throw damaged(unit, "is too short") }
    }

    /// Frames until the unit is full; qemu may leave padding behind the last.
    private func decompressZstd(
        _ payload: [UInt8], into decoded: inout [UInt8], _ unit: Extent.CompressedUnit
    ) throws(StorageError) {
        guard let context = unsafe ZSTD_createDCtx() else { throw damaged(unit, "does not fit into memory") }
        defer { unsafe _ = ZSTD_freeDCtx(context) }
        let full = unsafe payload.withUnsafeBytes { source -> Bool in
            unsafe decoded.withUnsafeMutableBytes { target -> Bool in
                var input = unsafe ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: 0)
                var output = unsafe ZSTD_outBuffer(dst: target.baseAddress, size: target.count, pos: 0)
                while unsafe output.pos < output.size {
                    let before = unsafe (input.pos, output.pos)
                    guard unsafe ZSTD_isError(ZSTD_decompressStream(context, &output, &input)) == 0,
                        unsafe (input.pos, output.pos) != before
                    else { return false }
                }
                return true
            }
        }
        guard full else { throw damaged(unit, "does not decompress") }
    }

    private func damaged(_ unit: Extent.CompressedUnit, _ what: String) -> StorageError {
        StorageError(
            .corrupt, layer: "image", code: "compressed-unit", "a compressed cluster or grain \(what)",
            offset: unit.hostRange.lowerBound,
            path: files.indices.contains(unit.file) ? files[unit.file].path : nil)
    }
}
