/// What a volume's bytes say that it is, with what speaks for it.
package struct VolumeSignature: Sendable {
    /// How much speaks for it.
    package enum Strength: Int, Sendable {
        /// A few bytes that chance or a leftover can explain.
        case weak
        /// A long magic number and sane fields.
        case firm
        /// A checksum or a second structure agrees.
        case verified
    }

    /// What it is.
    package var identity: VolumeIdentity
    /// How much speaks for it.
    package var strength: Strength
    /// It holds files; otherwise it only belongs to a file system, as an external journal does.
    package var holdsFiles: Bool

    /// Makes a signature.
    package init(_ identity: VolumeIdentity, _ strength: Strength, holdsFiles: Bool = true) {
        self.identity = identity
        self.strength = strength
        self.holdsFiles = holdsFiles
    }
}

/// How a file system is to be opened.
package struct FileSystemOptions: Sendable {
    /// Read on where a metadata checksum is wrong, with a warning.
    package var ignoresChecksums: Bool
    /// Windows' number of the code page that short names are in; nil: the usual one. For drivers with `hasCodePages`.
    package var codePage: Int?
    /// How much metadata to keep in memory, in bytes.
    package var cacheByteCount: Int
    /// The time that changes are given; nil: the clock's.
    package var now: Timestamp?

    /// Checksums verified, 16 MiB of cache.
    package init(
        ignoresChecksums: Bool = false, codePage: Int? = nil, cacheByteCount: Int = 16 << 20,
        now: Timestamp? = nil
    ) {
        self.ignoresChecksums = ignoresChecksums
        self.codePage = codePage
        self.cacheByteCount = cacheByteCount
        self.now = now
    }
}

/// A kind of file system: how it is recognised, opened and checked. The only code that reads its superblock.
package protocol FileSystemDriver: Sendable {
    /// What `open` opens, in blkid's words.
    static var kinds: [VolumeIdentity.Kind] { get }

    /// Every layer that its errors name.
    static var errorLayers: Set<String> { get }

    /// What checks and mends it in a running system: "e2fsck".
    static var repairTool: String { get }

    /// What can be changed in a volume of this kind that restricts nothing.
    static var capabilities: Capabilities { get }

    /// Whether preparing a change may well refuse what the capabilities allow (small volumes are often full, some are written
    /// only when all of them is sound): a plan that changes one is tried in memory before it is promised.
    static var refusesLate: Bool { get }

    /// Names are in a code page that the volume does not tell: who opens it says which, by `FileSystemOptions.codePage`.
    static var hasCodePages: Bool { get }

    /// What `device` is, when it is of this kind or belongs to it; nil when it is not. Reads the superblock and asks for
    /// nothing that reading files would need: unknown features and damage elsewhere do not matter.
    static func identify(_ device: any BlockDevice) throws(StorageError) -> VolumeSignature?

    /// Whether the first 512 bytes of a disk are a boot sector of this kind, which may look like a partition table.
    static func isBootSector(_ sector: [UInt8]) -> Bool

    /// Opens the volume on `device`, writing nothing. Throws `corrupt` where the superblock contradicts itself and
    /// `unsupported` naming features that are not known.
    static func open(
        _ device: any BlockDevice, options: FileSystemOptions
    ) throws(StorageError) -> any FileSystem

    /// Looks at the whole volume, writing nothing, and reports what is wrong. Throws when it could not look.
    static func check(_ device: any BlockDevice, report: (Finding) -> Void) throws(StorageError)

    /// Reports what is left of a file system of this kind on a device that nothing is known of: a copy of its
    /// superblock.
    static func findRemains(on device: any BlockDevice, report: (Finding) -> Void) throws(StorageError)
}

extension FileSystemDriver {
    package static var capabilities: Capabilities { Capabilities() }

    package static var refusesLate: Bool { false }

    package static var hasCodePages: Bool { false }

    package static func isBootSector(_ sector: [UInt8]) -> Bool { false }

    package static func findRemains(
        on device: any BlockDevice, report: (Finding) -> Void
    ) throws(StorageError) {}
}
