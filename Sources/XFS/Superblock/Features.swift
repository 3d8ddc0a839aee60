/// sb_versionnum's bits of version 4, most of which version 5 implies.
struct VersionBits: OptionSet, Sendable {
    let rawValue: UInt16
    static let logVersion2 = VersionBits(rawValue: 0x0400)
    static let directoryVersion2 = VersionBits(rawValue: 0x2000)
    /// Names are hashed without regard to case ("ascii-ci").
    static let foldedNames = VersionBits(rawValue: 0x4000)
    static let moreBits = VersionBits(rawValue: 0x8000)
}

/// sb_features2, which counts with `moreBits`.
struct Features2: OptionSet, Sendable {
    let rawValue: UInt32
    static let lazyCounters = Features2(rawValue: 0x02)
    static let attributesVersion2 = Features2(rawValue: 0x08)
    static let fileTypes = Features2(rawValue: 0x200)
    /// With 32 bits of project numbers; with checksums, which version 5 alone has.
    private static let wideProjects = Features2(rawValue: 0x80)
    private static let checksums = Features2(rawValue: 0x100)

    /// All that a volume of that version may have (XFS_SB_VERSION2_OKBITS).
    static func known(inVersion version: Int) -> Features2 {
        let all: Features2 = [.lazyCounters, .attributesVersion2, .wideProjects, .fileTypes]
        return version == 5 ? all.union(checksums) : all
    }
}

/// sb_features_ro_compat: what a reader need not know.
struct ReadOnlyFeatures: OptionSet, Sendable {
    let rawValue: UInt32
    static let freeInodeTree = ReadOnlyFeatures(rawValue: 1)
    static let reverseMap = ReadOnlyFeatures(rawValue: 2)
    static let sharedBlocks = ReadOnlyFeatures(rawValue: 4)
    static let inodeTreeCounts = ReadOnlyFeatures(rawValue: 8)
    /// All of them.
    static let known: ReadOnlyFeatures = [.freeInodeTree, .reverseMap, .sharedBlocks, .inodeTreeCounts]
}

/// sb_features_incompat: what a reader has to know.
struct IncompatibleFeatures: OptionSet, Sendable {
    let rawValue: UInt32
    static let fileTypes = IncompatibleFeatures(rawValue: 1)
    static let sparseInodes = IncompatibleFeatures(rawValue: 2)
    static let metadataUUID = IncompatibleFeatures(rawValue: 4)
    static let bigTimes = IncompatibleFeatures(rawValue: 8)
    static let needsRepair = IncompatibleFeatures(rawValue: 0x10)
    static let largeExtentCounts = IncompatibleFeatures(rawValue: 0x20)
    static let exchangeRange = IncompatibleFeatures(rawValue: 0x40)
    static let parentPointers = IncompatibleFeatures(rawValue: 0x80)
    static let metadataDirectory = IncompatibleFeatures(rawValue: 0x100)
    /// All that can be read.
    static let readable = IncompatibleFeatures(rawValue: 0x1ff)

    private static let names: [(IncompatibleFeatures, String)] = [
        (IncompatibleFeatures(rawValue: 0x200), "zoned"),
        (IncompatibleFeatures(rawValue: 0x400), "gap in zones"),
    ]

    /// The names of features, or their bits where they have none here.
    var words: String {
        var words: [String] = []
        var rest = rawValue
        for (feature, name) in Self.names where contains(feature) {
            words.append(name)
            rest &= ~feature.rawValue
        }
        if rest != 0 { words.append("0x" + String(rest, radix: 16)) }
        return words.joined(separator: ", ")
    }
}
