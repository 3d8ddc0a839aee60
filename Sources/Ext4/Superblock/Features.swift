/// s_feature_compat: what an implementation may ignore. Bits and names are e2fsprogs'.
struct CompatibleFeatures: OptionSet, Sendable {
    let rawValue: UInt32
    static let hasJournal = CompatibleFeatures(rawValue: 0x4)
    static let extendedAttributes = CompatibleFeatures(rawValue: 0x8)
    static let resizeInode = CompatibleFeatures(rawValue: 0x10)
    static let directoryIndex = CompatibleFeatures(rawValue: 0x20)
    static let sparseSuper2 = CompatibleFeatures(rawValue: 0x200)
    static let orphanFile = CompatibleFeatures(rawValue: 0x1000)
}

/// s_feature_incompat: who does not know a bit must not read.
struct IncompatibleFeatures: OptionSet, Sendable {
    let rawValue: UInt32
    static let compression = IncompatibleFeatures(rawValue: 0x1)
    static let fileType = IncompatibleFeatures(rawValue: 0x2)
    static let needsRecovery = IncompatibleFeatures(rawValue: 0x4)
    static let journalDevice = IncompatibleFeatures(rawValue: 0x8)
    static let metaBlockGroups = IncompatibleFeatures(rawValue: 0x10)
    static let extents = IncompatibleFeatures(rawValue: 0x40)
    static let wide = IncompatibleFeatures(rawValue: 0x80)
    static let multiMountProtection = IncompatibleFeatures(rawValue: 0x100)
    static let flexibleGroups = IncompatibleFeatures(rawValue: 0x200)
    static let attributeInodes = IncompatibleFeatures(rawValue: 0x400)
    static let directoryData = IncompatibleFeatures(rawValue: 0x1000)
    static let checksumSeed = IncompatibleFeatures(rawValue: 0x2000)
    static let largeDirectories = IncompatibleFeatures(rawValue: 0x4000)
    static let inlineData = IncompatibleFeatures(rawValue: 0x8000)
    static let encryption = IncompatibleFeatures(rawValue: 0x10000)
    static let caseFolding = IncompatibleFeatures(rawValue: 0x20000)

    /// What this reader understands.
    static let readable: IncompatibleFeatures = [
        .fileType, .needsRecovery, .metaBlockGroups, .extents, .wide, .multiMountProtection, .flexibleGroups,
        .attributeInodes, .checksumSeed, .largeDirectories, .inlineData, .encryption, .caseFolding,
    ]

    private static let names: [(IncompatibleFeatures, String)] = [
        (.compression, "compression"), (.fileType, "filetype"), (.needsRecovery, "needs_recovery"),
        (.journalDevice, "journal_dev"), (.metaBlockGroups, "meta_bg"), (.extents, "extent"),
        (.wide, "64bit"), (.multiMountProtection, "mmp"), (.flexibleGroups, "flex_bg"),
        (.attributeInodes, "ea_inode"), (.directoryData, "dirdata"),
        (.checksumSeed, "metadata_csum_seed"), (.largeDirectories, "large_dir"),
        (.inlineData, "inline_data"), (.encryption, "encrypt"), (.caseFolding, "casefold"),
    ]

    /// e2fsprogs' names of the bits set; unknown bits as FEATURE_I and the bit's number, as it prints them.
    var featureNames: [String] {
        setBitNames(rawValue, Self.names.map { ($0.0.rawValue, $0.1) }, letter: "I")
    }
}

/// s_feature_ro_compat: who does not know a bit may read and must not write.
struct ReadOnlyFeatures: OptionSet, Sendable {
    let rawValue: UInt32
    static let sparseSuper = ReadOnlyFeatures(rawValue: 0x1)
    static let largeFiles = ReadOnlyFeatures(rawValue: 0x2)
    static let treeDirectories = ReadOnlyFeatures(rawValue: 0x4)
    static let hugeFiles = ReadOnlyFeatures(rawValue: 0x8)
    static let descriptorChecksums = ReadOnlyFeatures(rawValue: 0x10)
    static let manyLinks = ReadOnlyFeatures(rawValue: 0x20)
    static let extraInodeSize = ReadOnlyFeatures(rawValue: 0x40)
    static let snapshots = ReadOnlyFeatures(rawValue: 0x80)
    static let quota = ReadOnlyFeatures(rawValue: 0x100)
    static let bigAllocation = ReadOnlyFeatures(rawValue: 0x200)
    static let metadataChecksums = ReadOnlyFeatures(rawValue: 0x400)
    static let replicas = ReadOnlyFeatures(rawValue: 0x800)
    static let readOnly = ReadOnlyFeatures(rawValue: 0x1000)
    static let projectQuota = ReadOnlyFeatures(rawValue: 0x2000)
    static let sharedBlocks = ReadOnlyFeatures(rawValue: 0x4000)
    static let verity = ReadOnlyFeatures(rawValue: 0x8000)
    static let orphansPresent = ReadOnlyFeatures(rawValue: 0x10000)

    /// What this writer knows the meaning of.
    static let known: ReadOnlyFeatures = [
        .sparseSuper, .largeFiles, .treeDirectories, .hugeFiles, .descriptorChecksums, .manyLinks,
        .extraInodeSize, .snapshots, .quota, .bigAllocation, .metadataChecksums, .replicas, .readOnly,
        .projectQuota, .sharedBlocks, .verity, .orphansPresent,
    ]

    /// What this writer does not write to: structures it would have to keep up and does not.
    static let unwritable: ReadOnlyFeatures = [
        .snapshots, .bigAllocation, .replicas, .readOnly, .sharedBlocks,
    ]

    private static let names: [(ReadOnlyFeatures, String)] = [
        (.sparseSuper, "sparse_super"), (.largeFiles, "large_file"), (.treeDirectories, "btree_dir"),
        (.hugeFiles, "huge_file"), (.descriptorChecksums, "uninit_bg"), (.manyLinks, "dir_nlink"),
        (.extraInodeSize, "extra_isize"), (.snapshots, "snapshot"), (.quota, "quota"),
        (.bigAllocation, "bigalloc"), (.metadataChecksums, "metadata_csum"), (.replicas, "replica"),
        (.readOnly, "read-only"), (.projectQuota, "project"), (.sharedBlocks, "shared_blocks"),
        (.verity, "verity"), (.orphansPresent, "orphan_present"),
    ]

    /// e2fsprogs' names of the bits set; unknown bits as FEATURE_R and the bit's number.
    var featureNames: [String] {
        setBitNames(rawValue, Self.names.map { ($0.0.rawValue, $0.1) }, letter: "R")
    }
}

private func setBitNames(_ bits: UInt32, _ known: [(UInt32, String)], letter: String) -> [String] {
    (0..<32).filter { bits >> UInt32($0) & 1 == 1 }.map { bit in
        known.first { $0.0 == 1 << UInt32(bit) }?.1 ?? "FEATURE_\(letter)\(bit)"
    }
}
