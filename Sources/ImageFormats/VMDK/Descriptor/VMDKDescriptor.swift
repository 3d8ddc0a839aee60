internal import Storage

/// The text that describes a VMDK, in a file of its own or embedded in a sparse extent: `key=value` lines, extent
/// lines and the disk database (`ddb.…`). Kept as bytes, because its encoding may be any; what it means is ASCII.
struct VMDKDescriptor: Sendable {
    /// A larger text is refused unread.
    static let byteLimit = 1 << 20
    /// More extents than this are refused: 4 TiB in pieces of 2 GiB.
    static let extentLimit = 2048
    static let signature = Array("# disk descriptorfile".utf8)
    /// The parentCID of a disk that has no parent.
    static let noParent: UInt32 = 0xffff_ffff

    /// The text up to the first NUL.
    let text: [UInt8]
    /// Where the text begins in its file.
    let fileOffset: UInt64
    private(set) var extents: [VMDKExtentLine] = []
    private var entries: [Entry] = []

    /// A `key = value` line. Ranges index `text`.
    private struct Entry: Sendable {
        var key: String
        /// The value without its quotation marks.
        var value: Range<Int>
        /// From the key to the end of the value.
        var line: Range<Int>
    }

    /// Whether a file that begins with `head` is a descriptor: `# Disk DescriptorFile`, in any case, after blank
    /// lines and perhaps a byte order mark; or lines that only a descriptor has, whatever the first comment says.
    static func recognises(_ head: [UInt8]) -> Bool {
        var rest = head[...]
        if rest.starts(with: [0xef, 0xbb, 0xbf]) { rest = rest.dropFirst(3) }
        rest = rest.drop { VMDKExtentLine.isBlank($0) || $0 == 10 }
        return rest.prefix(signature.count).elementsEqual(signature) { isSame($0, $1) } || hasLines(rest)
    }

    /// Whether a text without NUL has two of: a content identifier, a type, an extent.
    private static func hasLines(_ head: ArraySlice<UInt8>) -> Bool {
        var seen: Set<String> = []
        let text = head.prefix { $0 != 0 }
        for line in text.split(whereSeparator: { $0 == 10 || $0 == 13 }).prefix(lineLimit) {
            let line = line.drop(while: VMDKExtentLine.isBlank)
            guard let first = line.first, first != UInt8(ascii: "#") else { continue }
            if VMDKExtentLine.isExtent(line) {
                if (try? VMDKExtentLine(line, at: 0)) != nil { seen.insert("extent") }
            } else if let equals = line.firstIndex(of: UInt8(ascii: "=")) {
                let key = String(
                    decoding: line[..<equals].filter { !VMDKExtentLine.isBlank($0) }, as: UTF8.self
                )
                .lowercased()
                if ["cid", "createtype"].contains(key) { seen.insert(key) }
            }
            if seen.count == 2 { return true }
        }
        return false
    }

    /// Lines that are looked at to tell a descriptor.
    private static let lineLimit = 256

    private static func isSame(_ byte: UInt8, _ lower: UInt8) -> Bool {
        byte == lower || ((65...90).contains(byte) && byte + 32 == lower)
    }

    // MARK: Reading

    /// Reads the text that lies at byte `fileOffset` of its file.
    init(_ bytes: [UInt8], at fileOffset: UInt64) throws(StorageError) {
        text = Array(bytes.prefix { $0 != 0 })
        self.fileOffset = fileOffset
        var position = 0
        while position < text.count {
            let end = text[position...].firstIndex { $0 == 10 || $0 == 13 } ?? text.count
            try readLine(position..<end)
            position = end + 1
        }
        let isKnown = value("createtype") != nil
        guard isKnown || !extents.isEmpty else {
            throw StorageError.vmdk(
                .corrupt, .notADescriptor, "the text has neither createType nor extents",
                structure: "descriptor", offset: fileOffset)
        }
        if let version = value("version"), let number = UInt32(version), !(1...3).contains(number) {
            throw StorageError.vmdk(
                .unsupported, .descriptorVersion, "descriptors of version \(number) are not known",
                structure: "descriptor", field: "version", offset: fileOffset)
        }
    }

