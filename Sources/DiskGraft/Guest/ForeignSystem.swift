internal import GuestTree
internal import Patcher
internal import Storage

/// What lies on disks without a Linux system that is known here, so that it can be named.
struct ForeignSystem {
    /// "FreeBSD on p2".
    let names: [String]

    /// Looks at kinds and partition types, and at a few paths of what can be read.
    init(_ guest: Guest) throws(StorageError) {
        var names: [String] = []
        for (index, volume) in guest.volumes.enumerated() {
            if let name = Self.name(volume, guest.registry) {
                names.append("\(name) on \(volume.name)")
            } else if let fileSystem = try? guest.fileSystem(on: index),
                let name = try Self.name(fileSystem, index)
            {
                names.append("\(name) on \(volume.name)")
            }
        }
        self.names = names
    }

    private static func name(_ volume: Volume, _ registry: FileSystemRegistry) -> String? {
        let type = volume.typeName ?? ""
        let kind = volume.identity.kind
        switch kind.rawValue {
        case "zfs_member": return "ZFS"
        case "ufs": return type.contains("BSD") ? "\(type) (UFS)" : "UFS of a BSD"
        case "apfs", "hfs", "hfsplus": return "macOS's \(kind.rawValue)"
        case "VMFS", "VMFS_volume_member": return "VMware VMFS"
        default: break
        }
        let isSystem = LinuxFileSystem.of(kind).map { $0.use != .other } ?? (kind.content == .encrypted)
        if isSystem, registry.driver(for: kind) == nil {
            return "\(kind.rawValue), whose files cannot be read here,"
        }
        guard kind == .unknown else { return nil }
        if type.contains("ZFS") || type.hasPrefix("Solaris") { return "ZFS (\(type))" }
        if type.contains("BSD") { return type.contains("boot") ? nil : type }
        return type.hasPrefix("Apple") || type.hasPrefix("VMware") ? type : nil
    }

    private static func name(_ fileSystem: any FileSystem, _ index: Int) throws(StorageError) -> String? {
        let tree = FileSystemTree(volume: index, fileSystem, noting: TreeDamage())
        if try tree.exists("/ostree/repo") { return "an OSTree system (its root is made by ostree)" }
        for menu in [
            "/boot/grub/grub.cfg", "/grub/grub.cfg", "/boot/grub2/grub.cfg", "/isolinux/isolinux.cfg",
        ] as [GuestPath] {
            guard let bytes = try tree.configuration(menu) else { continue }
            let text = String(decoding: bytes, as: UTF8.self)
            if text.contains("vyos-union=") { return "VyOS (a live system from squashfs images)" }
            if text.contains("boot=live") || text.contains("boot=casper") {
                return "a live system from squashfs images"
            }
        }
        return nil
    }
}
