internal import Storage

/// The types of file systems that a row or a unit says a volume holds: "ext3", or "udf,iso9660".
package struct MountTypes: Sendable, Equatable {
    /// The words; none where nothing is said.
    package var words: [String]

    /// The words of a list between commas.
    init(_ list: String) { words = list.split(separator: ",").map(String.init) }

    /// Something else is said to lie on the volume than does. A type that nobody looks for proves nothing about what is not
    /// known, and nothing of that type is what is known as another.
    func contradicts(_ kind: VolumeIdentity.Kind) -> Bool {
        !words.isEmpty
            && words.allSatisfy { type in
                let known = LinuxFileSystem.mounted(as: type)
                if !known.isEmpty { return !known.contains { $0.kind == kind } }
                return kind != .unknown && kind.rawValue != type && !Self.saysNothing(type)
            }
    }

    /// A type that leaves open what lies there, or that is no file system of a device.
    private static func saysNothing(_ type: String) -> Bool {
        ["auto", "none", "bind", "rbind", "subfs", "supermount", "overlay", "overlayfs", "aufs"].contains(
            type)
            || type.hasPrefix("fuse")
    }
}
