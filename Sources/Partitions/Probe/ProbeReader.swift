internal import Storage

/// A device as the probers read it: small pieces, nil where the device is too short, the first 8 KiB read once.
struct ProbeReader {
    static let headLength: UInt64 = 8192

    let device: any BlockDevice
    /// The same device, for drivers.
    let known: HeadDevice
    private let head: [UInt8]

    init(_ device: any BlockDevice) throws(StorageError) {
        self.device = device
        head = try device.bytes(at: 0, count: Int(min(device.byteCount, Self.headLength)))
        known = HeadDevice(device, head: head)
    }

    var byteCount: UInt64 { device.byteCount }

    /// `count` bytes at `offset`, all of them or nil.
    func bytes(_ offset: UInt64, _ count: Int) throws(StorageError) -> [UInt8]? {
        guard count >= 0, offset <= byteCount, UInt64(count) <= byteCount - offset else { return nil }
        if offset + UInt64(count) <= UInt64(head.count) {
            return Array(head[Int(offset)..<Int(offset) + count])
        }
        return try device.bytes(at: offset, count: count)
    }

    /// `count` bytes that end `distance` bytes before the device's end.
    func bytesBeforeEnd(_ distance: UInt64, _ count: Int) throws(StorageError) -> [UInt8]? {
        guard distance <= byteCount else { return nil }
        return try bytes(byteCount - distance, count)
    }

    /// Whether `magic` stands at `offset`.
    func has(_ magic: [UInt8], at offset: UInt64) throws(StorageError) -> Bool {
        try bytes(offset, magic.count) == magic
    }
}

extension [UInt8] {
    /// The bytes of `range` up to the first NUL and without blanks behind, or nil when nothing is left.
    func label(_ range: Range<Int>) -> [UInt8]? {
        guard range.upperBound <= count else { return nil }
        var text = self[range].prefix { $0 != 0 }
        while text.last == UInt8(ascii: " ") { text.removeLast() }
        return text.isEmpty ? nil : Array(text)
    }

    /// UTF-16 of either byte order up to the first NUL, as UTF-8; nil when empty.
    func utf16Label(_ range: Range<Int>, bigEndian: Bool = false) -> [UInt8]? {
        guard range.upperBound <= count else { return nil }
        var units: [UInt16] = []
        for offset in stride(from: range.lowerBound, to: range.upperBound - 1, by: 2) {
            let unit: UInt16 = bigEndian ? big(offset) : little(offset)
            if unit == 0 { break }
            units.append(unit)
        }
        return units.isEmpty ? nil : Array(String(decoding: units, as: UTF16.self).utf8)
    }

    /// The UUID in text order at `offset`, as text; nil when all zero.
    func uuidText(_ offset: Int) -> String? {
        guard offset + 16 <= count else { return nil }
        let uuid = UUID16(textOrder: span8, at: offset)
        return uuid.isZero ? nil : uuid.description
    }

    /// Printable text of `range` up to the first NUL; nil when empty or when it is no text.
    func text(_ range: Range<Int>) -> String? {
        guard let bytes = label(range), bytes.allSatisfy({ (33..<127).contains($0) }) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}
