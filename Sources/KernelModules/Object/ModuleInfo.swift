package import Storage

/// What a module says of itself: its `.modinfo` and what its object tells.
package struct ModuleInfo: Hashable, Sendable {
    /// A word and its value, as `.modinfo` has them.
    package struct Field: Hashable, Sendable {
        package var key: String
        package var value: String
    }

    /// All fields in their order.
    package var fields: [Field]
    /// `e_machine` of the object: 3 x86, 62 x86-64, 183 arm64, 21 ppc64, 22 s390…
    package var machine: UInt16
    /// Whether the object is of 64 bits.
    package var is64Bit: Bool
    /// Whether the object is big-endian.
    package var isBigEndian: Bool
    /// Whether a signature is appended, or lies in a section of its own as in RHEL 5 and 6.
    package var isSigned: Bool
    /// Whether versions of the symbols that it uses are kept in it: then the kernel compares those instead of its own
    /// release.
    package var hasSymbolVersions: Bool

    /// The values of `key` in their order.
    package func values(_ key: String) -> [String] { fields.filter { $0.key == key }.map(\.value) }

    /// The canonical names of the modules that it depends on directly.
    package var dependencies: [String] {
        values("depends").flatMap { $0.split(separator: ",").map { ModuleName.canonical($0) } }
    }
    /// The aliases.
    package var aliases: [String] { values("alias") }
    /// What it asks for besides, as depmod writes it.
    package var softDependencies: [String] { values("softdep") }
    /// The firmware that it may load.
    package var firmware: [String] { values("firmware") }
    /// The kernel that it was built for, and how: "6.1.0-18-amd64 SMP preempt mod_unload modversions ".
    package var versionMagic: String? { values("vermagic").first }
    /// The release in the version magic.
    package var release: String? { versionMagic?.split(separator: " ").first.map(String.init) }
    /// The canonical name that it gives itself; older modules give none.
    package var name: String? { values("name").first.map { ModuleName.canonical($0) } }

    /// Reads a module in memory, not compressed. `path` is for errors.
    package init(object bytes: [UInt8], path: String) throws(StorageError) {
        try self.init(ModuleContents(bytes, path: path))
    }

    /// Reads the module's file `path`, compressed or not; nil when there is no such file. Throws `corrupt` for what is no
    /// module, `unsupported` for an encoding that is not built in.
    package init?(_ path: String, in store: any ModuleStore) throws(StorageError) {
        guard let contents = try ModuleContents(path, in: store) else { return nil }
        try self.init(contents)
    }

    private static let sectionLimit = 8 << 20
    // Documentation/admin-guide/module-signing: this text ends a signed module's file.
    private static let signatureEnd = Array("~Module signature appended~\n".utf8)

    init(_ contents: ModuleContents) throws(StorageError) {
        let object = try ModuleObject(contents)
        guard let section = try object.section(".modinfo", limit: Self.sectionLimit) else {
            throw .modules(
                .corrupt, .noInfo, "has no section .modinfo", structure: "ELF object", path: contents.path)
        }
        fields = Self.fields(section)
        machine = object.machine
        is64Bit = object.is64Bit
        isBigEndian = object.isBigEndian
        hasSymbolVersions = object.hasSection("__versions")
        let end = UInt64(Self.signatureEnd.count)
        var isSigned = object.hasSection(".module_sig")
        if !isSigned, contents.byteCount > end {
            isSigned = try contents.bytes(at: contents.byteCount - end, count: Int(end)) == Self.signatureEnd
        }
        self.isSigned = isSigned
    }

    /// Pieces of `KEY=VALUE` with a NUL behind each; the linker leaves further ones between them.
    static func fields(_ section: [UInt8]) -> [Field] {
        section.split(separator: 0).compactMap { piece in
            guard let equals = piece.firstIndex(of: UInt8(ascii: "=")) else { return nil }
            return Field(
                key: String(hostBytes: piece[..<equals]), value: String(hostBytes: piece[(equals + 1)...]))
        }
    }
}
