internal import CLinux

/// An encoding of text that is not UTF-8, as the C library converts it (iconv(3)). Only encodings of this list are asked for:
/// the name comes out of an image, and a library's rarer converters have been its weak ones.
package struct TextEncoding: Equatable, Sendable {
    /// By the library's name.
    package let name: String

    /// What bytes say.
    package enum Text: Equatable, Sendable {
        /// In UTF-8.
        case text([UInt8])
        /// Nothing: they are no text in this encoding.
        case noText
        /// The library has no converter for it. Programs that hold the library in themselves (static ones) may have none.
        case noConverter
    }

    /// Longer texts are not converted: names of files, and what a header says of itself.
    private static let limit = 4096

    /// Other spellings, in small letters and without dashes and underscores, of Windows and Java.
    private static let names: [String: String] = [
        "gbk": "GBK", "cp936": "GBK", "ms936": "GBK", "windows936": "GBK", "gb2312": "GBK",
        "gb18030": "GB18030",
        "big5": "BIG5", "cp950": "BIG5", "ms950": "BIG5", "windows950": "BIG5",
        "shiftjis": "SHIFT_JIS", "sjis": "SHIFT_JIS", "cp932": "CP932", "ms932": "CP932",
        "windows31j": "CP932",
        "windows932": "CP932", "eucjp": "EUC-JP", "euckr": "EUC-KR", "cp949": "CP949", "ms949": "CP949",
        "windows949": "CP949", "koi8r": "KOI8-R", "koi8u": "KOI8-U", "windows874": "TIS-620",
        "tis620": "TIS-620",
    ]

    /// The encoding of a name; nil for UTF-8, ASCII and what is not known.
    package init?(named name: String) {
        let key = name.lowercased().filter { $0 != "-" && $0 != "_" }
        if let known = Self.names[key] {
            self.name = known
        } else if let page = Self.number(key, after: ["windows", "cp"]), (1250...1258).contains(page) {
            self.name = "CP\(page)"
        } else if let part = Self.number(key, after: ["iso8859"]), (1...16).contains(part) {
            self.name = "ISO-8859-\(part)"
        } else {
            return nil
        }
    }

    private static func number(_ key: String, after prefixes: [String]) -> Int? {
        prefixes.lazy.compactMap { key.hasPrefix($0) ? Int(key.dropFirst($0.count)) : nil }.first
    }

    /// What `bytes` say.
    package func decode(_ bytes: [UInt8]) -> Text {
        guard bytes.count <= Self.limit else { return .noText }
        // No character of these encodings takes more in UTF-8 than four bytes.
        var room = [UInt8](repeating: 0, count: bytes.count * 4)
        // The C function writes `count` bytes at most and reads as many as there are.
        let length = unsafe bytes.withUnsafeBufferPointer { input in
            unsafe room.withUnsafeMutableBufferPointer { output in
                unsafe clinux_to_utf8(name, input.baseAddress, input.count, output.baseAddress, output.count)
            }
        }
        switch length {
        case 0...: return .text(Array(room.prefix(Int(length))))
        case -2: return .noConverter
        default: return .noText
        }
    }
}
