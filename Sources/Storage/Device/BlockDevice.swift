/// A disk, a partition, a logical volume: bytes at positions. Positions are bytes from the device's start.
///
/// Reads are safe from many threads at once, beside the one owner that writes. A read sees of each write that goes on
/// meanwhile the old bytes or the new ones, perhaps both, and of one that ended before it began the new ones; never
/// what lies below either. A device is synchronous and may block.
public protocol BlockDevice: AnyObject, Sendable {
    /// The size in bytes.
    var byteCount: UInt64 { get }
    /// The logical sector size in bytes: 512 or 4096. Partition tables count in it.
    var sectorSize: UInt32 { get }
    /// The host files below, which `Extent.Kind.plain` and `.compressed` index.
    var hostFiles: [any ByteFile] { get }
    /// Why it cannot be written; nil when it can. Does not change while the device is open.
    var writeRefusal: StorageError? { get }
    /// Why it must not be written, whatever its disks were opened for; nil where nothing forbids it.
    var lastingRefusal: StorageError? { get }

    /// Fills all of `target` from byte `offset` on. Throws `misuse` past the end.
    func read(into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError)

    /// The run that begins at byte `offset` (which is below `byteCount`): one kind, as long as cheaply known,
    /// at least one byte, never past the end. `range.lowerBound == offset`.
    func nextExtent(at offset: UInt64) throws(StorageError) -> Extent
}

/// A device with the means to be changed: whether this one may be says `writeRefusal`. One owner writes.
public protocol WritableBlockDevice: BlockDevice {
    /// Writes all of `source` at byte `offset`. Throws `misuse` past the end.
    func write(_ source: RawSpan, at offset: UInt64) throws(StorageError)
    /// Makes `count` bytes read as zeros.
    func writeZeroes(at offset: UInt64, count: UInt64) throws(StorageError)
    /// A barrier: what was written before is on stable storage before anything written after.
    func flush() throws(StorageError)
}

/// A run of a device's bytes that all come from one place.
public struct Extent: Equatable, Sendable {
    /// Which bytes of the device, from the device's start.
    public var range: Range<UInt64>
    /// Where they come from.
    public var kind: Kind

    /// Makes an extent.
    public init(range: Range<UInt64>, kind: Kind) {
        self.range = range
        self.kind = kind
    }

    /// Where an extent's bytes come from.
    public enum Kind: Equatable, Sendable {
        /// The same bytes lie in `hostFiles[file]` from byte `offset` on.
        case plain(file: Int, offset: UInt64)
        /// The bytes lie in this process's memory (an overlay); use `read`.
        case memory
        /// All zeros, by the format's own word.
        case zero
        /// Not in this image: the parent's bytes, and zeros where there is no parent.
        case absent
        /// Part of a compressed unit that must be decoded.
        case compressed(CompressedUnit)
        /// Readable only by `read`: computed from several places (RAID legs, parity).
        case computed
    }

    /// One compressed unit of an image: a qcow2 cluster or a VMDK grain.
    public struct CompressedUnit: Equatable, Sendable {
        /// How it is encoded.
        public var codec: CodecID
        /// Index into the device's `hostFiles`.
        public var file: Int
        /// Where the payload lies in that file, in bytes; may include padding behind the stream.
        public var hostRange: Range<UInt64>
        /// Which guest bytes the whole unit decodes to.
        public var unitRange: Range<UInt64>

        /// Whether the payload may decode to less than the unit: the rest reads as zeros then.
        public var mayBeShort: Bool
        /// The most bytes that the payload may decode to; what is behind the unit is not looked at. Nil: any number.
        public var longest: UInt64?

        /// Makes a description of a unit.
        public init(
            codec: CodecID, file: Int, hostRange: Range<UInt64>, unitRange: Range<UInt64>,
            mayBeShort: Bool = false, longest: UInt64? = nil
        ) {
            self.codec = codec
            self.file = file
            self.hostRange = hostRange
            self.unitRange = unitRange
            self.mayBeShort = mayBeShort
            self.longest = longest
        }
    }

    /// The extent cut to the part inside `bounds`; nil when nothing is left.
    public func clamped(to bounds: Range<UInt64>) -> Extent? {
        let part = range.clamped(to: bounds)
        guard !part.isEmpty else { return nil }
        var kind = kind
        if case .plain(let file, let offset) = kind {
            kind = .plain(file: file, offset: offset + (part.lowerBound - range.lowerBound))
        }
        return Extent(range: part, kind: kind)
    }
}

extension BlockDevice {
    /// A device without the means to write.
    public var writeRefusal: StorageError? {
        StorageError(
            .misuse, DeviceCode.readOnly, "the device was opened for reading only")
    }

    /// Nothing does.
    public var lastingRefusal: StorageError? { nil }

    /// Whether writing can work.
    public var isWritable: Bool { writeRefusal == nil }

    /// The device as one to write to: the only place that asks for it. Throws `writeRefusal`.
    public func writable() throws(StorageError) -> any WritableBlockDevice {
        if let writeRefusal { throw writeRefusal }
        guard let device = self as? any WritableBlockDevice else {
            throw StorageError(
                .misuse, DeviceCode.readOnly, "the device has no means to be written")
        }
        return device
    }

    /// A copy of `count` bytes at `offset`: for metadata. Check `count` before you call when an image supplied it.
    public func bytes(at offset: UInt64, count: Int) throws(StorageError) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: count)
        try result.withMutableBytes { (span) throws(StorageError) in try read(into: &span, at: offset) }
        return result
    }

    /// Throws `misuse` unless `count` bytes at `offset` lie inside the device.
    @inlinable
    public func checkBounds(at offset: UInt64, count: UInt64) throws(StorageError) {
        guard offset <= byteCount, count <= byteCount - offset else {
            throw StorageError(
                .misuse, DeviceCode.outOfRange,
                "\(count) bytes at \(offset) are past the end of a device of \(byteCount) bytes",
                offset: offset)
        }
    }
}

extension WritableBlockDevice {
    /// None, where nothing else is known.
    public var writeRefusal: StorageError? { nil }

    /// Writes an array at `offset`.
    public func write(_ bytes: [UInt8], at offset: UInt64) throws(StorageError) {
        try write(bytes.span8, at: offset)
    }

    /// Zeros by writing them, for devices that have no better way.
    public func writeZeroesByWriting(at offset: UInt64, count: UInt64) throws(StorageError) {
        let zeros = [UInt8](repeating: 0, count: Int(min(count, 1 << 16)))
        var position = offset
        var left = count
        while left > 0 {
            let step = Int(min(left, UInt64(zeros.count)))
            try write(zeros.span8.extracting(0..<step), at: position)
            position += UInt64(step)
            left -= UInt64(step)
        }
    }
}
