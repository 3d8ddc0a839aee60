internal import Storage

/// ISO 9660 and UDF: volume descriptors from 32 KiB on.
enum OpticalProbe {
    private static let first: UInt64 = 32768
    private static let descriptorLimit: UInt64 = 16

    static func matches(_ reader: ProbeReader) throws(StorageError) -> [ProbeMatch] {
        var iso: ProbeMatch?
        var isUDF = false
        for index in 0..<descriptorLimit {
            guard let block = try reader.bytes(first + index * 2048, 2048) else { break }
            if block.span8.matches(Array("CD001".utf8), at: 1) {
                if block[0] == 1, iso == nil { iso = volume(block) }
                if block[0] == 2, let label = block.utf16Label(40..<72, bigEndian: true), isJoliet(block) {
                    iso?.identity.label = trimmed(label)
                }
            } else if block.span8.matches(Array("NSR0".utf8), at: 1) {
                isUDF = true
            } else if ![Array("BEA01".utf8), Array("TEA01".utf8)].contains(where: {
                block.span8.matches($0, at: 1)
            }) {
                break
            }
        }
        let udf = isUDF ? [ProbeMatch(VolumeIdentity(kind: .init(rawValue: "udf")), .fileSystem)] : []
        return udf + (iso.map { [$0] } ?? [])
    }

    private static func isJoliet(_ block: [UInt8]) -> Bool {
        [[0x25, 0x2f, 0x40], [0x25, 0x2f, 0x43], [0x25, 0x2f, 0x45]].contains {
            block.span8.matches($0, at: 88)
        }
    }

    private static func volume(_ block: [UInt8]) -> ProbeMatch {
        let blocks: UInt32 = block.little(80)
        let size: UInt16 = block.little(128)
        return ProbeMatch(
            VolumeIdentity(
                kind: .init(rawValue: "iso9660"), uuid: date(block, 830) ?? date(block, 813),
                label: block.label(40..<72), byteCount: UInt64(blocks) * UInt64(size),
                blockSize: UInt32(size)), .fileSystem)
    }

    /// The date of modification, else of creation, stands for a UUID: 16 digits as YYYY-MM-DD-hh-mm-ss-cc.
    private static func date(_ block: [UInt8], _ offset: Int) -> String? {
        let digits = block[offset..<offset + 16]
        guard digits.allSatisfy({ (48..<58).contains($0) }), digits.contains(where: { $0 != 48 }) else {
            return nil
        }
        let text = String(decoding: digits, as: UTF8.self)
        var parts = [text.prefix(4)]
        var rest = text.dropFirst(4)
        while !rest.isEmpty {
            parts.append(rest.prefix(2))
            rest = rest.dropFirst(2)
        }
        return parts.joined(separator: "-")
    }

    private static func trimmed(_ label: [UInt8]) -> [UInt8]? { label.label(0..<label.count) }
}
