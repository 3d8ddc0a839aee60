internal import Storage

extension AttributeEntry {
    /// e_hash as entries of a block have it: name and value mixed, names as unsigned characters.
    var computedHash: UInt32 { hash(signedNames: false) }

    /// Whether e_hash is right. The kernel took names as signed characters on x86 until 6.x and accepts both now.
    var hasValidHash: Bool { hash == computedHash || hash == hash(signedNames: true) }

    private func hash(signedNames: Bool) -> UInt32 {
        var hash: UInt32 = 0
        for byte in name.suffix {
            let wide = signedNames ? UInt32(bitPattern: Int32(Int8(bitPattern: byte))) : UInt32(byte)
            hash = hash << 5 ^ hash >> 27 ^ wide
        }
        guard valueInode == 0, valueLength > 0 else { return hash }
        let padded = value + [UInt8](repeating: 0, count: (4 - value.count % 4) % 4)
        for offset in stride(from: 0, to: padded.count, by: 4) {
            hash = hash << 16 ^ hash >> 16 ^ (padded.little(offset) as UInt32)
        }
        return hash
    }
}

extension AttributeBlock {
    /// h_hash: the entries' hashes mixed; 0 when one has none, so that the block is never shared.
    static func hash(_ entries: [AttributeEntry]) -> UInt32 {
        var hash: UInt32 = 0
        for entry in entries {
            guard entry.hash != 0 else { return 0 }
            hash = hash << 16 ^ hash >> 16 ^ entry.hash
        }
        return hash
    }
}
