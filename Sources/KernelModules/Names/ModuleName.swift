// Names of modules as kmod compares them (libkmod, alias_normalize and path_to_modname): the file's name up to its first
// ".ko", with every dash an underscore.

/// What ends the name of a module's file, after ".ko".
package enum ModuleCompression: String, Sendable, CaseIterable {
    /// gzip.
    case gz
    /// xz.
    case xz
    /// Zstandard.
    case zst

    /// The codec by name.
    package var codecName: String {
        switch self {
        case .gz: "gzip"
        case .xz: "xz"
        case .zst: "zstd"
        }
    }
}

/// Names and paths of modules.
package enum ModuleName {
    /// A module's name with every dash as the underscore that the kernel knows it by.
    package static func canonical(_ name: some StringProtocol) -> String {
        String(decoding: name.utf8.map { $0 == UInt8(ascii: "-") ? UInt8(ascii: "_") : $0 }, as: UTF8.self)
    }

    /// The module that a file holds, by its path or name: "kernel/fs/ext4/ext4.ko.xz" → "ext4". Nil for a name that is no
    /// module's.
    package static func ofFile(_ path: some StringProtocol) -> String? {
        let bytes = Array(path.utf8)
        let start = (bytes.lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1
        let name = bytes[start...]
        guard let end = suffixStart(name), end > start else { return nil }
        return canonical(String(decoding: name[..<end], as: UTF8.self))
    }

    /// How a module's file is compressed by its name; nil for one that is not.
    package static func compression(ofFile path: some StringProtocol) -> ModuleCompression? {
        let text = String(path)
        return ModuleCompression.allCases.first { text.hasSuffix(".ko.\($0.rawValue)") }
    }

    private static func suffixStart(_ name: ArraySlice<UInt8>) -> Int? {
        for suffix in [".ko"] + ModuleCompression.allCases.map({ ".ko.\($0.rawValue)" }) {
            let bytes = Array(suffix.utf8)
            if name.count >= bytes.count, name.suffix(bytes.count).elementsEqual(bytes) {
                return name.endIndex - bytes.count
            }
        }
        return nil
    }
}
