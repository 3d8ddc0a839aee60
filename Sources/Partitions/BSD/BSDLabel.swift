internal import Storage

/// A BSD disk label: the second sector of a slice or disk (offsets from <sys/disklabel.h>).
struct BSDLabel {
    /// A partition in the label's own numbers.
    struct Part {
        var start: UInt64
        var count: UInt64
        var type: UInt8
    }

    static let magic: UInt32 = 0x8256_4557
    /// The label itself is 16-bit aligned at byte 512 of what holds it.
    static let offset: UInt64 = 512
    /// The label has room for 16 in most systems and 22 in NetBSD.
    private static let partitionLimit = 16

    private let parts: [Part]

    /// The label of what begins at byte `start` of `device`; nil when there is none.
    static func read(_ device: any BlockDevice, at start: UInt64) throws(StorageError) -> BSDLabel? {
        guard let place = start +? offset, device.byteCount >= 1024, place <= device.byteCount - 512 else {
            return nil
        }
        return BSDLabel(try device.bytes(at: place, count: 512))
    }

    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 148 + 16 * Self.partitionLimit, bytes.little(0) == Self.magic,
            bytes.little(132) == Self.magic
        else { return nil }
        let count = min(Int(bytes.little(138, as: UInt16.self)), Self.partitionLimit)
        // The 16-bit words of label and partitions xor to zero.
        var sum: UInt16 = 0
        for word in 0..<(148 + count * 16) / 2 { sum ^= bytes.little(word * 2, as: UInt16.self) }
        guard sum == 0 else { return nil }
        parts = (0..<count).map { index in
            let base = 148 + index * 16
            return Part(
                start: UInt64(bytes.little(base + 4, as: UInt32.self)),
                count: UInt64(bytes.little(base, as: UInt32.self)), type: bytes[base + 12])
        }
    }

    /// The used partitions in sectors of the disk. FreeBSD may count from the slice (then "c", the third, begins
    /// at 0); the others always count from the disk.
    func partitions(inSliceAt sliceStart: UInt64, isFreeBSD: Bool) -> [Part] {
        let isRelative = isFreeBSD && parts.count > 2 && parts[2].start == 0
        return parts.filter { $0.count > 0 && $0.type != 0 }.map { part in
            var part = part
            if isRelative { part.start += sliceStart }
            return part
        }
    }

    static func typeName(_ type: UInt8) -> String {
        switch type {
        case 1: "BSD swap"
        case 7: "BSD 4.2 FFS"
        case 27: "ZFS"
        default: "BSD type \(type)"
        }
    }
}
