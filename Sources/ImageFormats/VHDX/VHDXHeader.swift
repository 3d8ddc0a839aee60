internal import Storage

/// One of the two headers at 64 and 128 KiB: 4096 bytes, little-endian, the one with the higher sequence number in
/// force ([MS-VHDX] 2.2.2).
struct VHDXHeader: Equatable, Sendable {
    static let byteCount = 4096
    static let offsets: [UInt64] = [64 << 10, 128 << 10]
    static let signature = Array("head".utf8)

    private(set) var bytes: [UInt8]

    /// Nil unless signature and checksum are right.
    init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.byteCount, bytes.span8.matches(Self.signature),
            VHDXChecksum.isRight(bytes, field: 4)
        else { return nil }
        self.bytes = bytes
    }

    /// Of a file made now, with a log that is empty.
    init(logOffset: UInt64, logLength: UInt32) {
        bytes = [UInt8](repeating: 0, count: Self.byteCount)
        bytes.replaceSubrange(0..<4, with: Self.signature)
        bytes.withMutableBytes {
            $0.storeLittle(UInt16(1), at: 66)
            $0.storeLittle(logLength, at: 68)
            $0.storeLittle(logOffset, at: 72)
        }
    }

    var sequence: UInt64 {
        get { bytes.little(8) }
        set { bytes.storeLittle(newValue, at: 8) }
    }
    /// Changes when anything in the file is about to change for the first time since it was opened.
    var fileWriteGUID: UUID16 {
        get { UUID16(mixedEndian: bytes.span8, at: 16) }
        set { bytes.replaceSubrange(16..<32, with: newValue.mixedEndianBytes) }
    }
    /// Changes when the guest's data is about to. A child knows its parent by it.
    var dataWriteGUID: UUID16 {
        get { UUID16(mixedEndian: bytes.span8, at: 32) }
        set { bytes.replaceSubrange(32..<48, with: newValue.mixedEndianBytes) }
    }
    /// Which log entries count; zero: none.
    var logGUID: UUID16 {
        get { UUID16(mixedEndian: bytes.span8, at: 48) }
        set { bytes.replaceSubrange(48..<64, with: newValue.mixedEndianBytes) }
    }
    var logVersion: UInt16 { bytes.little(64) }
    var version: UInt16 { bytes.little(66) }
    var logLength: UInt32 { bytes.little(68) }
    var logOffset: UInt64 { bytes.little(72) }

    /// The bytes to write, checksum put right.
    func sealed() -> [UInt8] {
        var sealed = bytes
        VHDXChecksum.seal(&sealed, field: 4)
        return sealed
    }
}

/// The header in force and where the next one goes.
struct VHDXHeaders: Sendable {
    var current: VHDXHeader
    /// 0 or 1, into `VHDXHeader.offsets`.
    var slot: Int

    /// Reads both and picks the one in force.
    init(in file: any ByteFile) throws(StorageError) {
        var found: [(header: VHDXHeader, slot: Int)] = []
        for (slot, offset) in VHDXHeader.offsets.enumerated() {
            let bytes = try file.availableBytes(at: offset, count: VHDXHeader.byteCount)
            if let header = VHDXHeader(bytes) { found.append((header, slot)) }
        }
        guard var best = found.first else {
            throw .vhdx(
                .corrupt, .noHeader, "neither header is valid", structure: "header",
                offset: VHDXHeader.offsets[0])
        }
        if found.count == 2 {
            let other = found[1]
            // disk2vhd writes the same header twice.
            if other.header.sequence == best.header.sequence, other.header != best.header {
                throw .vhdx(
                    .corrupt, .headersContradict,
                    "both headers have the same sequence number and are not the same", structure: "header",
                    field: "SequenceNumber", offset: VHDXHeader.offsets[0])
            }
            if other.header.sequence > best.header.sequence { best = other }
        }
        (current, slot) = best
        guard current.version == 1 else {
            throw .vhdx(
                .unsupported, .headerVersion, "has version \(current.version); 1 is known",
                structure: "header", field: "Version", offset: VHDXHeader.offsets[slot])
        }
    }

    /// Writes a new header over the one not in force; it is in force after the barrier that ends this.
    mutating func update(
        _ file: any ByteFile, _ change: (inout VHDXHeader) throws(StorageError) -> Void
    ) throws(StorageError) {
        var next = current
        try change(&next)
        guard let sequence = current.sequence +? 1 else {
            throw .vhdx(
                .refused, .sequenceOverflow, "the header's sequence number cannot be raised",
                structure: "header", field: "SequenceNumber", offset: VHDXHeader.offsets[slot])
        }
        next.sequence = sequence
        let target = 1 - slot
        try file.write(next.sealed(), at: VHDXHeader.offsets[target])
        try file.flush()
        (current, slot) = (next, target)
    }
}
