internal import Storage

/// An extended attribute as it is kept.
struct RawAttribute: Sendable {
    /// xfs_attr_leaf_entry.flags.
    struct Flags: OptionSet, Sendable {
        let rawValue: UInt8
        /// The value lies beside the name.
        static let local = Flags(rawValue: 1)
        static let trusted = Flags(rawValue: 2)
        static let secure = Flags(rawValue: 4)
        /// Says which directory has the file, not an attribute that anybody set.
        static let parent = Flags(rawValue: 8)
        /// Its value was not finished.
        static let incomplete = Flags(rawValue: 0x80)
    }

    enum Value: Sendable {
        case held([UInt8])
        /// In blocks of the fork, `count` bytes.
        case remote(block: UInt32, count: Int)
    }

    let name: [UInt8]
    let flags: Flags
    let value: Value

    /// With the prefix of its name space; nil for what listxattr does not show.
    var fullName: [UInt8]? {
        guard flags.isDisjoint(with: [.parent, .incomplete]) else { return nil }
        let prefix =
            flags.contains(.secure) ? "security." : flags.contains(.trusted) ? "trusted." : "user."
        return Array(prefix.utf8) + name
    }
}

/// Attributes kept in the inode (struct xfs_attr_sf_hdr): bytes in all, how many, then each.
enum ShortAttributes {
    static let headerSize = 4

    /// Nil where the bytes end early or claim more than they hold.
    static func entries(_ fork: [UInt8]) -> [RawAttribute]? {
        guard fork.count >= headerSize else { return nil }
        let total = Int(fork.big(0, as: UInt16.self))
        guard (headerSize...fork.count).contains(total) else { return nil }
        var offset = headerSize
        var result: [RawAttribute] = []
        for _ in 0..<fork[2] {
            guard total - offset >= 3 else { return nil }
            let nameLength = Int(fork[offset])
            let valueLength = Int(fork[offset + 1])
            let name = offset + 3
            guard nameLength > 0, total - name >= nameLength + valueLength else { return nil }
            result.append(
                RawAttribute(
                    name: Array(fork[name..<name + nameLength]),
                    flags: RawAttribute.Flags(rawValue: fork[offset + 2]),
                    value: .held(Array(fork[name + nameLength..<name + nameLength + valueLength]))))
            offset = name + nameLength + valueLength
        }
        return offset == total ? result : nil
    }
}

extension HashBlock {
    /// The attribute of entry `index` of a leaf; nil where it is damaged.
    func attribute(_ index: Int) -> RawAttribute? {
        let entry = start + index * 8
        let offset = Int(bytes.big(entry + 4, as: UInt16.self))
        let flags = RawAttribute.Flags(rawValue: bytes[entry + 6])
        guard offset >= start + count * 8, bytes.count - offset >= 4 else { return nil }
        if flags.contains(.local) {
            let valueLength = Int(bytes.big(offset, as: UInt16.self))
            let nameLength = Int(bytes[offset + 2])
            let name = offset + 3
            guard nameLength > 0,
                bytes.count - offset >= Self.entrySize(isLocal: true, nameLength, valueLength)
            else { return nil }
            return RawAttribute(
                name: Array(bytes[name..<name + nameLength]), flags: flags,
                value: .held(Array(bytes[name + nameLength..<name + nameLength + valueLength])))
        }
        guard bytes.count - offset >= 9 else { return nil }
        let nameLength = Int(bytes[offset + 8])
        guard nameLength > 0, bytes.count - offset >= Self.entrySize(isLocal: false, nameLength, 0) else {
            return nil
        }
        return RawAttribute(
            name: Array(bytes[offset + 9..<offset + 9 + nameLength]), flags: flags,
            value: .remote(
                block: bytes.big(offset), count: Int(bytes.big(offset + 4, as: UInt32.self))))
    }

    /// Bytes that an entry's name takes in a leaf, with the value beside it or the place of one in blocks of its own. There
    /// the two bytes of padding count that the structure had behind the first letter of the name
    /// (xfs_attr_leaf_entsize_remote: 11 and the name's length, rounded up).
    static func entrySize(isLocal: Bool, _ nameLength: Int, _ valueLength: Int) -> Int {
        (nameLength + (isLocal ? 3 + valueLength : 11) + 3) & ~3
    }
}
