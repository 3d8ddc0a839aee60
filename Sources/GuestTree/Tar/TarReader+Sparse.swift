internal import Storage

// Files with holes, as `tar -S` stores them: the data without the holes, and a map of where it lies.

extension TarReader {
    /// GNU's own type of member.
    static let sparseType = UInt8(ascii: "S")

    private func contradiction() -> StorageError {
        bad("has a map of holes that contradicts itself or the length of its member")
    }

    private func requireCount(_ count: UInt64) throws(StorageError) {
        guard count <= UInt64(TarSparseMap.runLimit) else {
            throw StorageError(
                .refused, TarCode.sparse,
                "the archive has a file of \(count) pieces between holes; more than \(TarSparseMap.runLimit) are not "
                    + "unpacked; nothing was written", offset: position)
        }
    }

    /// Takes a record `GNU.sparse.*` over.
    func apply(_ value: [UInt8], of key: String, to member: inout Member) throws(StorageError) {
        var records = member.sparseRecords ?? TarSparseRecords()
        // Copied only when it is taken out and put back.
        member.sparseRecords = nil
        func number() throws(StorageError) -> UInt64 {
            guard let number = Self.decimal(value) else {
                throw bad("has a pax \(key) that is no number")
            }
            return number
        }
        switch key.dropFirst(TarSparseRecords.prefix.count) {
        case "major": records.major = try number()
        case "minor": records.minor = try number()
        case "name": records.name = value
        case "size", "realsize": records.byteCount = try number()
        case "numblocks": records.count = try number()
        case "offset", "numbytes":
            guard (records.pairs.count % 2 == 0) == key.hasSuffix("offset") else { throw contradiction() }
            records.pairs.append(try number())
        case "map":
            records.pairs = []
            if value.isEmpty { break }
            for text in value.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
                guard let number = Self.decimal(text) else { throw contradiction() }
                records.pairs.append(number)
            }
        default: break
        }
        try requireCount(UInt64(records.pairs.count / 2))
        member.sparseRecords = records
    }

    /// The map that a member's records tell of, or that its contents begin with; nil when it has none.
    mutating func recordedMap(_ member: inout Member) throws(StorageError) -> TarSparseMap? {
        guard let records = member.sparseRecords else { return nil }
        member.sparseRecords = nil
        // Its own name is made up, for programs that know nothing of holes.
        if let name = records.name { member.name = name }
        guard !member.name.contains(0) else { throw bad("holds a name with a NUL in it") }
        guard let byteCount = records.byteCount else { throw contradiction() }
        let pairs: [UInt64]
        switch (records.major, records.minor) {
        case (0, 0), (0, 1):
            pairs = records.pairs
            guard records.count.map({ $0 == UInt64(pairs.count / 2) }) ?? true else {
                throw contradiction()
            }
        case (1, 0):
            pairs = try mapInContents()
        default:
            throw StorageError(
                .unsupported, TarCode.sparse,
                "\(member.name.shellText) has holes in a format of tar that is not known (\(records.major).\(records.minor)); "
                    + "nothing was written", offset: position)
        }
        guard let map = TarSparseMap(byteCount: byteCount, pairs: pairs, dataCount: left) else {
            throw contradiction()
        }
        return map
    }

    /// Format 1.0: decimal numbers, each with a line feed behind it, to the end of a block: how many pairs, and the pairs.
    private mutating func mapInContents() throws(StorageError) -> [UInt64] {
        var pairs: [UInt64] = []
        var wanted: UInt64?
        var digits: [UInt8] = []
        while wanted.map({ UInt64(pairs.count) < $0 }) ?? true {
            guard left >= 512 else { throw contradiction() }
            for byte in try read(512) {
                if let wanted, UInt64(pairs.count) == wanted { break }
                guard byte == UInt8(ascii: "\n") else {
                    digits.append(byte)
                    guard digits.count <= 20 else { throw contradiction() }
                    continue
                }
                guard let number = Self.decimal(digits) else { throw contradiction() }
                digits = []
                if wanted == nil {
                    try requireCount(number)
                    wanted = number * 2
                } else {
                    pairs.append(number)
                }
            }
        }
        return pairs
    }

    /// GNU's type "S": four pairs in the header, the others in blocks behind it.
    mutating func oldMap(_ block: [UInt8], _ member: inout Member) throws(StorageError) -> TarSparseMap {
        // Others that have the type put other things there.
        guard block.span8.matches(Array("ustar  \0".utf8), at: 257), member.sparseRecords == nil else {
            throw StorageError(
                .unsupported, TarCode.sparse,
                "\(member.name.shellText) has holes in a format of tar that is not known; nothing was written",
                offset: position)
        }
        let byteCount = try number(block, 483, 12, "length")
        var pairs: [UInt64] = []
        var isContinued = try appendPairs(of: block, at: 386, 4, to: &pairs) && block[482] != 0
        while isContinued {
            let more = try exactly(512)
            isContinued = try appendPairs(of: more, at: 0, 21, to: &pairs) && more[504] != 0
            try requireCount(UInt64(pairs.count / 2))
        }
        guard let map = TarSparseMap(byteCount: byteCount, pairs: pairs, dataCount: member.size) else {
            throw contradiction()
        }
        return map
    }

    /// Adds the pairs of a block as far as there are any; true when it is full of them.
    private func appendPairs(
        of block: [UInt8], at start: Int, _ count: Int, to pairs: inout [UInt64]
    ) throws(StorageError) -> Bool {
        for index in 0..<count {
            let place = start + index * 24
            // An empty count ends the list.
            guard block[place + 12] != 0 else { return false }
            pairs.append(try number(block, place, 12, "offset of data"))
            pairs.append(try number(block, place + 12, 12, "count of data"))
        }
        return true
    }

    private static func decimal(_ text: some Collection<UInt8>) -> UInt64? {
        guard (1...20).contains(text.count), text.allSatisfy({ 48...57 ~= $0 }) else { return nil }
        return UInt64(String(decoding: text, as: UTF8.self))
    }
}

extension FileContents.Sparse {
    /// A member's data, which `read` has without its holes.
    init(_ map: TarSparseMap, _ read: @escaping (Int) throws(StorageError) -> [UInt8]) {
        var index = 0
        var position: UInt64 = 0
        self.init(byteCount: map.byteCount) { (limit) throws(StorageError) in
            while index < map.runs.count, position >= map.runs[index].upperBound { index += 1 }
            guard index < map.runs.count else { return nil }
            let run = map.runs[index]
            let start = max(position, run.lowerBound)
            let bytes = try read(Int(min(run.upperBound - start, UInt64(limit))))
            // A member that ends earlier throws: its map was held against its length.
            guard !bytes.isEmpty else { return nil }
            position = start + UInt64(bytes.count)
            return (start, bytes)
        }
    }
}
