internal import Storage

/// The 512-byte header of a metadata area: where in its ring the current text is (struct mda_header).
struct LVMMetadataHeader: Equatable, Sendable {
    static let byteCount = 512
    static let magic: [UInt8] = [0x20] + Array("LVM2 x[5A%r0N*>".utf8)
    /// The longest text that is read: lvm2's areas have 1 MiB unless asked for more, a logical volume takes some
    /// 500 bytes.
    static let textLimit: UInt64 = 16 << 20
    private static let slotLimit = 4

    /// Where the area begins on the device and how long it is, by its own word.
    let start: UInt64
    let byteCount: UInt64
    /// The slots: 0 is the committed text, 1 one that was about to be.
    let slots: [Slot]

    /// A text in the ring (struct raw_locn).
    struct Slot: Equatable, Sendable {
        var offset: UInt64
        var byteCount: UInt64
        var checksum: UInt32
        var flags: UInt32
        /// The area holds no current text on purpose.
        var isIgnored: Bool { flags & 1 != 0 }
    }

    /// The header of `area`; nil when it is damaged or not there.
    static func read(_ device: any BlockDevice, area: LVMLabel.Area) throws(StorageError)
        -> LVMMetadataHeader?
    {
        guard area.offset <= device.byteCount, device.byteCount - area.offset >= UInt64(byteCount) else {
            return nil
        }
        let header = LVMMetadataHeader(try device.bytes(at: area.offset, count: byteCount))
        guard let header, header.start == area.offset, header.byteCount > UInt64(byteCount),
            header.byteCount <= device.byteCount - header.start
        else { return nil }
        return header
    }

    init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.byteCount, bytes.span8.matches(Self.magic, at: 4),
            bytes.little(20, as: UInt32.self) == 1,
            LVMLabel.checksum(bytes.span8.extracting(4..<512)) == bytes.little(0)
        else { return nil }
        start = bytes.little(24)
        byteCount = bytes.little(32)
        var found: [Slot] = []
        for index in 0..<Self.slotLimit {
            let base = 40 + index * 24
            let slot = Slot(
                offset: bytes.little(base), byteCount: bytes.little(base + 8),
                checksum: bytes.little(base + 16), flags: bytes.little(base + 20))
            if slot.offset == 0 { break }
            found.append(slot)
        }
        slots = found
    }

    /// The committed text without its NUL; nil when there is none, when the slot points outside the ring, or when
    /// the checksum fails. A text that reaches the area's end goes on behind the header.
    func committedText(_ device: any BlockDevice) throws(StorageError) -> [UInt8]? {
        guard let slot = slots.first, !slot.isIgnored else { return nil }
        let header = UInt64(Self.byteCount)
        guard slot.offset >= header, slot.offset < byteCount, slot.byteCount > 0,
            slot.byteCount <= byteCount - header, slot.byteCount <= Self.textLimit
        else { return nil }
        let untilEnd = min(slot.byteCount, byteCount - slot.offset)
        var text = try device.bytes(at: start + slot.offset, count: Int(untilEnd))
        if untilEnd < slot.byteCount {
            text += try device.bytes(at: start + header, count: Int(slot.byteCount - untilEnd))
        }
        guard LVMLabel.checksum(text.span8) == slot.checksum else { return nil }
        return Array(text.prefix { $0 != 0 })
    }
}
