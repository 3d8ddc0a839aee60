internal import Storage

/// Who signed a program, as its certificates say. Nothing is verified: a firmware does that, by keys that it holds.
enum Signers {
    /// Tables of loaders have a few kilobytes.
    static let tableLimit = 64 << 10
    private static let signerLimit = 8

    /// The names of those whose certificates the signatures of a table were made under: rows of 8 bytes of head and a
    /// PKCS #7 message (UEFI specification, WIN_CERTIFICATE), each on a multiple of 8 bytes.
    static func names(in table: [UInt8]) -> [String] {
        var names: [String] = []
        var start = 0
        while start + 8 <= table.count, names.count < signerLimit {
            let length = Int(table.little(start, as: UInt32.self))
            guard length > 8, start + length <= table.count else { break }
            if table.little(start + 6, as: UInt16.self) == 2,
                let name = issuer(of: table[(start + 8)..<(start + length)]), !names.contains(name)
            {
                names.append(name)
            }
            start += (length + 7) / 8 * 8
        }
        return names
    }

    /// The issuer of the first signature's certificate (RFC 2315, `SignerInfo.issuerAndSerialNumber`).
    private static func issuer(of message: ArraySlice<UInt8>) -> String? {
        // ContentInfo, its content, SignedData; the last of that is the set of signatures.
        guard let info = DERValue(message), let content = info.children.last,
            let signed = content.children.first, let signatures = signed.children.last,
            let signature = signatures.children.first, signature.children.count > 1
        else { return nil }
        return signature.children[1].children.first.flatMap(name)
    }

    /// A name's common name, else its organization (X.520: 2.5.4.3 and 2.5.4.10).
    private static func name(_ issuer: DERValue) -> String? {
        var organization: String?
        for pair in issuer.children.flatMap(\.children) {
            guard pair.children.count == 2 else { continue }
            let text = String(decoding: pair.children[1].contents.prefix(128), as: UTF8.self)
            switch Array(pair.children[0].contents) {
            case [0x55, 0x04, 0x03]: return text
            case [0x55, 0x04, 0x0a]: organization = text
            default: break
            }
        }
        return organization
    }
}

/// A value of the distinguished encoding rules (X.690) with a definite length.
private struct DERValue {
    let tag: UInt8
    let contents: ArraySlice<UInt8>

    /// The first value of some bytes; nil where there is none whole.
    init?(_ bytes: ArraySlice<UInt8>) {
        var rest = bytes
        guard let tag = rest.popFirst(), let first = rest.popFirst() else { return nil }
        var length = Int(first)
        if first >= 0x80 {
            let count = Int(first & 0x7f)
            guard (1...3).contains(count), rest.count >= count else { return nil }
            length = rest.prefix(count).reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(count)
        }
        guard length <= rest.count else { return nil }
        self.tag = tag
        contents = rest.prefix(length)
    }

    /// The values within one that is put together of others.
    var children: [DERValue] {
        guard tag & 0x20 != 0 else { return [] }
        var rest = contents
        var found: [DERValue] = []
        while found.count < 64, let value = DERValue(rest) {
            found.append(value)
            rest = rest[value.contents.endIndex...]
        }
        return found
    }
}
