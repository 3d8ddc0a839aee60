internal import Storage

/// A file that a description names, as a name beside it.
package enum FileReference {
    /// The plain names that `reference` may mean, the likeliest first: as it stands, and with its %XX decoded, since OVF's are URIs.
    /// Empty for whatever leads elsewhere: paths that begin at the root or go up, and addresses of the network.
    package static func names(_ reference: String) -> [String] {
        var names: [String] = []
        let plain = beside(reference)
        for text in [plain, decoded(plain)] {
            guard let text, isInside(text), !names.contains(text) else { continue }
            names.append(text)
        }
        return names
    }

    /// The reference without the `./` before it, which leads nowhere.
    package static func beside(_ reference: String) -> String {
        var rest = reference[...]
        while rest.hasPrefix("./") { rest = rest.dropFirst(2).drop { $0 == "/" } }
        return rest.isEmpty ? reference : String(rest)
    }

    private static func isInside(_ text: String) -> Bool {
        guard !text.isEmpty, !text.hasPrefix("/"), !text.contains("://"), !text.utf8.contains(0) else {
            return false
        }
        return !text.split(separator: "/", omittingEmptySubsequences: false).contains {
            $0 == ".." || $0 == "." || $0.isEmpty
        }
    }

    private static func decoded(_ text: String) -> String? {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return nil }
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2,
                let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            else {
                return nil
            }
            bytes.append(code)
            rest = rest.dropFirst(2)
        }
        return String(hostBytes: bytes)
    }
}
