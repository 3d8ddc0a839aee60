internal import Storage

/// A module's file as a relocatable ELF object, of 32 or 64 bits and either byte order (System V ABI, "Object Files").
/// Only its header, its table of sections and the sections that are asked for are read.
struct ModuleObject {
    struct Section {
        var name: [UInt8]
        var offset: UInt64
        var size: UInt64
    }

    let contents: ModuleContents
    /// `e_machine`: 3 x86, 62 x86-64, 183 arm64, 21 ppc64, 22 s390…
    let machine: UInt16
    let is64Bit: Bool
    let isBigEndian: Bool
    let sections: [Section]

    /// No module has more; those with a section for each function have tens of thousands.
    private static let sectionLimit = 1 << 18
    private static let nameTableLimit = 32 << 20

    /// Reads the header and the table of sections. Throws `corrupt`.
    init(_ contents: ModuleContents) throws(StorageError) {
        self.contents = contents
        guard let identity = try contents.bytes(at: 0, count: 16),
            identity.starts(with: [0x7f, 0x45, 0x4c, 0x46]), (1...2).contains(identity[4]),
            (1...2).contains(identity[5])
        else { throw Self.bad(contents, "is no ELF object", field: "e_ident") }
        let is64Bit = identity[4] == 2
        let isBigEndian = identity[5] == 2
        self.is64Bit = is64Bit
        self.isBigEndian = isBigEndian
        guard let header = try contents.bytes(at: 0, count: is64Bit ? 64 : 52) else {
            throw Self.bad(contents, "is cut short in its header")
        }
        let fields = Fields(bytes: header, is64Bit: is64Bit, isBigEndian: isBigEndian)
        guard fields.half(16) == 1 else {
            throw Self.bad(
                contents, "is ELF of type \(fields.half(16)), and not relocatable", field: "e_type")
        }
        machine = fields.half(18)
        let tableOffset = is64Bit ? fields.long(40) : UInt64(fields.word(32))
        let counts = is64Bit ? 58 : 46
        let entrySize = Int(fields.half(counts))
        guard entrySize >= (is64Bit ? 64 : 40), tableOffset > 0 else {
            throw Self.bad(contents, "has no table of sections", field: "e_shoff")
        }
        guard let first = try contents.bytes(at: tableOffset, count: entrySize) else {
            throw Self.bad(contents, "has its sections behind its end", field: "e_shoff", offset: tableOffset)
        }
        let zero = SectionFields(Fields(bytes: first, is64Bit: is64Bit, isBigEndian: isBigEndian), at: 0)
        // Numbers that do not fit the header stand in the first entry.
        let count = fields.half(counts + 2) == 0 ? zero.size : UInt64(fields.half(counts + 2))
        let nameIndex = fields.half(counts + 4) == 0xffff ? zero.link : UInt32(fields.half(counts + 4))
        guard let count = Int(exactly: count), count <= Self.sectionLimit, let bytes = count *? entrySize,
            let table = try contents.bytes(at: tableOffset, count: bytes)
        else {
            throw Self.bad(contents, "has sections behind its end", field: "e_shnum", offset: tableOffset)
        }
        guard Int(nameIndex) < count else {
            throw Self.bad(contents, "names its sections by one that is not there", field: "e_shstrndx")
        }
        let all = Fields(bytes: table, is64Bit: is64Bit, isBigEndian: isBigEndian)
        let named = SectionFields(all, at: Int(nameIndex) * entrySize)
        guard let nameSize = Int(exactly: named.size), nameSize <= Self.nameTableLimit,
            let names = try contents.bytes(at: named.offset, count: nameSize)
        else {
            throw Self.bad(contents, "has its sections' names behind its end", offset: named.offset)
        }
        var sections: [Section] = []
        for index in 0..<count {
            let section = SectionFields(all, at: index * entrySize)
            // A section without bytes in the file (SHT_NOBITS) holds nothing to read.
            guard section.type != 8 else { continue }
            sections.append(
                Section(
                    name: Self.name(names, at: section.name), offset: section.offset, size: section.size))
        }
        self.sections = sections
    }

    /// The bytes of the first section called `name`; nil when there is none. Refused above `limit` bytes.
    func section(_ name: String, limit: Int) throws(StorageError) -> [UInt8]? {
        let wanted = Array(name.utf8)
        guard let section = sections.first(where: { $0.name == wanted }) else { return nil }
        guard let size = Int(exactly: section.size), size <= limit,
            let bytes = try contents.bytes(at: section.offset, count: size)
        else {
            throw Self.bad(
                contents, "has a section \(name) of \(section.size) bytes behind its end",
                offset: section.offset)
        }
        return bytes
    }

    /// Whether it has a section of that name.
    func hasSection(_ name: String) -> Bool {
        let wanted = Array(name.utf8)
        return sections.contains { $0.name == wanted }
    }

    private static func name(_ table: [UInt8], at offset: UInt32) -> [UInt8] {
        guard let start = Int(exactly: offset), start < table.count else { return [] }
        // No name that is asked for is longer.
        return Array(table[start...].prefix(64).prefix { $0 != 0 })
    }

    static func bad(
        _ contents: ModuleContents, _ message: String, field: String? = nil, offset: UInt64? = nil
    ) -> StorageError {
        .modules(
            .corrupt, .badObject, message, structure: "ELF object", field: field, offset: offset,
            path: contents.path)
    }
}

/// Integers of an object's byte order.
private struct Fields {
    let bytes: [UInt8]
    let is64Bit: Bool
    let isBigEndian: Bool

    func half(_ offset: Int) -> UInt16 { isBigEndian ? bytes.big(offset) : bytes.little(offset) }
    func word(_ offset: Int) -> UInt32 { isBigEndian ? bytes.big(offset) : bytes.little(offset) }
    func long(_ offset: Int) -> UInt64 { isBigEndian ? bytes.big(offset) : bytes.little(offset) }
}

/// A section header; the caller has checked that it lies within the bytes.
private struct SectionFields {
    let name: UInt32
    let type: UInt32
    let offset: UInt64
    let size: UInt64
    let link: UInt32

    init(_ fields: Fields, at start: Int) {
        name = fields.word(start)
        type = fields.word(start + 4)
        if fields.is64Bit {
            offset = fields.long(start + 24)
            size = fields.long(start + 32)
            link = fields.word(start + 40)
        } else {
            offset = UInt64(fields.word(start + 16))
            size = UInt64(fields.word(start + 20))
            link = fields.word(start + 24)
        }
    }
}