    private mutating func readLine(_ range: Range<Int>) throws(StorageError) {
        let line = trimmed(range)
        guard let first = text[line].first, first != UInt8(ascii: "#") else { return }
        if VMDKExtentLine.isExtent(text[line]) {
            guard extents.count < Self.extentLimit else {
                throw StorageError.vmdk(
                    .unsupported, .extentCount, "more than \(Self.extentLimit) extents are not read",
                    structure: "descriptor", offset: fileOffset + UInt64(line.lowerBound))
            }
            extents.append(try VMDKExtentLine(text[line], at: fileOffset + UInt64(line.lowerBound)))
            return
        }
        guard let equals = text[line].firstIndex(of: UInt8(ascii: "=")) else { return }
        let name = trimmed(line.lowerBound..<equals)
        let key = String(decoding: text[name], as: UTF8.self).lowercased()
        var value = trimmed(equals + 1..<line.upperBound)
        let quote = UInt8(ascii: "\"")
        if value.count >= 2, text[value.lowerBound] == quote, text[value.upperBound - 1] == quote {
            value = value.lowerBound + 1..<value.upperBound - 1
        }
        // A second, different CID or parent would make two readers see two disks.
        if !key.hasPrefix("ddb."), let known = entries.first(where: { $0.key == key }),
            text[known.value] != text[value]
        {
            throw StorageError.vmdk(
                .corrupt, .duplicateKey, "has the key \(Array(key.utf8).displayText) twice, with two values",
                structure: "descriptor", offset: fileOffset + UInt64(line.lowerBound))
        }
        entries.append(Entry(key: key, value: value, line: line))
    }

    private func trimmed(_ range: Range<Int>) -> Range<Int> {
        var range = range
        while let first = text[range].first, VMDKExtentLine.isBlank(first) {
            range = range.lowerBound + 1..<range.upperBound
        }
        while let last = text[range].last, VMDKExtentLine.isBlank(last) {
            range = range.lowerBound..<range.upperBound - 1
        }
        return range
    }

    // MARK: Meaning

    /// The value of a key in lower case, as text for people; nil when it is missing.
    func value(_ key: String) -> String? { range(of: key).map { text[$0].displayText } }

    /// Where a key's value lies in `text`.
    func range(of key: String) -> Range<Int>? { entries.first { $0.key == key }?.value }

    /// Where the lines with a key lie in `text`, from the key to the end of the value.
    func lines(of key: String) -> [Range<Int>] { entries.filter { $0.key == key }.map(\.line) }

    /// Whether a key occurs more than once.
    func isRepeated(_ key: String) -> Bool { entries.count { $0.key == key } > 1 }

    /// The encoding of the names in it, where that is said and is not UTF-8.
    var encoding: TextEncoding? {
        guard let name = value("encoding") ?? value("ddb.encoding") else { return nil }
        return TextEncoding(named: name)
    }

    /// Stored bytes by the descriptor's encoding, in UTF-8; nil where they say nothing else, or nothing.
    func decoded(_ bytes: [UInt8]) -> [UInt8]? {
        guard bytes.contains(where: { $0 >= 0x80 }), case .text(let text)? = encoding?.decode(bytes) else {
            return nil
        }
        return text
    }

    /// The variant: "monolithicSparse", "vmfs"…
    var createType: String? { value("createtype") }

    /// The identity of the contents; 0 where there is none.
    func contentID() throws(StorageError) -> UInt32 { try identifier("cid") ?? 0 }

    /// The parent's identity when this was made; nil when the disk has no parent.
    func parentContentID() throws(StorageError) -> UInt32? {
        let id = try identifier("parentcid") ?? Self.noParent
        return id == Self.noParent ? nil : id
    }

    private func identifier(_ key: String) throws(StorageError) -> UInt32? {
        guard let range = range(of: key) else { return nil }
        let digits = String(decoding: text[range], as: UTF8.self)
        guard (1...8).contains(digits.utf8.count), let number = UInt32(digits, radix: 16), digits.first != "+"
        else {
            throw StorageError.vmdk(
                .corrupt, .contentID, "is not a number of up to eight hexadecimal digits",
                structure: "descriptor", field: key == "cid" ? "CID" : "parentCID",
                offset: fileOffset + UInt64(range.lowerBound))
        }
        return number
    }
}
