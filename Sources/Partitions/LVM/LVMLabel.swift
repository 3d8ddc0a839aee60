internal import Storage

/// The label of an LVM2 physical volume and the header behind it (lib/label/label.h, format_text/layout.h).
struct LVMLabel: Equatable, Sendable {
    /// A piece of the volume in bytes. A size of 0 means "to the end".
    struct Area: Equatable, Sendable {
        var offset: UInt64
        var byteCount: UInt64
    }

    /// Areas of one kind that are listed at most.
    private static let areaLimit = 16

    /// Which of the first four sectors holds it.
    let sector: UInt64
    /// With dashes, as every LVM tool prints it.
    let uuid: String
    /// What the header says the device's size is; 0 or stale in old volumes.
    let deviceByteCount: UInt64
    let dataAreas: [Area]
    let metadataAreas: [Area]

    /// LVM's CRC: the usual polynomial, its own start, no final xor.
    static func checksum(_ bytes: RawSpan) -> UInt32 { CRC32.update(0xf597_a6cf, bytes) }

    /// The first valid label in sectors 0 to 3; nil when there is none.
    static func read(_ device: any BlockDevice) throws(StorageError) -> LVMLabel? {
        guard device.byteCount >= 512 else { return nil }
        let head = try device.bytes(at: 0, count: Int(min(device.byteCount, 2048)))
        for sector in 0..<head.count / 512 {
            let bytes = Array(head[sector * 512..<sector * 512 + 512])
            if let label = LVMLabel(bytes, sector: UInt64(sector)) { return label }
        }
        return nil
    }

    init?(_ bytes: [UInt8], sector: UInt64) {
        guard bytes.count == 512, bytes.span8.matches(Array("LABELONE".utf8)),
            bytes.little(8, as: UInt64.self) == sector,
            bytes.span8.matches(Array("LVM2 001".utf8), at: 24),
            Self.checksum(bytes.span8.extracting(20..<512)) == bytes.little(16)
        else { return nil }
        let header = Int(bytes.little(20, as: UInt32.self))
        guard header >= 32, header <= 512 - 40 else { return nil }
        self.sector = sector
        uuid = Self.dashed(Array(bytes[header..<header + 32]))
        deviceByteCount = bytes.little(header + 32)
        var offset = header + 40
        dataAreas = Self.areas(bytes, &offset)
        metadataAreas = Self.areas(bytes, &offset)
    }

    /// Pairs of offset and size up to a pair of zeros, or to the end of the sector.
    private static func areas(_ bytes: [UInt8], _ offset: inout Int) -> [Area] {
        var found: [Area] = []
        while offset + 16 <= bytes.count {
            let area = Area(offset: bytes.little(offset), byteCount: bytes.little(offset + 8))
            offset += 16
            if area.offset == 0 { break }
            if found.count < areaLimit { found.append(area) }
        }
        return found
    }

    /// 32 characters as 6-4-4-4-4-4-6.
    static func dashed(_ raw: [UInt8]) -> String {
        let text = raw.displayText
        guard text.utf8.count == 32 else { return text }
        var parts: [Substring] = []
        var rest = Substring(text)
        for length in [6, 4, 4, 4, 4, 4, 6] {
            parts.append(rest.prefix(length))
            rest = rest.dropFirst(length)
        }
        return parts.joined(separator: "-")
    }
}
