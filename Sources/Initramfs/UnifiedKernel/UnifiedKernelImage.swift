package import Storage

/// A unified kernel image: an EFI program with kernel, initramfs and command line as sections (UAPI Group Specification
/// UKI; Microsoft's PE format for the section table).
package struct UnifiedKernelImage {
    /// A section that has bytes in the file.
    package struct Section: Sendable, Equatable {
        /// Its name: ".linux".
        package var name: String
        /// Where it lies in the file.
        package var range: Range<UInt64>
    }

    /// All sections, in their order.
    package let sections: [Section]
    private let source: ByteSource
    private static let sectionLimit = 512
    private static let textLimit: UInt64 = 64 << 10

    /// Reads the table of sections. Nil for what is no EFI program, or one without a section ".linux", such as a plain
    /// kernel. Throws `corrupt`, code "bad-unified-image", where the table or a section lies outside of the file.
    package init?(_ source: ByteSource) throws(StorageError) {
        let head = try source.bytes(at: 0, count: 64)
        guard head.count == 64, head.span8.matches(Array("MZ".utf8)) else { return nil }
        let start = UInt64(head.little(60, as: UInt32.self))
        let header = try source.bytes(at: start, count: 24)
        guard header.count == 24, header.span8.matches(Array("PE\0\0".utf8)) else { return nil }
        let count = Int(header.little(6, as: UInt16.self))
        let table = start + 24 + UInt64(header.little(20, as: UInt16.self))
        guard count <= Self.sectionLimit else {
            throw Self.bad("has \(count) sections", "NumberOfSections", start + 6)
        }
        let bytes = try source.bytes(at: table, count: count * 40)
        guard bytes.count == count * 40 else {
            throw Self.bad("ends within its table of sections", nil, table)
        }
        var sections: [Section] = []
        for index in 0..<count {
            let field = index * 40
            let name = String(decoding: bytes[field..<field + 8].prefix { $0 != 0 }, as: UTF8.self)
            // In the file a section is rounded up; what is behind its length in memory is filling.
            let virtual: UInt32 = bytes.little(field + 8)
            let raw: UInt32 = bytes.little(field + 16)
            let length = UInt64(virtual == 0 ? raw : min(virtual, raw))
            guard length > 0 else { continue }
            let offset = UInt64(bytes.little(field + 20, as: UInt32.self))
            guard offset + length <= source.byteCount else {
                throw Self.bad(
                    "ends within its section \(name.utf8.map { $0 }.shellText)", "PointerToRawData",
                    table + UInt64(field))
            }
            sections.append(Section(name: name, range: offset..<offset + length))
        }
        guard sections.contains(where: { $0.name == ".linux" }) else { return nil }
        self.sections = sections
        self.source = source
    }

    private static func bad(_ what: String, _ field: String?, _ offset: UInt64) -> StorageError {
        .initramfs(
            .corrupt, .badUnifiedImage, "the unified kernel image \(what)", offset: offset,
            structure: "section table", field: field)
    }

    /// The bytes of the first section called `name`; nil without one.
    package func section(_ name: String) throws(StorageError) -> ByteSource? {
        guard let section = sections.first(where: { $0.name == name }) else { return nil }
        return try source.slice(section.range)
    }

    /// The initramfs, to be read as any other.
    package func initramfs() throws(StorageError) -> ByteSource? { try section(".initrd") }
    /// The kernel's command line, without NUL and line end.
    package func commandLine() throws(StorageError) -> [UInt8]? { try text(".cmdline") }
    /// The release of the kernel, as `uname -r` tells it.
    package func release() throws(StorageError) -> [UInt8]? { try text(".uname") }

    /// Throws `corrupt` for more text than a section of that kind has.
    private func text(_ name: String) throws(StorageError) -> [UInt8]? {
        guard let section = try section(name) else { return nil }
        guard section.byteCount <= Self.textLimit else {
            throw Self.bad("has a text of \(section.byteCount) bytes as \(name)", nil, 0)
        }
        var bytes = try section.bytes(at: 0, count: Int(section.byteCount))
        if let end = bytes.firstIndex(of: 0) { bytes.removeSubrange(end...) }
        while bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        return bytes
    }
}
