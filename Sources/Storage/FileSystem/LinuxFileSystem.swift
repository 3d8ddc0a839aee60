/// What Linux does with a kind of volume, beside what a driver reads of it: how its rows call it, which modules mount it, what
/// they forbid. One row a kind, whether its files can be read here or not, and the only place that knows.
package struct LinuxFileSystem: Sendable {
    /// What a volume of the kind is for.
    package enum Use: Sendable {
        /// A system's root may be one.
        case root
        /// It is only read: a root lies in it under something that takes the writes.
        case image
        /// No system's root.
        case other
    }

    /// A module that mounts it.
    package struct Module: Sendable {
        /// Its name, as the kernel writes it: "ext4".
        package let name: String
        /// What builds it, without "CONFIG_".
        package let option: String
        /// The functions that it begins with (init/main.c, `initcall_blacklist=`).
        package let initcalls: [String]

        init(_ name: String, _ option: String? = nil, initcalls: [String] = []) {
            self.name = name
            self.option = option ?? name.uppercased() + "_FS"
            self.initcalls = initcalls
        }
    }

    /// The kind, in blkid's words.
    package let kind: VolumeIdentity.Kind
    /// What it is for.
    package let use: Use
    /// What mount(8) may call it: the type of a row of fstab that mounts it, the value of `rootfstype=`.
    package let types: Set<String>
    /// The modules that mount it, likeliest first; none where nothing has to be loaded.
    package let modules: [Module]
    /// Subvolumes are mounted by rows of their own, and by options that no other kind knows.
    package let hasSubvolumes: Bool
    /// One file system may lie on several devices, and any of them mounts it.
    package let spansDevices: Bool
    /// A second one of the same UUID is not mounted unless this option is given.
    package let optionForTwins: String?

    private init(
        _ kind: VolumeIdentity.Kind, _ use: Use = .root, types: Set<String>? = nil, modules: [Module]? = nil,
        hasSubvolumes: Bool = false, spansDevices: Bool = false, optionForTwins: String? = nil
    ) {
        self.kind = kind
        self.use = use
        self.types = types ?? [kind.rawValue]
        self.modules = modules ?? [Module(kind.rawValue)]
        self.hasSubvolumes = hasSubvolumes
        self.spansDevices = spansDevices
        self.optionForTwins = optionForTwins
    }

    /// What is known of a kind.
    package static func of(_ kind: VolumeIdentity.Kind) -> LinuxFileSystem? { all.first { $0.kind == kind } }

    /// What mount(8) mounts as that type; empty for a type that is not known.
    package static func mounted(as type: String) -> [LinuxFileSystem] {
        all.filter { $0.types.contains(type) }
    }

    // Of the extended file systems each one's driver may mount another.
    private static let extended: Set<String> = ["ext2", "ext3", "ext4", "ext4dev"]
    private static let ext4 = Module("ext4", initcalls: ["ext4_init_fs"])

    /// Every kind that is known.
    package static let all: [LinuxFileSystem] = [
        LinuxFileSystem(
            .ext2, types: extended, modules: [Module("ext2"), Module("ext4", "EXT4_USE_FOR_EXT2")]),
        LinuxFileSystem(
            .ext3, types: extended, modules: [Module("ext3"), Module("ext4", "EXT4_USE_FOR_EXT23"), ext4]),
        LinuxFileSystem(.ext4, types: extended, modules: [ext4, Module("ext4dev")]),
        LinuxFileSystem(
            .xfs, modules: [Module("xfs", initcalls: ["init_xfs_fs"])], optionForTwins: "nouuid"),
        LinuxFileSystem(
            .btrfs, modules: [Module("btrfs", initcalls: ["init_btrfs_fs"])], hasSubvolumes: true,
            spansDevices: true),
        LinuxFileSystem(.init(rawValue: "jfs")),
        LinuxFileSystem(.init(rawValue: "reiserfs")),
        LinuxFileSystem(.init(rawValue: "f2fs")),
        LinuxFileSystem(.init(rawValue: "nilfs2")),
        LinuxFileSystem(.init(rawValue: "bcachefs"), spansDevices: true),
        LinuxFileSystem(
            .init(rawValue: "squashfs"), .image, modules: [Module("squashfs", "SQUASHFS")]),
        LinuxFileSystem(.init(rawValue: "erofs"), .image),
        LinuxFileSystem(.vfat, .other, types: ["vfat", "msdos", "umsdos"]),
        LinuxFileSystem(
            .ntfs, .other, types: ["ntfs", "ntfs-3g", "ntfs3", "lowntfs-3g"],
            modules: [Module("ntfs3"), Module("ntfs")]),
        LinuxFileSystem(.swap, .other, modules: []),
    ]
}
