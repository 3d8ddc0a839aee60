internal import Storage

extension HashBlock {
    /// Fields of a leaf of attributes behind the count (struct xfs_attr_leaf_hdr).
    private var usedByteCount: Int { Int(bytes.big(fields + 2, as: UInt16.self)) }
    private var hasHoles: Bool { bytes[fields + 6] != 0 }
    private var fields: Int { start == 32 ? 12 : 56 }
    /// Where the first name lies; 65536 is written as 0.
    private var firstName: Int {
        let offset = Int(bytes.big(fields + 4, as: UInt16.self))
        return offset == 0 && bytes.count == 1 << 16 ? 1 << 16 : offset
    }

    /// Whether a leaf of attributes counts what it holds (xfs_attr3_leaf_verify): names lie between the entries and the end, and
    /// take as many bytes as the header says; the lowest is the first, but where one went and left a hole.
    var isSoundLeaf: Bool {
        guard kind == .attributes, (start + count * 8...bytes.count).contains(firstName) else { return false }
        var used = 0
        var lowest = bytes.count
        for index in 0..<count {
            guard let attribute = attribute(index) else { return false }
            let offset = Int(bytes.big(start + index * 8 + 4, as: UInt16.self))
            guard offset >= firstName else { return false }
            lowest = min(lowest, offset)
            let (isLocal, length) =
                switch attribute.value {
                case .held(let value): (true, value.count)
                case .remote: (false, 0)
                }
            used += Self.entrySize(isLocal: isLocal, attribute.name.count, length)
        }
        guard used == usedByteCount, hasHoles || lowest == firstName else { return false }
        return (0..<3).allSatisfy { index in
            let base = Int(bytes.big(fields + 8 + index * 4, as: UInt16.self))
            let size = Int(bytes.big(fields + 10 + index * 4, as: UInt16.self))
            return base % 4 == 0 && size % 4 == 0 && base + size <= bytes.count
        }
    }
}
