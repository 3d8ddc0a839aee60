package import Storage

/// Reads tar archives: ustar, pax (POSIX.1-2017) and GNU's long names, numbers in base 256, files with holes.
package struct TarReader {
    /// One member's header.
    package struct Member {
        package var name: [UInt8] = []
        package var type: UInt8 = 0
        package var target: [UInt8] = []
        package var permissions: UInt16 = 0
        package var owner: UInt32 = 0
        package var group: UInt32 = 0
        package var size: UInt64 = 0
        package var time = Timestamp(seconds: 0)
        package var device = FileAttributes.DeviceNumber(major: 0, minor: 0)
        package var attributes: [ExtendedAttribute] = []
        package var accessText: [UInt8]?
        package var defaultText: [UInt8]?
        /// Where the data lies in a file with holes; `size` counts the data alone.
        package var holes: TarSparseMap?
        var sparseRecords: TarSparseRecords?
    }

    private let input: FileContents
    /// Contents of the current member that were not read.
    var left: UInt64 = 0
    private var padding = 0
    /// What global headers say of every member that follows: the last value of each key.
    private var globals: [[UInt8]: [UInt8]] = [:]
    package private(set) var position: UInt64 = 0

    private typealias Record = (key: [UInt8], value: [UInt8])

    private static let blockSize = 512
    /// Extended headers longer than this are no tar's.
    private static let headerLimit: UInt64 = 8 << 20
    /// Of all global headers together: each member takes the time to apply them.
    private static let globalLimit = 64 << 10

    package init(_ input: FileContents) { self.input = input }

    /// The next member; nil at the archive's end. Throws for input that stops without one: whoever wrote it was cut off.
    package mutating func next() throws(StorageError) -> Member? {
        try skipContents()
        var records: [Record] = []
        var longName: [UInt8]?
        var longTarget: [UInt8]?
        while true {
            guard let block = try block() else {
                guard records.isEmpty, longName == nil else { throw bad("ends after an extended header") }
                throw bad(position == 0 ? "is empty" : "stops without its end: it was cut off")
            }
            if block.span8.isAllZero { return nil }
            try verify(block)
            let type = block[156]
            let size = try number(block, 124, 12, "size")
            switch type {
            case UInt8(ascii: "x"): records = try Self.records(in: header(size), self)
            case UInt8(ascii: "g"): try noteGlobals(Self.records(in: header(size), self))
            case UInt8(ascii: "L"): longName = Array(try header(size).prefix { $0 != 0 })
            case UInt8(ascii: "K"): longTarget = Array(try header(size).prefix { $0 != 0 })
            case UInt8(ascii: "V"): try skip(size)
            default:
                var member = try member(block, type: type, size: size)
                if let longName { member.name = longName }
                if let longTarget { member.target = longTarget }
                var places: [[UInt8]: Int] = [:]
                for record in globals { try apply((record.key, record.value), to: &member, &places) }
                for (index, record) in records.enumerated() {
                    if index % 1024 == 0 { try Cancellation.check() }
                    try apply(record, to: &member, &places)
                }
                guard !member.name.contains(0), !member.target.contains(0) else {
                    throw bad("holds a name with a NUL in it")
                }
                let hasContents = [0, UInt8(ascii: "0"), UInt8(ascii: "7"), Self.sparseType].contains(
                    member.type)
                if !hasContents, member.type != UInt8(ascii: "D") { member.size = 0 }
                guard hasContents || member.type == Self.sparseType || member.sparseRecords == nil else {
                    throw bad("has a member with holes that is no file")
                }
                // The rest of such a header comes before the contents.
                let start = member.type == Self.sparseType ? try oldMap(block, &member) : nil
                left = member.size
                padding = Int((512 - member.size % 512) % 512)
                member.holes = if let start { start } else { try recordedMap(&member) }
                return member
            }
        }
    }

    /// Up to `count` bytes of the current member's contents; none at their end.
    package mutating func read(_ count: Int) throws(StorageError) -> [UInt8] {
        let wanted = Int(min(UInt64(count), left))
        let bytes = try exactly(wanted)
        left -= UInt64(bytes.count)
        return bytes
    }

    private mutating func skipContents() throws(StorageError) {
        while left > 0 { _ = try read(1 << 20) }
        _ = try exactly(padding)
        padding = 0
    }

    private mutating func skip(_ size: UInt64) throws(StorageError) {
        left = size
        padding = Int((512 - size % 512) % 512)
        try skipContents()
    }

    /// A header block; nil at the end of the input.
    private mutating func block() throws(StorageError) -> [UInt8]? {
        let bytes = try input.read(Self.blockSize)
        guard !bytes.isEmpty else { return nil }
        if position == 0 { try refuseCompression(bytes) }
        position += UInt64(bytes.count)
        guard bytes.count == Self.blockSize else { throw bad("ends within a header") }
        return bytes
    }

    private func refuseCompression(_ start: [UInt8]) throws(StorageError) {
        for (magic, program) in [
            ([0x1f, 0x8b], "gzip"), ([0x28, 0xb5, 0x2f, 0xfd], "zstd"), ([0xfd, 0x37, 0x7a], "xz"),
            (Array("BZh".utf8), "bzip2"),
        ] as [([UInt8], String)] where start.starts(with: magic) {
            throw StorageError(
                .unsupported, TarCode.compressed,
                "the archive is compressed; give it as `\(program) -dc ARCHIVE |`")
        }
    }

    mutating func exactly(_ count: Int) throws(StorageError) -> [UInt8] {
        guard count > 0 else { return [] }
        let bytes = try input.read(count)
        position += UInt64(bytes.count)
        guard bytes.count == count else { throw bad("ends within a file") }
        return bytes
    }

    /// The contents of an extended header.
    private mutating func header(_ size: UInt64) throws(StorageError) -> [UInt8] {
        guard size <= Self.headerLimit else { throw bad("has an extended header of \(size) bytes") }
        let bytes = try exactly(Int(size))
        _ = try exactly(Int((512 - size % 512) % 512))
        return bytes
    }

    func bad(_ what: String) -> StorageError {
        StorageError(
            .corrupt, TarCode.badArchive, "the archive \(what); nothing was written",
            offset: position)
    }

    private func verify(_ block: [UInt8]) throws(StorageError) {
        var sum: UInt64 = 0
        for (index, byte) in block.enumerated() { sum += 148..<156 ~= index ? 32 : UInt64(byte) }
        guard try number(block, 148, 8, "checksum") == sum else {
            throw bad("is no tar archive, or has a damaged header")
        }
    }

    private func member(_ block: [UInt8], type: UInt8, size: UInt64) throws(StorageError) -> Member {
        func text(_ offset: Int, _ count: Int) -> [UInt8] {
            Array(block[offset..<offset + count].prefix { $0 != 0 })
        }
        func small(_ offset: Int, _ count: Int, _ what: String) throws(StorageError) -> UInt32 {
            guard let value = UInt32(exactly: try number(block, offset, count, what)) else {
                throw bad("has a \(what) that does not fit 32 bits")
            }
            return value
        }
        var member = Member()
        member.type = type
        member.name = text(0, 100)
        // GNU's own header has other things where ustar has the prefix.
        if block.span8.matches(Array("ustar\0".utf8), at: 257), block[345] != 0 {
            member.name = text(345, 155) + [UInt8(ascii: "/")] + member.name
        }
        member.target = text(157, 100)
        member.permissions = UInt16(truncatingIfNeeded: try number(block, 100, 8, "mode")) & 0o7777
        member.owner = try small(108, 8, "uid")
        member.group = try small(116, 8, "gid")
        member.size = size
        member.time = Timestamp(seconds: try seconds(block))
        if type == UInt8(ascii: "3") || type == UInt8(ascii: "4") {
            member.device.major = try small(329, 8, "devmajor")
            member.device.minor = try small(337, 8, "devminor")
        }
        return member
    }

    /// A time, which may be before 1970: GNU's base 256 is in two's complement.
    private func seconds(_ block: [UInt8]) throws(StorageError) -> Int64 {
        guard block[136] & 0xc0 == 0xc0 else {
            return Int64(clamping: try number(block, 136, 12, "mtime"))
        }
        let value: UInt64 = block.big(140)
        guard block[136..<140].allSatisfy({ $0 == 0xff }), Int64(bitPattern: value) >= -1 << 40,
            value >> 63 == 1
        else { throw bad("has a mtime past all bounds") }
        return Int64(bitPattern: value)
    }

    /// Octal digits, or with the top bit set GNU's base 256, of a number that is not negative.
    func number(
        _ block: [UInt8], _ offset: Int, _ count: Int, _ what: String
    ) throws(StorageError) -> UInt64 {
        let field = block[offset..<offset + count]
        guard let first = field.first else { return 0 }
        var value: UInt64 = 0
        if first & 0x80 != 0 {
            guard first & 0x40 == 0 else { throw bad("has a negative \(what)") }
            for (index, byte) in field.enumerated() {
                guard value < 1 << 55 else { throw bad("has a \(what) past all bounds") }
                value = value << 8 | UInt64(index == 0 ? byte & 0x3f : byte)
            }
            return value
        }
        for byte in field.drop(while: { $0 == 32 }) {
            if byte == 0 || byte == 32 { break }
            guard 48...55 ~= byte, value < 1 << 60 else { throw bad("has a \(what) that is no number") }
            value = value << 3 | UInt64(byte - 48)
        }
        return value
    }

    // MARK: pax

    /// "LENGTH KEY=VALUE\n" one after the other.
    private static func records(in bytes: [UInt8], _ reader: TarReader) throws(StorageError) -> [Record] {
        var result: [Record] = []
        var start = 0
        while start < bytes.count {
            let digits = bytes[start...].prefix(8).prefix { 48...57 ~= $0 }
            guard let length = Int(String(decoding: digits, as: UTF8.self)), length > digits.count + 2,
                length <= bytes.count - start, bytes[start + digits.count] == 32,
                bytes[start + length - 1] == 10,
                let equals = bytes[(start + digits.count)..<(start + length)].firstIndex(of: 61)
            else {
                // Fillings after the last record.
                if bytes[start...].allSatisfy({ $0 == 0 }) { break }
                throw reader.bad("has a damaged pax header")
            }
            let key = Array(bytes[(start + digits.count + 1)..<equals])
            result.append((key, Array(bytes[(equals + 1)..<(start + length - 1)])))
            start += length
        }
        return result
    }

    private mutating func noteGlobals(_ records: [Record]) throws(StorageError) {
        for record in records { globals[record.key] = record.value }
        guard globals.reduce(0, { $0 + $1.key.count + $1.value.count }) <= Self.globalLimit else {
            throw bad("has global headers of more than \(Self.globalLimit / 1024) KiB")
        }
    }

    /// `places` says where in the member's attributes each name stands.
    private func apply(
        _ record: Record, to member: inout Member, _ places: inout [[UInt8]: Int]
    ) throws(StorageError) {
        func set(_ name: [UInt8]) {
            let attribute = ExtendedAttribute(name: name, value: record.value)
            if let place = places[name] {
                member.attributes[place] = attribute
            } else {
                places[name] = member.attributes.count
                member.attributes.append(attribute)
            }
        }
        let key = String(decoding: record.key, as: UTF8.self)
        func number() throws(StorageError) -> UInt64 {
            guard let value = UInt64(String(decoding: record.value, as: UTF8.self)) else {
                throw bad("has a pax \(key) that is no number")
            }
            return value
        }
        func small() throws(StorageError) -> UInt32 {
            guard let value = UInt32(exactly: try number()) else {
                throw bad("has a pax \(key) that does not fit 32 bits")
            }
            return value
        }
        switch key {
        case "path": member.name = record.value
        case "linkpath": member.target = record.value
        case "size": member.size = try number()
        case "uid": member.owner = try small()
        case "gid": member.group = try small()
        case "mtime": member.time = try time(record.value)
        case "SCHILY.acl.access": member.accessText = record.value
        case "SCHILY.acl.default": member.defaultText = record.value
        case "RHT.security.selinux": set(Array("security.selinux".utf8))
        default:
            let xattr = "SCHILY.xattr."
            if key.hasPrefix(xattr) {
                set(Array(TarKey.unescaped(record.key.dropFirst(xattr.utf8.count))))
            } else if key.hasPrefix(TarSparseRecords.prefix) {
                try apply(record.value, of: key, to: &member)
            }
        }
    }

    /// "-1.5", "1700000000.123456789".
    private func time(_ bytes: [UInt8]) throws(StorageError) -> Timestamp {
        let text = String(decoding: bytes, as: UTF8.self)
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first.flatMap({ Int64($0) }), (-1 << 40...1 << 40).contains(whole) else {
            throw bad("has a pax mtime that is no time")
        }
        var nanoseconds: UInt32 = 0
        if parts.count == 2 {
            let digits = String(parts[1].prefix(9))
            guard let value = UInt32(digits + String(repeating: "0", count: 9 - digits.count)) else {
                throw bad("has a pax mtime that is no time")
            }
            nanoseconds = value
        }
        guard text.hasPrefix("-"), nanoseconds > 0 else {
            return Timestamp(seconds: whole, nanoseconds: nanoseconds)
        }
        return Timestamp(seconds: whole - 1, nanoseconds: 1_000_000_000 - nanoseconds)
    }
}
