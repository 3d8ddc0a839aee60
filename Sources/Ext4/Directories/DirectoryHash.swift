internal import Storage

/// The hashes by which directories are indexed. Versions are numbered as in `struct dx_root_info`; the ones for
/// names of unsigned characters follow those for signed ones.
enum DirectoryHash: Sendable, Equatable {
    case legacy(isUnsigned: Bool)
    case halfMD4(isUnsigned: Bool)
    case tea(isUnsigned: Bool)

    /// From dx_root_info's hash_version; s_flags says whether names count as unsigned characters. Nil for a
    /// version that is not known (SipHash needs the key of an encrypted directory).
    init?(version: UInt8, superblockFlags: UInt32) {
        let isUnsigned = superblockFlags & 2 != 0
        switch version {
        case 0: self = .legacy(isUnsigned: isUnsigned)
        case 1: self = .halfMD4(isUnsigned: isUnsigned)
        case 2: self = .tea(isUnsigned: isUnsigned)
        case 3: self = .legacy(isUnsigned: true)
        case 4: self = .halfMD4(isUnsigned: true)
        case 5: self = .tea(isUnsigned: true)
        default: return nil
        }
    }

    /// The hash of a name: 31 bits above a zero bit. `seed` is s_hash_seed.
    func hash(_ name: [UInt8], seed: [UInt32]) -> UInt32 { hash(name[...], seed: seed) }

    /// The hash of a name that is part of a block.
    func hash(_ name: ArraySlice<UInt8>, seed: [UInt32]) -> UInt32 {
        var state: [UInt32] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476]
        if seed.contains(where: { $0 != 0 }) { state = seed }
        let result: UInt32
        switch self {
        case .legacy(let isUnsigned): result = Self.legacy(name, isUnsigned)
        case .halfMD4(let isUnsigned):
            for start in stride(from: 0, to: name.count, by: 32) {
                Self.halfMD4(&state, Self.words(name.dropFirst(start), count: 8, isUnsigned))
            }
            result = state[1]
        case .tea(let isUnsigned):
            for start in stride(from: 0, to: name.count, by: 16) {
                Self.tea(&state, Self.words(name.dropFirst(start), count: 4, isUnsigned))
            }
            result = state[0]
        }
        let even = result & ~1
        // The highest value marks the end of a directory for readdir.
        return even == 0xffff_fffe ? 0xffff_fffc : even
    }

    private static func widened(_ byte: UInt8, _ isUnsigned: Bool) -> UInt32 {
        isUnsigned ? UInt32(byte) : UInt32(bitPattern: Int32(Int8(bitPattern: byte)))
    }

    private static func legacy(_ name: ArraySlice<UInt8>, _ isUnsigned: Bool) -> UInt32 {
        var current: UInt32 = 0x12a3_fe2d
        var previous: UInt32 = 0x37ab_e8f9
        for byte in name {
            var next = previous &+ (current ^ widened(byte, isUnsigned) &* 7_152_373)
            if next & 0x8000_0000 != 0 { next &-= 0x7fff_ffff }
            previous = current
            current = next
        }
        return current << 1
    }

    /// Up to `count` words of a name, four characters each, padded with its length.
    private static func words(_ name: ArraySlice<UInt8>, count: Int, _ isUnsigned: Bool) -> [UInt32] {
        let length = UInt32(truncatingIfNeeded: name.count)
        var padding = length | length << 8
        padding |= padding << 16
        var result: [UInt32] = []
        var word = padding
        var filled = 0
        for byte in name.prefix(count * 4) {
            word = widened(byte, isUnsigned) &+ word << 8
            filled += 1
            if filled == 4 {
                result.append(word)
                word = padding
                filled = 0
            }
        }
        if result.count < count { result.append(word) }
        while result.count < count { result.append(padding) }
        return result
    }

    private static func tea(_ state: inout [UInt32], _ input: [UInt32]) {
        var sum: UInt32 = 0
        var (x, y) = (state[0], state[1])
        for _ in 0..<16 {
            sum &+= 0x9e37_79b9
            x &+= (y << 4 &+ input[0]) ^ (y &+ sum) ^ (y >> 5 &+ input[1])
            y &+= (x << 4 &+ input[2]) ^ (x &+ sum) ^ (x >> 5 &+ input[3])
        }
        state[0] &+= x
        state[1] &+= y
    }

    private static let rounds: [(order: [Int], shifts: [UInt32], constant: UInt32)] = [
        ([0, 1, 2, 3, 4, 5, 6, 7], [3, 7, 11, 19], 0),
        ([1, 3, 5, 7, 0, 2, 4, 6], [3, 5, 9, 13], 0x5a82_7999),
        ([3, 7, 2, 6, 1, 5, 0, 4], [3, 9, 11, 15], 0x6ed9_eba1),
    ]

    /// MD4's three rounds, eight steps each.
    private static func halfMD4(_ state: inout [UInt32], _ input: [UInt32]) {
        var (a, b, c, d) = (state[0], state[1], state[2], state[3])
        func step(_ mixed: UInt32, _ word: UInt32, _ shift: UInt32) {
            let sum = a &+ mixed &+ word
            // The registers turn, so that each step changes the one that is called `a` in it.
            (a, b, c, d) = (d, sum << shift | sum >> (32 - shift), b, c)
        }
        for (number, round) in rounds.enumerated() {
            for (index, word) in round.order.enumerated() {
                let mixed: UInt32 =
                    switch number {
                    case 0: d ^ (b & (c ^ d))
                    case 1: (b & c) &+ ((b ^ c) & d)
                    default: b ^ c ^ d
                    }
                step(mixed, input[word] &+ round.constant, round.shifts[index % 4])
            }
        }
        state[0] &+= a
        state[1] &+= b
        state[2] &+= c
        state[3] &+= d
    }
}

extension Superblock {
    /// s_hash_seed.
    var hashSeed: [UInt32] { (0..<4).map { word(Offset.hashSeed + $0 * 4) } }
    /// s_def_hash_version.
    var defaultHashVersion: UInt8 { bytes[Offset.hashVersion] }
    /// Whether directories that ignore case take only names of the volume's encoding: bit 0 of s_encoding_flags.
    var isStrictlyEncoded: Bool { incompatible.contains(.caseFolding) && half(0x27e) & 1 != 0 }
    /// s_flags.
    var flags: UInt32 { word(Offset.flags) }
}
