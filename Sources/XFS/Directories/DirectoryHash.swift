/// The hash by which directories and attributes are sorted (xfs_da_hashname).
enum NameHash {
    /// Of a name's bytes, four a step.
    static func of(_ name: some Collection<UInt8>) -> UInt32 {
        var hash: UInt32 = 0
        var rest = name[...]
        while rest.count >= 4 {
            let next = rest.prefix(4).reduce(UInt32(0)) { $0 << 7 ^ UInt32($1) }
            hash = next ^ rotate(hash, 28)
            rest = rest.dropFirst(4)
        }
        guard !rest.isEmpty else { return hash }
        return rest.reduce(UInt32(0)) { $0 << 7 ^ UInt32($1) } ^ rotate(hash, UInt32(rest.count) * 7)
    }

    private static func rotate(_ value: UInt32, _ count: UInt32) -> UInt32 {
        value << count | value >> (32 - count)
    }
}
