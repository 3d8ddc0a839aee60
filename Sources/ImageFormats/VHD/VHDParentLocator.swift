internal import Storage

/// One of the eight places in the dynamic header where a differencing disk says how its parent is called on a
/// platform. 24 bytes at 576: code, space, length, reserved, offset (specification, "Parent Locator Entries").
struct VHDParentLocator: Equatable, Sendable {
    /// Four letters: "W2ru", "W2ku", "MacX"…
    var code: [UInt8]
    /// Bytes of the name itself.
    var length: UInt32
    /// Where the name lies in the file.
    var offset: UInt64

    static let count = 8
    static let lengthLimit: UInt32 = 64 << 10

    /// Entry `index` of a header; nil when it is not used.
    init?(_ header: VHDDynamicHeader, _ index: Int) {
        let at = 576 + index * 24
        code = Array(header.bytes[at..<at + 4])
        length = header.bytes.big(at + 8)
        offset = header.bytes.big(at + 16)
        guard code.contains(where: { $0 != 0 }) else { return nil }
    }

    /// The name it holds; nil for codes that hold none (a Macintosh alias) or that nobody knows.
    ///
    /// The space field is not used: the specification counts it in sectors, Windows in bytes.
    func name(in file: any ByteFile) throws(StorageError) -> ParentName? {
        guard length <= Self.lengthLimit else {
            throw .vhd(
                .corrupt, .locatorTooLong, "a parent locator is \(length) bytes long; 64 KiB is the limit",
                structure: "parent locator", field: "platform data length", offset: offset)
        }
        let platform = String(decoding: code, as: UTF8.self)
        guard length > 0, ["W2ru", "W2ku", "Wi2r", "Wi2k", "MacX"].contains(platform) else { return nil }
        guard let end = offset +? UInt64(length), end <= file.byteCount else {
            throw .vhd(
                .corrupt, .locatorOutsideFile, "a parent locator lies outside the file",
                structure: "parent locator", offset: offset)
        }
        let bytes = try file.bytes(at: offset, count: Int(length))
        let text: String
        switch platform {
        case "W2ru", "W2ku": text = Self.text(utf16: bytes, littleEndian: true)
        default: text = Self.text(percentDecoding: platform == "MacX", Array(bytes.prefix { $0 != 0 }))
        }
        let isRelative = ["W2ru", "Wi2r"].contains(platform) || text.hasPrefix("file://./")
        return ParentName(
            kind: isRelative ? .relative : .absolute, text: text, source: "parent locator \(platform)")
    }

    /// UTF-16 up to a NUL.
    static func text(utf16 bytes: [UInt8], littleEndian: Bool) -> String {
        var units: [UInt16] = []
        for at in stride(from: 0, to: bytes.count & ~1, by: 2) {
            let unit: UInt16 = littleEndian ? bytes.little(at) : bytes.big(at)
            guard unit != 0 else { break }
            units.append(unit)
        }
        return String(decoding: units, as: UTF16.self)
    }

    /// A URL's %41 as the byte it means, so that names with spaces are found.
    private static func text(percentDecoding decode: Bool, _ bytes: [UInt8]) -> String {
        guard decode else { return String(decoding: bytes, as: UTF8.self) }
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
                let value = UInt8(String(decoding: bytes[index + 1...index + 2], as: UTF8.self), radix: 16)
            {
                result.append(value)
                index += 3
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}

extension VHDDynamicHeader {
    /// Every name of the parent, the most telling first: relative locators, the name in the header, absolute ones.
    func parentNames(in file: any ByteFile) throws(StorageError) -> [ParentName] {
        var names: [ParentName] = []
        for index in 0..<VHDParentLocator.count {
            guard let locator = VHDParentLocator(self, index), let name = try locator.name(in: file) else {
                continue
            }
            names.append(name)
        }
        let stored = VHDParentLocator.text(utf16: Array(bytes[64..<576]), littleEndian: false)
        if !stored.isEmpty {
            names.append(ParentName(kind: .absolute, text: stored, source: "parent name"))
        }
        return names.filter { $0.kind == .relative } + names.filter { $0.kind == .absolute }.reversed()
    }
}
