extension VolumeIdentity.Kind {
    /// What is to be had of a volume of that kind.
    package enum Content: Sendable {
        /// Files, as far as is known.
        case files
        /// Pages of memory.
        case swap
        /// Other volumes, which are put together here.
        case volumes
        /// Something that nobody sees without a key.
        case encrypted
        /// Nothing that is known.
        case nothing
    }

    /// What a volume of this kind holds.
    package var content: Content {
        switch self {
        case .swap: .swap
        case .lvm2, .mdRAID: .volumes
        case .luks: .encrypted
        case .unknown: .nothing
        default: .files
        }
    }

    /// Files of a Linux system may lie in it, or in what it is a container of.
    package var mayHoldFilesOfLinux: Bool {
        switch content {
        case .files: !isOfWindows && !Self.ofOthers.contains(rawValue)
        case .encrypted: true
        case .swap, .volumes, .nothing: false
        }
    }

    /// It shows that a Windows system is there.
    package var isOfWindows: Bool { self == .ntfs }

    /// Discs and the file systems of other systems.
    private static let ofOthers: Set<String> = [
        "exfat", "iso9660", "udf", "apfs", "hfs", "hfsplus", "ufs",
    ]
}

extension VolumeIdentity {
    /// The bytes that its device has to have: of a shorter one the end was cut off. Nil where that is not told, and for what may
    /// lie on several devices and counts all of them.
    package var deviceByteCount: UInt64? { LinuxFileSystem.of(kind)?.spansDevices == true ? nil : byteCount }
}
