internal import Storage

/// A kernel module in an initramfs.
package struct PackedModule: Sendable, Equatable {
    /// Its name as the kernel has it: without suffixes, with "_" for "-".
    package var name: String
    /// Its path in the unpacked tree.
    package var path: [UInt8]
    /// How many bytes it has as it lies there.
    package var size: UInt64
    /// How it is compressed.
    package var compression: Compression
    /// The release of the kernel in whose directory it lies; nil outside of one, as nash has them.
    package var release: String?

    /// How a module can be compressed.
    package enum Compression: String, Sendable, CaseIterable {
        /// Not.
        case none = ""
        /// ".gz"
        case gzip = ".gz"
        /// ".xz"
        case xz = ".xz"
        /// ".zst"
        case zstd = ".zst"
    }

    /// The module that the file is; nil for any other file.
    init?(_ file: InitramfsFile) {
        guard file.type == .regular || file.type == .symbolicLink else { return nil }
        let text = String(decoding: EntryName.split(file.path).name, as: UTF8.self)
        guard
            let compression = Compression.allCases.first(where: { text.hasSuffix(".ko" + $0.rawValue) }),
            text.utf8.count > 3 + compression.rawValue.utf8.count
        else { return nil }
        name = Self.name(text.dropLast(3 + compression.rawValue.utf8.count))
        path = file.path
        size = file.size
        self.compression = compression
        release = Self.release(file.path)
    }

    /// A module's name in one spelling.
    package static func name(_ text: some StringProtocol) -> String {
        String(text.map { $0 == "-" ? "_" : $0 })
    }

    /// The release in whose directory of modules `path` lies.
    static func release(_ path: [UInt8]) -> String? {
        let steps = path.split(separator: UInt8(ascii: "/")).map { Array($0) }
        // What lies in lib/modules itself, as booster has it, is of no release that is known.
        for index in steps.indices.dropFirst(2).dropLast()
        where steps[index - 1] == Array("modules".utf8) && steps[index - 2] == Array("lib".utf8) {
            return steps[index].displayText
        }
        return nil
    }
}

/// Modules that an initramfs loads by name, as one of its files says.
package struct ModuleList: Sendable, Equatable {
    /// What loads a module, by what can keep it from doing so.
    package enum Way: Sendable, Equatable {
        /// insmod, or a program of its own: no configuration of modprobe's counts.
        case insertion
        /// modprobe: `install` lines count, `blacklist` lines do not.
        case modprobe
        /// modprobe with `-b`, or systemd: `blacklist` lines count too (modprobe(8)).
        case modprobeByBlacklist
    }

    /// A module.
    package struct Module: Sendable, Equatable {
        /// Its name in one spelling.
        package var name: String
        /// What loads it.
        package var way: Way
    }

    /// The file's path in the unpacked tree.
    package var path: [UInt8]
    /// The modules in their order.
    package var modules: [Module]
    /// Their names.
    package var names: [String] { modules.map(\.name) }
}
