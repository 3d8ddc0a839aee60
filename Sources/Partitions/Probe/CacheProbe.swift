internal import Storage

/// Layers that keep their data below a header of their own: bcache, VDO, DRBD.
enum CacheProbe {
    private static let bcacheMagic: [UInt8] = [
        0xc6, 0x85, 0x73, 0xf6, 0x4e, 0x1a, 0x45, 0xca, 0x82, 0x65, 0xf5, 0x7f, 0x48, 0xba, 0x6d, 0x81,
    ]

    static func matches(_ reader: ProbeReader) throws(StorageError) -> [ProbeMatch] {
        var found: [ProbeMatch] = []
        if let block = try reader.bytes(4096, 256), block.span8.matches(bcacheMagic, at: 24),
            block.little(8, as: UInt64.self) == 8
        {
            found.append(
                ProbeMatch(
                    VolumeIdentity(
                        kind: .init(rawValue: "bcache"), uuid: block.uuidText(40),
                        label: block.label(72..<104),
                        version: String(block.little(16, as: UInt64.self))), .cache))
        }
        if let block = try reader.bytes(0, 512), block.span8.matches(Array("dmvdo001".utf8)) {
            found.append(
                ProbeMatch(VolumeIdentity(kind: .init(rawValue: "vdo"), uuid: block.uuidText(40)), .cache))
        }
        found += try drbd(reader)
        return found
    }

    /// DRBD with internal metadata: its superblock is the last 4 KiB, big-endian.
    private static func drbd(_ reader: ProbeReader) throws(StorageError) -> [ProbeMatch] {
        guard reader.byteCount >= 0x10000, let block = try reader.bytesBeforeEnd(4096, 512) else { return [] }
        let version: String
        let uuid: UInt64
        switch block.big(60, as: UInt32.self) {
        case 0x8374_026d: (version, uuid) = ("v09", block.little(48))
        case 0x8374_0267, 0x8374_026b, 0x8374_026c: (version, uuid) = ("v08", block.little(40))
        default: return []
        }
        let digits = String(uuid, radix: 16)
        let text = String(repeating: "0", count: 16 - digits.count) + digits
        return [
            ProbeMatch(VolumeIdentity(kind: .init(rawValue: "drbd"), uuid: text, version: version), .cache)
        ]
    }
}
