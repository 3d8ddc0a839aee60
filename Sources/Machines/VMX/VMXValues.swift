internal import Storage

/// The keys and values of a .vmx.
struct VMXValues {
    private var values: [String: String] = [:]
    /// Values by the text's encoding, where they are others then.
    private var decodedValues: [String: String] = [:]

    /// Bytes of a text, and keys in it.
    private static let byteLimit = 4 << 20

    /// Throws `corrupt` for a key that has two values, as VMware's own programs do.
    init(_ bytes: [UInt8]) throws(StorageError) {
        guard bytes.count <= Self.byteLimit else {
            throw .machine(
                .refused, .tooLarge, VMXDescription.language, "is longer than \(Self.byteLimit) bytes")
        }
        var pairs: [(key: String, value: [UInt8])] = []
        for line in (try Self.singleBytes(bytes)).split(whereSeparator: { $0 == 10 || $0 == 13 }) {
            guard let pair = Self.pair(line) else { continue }
            pairs.append(pair)
        }
        let encoding = pairs.first { $0.key == ".encoding" }.map { String(decoding: $0.value, as: UTF8.self) }
        for (key, value) in pairs {
            let text = key == "displayname" ? Self.shown(value, encoding) : Self.text(value, encoding)
            if let other = values[key], other != text {
                throw .machine(
                    .corrupt, .contradiction, VMXDescription.language,
                    "has two values for \(Array(key.utf8).displayText)")
            }
            values[key] = text
            let decoded = Self.shown(value, encoding)
            if decoded != text { decodedValues[key] = decoded }
        }
    }

    /// The text without its byte-order mark; one of UTF-16 (a mark says so) as UTF-8.
    private static func singleBytes(_ bytes: [UInt8]) throws(StorageError) -> ArraySlice<UInt8> {
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { return bytes.dropFirst(3) }
        let isLittle = bytes.starts(with: [0xff, 0xfe])
        guard isLittle || bytes.starts(with: [0xfe, 0xff]) else { return bytes[...] }
        var units: [UInt16] = []
        var rest = bytes.dropFirst(2)
        while let first = rest.popFirst() {
            guard let second = rest.popFirst() else { break }
            units.append(isLittle ? UInt16(second) << 8 | UInt16(first) : UInt16(first) << 8 | UInt16(second))
        }
        guard bytes.count.isMultiple(of: 2), let text = String(validating: units, as: UTF16.self) else {
            throw .machine(
                .unsupported, .encoding, VMXDescription.language,
                "begins as a text in UTF-16 and is none; write it as UTF-8")
        }
        return Array(text.utf8)[...]
    }

    /// A value by the text's encoding; nil where it is the same.
    func decoded(_ key: String) -> String? { decodedValues[key] }

    subscript(key: String) -> String? { values[key] }

    /// Whether a key is there and says so.
    func isTrue(_ key: String) -> Bool { ["true", "yes", "1"].contains(values[key]?.lowercased() ?? "") }

    /// Whether anything is said of a device.
    func hasKey(prefix: String) -> Bool { values.keys.contains { $0.hasPrefix(prefix) } }

    /// A number; nil where the key is not there. Throws `corrupt` for anything else.
    func number(_ key: String) throws(StorageError) -> Int? {
        guard let text = values[key] else { return nil }
        guard let number = Int(text.trimmed), number > 0, number <= 1 << 40 else {
            throw .machine(
                .corrupt, .badNumber, VMXDescription.language,
                "\(key) is \(Array(text.utf8).displayText), which is no number")
        }
        return number
    }

    /// The places of a controller that something is said of, in order: 3 of "scsi0:3.fileName".
    func places(of controller: String) -> [Int] {
        let prefix = controller + ":"
        let numbers = values.keys.compactMap { key -> Int? in
            guard key.hasPrefix(prefix) else { return nil }
            return Int(key.dropFirst(prefix.count).prefix { $0 != "." })
        }
        return Set(numbers.filter { $0 >= 0 }).sorted()
    }

    /// `key = "value"`; nil for comments and everything else.
    private static func pair(_ line: ArraySlice<UInt8>) -> (key: String, value: [UInt8])? {
        guard let equals = line.firstIndex(of: UInt8(ascii: "=")) else { return nil }
        let key = String(decoding: line[..<equals], as: UTF8.self).trimmed.lowercased()
        guard !key.isEmpty, !key.hasPrefix("#") else { return nil }
        var value = line[(equals + 1)...].drop { $0 == 32 || $0 == 9 }
        if value.first == UInt8(ascii: "\"") {
            value = value.dropFirst()
            guard let end = value.firstIndex(of: UInt8(ascii: "\"")) else { return nil }
            value = value[..<end]
        } else {
            while let last = value.last, last == 32 || last == 9 { value = value.dropLast() }
        }
        return (key, unescaped(value))
    }

    /// `|22` is the byte 0x22.
    private static func unescaped(_ value: ArraySlice<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = value
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "|"), rest.count >= 2,
                let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(code)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }

    /// A name by whatever converter the host's library has: shown, or as a copy of a file is called.
    private static func shown(_ value: [UInt8], _ encoding: String?) -> String {
        guard case .text(let bytes)? = encoding.flatMap({ TextEncoding(named: $0) })?.decode(value) else {
            return text(value, encoding)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Latin writers' bytes as what they mean; others as the host's own bytes, which is how such a name lies on the disk.
    private static func text(_ value: [UInt8], _ encoding: String?) -> String {
        let name = (encoding ?? "utf-8").lowercased()
        if ["windows-1252", "iso-8859-1", "latin1"].contains(name) {
            var text = ""
            for byte in value {
                text.unicodeScalars.append(Unicode.Scalar(windows1252[byte] ?? UInt32(byte)) ?? "?")
            }
            return text
        }
        return String(hostBytes: value)
    }

    /// Where windows-1252 is not ISO 8859-1 (Unicode's table CP1252.TXT).
    private static let windows1252: [UInt8: UInt32] = [
        0x80: 0x20ac, 0x82: 0x201a, 0x83: 0x192, 0x84: 0x201e, 0x85: 0x2026, 0x86: 0x2020, 0x87: 0x2021,
        0x88: 0x2c6, 0x89: 0x2030, 0x8a: 0x160, 0x8b: 0x2039, 0x8c: 0x152, 0x8e: 0x17d, 0x91: 0x2018,
        0x92: 0x2019, 0x93: 0x201c, 0x94: 0x201d, 0x95: 0x2022, 0x96: 0x2013, 0x97: 0x2014, 0x98: 0x2dc,
        0x99: 0x2122, 0x9a: 0x161, 0x9b: 0x203a, 0x9c: 0x153, 0x9e: 0x17e, 0x9f: 0x178,
    ]
}
