package import Storage

/// Goes over the headers of a tar archive (POSIX ustar and pax, GNU's long names and numbers in base 256) and leaves the
/// contents where they lie.
package struct ArchiveReader {
    private let file: any ByteFile
    private let length: UInt64
    private let isSalvage: Bool
    /// Where the next header is.
    package private(set) var position: UInt64 = 0

    static let blockSize: UInt64 = 512
    /// Extended headers longer than this are no tar's.
    private static let headerLimit: UInt64 = 1 << 20

    /// An archive from its start. `isSalvage`: one that is cut off or damaged is taken as far as it goes.
    package init(_ file: any ByteFile, isSalvage: Bool = false) {
        self.file = file
        self.isSalvage = isSalvage
        length = file.byteCount
    }

    /// Whether a block is a header, by its checksum.
    package static func isHeader(_ block: [UInt8]) -> Bool {
        guard block.count == Int(blockSize), let stored = try? number(block, 148, 8, at: 0) else {
            return false
        }
        var sum: UInt64 = 0
        var signed: Int64 = 0
        for (index, byte) in block.enumerated() {
            let byte = (148..<156).contains(index) ? 32 : byte
            sum += UInt64(byte)
            signed += Int64(Int8(bitPattern: byte))
        }
        // Some old programs add signed bytes.
        return stored == sum || Int64(stored) == signed
    }

    /// The next member; nil at the end. Throws `corrupt` for damaged headers, members that the archive is too short for and
    /// names that lead out of it, `unsupported` for files with holes.
    package mutating func next() throws(StorageError) -> ArchiveEntry? {
        var longName: [UInt8]?
        var paxName: [UInt8]?
        var paxSize: UInt64?
        while true {
            guard length - position >= Self.blockSize else {
                guard longName == nil, paxName == nil, paxSize == nil else {
                    throw failure(.damagedHeader, "ends behind an extended header")
                }
                return nil
            }
            let block = try file.bytes(at: position, count: Int(Self.blockSize))
            if block.span8.isAllZero { return nil }
            guard Self.isHeader(block) else {
                throw failure(.damagedHeader, "has a header whose checksum is wrong")
            }
            let type = block[156]
            let stated = try Self.number(block, 124, 12, at: position)
            let start = position + Self.blockSize
            switch type {
            case UInt8(ascii: "x"):
                let records = try Self.records(in: extended(stated, at: start), at: position)
                paxName = records.name
                paxSize = records.size
            case UInt8(ascii: "g"):
                _ = try extended(stated, at: start)
            case UInt8(ascii: "L"):
                longName = Array(try extended(stated, at: start).prefix { $0 != 0 })
            case UInt8(ascii: "K"):
                _ = try extended(stated, at: start)
            default:
                return try entry(
                    block, type, name: paxName ?? longName ?? Self.name(of: block), size: paxSize ?? stated)
            }
            try advance(past: stated, from: start)
        }
    }

    private mutating func entry(
        _ block: [UInt8], _ type: UInt8, name: [UInt8], size: UInt64
    ) throws(StorageError) -> ArchiveEntry {
        let start = position + Self.blockSize
        let name = try sound(name)
        let kind: ArchiveEntry.Kind
        switch type {
        case 0, UInt8(ascii: "0"), UInt8(ascii: "7"):
            kind = name.last == UInt8(ascii: "/") ? .directory : .file
        case UInt8(ascii: "5"): kind = .directory
        case UInt8(ascii: "S"):
            throw StorageError.appliance(
                .unsupported, .memberKind,
                "has \(name.shellText) as a file with holes; pack it without holes", structure: "header",
                offset: position)
        default: kind = .other
        }
        let contents = kind == .file ? size : 0
        if isSalvage, kind == .file, length - start < size {
            position = length
            return ArchiveEntry(
                name: name, kind: kind, range: start..<length, missingByteCount: size - (length - start))
        }
        guard let end = start +? contents, end <= length else {
            throw failure(
                .memberTooLong,
                "ends at byte \(length) and its member \(name.shellText) says that it has \(size) bytes from \(start) on"
            )
        }
        try advance(past: contents, from: start)
        return ArchiveEntry(name: name, kind: kind, range: start..<end)
    }

    private mutating func advance(past size: UInt64, from start: UInt64) throws(StorageError) {
        guard let padded = size.roundedUp(to: Self.blockSize), let next = start +? padded else {
            throw failure(.memberTooLong, "has a member that ends past every file's end")
        }
        position = min(next, length)
    }

    /// Goes on to the next block that is a header of POSIX or GNU; the archive's end where there is none.
    package mutating func skipDamage() throws(StorageError) {
        let magic = Array("ustar".utf8)
        while length - position > Self.blockSize {
            try Cancellation.check()
            position += Self.blockSize
            let count = Int(min(length - position, 64 << 10))
            let piece = try file.bytes(at: position, count: count)
            for start in stride(from: 0, to: count - count % 512, by: 512)
            where piece[start + 257..<start + 262].elementsEqual(magic)
                && Self.isHeader(Array(piece[start..<start + 512]))
            {
                position += UInt64(start)
                return
            }
            position += UInt64(max(count - count % 512 - 512, 0))
        }
        position = length
    }

    /// The contents of an extended header.
    private func extended(_ size: UInt64, at start: UInt64) throws(StorageError) -> [UInt8] {
        guard size <= Self.headerLimit else {
            throw failure(.damagedHeader, "has an extended header of \(size) bytes")
        }
        guard length - start >= size else { throw failure(.memberTooLong, "ends in an extended header") }
        return try file.bytes(at: start, count: Int(size))
    }

    /// A name that stays in the archive, without "./" before it.
    private func sound(_ name: [UInt8]) throws(StorageError) -> [UInt8] {
        var name = name[...]
        while name.starts(with: Array("./".utf8)) { name = name.dropFirst(2) }
        let parts = name.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard !name.contains(0), name.first != UInt8(ascii: "/"),
            !parts.contains(where: { $0.elementsEqual("..".utf8) })
        else {
            throw failure(
                .nameLeadsOut, "has a member \(Array(name).shellText), whose name leads out of the archive")
        }
        return Array(name)
    }

    private func failure(_ code: ApplianceCode, _ message: String) -> StorageError {
        .appliance(.corrupt, code, message, structure: "header", offset: position)
    }

    /// Name and ustar's prefix.
    private static func name(of block: [UInt8]) -> [UInt8] {
        let name = Array(block[0..<100].prefix { $0 != 0 })
        // GNU's own headers keep other things there.
        guard block[257..<263].elementsEqual(Array("ustar\0".utf8)) else { return name }
        let prefix = Array(block[345..<500].prefix { $0 != 0 })
        return prefix.isEmpty ? name : prefix + [UInt8(ascii: "/")] + name
    }

    /// A number in octal, or in base 256 where its first bit is set.
    private static func number(
        _ block: [UInt8], _ start: Int, _ count: Int, at position: UInt64
    ) throws(StorageError) -> UInt64 {
        let field = block[start..<start + count]
        if let first = field.first, first & 0x80 != 0 {
            var value = UInt64(first & 0x7f)
            for byte in field.dropFirst() {
                guard value <= UInt64.max >> 8 else { throw badNumber(position) }
                value = value << 8 | UInt64(byte)
            }
            guard value <= UInt64(Int64.max) else { throw badNumber(position) }
            return value
        }
        let digits = field.filter { $0 != 0 && $0 != 32 }
        var value: UInt64 = 0
        for digit in digits {
            guard (48...55).contains(digit), value <= UInt64.max >> 3 else { throw badNumber(position) }
            value = value << 3 | UInt64(digit - 48)
        }
        return value
    }

    private static func badNumber(_ position: UInt64) -> StorageError {
        .appliance(
            .corrupt, .damagedHeader, "has a header with a number that is none", structure: "header",
            offset: position)
    }

    /// What pax records say of the next member's name and size. A record is "LENGTH KEY=VALUE\n".
    private static func records(
        in bytes: [UInt8], at position: UInt64
    ) throws(StorageError) -> (name: [UInt8]?, size: UInt64?) {
        var found: (name: [UInt8]?, size: UInt64?) = (nil, nil)
        var rest = bytes[...]
        while let space = rest.firstIndex(of: 32) {
            guard let count = Int(String(decoding: rest[..<space], as: UTF8.self)), count <= rest.count,
                count > space - rest.startIndex + 1, rest[rest.startIndex + count - 1] == 10
            else { throw badNumber(position) }
            let record = rest[(space + 1)..<(rest.startIndex + count - 1)]
            rest = rest.dropFirst(count)
            guard let equals = record.firstIndex(of: UInt8(ascii: "=")) else { throw badNumber(position) }
            let value = record[(equals + 1)...]
            let key = String(decoding: record[..<equals], as: UTF8.self)
            switch key {
            case "path": found.name = Array(value)
            case "size":
                guard let size = UInt64(String(decoding: value, as: UTF8.self)), size <= UInt64(Int64.max)
                else {
                    throw badNumber(position)
                }
                found.size = size
            case _ where key.hasPrefix("GNU.sparse."):
                throw .appliance(
                    .unsupported, .memberKind, "has a file with holes; pack it without holes",
                    structure: "header",
                    offset: position)
            default: break
            }
        }
        return found
    }
}
