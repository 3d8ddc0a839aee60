internal import Storage

/// LUKS 1 and 2 and BitLocker: recognised and named, never opened.
enum EncryptionProbe {
    private static let magic: [UInt8] = Array("LUKS".utf8) + [0xba, 0xbe]
    private static let secondMagic: [UInt8] = Array("SKUL".utf8) + [0xba, 0xbe]
    /// Where the second LUKS2 header can be; it says itself where it is.
    private static let secondOffsets: [UInt64] = [
        0x4000, 0x8000, 0x10000, 0x20000, 0x40000, 0x80000, 0x10_0000, 0x20_0000, 0x40_0000,
    ]

    /// The GUID that BitLocker To Go puts into its boot sector.
    private static let toGo = UUID16(text: "4967d63b-2e29-4ad8-8399-f6a339e3d001")

    static func matches(_ reader: ProbeReader) throws(StorageError) -> [ProbeMatch] {
        var found: [ProbeMatch] = []
        if let header = try reader.bytes(0, 512), header.span8.matches(magic) {
            let version: UInt16 = header.big(6)
            if version == 1 || version == 2 { found.append(luks(header, version: version)) }
        } else {
            found += try secondHeader(reader)
        }
        found += try bitLocker(reader)
        return found
    }

    private static func luks(
        _ header: [UInt8], version: UInt16, strength: ProbeMatch.Strength = .firm
    ) -> ProbeMatch {
        ProbeMatch(
            VolumeIdentity(
                kind: .luks, uuid: header.text(168..<208), label: version == 2 ? header.label(24..<72) : nil,
                version: String(version)), .encryption, strength)
    }

    /// A LUKS2 volume whose first header was overwritten. It is also what remains when a volume was put to another
    /// use, so anything else counts for more.
    private static func secondHeader(_ reader: ProbeReader) throws(StorageError) -> [ProbeMatch] {
        for offset in secondOffsets {
            guard let header = try reader.bytes(offset, 512) else { break }
            if header.span8.matches(secondMagic), header.big(6, as: UInt16.self) == 2,
                header.big(256, as: UInt64.self) == offset
            {
                return [luks(header, version: 2, strength: .weak)]
            }
        }
        return []
    }

    /// The metadata block (as libbde describes it): length of its body at 64, volume GUID at 80, entries from 112.
    private static func bitLocker(_ reader: ProbeReader) throws(StorageError) -> [ProbeMatch] {
        guard let boot = try reader.bytes(0, 512) else { return [] }
        let place: UInt64
        if boot.span8.matches(Array("-FVE-FS-".utf8), at: 3) {
            // Windows Vista counts clusters from the boot sector; later systems give bytes.
            let cluster = UInt64(boot.little(11, as: UInt16.self)) * UInt64(boot[13])
            let vista = (boot.little(56, as: UInt64.self) *? cluster) ?? 0
            place = boot[1] == 0x52 ? vista : boot.little(176)
        } else if boot.span8.matches(Array("MSWIN4.1".utf8), at: 3),
            UUID16(mixedEndian: boot.span8, at: 424) == toGo
        {
            place = boot.little(440)
        } else {
            return []
        }
        var identity = VolumeIdentity(kind: .init(rawValue: "BitLocker"))
        if let block = try reader.bytes(place, 64), block.span8.matches(Array("-FVE-FS-".utf8)) {
            identity.version = String(block.little(10, as: UInt16.self))
            if let header = try reader.bytes(place, 112),
                let whole = try reader.bytes(place, 64 + Int(min(header.little(64, as: UInt32.self), 65536)))
            {
                identity.uuid = UUID16(mixedEndian: header.span8, at: 80).description
                identity.label = description(whole)
            }
        }
        return [ProbeMatch(identity, .encryption)]
    }

    private static func description(_ block: [UInt8]) -> [UInt8]? {
        var offset = 112
        while offset + 8 <= block.count {
            let size = Int(block.little(offset, as: UInt16.self))
            guard size >= 8, size <= block.count - offset else { return nil }
            if block.little(offset + 2, as: UInt16.self) == 7, block.little(offset + 4, as: UInt16.self) == 2
            {
                return block.utf16Label(offset + 8..<offset + size)
            }
            offset += size
        }
        return nil
    }
}
